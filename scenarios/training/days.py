"""The days of a training: the first drawn at once and kept, others when a batch wants them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import torch

from gradmap.days import Days, join_days
from gradmap.training.day_pool import Draw
from scenarios.case import Case

DAYS_AT_ONCE: Final = 64
"""Drawing needs float64 for so many."""
KEPT_DAYS: Final = 1024
"""At most so many training days are kept in memory; 1,000 homes take 0.8 GB for them."""
TRAIN: Final = "train"


def n_kept(pool_days: int) -> int:
    """Return how many days of a pool of training days are kept in memory."""
    return min(pool_days, KEPT_DAYS)


def kept_days(
    case: Case,
    *,
    pool_days: int,
    dtype: torch.dtype,
    on_drawn: Callable[[int], None] | None = None,
) -> Days:
    """Return the days of a pool of training days that are kept in memory: its first ones.

    Args:
        case: Whose days.
        pool_days: How many the pool has.
        dtype: Of the series.
        on_drawn: As in `first_days`.
    """
    return first_days(case, split=TRAIN, n_days=n_kept(pool_days), dtype=dtype, on_drawn=on_drawn)


def drawing(case: Case) -> Draw:
    """Return what draws a case's training days."""
    return partial(case.days.sample, TRAIN, keep=False)


def first_days(
    case: Case,
    *,
    split: str,
    n_days: int,
    dtype: torch.dtype,
    on_drawn: Callable[[int], None] | None = None,
) -> Days:
    """Return the first days of a split.

    Args:
        case: Whose days.
        split: `train`, `validation` or `test`.
        n_days: How many.
        dtype: Of the series.
        on_drawn: Called with the number of days drawn, a part at a time.
    """
    parts = []
    for first in range(0, n_days, DAYS_AT_ONCE):
        numbers = range(first, min(first + DAYS_AT_ONCE, n_days))
        parts.append(case.days.sample(split, numbers).to(dtype=dtype))
        if on_drawn is not None:
            on_drawn(len(numbers))
    return join_days(parts)
