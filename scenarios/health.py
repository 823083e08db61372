"""Run health: what went wrong inside a run that finished all the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from federates.series import iter_tables
from opendss_models.solve_status import SolveStatus

# The grid federate keeps the last voltages for these; the others leave a solution.
HELD = (SolveStatus.DIVERGED, SolveStatus.NON_FINITE, SolveStatus.IMPLAUSIBLE)


@dataclass(frozen=True, kw_only=True)
class Health:
    """Counts of steps, from the recorded status of the grid."""

    n_steps_recorded: int
    non_converged_steps: int
    """The power flow did not converge, or gave non-finite voltages."""
    implausible_steps: int
    """Converged to voltages that no feeder has."""
    control_limit_steps: int
    """Regulators were still hunting when the engine gave up."""
    not_settled_steps: int
    """Coupling `iterate` ran out of repeats."""
    held_steps: int
    """Steps that show the voltages of an earlier step."""
    missing_steps: int
    """Steps of the scenario that were never recorded."""
    missing_values: int
    """Recorded status values that are not finite."""

    @property
    def healthy(self) -> bool:
        """Every step was solved, settled and recorded."""
        return not (
            self.non_converged_steps
            or self.implausible_steps
            or self.control_limit_steps
            or self.not_settled_steps
            or self.missing_steps
            or self.missing_values
        )


def read_health(results_folder: Path, *, n_steps: int) -> Health:
    """Count the outcomes in a results folder; works on what was recorded so far."""
    codes: Counter[int] = Counter()
    recorded = missing = 0
    for table in iter_tables(results_folder / "status"):
        values = table.column("code").to_numpy()
        finite = values[np.isfinite(values)]
        recorded += len(values)
        missing += len(values) - len(finite)
        codes.update(int(code) for code in finite)
    return Health(
        n_steps_recorded=recorded,
        non_converged_steps=codes[SolveStatus.DIVERGED] + codes[SolveStatus.NON_FINITE],
        implausible_steps=codes[SolveStatus.IMPLAUSIBLE],
        control_limit_steps=codes[SolveStatus.CONTROL_LIMIT],
        not_settled_steps=codes[SolveStatus.NOT_SETTLED],
        held_steps=sum(codes[status] for status in HELD),
        missing_steps=n_steps - recorded,
        missing_values=missing,
    )
