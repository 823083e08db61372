"""What a householder let know, from the annotations of their replies: the last word counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from federates.hems.users.dialogue import Reply, SlotValue


@dataclass(frozen=True, kw_only=True)
class Said:
    """The last thing said about a slot."""

    value: SlotValue
    hedged: bool
    """The householder was vague about it in this or an earlier turn."""
    wrong: bool
    """Wrong on purpose, and not put right."""
    slipped: bool
    """Something wrong was said on purpose in an earlier turn, and put right since."""


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """Everything said in a dialogue."""

    said: dict[str, Said]
    """By slot."""
    declined: frozenset[str]
    """Asked slots that got an answer without a value, and never one with a value."""


def disclosure(replies: Sequence[Reply]) -> Disclosure:
    """Return what replies let know."""
    said: dict[str, Said] = {}
    for reply in replies:
        for key, value in reply.disclosed.items():
            before = said.get(key)
            wrong = key in reply.wrong
            said[key] = Said(
                value=value,
                hedged=key in reply.hedged or (before is not None and before.hedged),
                wrong=wrong,
                slipped=not wrong and before is not None and (before.wrong or before.slipped),
            )
    return Disclosure(said=said, declined=_all(reply.declined for reply in replies) - set(said))


def _all(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)
