"""Years of construction: "1935", "in the eighties", "Victorian", "about thirty years old"."""

from __future__ import annotations

import re
from typing import Final

from federates.hems.parameters.slots import Slot
from federates.hems.understanding.answer import Answer, Context, distinct, doubtful, stored
from federates.hems.understanding.hedges import is_hedged
from federates.hems.understanding.reading import Reading

_YEAR: Final = re.compile(
    r"(?<![^ ])(?P<y>(?:1[5-9]|20)\d\d)(?![^ ])(?! (?:s|sq|square|feet|ft|kg|m2|kwh|w|watts?))"
)
_PAIR: Final = re.compile(r"(?<![^ ])(?P<c>1[5-9]|20) (?P<y>\d\d)(?![^ ])(?! (?:years?|s))")
_DECADE: Final = re.compile(
    r"\b(?:(?P<part>early|mid|middle of|late|beginning of|start of|end of)(?: to mid)? )?(?:the )?"
    r"(?:(?P<full>(?:1[6-9]|20)\d0) ?s|(?P<century>19|18|20) (?P<spoken>twenties|thirties|forties|"
    r"fifties|sixties|seventies|eighties|nineties|hundreds)|(?P<word>twenties|thirties|forties|"
    r"fifties|sixties|seventies|eighties|nineties|noughties|naughties)|(?P<short>[2-9]0) ?s)\b"
)
_TENS: Final = {
    "hundreds": 0, "noughties": 100, "naughties": 100, "twenties": 20, "thirties": 30,
    "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70, "eighties": 80, "nineties": 90,
}  # fmt: skip
_PARTS: Final = {"early": 2, "beginning of": 1, "start of": 1, "late": 8, "end of": 8}
_AGE: Final = re.compile(
    r"(?<![^ ])(?P<n>\d{1,3})(?: ?(?:-|to|or) (?P<m>\d{1,3}))? (?:or so )?(?:years?|"
    r"yrs?)(?: old| ago|s old)?\b"
)
_OWNED: Final = re.compile(r"\b(?:lived|living|moved|bought|owned|been here|been in)\b")
_ERAS: Final = (
    (re.compile(r"\b(?:(?P<part>early|mid|late) )?victorian\b"), 1880),
    (re.compile(r"\bedwardian\b"), 1906),
    (re.compile(r"\b(?:(?P<part>early|mid|late) )?georgian\b"), 1790),
    (re.compile(r"\bregency\b"), 1815),
    (re.compile(r"\b(?:between the (?:world )?wars|inter ?wars?)\b"), 1930),
    (
        re.compile(
            r"\b(?:(?:just |right |soon |shortly )?after the (?:second world )?war|post ?war)\b"
        ),
        1950,
    ),
    (
        re.compile(r"\b(?:just |right |shortly )?before the (?:second world )?war\b|\bpre ?war\b"),
        1936,
    ),
)
_NEW: Final = re.compile(r"\b(?:brand new|new build|newly built|newbuild|just (?:been )?built)\b")
_CENTURY: Final = re.compile(r"\bturn of the (?:last )?century\b")
_REFURBISHED: Final = re.compile(
    r"\b(?:renovated|refurb\w*|extended|extension|converted|loft|moved|bought|rewired)\b"
)
_MOVED: Final = re.compile(
    r"\b(?:moved|bought|purchased|(?:been|lived|living) (?:here|in)|owned|(?:had|got) it)\b"
)
_BUILT: Final = re.compile(
    r"\b(?:built|build|new|dat(?:es?|ing)|constructed|erected|went up|finished|original\w*)\b"
)
"""Else a year in which somebody moved in, or extended the house, is not when it was built."""


