"""What a house needs and holds, from its type, year and floor area; tables of the United Kingdom.

No householder knows heat losses in kW/K, so they are worked out: areas of a plain box, U-values by
construction year, and ventilation. Where a number comes from stands beside it; [J] marks
judgement. docs/hems/parameters.md compares the result with other sources.

References:
    [1] BRE, SAP 2012 Appendix S (RdSAP) and RdSAP 10 specification: age bands of England and
        U-values of elements as built.
    [2] BRE, SAP 2012, Table 1f: thermal mass parameter 100, 250, 450 kJ/(m2 K).
    [3] BRE, BREDEM 2012, Section 1: electricity of appliances and lights.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from federates.hems.parameters.choices import Emitter, HouseType

UK_DESIGN_TEMP_C: Final = -3.0
"""Outdoor temperature that heating is sized for; common in England. [degC]"""
RATED_TEMP_OUT_C: Final = 7.0
"""Outdoor temperature of `heating.cop_nominal`, A7 of EN 14511. [degC]"""
SUPPLY_TEMP_C: Final[Mapping[Emitter, float]] = {"radiators": 50.0, "underfloor": 35.0}
"""Supply water on a cold day: enlarged radiators [J], floors as in EN 14511's W35. [degC]"""
COP_NOMINAL: Final[Mapping[Emitter, float]] = {"radiators": 3.2, "underfloor": 4.5}
"""At A7; about 0.42 of Carnot, the middle of what heat pumps reach. [J]"""
HOT_WATER_COP: Final = 2.5
"""Of a heat pump that heats a tank to 50-55 degC. [J]"""
SIZING_MARGIN: Final = 1.15
"""Rating over design heat loss, as in `scenarios.device_draws`."""
SIZING_TEMP_IN_C: Final = 21.0
"""Indoor temperature that heating is sized for. [degC]"""

_KELVIN_AT_0_C = 273.15
_COP_LIMITS = (1.0, 6.0)
_LEAST_LIFT_K = 1.0
_STOREY_HEIGHT_M = 2.5
_WINDOW_SHARE = 0.17  # window and door area over floor area [J]; RdSAP's formulas give 0.15-0.2
_AIR_KWH_PER_M3K = 0.33e-3
_KJ_PER_KWH = 3600.0
_DAYS_PER_YEAR = 365.0
_WEEK_DAYS = 7.0


@dataclass(frozen=True, kw_only=True)
class AgeBand:
    """Elements of houses built in a period; U-values in W/(m2 K)."""

    first_year: int
    u_wall: float
    u_roof: float
    u_floor: float
    u_window: float
    bridges_w_per_m2k: float
    """Thermal bridges over exposed area, SAP's y."""
    air_changes_per_h: float
    mass_kj_per_m2k: float


