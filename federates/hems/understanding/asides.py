"""Passages of a reply that say nothing about this home now: they must not become values.

Questions back ("is 150 litres normal?"), other people's homes ("next door pay 30p"), what was
("we had a Leaf, now ..."), and quoted orders to a program. What is left is the householder's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from federates.hems.understanding.reading import Reading, read
from federates.hems.understanding.token import Token

_SENTENCE: Final = re.compile(r"\S.*?(?P<end>(?<![^ ])[.;!?()](?![^ ])|$)")
_CLAUSE: Final = re.compile(r" (?:,|-|:|and|but|while|whereas|although|though|so|because|then) ")
_FILLERS: Final = (
    r"[ ,:-]*(?:(?:and|but|so|well|um|uh|er|erm|hmm|oh|ah|hey|sorry|wait|hang on|actually|please|"
    r"before i (?:answer|forget)|quick question|1 (?:more )?(?:question|thing)|by the way|btw|"
    r"first|also|then|because|you know|like|ok|okay|,|:) )*"
)
_AUXILIARY: Final = (
    r"(?:is|are|was|were|isnt|arent|wasnt|do|does|did|dont|doesnt|didnt|can|could|cant|couldnt|"
    r"should|shouldnt|would|wouldnt|will|wont|has|hasnt|have|havent|am|may|might|must)"
)
_WH: Final = (
    r"(?:what|why|how|which|who|whose|when|where)(?! about)(?:s| (?:s|is|are|do|does|did|should|"
    r"can|could|would|wouldnt|will|was|were|come|much|many|long|often|far|else)\b)"
)
_SUBJECT: Final = (
    r"(?:i|we|you|it|its|that|this|there|they|he|she|the|a|an|my|our|your|those|these|"
    r"people|any\w*|some\w*|every\w*|\d\S*)"
)
_REQUEST: Final = re.compile(
    _FILLERS + r"(?:(?:can|could|would|will) (?:i|we|you) (?:please |just |not )*(?:keep|set|put|"
    r"make|say|have|leave|use|go|take|write(?! (?:me|us)\b))\b|why not\b)"
)
"""Answers in the form of a question: "could you put 21?", "why not?"."""
_ASKS: Final = re.compile(rf"{_FILLERS}(?:{_AUXILIARY} {_SUBJECT}\b|{_WH})")
"""The beginning of a question that ends in a question mark."""
_ASKS_UNMARKED: Final = re.compile(
    rf"{_FILLERS}(?:(?:is|isnt|are|arent) (?:it|that|this|there)\b|"
    rf"(?:hasnt|havent|doesnt|wasnt|didnt|wont) (?:it|they|he|she|that|there)\b|"
    rf"(?:should|do|did) (?:i|we|you|they|people|others|most|many)\b|does (?:it|that|the|an?)\b|"
    rf"(?:whats|what (?:is|are|do|does)|why (?:do|does|is|are|would|should)|how (?:do|does|is|"
    rf"come)) {_SUBJECT}\b|"
    rf"(?:can|could|would|will) you (?:please )?(?:write|sing|draw|translate|explain|recommend|"
    rf"find|show|help|order|play|send|call)\b|(?:write|sing|draw|translate|recommend) (?:me|us)\b)"
)
"""The beginning of a question without its mark, as speech recognition writes it."""
_OTHERS: Final = re.compile(
    r"\b(?:next door|(?:the |my |our |a )?(?:\w+ )?neighbou?rs?|"
    r"(?:my|our|a) (?:brother|sister|friend|mate|colleague|boss|uncle|aunt|cousin|workmate|pal)s?"
    r"(?: in law)?|(?:everyone|everybody) else|other people|(?:my|our) in laws|"
    r"(?:the )?(?:people|family|couple|folks?|lot|man|woman|house) (?:opposite|across the "
    r"(?:road|street)|over the road|down the (?:road|street)|upstairs|downstairs))"
    r"(?: \w+){0,3}? (?:has|have|had|hes|shes|theyve|got|gets|pays?|paid|keeps?|says?|said|swears?|"
    r"uses?|used|saves?|spends?|makes?|charges?|drives?|runs?|reckons?|told|tells|is on|are on|"
    r"is|are)\b"
)
_OWN: Final = re.compile(
    r"\b(?:i|we|me|us|mine|ours|our|im|ive|id|ill|weve|wed|were|here|this (?:house|place))\b"
)
_PAST: Final = re.compile(
    r"\b(?:(?:i|we|it|they) (?:had|used to|(?:was|were)(?! (?:built|made|put|fitted|installed|"
    r"converted|finished)\b))|used to|the (?:old|previous|last|first) "
    r"(?:\w+ ){0,2}?(?:was|had|were|did)|last year|previously|formerly|back then|in the old days|"
    r"until (?:last|recently)|before that)\b"
)
_NOW: Final = re.compile(
    r"\b(?:now(?! and (?:then|again)|here)|nowadays|these days|currently|today|at present|"
    r"at the moment|since then|the new (?:1|one|\w+) (?:is|has|does))\b"
)
_QUOTED: Final = re.compile(r"[\"\u201c\u201d\u00ab](?P<inside>[^\"\u201c\u201d\u00bb]{1,400})"
                            r"[\"\u201c\u201d\u00bb]")  # fmt: skip
_TO_A_PROGRAM: Final = re.compile(
    r"\b(?:assistant|chat ?bot|bot|interviewer|system|computer|machine|program|ai|model|"
    r"record|write (?:down|in)|put down|mark|enter|fill in|note|confirm|agrees? to|set (?:it|the|"
    r"all|every\w*|my|our)|change|ignore|answer)\b",
    re.IGNORECASE,
)


def own(reading: Reading) -> Reading:
    """Return what a reply says of this home now, without the passages that do not."""
    removed = [False] * len(reading.tokens)
    places = _places(reading)
    for start, end in _foreign(reading.text):
        for at, (first, last) in enumerate(places):
            removed[at] = removed[at] or (first >= start and last <= end)
    if not any(removed):
        return reading
    kept = tuple(t for t, gone in zip(reading.tokens, removed, strict=True) if not gone)
    return Reading(reading.source, kept)


def own_words(text: str) -> str:
    """Return a text as written, without the passages that say nothing of this home now."""
    plain = without_quoted_orders(text)
    reading = read(plain)
    kept = own(reading).tokens
    if len(kept) == len(reading.tokens):
        return plain
    return "".join(plain[start:end] for start, end in _runs(reading.tokens, kept))


def without_quoted_orders(text: str) -> str:
    """Return a text with blanks where it quotes orders to a program; its length stays."""
    return _QUOTED.sub(
        lambda match: (
            " " * len(match.group()) if _TO_A_PROGRAM.search(match["inside"]) else match.group()
        ),
        text,
    )


def _runs(tokens: Sequence[Token], kept: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Yield the spans of the text that neighbouring kept tokens cover."""
    wanted = {(token.start, token.end) for token in kept}
    start, end = None, 0
    for token in tokens:
        if (token.start, token.end) in wanted:
            start = token.start if start is None else start
            end = token.end
        elif start is not None:
            yield start, end + 1
            start = None
    if start is not None:
        yield start, end


