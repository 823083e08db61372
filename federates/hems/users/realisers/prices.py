"""Prices per kWh: pence and cents, pounds, euros and dollars, with point and with comma."""

from __future__ import annotations

from federates.hems.users.dialogue import SlotValue
from federates.hems.users.realisers.base import Realiser, Said, Setting, in_words, number

PRICE = frozenset({"price_per_kwh"})
_MINOR = {
    "GBP": (["p", "p", " pence", "p per kWh", "p a unit", "p/kWh"], "pence"),
    "EUR": (["c", " cent", " cents", "c per kWh", " cents a unit", "ct/kWh"], "cent"),
    "USD": (["¢", " cents", " cents a kWh", " cents per kilowatt hour", "¢/kWh"], "cents"),
}
_SYMBOL = {"GBP": "£", "EUR": "€", "USD": "$"}


def _minor(value: SlotValue) -> float:
    return round(float(value) * 100, 2)


def _minor_digits(value: SlotValue, setting: Setting) -> Said:
    minor = _minor(value)
    return Said(number(minor) + setting.pick(_MINOR[setting.currency][0]), _of_minor(minor))


def _minor_words(value: SlotValue, setting: Setting) -> Said:
    minor = _minor(value)
    return Said(f"{in_words(minor)} {_MINOR[setting.currency][1]}", _of_minor(minor))


def _minor_bare(value: SlotValue, setting: Setting) -> Said | None:
    minor = _minor(value)
    return Said(number(minor), _of_minor(minor), vague=True) if minor >= 2 else None


def _minor_about(value: SlotValue, setting: Setting) -> Said:
    minor = round(value * 100) or _minor(value)
    unit = _MINOR[setting.currency][1]
    around = setting.pick(["about ", "around ", "roughly ", "something like "])
    return Said(f"{around}{number(minor)} {unit}", _of_minor(minor), vague=True)


def _major(value: SlotValue, setting: Setting) -> Said:
    symbol = _SYMBOL[setting.currency]
    tail = setting.pick(["", "/kWh", " per kWh", " a kilowatt hour"])
    amount = _at_least_two_decimals(value)
    sign = "-" if value < 0 else ""
    return Said(f"{sign}{symbol}{amount}{tail}", value)


def _major_code(value: SlotValue, setting: Setting) -> Said:
    sign = "-" if value < 0 else ""
    tail = setting.pick(["", "/kWh"])
    return Said(f"{sign}{_at_least_two_decimals(value)} {setting.currency}{tail}", value)


def _major_bare(value: SlotValue, _: Setting) -> Said:
    return Said(("-" if value < 0 else "") + _at_least_two_decimals(value), value)


def _major_comma(value: SlotValue, setting: Setting) -> Said | None:
    if not setting.writes_commas:
        return None
    amount = _at_least_two_decimals(value).replace(".", ",")
    sign = "-" if value < 0 else ""
    form = setting.pick(["{} €/kWh", "{} euro", "{} €", "{} EUR", "€ {}", "{} euros per kWh"])
    return Said(sign + form.format(amount), value)


def _minor_comma(value: SlotValue, setting: Setting) -> Said | None:
    minor = _minor(value)
    if not setting.writes_commas or minor == int(minor):
        return None
    text = number(minor).replace(".", ",")
    return Said(text + setting.pick([" cent", " ct", "c", " cents"]), _of_minor(minor))


def _nothing(value: SlotValue, setting: Setting) -> Said | None:
    names = ["nothing", "zero", "we get nothing for it", "not a penny"]
    return Said(setting.pick(names), 0.0) if value == 0 else None


def _of_minor(minor: float) -> float:
    return round(minor / 100, 5)


def _at_least_two_decimals(value: float) -> str:
    text = number(abs(value), digits=4)
    decimals = len(text.partition(".")[2])
    return f"{abs(value):.2f}" if decimals < 2 else text


PRICE_REALISERS = (
    Realiser("price_minor", _minor_digits, PRICE),
    Realiser("price_minor_words", _minor_words, PRICE),
    Realiser("price_minor_bare", _minor_bare, PRICE),
    Realiser("price_minor_about", _minor_about, PRICE),
    Realiser("price_minor_comma", _minor_comma, PRICE),
    Realiser("price_major", _major, PRICE),
    Realiser("price_major_code", _major_code, PRICE),
    Realiser("price_major_bare", _major_bare, PRICE),
    Realiser("price_major_comma", _major_comma, PRICE),
    Realiser("price_nothing", _nothing, PRICE),
)
