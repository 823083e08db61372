"""The interface of a realiser and the words shared by several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from federates.hems.users.dialogue import SlotValue

_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


@dataclass(frozen=True)
class Setting:
    """Where and by whom a value is said."""

    slot: str
    kind: str
    locale: str
    currency: str
    level: str
    truth: Mapping[str, SlotValue]
    """All values of the householder: "same as weekdays" needs the other one."""
    rng: np.random.Generator

    @property
    def writes_commas(self) -> bool:
        """Whether a decimal comma is heard where they live."""
        return self.currency == "EUR"

    def pick(self, options: list[str] | tuple[str, ...]) -> str:
        """Draw one of the options."""
        return options[int(self.rng.integers(len(options)))]


@dataclass(frozen=True)
class Said:
    """A realised value: the words and the value the words mean, in stored form."""

    text: str
    value: SlotValue
    vague: bool = False
    """The words leave room: a range, a round number, a bare hour, a slip of the unit."""


Say = Callable[[SlotValue, Setting], Said | None]
"""Says a value, or None where this way of saying cannot express it."""


@dataclass(frozen=True)
class Realiser:
    """A named way of saying values of some kinds, or of some slots only."""

    name: str
    say: Say
    kinds: frozenset[str]
    slots: tuple[str, ...] = ()
    """Slot patterns; empty means every slot of the kinds."""


def number(value: float, *, digits: int = 3) -> str:
    """Write a number without trailing zeros, such as 7.4 or 10."""
    text = f"{round(value, digits):.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def whole_in_words(value: int) -> str:
    """Write 0 to 999,999 in British words, such as "three hundred and five"."""
    if value < 20:
        return _UNITS[value]
    if value < 100:
        tens, rest = divmod(value, 10)
        return _TENS[tens] + (f"-{_UNITS[rest]}" if rest else "")
    if value < 1000:
        hundreds, rest = divmod(value, 100)
        return f"{_UNITS[hundreds]} hundred" + (f" and {whole_in_words(rest)}" if rest else "")
    thousands, rest = divmod(value, 1000)
    joint = " and " if 0 < rest < 100 else " "
    return f"{whole_in_words(thousands)} thousand" + (joint + whole_in_words(rest) if rest else "")


def in_words(value: float) -> str:
    """Write a number in words, such as "seven point four" or "minus one"."""
    if value < 0:
        return f"minus {in_words(-value)}"
    whole, _, decimals = number(value).partition(".")
    text = whole_in_words(int(whole))
    if not decimals:
        return text
    return f"{text} point {' '.join(_UNITS[int(digit)] for digit in decimals)}"


def with_half(value: float) -> str | None:
    """Write halves and quarters as people do ("two and a half"); None for other numbers."""
    whole, rest = divmod(value, 1)
    fraction = {0.0: "", 0.25: "a quarter", 0.5: "a half", 0.75: "three quarters"}.get(rest)
    if fraction is None or value <= 0:
        return None
    if not whole:
        return "half" if rest == 0.5 else fraction
    return whole_in_words(int(whole)) + (f" and {fraction}" if fraction else "")
