"""The interview, turn by turn: `begin`, then `step` with every answer, then `outcome`.

The state is all there is: saved and resumed after any turn, the rest of the interview is the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

from federates.hems.interview import wording
from federates.hems.interview.agenda import (
    Topic,
    end_message,
    home_so_far,
    next_topic,
    pending_conflicts,
)
from federates.hems.interview.applying import DOUBT, Applied
from federates.hems.interview.commands import carry_out, exact_command, repeated
from federates.hems.interview.hearing import understood
from federates.hems.interview.interviewer import Interviewer
from federates.hems.interview.state import (
    Exchange,
    InterviewSettings,
    InterviewState,
    Message,
    Progress,
    recorded,
)
from federates.hems.interview.turn import conversed
from federates.hems.parameters.conflict import Conflict
from federates.hems.parameters.home_file import HomeFile
from federates.hems.parameters.slot import Who
from federates.hems.parameters.slots import slot
from federates.hems.understanding.result import Intent
from gradmap.errors import ScenarioError

MAX_ANSWER: Final = 4_000
"""Longer answers are cut. [characters]"""
_REORDERED: Final = re.compile(r"[\u202d\u202e][^\u202c]*\u202c?")
"""Text whose characters are shown in another order than they are stored: not what was meant."""
MAX_UNDO: Final = 8
_GREETING: Final = (
    'I ask about your home, so that its devices can be planned. You can always say "skip", "help", '
    '"undo" or "stop".'
)
_MOST_NOTED: Final = 6


def begin(
    settings: InterviewSettings,
    *,
    interviewer: Interviewer,
    known: Mapping[str, object] | None = None,
    ask: tuple[str, ...] = (),
) -> tuple[InterviewState, Message]:
    """Return a new interview and its first message.

    Args:
        settings: How it is held.
        interviewer: Who will conduct it.
        known: Values to start from, taken as confirmed.
        ask: Slots to ask first, instead of what the agenda has first; for studies.

    Raises:
        ScenarioError: A known value or a slot to ask is wrong.
    """
    progress = Progress(records=recorded(known or {}, words="known before the interview"))
    empty = Message(kind="free", text="")
    state = InterviewState(
        settings=settings, interviewer=interviewer.name, message=empty, progress=progress
    )
    topic = next_topic(state)
    if any(slot(key).who is Who.DERIVED for key in ask):
        raise ScenarioError(f"{', '.join(ask)}: derived slots are worked out, not asked; drop them")
    if ask:
        text = wording.question([slot(key) for key in ask], asked_before=False)
        topic = Topic(stage="open", message=Message(kind="ask", text=text, slots=ask))
    return _shown(state, topic, lead=_GREETING)


def step(
    state: InterviewState, text: str, *, interviewer: Interviewer
) -> tuple[InterviewState, Message]:
    """Return the interview after an answer, and what to say next.

    Args:
        state: The interview.
        text: What the householder said; anything goes.
        interviewer: Who conducts it.

    Raises:
        ScenarioError: The interview is over.
    """
    if state.finished:
        raise ScenarioError(
            f"the interview is over ({state.finished}); take its `outcome`, or `reopened` to go on"
        )
    before = state.progress
    state = state.with_(
        exchanges=(*state.exchanges, Exchange(message=state.message, text=tidy(text))),
        past=(*state.past, state.progress)[-MAX_UNDO:],
    )
    intent = _intent(state)
    commanded = carry_out(state, intent)
    if commanded is not None:
        return _after_command(commanded, intent)
    state = state.with_(progress=_without_doubt(state.progress, state.message))
    applied = None
    if intent is not Intent.EMPTY:
        state, applied = conversed(state, interviewer)
    if state.finished == "failed":
        return _ended(state)
    state = state.with_(progress=_given_up_on(state))
    return _next_message(state, applied, before=before)


def run(
    interviewer: Interviewer,
    answer: Callable[[Message], str],
    *,
    settings: InterviewSettings | None = None,
) -> InterviewState:
    """Return a whole interview.

    Args:
        interviewer: Who conducts it.
        answer: The householder: a message in, an answer out.
        settings: How it is held.
    """
    state, message = begin(settings or InterviewSettings(), interviewer=interviewer)
    while not state.finished:
        state, message = step(state, answer(message), interviewer=interviewer)
    return state


def reopened(state: InterviewState) -> tuple[InterviewState, Message]:
    """Return an interview that was stopped or failed, ready for the next answer."""
    if state.finished not in ("stopped", "failed"):
        raise ScenarioError(f"the interview is {state.finished or 'not over'}; nothing to reopen")
    return _shown(state.with_(finished=None, failures=0), next_topic(state))


def outcome(state: InterviewState) -> HomeFile:
    """Return the home, at any time: what was said, and defaults for the rest."""
    return home_so_far(state.progress, state.settings)


def unresolved(state: InterviewState) -> tuple[Conflict, ...]:
    """Return what does not fit together and was left as it is."""
    progress, settings = state.progress, state.settings
    settled = pending_conflicts(progress, settings, settled=True)
    return settled + pending_conflicts(progress, settings)


def tidy(text: str) -> str:
    """Return an answer without control characters and of limited length."""
    cut = text[: 4 * MAX_ANSWER].encode("utf-8", "replace").decode()
    cut = _REORDERED.sub(" ", cut)
    signs = (sign if unicodedata.category(sign)[0] != "C" else " " for sign in cut)
    return "".join(signs)[:MAX_ANSWER]


def _intent(state: InterviewState) -> Intent:
    """Return what the householder wants; an answer that holds a value is an answer."""
    text = state.exchanges[-1].text
    if not text.strip():
        return Intent.EMPTY
    command = exact_command(text)
    if command is not None:
        return command
    found = understood(state)
    return Intent.ANSWER if found.findings else found.intent


def _after_command(state: InterviewState, intent: Intent) -> tuple[InterviewState, Message]:
    """Return what to say after a command."""
    if state.finished:
        return _ended(state)
    if intent in (Intent.HELP, Intent.REPEAT) and state.turn < state.settings.max_turns:
        message = repeated(state) if intent is Intent.HELP else state.message
        return state.with_(message=message), message
    return _next_message(state, None, before=None)


def _next_message(
    state: InterviewState, applied: Applied | None, *, before: Progress | None
) -> tuple[InterviewState, Message]:
    """Return what to say next: what was noted, then the agenda's topic in the best words."""
    topic = next_topic(state)
    if state.turn >= state.settings.max_turns and topic.stage != "end":
        return _ended(state.with_(finished="budget"))
    own_text = tidy(applied.text).strip() if applied is not None and applied.ends else ""
    if applied is not None and own_text and topic.free_wording:
        worded = topic.message.model_copy(update={"text": own_text, "slots": applied.keys})
        topic = Topic(stage=topic.stage, message=worded)
    lead = _noted(state, before) if before is not None else ""
    return _shown(state, topic, lead=lead)


