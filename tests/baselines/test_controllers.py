"""Baseline controllers: what each rule does, and that every agent acts on its own row only."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gradmap.baselines.no_control import NoControl
from gradmap.baselines.registry import make_controller
from gradmap.baselines.rule_based import RuleBased, RuleSettings, Window, clock_offset_h
from gradmap.devices.fleet import Fleet
from gradmap.errors import ScenarioError
from gradmap.observations import INDEX
from tests.devices.populations import DT_H, fleet_of, random_observations, surroundings

ON_TIME = RuleSettings(clock_jitter_h=0.0)
QUIET = {
    "hour": 12.0,
    "price_import_per_kwh": 0.25,
    "price_export_per_kwh": 0.1,
    "temp_out_c": 5.0,
    "base_load_kw": 0.5,
    "pv_kw": 0.0,
    "v_pu": 1.0,
    "state": 0.5,
    "plugged_in": 1.0,
    "departure_h": 0.0,
    "day_of_week": 1.0,
}


def observe(fleet: Fleet, **features: float) -> torch.Tensor:
    """The same observation for every agent of a one-kind fleet."""
    values = {**QUIET, **features}
    row = torch.tensor([values[name] for name in INDEX], dtype=torch.float64)
    return row.repeat(fleet.n_agents, 1)


def rule(kind: str, **features: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Request of a one-kind fleet by the rules, and its rating."""
    fleet = fleet_of(2, kinds=(kind,))
    request_kw = RuleBased(fleet, settings=ON_TIME).act(observe(fleet, **features))
    return request_kw, fleet.groups[0].device.params.p_max_kw


