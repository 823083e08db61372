"""Temperatures, prices, durations, lengths, volumes and areas in the units people use."""

from __future__ import annotations

from typing import Final

from federates.hems.users.dialogue import SlotValue
from federates.hems.users.realisers.base import (
    Realiser,
    Said,
    Setting,
    in_words,
    number,
    whole_in_words,
    with_half,
)

TEMPERATURE = frozenset({"temperature_c"})
DURATION = frozenset({"duration_min"})
LENGTH = frozenset({"length_km"})
VOLUME = frozenset({"volume_l"})
AREA = frozenset({"area_m2"})
KM_PER_MILE = 1.609344
L_PER_US_GALLON = 3.785411784
L_PER_IMPERIAL_GALLON = 4.54609
M2_PER_SQ_FT = 0.09290304


def _celsius(value: SlotValue, setting: Setting) -> Said:
    units = ["°C", " °C", "C", " C", " deg C", " degrees C", " Celsius", " degrees centigrade"]
    return Said(number(value) + setting.pick(units), value)


def _degrees(value: SlotValue, setting: Setting) -> Said:
    return Said(number(value) + setting.pick([" degrees", "°", " deg", " degs"]), value)


def _celsius_words(value: SlotValue, setting: Setting) -> Said:
    half = with_half(value)
    text = half if half and setting.rng.integers(2) else in_words(value)
    return Said(text + setting.pick([" degrees", "", " Celsius"]), value)


def _temperature_bare(value: SlotValue, _: Setting) -> Said:
    return Said(number(value), value)