def _shown(
    state: InterviewState, topic: Topic, *, lead: str = ""
) -> tuple[InterviewState, Message]:
    """Return the interview with a message said, counted and waiting for an answer."""
    message, progress = topic.message, state.progress
    match topic.stage:
        case "end":
            state = state.with_(finished="done")
        case "conflict":
            progress = progress.with_(conflicts=_more(progress.conflicts, (message.about,)))
        case "read_back":
            progress = progress.with_(read_backs=_more(progress.read_backs, (message.about,)))
        case _:
            progress = progress.with_(asks=_more(progress.asks, message.slots))
    if topic.stage == "doubt":
        message = message.model_copy(update={"about": DOUBT})
    if lead:
        message = message.model_copy(update={"text": f"{lead}\n{message.text}"})
    state = state.with_(progress=progress, message=message)
    return state, message


def _ended(state: InterviewState) -> tuple[InterviewState, Message]:
    message = end_message(state, state.finished or "done")
    return state.with_(message=message), message


def _without_doubt(progress: Progress, message: Message) -> Progress:
    """Return the progress without the doubt that was just put to the householder."""
    left = {key: doubt for key, doubt in progress.doubts.items() if key not in message.slots}
    return progress.with_(doubts=left)


def _given_up_on(state: InterviewState) -> Progress:
    """Return the progress where slots asked too often keep their default."""
    progress, message = state.progress, state.exchanges[-1].message
    tired = {
        key: "gave_up"
        for key in message.slots
        if progress.asks.get(key, 0) > state.settings.max_asks
        and key not in progress.records
        and key not in progress.declined
        and key not in progress.doubts
    }
    return progress.with_(declined={**progress.declined, **tired}) if tired else progress


def _noted(state: InterviewState, before: Progress) -> str:
    """Return what this turn wrote down in the householder's words, so that slips show."""
    fresh = {
        key: record.value
        for key, record in state.progress.records.items()
        if key not in before.records or before.records[key].value != record.value
    }
    shown = dict(list(fresh.items())[:_MOST_NOTED])
    units = {key: state.progress.records[key].unit for key in shown}
    return wording.noted(shown, currency=state.settings.currency, units=units)


def _more(counts: Mapping[str, int], names: tuple[str, ...]) -> dict[str, int]:
    return {**counts, **{name: counts.get(name, 0) + 1 for name in names}}
