"""Draws from a generator, by the words the persona modules use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from federates.hems.users.realisers.clocks import clock_of, minutes_of

T = TypeVar("T")


@dataclass(frozen=True)
class Chance:
    """A seeded source of draws."""

    rng: np.random.Generator

    def happens(self, probability: float) -> bool:
        """Return true with this probability."""
        return bool(self.rng.random() < probability)

    def one_of(self, options: Sequence[T]) -> T:
        """Return one of the options, all alike."""
        return options[int(self.rng.integers(len(options)))]

    def weighted(self, options: Sequence[tuple[T, float]]) -> T:
        """Return one of the options by its share."""
        shares = np.array([share for _, share in options])
        return options[int(self.rng.choice(len(options), p=shares / shares.sum()))][0]

    def between(self, low: float, high: float, *, step: float) -> float:
        """Return a multiple of the step between two ends."""
        count = round((high - low) / step)
        return round(low + step * int(self.rng.integers(count + 1)), 6)

    def whole(self, low: int, high: int) -> int:
        """Return a whole number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def clock(self, low: str, high: str) -> str:
        """Return a time, mostly on the quarter hour, sometimes on five minutes."""
        step = 15 if self.happens(0.75) else 5
        return clock_of(int(self.between(minutes_of(low), minutes_of(high), step=step)))
