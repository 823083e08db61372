"""A gradmap household and its optimiser twin do the same, and cost the same."""

from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("highspy", reason="highspy is an extra")

from federates.hems.adapters.fleet_home import (
    day_forecast,
    day_situation,
    fleet_home,
    households_of,
)
from federates.hems.optimiser.physics import fuel_segments
from federates.hems.optimiser.planner import Scheduler
from gradmap.costs import trajectory_cost
from scenarios.case import open_case
from tests.federates.helpers import make_scenario


@pytest.fixture(scope="module")
def case():
    scenario = make_scenario(
        time={"step_min": 30},
        population={
            "n_households": 12,
            "devices": {"battery": 0.7, "heat_pump": 0.7, "generator": 0.6, "ev_charger": 0.6},
        },
    )
    case = open_case(scenario)
    # Chords of a quadratic fuel cost have a test of their own.
    generators = case.population.devices["generator"].assign(fuel_quadratic_per_kw2h=0.0)
    devices = {**case.population.devices, "generator": generators}
    return replace(case, population=replace(case.population, devices=devices))


def test_plans_have_the_states_and_costs_that_gradmap_gives_them(case):
    fleet, days = case.fleet(), case.days.sample("test", [0])
    scheduler, request_kw = Scheduler(), torch.zeros(1, days.n_steps, fleet.n_agents).double()
    planned = {}
    for home, devices in enumerate(households_of(fleet)):
        if not devices.agents:
            continue
        forecast = day_forecast(days, day=0, household=home)
        twin = fleet_home(devices, day_situation(days, day=0, devices=devices))
        plan = scheduler.plan(twin, forecast, state=devices.state(fleet.initial_state().numpy()))
        assert plan.optimised
        planned[home] = (devices, forecast, plan.result)
        for one in devices.agents:
            request_kw[0, :, one.agent] = torch.from_numpy(plan.result.p_kw[one.agent_id])
    trajectory = case.rollout().replay(request_kw, days, power_flow=False)
    cut_kw = trajectory.violation_kw[0].amax(dim=0)
    states, costs = trajectory.state[0], trajectory_cost(fleet, trajectory)
    kinds = set()
    for devices, forecast, result in planned.values():
        agents = [one.agent for one in devices.agents]
        if float(cut_kw[agents].max()) > 1e-7:
            continue  # the solver's tolerance at a limit, or a reserve charged at once
        for one in devices.agents:
            kinds.add(one.kind)
            if one.kind == "generator":
                continue
            scale = one.stored(1.0)
            np.testing.assert_allclose(
                states[:, one.agent].numpy() * scale, result.states[one.agent_id], atol=1e-6
            )
        net_kw = forecast.base_load_kw - forecast.pv_available_kw
        anyway = forecast.dt_h * (
            forecast.price_import_per_kwh * np.maximum(net_kw, 0)
            - forecast.price_export_per_kwh * np.maximum(-net_kw, 0)
        )
        ours = result.bill - anyway.sum() + result.device_cost + result.terminal_cost
        assert ours == pytest.approx(float(costs.total[0, agents].sum()), abs=1e-6)
    assert kinds == {"battery", "heat_pump", "generator", "ev_charger"}


def test_chords_of_a_fuel_cost_meet_it_at_their_ends(case):
    fleet, days = case.fleet(), case.days.sample("test", [0])
    devices = next(
        home for home in households_of(fleet) if "generator" in [x.kind for x in home.agents]
    )
    twin = fleet_home(devices, day_situation(days, day=0, devices=devices)).generators[0]
    curved = type(twin)(
        p_max_kw=twin.p_max_kw,
        p_min_kw=twin.p_min_kw,
        fuel_per_kwh=twin.fuel_per_kwh,
        fuel_quadratic_per_kw2h=0.01,
        can_stop=False,
    )
    widths, slopes = fuel_segments(curved)
    output = curved.p_min_kw + np.concatenate([[0.0], np.cumsum(widths)])
    exact = curved.fuel_per_kwh * output + 0.01 * output**2
    np.testing.assert_allclose(np.diff(exact), widths * slopes, atol=1e-12)
    assert not twin.can_stop
