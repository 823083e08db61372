"""What an interviewer is: it sees an interview and proposes the next step. Code carries it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from federates.hems.chat.model import Usage
from federates.hems.interview.actions import Action
from federates.hems.interview.agenda import Topic
from federates.hems.interview.recording import Outcome
from federates.hems.interview.state import InterviewState


@dataclass(frozen=True, kw_only=True)
class View:
    """What an interviewer sees before each step."""

    state: InterviewState
    """With the householder's latest answer, and everything recorded so far in this turn."""
    topic: Topic
    """What the agenda would talk about next."""
    steps: tuple[tuple[Action, Outcome], ...] = ()
    """The interviewer's own steps since the answer, and what came of them."""

    @property
    def text(self) -> str:
        """Return the householder's latest answer."""
        return self.state.exchanges[-1].text


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The next step, not carried out yet."""

    action: Action
    usage: Usage = field(default_factory=Usage)
    hedged: bool = False
    """The words of a `record` are vague."""
    unit: str = ""
    """Unit as said, where code has converted the value of a `record` already."""


class Interviewer(Protocol):
    """Somebody who conducts an interview, step by step, without a memory of its own."""

    @property
    def name(self) -> str:
        """Return what it is called in saved interviews."""

    def next_action(self, view: View) -> Proposal:
        """Return the next step.

        Raises:
            ChatError: A language model failed.
        """
