"""Price-only owners come close to the best that each could have done alone, and know no network."""

import dataclasses

import numpy as np
import pytest
import torch

from gradmap.baselines.no_control import NoControl
from gradmap.baselines.price_only import PriceOnly, persistence, standard_history
from gradmap.baselines.registry import make_controller
from gradmap.costs import service, trajectory_cost
from gradmap.devices.fleet import Fleet
from gradmap.devices.heat_pump import cop
from gradmap.errors import ScenarioError
from gradmap.observations import INDEX
from opendss_models.engine import Engine
from opendss_models.feeders import feeder_path
from scenarios.day_sampler import ScenarioDays
from scenarios.population import draw_population
from tests.baselines.own_optimum import (
    OwnDay,
    battery_optimum,
    heat_pump_optimum,
    vehicle_optimum,
)
from tests.devices.populations import fleet_of, random_observations
from tests.federates.helpers import make_scenario
from tests.power_flow import circuits
from tests.rollout.homes_on_feeder import rollout_of, some_days

N_DAYS = 4
FORESEEN = 0.97
"""Share of the optimum's saving over no control that a plan for the very day must reach: what is
left is the grid of the value tables."""


class Owners:
    """Homes with one device each on drawn days, and what controllers make of them."""

    def __init__(self, kind: str) -> None:
        shares = dict.fromkeys(("battery", "heat_pump", "generator", "ev_charger"), 0.0)
        scenario = make_scenario(
            time={"step_min": 15},
            population={
                "n_households": 12,
                "allocation": "one_each",
                "devices": {**shares, kind: 1.0},
                "pv_share": 0.5,
            },
        )
        connections = Engine(feeder_path("ieee123")).connections
        population = draw_population(scenario, connections)
        ids = population.households["household_id"].tolist()
        self.fleet = Fleet.from_tables(population.devices, household_ids=ids)
        sampler = ScenarioDays(scenario, population=population)
        self.history = sampler.sample("train", range(8))
        self.days = sampler.sample("test", range(N_DAYS))
        self.rollout = rollout_of(self.fleet, circuits.ieee123())

    def run(self, controller):
        with torch.no_grad():
            return self.rollout.run(controller, self.days, power_flow=False)

    def cost(self, controller):
        return trajectory_cost(self.fleet, self.run(controller)).total.numpy()

    def pars(self, agent: int) -> dict[str, float]:
        params = self.fleet.groups[0].device.params
        return {name: getattr(params, name)[agent].item() for name in params.ranges}

    def own_day(self, day: int, agent: int) -> OwnDay:
        days = self.days
        net_kw = days.base_load_kw - days.pv_available_kw
        return OwnDay(
            price_import=days.price_import_per_kwh[day].numpy(),
            price_export=days.price_export_per_kwh[day].numpy(),
            net_kw=net_kw[day, :, agent].numpy(),
            dt_h=days.dt_h,
        )

    def optima(self, optimum) -> np.ndarray:
        """Least cost of every day and agent."""
        agents = range(self.fleet.n_agents)
        return np.array([[optimum(day, agent) for agent in agents] for day in range(N_DAYS)])


def shares_of_saving(owners: Owners, best: np.ndarray) -> tuple[float, float]:
    """Saving over no control, as a share of the optimum's: from a history, and foreseen."""
    usual = owners.cost(NoControl(owners.fleet))
    planned = owners.cost(PriceOnly(owners.fleet, history=owners.history))
    foreseen = np.stack(
        [
            owners.cost(PriceOnly(owners.fleet, history=owners.days.take([day])))[day]
            for day in range(N_DAYS)
        ]
    )
    assert (planned > best - 1e-6).all(), "nobody beats perfect foresight"
    assert (foreseen > best - 1e-6).all(), "nobody beats perfect foresight"
    all_of_it = (usual - best).sum()
    return (usual - planned).sum() / all_of_it, (usual - foreseen).sum() / all_of_it


def test_batteries_save_nearly_what_perfect_foresight_would():
    owners = Owners("battery")
    best = owners.optima(
        lambda day, agent: battery_optimum(owners.own_day(day, agent), owners.pars(agent))
    )
    planned, foreseen = shares_of_saving(owners, best)
    assert planned > 0.90
    assert foreseen > FORESEEN


def test_heat_pumps_save_nearly_what_perfect_foresight_would_and_keep_homes_warm():
    owners = Owners("heat_pump")
    days = owners.days

    def optimum(day: int, agent: int) -> float:
        pars = owners.pars(agent)
        out_c = days.temp_out_c[day]
        return heat_pump_optimum(
            owners.own_day(day, agent),
            pars,
            temp_out_c=out_c.numpy(),
            ghi=days.ghi_w_per_m2[day].numpy(),
            cop=cop(
                out_c,
                supply_temp_c=torch.tensor(pars["supply_temp_c"]),
                carnot_fraction=torch.tensor(pars["carnot_fraction"]),
            ).numpy(),
        )

    planned, foreseen = shares_of_saving(owners, owners.optima(optimum))
    assert planned > 0.87  # the rest is weather that nobody told them
    assert foreseen > FORESEEN
    trajectory = owners.run(PriceOnly(owners.fleet, history=owners.history))
    outside = owners.fleet.comfort_violation_k(trajectory.state)
    assert outside.mean() < 0.01


