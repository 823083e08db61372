"""Price-only owners without a plan: generators in every step, vehicles by counting cheap hours."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gradmap.devices.ev_charger import EvCharger
from gradmap.devices.generator import Generator
from gradmap.observations import INDEX
from gradmap.types import AgentValues, Observation


@dataclass(frozen=True, kw_only=True, eq=False)
class Ahead:
    """What is usual from the present step on, for a day."""

    price_import: Tensor
    """[time]. [cur/kWh]"""
    price_export: Tensor
    """[time]. [cur/kWh]"""
    surplus_kw: Tensor
    """Solar power beyond the load, >= 0, [agent, time]. [kW]"""


def generator_kw(generator: Generator, *, obs: Observation, surplus_kw: AgentValues) -> AgentValues:
    """Return the output of least cost, bill and fuel together [kW].

    The marginal cost a + 2 b g of output g meets the export price at g_out, the import price at
    g_in >= g_out; in between the own net load is covered.
    """
    pars = generator.params
    steepness = (2.0 * pars.fuel_quadratic_per_kw2h).clamp(min=1e-9)
    out_kw = (obs[..., INDEX["price_export_per_kwh"]] - pars.fuel_per_kwh) / steepness
    in_kw = (obs[..., INDEX["price_import_per_kwh"]] - pars.fuel_per_kwh) / steepness
    wanted_kw = torch.maximum(out_kw, torch.minimum(-surplus_kw, in_kw))
    p_min_kw, p_max_kw = generator.action_range_kw()
    return torch.clamp(-wanted_kw, p_min_kw, p_max_kw)


def ev_charger_kw(
    charger: EvCharger,
    *,
    obs: Observation,
    surplus_kw: AgentValues,
    prices: tuple[AgentValues, AgentValues],
    ahead: Ahead,
    dt_h: float,
) -> AgentValues:
    """Return the charging power that fills the cheapest steps before departure [kW].

    It charges now what does not fit into later steps at lower prices: at full power where energy is
    cheaper to buy, with the usual surplus where it is only cheaper not to sell.

    Args:
        charger: The chargers and their vehicles.
        obs: Observations of their agents.
        surplus_kw: Own solar power beyond the own load. [kW]
        prices: Of import and export, at the usual level. [cur/kWh]
        ahead: What is usual from the present step on.
        dt_h: Step length. [h]
    """
    pars = charger.params
    missing_kwh = torch.relu(pars.soc_target - obs[..., INDEX["state"]]) * pars.e_max_kwh
    needed_kw = missing_kwh / (pars.eta_charge * dt_h)  # if all of it were charged in this step
    n_left = torch.floor(obs[..., INDEX["departure_h"]] / dt_h + 1e-3)
    later = torch.arange(len(ahead.price_import), device=obs.device)
    usable = (later > 0) & (later < n_left[..., None])
    rating_kw = pars.p_max_kw[:, None]
    usual_surplus_kw = torch.minimum(ahead.surplus_kw, rating_kw)

    def worth_kw(price: AgentValues) -> AgentValues:
        """Return what does not fit into later steps that are cheaper than `price`."""
        price = price[..., None]
        solar_kw = torch.where(ahead.price_export < price, usual_surplus_kw, 0.0)
        room_kw = torch.where(ahead.price_import < price, rating_kw, solar_kw)
        return torch.relu(needed_kw - (usable * room_kw).sum(dim=-1))

    from_surplus_kw = torch.minimum(worth_kw(prices[1]), torch.relu(surplus_kw))
    request_kw = torch.maximum(worth_kw(prices[0]), from_surplus_kw)
    return torch.minimum(request_kw, pars.p_max_kw) * obs[..., INDEX["plugged_in"]]
