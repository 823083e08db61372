"""Known values that a reply would replace although nobody asked for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from federates.hems.parameters.slots import Slot, SlotKind, Values, slot
from federates.hems.understanding.answer import Answer
from federates.hems.understanding.fragments import corrected_parts
from federates.hems.understanding.reading import Reading

_IN_PASSING: Final = frozenset(
    {SlotKind.CHOICE, SlotKind.BOOLEAN, SlotKind.INTERVALS, SlotKind.TEXT}
)
"""Kinds whose values are named in passing; a number with its unit is meant."""
_CORRECTS: Final = re.compile(
    r"\b(?:correct\w*|wrong\w*|mistak\w+|misspoke|mixed up|mix up|muddled|sorry|actually|in fact|"
    r"after all|changed?|meant|mean|said|told|gave you|rather|instead|should (?:be|have)|"
    r"put (?:it|that) right|fix (?:it|that)|amend\w*|revise\w*|update\w*|"
    r"(?:not|isnt|wasnt) (?:quite )?(?:right|true))\b"
)
"""Says that an earlier answer is put right."""


def doubted(
    answers: Mapping[str, Answer], reading: Reading, *, asked: Sequence[Slot], known: Values
) -> dict[str, Answer]:
    """Return answers with a question in place of a value that was known and nobody corrects.

    Args:
        answers: What was understood, by slot.
        reading: The reply.
        asked: The slots of the question, with those read back.
        known: What is known of the home.
    """
    if _CORRECTS.search(reading.text) or len(corrected_parts(reading)) > 1:
        return dict(answers)
    keys = {item.key for item in asked}
    return {
        key: replace(answer, question=_question(answer))
        if key not in keys and _replaces(key, answer, known=known)
        else answer
        for key, answer in answers.items()
    }


def _replaces(key: str, answer: Answer, *, known: Values) -> bool:
    """Whether an answer would change a known value that is easily named in passing."""
    return (
        answer.is_sure
        and slot(key).kind in _IN_PASSING
        and key in known
        and known[key] != answer.values[0]
    )


def _question(answer: Answer) -> str:
    return f'You said "{answer.words}": should I change what you told me before?'
