"""Counts, years, plain numbers, percentages and free text."""

from __future__ import annotations

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

INTEGER = frozenset({"integer"})
NUMBER = frozenset({"number"})
PERCENT = frozenset({"percent"})
TEXT = frozenset({"text"})
REFERENCE_YEAR = 2025
"""The year "sixty years old" counts from."""
_YEAR = ("household.built_year",)
_RUNS = ("appliances.*.runs_per_week",)
_WEEKLY = ("appliances.*.runs_per_week", "flexibility.max_events_per_week")

_ERAS = ((1780, "Georgian"), (1885, "Victorian"), (1905, "Edwardian"), (1930, "interwar"))
_ERAS_US = ((1905, "turn of the century"), (1950, "postwar"))
_FRACTIONS = {
    0.1: ["a tenth", "10 per cent or a tenth"],
    0.2: ["a fifth", "one fifth"],
    0.25: ["a quarter", "one quarter"],
    0.5: ["half", "halfway", "fifty-fifty"],
    0.75: ["three quarters", "3/4"],
    0.8: ["four fifths", "four-fifths"],
    0.9: ["nine tenths", "90 out of 100"],
    1.0: ["full", "completely full", "all the way to the top", "a full charge"],
}


def _digits(value: SlotValue, _: Setting) -> Said:
    return Said(str(value), value)


def _words(value: SlotValue, _: Setting) -> Said:
    return Said(whole_in_words(value), value)


def _count_slang(value: SlotValue, setting: Setting) -> Said | None:
    names = {0: ["none", "zero"], 1: ["just the one", "one"], 2: ["a couple", "a pair"]}
    return Said(setting.pick(names[value]), value) if value in names else None


def _times(value: SlotValue, setting: Setting) -> Said:
    names = {0: ["never", "not at all"], 1: ["once", "one time"], 2: ["twice", "two times"]}
    plain = [f"{value} times", f"{whole_in_words(value)} times", f"{value}x"]
    return Said(setting.pick(names.get(value, plain)), value)


def _weekly_routine(value: SlotValue, setting: Setting) -> Said | None:
    names = {
        1: ["once a week", "one a week", "Sundays only"],
        2: ["twice a week", "a couple of times a week"],
        5: ["every weekday", "Monday to Friday"],
        7: ["every day", "once a day", "daily", "every single night"],
        14: ["twice a day", "two a day"],
    }
    return Said(setting.pick(names[value]), value) if value in names else None


def _year(value: SlotValue, setting: Setting) -> Said:
    return Said(setting.pick([str(value), f"{value}", f"in {value}"]), value)


def _year_words(value: SlotValue, _: Setting) -> Said | None:
    if value >= 2000:
        rest = value - 2000
        text = "two thousand" + (f" and {whole_in_words(rest)}" if rest else "")
        return Said(text, value)
    century, rest = divmod(value, 100)
    if rest < 10:
        return None
    return Said(f"{whole_in_words(century)} {whole_in_words(rest)}", value)


def _decade(value: SlotValue, setting: Setting) -> Said | None:
    names = {192: "twenties", 193: "thirties", 194: "forties", 195: "fifties", 196: "sixties"}
    names |= {197: "seventies", 198: "eighties", 199: "nineties"}
    decade = value // 10
    if decade not in names:
        return None
    digits = [f"the {decade}0s", f"the '{decade % 10 * 10}s", f"the {decade % 10}0s"]
    return Said(setting.pick([f"the {names[decade]}", *digits]), decade * 10 + 5, vague=True)


def _era(value: SlotValue, setting: Setting) -> Said | None:
    eras = _ERAS_US if setting.locale == "en-US" else _ERAS
    year, name = min(eras, key=lambda era: abs(era[0] - value))
    return Said(name, year, vague=True)


def _age(value: SlotValue, setting: Setting) -> Said:
    years = max(5, round((REFERENCE_YEAR - value) / 5) * 5)
    words = whole_in_words(years) if years < 100 else str(years)
    form = setting.pick(["about {} years old", "{} years old or so", "getting on for {} years old"])
    return Said(form.format(words), REFERENCE_YEAR - years, vague=True)


def _number_digits(value: SlotValue, _: Setting) -> Said:
    return Said(number(value, digits=2), round(value, 2))


def _number_words(value: SlotValue, _: Setting) -> Said:
    return Said(in_words(round(value, 1)), round(value, 1))


def _number_comma(value: SlotValue, setting: Setting) -> Said | None:
    if value == int(value) or not setting.writes_commas:
        return None
    return Said(number(value, digits=2).replace(".", ","), round(value, 2))


def _angle(value: SlotValue, setting: Setting) -> Said:
    return Said(f"{number(value)}{setting.pick(['°', ' degrees', ' deg'])}", value)


