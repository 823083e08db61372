"""Every metric against numbers worked out by hand, with quarter-hours so that dt matters."""

import math
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from gradmap.errors import ScenarioError
from scenarios.metrics import METRICS, Summary, summarise
from scenarios.schema import Scenario
from tests.report.run_folders import write_run

QUARTER_HOURS = Scenario(limits={"exclude_buses": ["FLOAT"]})  # 15 min: dt = 0.25 h
ENVIRONMENT = {
    "price_import_per_kwh": np.r_[0.2, 0.4, 0.4, np.full(93, 0.2)],
    "price_export_per_kwh": np.full(96, 0.1),
}


def summary_of(tmp_path, quantities, *, scenario=QUARTER_HOURS, part_steps=2, **extra):
    """Summarise one controller; parts of two steps, so that every sum crosses a part."""
    inputs = {"environment": ENVIRONMENT} | extra.pop("inputs", {})
    run = write_run(
        tmp_path / "run", scenario=scenario, results={"c": quantities}, inputs=inputs,
        part_steps=part_steps, **extra,
    )  # fmt: skip
    return summarise(run, "c")


def test_voltage_metrics_count_nodes_times_hours(tmp_path):
    s = summary_of(
        tmp_path,
        {
            "v_pu": {
                "a.1": [0.94, 0.96, 0.93],  # below twice
                "a.2": [1.00, 1.06, 1.00],  # above once
                "b.1": [1.00, 1.00, 1.00],
                "dead.1": [0.0, 0.05, np.nan],  # not energised
                "float.1": [0.5, 0.5, 0.5],  # excluded
            }
        },
    )
    assert (s.v_min_pu, s.v_min_node, s.v_min_time) == (0.93, "a.1", "2025-03-18T00:30:00+00:00")
    assert (s.v_max_pu, s.v_max_node, s.v_max_time) == (1.06, "a.2", "2025-03-18T00:15:00+00:00")
    assert s.node_hours_below == 0.5
    assert s.node_hours_above == 0.25
    assert s.node_hours_outside == 0.75
    assert s.nodes_ever_outside_fraction == pytest.approx(2 / 3)
    assert s.node_hours_outside_range_b == 0.25  # 1.06 > 127/120
    assert s.hours == 0.75


def test_a_voltage_on_the_limit_is_inside(tmp_path):
    s = summary_of(tmp_path, {"v_pu": {"a.1": [0.95, 1.05]}})
    assert s.node_hours_outside == 0


def test_the_limits_are_those_of_the_scenario(tmp_path):
    tight = Scenario(limits={"v_min_pu": 0.98, "v_max_pu": 1.02})
    s = summary_of(tmp_path, {"v_pu": {"a.1": [0.97, 1.03, 1.0]}}, scenario=tight)
    assert (s.node_hours_below, s.node_hours_above) == (0.25, 0.25)


def test_unbalance_is_the_largest_deviation_from_the_mean_of_three(tmp_path):
    s = summary_of(
        tmp_path,
        {
            "v_pu": {
                "a.1": [1.0, 1.02], "a.2": [1.0, 0.99], "a.3": [1.0, 0.99],
                "b.1": [0.9, 0.9], "b.2": [1.1, 1.1],  # two phases do not count
            }
        },
    )  # fmt: skip
    assert s.voltage_unbalance_max_percent == pytest.approx(2.0)  # mean 1.0, 1.02 deviates 2 %
    assert s.voltage_unbalance_bus == "a"


def feeder_of(grounded, connections=()):
    """A feeder.json of three-phase buses {bus: grounded} and connection ids."""
    return {
        "source": "test", "regulators": "locked", "regulator_ids": [], "buses": [], "branches": [],
        "nodes": [{"id": f"{bus}.{p}", "bus": bus, "phase": p, "kv_base": 2.4, "grounded": on}
                  for bus, on in grounded.items() for p in (1, 2, 3)],
        "connections": [{"connection_id": c, "bus": c.partition(".")[0]} for c in connections],
    }  # fmt: skip


