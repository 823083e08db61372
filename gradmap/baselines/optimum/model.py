"""One day of a fleet as a convex program, without the network: bounds, dynamics, costs as arrays.

Every agent has a state x and up to two controls, power drawn u+ and power delivered u-:

    x[t+1] = decay x[t] + per_plus[t] u+[t] - per_minus[t] u-[t] + drift[t]       p = u+ - u-

Batteries use both; splitting their power relaxes "either charge or discharge", so the program's
value is a lower bound. A heat pump, a generator (negative u+) or a charger uses u+ only. Costs are
those of `gradmap.costs`: the household's bill, convex and piecewise linear where import costs at
least what export pays, fuel (linear and quadratic, exactly), wear, and what is stored at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from gradmap.baselines.optimum.device_parts import array, device_part
from gradmap.days import Days
from gradmap.devices.base import Surroundings
from gradmap.devices.fleet import Fleet
from gradmap.errors import ScenarioError
from gradmap.feeder import FloatArray, IndexArray


@dataclass(kw_only=True, eq=False)
class DayModel:
    """Arrays of one day, [time, agent] unless said otherwise; powers in kW, costs in currency."""

    dt_h: float
    plus_min: FloatArray
    plus_max: FloatArray
    """Equal to `plus_min` where the agent has no choice."""
    minus_max: FloatArray
    """0 where there is no second control."""
    has_state: FloatArray
    """1 where the state is limited, else 0, [agent]."""
    decay: FloatArray
    """[agent]."""
    per_plus: FloatArray
    """State per kW held for a step."""
    per_minus: FloatArray
    drift: FloatArray
    x_init: FloatArray
    """[agent]."""
    x_min: FloatArray
    """Limits of the state at the end of each step."""
    x_max: FloatArray
    cost_plus: FloatArray
    """Cost of a kW for a step, beside the bill. [cur/kW]"""
    cost_minus: FloatArray
    quadratic: FloatArray
    """Cost of u+ squared for a step. [cur/kW2]"""
    net_kw: FloatArray
    """Household's power without the agent."""
    price: FloatArray
    """Bill of a kW more for a step where the bill is linear, or of exporting less. [cur/kW]"""
    kink: FloatArray
    """What a kW for a step costs more when imported; 0 where the bill is linear. [cur/kW]"""
    end_price: FloatArray
    """Cost of a unit more of the last state, [agent]. [cur per unit]"""
    end_kink: FloatArray
    """Cost of each unit by which the last state is below `x_init`, beside it, [agent]."""
    kvar_per_kw: FloatArray
    """[agent]."""
    connection: IndexArray
    """Row of the agent's connection, [agent]."""

    uncontrolled_bill: float = 0.0
    """What the households would pay without the agents, which no cost counts. [cur]"""

    @property
    def n_steps(self) -> int:
        """Return the steps of the day."""
        return len(self.plus_max)

    @property
    def n_agents(self) -> int:
        """Return the number of agents."""
        return len(self.decay)

    def states(self, plus: FloatArray, minus: FloatArray) -> FloatArray:
        """Return the states at the end of every step."""
        x, states = self.x_init, np.empty_like(plus)
        inflow = self.per_plus * plus - self.per_minus * minus + self.drift
        for t in range(len(plus)):
            x = self.decay * x + inflow[t]
            states[t] = x
        return states


def build_model(fleet: Fleet, *, days: Days, connection_index: torch.Tensor) -> DayModel:
    """Return the program of one day.

    Args:
        fleet: Devices, at most one in a household.
        days: One day.
        connection_index: Connection of each household, int64 [household].

    Raises:
        ScenarioError: More than one day, two devices in a household, or an export price above the
            import price, with which the bill is not convex.
    """
    _refuse_unusable(fleet, days)
    n_steps, n_agents = days.n_steps, fleet.n_agents
    household = fleet.household_index
    zeros: dict[str, Any] = {name: np.zeros((n_steps, n_agents)) for name in _MATRICES}
    zeros |= {name: np.zeros(n_agents) for name in _VECTORS}
    model = DayModel(dt_h=days.dt_h, **zeros, connection=connection_index[household].cpu().numpy())
    model.kvar_per_kw[:] = array(fleet.kvar_per_kw())
    model.net_kw[:] = array((days.base_load_kw - days.pv_available_kw)[0][:, household])
    surroundings = surroundings_of(fleet, days)
    price_end = float(days.price_import_per_kwh[0].mean())
    for group in fleet.groups:
        index = group.index.cpu().numpy()
        own = surroundings.select(group.index)
        part = device_part(group.device, own, dt_h=days.dt_h, price_end=price_end)
        for name, value in part.items():
            getattr(model, name)[..., index] = value
    _set_bill(model, days)
    return model


_MATRICES = (
    "plus_min",
    "plus_max",
    "minus_max",
    "per_plus",
    "per_minus",
    "drift",
    "x_min",
    "x_max",
    "cost_plus",
    "cost_minus",
    "quadratic",
    "net_kw",
    "price",
    "kink",
)
_VECTORS = ("has_state", "decay", "x_init", "end_price", "end_kink", "kvar_per_kw")


def _refuse_unusable(fleet: Fleet, days: Days) -> None:
    if days.n_days != 1:
        raise ScenarioError(
            f"Centralised optimum: got {days.n_days} days, expected one. Take them one by one."
        )
    counts = torch.bincount(fleet.household_index, minlength=fleet.n_households)
    crowded = torch.nonzero(counts > 1).flatten().tolist()
    if crowded:
        raise ScenarioError(
            f"Centralised optimum: household {fleet.household_ids[crowded[0]]!r} has "
            f"{int(counts[crowded[0]])} devices, expected at most one. Use `allocation: one_each`."
        )
    wrong = torch.nonzero(days.price_export_per_kwh > days.price_import_per_kwh)
    if len(wrong):
        _, step = wrong[0].tolist()
        raise ScenarioError(
            f"Centralised optimum: at step {step} export pays "
            f"{days.price_export_per_kwh[0, step].item():g} and import costs "
            f"{days.price_import_per_kwh[0, step].item():g} per kWh; expected export to pay at "
            f"most what import costs, otherwise the bill is not convex. Change the tariff."
        )


def surroundings_of(fleet: Fleet, days: Days) -> Surroundings:
    """Return what the devices feel on the first of the days, [time, agent] or [time, 1]."""
    common = {
        "temp_out_c": days.temp_out_c[0][:, None],
        "ghi_w_per_m2": days.ghi_w_per_m2[0][:, None],
    }
    if days.plugged_in is None or days.trip_kwh is None or days.departure_h is None:
        return Surroundings(**common)
    return Surroundings(
        **common,
        plugged_in=days.plugged_in[0],
        trip_kwh=days.trip_kwh[0],
        departure_h=days.departure_h[0],
    )


def _set_bill(model: DayModel, days: Days) -> None:
    """Set the bill's slopes; it has a kink only where a household may import or export."""
    price_import, price_export = (
        array(price[0])[:, None] * days.dt_h
        for price in (days.price_import_per_kwh, days.price_export_per_kwh)
    )
    lowest = model.net_kw + model.plus_min - model.minus_max
    highest = model.net_kw + model.plus_max
    both = (lowest < 0.0) & (highest > 0.0) & (price_import > price_export)
    net = model.net_kw
    bill = price_import * np.maximum(net, 0.0) - price_export * np.maximum(-net, 0.0)
    model.uncontrolled_bill = float(bill.sum())
    model.price[:] = np.where(both | (highest <= 0.0), price_export, price_import)
    model.kink[:] = np.where(both, price_import - price_export, 0.0)
