"""The slots: the one list that agenda, extractor, householders, scoring and the model share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from federates.hems.parameters import slots_devices, slots_home, slots_use
from federates.hems.parameters.slot import (
    EXACT,
    NUMERIC_KINDS,
    TOLERANCES,
    Need,
    Slot,
    SlotKind,
    Span,
    Tolerance,
    Value,
    Values,
    Who,
)
from gradmap.errors import ScenarioError

__all__ = [
    "NUMERIC_KINDS",
    "SLOTS",
    "Need",
    "Slot",
    "SlotKind",
    "Span",
    "Tolerance",
    "Value",
    "Values",
    "Who",
    "applicable",
    "applicable_slots",
    "ruled_out",
    "slot",
    "slots_of",
]


def _numbered(slots: Iterable[Slot]) -> tuple[Slot, ...]:
    """Return slots with their place in the agenda and the tolerance of their kind."""
    return tuple(
        replace(
            item,
            order=order,
            tolerance=TOLERANCES[item.kind] if item.tolerance == EXACT else item.tolerance,
        )
        for order, item in enumerate(slots)
    )


SLOTS: Final[tuple[Slot, ...]] = _numbered(
    (
        *slots_home.HOUSEHOLD,
        *slots_home.HEATING,
        *slots_home.COMFORT,
        *slots_home.HOT_WATER,
        *slots_home.TARIFF,
        *slots_devices.BATTERY,
        *slots_devices.PV,
        *slots_devices.EVS,
        *slots_use.APPLIANCE_SLOTS,
        *slots_use.GENERATOR,
        *slots_use.FLEXIBILITY,
        *slots_use.DERIVED,
    )
)
"""Every slot in agenda order: the home, its devices one after the other, flexibility, derived."""

_BY_KEY: Final = MappingProxyType({item.key: item for item in SLOTS})


def slot(key: str) -> Slot:
    """Return the slot of a key.

    Raises:
        ScenarioError: No such slot; the message names similar ones.
    """
    found = _BY_KEY.get(key)
    if found is None:
        similar = get_close_matches(key[:100], _BY_KEY, n=3)
        hint = f"did you mean {' or '.join(similar)}?" if similar else "see docs/hems/parameters.md"
        raise ScenarioError(f"{key[:100]!r} is not a slot; {hint}")
    return found


def slots_of(who: Who) -> tuple[Slot, ...]:
    """Return the slots of one kind of asking, in agenda order."""
    return tuple(item for item in SLOTS if item.who is who)


def applicable(item: Slot, values: Values) -> bool:
    """Return whether a slot exists in a home, as far as is known.

    What is not known yet counts as its default: no devices, gas heating, a flat tariff, one car.

    Args:
        item: The slot.
        values: Known values in stored form.
    """
    return all(_holds(need, values) for need in item.needs)


def ruled_out(item: Slot, values: Values) -> bool:
    """Return whether known values say that a slot does not exist; unknown ones rule nothing out."""
    return any(need.key in values and not _holds(need, values) for need in item.needs)


def applicable_slots(values: Values) -> tuple[Slot, ...]:
    """Return the slots that exist in a home, in agenda order, derived ones included."""
    return tuple(item for item in SLOTS if applicable(item, values))


def _holds(need: Need, values: Values) -> bool:
    """Return whether a condition holds."""
    value = values.get(need.key, _BY_KEY[need.key].default)
    if isinstance(value, str | int | float):
        return value in need.any_of
    return value is not None and any(word in need.any_of for word in value)
