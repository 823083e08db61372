"""Random numbers by name: any day of any household can be drawn alone.

Every draw has the key (seed, purpose, split, date, index, slot). The key becomes a fixed number of
32-bit words of one `numpy.random.SeedSequence`, so keys never run into each other, and no two
splits, days or households share a stream. Persistent traits use `ALWAYS` for split and date.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

Split = Literal["scenario", "train", "validation", "test"]

ALWAYS = None
"""Split and date of draws that belong to a household for good."""

_SPLITS: dict[str | None, int] = {
    ALWAYS: 0,
    "scenario": 1,
    "train": 2,
    "validation": 3,
    "test": 4,
}
_WORD = 2**32 - 1


def generator(
    purpose: str,
    *,
    seed: int,
    split: Split | None = ALWAYS,
    day: date | None = ALWAYS,
    index: int = 0,
    slot: int = 0,
) -> Generator:
    """Return the generator of one key.

    Args:
        purpose: What is drawn, up to 16 ASCII characters, such as "weather".
        seed: The scenario's seed, in [0, 2^64).
        split: Which random days; `ALWAYS` for persistent traits.
        day: Local calendar day; `ALWAYS` for persistent traits.
        index: Household number (row of the households table).
        slot: Distinguishes draws of one household with the same purpose.
    """
    name = int.from_bytes(purpose.encode("ascii").ljust(16, b" ")[:16], "big")
    words = [
        seed & _WORD,
        seed >> 32,
        *((name >> shift) & _WORD for shift in (96, 64, 32, 0)),
        _SPLITS[split],
        0 if day is None else day.toordinal(),
        index,
        slot,
    ]
    return Generator(PCG64(SeedSequence(words)))


def household_uniforms(
    purpose: str,
    *,
    seed: int,
    n_draws: int,
    households: NDArray[np.int64],
    split: Split | None = ALWAYS,
    day: date | None = ALWAYS,
    slots: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Return uniforms in [0, 1), one independent block per household [household, draw]."""
    block = np.empty((len(households), n_draws))
    for row, index in enumerate(households):
        slot = 0 if slots is None else int(slots[row])
        source = generator(purpose, seed=seed, split=split, day=day, index=int(index), slot=slot)
        source.random(out=block[row])
    return block


class Draws:
    """Hands out columns of a block of uniforms in order, as the distributions a model asks for.

    The order of the calls is the meaning of the columns; the block's width is checked at the end.
    """

    def __init__(self, block: NDArray[np.float64]) -> None:
        self._block = block
        self._next = 0

    def uniform(
        self, low: float = 0.0, high: float = 1.0, *, columns: int = 1
    ) -> NDArray[np.float64]:
        """Return uniforms in [low, high) [household, column]."""
        taken = self._block[:, self._next : self._next + columns]
        if taken.shape[1] < columns:
            raise IndexError(
                f"Draws: {self._next + columns} uniforms asked for, the block has "
                f"{self._block.shape[1]} a household. Raise `n_draws` of the model."
            )
        self._next += columns
        return low + (high - low) * taken

    def normal(
        self, mean: float = 0.0, std: float = 1.0, *, columns: int = 1
    ) -> NDArray[np.float64]:
        """Return normal numbers by Box and Muller's transform [household, column]."""
        radius = np.sqrt(-2.0 * np.log1p(-self.uniform(columns=columns)))
        angle = 2.0 * np.pi * self.uniform(columns=columns)
        return mean + std * radius * np.cos(angle)

    def chance(
        self, probability: float | NDArray[np.float64], *, columns: int = 1
    ) -> NDArray[np.bool_]:
        """Return True with the given probability [household, column]."""
        return self.uniform(columns=columns) < probability