def _places(reading: Reading) -> list[tuple[int, int]]:
    """Return where each token is in the plain form."""
    found, at = [], 0
    for token in reading.tokens:
        found.append((at, at + len(token.text)))
        at += len(token.text) + 1
    return found


def _foreign(plain: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of the plain form that say nothing of this home now."""
    yield from _past(plain)
    for sentence in _SENTENCE.finditer(plain):
        clauses = list(_clauses(plain, sentence.start(), sentence.end("end")))
        is_question = sentence["end"] == "?"
        others = False
        for start, end in clauses:
            clause = plain[start:end]
            opened = _OTHERS.search(clause)
            joined = plain[:start].endswith((" and ", " , ", " - "))
            others = opened is not None or (others and joined and not _OWN.search(clause))
            if others:
                # "We have 4 like next door has": what was said before stays.
                yield start + (0 if opened is None else opened.start()), end
            elif _asks(clause, marked=is_question):
                yield start, sentence.end("end") if is_question else end
                if is_question:
                    break


def _asks(clause: str, *, marked: bool) -> bool:
    """Whether a clause begins a question that is no answer in itself."""
    if _REQUEST.match(clause):
        return False
    return (_ASKS if marked else _ASKS_UNMARKED).match(clause) is not None


def _clauses(plain: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the spans between commas and conjunctions; each keeps what follows it."""
    at = start
    for match in _CLAUSE.finditer(plain, start, end):
        yield at, match.end()
        at = match.end()
    yield at, end


def _past(plain: str) -> Iterator[tuple[int, int]]:
    """Yield clauses about the past where a later one says what is now."""
    clauses = [
        span
        for sentence in _SENTENCE.finditer(plain)
        for span in _clauses(plain, sentence.start(), sentence.end())
    ]
    for place, (start, end) in enumerate(clauses):
        if not _PAST.search(plain, start, end) or _NOW.search(plain, start, end):
            continue
        if any(_NOW.search(plain, first, last) for first, last in clauses[place + 1 : place + 3]):
            yield start, end
