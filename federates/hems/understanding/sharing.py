"""Which fragment of a reply is about which slot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from federates.hems.parameters.slots import (
    NUMERIC_KINDS,
    SLOTS,
    Slot,
    SlotKind,
    Who,
    applicable_slots,
)
from federates.hems.understanding.answer import Answer, Context
from federates.hems.understanding.clocks import clocks
from federates.hems.understanding.compared import compared
from federates.hems.understanding.fragments import fragments, together
from federates.hems.understanding.readers import read_slot
from federates.hems.understanding.reading import Reading
from federates.hems.understanding.subjects import (
    has_name,
    named_sections,
    names_attribute,
)

_VOLUNTEERED: Final = frozenset(SlotKind) - {SlotKind.CHOICES}
"""Kinds of slots that can be answered without being asked; a set may be incomplete."""
_DEVICE, _ATTRIBUTE, _NEAR, _ASKED = 2.0, 1.0, 0.5, 0.5
_NAMELESS_ATTRIBUTE = 2.5
_PRESENCE: Final = re.compile(
    r"\b(?:home|house|out|away|empty|work(?:s|ing)?|leaves?|leaving|back|some(?:one|body)|"
    r"no ?body|everyone|(?:were|im|hes|shes|theyre|are|is|am) in)\b"
)
"""Says when somebody is in, not only which days are meant."""


@dataclass(frozen=True)
class Share:
    """A fragment, and the slot that its words name; None: it may be about any asked slot."""

    piece: Reading
    slot: Slot | None
    answer: Answer | None = None


def shared(reading: Reading, *, asked: Sequence[Slot], context: Context) -> list[Share]:
    """Return the fragments of a text, each with the slot its words name."""
    others = _others(asked, context=context)
    shares = [
        _claimed(piece, asked=asked, others=others, context=context) for piece in fragments(reading)
    ]
    return _merged(shares, context=context)


def _others(asked: Sequence[Slot], *, context: Context) -> list[Slot]:
    keys = {item.key for item in asked}
    applicable = {item.key for item in applicable_slots(context.known)}
    return [
        item
        for item in SLOTS
        if (item.key in applicable or item.key in context.known)
        and item.who is not Who.DERIVED
        and item.key not in keys
        and item.kind in _VOLUNTEERED
    ]


def _claimed(
    piece: Reading, *, asked: Sequence[Slot], others: Iterable[Slot], context: Context
) -> Share:
    """Return a fragment with the slot that its words name more clearly than any asked slot."""
    plain = piece.text
    for item in asked:
        if compared(piece, item=item, context=context) is not None:
            return Share(piece, item)
    sections = _sections(plain, asked=asked)
    scores = {item.key: _score(plain, item, sections=sections) + _ASKED for item in asked}
    least = max(scores.values(), default=0.0)
    best: list[tuple[float, Slot, Answer]] = []
    for score, item in _named_others(plain, asked=asked, others=others, sections=sections):
        if score <= least or _yields(item, piece, asked=asked, sections=sections, context=context):
            continue
        answer = read_slot(piece, item=item, context=context)
        if answer is not None and _counts_unasked(answer, item=item, asked=asked):
            best.append((score, item, answer))
    if best:
        return _winner(piece, best)
    named = [item for item in asked if scores[item.key] == least > _ASKED]
    if len(named) > 1:
        named = [item for item in named if _says_it(piece, item, context=context)]
    if len(named) == 1:
        return Share(piece, named[0])
    if asked and _is_about_another(sections, asked=asked):
        return Share(piece, _ELSEWHERE)
    return Share(piece, None)


def _says_it(piece: Reading, item: Slot, *, context: Context) -> bool:
    """Whether a fragment that names several asked slots alike has a value of this one."""
    answer = read_slot(piece, item=item, context=context)
    return answer is not None and answer.is_sure and answer.explicit


def _named_others(
    plain: str, *, asked: Sequence[Slot], others: Iterable[Slot], sections: tuple[str, ...]
) -> Iterator[tuple[float, Slot]]:
    """Yield the slots not asked that the words name, and how clearly."""
    near = set() if sections else {item.section for item in asked}
    asked_named = any(names_attribute(plain, item) for item in asked)
    for item in others:
        if not names_attribute(plain, item) or (asked_named and not has_name(item.section)):
            continue
        score = _score(plain, item, sections=sections)
        if has_name(item.section) and item.section not in sections:
            if item.section not in near:
                continue
            score += _NEAR
        yield score, item


def _yields(
    item: Slot,
    piece: Reading,
    *,
    asked: Sequence[Slot],
    sections: tuple[str, ...],
    context: Context,
) -> bool:
    """Whether a slot gives way to an asked one that the words answer as well."""
    if item.section not in sections and _stays_with_hours(
        item, piece, asked=asked, context=context
    ):
        return True
    if item.kind is SlotKind.CHOICE:
        chosen = [other for other in asked if other.kind is SlotKind.CHOICE]
        return any(read_slot(piece, item=other, context=context) is not None for other in chosen)
    if item.kind is not SlotKind.BOOLEAN or item.section in sections:
        return False
    # "Don't share my answers" is no answer to another yes/no question.
    others = [other for other in asked if other.kind is not SlotKind.BOOLEAN]
    found = [read_slot(piece, item=other, context=context) for other in others]
    return any(answer is not None and answer.is_sure for answer in found)


def _stays_with_hours(
    item: Slot, piece: Reading, *, asked: Sequence[Slot], context: Context
) -> bool:
    """Whether times of day belong to the hours asked for, whatever else is named beside them.

    "Cheap is 11 to 7" is no price, and "6 to 8 on weekdays" not yet when somebody is in.
    """
    hours = [other for other in asked if other.kind is SlotKind.INTERVALS]
    if not hours:
        return False
    if item.kind in NUMERIC_KINDS:
        found = clocks(piece.text, context=context, in_range=True)
        if len(found) > 1 or not found:
            return len(found) > 1
        answer = read_slot(piece, item=item, context=context)
        return answer is not None and not answer.explicit
    elsewhere = item.name.startswith("home_") and not any(
        other.section == item.section for other in hours
    )
    return elsewhere and _PRESENCE.search(piece.text) is None


def _winner(piece: Reading, best: list[tuple[float, Slot, Answer]]) -> Share:
    """Return the slot named most clearly; between equals only a unit decides what is recorded."""
    top = max(score for score, _, _ in best)
    winners = [(item, answer) for score, item, answer in best if score == top]
    if len(winners) > 1:
        with_unit = [pair for pair in winners if pair[1].unit and pair[1].explicit]
        if len(with_unit) != 1:
            return Share(piece, winners[0][0], None)
        winners = with_unit
    return Share(piece, winners[0][0], winners[0][1])


def _sections(plain: str, *, asked: Sequence[Slot]) -> tuple[str, ...]:
    """Return the sections named; "the car" is the second one where that was asked about."""
    found = named_sections(plain)
    second = any(item.section == "evs.2" for item in asked)
    if (
        second
        and "evs.1" in found
        and not re.search(r"\b(?:first|1st|other) (?:electric )?(?:car|1|ev)\b", plain)
    ):
        return tuple("evs.2" if section == "evs.1" else section for section in found)
    return found


_ELSEWHERE: Final = Slot(key="elsewhere.elsewhere", kind=SlotKind.TEXT, who=Who.DERIVED)
"""Stands for a slot that nobody can tell."""


def _is_about_another(sections: tuple[str, ...], *, asked: Sequence[Slot]) -> bool:
    """Whether a fragment names another appliance or car than those asked about."""
    own = {item.section for item in asked}
    rivals = {s for s in sections if s.startswith(("appliances.", "evs.", "battery", "generator"))}
    rival_kind = any(
        section.startswith(("appliances.", "evs.", "battery", "generator")) for section in own
    )
    return bool(rivals) and rival_kind and not rivals & own


def _score(plain: str, item: Slot, *, sections: tuple[str, ...]) -> float:
    """Return how clearly a text names a slot."""
    attribute = names_attribute(plain, item)
    if not has_name(item.section):
        return _NAMELESS_ATTRIBUTE if attribute else 0.0
    return (_DEVICE if item.section in sections else 0.0) + (_ATTRIBUTE if attribute else 0.0)


def _counts_unasked(answer: Answer, *, item: Slot, asked: Sequence[Slot]) -> bool:
    """Whether an answer nobody asked for is clear enough."""
    if not answer.is_sure:
        return bool(answer.values) and any(item.section == other.section for other in asked)
    if item.kind in NUMERIC_KINDS and item.kind is not SlotKind.INTEGER:
        same_kind = any(other.kind is item.kind for other in asked)
        return answer.explicit or same_kind
    return True


def _merged(shares: list[Share], *, context: Context) -> list[Share]:
    """Join neighbours about the same slot, such as "from 8" and "until 5"."""
    merged: list[Share] = []
    for share in shares:
        last = merged[-1] if merged else None
        if last is not None and (_key(last) == _key(share) or _goes_on(last, share, context)):
            piece = together([last.piece, share.piece])
            answer = None
            if last.slot is not None and last.slot is not _ELSEWHERE:
                answer = read_slot(piece, item=last.slot, context=context)
            merged[-1] = Share(piece, last.slot, answer)
        else:
            merged.append(share)
    return merged


def _goes_on(last: Share, share: Share, context: Context) -> bool:
    """Whether a fragment adds a stretch of the day: "from 12 to 2" and "from 5 to 8"."""
    if last.slot is None or last.slot.kind is not SlotKind.INTERVALS or share.slot is not None:
        return False
    return bool(clocks(share.piece.text, context=context))


def _key(share: Share) -> str:
    return "" if share.slot is None else share.slot.key


@dataclass(frozen=True)
class OwnText:
    """A text that may answer an asked slot."""

    reading: Reading
    is_named: bool
    """Its words name the slot."""


def own_texts(shares: list[Share], item: Slot) -> list[OwnText]:
    """Return the texts that may answer an asked slot, those that name it first.

    Neighbouring fragments that name the slot or nothing are one text.
    """
    runs: list[list[Share]] = [[]]
    for share in shares:
        if share.slot is None or share.slot.key == item.key:
            runs[-1].append(share)
        elif runs[-1]:
            runs.append([])
    found = [
        OwnText(
            together([share.piece for share in run]),
            is_named=any(share.slot is not None for share in run),
        )
        for run in runs
        if run
    ]
    return sorted(found, key=lambda text: not text.is_named)


def is_blank(plain: str) -> bool:
    """Return whether a text has no letter and no digit."""
    return re.search(r"[^\W_]", plain) is None
