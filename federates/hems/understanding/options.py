"""What a number with or without a unit may be worth in a slot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from federates.hems.parameters.slots import Slot, SlotKind
from federates.hems.understanding.answer import Context
from federates.hems.understanding.units import (
    FACTORS,
    KM_PER_MILE,
    L_PER_GALLON,
    M2_PER_SQUARE_FOOT,
    MAINS_V,
    MAINS_V_ELSEWHERE,
)

_MINOR: Final = {"GBP": "minor", "EUR": "cent", "USD": "cent"}
_MAJOR: Final = {"GBP": "gbp", "EUR": "eur", "USD": "usd"}
_DEAREST_MAJOR: Final = 2.0
"""Dearer units are rather monthly bills or slips of the unit. [cur/kWh]"""
_CHEAPEST_MINOR: Final = 1.0
_K_PER_F: Final = 1 / 1.8
_SMALL_SYSTEM_W: Final = 800.0


@dataclass(frozen=True)
class Option:
    """One worth of a number."""

    value: float
    """In the unit of the stored value."""
    unit: str
    is_doubtful: bool = False
    """To be asked about before it is recorded."""


def with_unit(item: Slot, number: float, *, unit: str, context: Context) -> Iterator[Option]:
    """Yield what a number with a unit is worth; nothing where the unit is of another kind."""
    factor = FACTORS.get(item.kind, {}).get(unit)
    if factor is not None and item.name != "comfort_slack_k":
        # The power of one solar panel is not that of the system.
        one_panel = item.key == "pv.peak_kw" and unit == "w" and number < _SMALL_SYSTEM_W
        yield Option(number * factor, unit, is_doubtful=one_panel)
        return
    match item.kind:
        case SlotKind.POWER_KW if unit == "a":
            volts = MAINS_V.get(context.locale, MAINS_V_ELSEWHERE)
            yield Option(number * volts / 1000, unit)
        case SlotKind.POWER_KW if unit in {"kwh", "k"}:
            yield Option(number, "kw", is_doubtful=unit == "kwh")
        case SlotKind.ENERGY_KWH if unit in {"kw", "k"}:
            yield Option(number, "kwh", is_doubtful=unit == "kw")
        case SlotKind.TEMPERATURE_C:
            yield from _temperature(item, number, unit=unit, context=context)
        case SlotKind.NUMBER if item.name == "comfort_slack_k":
            yield from _difference(number, unit=unit, context=context)
        case SlotKind.PRICE_PER_KWH:
            yield from _price(number, unit=unit, context=context)
        case SlotKind.VOLUME_L if unit == "gal":
            kind = "american" if context.is_american else "imperial"
            yield Option(number * L_PER_GALLON[kind], unit)
        case SlotKind.LENGTH_KM if unit == "k":
            yield Option(number, "km", is_doubtful=True)


def without_unit(item: Slot, number: float, *, context: Context, written: str) -> Iterator[Option]:
    """Yield what a number without a unit may be worth, by the slot's question."""
    if item.kind in _PLAIN:
        yield from _plain(item.kind, number)
        return
    match item.kind:
        case SlotKind.PERCENT:
            if number == 0 or number >= 1:
                yield Option(number / 100, "%")
            if 0 < number <= 1 and (number < 1 or "." in written):
                yield Option(number, "")
        case SlotKind.TEMPERATURE_C:
            yield from _temperature(item, number, unit="", context=context)
        case SlotKind.NUMBER if item.name == "comfort_slack_k":
            yield from _difference(number, unit="", context=context)
        case SlotKind.PRICE_PER_KWH:
            yield from _bare_price(number, currency=context.currency)
        case SlotKind.LENGTH_KM | SlotKind.VOLUME_L:
            yield from _by_locale(item.kind, number, context=context)
        case _:
            yield Option(number, "")


_PLAIN: Final[Mapping[SlotKind, tuple[tuple[str, float, float], ...]]] = {
    SlotKind.POWER_KW: (("kw", 1.0, 0.0), ("w", 1e-3, 100.0)),
    SlotKind.ENERGY_KWH: (("kwh", 1.0, 0.0), ("wh", 1e-3, 1000.0)),
    SlotKind.DURATION_MIN: (("min", 1.0, 0.0), ("h", 60.0, 0.0)),
    SlotKind.AREA_M2: (("m2", 1.0, 0.0), ("ft2", M2_PER_SQUARE_FOOT, 0.0)),
}
"""Units a bare number may have: name, worth, and the least number that makes sense in it."""


def _plain(kind: SlotKind, number: float) -> Iterator[Option]:
    for unit, factor, least in _PLAIN[kind]:
        if number >= least:
            yield Option(number * factor, unit)


def _by_locale(kind: SlotKind, number: float, *, context: Context) -> Iterator[Option]:
    """Yield kilometres or miles, litres or gallons."""
    if kind is SlotKind.VOLUME_L:
        yield Option(number, "l")
        if context.is_american:
            yield Option(number * L_PER_GALLON["american"], "gal")
        return
    yield Option(number, "km")
    if context.locale in {"en-GB", "en-US"} and number:
        yield Option(number * KM_PER_MILE, "mi")


def _temperature(item: Slot, number: float, *, unit: str, context: Context) -> Iterator[Option]:
    """Degrees are Celsius, or Fahrenheit in the United States or where Celsius cannot be."""
    celsius, fahrenheit = Option(number, "degc"), (number - 32) * _K_PER_F
    if unit == "degc":
        yield celsius
    elif unit == "degf":
        yield Option(fahrenheit, "degf")
    elif unit in {"deg", ""}:
        if item.low is not None and item.high is not None and item.low <= number <= item.high:
            yield celsius
        else:
            yield Option(fahrenheit, "degf", is_doubtful=not context.is_american)


def _difference(number: float, *, unit: str, context: Context) -> Iterator[Option]:
    if unit in {"degc", "k"} or (unit in {"deg", ""} and not context.is_american):
        yield Option(number, "degc")
    elif unit == "degf":
        yield Option(number * _K_PER_F, "degf")
    elif unit in {"deg", ""}:
        yield Option(number * _K_PER_F, "degf", is_doubtful=True)
        yield Option(number, "degc", is_doubtful=True)


def _price(number: float, *, unit: str, context: Context) -> Iterator[Option]:
    """Money per kWh; amounts nobody pays for a unit are doubtful."""
    minor, major = _MINOR.get(context.currency), _MAJOR.get(context.currency)
    if unit in {"minor", "cent"}:
        odd = unit != minor or 0 < number < _CHEAPEST_MINOR
        yield Option(number / 100, unit, is_doubtful=odd)
        if 0 < number < _CHEAPEST_MINOR:
            yield Option(number, str(major), is_doubtful=True)
    elif unit in {"gbp", "eur", "usd"}:
        odd = unit != major or number > _DEAREST_MAJOR
        yield Option(number, unit, is_doubtful=odd)
        if number > _DEAREST_MAJOR:
            yield Option(number / 100, str(minor), is_doubtful=True)


def _bare_price(number: float, *, currency: str) -> Iterator[Option]:
    minor, major = _MINOR.get(currency), _MAJOR.get(currency)
    if minor is None:
        yield Option(number, currency)
        return
    if number <= _DEAREST_MAJOR:
        yield Option(number, str(major))
    if number > _CHEAPEST_MINOR:
        yield Option(number / 100, minor)
