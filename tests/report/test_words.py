"""What the report says in words, and its tables of interviewed homes."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from federates.hems.parameters import write
from scenarios.metrics import summarise
from scenarios.metrics.interviewed import summarise_interviewed
from scenarios.report.interviewed import interviewed_tables
from scenarios.report.words import in_words
from scenarios.schema import Scenario
from tests.hems.federation.homes import home
from tests.report.run_folders import plausible_run, write_run

NAMES = {"no_control": "No control", "hems": "Energy managers", "policy_trained": "Policy trained"}


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    scenario = Scenario(name="winter_day")
    folder = tmp_path_factory.mktemp("day") / "run"
    return plausible_run(folder, scenario=scenario, controllers=tuple(NAMES))


@pytest.fixture(scope="module")
def left_alone(day):
    return replace(
        summarise(day, "no_control"), node_hours_outside=100.0, peak_kw=4000.0, total_cost=1000.0
    )


def words_of(day, left_alone, **changes):
    summaries = {"no_control": left_alone, "hems": replace(left_alone, **changes)}
    return {one.controller: one for one in in_words(day, summaries, names=NAMES)}


def test_what_selfish_scheduling_does_to_voltages_is_said_plainly(day, left_alone):
    found = words_of(day, left_alone, node_hours_outside=145.0, peak_kw=6000.0, total_cost=190.0)
    assert "than under" not in found["No control"].what
    said = found["Energy managers"]
    assert "knows nothing of the network" in said.how
    assert "are outside 0.95 to 1.05 pu for 145.00 node-hours, 45 % more than" in said.what
    assert "6,000 kW" in said.what
    assert "50 % more" in said.what
    assert "190.00 GBP, 81 % less" in said.what
    assert "cheapest for each home is worse for the feeder than no control" in said.what
    assert "raises its peak" in said.what


def test_a_harmless_schedule_is_not_blamed(day, left_alone):
    said = words_of(day, left_alone, node_hours_outside=0.0, total_cost=-5.0)["Energy managers"]
    assert "stay within 0.95 to 1.05 pu" in said.what
    assert "worse" not in said.what
    assert "\u22125.00 GBP." in said.what  # no share of a sum that changes its sign


def test_of_what_was_not_recorded_nothing_is_said(day, left_alone):
    assert list(words_of(day, left_alone, peak_kw=math.nan)) == ["No control"]


def test_interviewed_homes_have_sums_and_a_line_each(tmp_path):
    households = pd.DataFrame({"household_id": ["h1", "h2"]})
    pumps = {
        "agent_id": ["h1.heat_pump", "h2.heat_pump"],
        "household_id": ["h1", "h2"],
        "temp_min_c": [19.0, 19.0],
        "temp_max_c": [23.0, 23.0],
    }
    hours = np.ones(4)
    run = write_run(
        tmp_path / "run",
        scenario=Scenario(name="two"),
        households=households,
        devices={"heat_pump": pd.DataFrame(pumps)},
        inputs={
            "environment": {
                "price_import_per_kwh": 0.4 * hours, "price_export_per_kwh": 0.1 * hours,
            }
        },
        results={
            "no_control": {
                "p_kw": {"h1": 2.0 * hours, "h2": -2.0 * hours},
                "agent_p_kw": {"h1.heat_pump": hours, "h2.heat_pump": hours},
                "state": {"h1.heat_pump": 18.0 * hours, "h2.heat_pump": 17.0 * hours},
            }
        },
    )  # fmt: skip
    assert interviewed_tables(run, run.controllers) is None
    (run.folder / "inputs" / "interviews").mkdir()
    write(home(), path=run.folder / "inputs" / "interviews" / "h2.yaml")
    dt_h = run.dt_h
    found = summarise_interviewed(run, "no_control", households=["h2"])
    assert found.energy_cost == pytest.approx(4 * dt_h * -2.0 * 0.1)
    assert found.comfort_k_h == pytest.approx(4 * dt_h * 2.0)
    tables = interviewed_tables(run, run.controllers)
    assert [row.label for row in tables.homes] == ["h2"]
    assert tables.homes[0].unit == "heat pump (all left to the home)"  # takes no part
    assert tables.homes[0].cells[0].shown == "\u22120.20"
    assert ": 1. Energy" in tables.note
