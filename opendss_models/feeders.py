"""Feeders that ship with the package, and the way from a name to a file."""

from __future__ import annotations

from pathlib import Path

from gradmap.errors import FeederError
from gradmap.feeder import Feeder
from gradmap.feeder_file import load_feeder, save_feeder

_BUNDLED = {"ieee123": Path(__file__).parent / "ieee123" / "master.dss"}


def feeder_path(source: str) -> Path:
    """Return the master .dss file of a bundled feeder's name, or the path itself.

    Raises:
        FeederError: Neither a bundled name nor an existing file.
    """
    if source in _BUNDLED:
        return _BUNDLED[source]
    path = Path(source)
    if not path.is_file():
        raise FeederError(
            f"Feeder {source!r}: no such file, nor a bundled feeder ({', '.join(_BUNDLED)}). "
            f"Give the master .dss file; file names are case-sensitive."
        )
    return path.resolve()


def bundled_feeder(name: str) -> Feeder:
    """Return a bundled feeder as it was extracted; this needs no OpenDSS.

    Raises:
        FeederError: There is none of this name.
    """
    if name not in _BUNDLED:
        raise FeederError(
            f"Feeder {name!r} is not bundled, expected one of: {', '.join(_BUNDLED)}. Extract your "
            f"own with `opendss_models.extract.extract_feeder`."
        )
    return load_feeder(_extracted(name))


def save_bundled_feeders() -> None:
    """Extract the bundled feeders again; needed after a change to their files or to `Feeder`."""
    # Imported here: OpenDSS must not come with `bundled_feeder`.
    from opendss_models.engine import Engine  # noqa: PLC0415
    from opendss_models.extract import extract_feeder  # noqa: PLC0415

    for name, master in _BUNDLED.items():
        save_feeder(extract_feeder(Engine(master)), _extracted(name))


def _extracted(name: str) -> Path:
    """Return the file of a bundled feeder as extracted."""
    return _BUNDLED[name].with_name(f"{name}.npz")
