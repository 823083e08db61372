"""The bars of the reference case that need no optimum, on a few days."""

import json

import pytest

from scenarios.benchmarks.reference_case.environment_speed import measure_speed
from scenarios.benchmarks.reference_case.hardness import measure_hardness
from scenarios.case import open_case
from scenarios.cli.main import cli
from scenarios.loading import find_scenario, load_scenario


@pytest.fixture(scope="module")
def case():
    return open_case(load_scenario(find_scenario("ieee123_1000_agents")))


def test_simple_controllers_break_the_limits_on_most_days(case):
    names = ("no_control", "price_only")
    nothing, prices = measure_hardness(case, controllers=names, n_days=40, split="validation")
    assert nothing.both.share >= 0.8  # 0.92 of all test days
    assert prices.both.share >= 0.5  # 0.74
    assert prices.cost_per_day < nothing.cost_per_day
    assert nothing.comfort_k_h_per_day < 1.0
    assert nothing.v_min_pu[1] < 0.94 < 1.06 < nothing.v_max_pu[1]


def test_the_speed_is_measured_in_processes_of_their_own(case):
    (speed,) = measure_speed(case.scenario, sizes=(10,), batch=8, n_processes=2)
    assert speed.steps_per_s > 100
    assert speed.agent_steps_per_s == 10 * speed.steps_per_s


def test_the_command_prints_what_was_measured(capsys):
    arguments = "bench reference-case --days 2 --controllers no_control --json"
    cli.main(args=arguments.split(), standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    (row,) = document["hardness"]
    assert row["controller"] == "no_control"
    assert row["both"]["n_days"] == 2
