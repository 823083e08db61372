"""The energy that drawn base loads take on a usual day, before they are scaled."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scenarios.clock import Clock
from scenarios.profiles.base_load import base_load_kw
from scenarios.profiles.load_traits import draw_traits
from scenarios.profiles.weather import darkness_by_minute
from scenarios.schema import Scenario

Floats = NDArray[np.float64]


def clock_before(scenario: Scenario, *, n_days: int) -> Clock:
    """Return the clock of the days that end where the scenario starts."""
    clock = Clock.from_settings(scenario.time)
    return Clock(
        start=clock.start - pd.Timedelta(timedelta(days=n_days)),
        dt_s=clock.dt_s,
        n_steps=n_days * 24 * 60 // scenario.time.step_min,
    )


def drawn_kwh_day(
    scenario: Scenario, *, number: NDArray[np.int64], occupants: Floats, n_days: int
) -> Floats:
    """Return the mean daily energy of households on the days before the start, [household] [kWh].

    Args:
        scenario: Seed, site and start.
        number: Of the households: the key of their draws.
        occupants: People in each.
        n_days: So many days.
    """
    clock, site = clock_before(scenario, n_days=n_days), scenario.profiles.weather
    scale = np.ones(len(number))
    traits = draw_traits(seed=scenario.seed, number=number, occupants=occupants, scale=scale)
    total_kwh = np.zeros(len(number))
    for block in clock.blocks():
        darkness = darkness_by_minute(
            block.date,
            timezone=clock.timezone,
            latitude_deg=site.latitude_deg,
            longitude_deg=site.longitude_deg,
        )
        load_kw = base_load_kw(
            block, traits, seed=scenario.seed, split=scenario.profiles.split, darkness=darkness
        )
        total_kwh += clock.dt_h * load_kw.sum(axis=0)
    return total_kwh / n_days
