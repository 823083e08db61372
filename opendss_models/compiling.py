"""Bring a feeder into an engine context, with as few side effects as its file allows."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from gradmap.errors import FeederError
from opendss_models.settings import EngineSettings


def compile_feeder(dss: Any, feeder: Path, *, trust: bool, dss_error: type[Exception]) -> None:
    """Compile a master file; the working folder stays what it was.

    Args:
        dss: Engine context.
        feeder: The master file.
        trust: Let it write where it wants; otherwise what it writes is thrown away.
        dss_error: What the context raises.

    Raises:
        FeederError: OpenDSS refuses the file, or it defines no circuit.
    """
    folder = Path.cwd()
    try:
        _run_master(dss, f'"{feeder.resolve()}"', trust=trust)
    except dss_error as exc:
        raise FeederError(f"Feeder {feeder}: OpenDSS does not compile it: {exc}") from exc
    finally:
        if Path.cwd() != folder:
            os.chdir(folder)
    if dss.Basic.NumCircuits() == 0:
        raise FeederError(
            f"Feeder {feeder}: the file defines no circuit. Give the master file, the one "
            f"with `New Circuit.<name>`."
        )


def _run_master(dss: Any, master: str, *, trust: bool) -> None:
    """Run the quoted master file."""
    dss.Text.Command("clear")
    if trust:
        dss.Text.Command(f"compile {master}")
        return
    # `compile` would make the feeder's folder the output folder, `redirect` leaves it.
    with tempfile.TemporaryDirectory(prefix="gradmap-") as folder:
        dss.Basic.DataPath(folder)
        dss.Text.Command(f"redirect {master}")


def apply_settings(dss: Any, settings: EngineSettings) -> None:
    """Give a compiled circuit the source voltage, tolerance and limits of the settings."""
    if settings.source_v_pu is not None:
        dss.Vsources.First()
        dss.Vsources.PU(settings.source_v_pu)
    dss.Solution.Convergence(settings.tolerance)
    dss.Solution.MaxIterations(settings.max_iterations)
    dss.Solution.MaxControlIterations(settings.max_control_iterations)


def solve_no_load(dss: Any, feeder: Path, *, dss_error: type[Exception]) -> None:
    """Solve where only the topology matters; whether it converged is checked by the caller."""
    try:
        dss.Solution.Solve()
    except dss_error as exc:
        raise FeederError(f"Feeder {feeder}: it does not solve without load: {exc}") from exc
