"""Fallbacks, updates of a kept program, and physics that agrees with gradmap's devices."""

import sys

import numpy as np
import pytest
import torch

pytest.importorskip("highspy", reason="highspy is an extra")

from federates.hems.optimiser.evaluate import evaluate
from federates.hems.optimiser.home_model import Battery, Generator, Home, Shiftable
from federates.hems.optimiser.physics import fuel_per_h
from federates.hems.optimiser.planner import Scheduler
from federates.hems.optimiser.problem import build
from federates.hems.optimiser.rules import no_control, rule_based
from federates.hems.optimiser.solver import Solver, SolverSettings, import_highspy
from federates.hems.optimiser.state import initial_state
from federates.hems.optimiser.weights import Weights
from gradmap.devices.heat_pump import cop
from gradmap.errors import MissingExtraError, ScenarioError
from tests.hems.optimiser.small_home import (
    DT_H,
    N,
    heater,
    small_forecast,
    small_home,
    vehicle,
    washer,
)


def test_without_time_rules_make_the_plan_and_it_says_so():
    home, forecast = small_home(), small_forecast()
    plan = Scheduler(settings=SolverSettings(time_limit_s=0.0)).plan(home, forecast)
    assert plan.source == "fallback: the solver found no plan (time limit)"
    assert not plan.optimised
    assert np.isnan(plan.gap)
    rules = evaluate(home, forecast, rule_based(home, forecast))
    assert plan.objective == rules.objective


def test_time_limit_is_for_each_plan_not_for_all():
    home = small_home(appliances=(), generators=())  # a linear program
    scheduler = Scheduler(settings=SolverSettings(time_limit_s=0.3))
    seconds = 0.0
    while seconds < 0.6:
        plan = scheduler.plan(home, small_forecast(base_load_kw=0.3 + seconds))
        assert plan.optimised
        seconds += plan.seconds


def test_without_highspy_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "highspy", None)
    with pytest.raises(MissingExtraError, match=r"gradmap\[optimum\]"):
        import_highspy()


def test_the_next_day_changes_the_program_instead_of_passing_it_anew():
    home, penalties = small_home(), Weights().penalties(0.4)
    solver = Solver(SolverSettings())
    days = [
        small_forecast(),
        small_forecast(temp_out_c=-3.0, price_import_per_kwh=np.linspace(0.1, 0.4, N)),
    ]
    programs = [
        build(home, day, state=initial_state(home), penalties=penalties).arrays for day in days
    ]
    assert solver.load(programs[0])
    solver.solve(gap_abs=1e-6)
    assert not solver.load(programs[1])
    changed = solver.solve(gap_abs=1e-6).objective
    fresh = Solver(SolverSettings())
    fresh.load(programs[1])
    assert changed == pytest.approx(fresh.solve(gap_abs=1e-6).objective, rel=1e-4)


def test_power_balance_and_costs_of_a_plan():
    home, forecast = small_home(), small_forecast()
    result = Scheduler().plan(home, forecast).result
    assert result.net_kw == pytest.approx(forecast.base_load_kw + sum(result.p_kw.values()))
    bill = forecast.dt_h * (
        forecast.price_import_per_kwh @ result.import_kw
        - forecast.price_export_per_kwh @ result.export_kw
    )
    assert result.bill == pytest.approx(bill)
    assert (result.states["heating"] >= home.heaters[0].temp_min_c - 1e-6).all()
    assert result.states["ev"][14] >= 48.0 - 1e-6
    washer_on = np.flatnonzero(result.p_kw["washer"])
    dryer_on = np.flatnonzero(result.p_kw["dryer"])
    assert np.array_equal(np.diff(washer_on), [1, 1, 1])
    assert np.array_equal(np.diff(dryer_on), [1, 1])
    assert dryer_on[0] > washer_on[-1]


def test_building_follows_its_equation():
    home, forecast = Home(heaters=(heater(),)), small_forecast()
    p_kw = np.linspace(0.0, 4.0, N)
    found = evaluate(home, forecast, {"heating": p_kw})
    temp_out_c = torch.from_numpy(forecast.temp_out_c.copy())
    performance = cop(
        temp_out_c, supply_temp_c=torch.tensor(45.0), carnot_fraction=torch.tensor(0.4)
    ).numpy()
    fine, temp_c = 2000, 20.0  # explicit Euler in small steps
    for step in range(N):
        gain_kw = performance[step] * p_kw[step] + 3e-3 * forecast.ghi_w_per_m2[step] + 0.3
        for _ in range(fine):
            flow_kw = 0.2 * (forecast.temp_out_c[step] - temp_c) + gain_kw
            temp_c += flow_kw / 6.5 * DT_H / fine
        assert found.states["heating"][step] == pytest.approx(temp_c, abs=1e-3)
    owed_kwh = (20.0 - temp_c) * 6.5 / performance[-1]
    price = forecast.price_import_per_kwh.mean()
    assert found.terminal_cost == pytest.approx(price * owed_kwh, abs=1e-3)


