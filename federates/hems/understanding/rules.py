"""The `rules` extractor: a householder's reply becomes values, or questions where it is unclear.

It is slot-directed: it knows what was asked, so type, unit and likely half of the day are known.
Where words allow several values it says so instead of choosing; where they name another slot, the
value goes there. It has no memory and never fails: every text has an `Understanding`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from federates.hems.parameters.slots import Slot, Value, Values, slot
from federates.hems.understanding.answer import Answer, Context
from federates.hems.understanding.asides import own, without_quoted_orders
from federates.hems.understanding.confirming import agreement, menu_choice, without_rejection
from federates.hems.understanding.consent import Withdrawal, withdrawal
from federates.hems.understanding.fragments import together
from federates.hems.understanding.not_values import Declined, declined
from federates.hems.understanding.parts import all_parts
from federates.hems.understanding.phrases import control, is_command_or_code, is_foreign
from federates.hems.understanding.reading import MAX_CHARACTERS, Reading, read
from federates.hems.understanding.replaced import doubted
from federates.hems.understanding.result import Ambiguity, Finding, Intent, Understanding
from federates.hems.understanding.sharing import is_blank

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
    unquoted = without_quoted_orders(text)
    everything = replace(read(unquoted), source=text)
    reading = own(everything)
    if is_blank(reading.text) or _is_no_reply(everything, unquoted):
        return _no_reply(everything, unquoted, asked=asked, known=known)
    back = withdrawal(reading.text, known=known)
    if back is not None and back.key not in {*(item.key for item in asked), *(proposed or ())}:
        return _taken_back(reading, back, asked=asked, context=context)
    if proposed:
        asked = [*asked, *(slot(key) for key in proposed if key not in {s.key for s in asked})]
    settled = _agreed_or_chosen(reading, asked=asked, proposed=proposed, options=options)
    if settled is not None:
        return settled
    if proposed:
        reading = without_rejection(reading)
    return _answered(
        reading,
        asked=asked,
        context=context,
        proposed=proposed,
        requested=control(everything.text),
    )


def _agreed_or_chosen(
    reading: Reading, *, asked: Sequence[Slot], proposed: Values | None, options: Sequence[Value]
) -> Understanding | None:
    """Return a plain yes or no to a read-back, or an option picked; None for anything else."""
    agreed = agreement(reading, proposed=proposed) if proposed else None
    if agreed is not None:
        return Understanding(intent=agreed)
    chosen = menu_choice(reading, options=options) if options and len(asked) == 1 else None
    if chosen is None:
        return None
    finding = Finding(key=asked[0].key, value=chosen[0], words=chosen[1])
    return Understanding(intent=Intent.ANSWER, findings=(finding,))


def _taken_back(
    reading: Reading, back: Withdrawal, *, asked: Sequence[Slot], context: Context
) -> Understanding:
    """Return that a consent is taken back, whatever was asked, and what else a reply says."""
    words = reading.words(back.start, back.end)
    finding = Finding(key=back.key, value=False, words=words)
    rest = together([reading.part(0, back.start), reading.part(back.end, len(reading.text))])
    got = Understanding(intent=Intent.CORRECTION)
    if not is_blank(rest.text):
        got = _answered(rest, asked=asked, context=context, proposed=None, requested=None)
    others = tuple(one for one in got.findings if one.key != back.key)
    return replace(got, intent=Intent.CORRECTION, findings=(finding, *others), corrects=back.key)


def _is_no_reply(everything: Reading, unquoted: str) -> bool:
    """Whether a text commands, is code, or is in another language."""
    plain = everything.text
    return is_command_or_code(unquoted[:MAX_CHARACTERS], plain=plain) or is_foreign(plain)


def _no_reply(
    everything: Reading, unquoted: str, *, asked: Sequence[Slot], known: Values
) -> Understanding:
    """Return what a text wants that says nothing of this home: help, or "what is usual?"."""
    if is_blank(everything.text):
        quoted = unquoted != everything.source
        return Understanding(intent=Intent.OFF_TOPIC if quoted else Intent.EMPTY)
    if _is_no_reply(everything, unquoted):
        return Understanding(intent=Intent.OFF_TOPIC)
    no_values = declined(everything, asked=asked, known=known)
    if no_values.unknown:
        return _without_values(no_values, intent=Intent.ANSWER)
    return Understanding(intent=control(everything.text) or Intent.OFF_TOPIC)


def _answered(
    reading: Reading,
    *,
    asked: Sequence[Slot],
    context: Context,
    proposed: Values | None,
    requested: Intent | None,
) -> Understanding:
    """Return values, refusals and requests of a reply that is no plain yes, no or choice."""
    no_values = declined(reading, asked=asked, known=context.known)
    if no_values.refused and not no_values.leaves_values:
        return _without_values(no_values, intent=Intent.ANSWER)
    answers, pointed_at = all_parts(reading, asked=asked, context=context)
    answers = doubted(answers, reading, asked=asked, known=context.known)
    if not no_values.leaves_values:
        # "We have none. Oh, and the car leaves at 7": only what was asked is not there.
        answers = {k: a for k, a in answers.items() if a.is_sure and k not in no_values.keys}
        pointed_at = None
        if not answers:
            return _without_values(no_values, intent=Intent.ANSWER)
    sure = {key: a for key, a in answers.items() if a.is_sure}
    keys = {item.key for item in asked}
    # Only one doubt can be asked about next: what was asked comes first.
    in_turn = sorted(answers, key=lambda key: key not in keys)
    doubts = {key: answers[key] for key in in_turn if not answers[key].is_sure}
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
