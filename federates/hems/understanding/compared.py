"""Values said by comparison: "same as the washing machine", "two degrees less than in the day"."""

from __future__ import annotations

import re
from typing import Final

from federates.hems.parameters.slots import Slot, Value, slot
from federates.hems.understanding.answer import Answer, Context, doubtful, stored
from federates.hems.understanding.reading import Reading
from federates.hems.understanding.subjects import named_sections

_NIGHT, _DAY = "comfort.temp_night_c", "comfort.temp_day_c"
_SAME: Final = re.compile(
    r"\b(?:same(?! day\b)(?! time\b)|identical|ditto|no different|no difference)\b"
)
_NOT_SAME: Final = re.compile(
    r"\b(?:not|isnt|arent|never|nothing|nowhere) (?:\w+ )?(?:same|identical|like)\b|"
    r"\b(?:except|but|apart from)\b|(?<!no )\bdifferent\b"
)
_OF_THE_DAY: Final = re.compile(r"\b(?:days?|day ?time|all the time|round the clock|24 / 7)\b")
_OTHER_CAR: Final = re.compile(
    r"\b(?:the|my|his|her|our) (?:first|1st|other|1|one)\b|\bboth\b|\bcar (?:1|one)\b"
)
_OTHER_NUMBER: Final = re.compile(r"(?<![^ ])(?!1(?![^ ]))\d(?! / 7)")
_JUST_THE_SAME: Final = re.compile(
    r"\W*(?:(?:the|its|it|is|stays|just|about|exactly|pretty|much|really|no|i|think|same|ditto|"
    r"different|difference|please|then|thanks|too|there|,|\.|!)(?: |$))*"
)
"""Nothing else is said, so that the day is meant."""
_APART: Final = re.compile(
    r"(?<![^ ])(?P<n>[0-9]+(?:\.[0-9]+)?|an?)(?P<half> and a half)? ?"
    r"(?P<unit>° ?[cf]?|degrees?(?: (?:c|f|celsius|fahrenheit))?|deg|c|f|k|kelvin)?(?: or so)? "
    r"(?P<way>less|lower|cooler|colder|down|below|under|off|more|warmer|higher|hotter|up|above)\b"
)
_WARMER: Final = frozenset({"more", "warmer", "higher", "hotter", "up", "above"})
_MOST_APART: Final = 9.0
"""Larger differences are rather temperatures."""
_K_PER_F: Final = 1 / 1.8


def compared(reading: Reading, *, item: Slot, context: Context) -> Answer | None:
    """Return the value of a slot that a text gives by that of another, or None if it does not.

    The other value has to be known; what follows from it is read back.
    """
    if item.key == _NIGHT:
        apart = _degrees_apart(reading, item=item, context=context)
        if apart is not None:
            return apart
    plain = reading.text
    if not _SAME.search(plain) or _NOT_SAME.search(plain) or _OTHER_NUMBER.search(plain):
        return None
    other = _like(item, plain)
    value = context.known.get(other) if other is not None else None
    kept = None if value is None else stored(item, value)
    if kept is None:
        return None
    return Answer(values=(kept,), words=reading.words(), hedged=True)


def _like(item: Slot, plain: str) -> str | None:
    """Return the slot that a text compares a slot with."""
    if item.key == _NIGHT:
        alone = _JUST_THE_SAME.fullmatch(plain) is not None
        return _DAY if alone or _OF_THE_DAY.search(plain) else None
    if item.section == "evs.2":
        return f"evs.1.{item.name}" if _OTHER_CAR.search(plain) else None
    if item.section.startswith("appliances."):
        others = [
            section
            for section in named_sections(plain)
            if section.startswith("appliances.") and section != item.section
        ]
        return f"{others[0]}.{item.name}" if len(others) == 1 else None
    return None


def _degrees_apart(reading: Reading, *, item: Slot, context: Context) -> Answer | None:
    """Return the temperature at night from "two degrees less", where that of the day is known."""
    plain = reading.text
    match = _APART.search(plain)
    if match is None or len(re.findall(r"(?<![^ ])\d", plain)) > int(match["n"][0].isdigit()):
        return None
    number = float(match["n"]) if match["n"][0].isdigit() else 1.0
    number += 0.5 if match["half"] else 0.0
    unit = match["unit"] or ""
    if number > _MOST_APART or (match["n"][0] == "a" and not unit):
        return None
    fahrenheit = "f" in unit or (context.is_american and not re.search(r"[ck]", unit))
    apart_k = number * (_K_PER_F if fahrenheit else 1.0)
    day: Value | None = context.known.get(_DAY)
    words = reading.words(*match.span())
    is_range = re.search(r"(?: or| to| -) $", plain[: match.start()]) is not None
    if is_range or not isinstance(day, int | float):
        question = f'"{words}": what temperature is that at night?'
        return doubtful(slot(_NIGHT), (), words=words, question=question)
    night = stored(item, round(day + (apart_k if match["way"] in _WARMER else -apart_k), 2))
    if night is None:
        return None
    return Answer(values=(night,), words=reading.words(), hedged=True)