def _angle_about(value: SlotValue, setting: Setting) -> Said:
    rounded = round(value / 5) * 5
    return Said(f"{setting.pick(['about ', 'roughly '])}{rounded} degrees", rounded, vague=True)


def _difference(value: SlotValue, setting: Setting) -> Said | None:
    rounded = round(value * 2) / 2
    names = {
        0.0: ["no change at all", "nothing, zero degrees"],
        0.5: ["half a degree", "0.5 of a degree"],
        1.0: ["a degree", "one degree", "1 °C", "a single degree"],
        1.5: ["a degree and a half", "one and a half degrees", "1.5 K"],
        2.0: ["two degrees", "a couple of degrees", "2C"],
    }
    plain = [f"{number(rounded)} degrees", f"{number(rounded)} K", f"{in_words(rounded)} degrees"]
    return Said(setting.pick(names.get(rounded, plain)), rounded)


def _difference_f(value: SlotValue, setting: Setting) -> Said | None:
    if setting.locale != "en-US":
        return None
    fahrenheit = round(value * 9 / 5)
    unit = setting.pick([" degrees Fahrenheit", "°F", "F"])
    return Said(f"{fahrenheit}{unit}", round(fahrenheit * 5 / 9, 2))


def _percent(value: SlotValue, setting: Setting) -> Said:
    text = number(value * 100, digits=1)
    return Said(text + setting.pick(["%", " %", " percent", " per cent"]), _fraction(text))


def _percent_words(value: SlotValue, setting: Setting) -> Said:
    text = number(value * 100, digits=1)
    unit = setting.pick(["percent", "per cent"])
    return Said(f"{in_words(float(text))} {unit}", _fraction(text))


def _percent_bare(value: SlotValue, setting: Setting) -> Said:
    text = number(value * 100, digits=1)
    return Said(text, _fraction(text), vague=value <= 0.01)


def _percent_about(value: SlotValue, setting: Setting) -> Said:
    percent = round(value * 20) * 5
    around = setting.pick(["about ", "around ", "roughly ", "say ", "nearly "])
    return Said(f"{around}{percent}{setting.pick(['%', ' percent'])}", percent / 100, vague=True)


def _percent_range(value: SlotValue, setting: Setting) -> Said | None:
    percent = round(value * 20) * 5
    if not 5 <= percent <= 95:
        return None
    forms = ["{}-{}%", "between {} and {} percent", "{} to {} per cent"]
    text = setting.pick(forms).format(percent - 5, percent + 5)
    return Said(text, percent / 100, vague=True)


def _percent_fraction(value: SlotValue, setting: Setting) -> Said | None:
    names = _FRACTIONS.get(round(value, 2))
    return Said(setting.pick(names), value) if names else None


def _fraction(text: str) -> float:
    return round(float(text) / 100, 4)


def _text(value: SlotValue, _: Setting) -> Said:
    return Said(str(value), value)


def _text_lower(value: SlotValue, _: Setting) -> Said:
    return Said(str(value).lower(), value)


def _halves(value: SlotValue, _: Setting) -> Said | None:
    text = with_half(round(value * 2) / 2)
    return None if text is None or text == "half" else Said(text, round(value * 2) / 2)


NUMBER_REALISERS = (
    Realiser("count", _digits, INTEGER),
    Realiser("count_words", _words, INTEGER),
    Realiser("count_slang", _count_slang, INTEGER),
    Realiser("times", _times, INTEGER, _WEEKLY),
    Realiser("weekly_routine", _weekly_routine, INTEGER, _RUNS),
    Realiser("year", _year, INTEGER, _YEAR),
    Realiser("year_words", _year_words, INTEGER, _YEAR),
    Realiser("decade", _decade, INTEGER, _YEAR),
    Realiser("era", _era, INTEGER, _YEAR),
    Realiser("age", _age, INTEGER, _YEAR),
    Realiser("number", _number_digits, NUMBER),
    Realiser("number_words", _number_words, NUMBER),
    Realiser("number_comma", _number_comma, NUMBER),
    Realiser("number_halves", _halves, NUMBER),
    Realiser("angle", _angle, NUMBER, ("pv.tilt_deg",)),
    Realiser("angle_about", _angle_about, NUMBER, ("pv.tilt_deg",)),
    Realiser("difference", _difference, NUMBER, ("flexibility.comfort_slack_k",)),
    Realiser("difference_f", _difference_f, NUMBER, ("flexibility.comfort_slack_k",)),
    Realiser("percent", _percent, PERCENT),
    Realiser("percent_words", _percent_words, PERCENT),
    Realiser("percent_bare", _percent_bare, PERCENT),
    Realiser("percent_about", _percent_about, PERCENT),
    Realiser("percent_range", _percent_range, PERCENT),
    Realiser("percent_fraction", _percent_fraction, PERCENT),
    Realiser("text", _text, TEXT),
    Realiser("text_lower", _text_lower, TEXT),
)
