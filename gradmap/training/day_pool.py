"""The days that batches are drawn from: the first in memory, others drawn when a batch wants them.

A thousand agents that each see the weather have many ways to tell one day from another, and keep
limits better on days that they know; more days than memory holds are at their disposal here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gradmap.days import Days, join_days
from gradmap.errors import ScenarioError

Draw = Callable[[Sequence[int]], Days]
"""Returns the training days of these numbers, in their order."""


class Batch(Protocol):
    """Some days, of which a process may want a part only; `Days` are one."""

    @property
    def n_days(self) -> int:
        """Return the number of days."""

    @property
    def n_steps(self) -> int:
        """Return the steps of a day."""

    def take(self, index: slice) -> Days:
        """Return some of the days."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DayPool:
    """Training days 0 to `n_days` - 1."""

    kept: Days
    """The first, in memory; in the type and on the device that all are wanted in."""
    n_days: int
    draw: Draw | None = None
    """Where the others come from; None if all are in memory."""

    def batch(self, numbers: Tensor) -> Batch:
        """Return the days of these numbers; none is drawn before it is taken."""
        return _Chosen(pool=self, numbers=numbers)

    def days(self, numbers: Tensor) -> Days:
        """Return days, in the order of their numbers.

        Raises:
            ScenarioError: A series of a drawn day holds NaN or infinity.
        """
        in_memory = numbers < self.kept.n_days
        device = self.kept.hour.device
        found = self.kept.take(numbers[in_memory].to(device))
        if self.draw is None or bool(in_memory.all()):
            return found
        missing = numbers[~in_memory].tolist()
        drawn = self.draw(missing)
        refuse_not_finite(drawn, split="training", numbers=missing)
        joined = join_days([found, drawn.to(device=device, dtype=self.kept.hour.dtype)])
        place = torch.cat([in_memory.nonzero(), (~in_memory).nonzero()]).flatten()
        return joined.take(place.argsort().to(device))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Chosen:
    """Some days of a pool."""

    pool: DayPool
    numbers: Tensor

    @property
    def n_days(self) -> int:
        return len(self.numbers)

    @property
    def n_steps(self) -> int:
        return self.pool.kept.n_steps

    def take(self, index: slice) -> Days:
        return self.pool.days(self.numbers[index])


def refuse_not_finite(days: Days, *, split: str, numbers: Sequence[int] | None = None) -> None:
    """Refuse series with holes.

    Args:
        days: To check.
        split: What they are called.
        numbers: Of the days; their positions if None.

    Raises:
        ScenarioError: A series holds NaN or infinity.
    """
    found = days.first_not_finite()
    if found is not None:
        name, position = found
        day = position if numbers is None else numbers[position]
        raise ScenarioError(
            f"Training: `{name}` of {split} day {day} holds NaN or infinity, expected finite "
            f"numbers. Correct the series."
        )