def test_vehicles_charge_in_the_cheapest_hours_and_leave_full():
    owners = Owners("ev_charger")
    days = owners.days
    best = owners.optima(
        lambda day, agent: vehicle_optimum(
            owners.own_day(day, agent),
            owners.pars(agent),
            plugged_in=days.plugged_in[day, :, agent].numpy(),
            trip_kwh=days.trip_kwh[day, :, agent].numpy(),
            departure_h=days.departure_h[day, :, agent].numpy(),
        )
    )
    planned, foreseen = shares_of_saving(owners, best)
    assert planned > 0.80  # at night nobody knows how sunny a day at home will be
    assert foreseen > FORESEEN
    controller = PriceOnly(owners.fleet, history=owners.history)
    priced = service(owners.fleet, owners.run(controller)).departure_shortfall_kwh
    at_once = service(owners.fleet, owners.run(NoControl(owners.fleet))).departure_shortfall_kwh
    torch.testing.assert_close(priced, at_once, rtol=0, atol=1e-6)


def test_generators_run_at_the_least_cost_of_every_step():
    owners = Owners("generator")
    controller = PriceOnly(owners.fleet, history=owners.history)
    least = trajectory_cost(owners.fleet, owners.run(controller)).total
    low_kw, high_kw = owners.fleet.action_range_kw()
    full_kw = owners.run(controller).p_kw
    for share in torch.linspace(0.0, 1.0, 41, dtype=torch.float64):
        other_kw = low_kw + share * (high_kw - low_kw)
        mixed = torch.where(torch.rand(full_kw.shape) < 0.5, other_kw, full_kw)
        with torch.no_grad():
            other = owners.rollout.replay(mixed, owners.days, power_flow=False)
        assert (trajectory_cost(owners.fleet, other).total > least - 1e-9).all()
    assert (full_kw - high_kw).abs().max() > 0.1


def test_voltages_and_other_rows_do_not_matter():
    fleet = fleet_of(6)
    controller = PriceOnly(fleet)
    obs = random_observations(fleet, leading=(3,), seed=1)
    before = controller.act(obs)
    sagging = obs.clone()
    sagging[..., INDEX["v_pu"]] = 0.8
    assert torch.equal(controller.act(sagging), before)
    other = random_observations(fleet, leading=(3,), seed=2)
    other[:, 4] = obs[:, 4]
    assert torch.equal(controller.act(other)[:, 4], before[:, 4])
    assert torch.equal(PriceOnly(fleet).act(obs), before)


def test_requests_are_feasible_so_that_nothing_is_clipped():
    fleet = fleet_of(6)
    days = some_days(fleet)
    with torch.no_grad():
        trajectory = rollout_of(fleet, circuits.ieee123()).run(
            PriceOnly(fleet, history=days), days, power_flow=False
        )
    heated = torch.tensor([kind == "heat_pump" for kind in fleet.kinds])
    assert (trajectory.violation_kw[..., ~heated] < 1e-9).all()


def test_days_that_are_dear_throughout_are_recognised():
    hour = torch.arange(96, dtype=torch.float64) / 4
    shape = 0.25 + 0.05 * torch.sin(hour)
    level = torch.tensor([-0.1, 0.0, 0.02, 0.08], dtype=torch.float64)[:, None]
    assert persistence(shape.expand(4, -1)) == 0.0
    assert persistence(shape + level) == pytest.approx(1.0)
    ripple = 0.05 * torch.sign(torch.sin(37.0 * torch.arange(384.0, dtype=torch.float64)))
    assert persistence(shape + ripple.reshape(4, 96)) < 0.1


def test_a_dear_day_is_no_reason_to_save_energy_for_later():
    fleet = fleet_of(5, kinds=("battery", "heat_pump"))
    days = some_days(fleet, n_days=4)
    level = torch.tensor([-0.06, -0.02, 0.02, 0.06], dtype=torch.float64)[:, None]
    history = dataclasses.replace(
        days,
        price_import_per_kwh=days.price_import_per_kwh + level,
        price_export_per_kwh=days.price_export_per_kwh + level,
    )
    controller = PriceOnly(fleet, history=history)
    rollout = rollout_of(fleet, circuits.ieee123())
    with torch.no_grad():
        usual = rollout.run(controller, days, power_flow=False)
        shifted = rollout.run(controller, history, power_flow=False)
    torch.testing.assert_close(usual.p_kw, shifted.p_kw, rtol=0, atol=1e-9)


def test_a_history_must_be_of_the_same_homes_and_of_whole_days():
    fleet = fleet_of(3)
    with pytest.raises(ScenarioError, match="history of 4 households, expected the fleet's 3"):
        PriceOnly(fleet, history=standard_history(fleet_of(4)))
    with pytest.raises(ScenarioError, match="days of 2 h, expected days of 24 h"):
        PriceOnly(fleet, history=some_days(fleet, n_steps=8))


def test_the_registry_passes_the_history_on():
    fleet = fleet_of(3)
    days = some_days(fleet)
    obs = random_observations(fleet, seed=3)
    planned = make_controller("price_only", fleet=fleet, history=days).act(obs)
    assert torch.equal(planned, PriceOnly(fleet, history=days).act(obs))
    assert not torch.equal(planned, make_controller("price_only", fleet=fleet).act(obs))
