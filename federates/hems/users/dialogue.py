"""What an interviewer asks a simulated householder and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

QuestionKind = Literal["ask", "clarify", "confirm", "menu", "free"]

SlotValue = Any
"""A value in stored form: bool, int, float, str, tuple of str, or tuple of spans.

Loose on purpose: a realiser knows the kind of what it says; see `parameters.slots.Value`."""

_NOTHING: Mapping[str, SlotValue] = MappingProxyType({})


@dataclass(frozen=True)
class Question:
    """One turn of the interviewer.

    `ask` is a first question, `clarify` asks the same again, `confirm` reads values back, `menu`
    offers choices, `free` invites the householder to talk.
    """

    kind: QuestionKind
    slots: tuple[str, ...]
    text: str = ""
    proposed: Mapping[str, SlotValue] = field(default_factory=lambda: _NOTHING)
    """The values read back, by slot key. Only for `confirm`."""
    options: tuple[SlotValue, ...] = ()
    """Stored values in the order they are shown. Only for `menu`, which asks one slot."""


@dataclass(frozen=True)
class Reply:
    """One turn of the householder, with an annotation of exactly what the text says."""

    text: str
    disclosed: Mapping[str, SlotValue] = field(default_factory=lambda: _NOTHING)
    """Values in stored form by slot key; a later turn overrides an earlier one."""
    hedged: frozenset[str] = frozenset()
    """Disclosed slots said vaguely: a range, a rounding, a guess, a slip of the unit."""
    wrong: frozenset[str] = frozenset()
    """Disclosed slots that differ from the truth on purpose; repaired in a later turn."""
    declined: frozenset[str] = frozenset()
    """Asked slots answered with "no idea", a refusal or "we have none"."""
