"""Controllable cost: the exact change of the bill, fairly split, with the right marginal price."""

import dataclasses

import pytest
import torch

from gradmap.baselines.no_control import NoControl
from gradmap.baselines.rule_based import RuleBased
from gradmap.costs import controllable_cost, energy_price_per_kwh, service, trajectory_cost
from gradmap.devices.fleet import Fleet
from gradmap.devices.generator import Generator
from tests.devices.populations import DT_H, device_tables, fleet_of, household_ids
from tests.power_flow import circuits
from tests.rollout.homes_on_feeder import rollout_of, some_days


def bills(days, net_kw):
    """What each household pays for a day, by a loop-free restatement of a tariff, [day, home]."""
    used, fed = net_kw.clamp(min=0.0), (-net_kw).clamp(min=0.0)
    price_in, price_out = days.price_import_per_kwh[..., None], days.price_export_per_kwh[..., None]
    return days.dt_h * (used * price_in - fed * price_out).sum(dim=1)


def random_powers(fleet, days, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (days.n_days, days.n_steps, fleet.n_agents)
    return 6.0 * (torch.rand(shape, generator=generator, dtype=torch.float64) - 0.5)


@pytest.mark.parametrize("kinds", [("battery",), ("battery", "heat_pump", "generator")])
def test_the_agents_energy_adds_up_to_the_change_of_the_households_bill(kinds):
    fleet = fleet_of(12, kinds=kinds)
    days = some_days(fleet)
    p_kw = random_powers(fleet, days)
    cost = controllable_cost(fleet, days, p_kw=p_kw, state_end=fleet.initial_state().expand(2, -1))
    net_kw = days.base_load_kw - days.pv_available_kw
    change = bills(days, net_kw + fleet.household_sum(p_kw)) - bills(days, net_kw)
    torch.testing.assert_close(fleet.household_sum(cost.energy), change, rtol=0, atol=1e-12)
    assert (cost.terminal == 0.0).all()


def test_devices_of_a_home_pay_the_same_price_whatever_their_order():
    fleet = fleet_of(6, kinds=("battery", "generator"))
    days = some_days(fleet)
    p_kw = random_powers(fleet, days)
    price = energy_price_per_kwh(fleet, days, p_kw=p_kw)
    assert torch.equal(price[..., 0::2], price[..., 1::2])
    swapped = p_kw.unflatten(-1, (6, 2)).flip(-1).flatten(-2)
    torch.testing.assert_close(
        energy_price_per_kwh(fleet, days, p_kw=swapped), price, rtol=1e-12, atol=0
    )
    low, high = days.price_export_per_kwh[..., None], days.price_import_per_kwh[..., None]
    assert ((price >= low) & (price <= high)).all()
    assert ((price > low) & (price < high)).any()


def test_devices_that_serve_each_other_settle_at_the_marginal_price():
    fleet = fleet_of(1, kinds=("battery", "generator"))
    days = some_days(fleet, n_days=1)
    p_kw = torch.tensor([2.0, -2.0], dtype=torch.float64).expand(1, 96, -1)
    price = energy_price_per_kwh(fleet, days, p_kw=p_kw)
    imports = (days.base_load_kw - days.pv_available_kw) >= 0.0
    marginal = torch.where(
        imports, days.price_import_per_kwh[..., None], days.price_export_per_kwh[..., None]
    )
    assert imports.any()
    assert not imports.all()
    torch.testing.assert_close(price, marginal.expand_as(price), rtol=0, atol=0)


def test_a_single_devices_gradient_is_the_marginal_price():
    fleet = fleet_of(8, kinds=("battery",))
    days = some_days(fleet)
    p_kw = random_powers(fleet, days).requires_grad_()
    cost = controllable_cost(fleet, days, p_kw=p_kw, state_end=fleet.initial_state().expand(2, -1))
    cost.energy.sum().backward()
    imports = days.base_load_kw - days.pv_available_kw + p_kw.detach() > 0.0
    marginal = torch.where(
        imports, days.price_import_per_kwh[..., None], days.price_export_per_kwh[..., None]
    )
    torch.testing.assert_close(p_kw.grad, DT_H * marginal, rtol=0, atol=1e-12)


def test_nothing_anybody_does_costs_nothing_even_at_zero_load():
    fleet = fleet_of(3, kinds=("battery",))
    days = some_days(fleet)
    days = dataclasses.replace(
        days,
        base_load_kw=torch.zeros_like(days.base_load_kw),
        pv_available_kw=torch.zeros_like(days.base_load_kw),
    )
    p_kw = torch.zeros(2, 96, 3, dtype=torch.float64, requires_grad=True)
    cost = controllable_cost(fleet, days, p_kw=p_kw, state_end=fleet.initial_state().expand(2, -1))
    assert (cost.total == 0.0).all()
    cost.total.sum().backward()
    assert torch.isfinite(p_kw.grad).all()


def test_fuel_and_terminal_energy_by_hand():
    fleet = fleet_of(2, kinds=("battery", "generator"))
    days = some_days(fleet, n_days=1)
    p_kw = torch.zeros(1, 96, 4, dtype=torch.float64)
    p_kw[..., 1] = -3.0
    soc = fleet.initial_state().clone()
    soc[0] -= 0.1
    soc[2] += 0.1
    cost = controllable_cost(fleet, days, p_kw=p_kw, state_end=soc[None])
    pars = fleet.groups[0].device.params
    price = (6 * 0.15 + 15 * 0.25 + 3 * 0.40) / 24
    owed = 0.1 * pars.e_max_kwh[0] / pars.eta_charge[0] * price
    spare = 0.1 * pars.e_max_kwh[1] * pars.eta_discharge[1] * price
    torch.testing.assert_close(cost.terminal[0, 0], owed)
    torch.testing.assert_close(cost.terminal[0, 2], -spare)
    (engine,) = [g.device for g in fleet.groups if isinstance(g.device, Generator)]
    fuel = 24 * (3.0 * engine.params.fuel_per_kwh[0] + 9.0 * 0.01)
    torch.testing.assert_close(cost.device[0, 1], fuel)
    assert (cost.device[0, [0, 2, 3]] == 0.0).all()


def test_homes_without_devices_have_no_part_in_it():
    tables = device_tables(4, kinds=("battery",))
    tables["battery"] = tables["battery"].iloc[[2]]
    fleet = Fleet.from_tables(tables, household_ids=household_ids(4))
    days = some_days(fleet)
    p_kw = random_powers(fleet, days)
    cost = controllable_cost(fleet, days, p_kw=p_kw, state_end=fleet.initial_state().expand(2, -1))
    net_kw = (days.base_load_kw - days.pv_available_kw)[..., 2:3]
    change = bills(days, net_kw + p_kw) - bills(days, net_kw)
    torch.testing.assert_close(cost.energy, change, rtol=0, atol=1e-12)


def test_service_is_reported_apart_from_the_cost():
    fleet = fleet_of(3)
    days = some_days(fleet)

    class Off:
        def act(self, obs):
            return torch.full_like(obs[..., 0], -50.0)

    with torch.no_grad():
        rollout = rollout_of(fleet, circuits.ieee123())
        idle, usual, timed = (
            rollout.run(controller, days, power_flow=False)
            for controller in (Off(), NoControl(fleet), RuleBased(fleet))
        )
    cold, warm = service(fleet, idle), service(fleet, usual)
    kinds = fleet.kinds
    heated = torch.tensor([kind == "heat_pump" for kind in kinds])
    vehicles = torch.tensor([kind == "ev_charger" for kind in kinds])
    assert (cold.comfort_k_h[:, heated] > 1.0).all()
    assert (warm.comfort_k_h[:, heated] == 0.0).all()
    assert (cold.comfort_k_h[:, ~heated] == 0.0).all()
    assert (cold.departure_shortfall_kwh[:, vehicles] > 1.0).all()
    assert (warm.departure_shortfall_kwh[:, vehicles] < 1e-9).all()
    missing_kw = 50.0 + idle.p_kw
    torch.testing.assert_close(cold.clipped_kwh, DT_H * missing_kw.sum(dim=1))
    assert (trajectory_cost(fleet, timed).total != 0.0).all()


def test_trips_beyond_the_charge_are_counted():
    fleet = fleet_of(2, kinds=("ev_charger",))
    days = some_days(fleet)
    days = dataclasses.replace(days, trip_kwh=10.0 * days.trip_kwh)
    with torch.no_grad():
        trajectory = rollout_of(fleet, circuits.ieee123()).run(
            NoControl(fleet), days, power_flow=False
        )
    capacity = fleet.groups[0].device.params.e_max_kwh
    lacking = (80.0 - 0.8 * capacity).clamp(min=0.0)
    assert (lacking > 1.0).all()
    torch.testing.assert_close(
        service(fleet, trajectory).trip_shortfall_kwh, lacking.expand(2, -1), rtol=0, atol=1e-9
    )
