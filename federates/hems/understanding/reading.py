"""Text in a plain form that rules can read, and the way back to the words as written.

Words are in lower case without apostrophes, number words are digits, everything is separated by
single blanks: "Twenty-one°C, that's OK" reads "21 ° c , thats ok".
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from federates.hems.understanding.number_words import with_digits
from federates.hems.understanding.spelling import repaired
from federates.hems.understanding.token import Token

MAX_CHARACTERS: Final = 2000
"""Only the beginning of a longer text is read."""

_TOKEN: Final = re.compile(
    r"(?P<half_day>\b[ap]\.\s?m\b\.?)"
    r"|(?P<area>(?<![^\W\d_])m[2²](?!\w))"
    r"|(?P<number>[0-9]+(?:[.,:][0-9]+)*)"
    r"|(?P<word>[^\W\d_]+(?:['\u2019\u02bc][^\W\d_]+)*)"
    r"|(?P<mark>\S)",
    re.IGNORECASE,
)
_PLAIN_MARKS: Final = {
    "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u2012": "-", "\u00d7": "x",
    "\U0001f44d": "yes", "\u2705": "yes", "\u2714": "yes", "\U0001f44e": "no", "\u274c": "no",
}  # fmt: skip
"""Dashes, and thumbs and ticks that stand for a word."""


@dataclass(frozen=True)
class Reading:
    """A text, or a part of one, in plain form."""

    source: str
    """The whole text as written."""
    tokens: tuple[Token, ...]

    @cached_property
    def text(self) -> str:
        """The plain form."""
        return " ".join(token.text for token in self.tokens)

    @cached_property
    def _starts(self) -> list[int]:
        starts, at = [], 0
        for token in self.tokens:
            starts.append(at)
            at += len(token.text) + 1
        return starts

    def words(self, start: int = 0, end: int | None = None) -> str:
        """Return what is written where the plain form has a span."""
        first, last = self._range(start, len(self.text) if end is None else end)
        if first >= last:
            return ""
        tokens = self.tokens[first:last]
        return self.source[min(t.start for t in tokens) : max(t.end for t in tokens)]

    def part(self, start: int, end: int) -> Reading:
        """Return the tokens that touch a span of the plain form."""
        first, last = self._range(start, end)
        return Reading(self.source, self.tokens[first:last])

    def _range(self, start: int, end: int) -> tuple[int, int]:
        starts = self._starts
        first = max(bisect_right(starts, start) - 1, 0)
        if first < len(starts) and starts[first] + len(self.tokens[first].text) <= start:
            first += 1
        return first, bisect_left(starts, end)


def read(text: str) -> Reading:
    """Return a text in plain form; only its first `MAX_CHARACTERS` are read, in whole words."""
    shown = text[:MAX_CHARACTERS]
    if len(text) > MAX_CHARACTERS:
        shown = (["", *shown.rsplit(maxsplit=1)])[-2]
    return Reading(text, with_digits(tuple(_tokens(shown))))


def _tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a text, in lower case and without hyphens inside words."""
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        said = match.group()
        match match.lastgroup:
            case "half_day":
                plain = "am" if said[0] in "aA" else "pm"
            case "area":
                plain = "m2"
            case "number":
                plain = said
            case "word":
                plain = _word(said)
            case _:
                if said in "-." and _is_inside_a_word(text, start):
                    continue
                plain = _PLAIN_MARKS.get(said, said)
        yield Token(plain, start, end)


def _word(said: str) -> str:
    letters = "".join(c for c in said.lower() if c.isalpha() or c in "²½")
    return repaired(letters.replace("²", "2"))


def _is_inside_a_word(text: str, at: int) -> bool:
    """Whether a hyphen joins two words, or a number and a word: "semi-detached", "3-pin".

    A full stop does so between a name and its number: "ID.3".
    """
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if text[at] == ".":
        return before.isupper() and after.isdigit()
    return before.isalnum() and after.isalpha()
