"""One turn of an interviewer: steps until the householder is next, whatever goes wrong."""

from __future__ import annotations

from federates.hems.chat.model import ChatError, Usage
from federates.hems.interview.actions import Action
from federates.hems.interview.agenda import next_topic
from federates.hems.interview.applying import Applied, apply, described
from federates.hems.interview.interviewer import Interviewer, Proposal, View
from federates.hems.interview.recording import Outcome
from federates.hems.interview.rules_interviewer import RULES, RulesInterviewer
from federates.hems.interview.state import Event, InterviewState, Spent

_MAX_SHOWN = 400


def conversed(
    state: InterviewState, interviewer: Interviewer
) -> tuple[InterviewState, Applied | None]:
    """Return the interview after an answer was worked through, and the last step's wording.

    A language model that fails is replaced by rules for the turn; after `max_chat_failures` such
    turns in a row, or when the tokens are spent, it is given up.
    """
    rules = RulesInterviewer()
    if state.fallback or interviewer.name == RULES:
        return _steps(state, rules)
    if _tokens(state) >= state.settings.max_tokens:
        state = _given_up(state, f"its {state.settings.max_tokens} tokens are spent")
        return (state, None) if state.finished else _steps(state, rules)
    after, applied, failure = _guarded(state, interviewer)
    if failure is None:
        return after.with_(failures=0), applied
    after = after.with_(failures=state.failures + 1)
    if after.failures >= after.settings.max_chat_failures:
        after = _given_up(after, str(failure))
    return (after, None) if after.finished else _steps(after, rules)


def _guarded(
    state: InterviewState, interviewer: Interviewer
) -> tuple[InterviewState, Applied | None, ChatError | None]:
    """Return the interview after the steps of a language model, and its failure if it failed."""
    steps: list[tuple[Action, Outcome]] = []
    applied: Applied | None = None
    while len(steps) < state.settings.max_actions and _tokens(state) < state.settings.max_tokens:
        try:
            proposal = interviewer.next_action(_view(state, steps))
        except ChatError as exc:
            state = _paid(state, exc.usage)
            failed = Outcome(accepted=False, said=str(exc)[:_MAX_SHOWN])
            return _logged(state, interviewer.name, {"action": "failed"}, failed), None, exc
        state, applied = _step(_paid(state, proposal.usage), proposal, by=interviewer.name)
        repeats = (proposal.action, applied.outcome) in steps
        steps.append((proposal.action, applied.outcome))
        if applied.ends or repeats:
            break
    return state, applied, None


def _steps(
    state: InterviewState, interviewer: Interviewer
) -> tuple[InterviewState, Applied | None]:
    """Return the interview after the steps of rules, which cannot fail."""
    steps: list[tuple[Action, Outcome]] = []
    applied: Applied | None = None
    while len(steps) < state.settings.max_actions:
        proposal = interviewer.next_action(_view(state, steps))
        state, applied = _step(state, proposal, by=interviewer.name)
        steps.append((proposal.action, applied.outcome))
        if applied.ends:
            break
    return state, applied


def _step(state: InterviewState, proposal: Proposal, *, by: str) -> tuple[InterviewState, Applied]:
    """Return the interview after one action, with a line in its log."""
    applied = apply(state, proposal)
    state = state.with_(progress=applied.progress)
    return _logged(state, by, described(proposal.action), applied.outcome), applied


def _view(state: InterviewState, steps: list[tuple[Action, Outcome]]) -> View:
    return View(state=state, topic=next_topic(state), steps=tuple(steps))


def _logged(
    state: InterviewState, by: str, action: dict[str, object], outcome: Outcome
) -> InterviewState:
    event = Event(
        turn=state.turn - 1, by=by, action=action, accepted=outcome.accepted, outcome=outcome.said
    )
    return state.with_(events=(*state.events, event))


def _given_up(state: InterviewState, why: str) -> InterviewState:
    """Return the interview without its language model: on rules, or stopped."""
    outcome = Outcome(accepted=True, said=why[:_MAX_SHOWN])
    state = _logged(state, "code", {"action": "give_up_model"}, outcome)
    if state.settings.without_chat == "stop":
        return state.with_(finished="failed")
    return state.with_(fallback=why[:_MAX_SHOWN])


def _paid(state: InterviewState, usage: Usage) -> InterviewState:
    spent = state.spent
    return state.with_(
        spent=Spent(
            tokens_in=spent.tokens_in + usage.tokens_in,
            tokens_out=spent.tokens_out + usage.tokens_out,
            calls=spent.calls + usage.calls,
        )
    )


def _tokens(state: InterviewState) -> int:
    return state.spent.tokens_in + state.spent.tokens_out