def test_floating_nodes_are_left_out_without_being_excluded(tmp_path):
    floating = {"f.1": [0.80, 0.80], "f.2": [1.10, 1.00], "f.3": [1.00, 1.00]}
    grounded = {"a.1": [1.02, 0.94], "a.2": [0.99, 1.00], "a.3": [0.99, 1.00]}
    b = {f"b.{p}": [1.0, 1.0] for p in (1, 2, 3)}
    s = summary_of(
        tmp_path,
        {"v_pu": grounded | b | floating, "connection_v_pu": {"a.1": [0.5, 0.5]}},
        feeder=feeder_of({"a": True, "b": True, "f": False}, ["a.1"]),
    )
    assert (s.v_min_pu, s.v_min_node) == (0.94, "a.1")
    assert (s.v_max_pu, s.v_max_node) == (1.02, "a.1")
    assert s.node_hours_outside == 0.25
    assert s.nodes_ever_outside_fraction == pytest.approx(1 / 6)
    # second step: mean 0.98, 0.94 is 4.08 % away; bus f would have had 17 %
    assert s.voltage_unbalance_max_percent == pytest.approx(100 * 0.04 / 0.98)
    assert s.voltage_unbalance_bus == "a"


def test_a_delta_feeder_is_judged_by_its_load_connections(tmp_path):
    legs = {"d.1.2": [1.01, 0.97], "d.2.3": [1.01, 0.98], "d.3.1": [0.98, 0.99], "e.3.1": [1, 0.94]}
    ids = [*legs, "x.1.2"]
    s = summary_of(
        tmp_path,
        {
            "v_pu": {f"{bus}.{p}": [0.8, 1.2] for bus in "sdex" for p in (1, 2, 3)},
            "connection_v_pu": legs | {"x.1.2": [1.2, 1.2]},
        },
        feeder=feeder_of({"s": True, "d": False, "e": False, "x": False}, ids),
        scenario=Scenario(limits={"exclude_buses": ["X"]}),
    )
    assert (s.v_min_pu, s.v_min_node, s.v_max_pu) == (0.94, "e.3.1", 1.01)
    assert s.node_hours_below == s.node_hours_outside == 0.25
    assert s.nodes_ever_outside_fraction == 0.25
    assert s.voltage_unbalance_max_percent == pytest.approx(2.0)  # first step: mean 1.00, 0.98
    assert s.voltage_unbalance_bus == "d"  # e has one leg only
    assert s.hours == 0.5


def test_half_of_the_nodes_grounded_is_not_enough_if_all_loads_float(tmp_path):
    quantities = {"v_pu": {"s.1": [1.0], "d.1": [0.7]}, "connection_v_pu": {"d.1.2": [0.97]}}
    half = {"s": True, "d": False}
    loads_float = summary_of(tmp_path / "a", quantities, feeder=feeder_of(half, ["d.1.2"]))
    assert (loads_float.v_min_pu, loads_float.v_min_node) == (0.97, "d.1.2")
    loads_half = summary_of(tmp_path / "b", quantities, feeder=feeder_of(half, ["s.1", "d.1.2"]))
    assert (loads_half.v_min_pu, loads_half.v_min_node) == (1.0, "s.1")


def test_nodes_without_power_do_not_make_a_feeder_float(tmp_path):
    feeder = feeder_of({"s": True, "off": False, "open": False})
    for node in feeder["nodes"]:
        node["energised"] = node["bus"] == "s"
    s = summary_of(tmp_path, {"v_pu": {"s.1": [0.99], "off.1": [0.3]}}, feeder=feeder)
    assert (s.v_min_pu, s.v_min_node) == (0.99, "s.1")


def test_a_folder_that_does_not_know_of_grounding_counts_every_node(tmp_path):
    feeder = feeder_of({"a": False})
    for node in feeder["nodes"]:
        del node["grounded"]
    s = summary_of(tmp_path, {"v_pu": {"a.1": [0.9]}}, feeder=feeder)
    assert (s.v_min_pu, s.v_min_node) == (0.9, "a.1")


