"""Checks of the machine and the installation, each with a finding a person can act on.

Each check imports what it needs, so that a broken package is a finding and not the end of it.
"""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path

from gradmap.errors import GradmapError

FLOORS = ("gradmap", "opendss_models", "federates", "scenarios")
HELICS_SERIES = "3.6."
# The bundled feeder with its own loads, from neutral taps, controls acting (engine 0.14.5).
EXPECTED_P_KW = 3615.265
EXPECTED_LOSSES_KW = 95.978
EXPECTED_TAPS = (6, 0, 2, 0, 10, 4, 6)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check and what it found."""

    check: str
    ok: bool
    detail: str


def run_checks() -> list[Finding]:
    """Run every check; one that raises is a failed finding, the others still run."""
    checks: dict[str, Callable[[], str]] = {
        "Python": _python,
        "Packages": _packages,
        "Import origin": _origin,
        "HELICS": _helics,
        "HELICS handshake on loopback": _handshake,
        "OpenDSS on IEEE 123": _opendss,
        "torch": _torch,
        "Writable folders": _folders,
    }
    return [_run(name, check) for name, check in checks.items()]


def _run(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(check=name, ok=True, detail=check())
    except (GradmapError, ImportError, OSError, RuntimeError, ValueError) as exc:
        return Finding(check=name, ok=False, detail=f"{type(exc).__name__}: {exc}")


def _python() -> str:
    return f"{platform.python_version()} on {platform.system()} {platform.machine()}"


def _packages() -> str:
    names = ("gradmap", "helics", "opendssdirect.py", "torch", "numpy", "pandas", "pvlib")
    return ", ".join(f"{name} {metadata.version(name)}" for name in names)


def _origin() -> str:
    """`federates` and `scenarios` are common words: make sure they are ours."""
    folders = {name: Path(str(import_module(name).__file__)).parent.parent for name in FLOORS}
    if len(set(folders.values())) > 1:
        listing = ", ".join(f"{name} from {folder}" for name, folder in folders.items())
        raise RuntimeError(
            f"packages come from different places ({listing}); another distribution installs one "
            f"of these names. Use a virtual environment of its own for this tool"
        )
    return f"all four packages from {folders['gradmap']}"


def _handshake() -> str:
    from federates.handshake import shake_hands  # noqa: PLC0415

    return shake_hands()


def _helics() -> str:
    from federates.handshake import helics_version  # noqa: PLC0415

    version = helics_version()
    if not version.startswith(HELICS_SERIES):
        raise RuntimeError(
            f"HELICS {version}, expected {HELICS_SERIES}x: federates only talk within one minor "
            f"version. Install helics>=3.6,<3.7"
        )
    return version


def _opendss() -> str:
    from opendss_models.engine import Engine, EngineSettings  # noqa: PLC0415
    from opendss_models.feeders import feeder_path  # noqa: PLC0415

    engine = Engine(feeder_path("ieee123"), settings=EngineSettings(tolerance=1e-10))
    outcome = engine.solve()
    p_kw = float(engine.head_power()[0].sum())
    losses_kw = engine.losses()[0]
    taps = tuple(int(tap) for tap in engine.taps())
    agrees = (
        abs(p_kw - EXPECTED_P_KW) < 0.01
        and abs(losses_kw - EXPECTED_LOSSES_KW) < 0.01
        and taps == EXPECTED_TAPS
    )
    if not agrees:
        raise RuntimeError(
            f"{outcome.status.name}: {p_kw:.3f} kW, losses {losses_kw:.3f} kW, taps {taps}; "
            f"expected {EXPECTED_P_KW} kW, {EXPECTED_LOSSES_KW} kW, {EXPECTED_TAPS}"
        )
    return f"{p_kw:.1f} kW, losses {losses_kw:.1f} kW, taps as stored"


def _torch() -> str:
    import torch  # noqa: PLC0415  the slowest import, only here

    where = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "CPU only"
    return f"{torch.__version__}, {where}"


def _folders() -> str:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        (Path(folder) / "probe").write_text("ok")
    return f"can write to {Path.cwd()}"
