"""Whether a quote supports a value: the check on every record a language model makes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from federates.hems.parameters.slots import NUMERIC_KINDS, Slot, SlotKind, Value, Values
from federates.hems.parameters.stored import clock_min
from federates.hems.understanding.answer import Answer, Context, stored
from federates.hems.understanding.asides import own_words, without_quoted_orders
from federates.hems.understanding.fragments import corrected_parts, fragments
from federates.hems.understanding.phrases import is_command_or_code
from federates.hems.understanding.readers import read_slot
from federates.hems.understanding.reading import MAX_CHARACTERS, Reading, read
from federates.hems.understanding.units import unit_at

_QUOTES: Final = str.maketrans("\u2018\u2019\u201c\u201d\u2013\u2014\u2212\u00a0", "''\"\"--- ")
_HALF_DAY: Final = re.compile(
    r"(?: o'?clock)? ?(?:[ap]\.? ?m\b\.?|in the (?:morning|afternoon|evening)|at night)"
)
_MOST_OCCURRENCES: Final = 20
_DAY_QUARTERS: Final = range(0, 1440, 15)


def grounded(
    value: Value,
    slot: Slot,
    words: str,
    text: str,
    *,
    locale: str = "en-GB",
    currency: str = "GBP",
    known: Values | None = None,
    year: int | None = None,
) -> bool:
    """Return whether a quote occurs in a reply and means a value, within the slot's tolerance.

    The quote may differ in case, blanks and the shape of quotation marks, and must begin and end
    with whole words. The value may be one of several readings ("half six" means 06:30 and 18:30).
    A value out of the slot's bounds, an empty quote, code and commands are never grounded, nor is
    what is asked back, quoted as an order, or said of somebody else's home or of the past.

    Args:
        value: The value to check, in stored form.
        slot: Its slot.
        words: The quote.
        text: The reply it is said to come from; as for `understand`, only its beginning counts.
        locale: BCP 47.
        currency: ISO 4217.
        known: What is known of the home, for "same as weekdays".
        year: The current year, for ages.
    """
    kept = stored(slot, value)
    if kept is None or not 0 < len(words) <= MAX_CHARACTERS:
        return False
    context = Context(locale=locale, currency=currency, known=known or {}, year=year)
    unquoted = without_quoted_orders(text[:MAX_CHARACTERS])
    if is_command_or_code(unquoted, plain=read(unquoted).text):
        return False
    words, text = own_words(words), own_words(unquoted)
    return any(
        _means(slot, candidate, value=kept)
        for quote in dict.fromkeys(_occurrences(words, text))
        for answer in _answers(read(quote), item=slot, context=context)
        for candidate in answer.values
    )


def _occurrences(words: str, text: str) -> Iterator[str]:
    """Yield a quote wherever it is in a text as whole words, with the unit that follows it.

    "7" of "7 W" is read as "7 W": leaving out a unit or a half of the day makes no other value.
    """
    quote, said = _plain(words), _neat(text)
    whole = _lower(said)
    if not re.search(r"\w", read(quote).text):
        return
    found = 0
    at = whole.find(quote)
    while at >= 0 and found < _MOST_OCCURRENCES:
        end = at + len(quote)
        inside = _joins(whole[at - 1 : at], quote[0]) or _joins(quote[-1], whole[end : end + 1])
        if not inside and not _cuts_a_number(whole, at, end):
            # As it was written: capitals tell where the name of a car ends.
            yield said[at : _end_with_unit(whole, end)]
            found += 1
        at = whole.find(quote, at + 1)


def _end_with_unit(whole: str, end: int) -> int:
    """Return where a quote that ends in a number ends with its unit or half of the day."""
    if not whole[:end][-1:].isdigit():
        return end
    match = _HALF_DAY.match(whole, end)
    if match is not None:
        return match.end()
    unit = unit_at(whole, end)
    return end if unit is None else unit.end


def _plain(text: str) -> str:
    """Return a text in lower case with single blanks and straight quotation marks."""
    return _lower(_neat(text))


def _neat(text: str) -> str:
    """Return a text with single blanks and straight quotation marks."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_QUOTES).split())


def _lower(text: str) -> str:
    """Return a text in lower case, every character where it was."""
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def _joins(left: str, right: str) -> bool:
    """Whether two neighbouring characters belong to one word or one number."""
    both = left + right
    return (left.isalpha() and right.isalpha()) or (
        both.isascii() and both.isdigit() and len(both) == 2
    )


def _cuts_a_number(whole: str, at: int, end: int) -> bool:
    """Whether a quote ends inside a number: "4 kW" of "7.4 kW", "7" of "7.4"."""
    before = re.search(r"\d[.,:]$", whole[max(0, at - 2) : at]) and whole[at].isdigit()
    after = re.match(r"[.,:]\d", whole[end : end + 2]) and whole[end - 1].isdigit()
    return bool(before or after)


def _answers(reading: Reading, *, item: Slot, context: Context) -> Iterator[Answer]:
    """Yield what the quote, its last correction and its fragments say about the slot."""
    parts = corrected_parts(reading)
    pieces = [parts[-1]] if len(parts) > 1 else [reading, *fragments(reading)]
    for piece in pieces:
        answer = read_slot(piece, item=item, context=context)
        if answer is not None:
            yield answer
            if answer.is_sure:
                return


def _means(item: Slot, candidate: Value, *, value: Value) -> bool:
    """Whether two stored values are the same within the slot's tolerance."""
    tolerance = item.tolerance
    if item.kind in NUMERIC_KINDS:
        apart = abs(float(candidate) - float(value))  # type: ignore[arg-type]
        allowed = max(tolerance.absolute, tolerance.relative * abs(float(value)))  # type: ignore[arg-type]
        return apart <= allowed + 1e-9
    if item.kind is SlotKind.CLOCK:
        apart = abs(clock_min(str(candidate)) - clock_min(str(value))) % 1440
        return min(apart, 1440 - apart) <= tolerance.absolute
    if item.kind is SlotKind.INTERVALS:
        alike = sum(_covers(candidate, at) == _covers(value, at) for at in _DAY_QUARTERS)
        return alike >= tolerance.agreement * len(_DAY_QUARTERS)
    if item.kind is SlotKind.TEXT:
        return _plain(str(candidate)) == _plain(str(value))
    return candidate == value


def _covers(spans: Value, at_min: int) -> bool:
    """Whether a minute of the day is inside one of the spans."""
    for span in spans:  # type: ignore[union-attr]
        start, end = clock_min(span["start"]), clock_min(span["end"])  # type: ignore[index]
        if (at_min - start) % 1440 < ((end - start) % 1440 or 1440):
            return True
    return False
