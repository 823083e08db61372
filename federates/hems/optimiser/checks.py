"""Refusals at the edge: one clear error that names object, value, expectation and remedy."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradmap.errors import ScenarioError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def check_range(
    owner: str,
    field: str,
    value: float,
    *,
    low: float = 0.0,
    high: float = np.inf,
    open_low: bool = False,
) -> None:
    """Raise a ScenarioError unless `value` is a number in [low, high], or (low, high].

    Args:
        owner: Object as the user knows it, such as "Battery 'battery'".
        field: Name of its field.
        value: What was given.
        low: Lowest allowed value.
        high: Highest allowed value; infinity allows any finite number.
        open_low: Whether `low` itself is refused.
    """
    above = value > low if open_low else value >= low
    if np.isnan(value) or not above or value > high:
        bracket = "(" if open_low else "["
        raise ScenarioError(
            f"{owner}: `{field}` is {value:g}, expected a number in {bracket}{low:g}, {high:g}]. "
            f"Correct the value or its unit."
        )


def check_order(owner: str, *fields: tuple[str, float]) -> None:
    """Raise a ScenarioError unless the values of the named fields never fall."""
    for (name, value), (next_name, next_value) in pairwise(fields):
        if value > next_value:
            raise ScenarioError(
                f"{owner}: `{name}` is {value:g} and `{next_name}` is {next_value:g}, expected "
                f"`{name}` <= `{next_name}`. Correct one of them."
            )


def check_step(owner: str, field: str, value: int, *, low: int, high: int) -> None:
    """Raise a ScenarioError unless `value` is a step number in [low, high]."""
    if not low <= value <= high:
        raise ScenarioError(
            f"{owner}: `{field}` is step {value}, expected one from {low} to {high}. Count steps "
            f"from the start of the plan, beginning with 0."
        )


def as_series(owner: str, field: str, value: ArrayLike, *, n_steps: int | None = None) -> Any:
    """Return a read-only float array [step]; a single number is repeated where a length is known.

    Raises:
        ScenarioError: It is not one finite number for each step.
    """
    array = np.array(value, dtype=np.float64)
    if array.ndim == 0 and n_steps is not None:
        array = np.full(n_steps, float(array))
    wrong_length = n_steps is not None and array.shape != (n_steps,)
    if array.ndim != 1 or not array.size or wrong_length:
        raise ScenarioError(
            f"{owner}: `{field}` has shape {array.shape}, expected "
            f"{'one value' if n_steps is None else f'{n_steps} values, one'} a step."
        )
    wrong = np.flatnonzero(~np.isfinite(array))
    if wrong.size:
        raise ScenarioError(
            f"{owner}: `{field}` is {array[wrong[0]]} at step {wrong[0]}, expected a finite "
            f"number. Fill gaps before planning."
        )
    array.flags.writeable = False
    return array


def as_mask(owner: str, field: str, value: ArrayLike) -> Any:
    """Return a read-only boolean array [step]."""
    array = np.array(value)
    if array.ndim != 1 or not array.size or not np.isin(array, (0, 1)).all():
        raise ScenarioError(f"{owner}: `{field}` is not one yes or no for each step. Give a mask.")
    array = array.astype(np.bool_)
    array.flags.writeable = False
    return array
