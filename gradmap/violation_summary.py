"""Voltage violations of many days in a few numbers, and how sure those are.

Works on voltages alone, so that ours and those of a replay are judged alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch
from scipy import stats
from torch import Tensor

from gradmap.violations import Limits

CONFIDENCE: Final = 0.95


@dataclass(frozen=True, kw_only=True)
class Period:
    """Steps of a day by wall clock, from `start_h` to before `end_h`."""

    start_h: float
    end_h: float

    def contains(self, hour: Tensor) -> Tensor:
        """Return which steps are inside."""
        return (hour >= self.start_h) & (hour < self.end_h)


PERIODS: Final[Mapping[str, Period]] = {
    "day": Period(start_h=0.0, end_h=24.0),
    "midday": Period(start_h=10.0, end_h=16.0),
    "evening": Period(start_h=16.0, end_h=22.0),
}


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many of some days, with the largest rate that this is evidence against."""

    n_days: int
    n_violating: int
    confidence: float = CONFIDENCE

    @property
    def share(self) -> float:
        """Return the observed share of days."""
        return self.n_violating / self.n_days

    @property
    def upper_bound(self) -> float:
        """Return the one-sided Clopper-Pearson bound of the true share.

        Were the true share larger, so few violating days would be seen with a probability of less
        than 1 - confidence.
        """
        k, n = self.n_violating, self.n_days
        return 1.0 if k == n else float(stats.beta.ppf(self.confidence, k + 1, n - k))


def outside_pu(vm_pu: Tensor, *, limits: Limits) -> tuple[Tensor, Tensor]:
    """Return how far voltages are below and above the limits, >= 0 [pu]."""
    return torch.relu(limits.v_min_pu - vm_pu), torch.relu(vm_pu - limits.v_max_pu)


def violating_days(
    vm_pu: Tensor,
    *,
    hour: Tensor,
    limits: Limits,
    threshold_pu: float,
    period: Period,
    solved: Tensor | None = None,
) -> Tensor:
    """Return which days have a node-step in a period outside by more than a threshold, [day].

    Args:
        vm_pu: Voltages of limited nodes, [day, time, node]; ours or a replay's. [pu]
        hour: Wall clock, [day, time]. [h]
        limits: What counts.
        threshold_pu: How far outside. [pu]
        period: When.
        solved: Which samples have a solution, [day, time]; one without counts as violating.
    """
    low, high = outside_pu(vm_pu, limits=limits)
    outside = (torch.maximum(low, high) > threshold_pu).any(dim=-1)
    if solved is not None:
        outside |= ~solved
    return (outside & period.contains(hour)).any(dim=-1)
