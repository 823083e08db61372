"""An interviewer without a language model: it records what rules understand, and asks the rest."""

from __future__ import annotations

from typing import Final

from federates.hems.interview.actions import (
    MAX_TEXT,
    MAX_WORDS,
    Ask,
    Clarify,
    Confirm,
    Mark,
    Record,
)
from federates.hems.interview.hearing import understood
from federates.hems.interview.interviewer import Proposal, View
from federates.hems.interview.state import InterviewState
from federates.hems.parameters.slot import Value
from federates.hems.parameters.slots import slot
from federates.hems.understanding.result import Finding, Intent, Understanding

RULES: Final = "rules"
_PUT_RIGHT: Final = "Let us put that right."


class RulesInterviewer:
    """Abstains where it is not sure; the agenda then asks again."""

    @property
    def name(self) -> str:
        """Return `rules`."""
        return RULES

    def next_action(self, view: View) -> Proposal:
        """Return the next step of the plan for this answer; the last one asks."""
        state = _before(view)
        plan = _plan(state, understood(state))
        return plan[min(len(view.steps), len(plan) - 1)]


def _before(view: View) -> InterviewState:
    """Return the interview as it was when the answer came, so that every step sees one plan."""
    past = view.state.past
    return view.state.with_(progress=past[-1]) if past else view.state


def _plan(state: InterviewState, answer: Understanding) -> list[Proposal]:
    """Return all steps for an answer."""
    exchange = state.exchanges[-1]
    message, text = exchange.message, exchange.text
    said = text.strip()[:MAX_WORDS] or "-"
    plan = [_recording(found) for found in sorted(answer.findings, key=_order)]
    for reason, keys in (
        ("unknown", answer.unknown),
        ("refused", answer.refused),
        ("absent", answer.absent),
    ):
        for key in keys:
            mark = {"key": key, "reason": reason, "words": said}
            plan.append(Proposal(action=Mark.model_validate(mark)))
    if answer.intent is Intent.YES and message.kind == "confirm":
        plan.append(Proposal(action=Confirm(words=said)))
    if answer.ambiguous:
        doubt = answer.ambiguous[0]
        plan.append(
            Proposal(
                action=Clarify(
                    keys=(doubt.key,),
                    text=doubt.question[:MAX_TEXT],
                    options=tuple(_plain(value) for value in doubt.readings),
                )
            )
        )
    elif answer.corrects is not None and answer.corrects not in {f.key for f in answer.findings}:
        plan.append(Proposal(action=Clarify(keys=(answer.corrects,), text=_PUT_RIGHT)))
    return [*plan, Proposal(action=Ask())]


def _recording(found: Finding) -> Proposal:
    action = Record(key=found.key, value=_plain(found.value), words=found.words[:MAX_WORDS] or "-")
    return Proposal(action=action, hedged=found.hedged, unit=found.unit[:40])


def _order(found: Finding) -> int:
    """Return the place in the agenda: what other slots need comes first."""
    return slot(found.key).order


def _plain(value: Value) -> object:
    """Return a value as JSON knows it."""
    return list(value) if isinstance(value, tuple) else value
