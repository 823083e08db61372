"""Units that people say after a number, and what they are worth in the stored units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from federates.hems.parameters.slots import SlotKind

KM_PER_MILE: Final = 1.609344
M2_PER_SQUARE_FOOT: Final = 0.09290304
L_PER_GALLON: Final = {"imperial": 4.54609, "american": 3.785411784}
MAINS_V: Final = {"en-US": 240.0}
MAINS_V_ELSEWHERE: Final = 230.0

_SAID: Final[Mapping[str, str]] = MappingProxyType(
    {
        "kwh": r"k ?w ?/? ?h(?:r|rs|our|ours)?s?|kwhs|kilo ?watts? ?/? ?h(?:ou)?rs?",
        "kw": r"kwp?s?|k ws?|kilo ?watts?|kva|kwatts?",
        "wh": r"wh|watts? ?h(?:ou)?rs?",
        "w": r"w|wp|watts?",
        "mw": r"mw|mwh|megawatts?(?: hours?)?",
        "ah": r"ah|amp(?:ere)? ?h(?:ou)?rs?",
        "a": r"a(?! ?m\b)(?! (?:day|week|month|year|night|unit|kwh|kw|pop|time|person|bit|lot))|"
        r"amps?|"
        r"amperes?",
        "v": r"v|volts?",
        "btu": r"btus?|tons?|tonnes?|hp|horse ?power|therms?|m3|ppm",
        "minor": r"p|pence|pennies|penny|pee",
        "cent": r"c|ct|cts|cents?|¢",
        "gbp": r"£|gbp|pounds?|quid",
        "eur": r"€|euros?|eur",
        "usd": r"\$|usd|dollars?|bucks?",
        "%": r"%|per ?cent|pc|pct|percentage|percent",
        "degc": r"(?:° ?|deg(?:ree)?s? ?)?(?:c|celsius|centigrade|celcius)(?! ?o)",
        "degf": r"(?:° ?|deg(?:ree)?s? ?)?(?:f|fahrenheit|farenheit)",
        "deg": r"°|deg|degs|degrees?|kelvins?",
        "min": r"m|mins?|minutes?",
        "s": r"s|secs?|seconds?",
        "h": r"h|hrs?|hours?",
        "day": r"days?",
        "km": r"km|kms|kilometers?|kilometres?|klicks?",
        "mi": r"mi|miles?",
        "m": r"met(?:re|er)s?|ft|feet|foot|cm|mm|yards?",
        "l": r"l|ltrs?|litres?|liters?|lit",
        "gal": r"gals?|gallons?",
        "us_gal": r"(?:us|american|u s) (?:gals?|gallons?)",
        "uk_gal": r"(?:imperial|uk|british) (?:gals?|gallons?)",
        "m2": r"m2|sq ?m(?:et(?:re|er)s?)?|sqms?|square ?m(?:et(?:re|er)s?)?|squares met(?:re|"
        r"er)s?|met(?:re|er)s? squared?|m squared|m \^ 2|msq",
        "ft2": r"sq ?f(?:oo)?t|sq ?feet|square ?(?:foot|feet|ft)|sqft|ft2|ft 2|ft \^ 2|f(?:ee|"
        r"oo)?t squared",
        "k": r"k|grand",
    }
)
"""Names of units and how they read in plain form."""
_ORDER: Final = (
    "kwh", "kw", "wh", "mw", "btu", "ah", "min", "m2", "ft2", "degc", "degf", "deg", "minor",
    "cent", "gbp", "eur", "usd", "%", "s", "h", "day", "km", "mi", "us_gal", "uk_gal", "gal", "l",
    "m", "w", "a", "v", "k",
)  # fmt: skip
_NAMES: Final = {name: f"u{n}" for n, name in enumerate(_ORDER)}
_BY_GROUP: Final = {group: name for name, group in _NAMES.items()}
_UNIT: Final = re.compile(
    r" ?(?:"
    + "|".join(
        rf"(?P<{group}>(?:{_SAID[name]})(?![a-z0-9])(?! ?: ?\d))" for name, group in _NAMES.items()
    )
    + ")"
)
_PER_TIME: Final = re.compile(
    r" ?(?:(?:a|per|/|each|every|for the) (?:day|week|month|year|annum|night|quarter|fortnight)|"
    r"daily|weekly|monthly|yearly|annually|pa|pm|pcm|p\.a)\b"
)


@dataclass(frozen=True)
class Unit:
    """A unit found in a text."""

    name: str
    said: str
    end: int


def unit_at(plain: str, at: int) -> Unit | None:
    """Return the unit that a text in plain form has at a place, or None."""
    match = _UNIT.match(plain, at)
    if match is None or match.lastgroup is None:
        return None
    return Unit(_BY_GROUP[match.lastgroup], match.group().strip(), match.end())


def period_at(plain: str, at: int) -> str:
    """Return "week", "month", "year", ... if a text says there "a week" or the like, else ""."""
    match = _PER_TIME.match(plain, at)
    if match is None:
        return ""
    said = match.group()
    for name, sign in (("week", "week"), ("fortnight", "fortnight"), ("month", "month"),
                       ("quarter", "quarter"), ("year", "year"), ("year", "ann"), ("year", "pa"),
                       ("month", "pcm"), ("day", "da"), ("day", "night")):  # fmt: skip
        if sign in said:
            return name
    return ""


FACTORS: Final[Mapping[SlotKind, Mapping[str, float]]] = MappingProxyType(
    {
        SlotKind.POWER_KW: {"kw": 1.0, "w": 1e-3},
        SlotKind.ENERGY_KWH: {"kwh": 1.0, "wh": 1e-3},
        SlotKind.PERCENT: {"%": 0.01},
        SlotKind.DURATION_MIN: {"min": 1.0, "h": 60.0, "day": 1440.0},
        SlotKind.LENGTH_KM: {"km": 1.0, "mi": KM_PER_MILE},
        SlotKind.VOLUME_L: {
            "l": 1.0,
            "us_gal": L_PER_GALLON["american"],
            "uk_gal": L_PER_GALLON["imperial"],
        },
        SlotKind.AREA_M2: {"m2": 1.0, "ft2": M2_PER_SQUARE_FOOT},
        SlotKind.NUMBER: {"deg": 1.0},
    }
)
"""Worth of a unit in that of the stored value; others depend on locale or currency."""
