"""Homes and days drawn from a seed, in a mix like that of a European street with early adopters.

Shares and sizes are judgement, chosen to exercise every device; they are no statistics.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import (
    Battery,
    Generator,
    HeatPump,
    Home,
    HotWater,
    Pv,
    Shiftable,
    Vehicle,
)

Floats = NDArray[np.float64]
SHARES = {
    "pv": 0.4,
    "battery": 0.35,
    "vehicle": 0.4,
    "heater": 0.35,
    "tank": 0.25,
    "appliance": 0.7,
    "generator": 0.02,
}
APPLIANCES = (("washing_machine", 2.0, 2.0), ("dishwasher", 1.8, 1.5), ("dryer", 2.5, 1.25))
"""Name, power [kW], duration [h]."""


class Case(NamedTuple):
    """A home and its day."""

    home: Home
    forecast: Forecast


def draw_cases(n_homes: int, *, seed: int, dt_h: float = 0.25, runs: int = 1) -> list[Case]:
    """Return homes with a day each, from midnight to midnight.

    Args:
        n_homes: How many.
        seed: Of all draws; a home keeps its draws whatever the number of homes.
        dt_h: Step length. [h]
        runs: Appliances that run once, in homes that have any, up to three.
    """
    children = np.random.SeedSequence(seed).spawn(n_homes)
    return [_draw(np.random.Generator(np.random.PCG64(child)), dt_h, runs) for child in children]


def _draw(rng: np.random.Generator, dt_h: float, runs: int) -> Case:
    n = round(24.0 / dt_h)
    hour: Floats = np.linspace(0.0, 24.0, n, endpoint=False)
    has = {name: rng.random() < share for name, share in SHARES.items()}
    forecast = _forecast(rng, hour, dt_h=dt_h, has_pv=has["pv"])
    home = Home(
        batteries=(_battery(rng),) if has["battery"] else (),
        vehicles=(_vehicle(rng, hour, dt_h),) if has["vehicle"] else (),
        heaters=(_heater(rng, hour),) if has["heater"] else (),
        tanks=(_tank(rng, hour, dt_h),) if has["tank"] else (),
        appliances=_appliances(rng, dt_h, runs) if has["appliance"] else (),
        generators=(_generator(rng, hour),) if has["generator"] else (),
        pv=Pv() if has["pv"] else None,
    )
    return Case(home, forecast)


def _forecast(rng: np.random.Generator, hour: Floats, *, dt_h: float, has_pv: bool) -> Forecast:
    kind = rng.choice(["flat", "time_of_use", "dynamic"], p=[0.3, 0.4, 0.3])
    level = rng.uniform(0.22, 0.35)
    price = np.full(len(hour), level)
    if kind == "time_of_use":
        price = np.where((hour >= 16) & (hour < 19), 1.5 * level, price)
        price = np.where(hour < 6, 0.6 * level, price)
    elif kind == "dynamic":
        by_hour = level * (1.0 + 0.35 * np.sin((np.arange(24) - 11.0) / 24.0 * 4.0 * np.pi))
        by_hour = by_hour + rng.normal(0.0, 0.03, 24)
        price = by_hour[hour.astype(int)]
    sun = np.maximum(np.sin((hour - 6.5) / 12.0 * np.pi), 0.0) * rng.uniform(0.1, 0.9)
    sun = sun * rng.uniform(0.6, 1.0, len(hour))
    mean_c = rng.uniform(-5.0, 18.0)
    return Forecast(
        dt_h=dt_h,
        price_import_per_kwh=price,
        price_export_per_kwh=np.full(len(hour), rng.uniform(0.05, 0.15)),
        temp_out_c=mean_c + 4.0 * np.sin((hour - 9.0) / 12.0 * np.pi),
        ghi_w_per_m2=800.0 * sun,
        base_load_kw=rng.uniform(0.15, 0.6) + rng.exponential(0.2, len(hour)),
        pv_available_kw=rng.uniform(2.0, 8.0) * sun if has_pv else np.zeros(len(hour)),
    )


def _battery(rng: np.random.Generator) -> Battery:
    return Battery(
        capacity_kwh=rng.uniform(5.0, 15.0),
        p_charge_max_kw=rng.uniform(2.5, 6.0),
        p_discharge_max_kw=rng.uniform(2.5, 6.0),
        soc_init=rng.uniform(0.1, 0.9),
        wear_per_kwh=rng.choice([0.0, 0.01]),
        discharge_to_grid=bool(rng.random() < 0.4),
    )


def _vehicle(rng: np.random.Generator, hour: Floats, dt_h: float) -> Vehicle:
    leaves, returns = rng.uniform(6.5, 9.0), rng.uniform(16.0, 20.0)
    plugged_in = (hour + dt_h <= leaves) | (hour >= returns)
    capacity_kwh = rng.uniform(35.0, 80.0)
    trip_kwh = np.zeros(len(hour))
    trip_kwh[int(np.flatnonzero(hour >= returns)[0])] = rng.uniform(3.0, 15.0)
    last = int(np.flatnonzero(hour + dt_h <= leaves)[-1])
    return Vehicle(
        capacity_kwh=capacity_kwh,
        charger_kw=float(rng.choice([3.7, 7.4, 11.0])),
        plugged_in=plugged_in,
        soc_init=rng.uniform(0.3, 0.8),
        departures=((last, 0.8 * capacity_kwh),),
        trip_kwh=trip_kwh,
        soc_floor=0.2,
        v2g_kw=7.4 if rng.random() < 0.1 else 0.0,
    )


def _heater(rng: np.random.Generator, hour: Floats) -> HeatPump:
    ua = rng.uniform(0.1, 0.35)
    day_c, night_c = rng.uniform(19.0, 21.5), rng.uniform(16.5, 18.5)
    return HeatPump(
        p_max_kw=15.0 * ua,
        ua_kw_per_k=ua,
        c_kwh_per_k=ua * rng.uniform(20.0, 60.0),
        temp_init_c=rng.uniform(night_c, day_c),
        temp_min_c=np.where((hour >= 6.5) & (hour < 22.5), day_c, night_c),
        temp_max_c=np.full(len(hour), 24.0),
        solar_gain_m2=rng.uniform(1.0, 5.0),
        internal_gain_kw=rng.uniform(0.1, 0.5),
        carnot_fraction=None if rng.random() < 0.1 else 0.4,
        supply_temp_c=float(rng.choice([35.0, 50.0])),
    )


def _tank(rng: np.random.Generator, hour: Floats, dt_h: float) -> HotWater:
    draw_kwh = np.zeros(len(hour))
    for moment in rng.uniform(6.0, 22.0, rng.integers(2, 6)):
        draw_kwh[int(moment / dt_h)] += rng.uniform(0.3, 1.5)
    return HotWater(
        volume_l=rng.uniform(100.0, 250.0),
        p_max_kw=3.0,
        draw_kwh=draw_kwh,
        temp_init_c=rng.uniform(42.0, 55.0),
        ready=((round(7.0 / dt_h) - 1, 52.0),),
        carnot_fraction=None if rng.random() < 0.7 else 0.4,
    )


def _appliances(rng: np.random.Generator, dt_h: float, runs: int) -> tuple[Shiftable, ...]:
    """Return so many different appliances; a dryer waits for a washing machine in the home."""
    chosen = sorted(rng.permutation(len(APPLIANCES))[:runs].tolist())
    names = [APPLIANCES[kind][0] for kind in chosen]
    found = []
    for name, power_kw, hours in (APPLIANCES[kind] for kind in chosen):
        waits = name == "dryer" and "washing_machine" in names
        found.append(
            Shiftable(
                name=name,
                power_kw=power_kw,
                duration=round(hours / dt_h),
                earliest=round(rng.uniform(6.0, 12.0) / dt_h),
                latest=round(rng.uniform(17.0, 23.0) / dt_h),
                after="washing_machine" if waits else None,
            )
        )
    return tuple(found)


def _generator(rng: np.random.Generator, hour: Floats) -> Generator:
    return Generator(
        p_max_kw=6.0,
        p_min_kw=rng.uniform(0.0, 2.0),
        fuel_per_kwh=rng.uniform(0.25, 0.4),
        fuel_quadratic_per_kw2h=0.005,
        allowed=(hour >= 8) & (hour < 20),
    )
