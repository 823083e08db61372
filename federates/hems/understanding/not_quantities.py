"""Numbers that are no quantity of this home: margins, discounts, clocks, counts, "one" of many."""

from __future__ import annotations

import re
from typing import Final

from federates.hems.parameters.slots import Slot, SlotKind
from federates.hems.understanding.clocks import in_clock_phrase
from federates.hems.understanding.reading import Reading
from federates.hems.understanding.units import unit_at

AFTER: Final = re.compile(
    r" ?(?:am|pm|oclock|a m|p m|bed(?:room)?s?|people|persons?|adults?|kids?|children|of us|"
    r"panels?|"
    r"phases?|pins?|years?|yrs?|times|cars?|evs?|showers?|baths?|weeks?|months?|nights?|floors?|"
    r"stor(?:e)?ys?|stories|radiators|loads?|th|st|nd|rd|:|/ \d|x \d|units? |standing|foot|"
    r"inch|modules?|cells?|strings?|teenagers?|bathrooms?|rooms?|dogs?|cats?|batteries|s\b)\b"
)
"""What makes a number count something else, or a time of day."""
_JUST_ONE: Final = re.compile(
    r"(?:(?:about|around|just|only|roughly|maybe|probably|say|its|it is|oh|um|uh|er|well|i think|"
    r"like|the|so|,|-|\.|:) )*1(?: (?:or so|ish|i think|probably|please|thanks|,|\.|!|\?))*"
)
_PARTITIVE: Final = re.compile(r"\b(?:of|out of) (?:the|these|those|all|all the) $")
"""Before a number that counts what there was to choose from: "the middle of the three"."""
_OF_ANOTHER_SHARE: Final = re.compile(
    r" ?(?:%|per ?cent|pc) (?:off|discount|cheaper|dearer|more|less|extra|vat|interest|sure|"
    r"certain)\b"
)
_MARGIN: Final = re.compile(r" (?:either (?:way|side)|ago|away|walk|drive)\b")
_MARGIN_OF_A_RUN: Final = re.compile(
    r" (?:late|later|early|earlier|before|past|to (?:\d|noon|mid))"
)
_MARGIN_BEFORE: Final = re.compile(r"\b(?:give or take|within|plus or minus)(?: (?:a|about))? $")
_RANGE: Final = re.compile(
    r" (?:\w+ ){0,3}?(?:range\b|(?:on|per|from|to|out of) "
    r"(?:a |1 |the |each |every |full |single )*(?:charge|battery|tank|full)\b|"
    r"(?:when|if|once) (?:its |it is )?(?:full|charged))"
)
_RANGE_BEFORE: Final = re.compile(r"\brange (?:\w+ ){0,3}$")
_STORED: Final = re.compile(
    r" ?(?:kws?|k ?w|kilo ?watts?) (?:(?:of|worth of) (?:storage|capacity)|storage|"
    r"(?:per|an|/) hour)\b"
)
"""Energy in the unit of a power: never the power."""
_FRACTION: Final = re.compile(r"(?<![^ ])[0-9][0-9.,]* (?:/|\*) $")
_THINGS: Final = re.compile(r" (?P<noun>[a-z]{3,}s)(?![^ ])")
"""A plural after a bare number: it counts those."""
_NO_THINGS_TEXT: Final = """
    is was thats its perhaps always sometimes yes plus thanks cheers unless less tops besides
    mornings evenings afternoons nights weekdays weekends days theres whereas hours minutes as
    degrees celsius mondays tuesdays wednesdays thursdays fridays saturdays sundays usually across
    this us has does goes costs covers feels suits works seems sounds gets keeps looks pounds
"""
_NO_THINGS: Final = frozenset(_NO_THINGS_TEXT.split())


def is_pronoun(reading: Reading, start: int, end: int) -> bool:
    """Return whether a number is a mere "one" in a longer text: "I would need one for that"."""
    said = reading.words(start, end).casefold()
    return said == "one" and _JUST_ONE.fullmatch(reading.text) is None


def is_beside_the_point(  # noqa: PLR0911 - one kind of number after the other
    plain: str, start: int, end: int, *, item: Slot
) -> bool:
    """Return whether a number is part of a clock, a fraction, a discount, a margin or a choice.

    Args:
        plain: Text in plain form.
        start: Where the number begins.
        end: Where it ends.
        item: The slot.
    """
    before = plain[max(0, start - 24) : start]
    if _PARTITIVE.search(before) or _OF_ANOTHER_SHARE.match(plain, end):
        return True
    if item.kind is not SlotKind.PERCENT and (
        _FRACTION.search(before) or re.match(r" (?:/|\*) \d", plain[end : end + 4])
    ):
        return True
    if item.kind is SlotKind.POWER_KW and _STORED.match(plain, end):
        return True
    if item.kind is SlotKind.LENGTH_KM and _is_range(plain, end, before=before):
        return True
    if item.kind is SlotKind.DURATION_MIN:
        unit = unit_at(plain, end)
        stop = end if unit is None else unit.end
        late = item.name == "duration_min" and _MARGIN_OF_A_RUN.match(plain, stop)
        if late or _MARGIN.match(plain, stop) or _MARGIN_BEFORE.search(before):
            return True
    if in_clock_phrase(plain, start):
        return True
    noun = _THINGS.match(plain, end)
    return (
        noun is not None
        and unit_at(plain, end) is None
        and not noun["noun"].endswith("ss")
        and noun["noun"] not in _NO_THINGS
        and not AFTER.match(plain, end)
    )


def _is_range(plain: str, end: int, *, before: str) -> bool:
    """Whether a distance is how far a charge goes: "240 miles on a charge"."""
    unit = unit_at(plain, end)
    stop = end if unit is None else unit.end
    return _RANGE.match(plain, stop) is not None or _RANGE_BEFORE.search(before) is not None
