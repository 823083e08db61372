"""Carry out one action of an interviewer: change the progress, or say why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from federates.hems.interview.actions import (
    Action,
    Ask,
    Clarify,
    Confirm,
    Finish,
    LookUp,
    Mark,
    Record,
)
from federates.hems.interview.agenda import home_so_far, next_topic, open_slots
from federates.hems.interview.hearing import understood
from federates.hems.interview.interviewer import Proposal
from federates.hems.interview.look_up import look_up
from federates.hems.interview.recording import Outcome, filled, record, turn_of
from federates.hems.interview.state import Doubt, InterviewState, Progress, Recorded
from federates.hems.parameters.slot import Slot, Value
from federates.hems.parameters.slots import applicable, slot
from federates.hems.parameters.sources import Provenance
from federates.hems.parameters.stored import checked
from federates.hems.understanding.result import Intent
from gradmap.errors import ScenarioError

DOUBT: Final = "doubt"
_UNSURE: Final = "I am not sure what you mean."


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What came of an action."""

    progress: Progress
    outcome: Outcome
    text: str = ""
    """Own wording for the next question."""
    keys: tuple[str, ...] = ()
    """What that wording asks for."""
    ends: bool = False
    """The householder is next."""


def apply(state: InterviewState, proposal: Proposal) -> Applied:
    """Carry out a proposed action.

    Args:
        state: The interview, with the latest answer.
        proposal: What the interviewer wants.

    Returns:
        The new progress, or the old one with the reason why the action was refused.
    """
    try:
        return _carried_out(state, proposal)
    except ScenarioError as exc:
        return Applied(progress=state.progress, outcome=Outcome(accepted=False, said=str(exc)))


def described(action: Action) -> dict[str, object]:
    """Return an action as JSON for the log, without empty fields."""
    data = action.model_dump(mode="json")
    return {name: value for name, value in data.items() if value not in ("", [], None)}


def _carried_out(state: InterviewState, proposal: Proposal) -> Applied:
    """Return what came of an action.

    Raises:
        ScenarioError: It is refused; the message tells the interviewer why.
    """
    action = proposal.action
    match action:
        case Record():
            progress, said = record(state, action, hedged=proposal.hedged, unit=proposal.unit)
            applied = Applied(progress=progress, outcome=said)
        case Mark():
            applied = _mark(state, action)
        case Confirm():
            applied = _confirm(state, action)
        case Clarify():
            applied = _clarify(state, action)
        case LookUp():
            fact = look_up(state, action.topic, words=action.words)
            applied = Applied(progress=state.progress, outcome=Outcome(accepted=True, said=fact))
        case Ask():
            applied = _ask(state, action)
        case Finish():
            applied = _finish(state)
    return applied


def _mark(state: InterviewState, action: Mark) -> Applied:
    """Note why a slot has no value; whether a device is missing is asked."""
    progress, asked = state.progress, state.exchanges[-1].message.slots
    _in_latest(state, action.words)
    item = slot(action.key)
    if item.key not in asked or not applicable(item, progress.values):
        raise ScenarioError(f"`{item.key}` was not asked for; ask first.")
    if action.reason == "absent":
        without = _without_device(progress, item)
        if without is not None:
            said = "The householder is asked whether they really have no such device."
            return Applied(progress=without, outcome=Outcome(accepted=True, said=said))
    if item.key in progress.records:
        raise ScenarioError(f"`{item.key}` has a value; it stays.")
    progress = progress.with_(declined={**progress.declined, item.key: action.reason})
    return Applied(progress=progress, outcome=Outcome(accepted=True, said="Noted: no value."))


def _without_device(progress: Progress, item: Slot) -> Progress | None:
    """Return the progress with the doubt whether a device is there, or None for no device.

    "No dishwasher at night" and "no dishwasher" are too close to drop a device without asking.
    """
    section = item.section.split(".")
    device = {"evs": "ev", "appliances": section[-1]}.get(section[0], section[0])
    key, question = "household.devices", f"So you have no {device.replace('_', ' ')}."
    owned = progress.values.get(key, ())
    reading: Value = 1
    if item.section == "evs.2":
        key, question = "household.n_evs", "So you have one electric car."
    elif isinstance(owned, tuple) and device in owned:
        reading = tuple(str(kind) for kind in owned if kind != device)
    else:
        return None
    doubt = Doubt(question=question, readings=(reading,))
    return progress.with_(doubts={**progress.doubts, key: doubt})


