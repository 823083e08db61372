"""Replies that say no value: not known, not told, not owned."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from federates.hems.parameters.slots import NUMERIC_KINDS, Slot, SlotKind, Values
from federates.hems.understanding.phrases import (
    ABSENT,
    UNKNOWN,
    is_refusal,
    is_unknown,
    knows_roughly,
)
from federates.hems.understanding.reading import Reading

_THINGS: Final = {
    "battery": r"(?:home |house |solar |storage )?batter(?:y|ies)|power ?walls?",
    "pv": r"solar(?: panels?| pv)?|panels?|pv",
    "evs": r"(?:second |electric |other |2nd |own )*(?:cars?|evs?|vehicles?)|"
    r"2(?:nd)? (?:electric )?(?:1|cars?)|second 1",
    "washing_machine": r"washing ?machines?|washers?",
    "dryer": r"(?:tumbled? ?|clothes )?(?:dryers?|driers?)",
    "dishwasher": r"dish ?washers?",
    "generator": r"(?:diesel |backup )*(?:generators?|gensets?|genn(?:y|ies))",
    "heating": r"heat ?pumps?|(?:electric )?heat(?:ing|ers?)",
    "hot_water": r"(?:hot ?water |water )*(?:tanks?|cylinders?)|immersions?",
}
_DENIAL: Final = (
    r"(?:(?:dont|do not|havent|have not|doesnt|never|no longer|didnt) (?:\w+ )?(?:have|own|got|"
    r"possess|had|even have)(?: got)?|"
    r"(?:there is|theres|there are|weve|ive|we have|i have|ive got|weve got|got|have|we ve "
    r"got) (?:no|not)|{no}(?:sold|scrapped|got rid of|gave (?:away|up))) "
    r"(?:(?!the |our |my )\w+ ){{0,2}}?(?:{thing})\b"
)
_NO_SUCH_THING: Final = re.compile(
    r"\bnot applicable\b|\bthere (?:isnt|is not) (?:1|any)\b|\btheres (?:none|not 1)\b|\bn / a\b|"
    r"\bdoesnt apply\b|\b(?:dont|havent) (?:\w+ )?(?:have|got|own) (?:1|one|any)\b"
)
"""Says so even in reply to a yes/no question, where "we don't" alone is a no."""
_MAY_BE_NONE: Final = frozenset({"household.n_evs", "household.occupants"})
_ANOTHER_NUMBER: Final = re.compile(r"(?<![^ ])(?!1(?![^ ]))\d")
"""A number besides the "one" of "we haven't got one"."""
_RATHER_NOT: Final = re.compile(
    r"\b(?:rather|prefer) (?:it )?(?:not|if you didnt)\b|"
    r"\b(?:not|dont|wont) (?:comfortable|happy|willing|prepared|want|wish|like|care|feel)\b"
)
_TELL: Final = re.compile(
    r"\b(?:say\w*|tell\w*|answer\w*|shar(?:e|ing)|disclos\w+|discuss\w*|giv(?:e|ing)|talk\w*|"
    r"reveal\w*|go into|get into|be asked|comment|private|personal|confidential|business|nosy|"
    r"intrusive)\b"
)
"""Refuses to answer, not what was asked."""
_NOT_ASKED_THAT_WAY: Final = frozenset({"flexibility", "comfort", "household", "tariff"})


@dataclass(frozen=True, kw_only=True)
class Declined:
    """Asked slots without a value, and whether the reply may hold values all the same."""

    unknown: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    leaves_values: bool = True
    is_guess: bool = False
    """Values come after "I don't know, but"."""

    @property
    def keys(self) -> tuple[str, ...]:
        """All slots declined."""
        return (*self.unknown, *self.refused, *self.absent)


def declined(reading: Reading, *, asked: Sequence[Slot], known: Values) -> Declined:
    """Return what a reply says about asked slots instead of values.

    Args:
        reading: The reply.
        asked: The slots of the question.
        known: What is known of the home.
    """
    plain = reading.text
    keys = tuple(item.key for item in asked)
    if not keys:
        return Declined()
    gone = tuple(item.key for item in asked if _is_absent(plain, item))
    if gone:
        rest = len(gone) < len(keys)
        return Declined(absent=gone, leaves_values=rest)
    if is_refusal(plain) and not _says_no(plain, asked=asked):
        return Declined(refused=keys, leaves_values=len(keys) > 1)
    if is_unknown(plain):
        sure_not = UNKNOWN.search(plain) is not None and not knows_roughly(plain)
        rest = len(keys) > 1 or not sure_not
        return Declined(unknown=keys, leaves_values=rest, is_guess=not sure_not)
    return Declined()


def _says_no(plain: str, *, asked: Sequence[Slot]) -> bool:
    """Whether "I'd rather not" is the no to a yes/no question, and not a refusal to answer it."""
    if any(item.name in {"data_consent", "participate"} for item in asked):
        return re.search(r"\b(?:say|tell|answer)\b", plain) is None
    yes_or_no = bool(asked) and asked[0].kind is SlotKind.BOOLEAN
    return yes_or_no and _RATHER_NOT.search(plain) is not None and _TELL.search(plain) is None


def _is_absent(plain: str, item: Slot) -> bool:
    """Whether a reply says that the thing a slot is about is not there."""
    top = item.key.split(".")[0]
    name = item.key.split(".")[1] if top == "appliances" else top
    if top in _NOT_ASKED_THAT_WAY:
        # There is no "thing" to name, but "we haven't got one" is no value of it.
        counted = item.kind in NUMERIC_KINDS and item.key not in _MAY_BE_NONE
        return counted and ABSENT.search(plain) is not None and not _ANOTHER_NUMBER.search(plain)
    if item.kind is SlotKind.CHOICE and item.name == "kind":
        return False
    thing = _THINGS.get(name)
    if thing is None:
        return False
    no = (
        ""
        if item.kind is SlotKind.BOOLEAN
        else r"no(?! (?:the|our|my|its|it|that|this|i|we)\b)|without|"
    )
    if re.search(rf"\b{_DENIAL.format(thing=thing, no=no)}", plain):
        return True
    if item.kind is SlotKind.BOOLEAN:
        return _NO_SUCH_THING.search(plain) is not None
    return ABSENT.search(plain) is not None