def year_built(reading: Reading, *, item: Slot, context: Context) -> Answer | None:
    """Return the year a text names; eras and ages are hedged, and vague ones are asked about."""
    plain = reading.text
    found = _decades(plain)
    vague = bool(found)
    if not found:
        found = [int(m["y"]) for m in _YEAR.finditer(plain)]
        found += [int(m["c"] + m["y"]) for m in _PAIR.finditer(plain)]
    if not found:
        found, vague = _eras(plain), True
    if not found:
        return _age(reading, item=item, context=context)
    words = reading.words()
    if not _BUILT.search(plain) and _is_of_later_years(plain):
        return doubtful(item, (), words=words, question="In what year was it built, roughly?")
    values = distinct([year for year in found if stored(item, year) is not None])
    if (
        len(values) == 2
        and abs(int(str(values[0])) - int(str(values[1]))) <= 10
        and not _REFURBISHED.search(plain)
    ):
        values, vague = ((int(str(values[0])) + int(str(values[1]))) // 2,), True
    if len(values) != 1:
        question = f'You said "{words}": in what year was it built, roughly?'
        return doubtful(item, values, words=words, question=question)
    if context.year is not None and int(str(values[0])) > context.year + 2:
        return doubtful(
            item, values, words=words, question="That is in the future: in what year was it built?"
        )
    return Answer(values=values, words=_span_words(reading), hedged=vague or is_hedged(plain))


def _is_of_later_years(plain: str) -> bool:
    """Whether years are those of a move or, where no decade is named, of works on the house."""
    if not _decades(plain) and not _YEAR.search(plain) and not _PAIR.search(plain):
        return False
    return _MOVED.search(plain) is not None or (
        not _decades(plain) and _REFURBISHED.search(plain) is not None
    )


def _span_words(reading: Reading) -> str:
    """Return the words that name the year."""
    spans = [
        match.span()
        for pattern in (_DECADE, _YEAR, _PAIR, *(era for era, _ in _ERAS))
        for match in pattern.finditer(reading.text)
    ]
    return (
        reading.words(min(s for s, _ in spans), max(e for _, e in spans))
        if spans
        else reading.words()
    )


def _decades(plain: str) -> list[int]:
    """Return the years that decades stand for, their middle unless "early" or "late"."""
    found = []
    for match in _DECADE.finditer(plain):
        if match["full"]:
            decade = int(match["full"])
            if decade % 100 == 0 and decade < 2000:
                continue
        elif match["century"]:
            decade = int(match["century"]) * 100 + _TENS[match["spoken"]]
        elif match["word"]:
            decade = 1900 + _TENS[match["word"]]
        else:
            decade = 1900 + int(match["short"])
        found.append(decade + _PARTS.get(match["part"] or "", 5))
    return found


def _eras(plain: str) -> list[int]:
    found = []
    for pattern, year in _ERAS:
        match = pattern.search(plain)
        if match is not None:
            part = match.groupdict().get("part")
            found.append(year + {"early": -25, "late": 10}.get(part or "", 0))
    return found


def _age(reading: Reading, *, item: Slot, context: Context) -> Answer | None:
    """Return the year from an age; a brand-new home and a turn of the century are asked about."""
    plain = reading.text
    match = _AGE.search(plain)
    if match is not None and not _OWNED.search(plain) and context.year is not None:
        ages: list[int] = [int(match["n"]), int(match["m"] or match["n"])]
        if max(ages) - min(ages) <= 10:
            value = stored(item, context.year - sum(ages) // len(ages))
            if value is not None and max(ages) > 0:
                return Answer(values=(value,), words=reading.words(*match.span()), hedged=True)
    if (
        match is None
        and (match := re.search(r"\b(?:about )?(?:a|1) century old\b", plain))
        and context.year
    ):
        return Answer(values=(context.year - 100,), words=reading.words(*match.span()), hedged=True)
    if _CENTURY.search(plain):
        return doubtful(
            item, (1900, 2000), words=reading.words(), question="Around 1900 or around 2000?"
        )
    if _NEW.search(plain):
        years = () if context.year is None else (context.year,)
        return doubtful(
            item, years, words=reading.words(), question="In what year was it finished?"
        )
    return None