def _confirm(state: InterviewState, action: Confirm) -> Applied:
    """Take what was read back as confirmed, if the householder clearly agreed."""
    message = state.exchanges[-1].message
    if message.kind != "confirm":
        raise ScenarioError("Nothing was read back; record what was said instead.")
    _in_latest(state, action.words)
    if understood(state).intent is not Intent.YES:
        raise ScenarioError("That is not a plain yes. Record what is different, or ask again.")
    keys = [key for key in message.proposed if not action.keys or key in action.keys]
    progress = state.progress
    sources = home_so_far(progress, state.settings).sources
    for key in keys:
        worked_out = message.about != DOUBT and key in sources
        if worked_out and sources[key].provenance is Provenance.INFERRED:
            continue  # stays worked out: later answers may change it
        entry = Recorded(
            value=message.proposed[key],
            provenance=Provenance.CONFIRMED,
            words=action.words,
            turn=state.turn - 1,
        )
        progress = _agreed(progress, key, entry=entry)
    if message.about != DOUBT and len(keys) == len(message.proposed):
        progress = progress.with_(agreed=(*progress.agreed, message.about))
    return Applied(progress=progress, outcome=Outcome(accepted=True, said="Confirmed."))


def _agreed(progress: Progress, key: str, *, entry: Recorded) -> Progress:
    """Return the progress with one value agreed to; what was said first keeps its words."""
    before = progress.records.get(key)
    if before is not None and before.value == entry.value:
        entry = before.model_copy(update={"provenance": Provenance.CONFIRMED, "hedged": False})
    return filled(progress, slot(key), entry)


def _clarify(state: InterviewState, action: Clarify) -> Applied:
    """Keep a doubt; the agenda asks about it next."""
    key, progress = action.keys[0], state.progress
    asked = state.exchanges[-1].message.slots
    readings = tuple(checked(key, option) for option in action.options)
    topics = {item.key for item in open_slots(progress, state.settings)}
    if key not in topics | set(asked) | set(progress.records):
        raise ScenarioError(f"`{slot(key).key}` is not a topic of this interview now.")
    if progress.asks.get(key, 0) > state.settings.max_asks + bool(readings):
        raise ScenarioError(f"`{key}` was asked often enough; go on with `ask`.")
    doubt = Doubt(question=action.text or _UNSURE, readings=readings)
    progress = progress.with_(doubts={**progress.doubts, key: doubt})
    outcome = Outcome(accepted=True, said="The householder is asked.")
    return Applied(progress=progress, outcome=outcome, ends=True)


def _ask(state: InterviewState, action: Ask) -> Applied:
    """Go on with the agenda, in the interviewer's own words where that is allowed."""
    topic = next_topic(state)
    if action.text and topic.free_wording:
        allowed = {item.key for item in open_slots(state.progress, state.settings)}
        section = slot(topic.message.slots[0]).section
        keys = action.keys or topic.message.slots
        wrong = [key for key in keys if key not in allowed or slot(key).section != section]
        if wrong:
            raise ScenarioError(
                f"Not now: {', '.join(wrong)}. Next on the agenda: "
                f"{', '.join(topic.message.slots)}."
            )
        outcome = Outcome(accepted=True, said="Asked.")
        return Applied(
            progress=state.progress, outcome=outcome, text=action.text, keys=keys, ends=True
        )
    said = "Asked in the agenda's words."
    return Applied(progress=state.progress, outcome=Outcome(accepted=True, said=said), ends=True)


def _finish(state: InterviewState) -> Applied:
    """End if nothing is left to do."""
    topic = next_topic(state)
    if topic.stage == "end":
        outcome = Outcome(accepted=True, said="The interview ends.")
        return Applied(progress=state.progress, outcome=outcome, ends=True)
    raise ScenarioError(
        f"Not yet. Next on the agenda: {', '.join(topic.message.slots)}. Use `ask`."
    )


def _in_latest(state: InterviewState, words: str) -> None:
    """Refuse words that are not in the latest answer.

    Raises:
        ScenarioError: They are not.
    """
    if turn_of(words, state.exchanges) != state.turn - 1:
        raise ScenarioError(f"{words[:80]!r} is not in the latest answer; quote it exactly.")
