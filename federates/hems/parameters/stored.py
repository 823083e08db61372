"""Check one value against its slot and bring it into stored form; and span arithmetic."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from federates.hems.parameters.slot import Slot, SlotKind, Span, Value, Values, Who
from federates.hems.parameters.slots import slot
from gradmap.errors import ScenarioError

CLOCK_PATTERN: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
END_PATTERN: Final = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
MAX_SPANS: Final = 12
MINUTES_PER_DAY: Final = 1440
_SHOWN: Final = 60

_REMEDIES: Final[Mapping[SlotKind, str]] = {
    SlotKind.POWER_KW: "If it was in watts, divide by 1000; if it was in kWh, it is an energy.",
    SlotKind.ENERGY_KWH: "If it was in Wh, divide by 1000; if it was in kW, it is a power.",
    SlotKind.PERCENT: "Percent are stored as fractions: 80 percent is 0.8.",
    SlotKind.TEMPERATURE_C: "If it was in Fahrenheit, subtract 32 and divide by 1.8.",
    SlotKind.PRICE_PER_KWH: "If it was in pence or cents, divide by 100; it is per kWh, not a "
    "monthly bill.",
    SlotKind.LENGTH_KM: "If it was in miles, multiply by 1.609.",
    SlotKind.AREA_M2: "If it was in square feet, divide by 10.76.",
    SlotKind.DURATION_MIN: "If it was in hours, multiply by 60.",
    SlotKind.CLOCK: "Half past six in the evening is 18:30.",
    SlotKind.INTERVALS: "A span over midnight is fine, such as 22:00 to 06:00; a whole day is "
    "00:00 to 24:00.",
}


def expectation(item: Slot) -> str:
    """Return what a slot accepts, in words, for error messages and prompts."""
    low, high = f"{item.low or 0:g}", f"{item.high or 0:g}"
    match item.kind:
        case SlotKind.BOOLEAN:
            said = "true or false"
        case SlotKind.CHOICE:
            said = f"one of {', '.join(item.choices)}"
        case SlotKind.CHOICES:
            said = f"a list of some of {', '.join(item.choices)}, each once"
        case SlotKind.CLOCK:
            said = 'a time of day as "HH:MM"'
        case SlotKind.INTERVALS:
            said = f'{low} to {MAX_SPANS} spans {{"start": "HH:MM", "end": "HH:MM"}}, ends unequal'
        case SlotKind.TEXT:
            said = f"printable text of {low} to {high} characters without blanks around it"
        case SlotKind.INTEGER:
            said = f"a whole number from {low} to {high}"
        case _:
            what = "fraction" if item.kind is SlotKind.PERCENT else "number"
            unit = f" {item.unit}" if item.unit not in ("", "-", "fraction") else ""
            said = f"a {what} from {low} to {high}{unit}"
    return said


def checked(key: str, value: object) -> Value:
    """Return a value in stored form: floats, sets in the slot's order, tuples.

    Args:
        key: The slot.
        value: A candidate, for example from a language model.

    Raises:
        ScenarioError: It does not fit the slot; the message names key, value and expectation.
    """
    item = slot(key)
    stored = _stored(item, value)
    if stored is None:
        shown = repr(value)
        shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."
        remedy = _REMEDIES.get(item.kind, "Ask again or leave it out.")
        raise ScenarioError(f"`{key}` is {shown}, expected {expectation(item)}. {remedy}")
    return stored


def checked_all(values: Mapping[str, object]) -> dict[str, Value]:
    """Return values in stored form.

    Raises:
        ScenarioError: Some do not fit; one line each.
    """
    stored: dict[str, Value] = {}
    faults = []
    for key, value in values.items():
        try:
            stored[key] = checked(key, value)
        except ScenarioError as exc:
            faults.append(str(exc))
    if faults:
        raise ScenarioError("\n".join(faults))
    return stored


def _stored(item: Slot, value: object) -> Value | None:
    """Return the stored form, or None if the value does not fit."""
    match item.kind:
        case SlotKind.BOOLEAN:
            return value if isinstance(value, bool) else None
        case SlotKind.CHOICE | SlotKind.CLOCK | SlotKind.TEXT:
            return value if isinstance(value, str) and _fits(item, value) else None
        case SlotKind.CHOICES:
            return _words(item, value)
        case SlotKind.INTERVALS:
            return _spans(item, value)
        case _:
            return _number(item, value)


def _fits(item: Slot, said: str) -> bool:
    """Return whether a choice, a clock or a text fits."""
    if item.kind is SlotKind.CHOICE:
        return said in item.choices
    if item.kind is SlotKind.CLOCK:
        return re.fullmatch(CLOCK_PATTERN, said) is not None
    tidy = said == said.strip() and said.isprintable()
    return tidy and (item.low or 0) <= len(said) <= (item.high or 0)


def _number(item: Slot, value: object) -> Value | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if item.low is None or item.high is None or not item.low <= value <= item.high:
        return None
    if item.kind is SlotKind.INTEGER:
        return int(value) if value == math.floor(value) else None
    return float(value)


def _words(item: Slot, value: object) -> tuple[str, ...] | None:
    if isinstance(value, str) or not isinstance(value, Sequence | set | frozenset):
        return None
    words = list(value)
    fits = all(isinstance(word, str) and word in item.choices for word in words)
    if not fits or len(set(words)) != len(words):
        return None
    return tuple(word for word in item.choices if word in words)


def _spans(item: Slot, value: object) -> tuple[Span, ...] | None:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return None
    if not (item.low or 0) <= len(value) <= MAX_SPANS:
        return None
    spans = []
    for entry in value:
        if not isinstance(entry, Mapping) or set(entry) != {"start", "end"}:
            return None
        start, end = entry["start"], entry["end"]
        if not isinstance(start, str) or not isinstance(end, str) or start == end:
            return None
        if not re.fullmatch(CLOCK_PATTERN, start) or not re.fullmatch(END_PATTERN, end):
            return None
        spans.append(Span(start=start, end=end))
    return tuple(spans)


def clock_min(clock: str) -> int:
    """Return minutes since midnight of "HH:MM", 24:00 included. [min]"""
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


def window_min(start: str, end: str) -> int:
    """Return the time from one clock to the next such clock; equal ends are a whole day. [min]"""
    return (clock_min(end) - clock_min(start)) % MINUTES_PER_DAY or MINUTES_PER_DAY


def number(values: Values, key: str) -> float | None:
    """Return a known number, or the default where only experts are asked; None: not known."""
    item = slot(key)
    value = values.get(key, item.default if item.who is Who.EXPERT else None)
    return float(value) if isinstance(value, int | float) else None


def text(values: Values, key: str) -> str | None:
    """Return a known choice, clock or text, or None."""
    value = values.get(key)
    return value if isinstance(value, str) else None


def words(values: Values, key: str) -> tuple[str, ...]:
    """Return the words of a set, none where it is not known."""
    value = values.get(key, ())
    return tuple(str(word) for word in value) if isinstance(value, Sequence) else ()