def uncontrolled(kind: str, **features: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Request of a one-kind fleet without control, and its rating."""
    fleet = fleet_of(2, kinds=(kind,))
    return NoControl(fleet).act(observe(fleet, **features)), fleet.groups[0].device.params.p_max_kw


@pytest.mark.parametrize("name", ["no_control", "rule_based"])
def test_every_agent_acts_on_its_own_row_only(name: str) -> None:
    fleet = fleet_of(6)
    controller = make_controller(name, fleet=fleet)
    obs = random_observations(fleet, leading=(3,), seed=1)
    other = random_observations(fleet, leading=(3,), seed=2)
    before = controller.act(obs)
    for agent in range(fleet.n_agents):
        mixed = other.clone()
        mixed[:, agent] = obs[:, agent]
        assert torch.equal(controller.act(mixed)[:, agent], before[:, agent])


@pytest.mark.parametrize("name", ["no_control", "rule_based"])
def test_a_day_batched_equals_a_day_step_by_step(name: str) -> None:
    fleet = fleet_of(4)
    controller = make_controller(name, fleet=fleet)
    obs = random_observations(fleet, leading=(2, 5))
    batched = controller.act(obs)
    assert batched.shape == (2, 5, fleet.n_agents)
    assert torch.equal(batched[1, 3], controller.act(obs[1, 3]))


@pytest.mark.parametrize("name", ["no_control", "rule_based"])
def test_requests_of_a_subset_are_those_of_the_whole(name: str) -> None:
    fleet = fleet_of(4)
    obs = random_observations(fleet)
    part = fleet.subset(fleet.household_ids[1:3])
    inside = (fleet.household_index >= 1) & (fleet.household_index < 3)
    whole = make_controller(name, fleet=fleet).act(obs)
    assert torch.equal(make_controller(name, fleet=part).act(obs[inside]), whole[inside])


def test_uncontrolled_devices_do_what_they_do_by_themselves() -> None:
    request_kw, p_max_kw = uncontrolled("heat_pump", state=20.25)
    torch.testing.assert_close(request_kw, 0.25 * p_max_kw, rtol=1e-12, atol=0)
    assert not uncontrolled("heat_pump", state=20.6)[0].any()
    request_kw, p_max_kw = uncontrolled("heat_pump", state=19.0)
    assert torch.equal(request_kw, p_max_kw)
    assert not uncontrolled("battery", pv_kw=5.0)[0].any()
    request_kw, p_max_kw = uncontrolled("generator", price_import_per_kwh=9.0)
    torch.testing.assert_close(request_kw, -0.2 * p_max_kw, rtol=1e-12, atol=0)
    request_kw, p_max_kw = uncontrolled("ev_charger", state=0.79)
    assert torch.equal(request_kw, p_max_kw)
    assert not uncontrolled("ev_charger", state=0.8)[0].any()
    assert not uncontrolled("ev_charger", plugged_in=0.0)[0].any()


@pytest.mark.parametrize("name", ["no_control", "rule_based"])
@pytest.mark.parametrize("temp_out_c", [-5.0, 8.0])
def test_homes_stay_inside_their_thermostat_limits_over_two_days(
    name: str, temp_out_c: float
) -> None:
    fleet = fleet_of(4, kinds=("heat_pump",))
    controller = make_controller(name, fleet=fleet)
    here = surroundings(temp_out_c=temp_out_c, ghi_w_per_m2=0.0)
    temp_in_c, coldest_c, warmest_c = fleet.initial_state(), 99.0, -99.0
    for step in range(192):
        obs = observe(fleet, hour=step * DT_H % 24)
        obs[:, INDEX["state"]] = temp_in_c
        inputs = {"surroundings": here, "dt_h": DT_H}
        p_kw = fleet.feasible_power(controller.act(obs), state=temp_in_c, **inputs)
        temp_in_c = fleet.next_state(temp_in_c, p_kw=p_kw, **inputs)
        if step > 48:
            coldest_c = min(coldest_c, temp_in_c.min().item())
            warmest_c = max(warmest_c, temp_in_c.max().item())
    assert coldest_c > 17.0
    assert warmest_c < 22.0


def test_battery_charges_from_surplus_and_covers_its_own_load_in_the_evening() -> None:
    assert rule("battery", pv_kw=2.5)[0].tolist() == [2.0, 2.0]
    assert rule("battery", hour=12.0)[0].tolist() == [0.0, 0.0]
    assert rule("battery", hour=18.0, pv_kw=0.1)[0].tolist() == [-0.4, -0.4]
    assert rule("battery", hour=12.0, price_import_per_kwh=0.5)[0].tolist() == [-0.5, -0.5]
    request_kw, p_max_kw = rule("battery", hour=18.0, base_load_kw=50.0)
    assert torch.equal(request_kw, -p_max_kw)


def test_battery_charges_at_night_only_where_energy_is_cheap() -> None:
    request_kw, p_max_kw = rule("battery", hour=2.0, price_import_per_kwh=0.15)
    assert torch.equal(request_kw, p_max_kw)
    assert not rule("battery", hour=2.0, price_import_per_kwh=0.25)[0].any()


def test_thermostat_is_boosted_before_the_peak_and_set_back_in_it_and_at_night() -> None:
    for hour, setting_c in ((12.0, 20.0), (15.0, 21.0), (17.0, 19.0), (2.0, 18.0), (23.5, 18.0)):
        request_kw, p_max_kw = rule("heat_pump", hour=hour, state=setting_c)
        torch.testing.assert_close(request_kw, 0.5 * p_max_kw, rtol=1e-12, atol=0)


def test_generator_runs_inside_its_timer_where_the_price_covers_its_fuel() -> None:
    request_kw, p_max_kw = rule("generator", hour=17.0, price_import_per_kwh=0.5)
    assert torch.equal(request_kw, -p_max_kw)
    for features in (
        {"hour": 17.0, "price_import_per_kwh": 0.1},
        {"hour": 2.0, "price_import_per_kwh": 0.5},
    ):
        request_kw, p_max_kw = rule("generator", **features)
        torch.testing.assert_close(request_kw, -0.2 * p_max_kw, rtol=1e-12, atol=0)


def test_vehicle_waits_for_its_timer_unless_departure_would_be_missed() -> None:
    assert not rule("ev_charger", hour=18.0, departure_h=13.0)[0].any()
    request_kw, p_max_kw = rule("ev_charger", hour=1.0, departure_h=6.0)
    assert torch.equal(request_kw, p_max_kw)
    assert rule("ev_charger", hour=18.0, departure_h=3.0)[0].all()
    assert rule("ev_charger", hour=18.0, departure_h=13.0, state=0.0)[0].all()
    assert rule("ev_charger", hour=7.0, departure_h=1.0, state=0.7)[0].all()
    assert not rule("ev_charger", hour=1.0, departure_h=6.0, state=0.8)[0].any()
    assert not rule("ev_charger", hour=1.0, departure_h=6.0, plugged_in=0.0)[0].any()


def test_timers_differ_a_little_between_homes_and_never_change() -> None:
    ids = [f"h{i:04d}.battery" for i in range(1000)]
    offsets = torch.tensor(clock_offset_h(ids, jitter_h=0.25))
    assert offsets.abs().max() <= 0.25
    assert offsets.abs().mean().item() == pytest.approx(0.125, abs=0.01)
    assert offsets.mean().item() == pytest.approx(0.0, abs=0.015)
    assert clock_offset_h(["h0001.battery"], jitter_h=0.25)[0] == pytest.approx(
        offsets[1].item(), abs=1e-7
    )


def test_windows_run_over_midnight() -> None:
    hour = torch.tensor([22.9, 23.0, 0.0, 5.4, 5.5, 12.0], dtype=torch.float64)
    inside = Window(start_h=23.0, end_h=5.5).contains(hour)
    assert inside.tolist() == [False, True, True, True, False, False]


@pytest.mark.parametrize("name", ["", "nocontrol", "policy:", "Policy:x"])
def test_unknown_names_list_the_valid_ones(name: str) -> None:
    with pytest.raises(ScenarioError, match="no_control, rule_based, price_only, policy:<folder>"):
        make_controller(name, fleet=fleet_of(1))


def test_missing_policy_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="has no policy"):
        make_controller(f"policy:{tmp_path / 'nowhere'}", fleet=fleet_of(1))


def test_a_timer_that_runs_ahead_starts_early() -> None:
    fleet = fleet_of(20, kinds=("battery",))
    offset_h = torch.tensor(clock_offset_h(fleet.agent_ids, jitter_h=0.25))
    obs = observe(fleet, hour=23.9, price_import_per_kwh=0.15)
    started = RuleBased(fleet).act(obs) > 0
    assert torch.equal(started, offset_h >= 0.1)
    assert started.any()
    assert not started.all()
