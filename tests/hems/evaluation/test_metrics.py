"""Metrics, intervals and reliability on scores made by hand."""

import numpy as np
import pytest

from federates.hems.evaluation.bootstrap import Bootstrap
from federates.hems.evaluation.metrics import (
    GROUPINGS,
    accuracy_of,
    metrics,
    paired_difference,
    table,
)
from federates.hems.evaluation.scoring import DialogueScore, SlotScore


def dialogue(*slots, number=0, repeat=0, level="expert", ended="done", annotated=True):
    return DialogueScore(
        persona=f"p{number}",
        number=number,
        repeat=repeat,
        level=level,
        annotated=annotated,
        ended=ended,
        turns=10,
        tokens_in=0,
        tokens_out=0,
        rules_turns=0,
        out_of_range=0,
        slots=slots,
    )


RIGHT = SlotScore(key="pv.peak_kw", said_right=True, truth_right=True, recorded=True, asks=1)
WRONG = SlotScore(
    key="evs.1.arrival", said_right=False, truth_right=False, recorded=True, wrong=True, asks=3
)


def test_every_dialogue_weighs_the_same():
    scores = [
        dialogue(RIGHT, number=0),
        dialogue(RIGHT, WRONG, WRONG, WRONG, number=1, level="novice"),
    ]
    own = metrics(scores, seed=1)
    assert own["accuracy_said"].value == pytest.approx((1 + 0.25) / 2)
    assert own["accuracy_said.expert"].value == 1.0
    assert own["accuracy_said.novice"].value == 0.25
    assert own["wrong_but_valid"].value == pytest.approx(3 / 5)
    assert own["joint_said"].value == 0.5
    assert own["questions_per_slot"].value == pytest.approx((2 * 1 + 3 * 3) / 5)
    assert accuracy_of(dialogue(SlotScore(key="pv.peak_kw", asks=1))) is None


def test_tables_pool_slots_by_slot_kind_and_device():
    scores = [dialogue(RIGHT, WRONG, number=n) for n in range(3)]
    by_device = table(scores, by=GROUPINGS["device"], seed=1)
    assert set(by_device) == {"pv", "ev"}
    assert by_device["ev"]["said"].value == 0.0
    assert by_device["ev"]["said"].count == 3.0
    assert by_device["ev"]["file"].value is None
    assert set(table(scores, by=GROUPINGS["kind"], seed=1)) == {"power_kw", "clock"}
    machine = dialogue(SlotScore(key="appliances.dryer.night_ok", said_right=True))
    assert set(table([machine], by=GROUPINGS["device"], seed=1)) == {"dryer"}


def test_pass_k_is_the_chance_that_k_dialogues_all_pass():
    scores = [
        dialogue(RIGHT if n == 0 or repeat < 2 else WRONG, number=n, repeat=repeat)
        for n in range(2)
        for repeat in range(4)
    ]
    own = metrics(scores, seed=0)
    assert own["pass_1"].value == pytest.approx((1 + 2 / 4) / 2)
    assert own["pass_2"].value == pytest.approx((1 + 1 / 6) / 2)
    assert own["pass_3"].value == own["pass_4"].value == 0.5
    assert "pass_5" not in own


def test_what_is_not_annotated_is_judged_by_the_truth_only():
    score = dialogue(SlotScore(key="pv.peak_kw", truth_right=True, recorded=True), annotated=False)
    own = metrics([score], seed=0)
    assert own["accuracy_truth"].value == own["pass_1"].value == 1.0
    for name in ("accuracy_said", "joint_said", "wrong_but_valid", "invented"):
        assert own[name].value is None


def test_intervals_are_over_householders_and_repeat():
    rng = np.random.default_rng(5)
    values = (rng.random(400) < 0.8).astype(float)
    once, again = (Bootstrap(400, seed=3).ratio(values, np.ones(400)) for _ in range(2))
    assert once == again
    assert once != Bootstrap(400, seed=4).ratio(values, np.ones(400))
    spread = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert once.high - once.low == pytest.approx(2 * spread, rel=0.15)
    # Ten slots of a householder that agree are one observation, not ten.
    clustered = Bootstrap(400, seed=3).ratio(10 * values, np.full(400, 10.0))
    assert (clustered.low, clustered.high) == (once.low, once.high)


def test_paired_differences_use_common_householders():
    ours, theirs = {0: 1.0, 1: 0.9, 2: 0.5}, {0: 0.8, 1: 0.7, 3: 0.0}
    apart = paired_difference(ours, theirs, seed=0)
    assert apart.count == 2.0
    assert apart.value == pytest.approx(0.2)
    assert (apart.low, apart.high) == (pytest.approx(0.2), pytest.approx(0.2))
    assert paired_difference({}, theirs, seed=0).value is None
