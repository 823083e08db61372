"""Menus: a few values to choose from where words did not help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from federates.hems.parameters.slot import Slot, SlotKind, Value
from federates.hems.parameters.slots_home import WHOLE_DAY
from federates.hems.parameters.stored import MINUTES_PER_DAY, checked, clock_min
from gradmap.errors import ScenarioError

_MAX_COUNT: Final = 7
_MOST_COUNTED: Final = 24
_FACTORS: Final = (0.5, 0.75, 1.0, 1.5, 2.0)


def options_of(item: Slot, *, default: Value | None) -> tuple[Value, ...]:
    """Return values to choose from; none where a menu makes no sense, such as a car's model.

    Args:
        item: The slot.
        default: What will be taken if nothing is chosen.
    """
    values: tuple[object, ...] = ()
    match item.kind:
        case SlotKind.BOOLEAN:
            values = (True, False)
        case SlotKind.CHOICE:
            values = item.choices
        case SlotKind.INTEGER if (item.high or 0) <= _MOST_COUNTED:
            values = tuple(range(1, min(_MAX_COUNT, int(item.high or 0)) + 1))
        case SlotKind.CHOICES | SlotKind.TEXT:
            pass
        case _ if default is None:
            pass
        case SlotKind.INTERVALS:
            values = (default, WHOLE_DAY)
        case SlotKind.CLOCK:
            values = _clocks(str(default))
        case _:
            values = _numbers(item, default)
    return _fitting(item, values)


def _clocks(default: str) -> tuple[str, ...]:
    around = [(clock_min(default) + shift) % MINUTES_PER_DAY for shift in range(-180, 181, 60)]
    return tuple(f"{minute // 60:02d}:{minute % 60:02d}" for minute in around)


def _numbers(item: Slot, default: Value) -> tuple[float, ...]:
    """Return numbers around the default, temperatures by steps of a degree."""
    middle = float(cast(float, default))
    if item.kind is SlotKind.TEMPERATURE_C:
        return tuple(middle + shift for shift in (-2, -1, 0, 1, 2))
    if middle == 0:
        return ()
    return tuple(float(f"{middle * factor:.2g}") for factor in _FACTORS)


def _fitting(item: Slot, values: Sequence[object]) -> tuple[Value, ...]:
    """Return the values that the slot accepts, each once."""
    kept: list[Value] = []
    for value in values:
        try:
            stored = checked(item.key, value)
        except ScenarioError:
            continue
        if stored not in kept:
            kept.append(stored)
    return tuple(kept)
