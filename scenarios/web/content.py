"""What the page shows of an interview, as plain values for JSON; the page adds no words to them."""

from __future__ import annotations

from typing import Any, Final

from federates.hems.interview.agenda import open_slots
from federates.hems.interview.session import outcome, unresolved
from federates.hems.interview.state import InterviewState
from federates.hems.interview.wording import name_words, section_words, value_words
from federates.hems.parameters.slot import Slot, Value, Who
from federates.hems.parameters.slots import slot
from federates.hems.parameters.sources import Provenance, Source
from scenarios.web.conversation import Snapshot

_DECLINED: Final = {
    "unknown": "you did not know",
    "refused": "you would rather not say",
    "absent": "you have none",
    "skipped": "you skipped it",
    "gave_up": "asked without an answer",
}


def content(now: Snapshot) -> dict[str, Any]:
    """Return what the page shows.

    Args:
        now: The interview. Everything the householder said stands in here as they said it: show
            it as text, never as markup.
    """
    state = now.state
    exchanges = [
        {"asked": one.message.text, "said": one.text, "undone": one.undone}
        for one in state.exchanges
    ]
    return {
        "version": now.version,
        "busy": now.busy,
        "trouble": now.trouble,
        "turn": state.turn,
        "finished": state.finished or "",
        "exchanges": exchanges,
        "asked": state.message.text,
        "choices": _choices(state),
        "progress": _progress(state),
        "sections": _sections(state),
        "conflicts": [one.question for one in unresolved(state)],
        "fallback": state.fallback,
    }


def _choices(state: InterviewState) -> list[dict[str, str]]:
    """Return answers that one click gives: a yes to what was read back, a line of a menu."""
    message, currency = state.message, state.settings.currency
    if state.finished:
        return []
    if message.kind == "confirm":
        return [{"say": "yes", "words": "Yes, that is right"}]
    return [
        {"say": str(number), "words": value_words(slot(message.slots[0]), value, currency=currency)}
        for number, value in enumerate(message.options, start=1)
    ]


def _progress(state: InterviewState) -> dict[str, Any]:
    """Return how far the agenda is; what is open grows with every device."""
    left = len(open_slots(state.progress, state.settings))
    done = len(state.progress.records) + len(state.progress.declined)
    noted = "1 thing noted" if done == 1 else f"{done} things noted"
    if state.finished == "done":
        words = f"Finished: {noted}"
    elif state.finished:
        words = f"Stopped: {noted}, {left} open"
    elif left:
        words = f"{noted}, {left} open so far"
    else:
        words = f"{noted}, checking them with you"
    return {"done": done, "all": done + left, "words": words}


def _sections(state: InterviewState) -> list[dict[str, Any]]:
    """Return the parameters of the home by section, in the order of the agenda."""
    home = outcome(state)
    rows: dict[str, list[dict[str, Any]]] = {}
    for key, value in home.values.items():
        row = _row(state, slot(key), value=value, source=home.sources[key])
        rows.setdefault(slot(key).section, []).append(row)
    return [
        {
            "name": section_words(section),
            "agreed": section in state.progress.agreed,
            "rows": of_section,
        }
        for section, of_section in rows.items()
    ]


def _row(state: InterviewState, item: Slot, *, value: Value, source: Source) -> dict[str, Any]:
    """Return one parameter with where it came from."""
    progress = state.progress
    said = source.provenance in (Provenance.STATED, Provenance.CONFIRMED)
    expert = item.who is Who.EXPERT and not state.settings.expert
    nobodys = item.who is Who.DERIVED or expert
    declined = "" if said else _DECLINED.get(progress.declined.get(item.key, ""), "")
    return {
        "key": item.key,
        "name": name_words(item),
        "value": value_words(item, value, currency=state.settings.currency),
        "provenance": source.provenance.value,
        "words": source.words if said else "",
        "declined": declined,
        "unclear": item.key in progress.doubts,
        "minor": nobodys and item.key not in progress.records,
    }
