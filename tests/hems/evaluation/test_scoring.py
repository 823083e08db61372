"""Scores of dialogues made by hand, with known answers."""

import pytest

from federates.hems.evaluation.dialogue import hold
from federates.hems.evaluation.disclosure import disclosure
from federates.hems.evaluation.metrics import metrics
from federates.hems.evaluation.scoring import score
from federates.hems.interview.rules_interviewer import RulesInterviewer
from federates.hems.interview.state import InterviewSettings
from federates.hems.users.dialogue import Reply
from tests.hems.evaluation.people import TRUTH, Person, persona

SETTINGS = InterviewSettings()


def scored(user, **settings):
    dialogue = hold(RulesInterviewer(), user, settings=InterviewSettings(**settings))
    return score(dialogue)


def of(found, key):
    return next(one for one in found.slots if one.key == key)


def test_a_plain_householder_is_understood_completely():
    found = scored(Person())
    assert found.complete
    assert found.all_said_right
    assert found.all_truth_right
    assert {one.key for one in found.slots if one.said_right} == set(TRUTH)
    assert found.out_of_range == found.rules_turns == found.tokens_in == 0
    own = metrics([found], seed=0)
    for name in ("accuracy_said", "accuracy_truth", "accuracy_file", "joint_said", "complete"):
        assert own[name].value == 1.0
    assert own["wrong_but_valid"].value == own["invented"].value == 0.0
    assert own["questions_per_slot"].value == 1.0
    assert own["turns"].value == found.turns
    assert own["accuracy_said.expert"].value is None


def test_what_was_recorded_but_not_said_is_wrong():
    key = "household.occupants"
    misheard = Reply("three", {key: 4})
    found = scored(Person(replies={key: misheard}))
    assert (of(found, key).said_right, of(found, key).truth_right) == (False, False)
    assert of(found, key).wrong
    assert not of(found, key).invented
    assert not found.all_said_right
    own = metrics([found], seed=0)
    assert own["accuracy_said"].value == pytest.approx(1 - 1 / len(TRUTH))
    assert own["wrong_but_valid"].count == sum(one.recorded for one in found.slots)
    assert own["wrong_but_valid"].value == pytest.approx(1 / own["wrong_but_valid"].count)


def test_a_value_that_nobody_disclosed_is_invented():
    key = "household.occupants"
    found = scored(Person(persona(unknown=[key]), replies={key: Reply("four")}))
    assert of(found, key).invented
    assert of(found, key).said_right is None
    assert of(found, key).truth_right is None
    assert not found.all_said_right


def test_agreeing_to_an_assumption_is_not_inventing():
    key = "household.floor_area_m2"
    found = scored(Person(persona(unknown=[key]), texts={key: None}))
    one = of(found, key)
    assert one.recorded  # a yes at the read-back
    assert not one.invented
    assert one.declined
    assert one.marked
    assert one.file_right is False  # 90 is assumed, 140 is true


def test_not_answering_is_seen_or_missed():
    area, built = "household.floor_area_m2", "household.built_year"
    silent = Reply("lovely weather, is it not", declined=frozenset({built}))
    user = Person(persona(unknown=[area]), texts={area: None}, replies={built: silent})
    own = metrics([scored(user)], seed=0)
    # The year is told when it is asked again, so only the area stays without an answer.
    assert (own["abstention_recall"].value, own["abstention_recall"].count) == (1.0, 1.0)
    assert own["abstention_precision"].value == 1.0


def test_a_slip_put_right_counts_as_repaired_and_one_left_does_not_count():
    key = "household.occupants"
    slip = Reply("three", {key: 3}, wrong=frozenset({key}))
    later = Reply("1985. Sorry, I said three people, we are four people.",
                  {key: 4, "household.built_year": 1985})  # fmt: skip
    found = scored(Person(replies={key: slip, "household.built_year": later}))
    assert of(found, key).repaired is True

    left = scored(Person(replies={key: slip}, unrepaired=[key]))
    one = of(left, key)
    assert (one.said_right, one.truth_right, one.file_right, one.wrong) == (None,) * 3 + (False,)
    assert left.all_said_right


def test_the_last_word_counts_and_doubt_stays():
    key = "evs.1.target"
    said = disclosure(
        [
            Reply("about 80", {key: 0.8}, hedged=frozenset({key})),
            Reply("no, 70", {key: 0.7}, wrong=frozenset({key})),
            Reply("75", {key: 0.75}),
            Reply("who knows", declined=frozenset({key, "pv.peak_kw"})),
        ]
    )
    assert said.said[key].value == 0.75
    assert said.said[key].hedged
    assert said.said[key].slipped
    assert not said.said[key].wrong
    assert said.declined == {"pv.peak_kw"}


def test_an_interview_that_ends_early_is_not_complete():
    found = scored(Person(), max_turns=4)
    assert found.ended == "budget"
    assert not found.complete
    assert not found.all_said_right
    assert of(found, "flexibility.priority").truth_right is False
    assert metrics([found], seed=0)["complete"].value == 0.0
