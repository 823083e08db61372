"""One interview that several tabs look at: answers are taken one at a time, and in order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from federates.hems.interview.interviewer import Interviewer
from federates.hems.interview.session import reopened, step
from federates.hems.interview.state import InterviewState
from gradmap.errors import GradmapError, ScenarioError


class RefusedError(GradmapError):
    """An answer that is not taken; the message is for the householder."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The interview at one moment."""

    state: InterviewState
    version: int
    """Grows with every change, also of the fields below."""
    busy: bool = False
    """An answer is being worked on."""
    trouble: str = ""
    """Why the last change could not be written to a file; empty while all is well."""


class Conversation:
    """Holds an interview for any number of threads.

    Every answer names the turn it belongs to, so that a second click, a second tab or a repeated
    request never answers a question that was not on the screen.
    """

    def __init__(
        self,
        state: InterviewState,
        *,
        interviewer: Interviewer,
        keep: Callable[[InterviewState], None],
    ) -> None:
        """Prepare.

        Args:
            state: The interview, new or resumed.
            interviewer: Who conducts it.
            keep: Called after every change, to write it to files; may raise `ScenarioError`.
        """
        self._interviewer = interviewer
        self._keep = keep
        self._changing = threading.Lock()
        self._now = Snapshot(state=state, version=0)
        self._closed = False

    @property
    def now(self) -> Snapshot:
        """Return the interview as it is."""
        with self._changing:
            return self._now

    def answer(self, text: str, *, turn: int) -> None:
        """Take an answer.

        Args:
            text: What the householder said; anything goes.
            turn: How many answers there were when the question was shown.

        Raises:
            RefusedError: It belongs to another question, or another answer is being worked on.
        """
        self._change(turn, lambda state: step(state, text, interviewer=self._interviewer)[0])

    def go_on(self, *, turn: int) -> None:
        """Open an interview again that was stopped.

        Args:
            turn: How many answers there were when it was shown as stopped.

        Raises:
            RefusedError: It was not stopped, or has gone on since then.
        """
        self._change(turn, lambda state: reopened(state)[0])

    def save(self) -> None:
        """Write the files now; whether that worked stands in `Snapshot.trouble`."""
        with self._changing:
            if not self._closed:
                self._put(self._now.state, busy=self._now.busy)

    def close(self, *, turn: int | None = None) -> InterviewState:
        """Take no more answers, and return the interview; one being worked on is dropped.

        Args:
            turn: How many answers there were when the end was asked for; None: close anyway.

        Raises:
            RefusedError: The conversation has gone on since, or an answer is being worked on.
        """
        with self._changing:
            if turn is not None:
                self._check(turn)
            self._closed = True
            return self._now.state

    def _change(self, turn: int, change: Callable[[InterviewState], InterviewState]) -> None:
        """Put a changed interview in place of the present one; slow models leave reading free."""
        with self._changing:
            self._check(turn)
            state = self._now.state
            self._now = Snapshot(
                state=state,
                version=self._now.version + 1,
                busy=True,
                trouble=self._now.trouble,
            )
        try:
            state = change(state)
        except ScenarioError as exc:
            raise RefusedError("The conversation has ended; nothing was taken.") from exc
        finally:
            with self._changing:
                if not self._closed:
                    self._put(state, busy=False)

    def _check(self, turn: int) -> None:
        """Refuse what does not belong to the question on the screen."""
        if self._closed:
            raise RefusedError("The program is ending; your answer was not taken.")
        if self._now.busy:
            raise RefusedError("Your last answer is still being read; this one was not taken.")
        if turn != self._now.state.turn:
            raise RefusedError(
                "The conversation has gone on since, perhaps in another tab. Your answer was not "
                "taken; this is the question now."
            )

    def _put(self, state: InterviewState, *, busy: bool) -> None:
        """Set and write the interview; the lock is held."""
        trouble = ""
        try:
            self._keep(state)
        except ScenarioError as exc:
            trouble = str(exc)
        self._now = Snapshot(state=state, version=self._now.version + 1, busy=busy, trouble=trouble)
