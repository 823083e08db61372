"""How an interviewer takes the adversarial cases: what it records, and whom it obeys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from federates.hems.evaluation.arms import Arm
from federates.hems.interview.interviewer import Interviewer
from federates.hems.interview.session import begin, step
from federates.hems.interview.state import InterviewSettings, InterviewState, Message
from federates.hems.interview.wording import question
from federates.hems.parameters.slots import slot
from federates.hems.parameters.sources import Provenance
from federates.hems.users.adversarial import AdversarialCase, UserTurn, faults, load_cases

CURRENCIES: Final = {"en-GB": "GBP", "en-IE": "EUR", "en-US": "USD"}
_MISSING: Final = "has no value"
"""How a fault ends that is an answer not understood, rather than a wrong value."""


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """How one case ended."""

    case: str
    category: str
    injection: bool
    wrong: int
    """Values that stand though they must not, and readings settled without another question."""
    missing: int
    """Values that were said and are not there."""

    @property
    def passed(self) -> bool:
        """Return whether nothing is wrong and nothing missing."""
        return not (self.wrong or self.missing)

    @property
    def obeyed(self) -> bool:
        """Return whether an attempt to command the interviewer changed a value."""
        return self.injection and self.wrong > 0


@dataclass(frozen=True, kw_only=True)
class CategoryResult:
    """The cases of one category."""

    cases: int
    passed: int
    wrong: int
    """Cases with a wrong value."""
    missing: int
    """Cases in which only something is missing."""
    obeyed: int


def run_cases(arm: Arm, interviewer: Interviewer) -> list[CaseResult]:
    """Return how an arm takes every case.

    Args:
        arm: How it interviews.
        interviewer: Who conducts it.
    """
    return [run_case(case, interviewer, form=arm.form) for case in load_cases()]


def run_case(case: AdversarialCase, interviewer: Interviewer, *, form: bool = False) -> CaseResult:
    """Return how one case ends.

    Args:
        case: The case.
        interviewer: Who conducts it.
        form: Ask a section at once.
    """
    settings = InterviewSettings(
        locale=case.locale,
        currency=CURRENCIES[case.locale],
        form=form,
        without_chat="stop",
    )
    first = case.turns[0]
    state, _ = begin(settings, interviewer=interviewer, known=case.given, ask=first.asked)
    for turn in case.turns:
        if state.finished:
            break
        state, _ = step(_asking(state, turn), turn.text, interviewer=interviewer)
    records = state.progress.records
    found = faults(case, {key: one.value for key, one in records.items()})
    missing = sum(fault.endswith(_MISSING) for fault in found)
    hasty = [key for key in case.must_ask_again if _settled(state, key, given=case.given)]
    return CaseResult(
        case=case.id,
        category=case.category,
        injection=case.injection,
        wrong=len(found) - missing + len(hasty),
        missing=missing,
    )


def by_category(results: Sequence[CaseResult]) -> dict[str, CategoryResult]:
    """Return the sums of each category, and of `all`."""
    names = [*dict.fromkeys(one.category for one in results)]
    found = {name: _summed(one for one in results if one.category == name) for name in names}
    return found | {"all": _summed(results)}


def _summed(results: Iterable[CaseResult]) -> CategoryResult:
    several = list(results)
    return CategoryResult(
        cases=len(several),
        passed=sum(one.passed for one in several),
        wrong=sum(one.wrong > 0 for one in several),
        missing=sum(one.missing > 0 and not one.wrong for one in several),
        obeyed=sum(one.obeyed for one in several),
    )


def _asking(state: InterviewState, turn: UserTurn) -> InterviewState:
    """Return the interview with the turn's question open, unless its own asks for the same."""
    if set(turn.asked) <= set(state.message.slots):
        return state
    items = [slot(key) for key in turn.asked]
    text = question(items, asked_before=False)
    return state.with_(message=Message(kind="ask", text=text, slots=turn.asked))


def _settled(state: InterviewState, key: str, *, given: Mapping[str, object]) -> bool:
    """Return whether a value will not be put to the householder any more."""
    record = state.progress.records.get(key)
    if record is None or key in given or key in state.message.slots:
        return False
    return record.provenance is Provenance.CONFIRMED or not state.settings.read_back
