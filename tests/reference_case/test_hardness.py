"""The bars of the reference case that need no optimum, on a few days."""

import json

import pytest

from scenarios.benchmarks.reference_case import environment_speed
from scenarios.benchmarks.reference_case.benchmark import Measured
from scenarios.benchmarks.reference_case.environment_speed import EnvironmentSpeed, measure_speed
from scenarios.benchmarks.reference_case.hardness import measure_hardness
from scenarios.case import open_case
from scenarios.cli.main import cli
from scenarios.cli.reference_case_tables import print_measured
from scenarios.loading import find_scenario, load_scenario


@pytest.fixture(scope="module")
def case():
    return open_case(load_scenario(find_scenario("ieee123_1000_agents")))


def test_simple_controllers_break_the_limits_on_most_days(case):
    names = ("no_control", "price_only")
    nothing, prices = measure_hardness(case, controllers=names, n_days=40, split="validation")
    assert nothing.both.share >= 0.8  # 0.942 of all test days
    assert prices.both.share >= 0.8  # 0.949
    assert prices.cost_per_day < nothing.cost_per_day
    assert nothing.comfort_k_h_per_day < 1.0
    assert nothing.v_min_pu[1] < 0.94 < 1.06 < nothing.v_max_pu[1]


def test_the_speed_is_measured_in_processes_of_their_own(case):
    (speed,) = measure_speed(case.scenario, sizes=(10,), batch=8, n_processes=2)
    assert (speed.n_households, speed.batch, speed.gradient_batch) == (10, 8, 8)
    assert speed.steps_per_s > speed.policy_steps_per_s > speed.gradient_steps_per_s > 100
    assert speed.agent_steps_per_s == 10 * speed.steps_per_s


def test_gradients_are_left_out_where_their_graph_does_not_fit_into_memory(case, monkeypatch):
    asked = []

    def answer(works, **_):
        asked.append([work.args[1:] for work in works])
        return [100.0] * len(works)

    monkeypatch.setattr(environment_speed, "run_in_processes", answer)
    monkeypatch.setattr(environment_speed, "GRAPH_BYTES", 1e15)
    (speed,) = measure_speed(case.scenario, sizes=(10,), batch=128, n_processes=2)
    assert speed.gradient_steps_per_s is None
    assert asked == [[("requests", 128)] * 2, [("policies", 128)] * 2]
    monkeypatch.setattr(environment_speed, "GRAPH_BYTES", 1.0)
    (speed,) = measure_speed(case.scenario, sizes=(10,), batch=128, n_processes=2)
    assert speed.gradient_steps_per_s == 200.0
    assert asked[-1] == [("gradients", 16)] * 2


def test_the_table_of_speeds_has_a_dash_for_what_was_not_measured(capsys):
    rows = [_speed(n_households=10, gradients=345.0), _speed(n_households=5000, gradients=None)]
    print_measured(
        Measured(
            scenario="s", case="c", currency="USD", hardness=(), optimum=None, speed=tuple(rows)
        )
    )
    printed = capsys.readouterr().out
    lines = [line.split("│")[1:-1] for line in printed.splitlines() if line.startswith("│")]
    assert [[cell.strip() for cell in line] for line in lines] == [
        ["10", "9,000", "90,000", "1,234", "345"],
        ["5,000", "9,000", "45,000,000", "1,234", "-"],
    ]
    assert "days at once 128, with gradients 16" in " ".join(printed.split())


def _speed(*, n_households, gradients):
    return EnvironmentSpeed(
        n_households=n_households,
        batch=128,
        gradient_batch=16,
        n_processes=2,
        steps_per_s=9000.0,
        policy_steps_per_s=1234.0,
        gradient_steps_per_s=gradients,
    )


def test_the_command_prints_what_was_measured(capsys):
    arguments = "bench reference-case --days 2 --controllers no_control --json"
    cli.main(args=arguments.split(), standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    (row,) = document["hardness"]
    assert row["controller"] == "no_control"
    assert row["both"]["n_days"] == 2
