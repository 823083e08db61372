"""An interviewed home as rows of a scenario's tables, in place of a drawn one.

What the tables cannot hold: tank and machines become load that nobody schedules (`daily_load`), a
car gives nothing back to the home, wishes by hour reach the home's own energy manager only
(`fleet_home`), and the home pays the scenario's tariff.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from federates.hems.adapters.hours import clock_h, inside
from federates.hems.adapters.interview_home import SOC_START, WEAR_PER_KWH
from federates.hems.parameters import building
from federates.hems.parameters.feasibility_use import SHOWER_KWH
from federates.hems.parameters.models import (
    ElectricWater,
    HeatPumpHeating,
    HomeParameters,
    ResistiveHeating,
)
from gradmap.errors import ScenarioError

Row = Mapping[str, float]

BEYOND_BAND_K: Final = 1.5
"""The thermostat's own limits lie so far outside the comfort band, as in drawn homes. [K]"""
EV_RESERVE: Final = 0.2
"""Charge below which a car charges at once, as in drawn homes. [-]"""
EV_ETA: Final = 0.92
"""Of a charger: the middle of the drawn ones. [-]"""
RESISTIVE_CARNOT: Final = 1e-3
"""So little of Carnot that the COP is at its lower limit, 1: what a heater does. [-]"""
HEAT_PUMP_POWER_FACTOR: Final = 0.97
STANDING_KWH_PER_DAY: Final = 1.4
"""Heat that a tank loses: 0.002 kW/K over 30 K, `optimiser.home_model.HotWater`. [kWh]"""


@dataclass(frozen=True, kw_only=True)
class Traits:
    """Columns of households.csv that an interview decides."""

    occupants: int
    pv_kwp: float
    pv_tilt_deg: float
    pv_azimuth_deg: float
    pv_inverter_kva: float


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """A load of constant power at the same time of every day, or of some days."""

    name: str
    start_h: float
    """May be negative: before midnight. [h]"""
    power_kw: float
    energy_kwh: float
    share_of_days: float
    """Chance of each day. More than 1: several runs, one after the other. [-]"""


def traits(home: HomeParameters) -> Traits:
    """Return people and roof. The inverter is as large as the panels."""
    pv = home.pv
    return Traits(
        occupants=home.household.occupants,
        pv_kwp=0.0 if pv is None else pv.peak_kw,
        pv_tilt_deg=0.0 if pv is None else pv.tilt_deg,
        pv_azimuth_deg=0.0 if pv is None else pv.azimuth_deg,
        pv_inverter_kva=0.0 if pv is None else pv.peak_kw,
    )


def device_rows(
    home: HomeParameters, *, currency: str, start_hour: float = 0.0
) -> dict[str, list[Row]]:
    """Return the parameters of each device, by gradmap's kinds.

    Args:
        home: Whose devices.
        currency: Of the scenario's prices, ISO 4217.
        start_hour: Wall clock at which the scenario begins. [h]

    Raises:
        ScenarioError: A value has no place in the scenario; names the key.
    """
    rows = {
        "battery": _battery(home),
        "heat_pump": _heating(home, start_hour=start_hour),
        "generator": _generator(home, currency=currency),
        "ev_charger": _evs(home),
    }
    return {kind: found for kind, found in rows.items() if found}


def daily_load(home: HomeParameters) -> tuple[Pulse, ...]:
    """Return tank and machines as load by habit.

    The tank is heated so that it is ready in time; machines start at the earliest hour.
    """
    found = []
    water = home.hot_water
    if isinstance(water, ElectricWater):
        heat_kwh = SHOWER_KWH * water.showers_per_day + STANDING_KWH_PER_DAY
        efficiency = building.HOT_WATER_COP if water.kind == "heat_pump" else 1.0
        energy_kwh = min(heat_kwh / efficiency, 24.0 * water.power_kw)
        found.append(
            Pulse(
                name="hot_water",
                start_h=clock_h(water.ready_by) - energy_kwh / water.power_kw,
                power_kw=water.power_kw,
                energy_kwh=energy_kwh,
                share_of_days=1.0,
            )
        )
    for name, own in home.appliances.items():
        found.append(
            Pulse(
                name=name,
                start_h=clock_h(own.earliest_start),
                power_kw=own.power_kw,
                energy_kwh=own.power_kw * own.duration_min / 60.0,
                share_of_days=own.runs_per_week / 7.0,
            )
        )
    return tuple(found)


