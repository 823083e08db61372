"""Reading run folders."""

import numpy as np
import pytest

from gradmap.errors import ScenarioError
from scenarios.loading import dump_scenario, load_scenario
from scenarios.metrics import summarise
from scenarios.report import write_summary
from scenarios.results import aligned, open_run
from scenarios.schema import Scenario
from tests.report.run_folders import write_run, write_series

HOURLY = Scenario(time={"step_min": 60, "days": 1})


@pytest.fixture
def run(tmp_path):
    voltages = {"a.1": [1.0, 0.99, 0.98, 0.97], "b.2": [1.01, 1.02, 1.03, 1.04]}
    results = {
        "rule_based": {"v_pu": voltages},
        "no_control": {"v_pu": voltages, "p_kw": {"h0001": [1.0, 2.0, 3.0, 4.0]}},
    }
    prices = {"price_import_per_kwh": np.arange(24.0), "price_export_per_kwh": np.zeros(24)}
    inputs = {"environment": prices}
    return write_run(tmp_path / "run", scenario=HOURLY, results=results, inputs=inputs)


def test_frames_join_all_parts_with_local_time(run):
    frame = run["no_control"].v_pu
    assert frame.shape == (4, 2)
    assert list(frame.columns) == ["a.1", "b.2"]
    assert frame.index.name == "time"
    assert str(frame.index.tz) == "Europe/London"
    assert frame.loc["2025-03-18 03:00", "b.2"] == 1.04
    assert run["no_control"].p_kw["h0001"].tolist() == [1, 2, 3, 4]


def test_controllers_come_in_the_order_of_the_scenario(run):
    assert run.controllers == ("no_control", "rule_based")


def test_local_time_follows_the_clock_change(tmp_path):
    spring = Scenario(time={"start": "2025-03-30 00:00", "step_min": 60})
    run = write_run(
        tmp_path / "run", scenario=spring, results={"no_control": {"v_pu": {"a.1": [1.0] * 3}}}
    )
    assert run["no_control"].v_pu.index.strftime("%H:%M").tolist() == ["00:00", "02:00", "03:00"]


def test_a_part_of_the_time_can_be_read(run):
    frame = run.frame("no_control", "p_kw", start_s=3600, stop_s=3 * 3600)
    assert frame["h0001"].tolist() == [2, 3]


def test_unknown_quantities_and_controllers_name_the_known_ones(run):
    with pytest.raises(ScenarioError, match=r"'v_pv' is not recorded.*'p_kw', 'v_pu'"):
        run.frame("no_control", "v_pv")
    with pytest.raises(ScenarioError, match=r"controller 'magic'.*'no_control', 'rule_based'"):
        run["magic"]
    with pytest.raises(ScenarioError, match="does not exist"):
        open_run(run.folder / "nowhere")


def test_missing_files_are_named(run):
    (run.folder / "inputs" / "feeder.json").unlink()
    with pytest.raises(ScenarioError, match=r"no feeder\.json"):
        _ = run.feeder
    with pytest.raises(ScenarioError, match=r"no summary\.json"):
        _ = run.summary


def test_a_killed_run_without_run_json_still_opens(run):
    (run.folder / "no_control" / "run.json").unlink()
    assert run.run_info("no_control") == {}
    assert len(open_run(run.folder, scenario=HOURLY)["no_control"].v_pu) == 4


def test_a_run_opens_when_files_that_its_scenario_names_are_gone(run, tmp_path):
    homes = tmp_path / "homes.csv"  # was there when the run was made
    scenario = Scenario(time={"step_min": 60}, population={"households_file": homes})
    dump_scenario(scenario, run.folder / "scenario.yaml")
    opened = open_run(run.folder)
    assert opened.scenario.population.households_file == homes
    assert opened["no_control"].v_pu.shape == (4, 2)
    with pytest.raises(ScenarioError, match="does not exist"):
        load_scenario(run.folder / "scenario.yaml")


def test_series_of_different_part_lengths_are_walked_together(run):
    pairs = list(aligned(run.blocks("no_control", "p_kw"), run.input_blocks("environment")))
    assert np.concatenate([a.values[:, 0] for a, _ in pairs]).tolist() == [1, 2, 3, 4]
    assert np.concatenate([b.values[:, 0] for _, b in pairs]).tolist() == [0, 1, 2, 3]


def test_series_with_other_steps_are_refused(run, tmp_path):
    write_series(
        tmp_path / "run/no_control/results/q_kvar", {"h0001": [1, 1]}, dt_s=60, part_steps=9
    )
    with pytest.raises(ScenarioError, match="do not share their steps"):
        list(aligned(run.blocks("no_control", "p_kw"), run.blocks("no_control", "q_kvar")))


def test_the_summary_is_read_back_with_types(run):
    write_summary(run, {c: summarise(run, c) for c in run.controllers})
    assert run.summary.loc["no_control", "v_min_pu"] == 0.97
    assert run.summary["v_min_pu"].dtype == float
    assert run.summary.loc["rule_based", "v_max_node"] == "b.2"
