"""What was understood of one reply."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from federates.hems.parameters.slots import Value


class Intent(StrEnum):
    """What a householder does with a reply."""

    ANSWER = "answer"
    """Says something about a slot: a value, "no idea", "none of your business", "we have none"."""
    YES = "yes"
    """Agrees to a read-back."""
    NO = "no"
    """Rejects a read-back without saying what is right."""
    CORRECTION = "correction"
    """Replaces an earlier answer, see `Understanding.corrects`."""
    UNDO = "undo"
    SKIP = "skip"
    REPEAT = "repeat"
    HELP = "help"
    STOP = "stop"
    OFF_TOPIC = "off_topic"
    """Nothing that could be read as an answer."""
    EMPTY = "empty"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A value somebody said."""

    key: str
    value: Value
    """In stored form and within the slot's bounds."""
    words: str
    """The part of the text that says it, exactly as written."""
    hedged: bool = False
    """Said vaguely, or completed from the slot's context: read it back."""
    unit: str = ""
    """Unit as said or, if none was said, as assumed; empty for values without."""


@dataclass(frozen=True, kw_only=True)
class Ambiguity:
    """Words about a slot that allow several values, or one that should not be taken for granted."""

    key: str
    readings: tuple[Value, ...]
    """Candidate values in stored form; none where no reading fits the slot."""
    question: str
    """What to ask the householder."""
    words: str


@dataclass(frozen=True, kw_only=True)
class Understanding:
    """Everything understood of one reply. A key is in at most one of the tuples."""

    intent: Intent
    findings: tuple[Finding, ...] = ()
    unknown: tuple[str, ...] = ()
    """Asked slots the householder cannot tell or leaves to us."""
    refused: tuple[str, ...] = ()
    """Asked slots the householder will not tell."""
    absent: tuple[str, ...] = ()
    """Asked slots of a device they do not own."""
    ambiguous: tuple[Ambiguity, ...] = ()
    corrects: str | None = None
    """Slot of an earlier answer that was wrong; its new value is in `findings` if it was said."""