def _battery(home: HomeParameters) -> list[Row]:
    own = home.battery
    if own is None:
        return []
    return [
        {
            "p_max_kw": own.power_kw,
            "e_max_kwh": own.capacity_kwh,
            "eta_charge": own.eta_charge,
            "eta_discharge": own.eta_discharge,
            "soc_min": own.reserve,
            "soc_max": 1.0,
            "soc_init": max(SOC_START, own.reserve),
            "wear_per_kwh": WEAR_PER_KWH,
        }
    ]


def _heating(home: HomeParameters, *, start_hour: float) -> list[Row]:
    own, comfort, house = home.heating, home.comfort, home.building
    if not isinstance(own, HeatPumpHeating | ResistiveHeating):
        return []
    low, high = comfort.temp_min_c, comfort.temp_max_c
    if home.flexibility.participate and home.flexibility.comfort_slack_k is not None:
        # The network may move the temperature by no more than the householder granted.
        wanted = min(comfort.temp_day_c, comfort.temp_night_c)
        low = max(low, wanted - home.flexibility.comfort_slack_k)
    if low > high:
        raise ScenarioError(
            f"`comfort.temp_min_c` allows {low:g} degC at least and `comfort.temp_max_c` "
            f"{high:g} degC at most, expected a band. Ask again which holds."
        )
    pump = own if isinstance(own, HeatPumpHeating) else None
    by_day = comfort.day_hours is None or bool(inside(comfort.day_hours, np.array([start_hour]))[0])
    start_c = comfort.temp_day_c if by_day else comfort.temp_night_c
    return [
        {
            "p_max_kw": own.rated_electric_kw,
            "ua_kw_per_k": house.ua_kw_per_k,
            "c_kwh_per_k": house.c_kwh_per_k,
            "solar_gain_m2": house.solar_gain_m2,
            "internal_gain_kw": house.internal_gain_kw,
            "supply_temp_c": 45.0 if pump is None else pump.supply_temp_c,
            "carnot_fraction": RESISTIVE_CARNOT if pump is None else pump.carnot_fraction,
            "temp_set_c": min(max(comfort.temp_day_c, low), high),
            "temp_min_c": low,
            "temp_max_c": high,
            "temp_floor_c": low - BEYOND_BAND_K,
            "temp_ceiling_c": high + BEYOND_BAND_K,
            "temp_init_c": min(max(start_c, low), high),
            "power_factor": 1.0 if pump is None else HEAT_PUMP_POWER_FACTOR,
        }
    ]


def _generator(home: HomeParameters, *, currency: str) -> list[Row]:
    own = home.generator
    if own is None:
        return []
    if home.currency != currency:
        raise ScenarioError(
            f"`currency` is {home.currency!r}, but the scenario's prices are in {currency}, and "
            f"`generator.fuel_cost_per_kwh` cannot be compared with them. Convert the fuel cost."
        )
    return [
        {
            "p_max_kw": own.rated_kw,
            "p_min_fraction": 0.0,  # it stands still unless somebody lets it run
            "fuel_per_kwh": own.fuel_cost_per_kwh,
            "fuel_quadratic_per_kw2h": 0.0,
        }
    ]


def _evs(home: HomeParameters) -> list[Row]:
    return [
        {
            "p_max_kw": ev.charger_kw,
            "e_max_kwh": ev.capacity_kwh,
            "eta_charge": EV_ETA,
            "soc_init": ev.soc_arrival,
            "soc_target": ev.target,
            "soc_min": min(EV_RESERVE, ev.target),
        }
        for ev in home.evs
    ]