def test_loading_metrics(tmp_path):
    s = summary_of(
        tmp_path, {"loading": {"line.x": [0.5, 1.2, 1.1], "transformer.y": [1.0, 1.3, 0.2]}}
    )
    assert (s.max_loading_fraction, s.max_loading_branch) == (1.3, "transformer.y")
    assert s.element_hours_overloaded == 0.75  # 1.0 itself is not over


def test_head_metrics_sum_the_phases(tmp_path):
    s = summary_of(
        tmp_path,
        {"head_power": {"p_kw_1": [10, -6, 2], "q_kvar_1": [9, 9, 9], "p_kw_2": [20, 2, 2]}},
    )
    assert (s.peak_kw, s.peak_time) == (30, "2025-03-18T00:00:00+00:00")
    assert (s.min_kw, s.min_time) == (-4, "2025-03-18T00:15:00+00:00")
    assert s.reverse_flow_hours == 0.25
    assert (s.energy_import_kwh, s.energy_export_kwh) == (8.5, 1.0)  # (30 + 4) / 4, 4 / 4
    assert s.load_factor == pytest.approx((30 - 4 + 4) / 3 / 30)


def test_losses_are_shares_of_head_import_and_household_export(tmp_path):
    s = summary_of(
        tmp_path,
        {
            "losses": {"p_kw": [1.0, 2.0, 1.0], "q_kvar": [5.0, 5.0, 5.0]},
            "head_power": {"p_kw_1": [12.0, 0.0, 4.0]},
            "p_kw": {"h1": [11.0, -8.0, 3.0], "h2": [0.0, 6.0, 0.0]},
        },
    )
    assert s.losses_kwh == 1.0
    assert s.losses_percent == pytest.approx(100 * 1.0 / (4.0 + 2.0))


def test_tap_operations_start_from_the_first_step_and_cross_parts(tmp_path):
    s = summary_of(tmp_path, {"taps": {"r1": [5, 5, 3, 4, 4], "r2": [0, 0, 0, 0, 1]}})
    assert s.tap_operations == 2 + 1 + 1


def test_import_is_bought_and_export_sold_at_each_household_and_step(tmp_path):
    s = summary_of(tmp_path, {"p_kw": {"h1": [4.0, 4.0, -4.0], "h2": [0.0, -8.0, 0.0]}})
    # h1: 1 kWh x 0.2 + 1 x 0.4 - 1 x 0.1; h2: -2 kWh x 0.1
    assert s.energy_cost == pytest.approx(0.5 - 0.2)
    assert s.bill_p50 == pytest.approx(0.15)
    assert s.bill_p5 == pytest.approx(-0.2 + 0.05 * 0.7)
    assert s.bill_p95 == pytest.approx(-0.2 + 0.95 * 0.7)


def test_total_cost_adds_fuel_and_wear(tmp_path):
    devices = {
        "generator": pd.DataFrame([{"agent_id": "h1.generator", "household_id": "h1",
                                    "fuel_per_kwh": 0.3, "fuel_quadratic_per_kw2h": 0.05}]),
        "battery": pd.DataFrame([{"agent_id": "h2.battery", "household_id": "h2",
                                  "wear_per_kwh": 0.02}]),
    }  # fmt: skip
    power = {"h2.battery": [4.0, -4.0, 0.0], "h1.generator": [-2.0, 0.0, -4.0]}
    s = summary_of(tmp_path, {"agent_p_kw": power, "p_kw": {"h1": [4.0]}}, devices=devices)
    assert s.fuel_cost == pytest.approx(0.25 * ((0.6 + 0.2) + (1.2 + 0.8)))
    assert s.wear_cost == pytest.approx(0.02 * 2.0)
    assert s.total_cost == pytest.approx(0.2 + s.fuel_cost + s.wear_cost)


