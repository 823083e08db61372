"""Confidence intervals of shares, by drawing householders with replacement.

Slots of a dialogue, and dialogues of a householder, are no independent draws; householders are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

N_DRAWS: Final = 2000
TAILS: Final = (0.025, 0.975)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A share or a mean with its 95 % interval; None where there was nothing to judge."""

    value: float | None
    low: float | None
    high: float | None
    count: float
    """Of what was judged: slots, dialogues, questions."""


class Bootstrap:
    """Draws of householders, the same for every estimate, so that estimates compare."""

    def __init__(self, n_householders: int, *, seed: int, n_draws: int = N_DRAWS) -> None:
        """Draw.

        Args:
            n_householders: How many there are.
            seed: Root of the draws.
            n_draws: How often to draw.
        """
        rng = np.random.default_rng(np.random.SeedSequence([seed, n_householders]))
        even = np.full(max(n_householders, 1), 1.0 / max(n_householders, 1))
        self._weights = rng.multinomial(n_householders, even, size=n_draws).astype(np.float64)

    def ratio(self, numerator: FloatArray, denominator: FloatArray) -> Estimate:
        """Return sum over sum.

        Args:
            numerator: Of each householder.
            denominator: Of each householder, not negative.
        """
        total = float(denominator.sum())
        if total <= 0.0:
            return Estimate(value=None, low=None, high=None, count=0.0)
        below = self._weights[:, : len(denominator)] @ denominator
        above = self._weights[:, : len(numerator)] @ numerator
        drawn = above[below > 0.0] / below[below > 0.0]
        low, high = np.quantile(drawn, TAILS)
        return Estimate(
            value=float(numerator.sum()) / total, low=float(low), high=float(high), count=total
        )
