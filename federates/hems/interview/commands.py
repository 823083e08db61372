"""What a householder can say at any time: undo, skip, repeat, help, stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from federates.hems.interview import wording
from federates.hems.interview.agenda import MAX_CONFLICT_ASKS, MAX_READ_BACKS
from federates.hems.interview.applying import DOUBT
from federates.hems.interview.state import InterviewState, Message, Progress
from federates.hems.parameters.slots import slot
from federates.hems.understanding.result import Intent

_UNDO_NEEDS: Final = 2
_EXACT: Final[Mapping[str, Intent]] = {
    "undo": Intent.UNDO,
    "back": Intent.UNDO,
    "go back": Intent.UNDO,
    "skip": Intent.SKIP,
    "next": Intent.SKIP,
    "pass": Intent.SKIP,
    "repeat": Intent.REPEAT,
    "help": Intent.HELP,
    "?": Intent.HELP,
    "stop": Intent.STOP,
    "quit": Intent.STOP,
    "exit": Intent.STOP,
}


def exact_command(text: str) -> Intent | None:
    """Return the command of an answer that is one word of the list and nothing else."""
    return _EXACT.get(text.strip().strip(".!\"'").lower())


def carry_out(state: InterviewState, intent: Intent) -> InterviewState | None:
    """Return the interview after a command, or None if the intent is no command.

    Args:
        state: The interview; its last exchange holds the command.
        intent: What the householder wants.
    """
    carry = _COMMANDS.get(intent)
    return None if carry is None else carry(state)


def repeated(state: InterviewState) -> Message:
    """Return the last message again, with help where there is some."""
    message = state.exchanges[-1].message
    known = [slot(key) for key in message.slots]
    if message.kind in ("confirm", "menu") or message.about:
        return message
    return message.model_copy(update={"text": wording.helped(known)}) if known else message


def _undo(state: InterviewState) -> InterviewState:
    """Take back the last answer that was not taken back yet, with all that came of it."""
    exchanges = list(state.exchanges)
    exchanges[-1] = exchanges[-1].model_copy(update={"undone": True})
    standing = [turn for turn, exchange in enumerate(exchanges) if not exchange.undone]
    if len(state.past) < _UNDO_NEEDS or not standing:
        return state.with_(exchanges=tuple(exchanges))
    last = standing[-1]
    exchanges[last] = exchanges[last].model_copy(update={"undone": True})
    # The last of `past` is from this very turn, the one before it from the answer to take back.
    return state.with_(
        progress=state.past[-2],
        past=state.past[:-2],
        exchanges=tuple(exchanges),
        message=exchanges[last].message,
    )


def _skip(state: InterviewState) -> InterviewState:
    """Leave what was asked at its default; leave what was read back or doubted as it is."""
    message, progress = state.exchanges[-1].message, state.progress
    if message.kind == "confirm" and message.about != DOUBT:
        counts = {**progress.read_backs, message.about: MAX_READ_BACKS}
        return state.with_(progress=progress.with_(read_backs=counts))
    if message.about and message.about != DOUBT:
        counts = {**progress.conflicts, message.about: MAX_CONFLICT_ASKS}
        return state.with_(progress=progress.with_(conflicts=counts))
    return state.with_(progress=_declined(progress, message))


def _declined(progress: Progress, message: Message) -> Progress:
    skipped = {key: "skipped" for key in message.slots if key not in progress.records}
    return progress.with_(declined={**progress.declined, **skipped})


def _stop(state: InterviewState) -> InterviewState:
    return state.with_(finished="stopped")


def _stay(state: InterviewState) -> InterviewState:
    return state


_COMMANDS: Final[Mapping[Intent, Callable[[InterviewState], InterviewState]]] = {
    Intent.UNDO: _undo,
    Intent.SKIP: _skip,
    Intent.STOP: _stop,
    Intent.HELP: _stay,
    Intent.REPEAT: _stay,
}
