"""The reuse study goes on where it was, and compares what it says it compares."""

import json
from dataclasses import replace

import pytest

from scenarios.study.reuse import GRADMA, GRADMAP, Reuse, best_choice, summarise
from scenarios.study.reuse_run import Point, ReuseRun, Target
from tests.cli.helpers import CommandLine
from tests.small_case import write_small_scenario

SMALL = ("--set=batch_days=1", "--set=pool_days=2", "--set=epochs=2")


def run(method, rate, seed, *, calls, reached=True):
    point = Point(
        calls=calls,
        seconds=0.2 * calls,
        processor_s=0.1 * calls,
        cost=1.0,
        violation_pu=0.0,
        n_violating=0,
    )
    return ReuseRun(
        method=method, rate=rate, max_looks=90, seed=seed, reached=reached, points=(point,)
    )


def test_the_rate_with_the_fewest_gradients_in_the_median_is_compared():
    runs = [
        *(run(GRADMAP, 5e-3, seed, calls=10) for seed in range(3)),
        # Fast once, and twice never there: its median is infinite.
        run(GRADMA, 1e-2, 0, calls=20),
        *(run(GRADMA, 1e-2, seed, calls=90, reached=False) for seed in (1, 2)),
        *(run(GRADMA, 1e-3, seed, calls=60 + seed) for seed in range(3)),
        *(run(GRADMA, 2e-3, seed, calls=30 + 10 * seed) for seed in range(3)),
    ]
    assert best_choice(runs) == (2e-3, 90)
    assert best_choice([one for one in runs if one.method == GRADMAP]) is None


def test_ratios_pair_the_same_seeds(small_case):
    runs = [
        run(GRADMAP, 5e-3, 0, calls=10),
        run(GRADMAP, 5e-3, 1, calls=20),
        run(GRADMAP, 5e-3, 2, calls=90, reached=False),
        *(run(GRADMA, 1e-3, seed, calls=60) for seed in range(3)),
    ]
    asked = Reuse(
        seeds=(0, 1, 2), rates=(1e-3,), target=Target(cost=1.0, violation_pu=0.0), max_looks=90
    )
    found = summarise(small_case, asked, runs)
    assert found.n_pairs == 2
    assert (found.calls_ratio.median, found.calls_ratio.least, found.calls_ratio.most) == (
        4.5,
        3,
        6,
    )
    assert found.seconds_ratio.median == pytest.approx(4.5)
    ours = found.rows[0]
    assert (ours.method, ours.n_seeds, ours.n_reached, ours.calls.median) == (GRADMAP, 3, 2, 15)


def test_methods_share_all_settings_but_method_rate_and_length():
    asked = Reuse(
        seeds=(3,),
        rates=(1e-3, 2e-3),
        target=Target(cost=1.0, violation_pu=0.0),
        max_looks=9,
        gradma_looks=(9, 18),
    )
    ours, *others = (task.settings for task in asked.tasks())
    choices = [(one.learning_rate, one.iterations) for one in others]
    assert choices == [(1e-3, 9), (1e-3, 18), (2e-3, 9), (2e-3, 18)]
    for one in others:
        assert one.method == "backprop"
        same = {"method": "proximal", "learning_rate": ours.learning_rate}
        assert one.updated({**same, "iterations": 9, "validate_every": 9}) == ours


def test_the_command_trains_what_is_missing_only(tmp_path, capsys):
    gradmap = CommandLine(capsys)
    scenario = write_small_scenario(tmp_path)
    results = tmp_path / "results"
    easy = ("--target-cost", "1e9", "--target-violation-pu", "1", "--max-looks", "2")
    call = ("study", "reuse", scenario, *easy, *SMALL, "--validation-days", "1")
    some = (*call, "--validate-every", "1", "--results", results, "--seeds", "0")
    first = gradmap(*some, "--rates", "1e-3")
    assert first.code == 0, first.err
    assert "GradMA needs 1.00 (1.00 to 1.00) times the gradients" in first.out
    before = {file: file.stat().st_mtime_ns for file in (results / "reuse").iterdir()}
    assert len(before) == 2
    more = gradmap(*some, "--rates", "1e-3,2e-3", "--json", "--out", tmp_path / "figures")
    after = {file: file.stat().st_mtime_ns for file in (results / "reuse").iterdir()}
    assert len(after) == 3
    assert before.items() <= after.items()
    document = json.loads(more.out)
    assert [row["n_reached"] for row in document["rows"]] == [1, 1, 1]
    assert all(one["points"][-1]["calls"] == 1 for one in document["runs"])
    assert (tmp_path / "figures" / "reuse.svg").is_file()


def test_a_target_out_of_reach_and_wrong_options_are_told(tmp_path, capsys):
    gradmap = CommandLine(capsys)
    scenario = write_small_scenario(tmp_path)
    call = ("study", "reuse", scenario, *SMALL, "--validation-days", "1", "--max-looks", "1")
    hard = ("--target-cost", "1", "--target-violation-pu", "0", "--results", tmp_path)
    ended = gradmap(*call, *hard, "--seeds", "0", "--rates", "1e-3")
    assert (ended.code, "nothing can be compared" in ended.out) == (1, True)
    for wrong in (("--seeds", "0,0"), ("--rates", "fast"), ("--rates", "0"), ("--seeds", "-1")):
        ended = gradmap(*call, *hard, *wrong)
        assert (ended.code, "each once, with commas" in ended.err) == (2, True)
    ended = gradmap(*call, *hard, "--set", "seed=3")
    assert (ended.code, "the study sets it itself" in ended.err) == (2, True)


def test_a_kept_training_answers_every_target_it_came_by():
    points = tuple(
        Point(
            calls=calls,
            seconds=1.0,
            processor_s=1.0,
            cost=cost,
            violation_pu=0.001,
            n_violating=1,
        )
        for calls, cost in ((5, 9.0), (10, 7.0), (15, 6.0))
    )
    kept = ReuseRun(method=GRADMAP, rate=1e-2, max_looks=40, seed=0, reached=True, points=points)
    easier = kept.towards(Target(cost=8.0, violation_pu=0.002))
    assert (easier.reached, easier.last.calls) == (True, 10)
    harder = Target(cost=5.0, violation_pu=0.002)
    assert kept.towards(harder) is None
    whole = replace(kept, max_looks=15).towards(harder)
    assert (whole.reached, whole.last.calls) == (False, 15)
