"""Optima of drawn days: kept, taken up again, and not believed without a replay."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from gradmap.baselines.centralised import OptimumSettings
from gradmap.baselines.optimum.results import OptimalDay
from gradmap.errors import ScenarioError
from scenarios.benchmarks.reference_case import optimum_days
from scenarios.benchmarks.reference_case.optimum_days import (
    DayOptima,
    draw_numbers,
    measure_optima,
    summarise_optima,
)
from scenarios.case import open_case
from scenarios.loading import load_scenario
from tests.cli.helpers import CommandLine
from tests.reference_case.small_case import write_small_scenario

SEED = 1
NUMBERS = draw_numbers(2, seed=SEED)


@pytest.fixture(scope="module")
def small_file(tmp_path_factory):
    return write_small_scenario(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def case(small_file):
    return open_case(load_scenario(small_file))


@pytest.fixture(scope="module")
def measured(case, tmp_path_factory):
    """Return two checked days and the folder that keeps their optima."""
    folder = tmp_path_factory.mktemp("optima")
    return measure_optima(DayOptima(case=case, folder=folder), numbers=NUMBERS), folder


@pytest.fixture
def searched(monkeypatch):
    """Return a list of the days whose optimum was sought, by their highest temperature."""
    calls = []
    real = optimum_days.optimise_day

    def spy(*args, **options):
        calls.append(args[3].temp_out_c.max().item())
        return real(*args, **options)

    monkeypatch.setattr(optimum_days, "optimise_day", spy)
    return calls


@pytest.fixture
def copied_store(measured, tmp_path):
    """Return the folder of optima as a copy, and its files by day."""
    folder = shutil.copytree(measured[1], tmp_path / "optima")
    return folder, dict(zip(NUMBERS, sorted(folder.rglob("*.npz")), strict=True))


@pytest.fixture
def gradmap(capsys):
    return CommandLine(capsys)


def _benchmark(gradmap, small_file, folder, *more):
    return gradmap(
        *("bench", "reference-case", "--scenario", small_file, "--days", "0"),
        *("--optimum-days", "2", "--optimum-seed", str(SEED), "--store", folder, *more),
    )


def test_the_days_are_proven_by_both_power_flows(measured):
    for day, number in zip(measured[0], NUMBERS, strict=True):
        assert (day.number, day.status, day.proven) == (number, "optimal", True)
        assert day.unconstrained_violation_pu > 1e-4, "the limits must bind"
        assert day.price_of_limits > 0
        assert -1e-5 < day.network.violation_pu <= 1e-6
        assert day.network.violation_opendss_pu == pytest.approx(day.network.violation_pu, abs=1e-7)
        assert day.network.voltage_difference_pu < 1e-7
        assert day.network.loading_opendss == pytest.approx(day.network.loading, rel=1e-5)
        assert day.unconstrained_bound <= day.bound <= day.cost
        assert day.comfort_k_h < 1e-6


def test_the_summary_holds_ratio_of_sums_and_mean_of_ratios(measured):
    days = measured[0]
    summary = summarise_optima(days)
    costs = [day.cost for day in days]
    free = [day.unconstrained_cost for day in days]
    assert (summary.n_days, summary.n_optimal, summary.n_proven) == (2, 2, 2)
    assert (summary.cost_min, summary.cost_max) == (min(costs), max(costs))
    assert summary.price_of_limits == pytest.approx(sum(costs) / sum(free) - 1)
    assert summary.price_of_limits_mean == pytest.approx(np.mean(np.divide(costs, free) - 1))


def test_a_second_call_computes_nothing_and_says_the_same(case, measured, searched):
    days, folder = measured
    assert measure_optima(DayOptima(case=case, folder=folder), numbers=NUMBERS) == days
    assert searched == []


def test_an_interrupted_series_computes_what_is_missing(case, measured, copied_store, searched):
    folder, files = copied_store
    files[NUMBERS[1]].unlink()
    seen = []
    again = measure_optima(DayOptima(case=case, folder=folder), numbers=NUMBERS, on_day=seen.append)
    assert searched == [case.days.sample("test", [NUMBERS[1]]).temp_out_c.max().item()]
    assert again == tuple(seen)
    assert again[0] == measured[0][0]
    assert again[1].cost == pytest.approx(measured[0][1].cost, rel=1e-9)


def test_optima_of_other_limits_or_settings_are_not_taken(case, measured, monkeypatch):
    def refuse(*_, **__):
        raise LookupError

    monkeypatch.setattr(optimum_days, "optimise_day", refuse)
    limits = dataclasses.replace(case.limits, loading_max=0.9)
    feeder = case.scenario.feeder.model_copy(update={"regulators": "as_defined"})
    acting = case.scenario.model_copy(update={"feeder": feeder})
    for other, settings in (
        (dataclasses.replace(case, limits=limits), OptimumSettings()),
        (dataclasses.replace(case, scenario=acting), OptimumSettings()),
        (case, OptimumSettings(with_loading=True)),
    ):
        with pytest.raises(LookupError):
            DayOptima(case=other, folder=measured[1], settings=settings).of(NUMBERS[0])


def test_a_spoiled_optimum_is_caught_by_the_replay(case, copied_store, gradmap, small_file):
    folder, files = copied_store
    stored = OptimalDay.load(files[NUMBERS[0]])
    dataclasses.replace(stored, p_kw=-0.2 * stored.p_kw).save(files[NUMBERS[0]])
    spoiled, sound = measure_optima(DayOptima(case=case, folder=folder), numbers=NUMBERS)
    assert spoiled.status == "optimal", "the file still says so"
    assert spoiled.network.violation_opendss_pu > 1e-4
    assert not spoiled.proven
    assert sound.proven
    ended = _benchmark(gradmap, small_file, folder)
    assert ended.code == 1
    assert "refuted" in ended.out
    assert "2 of 2 days optimal, 1 proven" in ended.out


def test_powers_that_keep_the_limits_but_cost_more_are_not_proven(case, copied_store):
    folder, files = copied_store
    stored = OptimalDay.load(files[NUMBERS[0]])
    dataclasses.replace(stored, bound=0.999 * stored.bound).save(files[NUMBERS[0]])
    day = measure_optima(DayOptima(case=case, folder=folder), numbers=NUMBERS[:1])[0]
    assert day.network.violation_opendss_pu < 1e-6
    assert day.gap == pytest.approx(1e-3, rel=0.1)
    assert not day.proven


def test_the_command_prints_the_same_as_json(gradmap, small_file, measured):
    ended = _benchmark(gradmap, small_file, measured[1], "--json")
    assert ended.code == 0
    document = json.loads(ended.out)
    assert document["hardness"] == document["speed"] == []
    assert document["optimum"]["seed"] == SEED
    assert document["optimum"]["days"] == [dataclasses.asdict(day) for day in measured[0]]
    assert document["optimum"]["summary"]["n_proven"] == 2


def test_days_are_drawn_by_seed_without_repeats_and_more_include_the_fewer():
    assert draw_numbers(30, seed=1) == draw_numbers(30, seed=1)
    assert draw_numbers(30, seed=1) != draw_numbers(30, seed=2)
    assert set(draw_numbers(10, seed=1)) < set(draw_numbers(30, seed=1))
    assert draw_numbers(1000, seed=1) == tuple(range(1000))
    with pytest.raises(ScenarioError, match="1001 test days"):
        draw_numbers(1001, seed=1)


def test_nothing_to_measure_is_said(gradmap):
    ended = gradmap("bench", "reference-case", "--days", "0")
    assert ended.code == 2
    assert "--optimum-days" in ended.err
