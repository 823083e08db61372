"""Small populations on the IEEE 123 and days of plausible size, without scenario files."""

from __future__ import annotations

import math

import torch

from gradmap.days import Days
from gradmap.devices.fleet import Fleet
from gradmap.feeder import Feeder
from gradmap.homes import Homes
from gradmap.power_flow.solver import PowerFlow
from gradmap.rollout import Rollout
from tests.devices.populations import DT_H


def homes_of(fleet: Fleet, feeder: Feeder, *, seed: int = 0) -> Homes:
    """Every home somewhere, some of them on the same connection."""
    generator = torch.Generator().manual_seed(seed)
    index = torch.randint(len(feeder.places), (fleet.n_households,), generator=generator)
    return Homes(
        connection_index=index,
        tan_phi=torch.linspace(0.1, 0.4, fleet.n_households, dtype=torch.float64),
    )


def rollout_of(fleet: Fleet, feeder: Feeder, **settings) -> Rollout:
    flow = PowerFlow(feeder.with_households())
    return Rollout(fleet=fleet, homes=homes_of(fleet, feeder), flow=flow, **settings)


def some_days(
    fleet: Fleet,
    *,
    n_days: int = 2,
    n_steps: int = 96,
    first_h: float = 0.0,
    scale: float = 1.0,
    seed: int = 0,
) -> Days:
    """Quarter hours from `first_h`; vehicles leave at 8 h and are back at 17 h."""
    generator = torch.Generator().manual_seed(seed)
    hour = first_h + torch.arange(n_steps, dtype=torch.float64).expand(n_days, -1) * DT_H

    def draw(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator, dtype=torch.float64)

    sun = torch.relu(torch.sin((hour - 6.0) / 12.0 * math.pi))
    price = torch.full_like(hour, 0.25)
    price[(hour >= 16.0) & (hour < 19.0)] = 0.40
    price[hour < 6.0] = 0.15
    homes = fleet.n_households
    away = (hour >= 8.0) & (hour < 17.0)
    until_h = torch.where(hour < 8.0, 8.0 - hour, 32.0 - hour)
    agents = (n_days, n_steps, fleet.n_agents)
    comes_home = away & (hour + DT_H >= 17.0)
    return Days(
        hour=hour,
        day_of_week=torch.ones_like(hour),
        price_import_per_kwh=price,
        price_export_per_kwh=torch.full_like(hour, 0.10),
        temp_out_c=4.0 + 4.0 * draw(n_days, 1) + 3.0 * sun,
        ghi_w_per_m2=500.0 * sun,
        base_load_kw=scale * (0.2 + draw(n_days, n_steps, homes)),
        pv_available_kw=scale * 3.0 * sun[..., None] * draw(n_days, 1, homes),
        plugged_in=(~away).double()[..., None].expand(agents),
        trip_kwh=8.0 * comes_home.roll(1, dims=1).double()[..., None].expand(agents),
        departure_h=torch.where(away, 0.0, until_h)[..., None].expand(agents),
        dt_h=DT_H,
    )