def test_battery_owes_and_leaves_energy_through_its_efficiencies():
    battery = Battery(
        capacity_kwh=10.0,
        p_charge_max_kw=5.0,
        p_discharge_max_kw=5.0,
        soc_init=0.5,
        eta_charge=0.9,
        eta_discharge=0.8,
        wear_per_kwh=0.02,
    )
    home, forecast = Home(batteries=(battery,)), small_forecast()
    price = forecast.price_import_per_kwh.mean()
    p_kw = np.zeros(N)
    p_kw[0] = 4.0
    found = evaluate(home, forecast, {"battery": p_kw})
    assert found.states["battery"][-1] == pytest.approx(5.0 + 0.5 * 4.0 * 0.9)
    assert found.terminal_cost == pytest.approx(-price * 1.8 * 0.8)
    assert found.device_cost == pytest.approx(0.02 * 2.0)
    found = evaluate(home, forecast, {"battery": -p_kw})
    assert found.terminal_cost == pytest.approx(price * 2.0 / 0.8 / 0.9)


def test_powers_that_a_device_cannot_have_are_refused():
    home, forecast = small_home(), small_forecast()
    p_kw = no_control(home, forecast)
    with pytest.raises(ScenarioError, match=r"'ev': 8 kW at step 15"):
        evaluate(home, forecast, p_kw | {"ev": np.full(N, 8.0)})
    with pytest.raises(ScenarioError, match="its limit is 10 kWh"):
        evaluate(home, forecast, p_kw | {"battery": np.full(N, 3.0)})
    with pytest.raises(ScenarioError, match="missing"):
        evaluate(home, forecast, {})


def test_fuel_pieces_are_exact_at_their_ends_and_close_between():
    generator = Generator(
        p_max_kw=5.0, p_min_kw=1.0, fuel_per_kwh=0.3, fuel_quadratic_per_kw2h=0.02
    )
    output_kw = np.linspace(1.0, 5.0, 81)
    beyond = fuel_per_h(generator, output_kw) - (0.3 * output_kw + 0.02 * output_kw**2)
    assert beyond[::10] == pytest.approx(np.zeros(9), abs=1e-12)
    assert beyond.max() == pytest.approx(0.02 * 0.25**2)
    assert beyond.min() > -1e-12
    assert fuel_per_h(generator, np.zeros(1)) == 0.0


def test_expensive_negative_hours_are_not_used_to_burn_energy():
    """At negative prices charging and discharging at once would pay; no battery can."""
    battery = Battery(capacity_kwh=4.0, p_charge_max_kw=3.0, p_discharge_max_kw=3.0, soc_init=1.0)
    home = Home(batteries=(battery,))
    forecast = small_forecast(price_import_per_kwh=np.full(N, -0.2), price_export_per_kwh=-0.3)
    plan = Scheduler().plan(home, forecast)
    assert plan.optimised
    assert plan.result.states["battery"].max() <= 4.0 + 1e-6
    energy = 4.0 + np.cumsum(
        DT_H
        * np.where(plan.result.p_kw["battery"] > 0, 0.95, 1 / 0.95)
        * plan.result.p_kw["battery"]
    )
    assert plan.result.states["battery"] == pytest.approx(energy)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: washer(power_kw=0.0), "Appliance 'washer': `power_kw` is 0"),
        (lambda: vehicle(departures=((N, 10.0),)), "`departures` is step 48"),
        (lambda: vehicle(soc_init=60.0), "`soc_init` is 60"),
        (lambda: heater(ua_kw_per_k=0.0), "`ua_kw_per_k` is 0"),
        (lambda: small_home(appliances=(washer(after="dryer"),)), "`after` is 'dryer'"),
        (lambda: small_home(appliances=(washer(), washer())), "two devices are called 'washer'"),
        (lambda: small_forecast(base_load_kw=-1.0), "`base_load_kw` falls to -1"),
        (lambda: small_forecast(temp_out_c=np.zeros(5)), "expected 48 values"),
        (lambda: Weights(comfort_per_k_h=0.0), "`comfort_per_k_h` is 0"),
    ],
)
def test_impossible_input_is_named(make, says):
    with pytest.raises(ScenarioError) as caught:
        make()
    assert says in str(caught.value)


def test_series_of_another_length_than_the_forecast_are_refused():
    home = Home(appliances=(Shiftable(name="a", power_kw=1, duration=1, earliest=0, latest=4),))
    Scheduler().plan(home, small_forecast())
    home = Home(heaters=(heater(temp_min_c=np.full(4, 20.0), temp_max_c=np.full(4, 22.0)),))
    with pytest.raises(ScenarioError, match="has 4 values, but the forecast has 48 steps"):
        Scheduler().plan(home, small_forecast())
