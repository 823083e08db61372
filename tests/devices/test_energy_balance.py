"""Every device against its own energy balance and against closed forms."""

from __future__ import annotations

import pytest
import torch

from gradmap.devices.battery import Battery
from gradmap.devices.ev_charger import EvCharger
from gradmap.devices.heat_pump import HeatPump, cop
from tests.devices.populations import DT_H, fleet_of, surroundings

N = 5


def only_device(kind: str):
    return fleet_of(N, kinds=(kind,)).groups[0].device


def test_battery_stores_what_it_draws_times_its_efficiency() -> None:
    battery: Battery = only_device("battery")
    pars = battery.params
    soc = pars.soc_init
    for p_kw in (1.3, -0.7):
        power = torch.full((N,), p_kw, dtype=torch.float64)
        after = battery.next_state(soc, p_kw=power, surroundings=surroundings(), dt_h=DT_H)
        stored_kwh = (after - soc) * pars.e_max_kwh
        drawn_kwh = power * DT_H
        expected = drawn_kwh * pars.eta_charge if p_kw > 0 else drawn_kwh / pars.eta_discharge
        torch.testing.assert_close(stored_kwh, expected, rtol=0, atol=1e-10)


def test_battery_round_trip_returns_the_product_of_efficiencies() -> None:
    battery: Battery = only_device("battery")
    pars = battery.params
    charge_kw = torch.ones(N, dtype=torch.float64)
    discharge_kw = -pars.eta_charge * pars.eta_discharge * charge_kw
    here = surroundings()
    soc = battery.next_state(pars.soc_init, p_kw=charge_kw, surroundings=here, dt_h=DT_H)
    soc = battery.next_state(soc, p_kw=discharge_kw, surroundings=here, dt_h=DT_H)
    torch.testing.assert_close(soc, pars.soc_init, rtol=0, atol=1e-12)
    wear = battery.step_cost(charge_kw, DT_H) + battery.step_cost(discharge_kw, DT_H)
    expected = pars.wear_per_kwh * DT_H * (charge_kw - discharge_kw)
    torch.testing.assert_close(wear, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("request_kw", [-100.0, 100.0])
def test_battery_held_at_its_limit_reaches_exactly_the_soc_limit(request_kw: float) -> None:
    battery: Battery = only_device("battery")
    soc = battery.initial_state()
    wanted = torch.full((N,), request_kw, dtype=torch.float64)
    here = surroundings()
    for _ in range(40):
        p_kw = battery.feasible_power(wanted, state=soc, surroundings=here, dt_h=DT_H)
        soc = battery.next_state(soc, p_kw=p_kw, surroundings=here, dt_h=DT_H)
    limit = battery.params.soc_max if request_kw > 0 else battery.params.soc_min
    torch.testing.assert_close(soc, limit, rtol=0, atol=1e-12)
    torch.testing.assert_close(p_kw, torch.zeros_like(p_kw), rtol=0, atol=1e-9)


def test_restored_battery_has_its_initial_charge() -> None:
    battery: Battery = only_device("battery")
    here = surroundings()
    soc = torch.linspace(0.2, 0.9, N, dtype=torch.float64)
    p_kw = battery.restore_kwh(soc, surroundings=here) / 2.0
    after = battery.next_state(soc, p_kw=p_kw, surroundings=here, dt_h=2.0)
    torch.testing.assert_close(after, battery.params.soc_init, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dt_h", [1 / 60, 0.25, 1.0, 24.0])
def test_building_heat_balance_closes(dt_h: float) -> None:
    heat_pump: HeatPump = only_device("heat_pump")
    pars = heat_pump.params
    here = surroundings(temp_out_c=-3.0, ghi_w_per_m2=350.0)
    p_kw = 0.6 * pars.p_max_kw
    inputs = {"p_kw": p_kw, "surroundings": here, "dt_h": dt_h}
    after = heat_pump.next_state(pars.temp_init_c, **inputs)
    mean_c = heat_pump.mean_temp_c(pars.temp_init_c, **inputs)
    stored_kwh = pars.c_kwh_per_k * (after - pars.temp_init_c)
    loss_kw = pars.ua_kw_per_k * (mean_c - here.temp_out_c)
    gain_kw = heat_pump.heat_gain_kw(p_kw, here)
    torch.testing.assert_close(stored_kwh, dt_h * (gain_kw - loss_kw), rtol=0, atol=1e-10)


def test_building_reaches_the_closed_form_steady_state() -> None:
    heat_pump: HeatPump = only_device("heat_pump")
    pars = heat_pump.params
    here = surroundings(temp_out_c=2.0, ghi_w_per_m2=100.0)
    p_kw = 0.4 * pars.p_max_kw
    after = heat_pump.next_state(pars.temp_init_c, p_kw=p_kw, surroundings=here, dt_h=1e5)
    supply_k = pars.supply_temp_c + 273.15
    heat_kw = 0.45 * supply_k / (pars.supply_temp_c - 2.0) * p_kw + pars.solar_gain_m2 * 0.1 + 0.3
    torch.testing.assert_close(after, 2.0 + heat_kw / pars.ua_kw_per_k, rtol=1e-12, atol=0)


def test_two_half_steps_equal_one_step_of_the_building() -> None:
    heat_pump: HeatPump = only_device("heat_pump")
    inputs = {"p_kw": 0.5 * heat_pump.params.p_max_kw, "surroundings": surroundings()}
    start = heat_pump.initial_state()
    once = heat_pump.next_state(start, **inputs, dt_h=1.0)
    half = heat_pump.next_state(start, **inputs, dt_h=0.5)
    twice = heat_pump.next_state(half, **inputs, dt_h=0.5)
    torch.testing.assert_close(once, twice, rtol=1e-12, atol=0)


def test_thermostat_override_ends_the_step_on_floor_and_ceiling() -> None:
    heat_pump: HeatPump = only_device("heat_pump")
    pars = heat_pump.params
    cases = ((-100.0, pars.temp_floor_c, 16.05), (100.0, pars.temp_ceiling_c, 23.95))
    for request_kw, limit_c, start_c in cases:
        start = torch.full((N,), start_c, dtype=torch.float64)
        inputs = {"surroundings": surroundings(temp_out_c=-5.0), "dt_h": 1.0}
        wanted = torch.full((N,), request_kw, dtype=torch.float64)
        p_kw = heat_pump.feasible_power(wanted, state=start, **inputs)
        assert ((p_kw > 0) & (p_kw < pars.p_max_kw)).all()
        after = heat_pump.next_state(start, p_kw=p_kw, **inputs)
        torch.testing.assert_close(after, limit_c, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("temp_out_c", "expected"),
    [
        (-100.0, 0.45 * 308.15 / 135.0),
        (7.0, 0.45 * 308.15 / 28.0),
        (34.9, 6.0),
        (60.0, 6.0),
        (-250.0, 1.0),
    ],
)
def test_cop_is_a_carnot_fraction_between_1_and_6(temp_out_c: float, expected: float) -> None:
    def scalar(value: float) -> torch.Tensor:
        return torch.tensor(value, dtype=torch.float64)

    value = cop(scalar(temp_out_c), supply_temp_c=scalar(35.0), carnot_fraction=scalar(0.45))
    assert value.item() == pytest.approx(expected, rel=1e-12)


def test_heat_pump_absorbs_vars_by_its_power_factor() -> None:
    heat_pump: HeatPump = only_device("heat_pump")
    p_kw = torch.full((N,), 1.9, dtype=torch.float64)
    q_kvar = heat_pump.reactive_kvar(p_kw)
    expected = p_kw / torch.sqrt(p_kw**2 + q_kvar**2)
    torch.testing.assert_close(expected, heat_pump.params.power_factor, rtol=1e-12, atol=0)
    assert (q_kvar > 0).all()


def test_generator_burns_quadratic_fuel_and_remembers_its_power() -> None:
    generator = only_device("generator")
    pars = generator.params
    p_kw = -0.5 * pars.p_max_kw
    cost = generator.step_cost(p_kw, DT_H)
    output_kw = 0.5 * pars.p_max_kw
    expected = DT_H * (pars.fuel_per_kwh * output_kw + 0.01 * output_kw**2)
    torch.testing.assert_close(cost, expected, rtol=1e-12, atol=0)
    state = generator.next_state(
        generator.initial_state(), p_kw=p_kw, surroundings=surroundings(), dt_h=DT_H
    )
    assert torch.equal(state, p_kw)


def test_vehicle_energy_balance_closes_with_trip_and_shortfall() -> None:
    charger: EvCharger = only_device("ev_charger")
    pars = charger.params
    p_kw = torch.full((N,), 3.0, dtype=torch.float64)
    for trip_kwh in (0.0, 8.0, 60.0):
        here = surroundings(trip_kwh=trip_kwh)
        after = charger.next_state(pars.soc_init, p_kw=p_kw, surroundings=here, dt_h=DT_H)
        short_kwh = charger.trip_shortfall_kwh(pars.soc_init, here)
        change_kwh = (after - pars.soc_init) * pars.e_max_kwh
        expected = pars.eta_charge * p_kw * DT_H - trip_kwh + short_kwh
        torch.testing.assert_close(change_kwh, expected, rtol=0, atol=1e-10)


def test_vehicle_charges_only_while_plugged_in_and_stops_at_its_target() -> None:
    charger: EvCharger = only_device("ev_charger")
    wanted = torch.full((N,), 50.0, dtype=torch.float64)
    soc = charger.initial_state()
    away = surroundings(plugged_in=0.0)
    assert not charger.feasible_power(wanted, state=soc, surroundings=away, dt_h=DT_H).any()
    for _ in range(60):
        p_kw = charger.feasible_power(wanted, state=soc, surroundings=surroundings(), dt_h=DT_H)
        soc = charger.next_state(soc, p_kw=p_kw, surroundings=surroundings(), dt_h=DT_H)
    torch.testing.assert_close(soc, charger.params.soc_target, rtol=0, atol=1e-12)


def test_vehicle_below_its_reserve_charges_whatever_is_requested() -> None:
    charger: EvCharger = only_device("ev_charger")
    soc = torch.full((N,), 0.05, dtype=torch.float64)
    idle = torch.zeros(N, dtype=torch.float64)
    p_kw = charger.feasible_power(idle, state=soc, surroundings=surroundings(), dt_h=DT_H)
    assert torch.equal(p_kw, charger.params.p_max_kw)


def test_departure_shortfall_counts_only_in_the_step_that_ends_with_leaving() -> None:
    charger: EvCharger = only_device("ev_charger")
    soc = torch.full((N,), 0.5, dtype=torch.float64)
    leaves = charger.departure_shortfall_kwh(soc, surroundings(departure_h=DT_H), DT_H)
    torch.testing.assert_close(leaves, 0.3 * charger.params.e_max_kwh, rtol=1e-12, atol=0)
    assert not charger.departure_shortfall_kwh(soc, surroundings(departure_h=2.0), DT_H).any()
    away = surroundings(departure_h=0.0, plugged_in=0.0)
    assert not charger.departure_shortfall_kwh(soc, away, DT_H).any()


def test_comfort_violation_is_the_distance_to_the_band() -> None:
    heat_pump: HeatPump = only_device("heat_pump")
    temps = torch.tensor([17.0, 18.0, 20.0, 22.0, 22.5], dtype=torch.float64)
    violation = heat_pump.comfort_violation_k(temps)
    torch.testing.assert_close(violation, torch.tensor([1.0, 0, 0, 0, 0.5], dtype=torch.float64))