def test_comfort_counts_kelvin_hours_and_homes(tmp_path):
    homes = pd.DataFrame(
        {"agent_id": ["x", "y", "z"], "household_id": ["x", "y", "z"],
         "temp_min_c": [20.0, 19.0, 19.0], "temp_max_c": [22.0, 22.0, 23.0]}
    )  # fmt: skip
    state = {"other": [0.0] * 3, "z": [20, 20, 20], "y": [23, 20, 20], "x": [19, 18, 21]}
    s = summary_of(tmp_path, {"state": state}, devices={"heat_pump": homes})
    assert s.comfort_below_kelvin_hours == 0.75
    assert s.comfort_above_kelvin_hours == 0.25
    assert s.comfort_homes_affected == 2


def test_overrides_are_requests_that_were_not_delivered(tmp_path):
    s = summary_of(
        tmp_path,
        {
            "request_kw": {"a": [1.0, 2.0, 3.0], "b": [0.0, 0.0, 1.0]},
            "agent_p_kw": {"b": [0.0, 0.0, 0.5], "a": [1.0 + 1e-9, 1.5, 3.0]},
        },
    )
    assert s.limit_override_agent_hours == 0.5


def test_ev_energy_is_missed_at_departures_only(tmp_path):
    vehicles = pd.DataFrame(
        [{"agent_id": "e", "household_id": "h", "soc_target": 0.9, "e_max_kwh": 50.0}]
    )
    s = summary_of(
        tmp_path,
        {"state": {"e": [0.2, 0.7, 0.7, 0.5, 0.95, 0.95, 0.1]}},
        devices={"ev_charger": vehicles},
        inputs={"ev_plugged_in": {"e": np.r_[1, 1, 0, 1, 1, 0, 1, np.ones(89)]}},
    )
    assert s.ev_unmet_kwh == pytest.approx(0.2 * 50)  # leaves with 0.7, later with 0.95


def test_curtailment_is_available_minus_delivered_solar(tmp_path):
    s = summary_of(
        tmp_path,
        {"pv_kw": {"h1": [0.0, 0.0, 0.0], "h2": [2.0, 3.0, 0.0]}},
        inputs={"pv_available_kw": {"h2": np.r_[2.0, 4.0, 2.0, np.zeros(93)]}},
    )
    assert s.pv_curtailed_kwh == 0.75


def test_part_length_does_not_change_any_metric(tmp_path):
    rng = np.random.default_rng(np.random.SeedSequence((3, 1)))
    quantities = {
        "v_pu": {f"b{i}.{p}": rng.normal(1, 0.03, 50) for i in range(4) for p in (1, 2, 3)},
        "p_kw": {f"h{i}": rng.normal(0, 2, 50) for i in range(7)},
        "taps": {"r": rng.integers(-3, 3, 50).astype(float)},
        "head_power": {"p_kw_1": rng.normal(0, 9, 50)},
    }
    whole = summary_of(tmp_path / "a", quantities, part_steps=100).as_dict()
    split = summary_of(tmp_path / "b", quantities, part_steps=7).as_dict()
    for name, value in whole.items():
        expected = value if isinstance(value, str) else pytest.approx(value, rel=1e-12, nan_ok=True)
        assert split[name] == expected, name


def test_what_was_not_recorded_is_missing_and_not_zero(tmp_path):
    s = summary_of(tmp_path, {"p_kw": {"h1": [1.0]}})
    for name in ("v_min_pu", "node_hours_outside", "losses_kwh", "peak_kw", "max_loading_fraction",
                 "element_hours_overloaded"):  # fmt: skip
        assert math.isnan(getattr(s, name)), name
    assert s.v_min_node == ""


def test_tables_of_another_run_are_refused(tmp_path):
    homes = pd.DataFrame(
        [{"agent_id": "gone", "household_id": "h", "temp_min_c": 19, "temp_max_c": 22}]
    )
    with pytest.raises(ScenarioError, match=r"the first is 'gone'"):
        summary_of(tmp_path, {"state": {"other": [1.0]}}, devices={"heat_pump": homes})


def test_every_metric_is_described():
    assert set(METRICS) == {item.name for item in fields(Summary)}
    for metric in METRICS.values():
        assert metric.definition.endswith(".")
        assert metric.label