def _temperature_range(value: SlotValue, setting: Setting) -> Said:
    low = int(value // 1)
    form = setting.pick(["{} or {} degrees", "{} to {}", "somewhere between {} and {}", "{}-{} C"])
    return Said(form.format(low, low + 1), low + 0.5, vague=True)


def _temperature_about(value: SlotValue, setting: Setting) -> Said:
    rounded = round(value)
    return Said(f"{setting.pick(['about ', 'around ', 'roughly '])}{rounded}", rounded, vague=True)


def _fahrenheit(value: SlotValue, setting: Setting) -> Said:
    degrees = round(value * 9 / 5 + 32)
    text = str(degrees) + setting.pick(["°F", "F", " degrees Fahrenheit", " Fahrenheit", " deg F"])
    return Said(text, round((degrees - 32) * 5 / 9, 2))


def _fahrenheit_bare(value: SlotValue, setting: Setting) -> Said | None:
    if setting.locale != "en-US":
        return None
    degrees = round(value * 9 / 5 + 32)
    text = str(degrees) + setting.pick([" degrees", "", "°"])
    return Said(text, round((degrees - 32) * 5 / 9, 2), vague=True)


def _minutes(value: SlotValue, setting: Setting) -> Said:
    return Said(number(value) + setting.pick([" minutes", " min", " mins", "min"]), value)


def _minutes_words(value: SlotValue, _: Setting) -> Said:
    return Said(f"{whole_in_words(round(value))} minutes", round(value))


def _hours(value: SlotValue, setting: Setting) -> Said:
    hours = round(value / 60, 1)
    unit = setting.pick([" hours", " hrs", "h", " h"]) if hours != 1 else " hour"
    return Said(number(hours) + unit, round(hours * 60))


def _hours_words(value: SlotValue, setting: Setting) -> Said | None:
    named = {
        0: ["no notice at all", "none", "nothing, straight away is fine"],
        15: ["a quarter of an hour"],
        30: ["half an hour", "half hour"],
        45: ["three quarters of an hour"],
        60: ["an hour", "one hour"],
        75: ["an hour and a quarter"],
        90: ["an hour and a half", "one and a half hours"],
        120: ["a couple of hours", "two hours"],
        150: ["two and a half hours"],
        720: ["half a day", "twelve hours"],
        1440: ["a day", "a full day", "24 hours", "a day's notice"],
    }
    rounded = round(value / 15) * 15
    if rounded in named:
        return Said(setting.pick(named[rounded]), rounded)
    text = with_half(rounded / 60)
    return Said(f"{text} hours", rounded) if text else None


def _hours_minutes(value: SlotValue, setting: Setting) -> Said | None:
    hours, minutes = divmod(round(value), 60)
    if not hours or not minutes:
        return None
    forms = ["{h}h{m:02d}", "{h} h {m} min", "{h} hours {m} minutes", "{h}hr {m}"]
    return Said(setting.pick(forms).format(h=hours, m=minutes), round(value))


def _duration_bare(value: SlotValue, _: Setting) -> Said:
    return Said(number(value), value, vague=True)


def _duration_about(value: SlotValue, setting: Setting) -> Said:
    rounded = max(10, round(value / 10) * 10)
    return Said(f"{setting.pick(['about ', 'around '])}{rounded} minutes", rounded, vague=True)


def _km(value: SlotValue, setting: Setting) -> Said:
    return Said(number(value) + setting.pick([" km", "km", " kilometres", " kms", " k's"]), value)


_EXACT: Final = 0.04
"""Whole miles further off would not be the value any more; then half ones are said. [-]"""


def _miles(value: SlotValue, setting: Setting) -> Said:
    miles = float(round(value / KM_PER_MILE))
    if abs(miles * KM_PER_MILE / value - 1.0) > _EXACT:
        miles = round(2.0 * value / KM_PER_MILE) / 2.0
    unit = setting.pick([" miles", " mi", "mi"])
    return Said(number(miles, digits=1) + unit, round(miles * KM_PER_MILE, 2))


def _miles_words(value: SlotValue, _: Setting) -> Said:
    miles = round(value / KM_PER_MILE)
    return Said(f"{whole_in_words(miles)} miles", round(miles * KM_PER_MILE, 2))


def _miles_each_way(value: SlotValue, setting: Setting) -> Said:
    miles = max(1, round(value / KM_PER_MILE / 2))
    form = setting.pick(["{} miles each way", "{} miles there and {} back"])
    return Said(form.format(miles, miles), round(2 * miles * KM_PER_MILE, 2), vague=True)


def _km_about(value: SlotValue, setting: Setting) -> Said:
    rounded = round(value / 5) * 5 or round(value)
    return Said(f"{setting.pick(['about ', 'around ', 'maybe '])}{rounded} km", rounded, vague=True)


def _litres(value: SlotValue, setting: Setting) -> Said:
    unit = [" litres", " litre", "l", " L", " ltr", " liters"]
    return Said(number(value, digits=1) + setting.pick(unit), round(value, 1))


def _litres_words(value: SlotValue, _: Setting) -> Said:
    return Said(f"{whole_in_words(round(value))} litres", round(value))


def _gallons(value: SlotValue, setting: Setting) -> Said:
    american = setting.locale == "en-US"
    per_gallon = L_PER_US_GALLON if american else L_PER_IMPERIAL_GALLON
    gallons = round(value / per_gallon)
    text = f"{gallons} gallons" if american else f"{gallons} imperial gallons"
    return Said(text, round(gallons * per_gallon, 1), vague=not american)


def _bare(value: SlotValue, _: Setting) -> Said:
    return Said(number(value, digits=1), round(value, 1))


def _square_metres(value: SlotValue, setting: Setting) -> Said:
    units = [" m2", "m²", " square metres", " sq m", " metres squared", "sqm", " square meters"]
    return Said(number(value, digits=1) + setting.pick(units), round(value, 1))


def _square_metres_words(value: SlotValue, _: Setting) -> Said:
    return Said(f"{whole_in_words(round(value))} square metres", round(value))


def _square_feet(value: SlotValue, setting: Setting) -> Said:
    feet = round(value / M2_PER_SQ_FT / 10) * 10
    text = f"{feet:,}" if setting.rng.integers(2) else str(feet)
    units = [" sq ft", " square feet", " sqft", " sq. ft.", " ft2", " square foot"]
    return Said(text + setting.pick(units), round(feet * M2_PER_SQ_FT, 2))


def _area_about(value: SlotValue, setting: Setting) -> Said:
    rounded = round(value / 5) * 5
    text = f"{setting.pick(['about ', 'roughly ', 'maybe '])}{rounded} square metres"
    return Said(text, rounded, vague=True)


QUANTITY_REALISERS = (
    Realiser("celsius", _celsius, TEMPERATURE),
    Realiser("degrees", _degrees, TEMPERATURE),
    Realiser("celsius_words", _celsius_words, TEMPERATURE),
    Realiser("temperature_bare", _temperature_bare, TEMPERATURE),
    Realiser("temperature_range", _temperature_range, TEMPERATURE),
    Realiser("temperature_about", _temperature_about, TEMPERATURE),
    Realiser("fahrenheit", _fahrenheit, TEMPERATURE),
    Realiser("fahrenheit_bare", _fahrenheit_bare, TEMPERATURE),
    Realiser("minutes", _minutes, DURATION),
    Realiser("minutes_words", _minutes_words, DURATION),
    Realiser("hours", _hours, DURATION),
    Realiser("hours_words", _hours_words, DURATION),
    Realiser("hours_minutes", _hours_minutes, DURATION),
    Realiser("duration_bare", _duration_bare, DURATION),
    Realiser("duration_about", _duration_about, DURATION),
    Realiser("km", _km, LENGTH),
    Realiser("km_about", _km_about, LENGTH),
    Realiser("miles", _miles, LENGTH),
    Realiser("miles_words", _miles_words, LENGTH),
    Realiser("miles_each_way", _miles_each_way, LENGTH),
    Realiser("length_bare", _bare, LENGTH),
    Realiser("litres", _litres, VOLUME),
    Realiser("litres_words", _litres_words, VOLUME),
    Realiser("gallons", _gallons, VOLUME),
    Realiser("volume_bare", _bare, VOLUME),
    Realiser("square_metres", _square_metres, AREA),
    Realiser("square_metres_words", _square_metres_words, AREA),
    Realiser("square_feet", _square_feet, AREA),
    Realiser("area_about", _area_about, AREA),
    Realiser("area_bare", _bare, AREA),
)
