"""Number words to digits: "seven point four", "a couple", "two and a half", "nineteen thirty".

Whole numbers are read by text2num, which leaves "half", "a dozen", "point" and lone words to us.
"""

from __future__ import annotations

from typing import Final

from text_to_num import text2num  # type: ignore[import-untyped]

from federates.hems.understanding.token import Token

_ONES_TEXT: Final = """
    one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen
"""
_ONES: Final = frozenset(_ONES_TEXT.split())
_TENS: Final = frozenset(
    ["twenty", "thirty", "forty", "fourty", "fifty", "sixty", "seventy", "eighty", "ninety"]
)
_GROUPS: Final = {"hundred": 100, "thousand": 1000}
_ZEROS: Final = frozenset({"zero", "nought", "naught"})
_NUMBER: Final = _ONES | _TENS | frozenset(_GROUPS) | _ZEROS
_FRACTIONS: Final = {"half": ".5", "quarter": ".25"}
_LONGEST_RUN: Final = 10
_PRONOUN_AFTER_TEXT: Final = """
    the that this no any every which another big bigger small smaller large larger new newer
    old older standard normal electric same other first second last cheap nice proper good
    little long short quick usual right wrong each some such
"""
_PRONOUN_AFTER: Final = frozenset(_PRONOUN_AFTER_TEXT.split())
"""Before "one" where it counts nothing: "the big one"."""
_PRONOUN_BEFORE: Final = frozenset(
    ["is", "was", "that", "which", "who", "we", "i", "isnt", "thing", "things"]
)
_ANNOUNCED: Final = frozenset(["thing", "things", "question", "point", "correction"])
"""After "one more", which counts nothing either."""


def with_digits(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Return the tokens with number words replaced by digits."""
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        new, at = _next(tokens, at)
        found += new
    return tuple(_with_parts(found))


def _next(tokens: tuple[Token, ...], at: int) -> tuple[list[Token], int]:  # noqa: PLR0911 - one way of saying it after the other
    """Return what stands for the token at a place, and the place after it."""
    token = tokens[at]
    following = _texts(tokens, at + 1, 3)
    if token.text == "half" and following[:2] == ["a", "dozen"]:
        return [_joined(tokens, at, at + 3, "6")], at + 3
    if token.text in {"a", "one"} and following[:1] == ["dozen"]:
        return [_joined(tokens, at, at + 2, "12")], at + 2
    if token.text == "couple":
        length = 2 if following[:1] == ["of"] else 1
        whole = _joined(tokens, at, at + length, "2")
        return [Token("about", whole.start, whole.end), whole], at + length
    if token.text in {"a", "an"} and following[0] in _GROUPS:
        value, end = _integer(tokens, at + 1)
        return [_joined(tokens, at, end, str(value))], end
    if token.text in {"oh", "o"} and _is_digit(following[0]):
        value, end = _integer(tokens, at + 1)
        return [_joined(tokens, at, end, f"0{value}")], end
    if token.text in _GROUPS and at and tokens[at - 1].is_number:
        return [token], at + 1
    if token.text in _NUMBER and not _is_pronoun(tokens, at):
        value, end = _integer(tokens, at)
        return [_joined(tokens, at, end, str(value))], end
    return [token], at + 1


def _integer(tokens: tuple[Token, ...], at: int) -> tuple[int, int]:
    """Return the longest whole number that starts at a number word, and the place after it."""
    end = at
    while end < len(tokens) and end - at < _LONGEST_RUN:
        word = tokens[end].text
        joins = word == "and" and tokens[end - 1].text in _GROUPS and end + 1 < len(tokens)
        joins = joins and tokens[end + 1].text in _ONES | _TENS
        if word not in _NUMBER and not (joins and end > at):
            break
        end += 1
    for stop in range(end, at, -1):
        words = ["zero" if t.text in _ZEROS else t.text for t in tokens[at:stop]]
        try:
            return int(text2num(" ".join(words), "en")), stop
        except ValueError:
            continue
    return _GROUPS.get(tokens[at].text, 0), at + 1


def _with_parts(tokens: list[Token]) -> list[Token]:
    """Join "7 point 4", "7 and a half", "7½", "7 1/2" and "2 thousand" to one number."""
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        before = found[-1] if found and found[-1].is_number else None
        text, length = _part(tokens, at, before=before)
        if text is None:
            found.append(tokens[at])
        else:
            start = found.pop().start if before is not None else tokens[at].start
            found.append(Token(text, start, tokens[at + length - 1].end))
        at += length
    return found


def _part(tokens: list[Token], at: int, *, before: Token | None) -> tuple[str | None, int]:  # noqa: PLR0911 - one way of saying it after the other
    """Return a number together with what continues it, and how many tokens that takes."""
    texts = [token.text for token in tokens[at : at + 5]]
    whole = before.text if before is not None else "0"
    if texts[0] == "½" and whole.isdigit():
        return f"{whole}.5", 1
    if texts[0] == "point" and whole.isdigit():
        digits, length = _decimals(tokens, at + 1)
        return (f"{whole}.{digits}", length + 1) if digits else (None, 1)
    if before is None:
        return None, 1
    if texts[0] in _GROUPS and whole.replace(".", "", 1).isdigit():
        return f"{float(whole[:9]) * _GROUPS[texts[0]]:.12g}", 1
    if not whole.isdigit():
        return None, 1
    if texts[:2] == ["and", "a"] and texts[2:3] and texts[2] in _FRACTIONS:
        return (None, 1) if texts[3:4] == ["past"] else (whole + _FRACTIONS[texts[2]], 3)
    if texts[:3] == ["and", "3", "quarters"]:
        return f"{whole}.75", 3
    if texts[:3] == ["1", "/", "2"]:
        return f"{whole}.5", 3
    return None, 1


def _decimals(tokens: list[Token], at: int) -> tuple[str, int]:
    """Return the digits that follow "point", and how many tokens they take."""
    digits, place = "", at
    while place < len(tokens) and place - at < 6 and tokens[place].text.isdigit():
        text = tokens[place].text
        if digits and len(text) > 1:
            break
        digits += text
        place += 1
        if len(text) > 1:
            break
    return digits, place - at


def _is_pronoun(tokens: tuple[Token, ...], at: int) -> bool:
    """Whether "one" counts nothing."""
    if tokens[at].text != "one":
        return False
    before = tokens[at - 1].text if at else ""
    if before == "the" and at > 1 and tokens[at - 2].text in {"just", "only"}:
        return False
    after, second = _texts(tokens, at + 1, 2)
    if (after == "more" and second in _ANNOUNCED) or (
        # "The middle one"; "the last one hundred" is a number.
        at > 1
        and tokens[at - 2].text == "the"
        and before.isalpha()
        and before not in _NUMBER | {"only", "just", "other"}
        and after not in _NUMBER
    ):
        return True
    return (before in _PRONOUN_AFTER and after not in _NUMBER) or after in _PRONOUN_BEFORE


def _is_digit(text: str) -> bool:
    return text in _ONES and text not in {"ten", "eleven", "twelve"} and "teen" not in text


def _texts(tokens: tuple[Token, ...], at: int, count: int) -> list[str]:
    """Return the texts of some tokens, empty ones after the end."""
    found = [token.text for token in tokens[at : at + count]]
    return found + [""] * (count - len(found))


def _joined(tokens: tuple[Token, ...], start: int, end: int, text: str) -> Token:
    return Token(text, tokens[start].start, tokens[end - 1].end)
