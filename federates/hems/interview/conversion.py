"""From a number and its unit to the stored value; nothing else in an interview converts units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from federates.hems.parameters.slot import NUMERIC_KINDS, Slot, SlotKind
from federates.hems.understanding.answer import Context
from federates.hems.understanding.options import with_unit
from federates.hems.understanding.reading import read
from federates.hems.understanding.units import period_at, unit_at
from gradmap.errors import ScenarioError

_PER_DAY: Final[Mapping[str, float]] = {
    "": 1.0,
    "day": 1.0,
    "week": 1 / 7,
    "fortnight": 1 / 14,
    "month": 12 / 365,
    "quarter": 4 / 365,
    "year": 1 / 365,
}
_COUNTED: Final = (SlotKind.INTEGER, SlotKind.NUMBER)
"""Kinds for which the unit is only what was counted: people, showers, degrees."""
_LARGEST: Final = 1e12


def converted(item: Slot, value: object, *, unit: str, context: Context) -> object:
    """Return a value in the unit of its slot; what is no number is returned as it is.

    Args:
        item: The slot.
        value: As the householder gave it.
        unit: The householder's unit, such as "miles a year"; empty for the slot's own.
        context: Locale and currency: which gallon, which pence.

    Raises:
        ScenarioError: The unit does not belong to the slot, or is one that people mix up with it.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _LARGEST:
        return value
    if item.kind not in NUMERIC_KINDS or (item.kind in _COUNTED and unit_of(unit) != "degf"):
        return value
    if unit.strip().casefold() in ("", item.unit.casefold()):
        percent = item.kind is SlotKind.PERCENT and value > 1
        return _rounded(value / 100) if percent else value
    options = list(with_unit(item, float(value), unit=unit_of(unit), context=context))
    if len(options) != 1:
        raise ScenarioError(
            f"`{item.key}` does not take the unit {unit[:40]!r}; give its own"
            f"{f' ({item.unit})' if item.unit else ''} or another unit of that kind"
        )
    if options[0].is_doubtful:
        raise ScenarioError(
            f"{value:g} {unit[:40]} is easily a slip for `{item.key}` in {item.unit}; ask whether "
            f"that is what they mean"
        )
    share = _PER_DAY.get(period_of(unit), 1.0) if item.kind is SlotKind.LENGTH_KM else 1.0
    return _rounded(options[0].value * share)


def unit_of(unit: str) -> str:
    """Return the name of a unit, or "" for none that is known."""
    found = unit_at(read(unit).text, 0)
    return found.name if found is not None else ""


def period_of(unit: str) -> str:
    """Return "week", "year", ... of "miles a week", or ""."""
    plain = read(unit).text.replace(" / ", " per ")
    found = unit_at(plain, 0)
    return period_at(plain, found.end) if found is not None else ""


def _rounded(value: float) -> float:
    """Return a number without the noise of a conversion."""
    return float(f"{value:.6g}")
