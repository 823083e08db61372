"""The `rules` extractor: a householder's reply becomes values, or questions where it is unclear.

It is slot-directed: it knows what was asked, so type, unit and likely half of the day are known.
Where words allow several values it says so instead of choosing; where they name another slot, the
value goes there. It has no memory and never fails: every text has an `Understanding`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from federates.hems.parameters.slots import Slot, SlotKind, Value, Values, slot
from federates.hems.understanding.answer import Answer, Context, distinct, doubtful
from federates.hems.understanding.confirming import agreement, menu_choice
from federates.hems.understanding.fragments import (
    begins_with_correction,
    corrected_parts,
    fragments,
    thing_meant,
)
from federates.hems.understanding.not_values import Declined, declined
from federates.hems.understanding.phrases import control, is_command_or_code, is_foreign
from federates.hems.understanding.readers import read_slot
from federates.hems.understanding.reading import MAX_CHARACTERS, Reading, read
from federates.hems.understanding.result import Ambiguity, Finding, Intent, Understanding
from federates.hems.understanding.sharing import Share, is_blank, own_texts, shared
from federates.hems.understanding.subjects import named_sections

_NOTHING: Final[Values] = MappingProxyType({})


def understand(
    text: str,
    *,
    asked: Sequence[Slot],
    known: Values = _NOTHING,
    locale: str = "en-GB",
    currency: str = "GBP",
    year: int | None = None,
    proposed: Values | None = None,
    options: Sequence[Value] = (),
) -> Understanding:
    """Return what a reply says.

    Args:
        text: The reply; only its first `reading.MAX_CHARACTERS` characters are read.
        asked: The slots of the question, the main one first; empty where nothing was asked.
        known: What is known of the home, in stored form; decides which slots apply.
        locale: BCP 47, for example en-GB.
        currency: ISO 4217, for example GBP.
        year: The current year; without it ages ("30 years old") are not understood.
        proposed: Values read back in a yes/no question, by key.
        options: Values of a numbered menu, in the order shown; `asked` is then one slot.
    """
    context = Context(locale=locale, currency=currency, known=known, year=year)
    reading = read(text)
    plain = reading.text
    if is_blank(plain):
        return Understanding(intent=Intent.EMPTY)
    if is_command_or_code(text[:MAX_CHARACTERS], plain=plain) or is_foreign(plain):
        return Understanding(intent=Intent.OFF_TOPIC)
    if proposed:
        asked = [*asked, *(slot(key) for key in proposed if key not in {s.key for s in asked})]
        agreed = agreement(reading, proposed=proposed)
        if agreed is Intent.YES:
            return Understanding(intent=Intent.YES)
        if agreed is Intent.NO:
            return Understanding(intent=Intent.NO)
    if options and len(asked) == 1:
        chosen = menu_choice(reading, options=options)
        if chosen is not None:
            finding = Finding(key=asked[0].key, value=chosen[0], words=chosen[1])
            return Understanding(intent=Intent.ANSWER, findings=(finding,))
    return _answered(reading, asked=asked, context=context, proposed=proposed)


def _answered(
    reading: Reading, *, asked: Sequence[Slot], context: Context, proposed: Values | None
) -> Understanding:
    """Return values, refusals and requests of a reply that is no plain yes, no or choice."""
    no_values = declined(reading, asked=asked, known=context.known)
    if not no_values.leaves_values:
        return _without_values(no_values, intent=Intent.ANSWER)
    answers, pointed_at = _all_parts(reading, asked=asked, context=context)
    sure = {key: a for key, a in answers.items() if a.is_sure}
    doubts = {key: a for key, a in answers.items() if not a.is_sure}
    requested = control(reading.text)
    if requested is not None and not sure and not any(a.values for a in doubts.values()):
        return Understanding(intent=requested)
    if not answers and no_values.keys:
        return _without_values(no_values, intent=Intent.ANSWER)
    corrects = _corrected(sure, asked=asked, known=context.known, proposed=proposed)
    corrects = corrects or pointed_at
    if corrects is not None:
        intent = Intent.CORRECTION
    elif answers:
        intent = Intent.ANSWER
    else:
        intent = Intent.OFF_TOPIC
    return Understanding(
        intent=intent,
        findings=tuple(_finding(key, a, guessed=no_values.is_guess) for key, a in sure.items()),
        ambiguous=tuple(_ambiguity(key, a) for key, a in doubts.items()),
        unknown=tuple(k for k in no_values.unknown if k not in answers),
        refused=tuple(k for k in no_values.refused if k not in answers),
        absent=tuple(k for k in no_values.absent if k not in answers),
        corrects=corrects,
    )


def _without_values(no_values: Declined, *, intent: Intent) -> Understanding:
    return Understanding(
        intent=intent,
        unknown=no_values.unknown,
        refused=no_values.refused,
        absent=no_values.absent,
    )


def _finding(key: str, answer: Answer, *, guessed: bool) -> Finding:
    return Finding(
        key=key,
        value=answer.values[0],
        words=answer.words,
        hedged=answer.hedged or guessed,
        unit=answer.unit,
    )


def _ambiguity(key: str, answer: Answer) -> Ambiguity:
    return Ambiguity(key=key, readings=answer.values, question=answer.question, words=answer.words)


def _corrected(
    sure: Mapping[str, Answer], *, asked: Sequence[Slot], known: Values, proposed: Values | None
) -> str | None:
    """Return the slot whose known or proposed value a reply replaces."""
    if proposed:
        return next(
            (k for k, a in sure.items() if k in proposed and proposed[k] != a.values[0]), None
        )
    keys = {item.key for item in asked}
    return next(
        (k for k, a in sure.items() if k in known and k not in keys and known[k] != a.values[0]),
        None,
    )


def _all_parts(
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
        answers.update(_part(part, asked=asked, context=context))
    return answers, None if answers else pointed_at


def _other_thing(part: Reading, *, asked: Sequence[Slot]) -> Slot | None:
    """Return the asked slot of another appliance, where a part says "that's the dryer"."""
    thing = thing_meant(part)
    if thing is None or not asked or not asked[0].key.startswith("appliances."):
        return None
    sections = [s for s in named_sections(thing) if s.startswith("appliances.")]
    if len(sections) != 1 or sections[0] == asked[0].section:
        return None
    return slot(f"{sections[0]}.{asked[0].name}")


def _part(part: Reading, *, asked: Sequence[Slot], context: Context) -> dict[str, Answer]:
    """Return the answers of a part without corrections."""
    shares = shared(part, asked=asked, context=context)
    answers = {
        share.slot.key: share.answer
        for share in shares
        if share.slot is not None and share.answer is not None
    }
    in_order = _in_order(shares, asked=asked, context=context)
    if in_order:
        return {**answers, **in_order}
    for place, item in enumerate(asked):
        found = _asked_answer(shares, item=item, context=context, is_main=place == 0, asked=asked)
        if found is not None:
            answers[item.key] = found
    return answers


def _asked_answer(
    shares: list[Share], *, item: Slot, context: Context, is_main: bool, asked: Sequence[Slot]
) -> Answer | None:
    """Return the answer to an asked slot: what names it first, then what names nothing."""
    alike = [other for other in asked if other.kind is item.kind]
    named = any(share.slot is not None and share.slot.key == item.key for share in shares)
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
