"""Plan of one home: what its devices do, what that costs and breaks, and how it was found."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from federates.hems.optimiser.evaluate import Evaluation

OPTIMISED = "optimised"
FALLBACK = "fallback: "


@dataclass(frozen=True, kw_only=True, eq=False)
class Schedule:
    """Powers and states are in `result`, and are what simulating the powers gives."""

    result: Evaluation
    """Powers, states, costs and broken wishes."""
    source: str
    """`optimised`, or `fallback: ` and why rules made the plan."""
    status: str
    """Of the solver: `optimal`, `time limit`, or its own words."""
    gap: float
    """(objective - bound) / |objective| of the solver; NaN for a fallback. [-]"""
    seconds: float
    """For building, solving and evaluating. [s]"""

    @property
    def objective(self) -> float:
        """Return what the plan costs, broken wishes included [cur]."""
        return self.result.objective

    @property
    def optimised(self) -> bool:
        """Return whether the solver made the plan."""
        return self.source == OPTIMISED

    @property
    def slack_by_device(self) -> dict[str, float]:
        """Return the cost of broken wishes by device; `import` and `export` are limits [cur]."""
        found: dict[str, float] = defaultdict(float)
        for broken in self.result.broken:
            found[broken.device] += broken.cost
        return dict(found)