# Bands of England [1], some merged. Walls: solid brick 1.7 to 1929; cavities a third as built (1.6,
# from 1976 1.0) and two thirds filled (0.5, 0.4) to 1982 [J]; then as built. Roofs: 100 mm in the
# loft to 1982 [J], then as built. Floors and air changes [J]. Windows: double glazing throughout
# [J]. Mass: masonry 250 [2], later lighter blocks and timber 175 [J].
AGE_BANDS: Final[tuple[AgeBand, ...]] = tuple(
    AgeBand(
        first_year=year,
        u_wall=wall,
        u_roof=roof,
        u_floor=floor,
        u_window=window,
        bridges_w_per_m2k=bridges,
        air_changes_per_h=air,
        mass_kj_per_m2k=mass,
    )
    for year, wall, roof, floor, window, bridges, air, mass in (
        (0, 1.70, 0.40, 0.70, 2.8, 0.15, 0.90, 250.0),
        (1930, 0.90, 0.40, 0.70, 2.8, 0.15, 0.80, 250.0),
        (1976, 0.65, 0.40, 0.70, 2.8, 0.15, 0.75, 250.0),
        (1983, 0.60, 0.30, 0.60, 2.8, 0.15, 0.70, 250.0),
        (1996, 0.45, 0.26, 0.45, 2.4, 0.15, 0.60, 175.0),
        (2003, 0.35, 0.20, 0.25, 2.0, 0.11, 0.55, 175.0),
        (2007, 0.30, 0.16, 0.22, 1.8, 0.08, 0.50, 175.0),
        (2012, 0.28, 0.15, 0.20, 1.6, 0.08, 0.50, 175.0),
        (2022, 0.18, 0.11, 0.13, 1.2, 0.05, 0.40, 175.0),
    )
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A house as a box with a square base."""

    storeys: float
    exposed_sides: float
    """Of four."""
    exposed_ends: float
    """Share of roof and floor that faces outside or the ground."""


SHAPES: Final[Mapping[HouseType, Shape]] = {
    "detached": Shape(storeys=2, exposed_sides=4, exposed_ends=1),
    "semi_detached": Shape(storeys=2, exposed_sides=3, exposed_ends=1),
    "terraced": Shape(storeys=2, exposed_sides=2, exposed_ends=1),
    "flat": Shape(storeys=1, exposed_sides=2, exposed_ends=1 / 3),
}
"""Flats: the mean of a three-storey block. [J]"""


def age_band(built_year: int) -> AgeBand:
    """Return the elements of houses built in a year."""
    first_years = [band.first_year for band in AGE_BANDS]
    return AGE_BANDS[bisect_right(first_years, built_year) - 1]


def ua_kw_per_k(house_type: HouseType, *, built_year: int, floor_area_m2: float) -> float:
    """Return the heat loss per kelvin of fabric, bridges and ventilation. [kW/K]

    Implements

        UA = sum U A + y A_exposed + 0.33 n V    (SAP 2012, worksheet lines 33 to 39)

    Args:
        house_type: Which sides are exposed.
        built_year: Construction year.
        floor_area_m2: Of all storeys. [m2]
    """
    shape, band = SHAPES[house_type], age_band(built_year)
    base_m2 = floor_area_m2 / shape.storeys
    side_m2 = math.sqrt(base_m2) * _STOREY_HEIGHT_M * shape.storeys
    outer_m2 = shape.exposed_sides * side_m2
    window_m2 = min(_WINDOW_SHARE * floor_area_m2, outer_m2)
    end_m2 = shape.exposed_ends * base_m2
    fabric_w = (
        band.u_wall * (outer_m2 - window_m2)
        + band.u_window * window_m2
        + (band.u_roof + band.u_floor) * end_m2
        + band.bridges_w_per_m2k * (outer_m2 + 2 * end_m2)
    )
    volume_m3 = floor_area_m2 * _STOREY_HEIGHT_M
    return fabric_w / 1000 + _AIR_KWH_PER_M3K * band.air_changes_per_h * volume_m3


def c_kwh_per_k(*, built_year: int, floor_area_m2: float) -> float:
    """Return the heat capacity that takes part in a day. [kWh/K]"""
    return age_band(built_year).mass_kj_per_m2k * floor_area_m2 / _KJ_PER_KWH


def solar_gain_m2(floor_area_m2: float) -> float:
    """Return heat gain over horizontal irradiance, as in `scenarios.device_draws`. [m2]"""
    return 0.02 * floor_area_m2


def internal_gain_kw(*, occupants: int, floor_area_m2: float) -> float:
    """Return heat from people and appliances, as in `scenarios.device_draws`. [kW]"""
    return 0.15 + 0.06 * occupants + 0.001 * floor_area_m2


def base_load_kwh_day(
    *, occupants: int, floor_area_m2: float, weekly_appliances_kwh: float
) -> float:
    """Return the electricity of lights and everything else that is not planned. [kWh/d]

    Implements

        E = (184.8 + 59.73 / 2) (area x occupants)^0.4714    [kWh a year]    [3]

    with half the light of BREDEM's incandescent bulbs, less the machines that are planned; at least
    half is left, since drawing up a list of machines does not make a home frugal. [J]

    Args:
        occupants: People.
        floor_area_m2: Floor area. [m2]
        weekly_appliances_kwh: Electricity of the planned machines in a week. [kWh]
    """
    yearly = (184.8 + 59.73 / 2) * math.pow(floor_area_m2 * occupants, 0.4714)
    daily = yearly / _DAYS_PER_YEAR
    return max(daily - weekly_appliances_kwh / _WEEK_DAYS, 0.5 * daily)


def cop(temp_out_c: float, *, supply_temp_c: float, carnot_fraction: float) -> float:
    """Return heat over electricity; the formula of `gradmap.devices.heat_pump.cop`."""
    lift_k = max(supply_temp_c - temp_out_c, _LEAST_LIFT_K)
    ideal = (supply_temp_c + _KELVIN_AT_0_C) / lift_k
    return min(max(carnot_fraction * ideal, _COP_LIMITS[0]), _COP_LIMITS[1])


def carnot_fraction(cop_nominal: float, *, supply_temp_c: float) -> float:
    """Return the share of the ideal COP that gives `cop_nominal` at 7 degC outside. [-]"""
    lift_k = supply_temp_c - RATED_TEMP_OUT_C
    return cop_nominal * lift_k / (supply_temp_c + _KELVIN_AT_0_C)


def design_loss_kw(
    ua: float, *, temp_in_c: float, design_temp_c: float = UK_DESIGN_TEMP_C
) -> float:
    """Return the heat that holds an indoor temperature on the design day, without gains. [kW]

    Args:
        ua: Heat loss per kelvin. [kW/K]
        temp_in_c: Indoor temperature. [degC]
        design_temp_c: Outdoor temperature of the design day. [degC]
    """
    return ua * max(temp_in_c - design_temp_c, 0.0)
