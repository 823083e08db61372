"""Random numbers by name: any day of any household can be drawn alone.

Every draw has the key (seed, purpose, year, date, index, slot). The key becomes a fixed number of
32-bit words of one `numpy.random.SeedSequence`, so keys never run into each other, and no two
splits, sampled years, days or households share a stream. Persistent traits use `ALWAYS` for year
and date.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

from scenarios.profiles.seeding import generators

Split = Literal["scenario", "train", "validation", "test", "fresh"]

ALWAYS = None
"""Year and date of draws that belong to a household for good."""

MAX_YEAR_NUMBER = 2**29 - 2

_SPLITS: dict[str | None, int] = {
    ALWAYS: 0,
    "scenario": 1,
    "train": 2,
    "validation": 3,
    "test": 4,
    "fresh": 5,
}
_SPLIT_BITS = 3
_WORD = 2**32 - 1


@dataclass(frozen=True, kw_only=True)
class SampledYear:
    """One of the many synthetic years of a split, apart from the year that a split itself names."""

    split: Split
    number: int
    """From 0."""

    def __post_init__(self) -> None:
        """Refuse numbers that a key cannot hold."""
        if not 0 <= self.number <= MAX_YEAR_NUMBER:
            raise ValueError(
                f"Sampled year of split {self.split!r}: number {self.number}, expected 0 to "
                f"{MAX_YEAR_NUMBER}. Number days from 0."
            )


Year = Split | SampledYear
"""Which random year: the one of a scenario or a whole split, or one of a split's sampled years."""


def generator(
    purpose: str,
    *,
    seed: int,
    split: Year | None = ALWAYS,
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
    words = [*_common_words(purpose, seed=seed, split=split, day=day), index, slot]
    return Generator(PCG64(SeedSequence(words)))


def household_uniforms(
    purpose: str,
    *,
    seed: int,
    n_draws: int,
    households: NDArray[np.int64],
    split: Year | None = ALWAYS,
    day: date | None = ALWAYS,
    slots: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Return uniforms in [0, 1), one independent block per household [household, draw]."""
    common = _common_words(purpose, seed=seed, split=split, day=day)
    keys = np.empty((len(households), len(common) + 2), dtype=np.uint32)
    keys[:, :-2] = common
    keys[:, -2] = households
    keys[:, -1] = 0 if slots is None else slots
    block = np.empty((len(households), n_draws))
    for row, source in zip(block, generators(keys), strict=True):
        source.random(out=row)
    return block


def daily_normals(
    purpose: str, *, seed: int, split: Year, days: list[date], slot: int = 0
) -> NDArray[np.float64]:
    """Return one standard normal number per day, each from the key of its day [day]."""
    keys = [[*_common_words(purpose, seed=seed, split=split, day=day), 0, slot] for day in days]
    sources = generators(np.array(keys, dtype=np.uint32))
    return np.array([source.standard_normal() for source in sources])


def _common_words(purpose: str, *, seed: int, split: Year | None, day: date | None) -> list[int]:
    """Return the words of a key that all households share."""
    name = int.from_bytes(purpose.encode("ascii").ljust(16, b" ")[:16], "big")
    return [
        seed & _WORD,
        seed >> 32,
        *((name >> shift) & _WORD for shift in (96, 64, 32, 0)),
        _year_word(split),
        0 if day is None else day.toordinal(),
    ]


def _year_word(year: Year | None) -> int:
    """Return the word of a year: split in the low bits, 1 + number of a sampled year above."""
    if isinstance(year, SampledYear):
        return _SPLITS[year.split] | (year.number + 1) << _SPLIT_BITS
    return _SPLITS[year]


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
