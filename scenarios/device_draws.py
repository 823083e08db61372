"""Parameters of drawn devices, with where the numbers come from.

Every household has one fixed block of draws for each kind, so a household's battery is the same
whatever the shares, and whoever else owns one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from gradmap.devices.heat_pump import cop
from scenarios.profiles.randomness import Draws, household_uniforms
from scenarios.schema import Scenario
from scenarios.schema_series import TariffSettings

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Columns = dict[str, Floats]

N_DRAWS = 24

# Products on the market: (inverter kW, usable kWh) of common home batteries.
BATTERIES = ((2.5, 5.0), (3.0, 6.5), (3.6, 9.5), (5.0, 10.0), (5.0, 13.5))
BATTERY_SHARES = (0.20, 0.20, 0.20, 0.20, 0.20)
BATTERY_WEAR_PER_KWH = (0.005, 0.02)  # per kWh through, marginal: calendar ageing is sunk

# Houses: share, floor area over the mean (English Housing Survey: flat 61, terrace 85, semi 95,
# detached 150 m2), and heat loss over that of a mid-terrace of the same area (exposed walls).
HOUSE_SHARES = (0.15, 0.30, 0.30, 0.25)
HOUSE_AREA_FACTOR = (0.62, 0.86, 0.97, 1.48)
HOUSE_LOSS_FACTOR = (0.75, 0.95, 1.05, 1.15)
# Ages: before 1980 (partly refurbished), to 2005, after; heat loss parameter of SAP. [W/(m2 K)]
AGE_SHARES = (0.50, 0.35, 0.15)
HEAT_LOSS_W_PER_M2K = (2.8, 2.1, 1.3)
AGE_SUPPLY_TEMP_C = (50.0, 45.0, 37.0)  # radiators, larger radiators, floor heating
THERMAL_MASS_KJ_PER_M2K = (110.0, 260.0)  # SAP: light 100, medium 250; 1R1C sees part of heavy
DESIGN_BELOW_COLDEST_K = 6.5  # design temperature below the coldest month's mean
HEAT_PUMP_MARGIN = 1.15
SMALLEST_HEAT_PUMP_KW = 1.0

GENERATOR_KW = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0)  # micro-CHP 1-2 kW, small gensets above
GENERATOR_MIN_FRACTION = 0.2
LOWEST_FUEL_PER_KWH = 0.01

EV_BATTERIES_KWH = (40.0, 52.0, 60.0, 64.0, 77.0)
EV_CHARGER_KW = 7.4  # 32 A at 230 V


def draw_devices(
    owners: Mapping[str, Rows], *, households: pd.DataFrame, scenario: Scenario
) -> dict[str, pd.DataFrame]:
    """Return one table for each kind that somebody owns.

    Args:
        owners: Device kind to household numbers.
        households: The households table.
        scenario: Seed, climate (sizes heat pumps) and tariff (places fuel costs).
    """
    models = {
        "battery": _batteries,
        "heat_pump": _heat_pumps,
        "generator": _generators,
        "ev_charger": _ev_chargers,
    }
    tables = {}
    for kind, rows in owners.items():
        if len(rows) == 0:
            continue
        draws = Draws(
            household_uniforms(kind, seed=scenario.seed, n_draws=N_DRAWS, households=rows)
        )
        owner = households["household_id"].to_numpy()[rows]
        columns = models[kind](draws, households.iloc[rows], scenario)
        tables[kind] = pd.DataFrame(
            {
                "agent_id": [f"{household}.{kind}" for household in owner],
                "household_id": owner,
                **{name: np.broadcast_to(value, len(rows)) for name, value in columns.items()},
            }
        )
    return tables


def design_temp_c(scenario: Scenario) -> float:
    """Return the outdoor temperature that heating is sized for [degC]."""
    weather = scenario.profiles.weather
    return weather.temp_mean_c - weather.temp_season_c - DESIGN_BELOW_COLDEST_K


def _batteries(d: Draws, _households: pd.DataFrame, scenario: Scenario) -> Columns:
    """Draw batteries: a product each, scaled as the scenario says; round trip 88-92 %."""
    scale = scenario.population.battery_scale
    product = np.round(scale * np.asarray(BATTERIES)[_pick(d, BATTERY_SHARES)], 3)
    return {
        "p_max_kw": product[:, 0],
        "e_max_kwh": product[:, 1],
        "eta_charge": _rounded(d.uniform(0.94, 0.96), 4),
        "eta_discharge": _rounded(d.uniform(0.94, 0.96), 4),
        "soc_min": np.array(0.10),
        "soc_max": np.array(0.95),
        "soc_init": _rounded(d.uniform(0.35, 0.65), 3),
        "wear_per_kwh": _rounded(d.uniform(*BATTERY_WEAR_PER_KWH), 4),
    }


def _heat_pumps(d: Draws, households: pd.DataFrame, scenario: Scenario) -> Columns:
    """Draw houses, and heat pumps that hold the set point at the design temperature."""
    house, age = _pick(d, HOUSE_SHARES), _pick(d, AGE_SHARES)
    area_m2 = scenario.population.floor_area_mean_m2 * np.asarray(HOUSE_AREA_FACTOR)[house]
    area_m2 = area_m2 * d.uniform(0.8, 1.2)[:, 0]
    loss = np.asarray(HEAT_LOSS_W_PER_M2K)[age] * np.asarray(HOUSE_LOSS_FACTOR)[house]
    ua = area_m2 * loss * d.uniform(0.85, 1.15)[:, 0] / 1000
    mass = d.uniform(*THERMAL_MASS_KJ_PER_M2K)[:, 0]
    supply = np.clip(np.asarray(AGE_SUPPLY_TEMP_C)[age] + d.uniform(-3, 3)[:, 0], 35, 55)
    carnot = d.uniform(0.38, 0.46)[:, 0]
    setting = np.round(d.uniform(19.5, 21.5)[:, 0] * 2) / 2
    design_c = design_temp_c(scenario)
    design_cop = cop(
        torch.tensor(design_c, dtype=torch.float64),
        supply_temp_c=torch.from_numpy(supply),
        carnot_fraction=torch.from_numpy(carnot),
    ).numpy()
    rating = HEAT_PUMP_MARGIN * ua * np.maximum(setting - design_c, 5.0) / design_cop
    people = households["occupants"].to_numpy(dtype=np.float64)
    return {
        "p_max_kw": np.maximum(np.round(rating, 1), SMALLEST_HEAT_PUMP_KW),
        "ua_kw_per_k": np.round(ua, 4),
        "c_kwh_per_k": np.round(mass * area_m2 / 3600, 3),
        # South-facing glazing of about 4 % of the floor area, transmittance and shading included.
        "solar_gain_m2": np.round(0.02 * area_m2 * d.uniform(0.6, 1.4)[:, 0], 2),
        # People at 0.06 kW (part of the day) and appliances.
        "internal_gain_kw": np.round(0.15 + 0.06 * people + 0.001 * area_m2, 3),
        "supply_temp_c": np.round(supply, 1),
        "carnot_fraction": np.round(carnot, 3),
        "temp_set_c": setting,
        "temp_min_c": setting - 1.5,
        "temp_max_c": setting + 2.0,
        "temp_floor_c": setting - 3.0,
        "temp_ceiling_c": setting + 3.5,
        "temp_init_c": np.round(setting + d.uniform(-0.3, 0.3)[:, 0], 2),
        "power_factor": _rounded(d.uniform(0.95, 0.98), 3),
    }


def _generators(d: Draws, _households: pd.DataFrame, scenario: Scenario) -> Columns:
    """Draw generators whose fuel costs more than the night and less than the peak price."""
    rating = np.asarray(GENERATOR_KW)[_pick(d, (1 / len(GENERATOR_KW),) * len(GENERATOR_KW))]
    night, peak = _price_range(scenario.tariff)
    # The quadratic part costs 5-10 % of the linear part at full output.
    linear = night + (peak - night) * d.uniform(0.30, 0.75)[:, 0]
    linear = np.maximum(linear, LOWEST_FUEL_PER_KWH)
    quadratic = linear * d.uniform(0.05, 0.10)[:, 0] / rating
    return {
        "p_max_kw": rating,
        "p_min_fraction": np.array(GENERATOR_MIN_FRACTION),
        "fuel_per_kwh": np.round(linear, 4),
        "fuel_quadratic_per_kw2h": np.round(quadratic, 5),
    }


def _ev_chargers(d: Draws, _households: pd.DataFrame, _scenario: Scenario) -> Columns:
    """Draw vehicles on home chargers."""
    capacity = np.asarray(EV_BATTERIES_KWH)[_pick(d, (1 / len(EV_BATTERIES_KWH),) * 5)]
    return {
        "p_max_kw": np.array(EV_CHARGER_KW),
        "e_max_kwh": capacity,
        "eta_charge": _rounded(d.uniform(0.90, 0.94), 3),
        "soc_init": _rounded(d.uniform(0.45, 0.85), 3),
        "soc_target": np.array(0.80),
        "soc_min": np.array(0.20),
    }


def _price_range(tariff: TariffSettings) -> tuple[float, float]:
    """Return a low and a high import price of the tariff [currency/kWh]."""
    if tariff.kind == "tou":
        prices = (tariff.night_price_per_kwh, tariff.peak_price_per_kwh)
        return min(prices), max(prices)
    return 0.7 * tariff.import_price_per_kwh, 1.4 * tariff.import_price_per_kwh


def _pick(d: Draws, shares: tuple[float, ...]) -> Rows:
    """Return classes drawn by shares [household]."""
    return np.searchsorted(np.cumsum(shares)[:-1], d.uniform()[:, 0], side="right")


def _rounded(values: Floats, digits: int) -> Floats:
    """Return one column as a row of rounded numbers [household]."""
    return np.round(values[:, 0], digits)
