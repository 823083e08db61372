"""Sums of like things: "12 panels of 400 W", "10 x 410 W and 6 x 410 W", "three 5 kWh modules"."""

from __future__ import annotations

import re
from typing import Final

from federates.hems.parameters.slots import Slot
from federates.hems.understanding.answer import Answer, doubtful, stored
from federates.hems.understanding.hedges import is_hedged
from federates.hems.understanding.numerals import single_number
from federates.hems.understanding.reading import Reading

_N: Final = r"(?P<{}>[0-9]+(?:[.,][0-9]+)?)"
_W: Final = r" ?(?P<{}>kwp?|wp?|watts?|kilowatts?)(?: peak| p)?"
_PANELS: Final = (
    re.compile(
        rf"(?<![^ ]){_N.format('count')} (?:\w+ ){{0,3}}?(?:panels?|modules?|pv panels?)"
        rf" ?,? ?(?:\w+ |@ |at |of |x |, ){{0,4}}?{_N.format('each')}{_W.format('unit')}\b"
    ),
    re.compile(
        rf"(?<![^ ]){_N.format('count')} (?:x |of |times |lots of |off )?(?:the |these |those )?"
        rf"{_N.format('each')}{_W.format('unit')} (?:\w+ ){{0,2}}?(?:panels?|modules?|ones|each)\b"
    ),
    re.compile(
        rf"(?<![^ ]){_N.format('count')} ?(?:x|times|by|\*) "
        rf"{_N.format('each')}{_W.format('unit')}\b"
    ),
    re.compile(
        rf"(?<![^ ]){_N.format('count')} (?:\w+ ){{0,2}}?(?:panels?|modules?)"
        rf" ?,? ?(?:\w+ |@ |at |of |x |, ){{0,4}}?{_N.format('each')}(?: each|"
        rf" apiece)?(?P<unit>)(?![^ ])"
    ),
    re.compile(
        rf"(?<![^ ]){_N.format('count')} (?:(?:x|times|by|\*|of|@|at|off) )"
        r"(?P<each>[2-7][0-9][0-9])(?: s)?(?P<unit>)(?![^ ])"
    ),
    re.compile(rf"(?<![^ ]){_N.format('count')} (?P<each>[2-7][0-9][0-9]) s(?P<unit>)(?![^ ])"),
)
"""How many panels of how many watts; the last two need no word for them: "twelve 400s"."""
_WITHOUT_A_WORD: Final = (_PANELS[2], *_PANELS[4:])
_ANY_PANEL: Final = re.compile(r"\b(?:panels?|modules?)\b")
_A_SIZE: Final = re.compile(r"(?<![^ ])[2-7][0-9][0-9](?![^ ])")
"""The watts of more panels."""
_LEAST_PANEL_KW, _MOST_PANEL_KW = 0.05, 1.0

_COUNT: Final = r"(?<![^ ])(?P<count>[1-9]|1[0-9]|20)"
_KWH: Final = r"(?P<each>[0-9]+(?:[.,][0-9]+)?) ?(?:k ?w ?h(?:r|rs)?|kilo ?watt ?hours?)"
_STORES: Final = r"(?:batter(?:y|ies)|modules?|packs?|units?|stacks?|power ?walls?|pylontechs?)"
_BATTERIES: Final = (
    re.compile(rf"{_COUNT} (?:(?:x|times|by|\*|of|lots of|off|@) )(?:the )?{_KWH}(?!\w)"),
    re.compile(rf"{_COUNT} {_KWH} (?:\w+ ){{0,2}}?(?:{_STORES}|ones|each|apiece)\b"),
    re.compile(
        rf"{_COUNT} (?:\w+ ){{0,2}}?(?:{_STORES}|of (?:them|those|these))(?: |, ?)+"
        rf"(?:(?:of|x|@|at) )?(?:\w+ )?{_KWH} (?:each|apiece|per \w+)\b"
    ),
    re.compile(rf"{_COUNT} (?:\w+ ){{0,2}}?{_STORES} (?:of|x|@|at) {_KWH}(?!\w)"),
    re.compile(rf"(?<![^ ]){_KWH} (?:each|apiece)(?: |, ?)+(?:\w+ )?{_COUNT} of (?:them|those)\b"),
)
"""How many batteries of how many kWh."""
_TOGETHER: Final = re.compile(
    r"\b(?:total\w*|all ?together|together|combined|in all|between them|overall)\b"
)
_SEVERAL: Final = re.compile(
    rf"(?<![^ ])(?P<count>[2-9]) (?:(?:\w+ ){{0,2}}?{_STORES}|of (?:them|those|these))(?!\w)"
)
_POWERWALL: Final = re.compile(
    r"(?:(?<![^ ])(?P<count>[1-9]) (?:tesla )?)?\bpower ?walls?\b(?: (?:2|3)(?![^ ]))?"
)
_POWERWALL_KWH: Final = 13.5
"""Usable energy of a Powerwall 2 or 3, by its maker. [kWh]"""
_DIGIT: Final = re.compile(r"[0-9]")


