"""A smooth day of the year for schedules without a forecast: clear formulas, no weather file.

Judgement values for the British Isles and mid latitudes, the same for every home: mean outdoor
temperature 10.5 degC with a yearly swing of 6.5 K and a daily one of 3 to 5 K, half of the clear
sky's irradiance, a base load with a morning and an evening peak. Dynamic tariffs get a day-ahead
shape around a mean price.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from federates.hems.adapters.hours import Steps
from federates.hems.adapters.interview_home import DayAhead
from federates.hems.optimiser.checks import FloatArray
from federates.hems.parameters.models import HomeParameters
from gradmap.errors import ScenarioError

SEASONS: Final = {
    "winter": date(2025, 1, 15),
    "spring": date(2025, 4, 16),
    "summer": date(2025, 7, 16),
    "autumn": date(2025, 10, 15),
}
"""A Wednesday in the middle of each."""
LATITUDE_DEG: Final = 52.0
N_STEPS: Final = 96
DT_H: Final = 0.25
MEAN_PRICE_PER_KWH: Final = 0.25
"""Of dynamic tariffs. [currency/kWh]"""
_COLDEST_DAY: Final = 20.0
_DAYS: Final = 365.0
_CLEARNESS: Final = 0.5


def day_of(name: str) -> date:
    """Return the date of a season or of text such as 2025-01-15.

    Raises:
        ScenarioError: It is neither.
    """
    if name in SEASONS:
        return SEASONS[name]
    try:
        return date.fromisoformat(name)
    except ValueError:
        raise ScenarioError(
            f"day {name!r}: expected {', '.join(SEASONS)}, or a date such as 2025-01-15"
        ) from None


def day_ahead(said: HomeParameters, day: date) -> DayAhead:
    """Return what is believed about a day of an interviewed home.

    Args:
        said: The home: its zone decides when the sun is highest, its base load how much it draws.
        day: The day, 96 quarter-hours from midnight; a change of clocks is left out.
    """
    hour = np.arange(N_STEPS, dtype=np.float64) * DT_H
    middle: FloatArray = hour + 0.5 * DT_H
    return DayAhead(
        steps=Steps(hour=hour, day_of_week=np.full(N_STEPS, float(day.weekday())), dt_h=DT_H),
        temp_out_c=_temp_out_c(middle, day),
        ghi_w_per_m2=_ghi_w_per_m2(middle - _daylight_saving_h(said.timezone, day), day),
        price_import_per_kwh=_dynamic_price(middle),
        base_load_kw=said.household.base_load_kwh_day / 24.0 * _load_shape(middle),
    )


def _season(day: date) -> float:
    """Return 1 on the coldest day and -1 half a year later."""
    return float(np.cos(2.0 * np.pi * (day.timetuple().tm_yday - _COLDEST_DAY) / _DAYS))


def _temp_out_c(hour: FloatArray, day: date) -> FloatArray:
    """Return the outdoor temperature; warmest at 15:00. [degC]"""
    season = _season(day)
    swing_k = 4.0 - season
    return 10.5 - 6.5 * season + swing_k * np.cos(2.0 * np.pi * (hour - 15.0) / 24.0)


def _ghi_w_per_m2(solar_hour: FloatArray, day: date) -> FloatArray:
    """Return half of Haurwitz's clear sky, 1098 cos z exp(-0.057 / cos z) [W/m2].

    The sun's declination is Cooper's, 23.45 degrees sin(360 (284 + n) / 365).
    """
    declination = np.deg2rad(23.45) * np.sin(
        2.0 * np.pi * (284.0 + day.timetuple().tm_yday) / _DAYS
    )
    latitude = np.deg2rad(LATITUDE_DEG)
    cosine = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(
        declination
    ) * np.cos(2.0 * np.pi * (solar_hour - 12.0) / 24.0)
    above = np.maximum(cosine, 1e-3)
    clear = 1098.0 * above * np.exp(-0.057 / above)
    return np.where(cosine > 0.0, _CLEARNESS * clear, 0.0)


def _load_shape(hour: FloatArray) -> FloatArray:
    """Return the base load relative to its mean: a low night, a peak at 7:30 and one at 19:00."""
    shape = (
        0.55
        + 0.5 * np.exp(-(((hour - 7.5) / 1.3) ** 2))
        + 1.0 * np.exp(-(((hour - 19.0) / 2.5) ** 2))
    )
    return np.asarray(shape / shape.mean())


def _dynamic_price(hour: FloatArray) -> FloatArray:
    """Return a day-ahead price: cheap at night and at noon, dear in the evening [currency/kWh]."""
    shape = (
        1.0
        + 0.25 * np.exp(-(((hour - 8.0) / 1.5) ** 2))
        + 0.7 * np.exp(-(((hour - 18.5) / 1.8) ** 2))
        - 0.25 * np.exp(-(((hour - 13.0) / 2.0) ** 2))
        - 0.3 * np.exp(-(((hour - 3.0) / 2.5) ** 2))
    )
    return np.asarray(MEAN_PRICE_PER_KWH * shape / shape.mean())


def _daylight_saving_h(timezone: str, day: date) -> float:
    shift = datetime.combine(day, time(12), tzinfo=ZoneInfo(timezone)).dst()
    return 0.0 if shift is None else shift.total_seconds() / 3600.0
