"""The conversation of `gradmap hems interview`: on a terminal, or with answers that stand ready.

Questions go to stderr, so that stdout holds nothing but the home file.
"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from federates.hems.interview.agenda import open_slots
from federates.hems.interview.session import unresolved
from federates.hems.interview.state import InterviewState, Message
from scenarios.cli.hems_files import Answers


class Terminal:
    """Says questions and takes answers."""

    def __init__(self, answers: Answers | None) -> None:
        """Prepare.

        Args:
            answers: That stand ready; None asks on the terminal.
        """
        self._answers = answers
        self._console = Console(stderr=True)

    def say(self, message: Message) -> None:
        """Show what is said to the householder; it may hold their words, so no markup is read."""
        self._console.print(f"\n{escape(message.text)}", highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Show a remark of the program."""
        self._console.print(f"[dim]{escape(text)}[/]", highlight=False, soft_wrap=True)

    def answer(self, message: Message, state: InterviewState) -> str | None:
        """Return the answer to a message, or None where answers have run out."""
        self.say(message)
        if self._answers is None:
            self.note(progress(state))
            try:
                return self._console.input("[bold]>[/] ")
            except EOFError:
                return None
        text = self._answers(message)
        if text is not None:
            self._console.print(f"> {escape(text)}", style="dim", highlight=False, soft_wrap=True)
        return text

    def fell_back(self, state: InterviewState) -> None:
        """Show why the language model did not understand the last answer, if rules had to."""
        for event in state.events:
            if event.turn == state.turn - 1 and event.action == {"action": "failed"}:
                self.note(f"Understood by rules, as the language model failed: {event.outcome}")

    def ended(
        self,
        state: InterviewState,
        *,
        out: Path | None,
        written: Path | None,
        save: Path | None,
    ) -> None:
        """Show how it ended and what was written.

        Args:
            state: The interview.
            out: Where the home should go.
            written: Where it went.
            save: Where the session is.
        """
        if not state.finished:
            self.note(f"The answers ended after {state.turn}; {progress(state)}")
        if state.fallback:
            self.note(f"Rules took over from the language model: {state.fallback}")
        left = unresolved(state)
        if left and state.finished != "done":
            self.note(f"{len(left)} things do not fit together yet.")
        if save is not None:
            again = "" if state.finished == "done" else " The same command goes on from there."
            self.note(f"Saved {save}.{again}")
        if written is None:
            return
        if written != out:
            self.note(f"The interview is not finished: {out} stays as it was, wrote {written}.")
        elif state.finished == "done":
            self.note(f"Wrote {out}. Next: gradmap hems schedule {out}")
        else:
            self.note(f"Wrote {out} with what is known; the rest has defaults.")


def progress(state: InterviewState) -> str:
    """Return how far the agenda is, in words."""
    left = len(open_slots(state.progress, state.settings))
    done = len(state.progress.records) + len(state.progress.declined)
    if not left:
        return f"{done} things noted, none open: checking what you said."
    return f"{done} things noted, {left} open so far. undo, skip, help, stop"
