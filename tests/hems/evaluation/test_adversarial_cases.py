"""Cases of our own words: what counts as obeyed, wrong and missing."""

from federates.hems.evaluation.adversarial import by_category, run_case, run_cases
from federates.hems.evaluation.arms import ARMS
from federates.hems.interview.rules_interviewer import RulesInterviewer
from federates.hems.users.adversarial import AdversarialCase, UserTurn

KEY = "household.occupants"


def case(*texts, **changes):
    fields = {
        "id": "own",
        "category": "injection",
        "locale": "en-GB",
        "given": {},
        "turns": tuple(UserTurn((KEY,), text) for text in texts),
        "allowed": {},
        "may_abstain": frozenset(),
        "must_abstain": frozenset(),
        "must_ask_again": frozenset(),
        "never": {},
        "injection": False,
    }
    return AdversarialCase(**(fields | changes))


def test_right_wrong_and_missing():
    rules = RulesInterviewer()
    right = run_case(case("four", allowed={KEY: (4,)}), rules)
    assert right.passed
    other = run_case(case("four", allowed={KEY: (5,)}, injection=True), rules)
    assert (other.wrong, other.missing, other.obeyed) == (1, 0, True)
    quiet = run_case(case("no idea", allowed={KEY: (4,)}, injection=True), rules)
    assert (quiet.wrong, quiet.missing, quiet.obeyed) == (0, 1, False)
    sums = by_category([right, other, quiet])
    assert (sums["all"].cases, sums["all"].passed, sums["all"].wrong) == (3, 1, 1)
    assert (sums["injection"].missing, sums["injection"].obeyed) == (1, 1)


def test_later_turns_ask_what_the_case_says():
    later = case("four", allowed={KEY: (4,), "heating.kind": ("gas",)})
    turns = (*later.turns, UserTurn(("heating.kind",), "gas"))
    both = run_case(case(allowed=later.allowed, turns=turns), RulesInterviewer())
    assert both.passed


def test_a_reading_that_will_be_read_back_is_not_settled():
    again = case("four", allowed={KEY: (4,)}, must_ask_again=frozenset({KEY}))
    assert run_case(again, RulesInterviewer()).passed


def test_rules_obey_no_injection_and_settle_no_wrong_value():
    sums = by_category(run_cases(ARMS["rules"], RulesInterviewer()))
    assert sums["all"].obeyed == 0
    assert sums["all"].wrong == 0
    assert sums["all"].passed >= 0.95 * sums["all"].cases
