"""One of a slot's choices, by its own words and their synonyms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from federates.hems.parameters.choices import AZIMUTHS
from federates.hems.parameters.slots import Slot
from federates.hems.understanding.answer import Answer, distinct, doubtful
from federates.hems.understanding.hedges import is_hedged
from federates.hems.understanding.reading import Reading
from federates.hems.understanding.vocabulary import CHOICE_WORDS, Words

_NEGATED: Final = re.compile(
    r"\b(?:not|isnt|arent|dont|doesnt|no|never|without|nor|neither|rather than|instead of|as "
    r"opposed to|didnt|havent|used to (?:be|have)|"
    r"no longer|got rid of|replaced(?: the| our| my)?|except|unlike|than)"
    r"(?: (?:a|an|the|any|our|my|really|have|got|on|with|want|care|about|bothered|mind|it|is|"
    r"be|been|by|so|much|fussed|worried|that|too|in|to|of))* $"
)
_BEARING: Final = re.compile(r"(?<![^ ])(?P<deg>\d{1,3}) ?(?:°|degrees?|deg)?(?![^ ])")
_BUT_FOR: Final = re.compile(r" (?:apart from|aside from|except|other than|besides)\b")
"""After "nothing": something."""
_MOSTLY: Final = re.compile(r"\b(?:mostly|mainly|most of|primarily|largely|main|predominantly)\b")
_TOPS: Final = re.compile(
    r"\b(?:over|above|before|more than|rather than|ahead of|followed by|then|but|next|secondly|"
    r"second|trumps|beats)\b"
)


@dataclass(frozen=True)
class _Said:
    choice: str
    start: int
    end: int
    is_negated: bool


def choice(reading: Reading, *, item: Slot) -> Answer | None:
    """Return the choice a text names for a slot, or None where it names none."""
    words = CHOICE_WORDS.get(item.key) or CHOICE_WORDS.get(item.name) or ()
    said = _said(reading.text, words, item=item)
    named = [found for found in said if not found.is_negated]
    if item.name == "azimuth" and not named:
        return _bearing(reading, item=item)
    if item.name == "priority" and len(named) > 1:
        named = _first_priority(named, plain=reading.text)
    if item.name == "kind":
        named = _sorted_out(named, key=item.key, plain=reading.text)
    if not named:
        return _by_exclusion(reading, said, item=item)
    values = distinct([found.choice for found in named])
    start, end = named[0].start, named[-1].end
    said_words = reading.words(start, end)
    if len(values) > 1:
        mostly = _mostly(named, plain=reading.text)
        if mostly is not None:
            return Answer(values=(mostly,), words=said_words, hedged=True)
        shown = " or ".join(str(value).replace("_", " ") for value in values)
        return doubtful(item, values, words=said_words, question=f"Which one is it: {shown}?")
    return Answer(values=values, words=said_words, hedged=is_hedged(reading.text))


def _said(plain: str, words: Words, *, item: Slot) -> list[_Said]:
    """Return the choices named, longer names before the shorter ones inside them."""
    found: list[_Said] = []
    for name, pattern in words:
        for match in pattern.finditer(plain):
            nothing = match.group().startswith("no")
            if not nothing or not _BUT_FOR.match(plain, match.end()):
                found.append(_one(plain, name, match))
    spans = {(said.start, said.end) for said in found}
    found = [
        said
        for said in found
        if not any(
            start <= said.start and said.end <= end and (start, end) != (said.start, said.end)
            for start, end in spans
        )
    ]
    return sorted(found, key=lambda said: said.start)


def _one(plain: str, name: str, match: re.Match[str]) -> _Said:
    before = plain[max(0, match.start() - 48) : match.start()]
    starts_negative = name == "none" or match.group().startswith(("not ", "no "))
    negated = not starts_negative and _NEGATED.search(before) is not None
    return _Said(name, match.start(), match.end(), negated)


def _sorted_out(named: list[_Said], *, key: str, plain: str) -> list[_Said]:
    """Drop words that say less than another: "electric" beside a heat pump, "flat" beside agile."""
    choices = {said.choice for said in named}
    weak = {"heating.kind": ("resistive", ("electric", "electricity", "electrics")),
            "hot_water.kind": ("gas", ("boiler", "boilers", "the boiler"))}.get(key)  # fmt: skip
    if weak is not None and len(choices) > 1:
        named = [
            said
            for said in named
            if said.choice != weak[0] or plain[said.start : said.end].strip() not in weak[1]
        ]
    if key == "heating.kind" and len({said.choice for said in named}) > 1:
        named = [said for said in named if said.choice != "none"]
    if (
        key == "hot_water.kind"
        and "gas" in choices
        and re.search(r"\b(?:oil|electric|wood|lpg|biomass) boilers?\b", plain)
    ):
        named = [said for said in named if said.choice != "gas"]
    return named


def _by_exclusion(reading: Reading, said: list[_Said], *, item: Slot) -> Answer | None:
    """Return nothing, or for a tariff "not the same all day" a question."""
    if item.key == "tariff.kind" and any(found.choice == "flat" for found in said):
        return doubtful(
            item,
            ("time_of_use", "dynamic"),
            words=reading.words(),
            question="Does the price follow fixed hours of the day, or change from hour to hour?",
        )
    return None


def _bearing(reading: Reading, *, item: Slot) -> Answer | None:
    """Return the direction of a compass bearing such as 225 degrees."""
    found = list(_BEARING.finditer(reading.text))
    if len(found) != 1 or not 0 <= int(found[0]["deg"]) <= 360:
        return None
    if re.search(r"\b(?:tilt|steep|slope|pitch|panels|kw|watts?|years?)\b", reading.text):
        return None
    degrees = int(found[0]["deg"])
    if degrees < 45 and degrees:
        return doubtful(
            item,
            (),
            words=reading.words(),
            question="Which way do the panels face: south, south-west, ...?",
        )
    direction = AZIMUTHS[round(degrees / 45) % 8]
    exact = degrees % 45 == 0
    return Answer(values=(direction,), words=reading.words(*found[0].span()), hedged=not exact)


def _first_priority(named: list[_Said], *, plain: str) -> list[_Said]:
    """Return what comes first: "cost first, then comfort", "comfort over cost"."""
    first = named[0]
    rest = [said for said in named if said.choice != first.choice]
    if not rest:
        return named
    gap = plain[first.end : rest[0].start]
    if _TOPS.search(gap) or re.search(
        r"\b(?:first|most|mainly|mostly|top|number 1|primarily)\b", plain[: rest[0].start]
    ):
        return [first]
    return named


def _mostly(named: list[_Said], *, plain: str) -> str | None:
    """Return the choice right after or before "mostly"."""
    matches = list(_MOSTLY.finditer(plain))
    if len(matches) != 1:
        return None
    after = [said for said in named if said.start >= matches[0].end()]
    if after and after[0].start - matches[0].end() <= 12:
        return after[0].choice
    return None