def panels(reading: Reading, *, item: Slot) -> Answer | None:
    """Return count times watts, over all groups; a panel's power alone says nothing."""
    plain = reading.text
    if not _ANY_PANEL.search(plain) and not any(p.search(plain) for p in _WITHOUT_A_WORD):
        return None
    found = _apart(plain, _PANELS)
    sizes = [
        single_number(match["each"]) * (1 if match["unit"][:1] == "k" else 1e-3) for match in found
    ]
    kept = [
        (match, size)
        for match, size in zip(found, sizes, strict=True)
        if _LEAST_PANEL_KW <= size <= _MOST_PANEL_KW
    ]
    if kept:
        total_kw = sum(single_number(match["count"]) * size for match, size in kept)
        if _A_SIZE.search(_without(plain, found)):
            question = f"Is that {total_kw:.4g} kW altogether, or more?"
            return doubtful(item, (round(total_kw, 6),), words=reading.words(), question=question)
        span = (kept[0][0].start(), kept[-1][0].end())
        return worked_out(reading, span, item=item, value=total_kw, unit="w")
    if re.search(r"\bk ?w|\bkilo ?watt", plain):
        return None
    question = "How many kW are the panels together, or how many watts does each have?"
    return doubtful(item, (), words=reading.words(), question=question)


def batteries(reading: Reading, *, item: Slot) -> Answer | None:
    """Return count times kWh, over all groups; several without a size are asked about."""
    plain = reading.text
    found = _apart(plain, _BATTERIES)
    if _TOGETHER.search(plain):
        question = "How many kWh do they store altogether?"
        return doubtful(item, (), words=reading.words(), question=question) if found else None
    if found:
        total_kwh = sum(
            single_number(match["count"]) * single_number(match["each"]) for match in found
        )
        span = (found[0].start(), found[-1].end())
        return worked_out(reading, span, item=item, value=total_kwh, unit="kwh")
    walls = _POWERWALL.search(plain)
    if walls is not None and not _DIGIT.search(plain[: walls.start()] + plain[walls.end() :]):
        energy_kwh = int(walls["count"] or 1) * _POWERWALL_KWH
        words = reading.words(*walls.span())
        question = f"{words} usually stores about {energy_kwh:g} kWh: is that right?"
        return doubtful(item, (energy_kwh,), words=words, question=question)
    several = _SEVERAL.search(plain)
    if several is None:
        return None
    sizes = re.findall(_KWH.replace("?P<each>", ""), plain)
    readings = [
        factor * single_number(size) for size in sizes[:1] for factor in (1, int(several["count"]))
    ]
    question = "How many kWh do they store altogether?"
    return doubtful(item, readings, words=reading.words(), question=question)


def _apart(plain: str, patterns: tuple[re.Pattern[str], ...]) -> list[re.Match[str]]:
    """Return the matches of several patterns without overlaps, the first patterns first."""
    found: list[re.Match[str]] = []
    for pattern in patterns:
        for match in pattern.finditer(plain):
            if all(match.end() <= other.start() or other.end() <= match.start() for other in found):
                found.append(match)
    return sorted(found, key=lambda match: match.start())


def _without(plain: str, found: list[re.Match[str]]) -> str:
    """Return a text without what some matches cover."""
    for match in reversed(found):
        plain = f"{plain[: match.start()]} {plain[match.end() :]}"
    return plain


def worked_out(
    reading: Reading, span: tuple[int, int], *, item: Slot, value: float, unit: str
) -> Answer:
    """Return a number that words give together, or a question if the slot cannot hold it.

    Args:
        reading: The reply.
        span: Where the words stand in its plain form.
        item: The slot.
        value: The number, in the slot's unit.
        unit: In which it was said.
    """
    words = reading.words(*span)
    kept = stored(item, round(value, 6))
    if kept is None:
        question = f'You said "{words}", which I cannot use here: what is it exactly?'
        return doubtful(item, (), words=words, question=question)
    return Answer(values=(kept,), words=words, unit=unit, hedged=is_hedged(reading.text))
