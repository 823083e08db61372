"""From what OpenDSS says after a solve to what it is worth: converged is not yet right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opendss_models.settings import EngineSettings
from opendss_models.solve_status import SolveOutcome, SolveStatus

_ERROR_CONTROL_LIMIT = 485


@dataclass(frozen=True, kw_only=True)
class SolverFacts:
    """What the engine reports of a solve."""

    converged: bool
    controls_done: bool
    n_iterations: int
    n_control_iterations: int
    error_number: int
    """Number of the error it raised, 0 if none."""
    error: str


def read_facts(solution: Any, *, error_number: int, error: str) -> SolverFacts:
    """Return what an engine context's `Solution` reports of its last solve.

    Args:
        solution: `Solution` of the context.
        error_number: Number of the error that solving raised, 0 if none.
        error: Its text.
    """
    return SolverFacts(
        converged=solution.Converged(),
        controls_done=solution.ControlActionsDone(),
        n_iterations=solution.Iterations(),
        n_control_iterations=solution.ControlIterations(),
        error_number=error_number,
        error=error,
    )


def judge(
    v_pu: NDArray[np.complex128],
    *,
    energised: NDArray[np.bool_],
    node_ids: Sequence[str],
    settings: EngineSettings,
    facts: SolverFacts,
) -> SolveOutcome:
    """Turn what the engine left behind into a typed outcome; only energised nodes count."""
    vm_pu = np.abs(v_pu[energised])
    low, high = settings.v_plausible_pu
    limit_hit = facts.error_number == _ERROR_CONTROL_LIMIT
    status, message = SolveStatus.OK, ""
    if not np.isfinite(vm_pu).all():
        status, message = SolveStatus.NON_FINITE, "A voltage is not a finite number."
    elif not facts.converged or (facts.error and not limit_hit):
        status = SolveStatus.DIVERGED
        message = facts.error or (
            f"No convergence to {settings.tolerance:g} pu in {facts.n_iterations} "
            f"iterations. The feeder may be loaded beyond what it can carry."
        )
    elif limit_hit or not facts.controls_done:
        status = SolveStatus.CONTROL_LIMIT
        message = (
            f"Regulators or capacitors still moved after {facts.n_control_iterations} "
            f"control iterations."
        )
    elif vm_pu.size and not (low <= vm_pu.min() and vm_pu.max() <= high):
        far = int(np.argmax(np.maximum(low - vm_pu, vm_pu - high)))
        status = SolveStatus.IMPLAUSIBLE
        message = (
            f"Node {np.array(node_ids)[energised][far]} is at {vm_pu[far]:.3f} pu, "
            f"outside [{low}, {high}]."
        )
    return SolveOutcome(
        status=status,
        message=message,
        n_iterations=facts.n_iterations,
        n_control_iterations=facts.n_control_iterations,
    )
