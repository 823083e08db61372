"""Controllable cost: what agents' own decisions cost their households, per agent and day.

A household with net load n = base load - PV and devices of powers p_1..p_k pays for a step of
length h, at import price c+ and export price c-,

    bill(x) = h (c+ max(x, 0) - c- max(-x, 0))            convex in x where c+ >= c-

Only what agents change counts: with P = p_1 + ... + p_k

    energy   = sum_t  bill(n + P) - bill(n)
    device   = sum_t  h (a |p_i| + b p_i^2)               fuel, or wear by throughput
    terminal = mean_t(c+) restore_i(state at the end)     energy owed to, or left for, the next day

What the household would pay anyway, bill(n), is the same for every method and left out. The
terminal part values the energy that brings each device back to its initial state
(`Device.restore_kwh`) at the day's mean import price.

**Split in a home with several devices.** All its devices pay the same price per kWh in a step, the
mean marginal price on the way from n to n + P:

    energy_i = p_i (bill(n + P) - bill(n)) / P = p_i h (c- + (c+ - c-) s)

    s = share of the way from n to n + P that lies above zero (import)

This is the Aumann-Shapley price: shares add up exactly, equal powers pay equally, nobody's share
depends on an order of the devices, and two devices that serve each other settle at that price. With
one device it is that device's own bill. At P = 0 it is the marginal price at n.

Comfort and unserved requests are no money here; `service` reports them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gradmap.days import Days
from gradmap.devices.ev_charger import EvCharger
from gradmap.devices.fleet import Fleet
from gradmap.rollout import Trajectory
from gradmap.rollout_record import at_step, surroundings
from gradmap.types import AgentSeries, AgentValues


@dataclass(frozen=True, kw_only=True, eq=False)
class Costs:
    """Controllable cost, [day, agent]. [cur]"""

    energy: AgentValues
    """Change of the household's bill that the agent answers for."""
    device: AgentValues
    """Fuel and wear."""
    terminal: AgentValues
    """Stored energy owed at the end of the day; negative where more is left."""

    @property
    def total(self) -> AgentValues:
        """Return the sum of all parts, [day, agent]."""
        return self.energy + self.device + self.terminal


@dataclass(frozen=True, kw_only=True, eq=False)
class Service:
    """What users did not get, [day, agent]; not part of the cost."""

    comfort_k_h: AgentValues
    """Indoor temperature outside the comfort band, at the ends of steps. [K h]"""
    clipped_kwh: AgentValues
    """|request - delivered|. [kWh]"""
    departure_shortfall_kwh: AgentValues
    """Missing to the wanted charge when vehicles left. [kWh]"""
    trip_shortfall_kwh: AgentValues
    """Used on trips beyond what the vehicle had. [kWh]"""


def controllable_cost(
    fleet: Fleet, days: Days, *, p_kw: AgentSeries, state_end: AgentValues
) -> Costs:
    """Return what the agents' decisions cost, differentiable.

    Args:
        fleet: Whose devices.
        days: Prices, load and sun.
        p_kw: Delivered powers, [day, time, agent]. [kW]
        state_end: States after the last step, [day, agent].
    """
    last = at_step(surroundings(days), days.n_steps - 1)
    restore_kwh = fleet.restore_kwh(state_end, surroundings=last)
    price_mean = days.price_import_per_kwh.mean(dim=1, keepdim=True)
    price = energy_price_per_kwh(fleet, days, p_kw=p_kw)
    return Costs(
        energy=days.dt_h * (p_kw * price).sum(dim=1),
        device=fleet.step_cost(p_kw, days.dt_h).sum(dim=1),
        terminal=price_mean * restore_kwh,
    )


def trajectory_cost(fleet: Fleet, trajectory: Trajectory) -> Costs:
    """Return the controllable cost of a rollout."""
    return controllable_cost(
        fleet, trajectory.days, p_kw=trajectory.p_kw, state_end=trajectory.state[:, -1]
    )


def energy_price_per_kwh(fleet: Fleet, days: Days, *, p_kw: AgentSeries) -> AgentSeries:
    """Return the price at which each agent's energy counts in every step [cur/kWh].

    Args:
        fleet: Whose devices.
        days: Prices, load and sun.
        p_kw: Delivered powers, [day, time, agent]. [kW]
    """
    home = fleet.household_index
    net_kw = (days.base_load_kw - days.pv_available_kw).index_select(-1, home)
    with_devices_kw = net_kw + _home_power(fleet, p_kw)
    high_kw = torch.maximum(net_kw, with_devices_kw)
    low_kw = torch.minimum(net_kw, with_devices_kw)
    above_kw, below_kw = torch.relu(high_kw), torch.relu(-low_kw)
    straddles = (high_kw > 0.0) & (low_kw < 0.0)
    # Off the straddling steps the share is exactly 0 or 1, and the division below is never used.
    one_sided = (low_kw >= 0.0).to(p_kw)
    width_kw = torch.where(straddles, above_kw + below_kw, 1.0)
    share = torch.where(straddles, above_kw / width_kw, one_sided)
    price_import = days.price_import_per_kwh[..., None]
    price_export = days.price_export_per_kwh[..., None]
    return price_export + (price_import - price_export) * share


def service(fleet: Fleet, trajectory: Trajectory) -> Service:
    """Return what users did not get."""
    days = trajectory.days
    feels = surroundings(days)
    zero = torch.zeros_like(trajectory.state)
    shortfall = fleet.departure_shortfall_kwh(trajectory.state, feels, days.dt_h)
    return Service(
        comfort_k_h=days.dt_h * fleet.comfort_violation_k(trajectory.state).sum(dim=1),
        clipped_kwh=days.dt_h * trajectory.violation_kw.sum(dim=1),
        departure_shortfall_kwh=shortfall.sum(dim=1),
        trip_shortfall_kwh=_trip_shortfall(fleet, trajectory, zero=zero).sum(dim=1),
    )


def _trip_shortfall(fleet: Fleet, trajectory: Trajectory, *, zero: AgentSeries) -> AgentSeries:
    """Return energy of trips that vehicles did not have, [day, time, agent] [kWh]."""
    if "ev_charger" not in fleet.kinds:
        return zero
    first = trajectory.state_init.expand(trajectory.state.shape[0], 1, -1)
    before = torch.cat([first, trajectory.state[:, :-1]], dim=1)
    feels = surroundings(trajectory.days)
    parts = []
    for group in fleet.groups:
        own = before.index_select(-1, group.index)
        if isinstance(group.device, EvCharger):
            parts.append(group.device.trip_shortfall_kwh(own, feels.select(group.index)))
        else:
            parts.append(torch.zeros_like(own))
    return fleet.merge(parts)


def _home_power(fleet: Fleet, p_kw: AgentSeries) -> Tensor:
    """Return the power of all devices in each agent's home, [day, time, agent] [kW]."""
    home = fleet.household_index
    if len(torch.unique(home)) == len(home):
        return p_kw
    return fleet.household_sum(p_kw).index_select(-1, home)
