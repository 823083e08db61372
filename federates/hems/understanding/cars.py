"""Makes and models of electric cars."""

from __future__ import annotations

import re
from typing import Final

from federates.hems.parameters.ev_models import ev_capacity_kwh
from federates.hems.parameters.slots import Slot
from federates.hems.understanding.answer import Answer, doubtful, stored
from federates.hems.understanding.hedges import is_hedged
from federates.hems.understanding.reading import Reading

_MAKES_TEXT: Final = """
    audi bmw byd chevrolet chevy citroen cupra dacia fiat ford genesis gmc honda hyundai
    jaguar jeep kia lexus lucid mazda mercedes merc mg mini mitsubishi nissan ora opel
    peugeot polestar porsche renault rivian seat skoda smart subaru tesla toyota vauxhall
    volkswagen volvo vw xpeng
"""
_MAKES: Final = frozenset(_MAKES_TEXT.split())
_MODELS_TEXT: Final = """
    leaf zoe ioniq kona niro soul ev model id golf tron etron taycan ix mini cooper electric
    corsa mokka zs born enyaq ipace pace bolt euv mustang mach lightning atto dolphin seal
    ariya recharge spring megane twingo twizy eqa eqb eqc eqs up citigo outlander phev prime
    plug hybrid i e q x s y t c d f ds r line long range performance plus max pro se sel gt
    gtx gte fr standard extended suv
"""
_MODELS: Final = frozenset(_MODELS_TEXT.split())
_ALONE_TEXT: Final = """
    leaf zoe ioniq kona niro enyaq corsa taycan ariya ipace bolt mokka etron polestar
"""
_ALONE: Final = frozenset(_ALONE_TEXT.split())
_ALONE_IF_ASKED: Final = frozenset(
    {"golf", "kuga", "outlander", "prius", "mokka", "megane", "born"}
)
_SENTENCE_STARTS_TEXT: Final = """
    but and or so it its i im ive we weve the a an as not no yes that this they there my our also
"""
_SENTENCE_STARTS: Final = frozenset(_SENTENCE_STARTS_TEXT.split())
_LINKS: Final = frozenset({".", "-"})
_LONGEST: Final = 8


def car_span(reading: Reading, *, is_asked: bool = False) -> tuple[int, int] | None:
    """Return the tokens that name a car, first and after last, or None.

    Args:
        reading: The reply.
        is_asked: Whether the car was asked about: only then a Golf is no game.
    """
    tokens = reading.tokens
    alone = _ALONE | _ALONE_IF_ASKED if is_asked else _ALONE
    for start, token in enumerate(tokens):
        if token.text not in _MAKES and token.text not in alone:
            continue
        if token.text in {"mini", "seat", "smart", "ford", "ora"} and start + 1 == len(tokens) > 2:
            continue
        end = start + 1
        while end < len(tokens) and end - start < _LONGEST and _continues(reading, end):
            end += 1
        while tokens[end - 1].text in _LINKS:
            end -= 1
        return start, end
    return None


def _continues(reading: Reading, at: int) -> bool:
    """Whether a token goes on naming the car."""
    tokens = reading.tokens
    text = tokens[at].text
    if text in _LINKS:
        touches = tokens[at].start == tokens[at - 1].end and at + 1 < len(tokens)
        return touches and tokens[at].end == tokens[at + 1].start
    if text.isdigit():
        following = tokens[at + 1].text if at + 1 < len(tokens) else ""
        is_unit = following in {
            "kwh",
            "kw",
            "kilowatt",
            "miles",
            "%",
            "amp",
            "of",
            "times",
            "years",
        }
        return len(text) <= 4 and not is_unit
    capital = reading.source[tokens[at].start].isupper() and text not in _SENTENCE_STARTS
    return text in _MODELS or capital


def car_model(reading: Reading, *, item: Slot) -> Answer | None:
    """Return the make and model as written, or None where the text names no car."""
    span = car_span(reading, is_asked=True)
    if span is None:
        return None
    first, last = reading.tokens[span[0]], reading.tokens[span[1] - 1]
    words = reading.source[first.start : last.end]
    value = stored(item, " ".join(words.split()))
    if value is None:
        return None
    if span[1] - span[0] == 1 and first.text in _MAKES:
        question = f"Which model of {words} is it?"
        return doubtful(item, (value,), words=words, question=question)
    return Answer(values=(value,), words=words, hedged=is_hedged(reading.text))


def capacity_of_model(reading: Reading, *, item: Slot) -> Answer | None:
    """Return the usual battery of a named car, to be asked about."""
    span = car_span(reading)
    if span is None:
        return None
    first, last = reading.tokens[span[0]], reading.tokens[span[1] - 1]
    words = reading.source[first.start : last.end]
    energy_kwh = ev_capacity_kwh(words)
    if energy_kwh is None:
        return doubtful(item, (), words=words, question=f"How many kWh does your {words} store?")
    question = f"A {words} usually has about {energy_kwh:g} kWh: is that right?"
    return doubtful(item, (energy_kwh,), words=words, question=question)


def names_a_car(plain: str) -> bool:
    """Return whether a text in plain form names a make or model of car."""
    words = set(re.findall(r"[a-z]+", plain))
    return bool(words & _ALONE or words & (_MAKES - {"mini", "seat", "smart"}))
