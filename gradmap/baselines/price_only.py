"""Price-only control: every owner minimises its own cost; the network is nobody's business.

Local observation only, no communication, deterministic. Agents know the present price, the clock,
their own state, load, sun and outdoor temperature, and what was usual on the days of a history:
the tariff by wall clock (published in advance), their own meter's readings and the weather.

- Battery: stores while a kWh is worth more later than it costs now, at the import price or, for
  own surplus, at the export price; serves own load, or exports, while it is worth less. What it is
  worth is planned by dynamic programming over the history (`price_plans`).
- Heat pump: likewise; warms ahead of expensive hours inside the comfort band, and no more than to
  its lower end otherwise.
- Generator: least cost in every step, exactly: own load while the import price exceeds the marginal
  fuel cost, and export while the export price does.
- Vehicle: the cheapest hours before departure; own surplus while the export price is below them.

Where whole days are cheap or dear, or warm or cold, plans are made for such a day, as far as the
present price and temperature show it (`persistence`). Plans end with the day, as costs do. Each
agent plans as if it were the home's only device, because it does not see the others.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import assert_never, final

import torch
from torch import Tensor

from gradmap.baselines.price_plans import (
    TEMP_OFFSETS_K,
    battery_slopes,
    heat_pump_slopes,
    heat_pump_warming,
)
from gradmap.baselines.price_rules import Ahead, ev_charger_kw, generator_kw
from gradmap.baselines.value_tables import Slopes, battery_request_kw, heat_request_kw
from gradmap.days import Days
from gradmap.devices.base import Surroundings
from gradmap.devices.battery import Battery
from gradmap.devices.ev_charger import EvCharger
from gradmap.devices.fleet import Fleet
from gradmap.devices.generator import Generator
from gradmap.devices.heat_pump import HeatPump
from gradmap.devices.registry import Group
from gradmap.errors import ScenarioError
from gradmap.observations import INDEX
from gradmap.types import AgentValues, Observation

HOURS_PER_DAY = 24.0
MAX_PLANNED_DAYS = 8
"""Days of the history that plans are made for; more cost time and change little."""


@final
class PriceOnly:
    """Owners who follow prices, each with a plan of its own."""

    def __init__(self, fleet: Fleet, *, history: Days | None = None) -> None:
        """Plan.

        Args:
            fleet: Whose agents.
            history: Days that were usual, such as some of the training days, of the fleet's
                households; `standard_history` if left out.

        Raises:
            ScenarioError: The history is of other households, or its days differ in their clock.
        """
        like = fleet.initial_state()
        given = standard_history(fleet) if history is None else history
        _check(given, fleet=fleet)
        given = given.to(like.device, torch.float64)
        self._price_persistence = persistence(given.price_import_per_kwh)
        self._weather_persistence = persistence(given.temp_out_c)
        self._usual_import = given.price_import_per_kwh.mean(dim=0)
        every = max(1, math.ceil(given.n_days / MAX_PLANNED_DAYS))
        days = self._at_usual_level(given).take(slice(0, None, every))
        exact = fleet.to(dtype=torch.float64)
        self.fleet = fleet
        self._dt_h, self._start_h = days.dt_h, days.hour[0, 0].item()
        self._n_steps = days.n_steps
        self._usual_import = self._usual_import.to(like)
        self._usual_export = days.price_export_per_kwh.mean(dim=0).to(like)
        self._usual_temp_c = given.temp_out_c.mean(dim=0).to(like)
        self._usual_ghi = given.ghi_w_per_m2.mean(dim=0).to(like)
        surplus_kw = (days.pv_available_kw - days.base_load_kw)[..., exact.household_index]
        self._usual_surplus_kw = torch.relu(surplus_kw).mean(dim=0).t().to(like)
        self._slopes: dict[str, Slopes] = {}
        for group in exact.groups:
            own_kw = surplus_kw[..., group.index]
            slopes: Slopes | None = None
            if isinstance(group.device, Battery):
                slopes = battery_slopes(group.device, surplus_kw=own_kw, history=days)
            elif isinstance(group.device, HeatPump):
                slopes = heat_pump_slopes(
                    group.device,
                    surplus_kw=own_kw,
                    history=days,
                    temp_out_c=given.temp_out_c.mean(dim=0),
                )
            if slopes is not None:
                self._slopes[group.kind] = replace(
                    slopes,
                    by_step=slopes.by_step.to(like),
                    low=slopes.low.to(like),
                    high=slopes.high.to(like),
                )

    def _at_usual_level(self, days: Days) -> Days:
        """Return days whose prices are without what makes a whole day cheap or dear."""
        level = self._price_persistence * (days.price_import_per_kwh - self._usual_import)
        return replace(
            days,
            price_import_per_kwh=days.price_import_per_kwh - level,
            price_export_per_kwh=days.price_export_per_kwh - level,
        )

    def act(self, obs: Observation) -> AgentValues:
        """Return every agent's request, see `gradmap.controller.Controller` [kW]."""
        since_h = torch.remainder(obs[..., INDEX["hour"]] - self._start_h, HOURS_PER_DAY)
        # Wall clocks are multiples of the step up to rounding.
        steps = torch.floor(since_h / self._dt_h + 1e-3).long().clamp(max=self._n_steps - 1)
        kinds = torch.unique(steps).tolist()
        request_kw = self._act_at(kinds[0], obs) if kinds else obs[..., 0]
        for step in kinds[1:]:
            request_kw = torch.where(steps == step, self._act_at(step, obs), request_kw)
        return request_kw

    def _act_at(self, step: int, obs: Observation) -> AgentValues:
        """Return requests for observations that are all of one step of the plan [kW]."""
        return self.fleet.merge(
            [
                self._request_kw(group, obs=obs.index_select(-2, group.index), step=step)
                for group in self.fleet.groups
            ]
        )

    def _request_kw(self, group: Group, *, obs: Observation, step: int) -> AgentValues:
        """Return what agents of one kind ask for [kW]."""
        surplus_kw = obs[..., INDEX["pv_kw"]] - obs[..., INDEX["base_load_kw"]]
        now = obs[..., INDEX["price_import_per_kwh"]]
        level = self._price_persistence * (now - self._usual_import[step])
        prices = (now - level, obs[..., INDEX["price_export_per_kwh"]] - level)
        match group.device:
            case Battery():
                return battery_request_kw(
                    obs[..., INDEX["state"]],
                    surplus_kw=surplus_kw,
                    price_import=prices[0],
                    price_export=prices[1],
                    pars=group.device.params,
                    level=partial(self._slopes[group.kind].at, step=step),
                    dt_h=self._dt_h,
                )
            case HeatPump():
                return self._heat_kw(group, device=group.device, obs=obs, prices=prices, step=step)
            case Generator():
                return generator_kw(group.device, obs=obs, surplus_kw=surplus_kw)
            case EvCharger():
                ahead = self._ahead(group, step=step)
                return ev_charger_kw(
                    group.device,
                    obs=obs,
                    surplus_kw=surplus_kw,
                    prices=prices,
                    ahead=ahead,
                    dt_h=self._dt_h,
                )
            case unknown:
                assert_never(unknown)

    def _ahead(self, group: Group, *, step: int) -> Ahead:
        """Return what is usual from a step on; energy for the next day has its mean price."""
        n_next = step  # so that the look-out is always a day long
        mean = self._usual_import.mean().expand(n_next)
        surplus_kw = self._usual_surplus_kw[group.index]
        return Ahead(
            price_import=torch.cat([self._usual_import[step:], mean]),
            price_export=torch.cat([self._usual_export[step:], mean]),
            surplus_kw=torch.cat(
                [surplus_kw[:, step:], surplus_kw.new_zeros(1).expand(len(surplus_kw), n_next)],
                dim=1,
            ),
        )

    def _heat_kw(
        self,
        group: Group,
        *,
        device: HeatPump,
        obs: Observation,
        prices: tuple[AgentValues, AgentValues],
        step: int,
    ) -> AgentValues:
        """Return what heat pumps ask for, between the tables for colder and warmer days [kW]."""
        temp_out_c = obs[..., INDEX["temp_out_c"]]
        around = Surroundings(temp_out_c=temp_out_c, ghi_w_per_m2=self._usual_ghi[step])
        warming = heat_pump_warming(device, around, dt_h=self._dt_h)
        offsets_k = temp_out_c.new_tensor(TEMP_OFFSETS_K)
        spacing_k = TEMP_OFFSETS_K[1] - TEMP_OFFSETS_K[0]
        lasting_k = self._weather_persistence * (temp_out_c - self._usual_temp_c[step])
        position = (lasting_k - offsets_k[0]) / spacing_k
        position = position.clamp(0.0, len(offsets_k) - 1.0)
        table = position.floor().clamp(max=len(offsets_k) - 2.0)
        levels = []
        for price in prices:
            value = self._dt_h * price / warming
            by_table = self._slopes[group.kind].level(value[None], step=step)
            index = table.long()[None]
            below = by_table.gather(0, index)[0]
            above = by_table.gather(0, index + 1)[0]
            levels.append(torch.lerp(below, above, position - table))
        unheated_c = device.next_state(
            obs[..., INDEX["state"]],
            p_kw=torch.zeros_like(warming),
            surroundings=around,
            dt_h=self._dt_h,
        )
        return heat_request_kw(
            unheated_c,
            warming_k_per_kw=warming,
            surplus_kw=obs[..., INDEX["pv_kw"]] - obs[..., INDEX["base_load_kw"]],
            p_max_kw=device.params.p_max_kw,
            levels=(levels[0], levels[1]),
        )


