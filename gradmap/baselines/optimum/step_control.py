"""Which steps of the successive convex programs are taken, and how far they may go.

Costs and devices are exact in every program; only the network's rows are linear where the power
flow is not. So a step can go wrong in one way: rows that it keeps on paper are exceeded in fact, by
an amount that grows with the square of its length. Such an overshoot has to stay within a bound
that narrows with every step taken, a funnel; a step outside it is not taken and the proximal weight
grows until it is short enough. The weight falls only while there is something to gain: among
equally cheap trajectories a vanishing weight lets agents jump, and every jump overshoots.

References:
    Gould, Toint, "Nonlinear programming without a penalty function or a filter", Math. Program.
    122, 2010: the funnel. Drusvyatskiy, Lewis, "Error bounds, quadratic growth, and linear
    convergence of proximal methods", Math. Oper. Res. 43(3), 2018: linearised rows with a proximal
    term. Nocedal, Wright, "Numerical Optimization", Springer, 2006, Sec. 18.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gradmap.baselines.optimum.results import Iteration

SLACKENING = 0.3
"""Of the proximal weight, after a good step of a day that can still gain."""
STIFFENING = 5.0
"""Of the proximal weight, after a step that was not taken, or with nothing left to gain."""
STIFFEST = 1.0
"""Proximal weight that no step needs: where it does not help, nothing would. [1/kW]"""
WIDEST = 3.0
"""Funnel for the first step. [unit]"""
NARROWING = 0.3
"""Of the funnel, with every step taken."""
RESTORED = 0.3
"""Share of the violation before a step that may be left after it, whatever the funnel."""
INFEASIBLE, INFEASIBLE_CHANGE = 1e-3, 0.1
"""A day whose limits yield by more, and by an amount that no longer changes by more than this
share, counts as infeasible. [unit], [-]"""


@dataclass(kw_only=True)
class StepControl:
    """The proximal weight and the funnel of one search.

    A unit is 0.01 pu of voltage or 1 % of a rating.
    """

    proximal: float
    """See `Program`. [1/kW]"""
    tolerance: float
    """Violation at which a trajectory counts as inside. [unit]"""
    gap: float
    """Relative gap at which nothing is left to gain. [-]"""
    near: float
    """Violation below which a step was a good one. [unit]"""
    funnel: float = WIDEST

    def takes(self, step: Iteration, *, before: float) -> bool:
        """Judge a step, adapt, and return whether it is taken.

        Args:
            step: What it brought.
            before: Largest violation before it, of the rows that its program had. [unit]
        """
        if step.give > INFEASIBLE:  # nothing to be kept on paper, so no step is short enough
            return True
        # So written, a power flow without solution (NaN) is refused too.
        if not step.overshoot <= max(self.funnel, RESTORED * before):
            self._stiffen()
            return False
        self.funnel = max(self.tolerance, NARROWING * self.funnel)
        if step.gap > self.gap:
            self.proximal *= SLACKENING if step.violation < self.near else 1.0
        elif step.violation > self.tolerance:
            self._stiffen()
        return True

    def _stiffen(self) -> None:
        self.proximal = min(STIFFENING * self.proximal, max(STIFFEST, self.proximal))


def stays_outside(taken: Sequence[Iteration]) -> bool:
    """Return whether limits had to yield by the same amount in the last three steps taken."""
    last = taken[-3:]
    gives = [step.give for step in last]
    if len(gives) < 3 or max(gives) - min(gives) > INFEASIBLE_CHANGE * max(gives):
        return False
    return min(gives) > max(INFEASIBLE, last[-1].surprise)
