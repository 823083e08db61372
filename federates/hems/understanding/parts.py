"""A reply part by part: corrections replace what came before, fragments go to their slots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from federates.hems.parameters.slots import Slot, SlotKind, slot
from federates.hems.understanding.answer import Answer, Context, distinct, doubtful
from federates.hems.understanding.devices import names_devices
from federates.hems.understanding.fragments import (
    begins_with_correction,
    corrected_parts,
    fragments,
    thing_meant,
)
from federates.hems.understanding.readers import read_slot
from federates.hems.understanding.reading import Reading
from federates.hems.understanding.sharing import Share, own_texts, shared
from federates.hems.understanding.subjects import named_sections, names_attribute


def all_parts(
    reading: Reading, *, asked: Sequence[Slot], context: Context
) -> tuple[dict[str, Answer], str | None]:
    """Return the answers by key, and the slot that "sorry, I meant the dryer" points at."""
    answers: dict[str, Answer] = {}
    pointed_at = None
    parts = corrected_parts(reading)
    for place, part in enumerate(parts):
        other = _other_thing(part, asked=asked)
        if other is not None and (place or begins_with_correction(reading)):
            moved = answers.pop(asked[0].key, None)
            if moved is not None:
                answers[other.key] = moved
            else:
                pointed_at = other.key
        topic = _topic(parts[place - 1], asked=asked, context=context) if place else None
        answers.update(_part(part, asked=asked, context=context, topic=topic))
    if len(parts) > 1 and asked and asked[0].key in answers:
        last = _part(parts[-1], asked=asked, context=context)
        if asked[0].key not in last and not _stands(
            answers[asked[0].key], reading, item=asked[0], context=context
        ):
            del answers[asked[0].key]
    return answers, None if answers else pointed_at


def _topic(part: Reading, *, asked: Sequence[Slot], context: Context) -> Slot | None:
    """Return the slot that a part before a correction spoke of last, if nobody asked for it."""
    last = shared(part, asked=asked, context=context)[-1:]
    topic = last[0].slot if last and last[0].answer is not None else None
    return None if topic in asked else topic


def _stands(answer: Answer, reading: Reading, *, item: Slot, context: Context) -> bool:
    """Whether a yes or no outlasts the words after it: "yes. I mean, sometimes" is neither."""
    if item.kind is not SlotKind.BOOLEAN:
        return True
    whole = read_slot(reading, item=item, context=context)
    return whole is not None and whole.values == answer.values


def _other_thing(part: Reading, *, asked: Sequence[Slot]) -> Slot | None:
    """Return the asked slot of another appliance, where a part says "that's the dryer"."""
    thing = thing_meant(part)
    if thing is None or not asked or not asked[0].key.startswith("appliances."):
        return None
    sections = [s for s in named_sections(thing) if s.startswith("appliances.")]
    if len(sections) != 1 or sections[0] == asked[0].section:
        return None
    return slot(f"{sections[0]}.{asked[0].name}")


def _part(
    part: Reading, *, asked: Sequence[Slot], context: Context, topic: Slot | None = None
) -> dict[str, Answer]:
    """Return the answers of a part without corrections; `topic` is what was just corrected."""
    shares = shared(part, asked=asked, context=context)
    if topic is not None and all(share.slot is None for share in shares):
        corrected = read_slot(part, item=topic, context=context)
        if corrected is not None and corrected.is_sure:
            return {topic.key: corrected}
    answers = {
        share.slot.key: share.answer
        for share in shares
        if share.slot is not None and share.answer is not None
    }
    in_order = _in_order(shares, asked=asked, context=context)
    if in_order:
        return {**answers, **in_order}
    for place, item in enumerate(asked):
        found = _asked_answer(
            part, shares, item=item, context=context, is_main=place == 0, asked=asked
        )
        if found is not None:
            answers[item.key] = found
    return answers


def _asked_answer(
    part: Reading,
    shares: list[Share],
    *,
    item: Slot,
    context: Context,
    is_main: bool,
    asked: Sequence[Slot],
) -> Answer | None:
    """Return the answer to an asked slot: what names it first, then what names nothing."""
    alike = [other for other in asked if other.kind is item.kind]
    named = any(share.slot is not None and share.slot.key == item.key for share in shares)
    named = named or (item.kind is SlotKind.CHOICES and _names_set(part.text, item))
    if not named and not is_main and (len(alike) > 1 or item.kind in _NEEDS_A_NAME):
        return None
    found = [
        (text, answer)
        for text in own_texts(shares, item)
        if (answer := read_slot(text.reading, item=item, context=context)) is not None
        and (is_main or named or answer.explicit)
    ]
    sure = [(text, answer) for text, answer in found if answer.is_sure]
    if not sure:
        return found[0][1] if found else None
    best = [answer for text, answer in sure if text.is_named == sure[0][0].is_named]
    values = distinct([value for answer in best for value in answer.values])
    if len(values) == 1:
        return best[0]
    words = [answer.words for answer in best]
    question = f'You said "{words[0]}" and "{words[-1]}": which one is it?'
    return doubtful(item, values, words=words[0], question=question)


def _names_set(plain: str, item: Slot) -> bool:
    """Whether a text is about a set of devices: by its words, or by what it lists or changes."""
    if item.name == "never_touch":
        return names_attribute(plain, item) or _CONTROLS.search(plain) is not None
    return names_devices(plain)


_CONTROLS: Final = re.compile(r"\b(?:control\w*|manage|touch\w*|take over)\b")
_NEEDS_A_NAME: Final = frozenset({SlotKind.BOOLEAN, SlotKind.CHOICES})
"""Kinds for which "yes" or "the dryer" answers the main question only."""


def _in_order(shares: list[Share], *, asked: Sequence[Slot], context: Context) -> dict[str, Answer]:
    """Return "21 and 18" for two slots of one kind: as many answers as slots, in their order."""
    if len(asked) < 2 or len({item.kind for item in asked}) > 1:
        return {}
    if any(share.slot is not None for share in shares):
        return {}
    pieces = [piece for share in shares for piece in fragments(share.piece)]
    found: list[Answer] = []
    for piece in pieces:
        at = min(len(found), len(asked) - 1)
        answer = read_slot(piece, item=asked[at], context=context)
        if answer is not None:
            found.append(answer)
    if len(found) != len(asked) or not all(answer.is_sure for answer in found):
        return {}
    return {item.key: answer for item, answer in zip(asked, found, strict=True)}