def persistence(series: Tensor) -> float:
    """Return which share of a deviation from the usual lasts all day, in [0, 1].

    The share of the deviations' variance that lies between days: 0 for a tariff that never changes,
    or whose deviations come and go within the day; 1 where whole days are cheap or dear.

    Args:
        series: Prices or temperatures, [day, time].
    """
    deviation = series - series.mean(dim=0)
    within = deviation - deviation.mean(dim=1, keepdim=True)
    total = deviation.square().mean().item()
    # Rounding of a fixed tariff is no deviation.
    if not total > 1e-12 * series.square().mean().item():
        return 0.0
    return min(max(1.0 - within.square().mean().item() / total, 0.0), 1.0)


def standard_history(fleet: Fleet, *, dt_h: float = 0.25) -> Days:
    """Return the day that owners without a meter's history plan for.

    The default time-of-use tariff (night 0-6 h, peak 16-19 h), a mild heating day, a household's
    average load with its morning and evening, and no solar power.
    """
    hour = torch.arange(round(HOURS_PER_DAY / dt_h), dtype=torch.float64) * dt_h

    def bell(centre_h: float, width_h: float) -> Tensor:
        return torch.exp(-(((hour - centre_h) / width_h) ** 2))

    price = torch.full_like(hour, 0.25)
    price[(hour >= 16.0) & (hour < 19.0)] = 0.40
    price[hour < 6.0] = 0.15
    load_kw = 0.2 + 0.25 * bell(8.0, 2.0) + 0.6 * bell(19.0, 3.0)
    households = load_kw[None, :, None].expand(1, -1, fleet.n_households)
    return Days(
        hour=hour[None],
        day_of_week=torch.zeros(1, len(hour), dtype=torch.float64),
        price_import_per_kwh=price[None],
        price_export_per_kwh=torch.full_like(price, 0.10)[None],
        temp_out_c=(8.0 + 3.0 * torch.cos((hour - 15.0) * (2.0 * math.pi / HOURS_PER_DAY)))[None],
        ghi_w_per_m2=torch.zeros_like(price)[None],
        base_load_kw=households,
        pv_available_kw=torch.zeros_like(households),
        dt_h=dt_h,
    ).to(fleet.household_index.device)


def _check(history: Days, *, fleet: Fleet) -> None:
    """Refuse a history that is not the fleet's or not of whole days."""
    if history.base_load_kw.shape[-1] != fleet.n_households:
        raise ScenarioError(
            f"Price-only control: history of {history.base_load_kw.shape[-1]} households, expected "
            f"the fleet's {fleet.n_households}. Sample it for the same population."
        )
    same_clock = torch.allclose(history.hour, history.hour[:1].expand_as(history.hour))
    length_h = history.n_steps * history.dt_h
    if not same_clock or not math.isclose(length_h, HOURS_PER_DAY):
        raise ScenarioError(
            f"Price-only control: history of days of {length_h:g} h"
            f"{'' if same_clock else ' with different clocks'}, expected days of 24 h that start "
            f"at the same time and on which no clock changes."
        )
