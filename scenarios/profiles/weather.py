"""Outdoor temperature and irradiance: synthetic, or from EPW, TMY3, CSV or Parquet files.

The synthetic temperature is a season, a diurnal swing and day-to-day anomalies; the irradiance is
pvlib's Ineichen clear sky times a stochastic clearness. Anomalies and cloud regimes are moving
averages of daily noise: persistent like an autoregressive process, yet each day can be drawn alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Literal, Protocol

import numpy as np
import pandas as pd
import pvlib
from numpy.typing import NDArray

from scenarios.clock import MINUTES_PER_DAY, Clock, DayBlock
from scenarios.profiles.randomness import Year, daily_normals, generator
from scenarios.profiles.weather_files import WeatherTable, read_weather
from scenarios.schema_series import WeatherSettings

Floats = NDArray[np.float64]

LINKE_TURBIDITY = 3.0  # rural mid-latitude yearly mean (2.5-3.5); fixed, so no map is downloaded
MEMORY_DAYS = 24
TEMP_PERSISTENCE = 0.75
TEMP_ANOMALY_STD_K = 2.8
CLOUD_PERSISTENCE = 0.5
WARMEST_DAY = 200  # day of the year, northern hemisphere
COLDEST_HOUR = 3  # opposite of the warmest, 15 h wall clock
CLEARNESS_NODE_MIN = 5
HIGHEST_CLEARNESS = 1.05  # reflections from broken clouds
LOWEST_SUN_DEG = 3.0  # below, all irradiance counts as diffuse
HIGHEST_FILE_CLEARNESS = 1.5

Regime = Literal["clear", "broken", "overcast"]
_SWING_K: dict[Regime, float] = {"clear": 5.0, "broken": 3.8, "overcast": 1.8}
_MEMORY_MIN: dict[Regime, float] = {"clear": 120.0, "broken": 20.0, "overcast": 60.0}


@dataclass(frozen=True, kw_only=True)
class Weather:
    """Weather and sun of consecutive steps [step]."""

    temp_out_c: Floats
    """Outdoor air. [degC]"""
    ghi_w_per_m2: Floats
    """Global horizontal irradiance."""
    dni_w_per_m2: Floats
    """Direct normal irradiance."""
    dhi_w_per_m2: Floats
    """Diffuse horizontal irradiance."""
    sun: Sun
    """Where the sun stands."""


@dataclass(frozen=True, kw_only=True)
class Sun:
    """Sun in the middle of each step [step]."""

    zenith_deg: Floats
    """Apparent zenith (with refraction). [deg]"""
    azimuth_deg: Floats
    """Clockwise from north. [deg]"""
    clear_ghi_w_per_m2: Floats
    """Global horizontal irradiance under a clear sky."""
    dni_extra_w_per_m2: Floats
    """Extraterrestrial normal irradiance."""
    day_of_year: Floats
    """Of the local calendar."""


def join_weather(parts: Sequence[Weather]) -> Weather:
    """Return the steps of several days as one, in order."""
    sun = {
        item.name: np.concatenate([getattr(part.sun, item.name) for part in parts])
        for item in fields(Sun)
    }
    own = {
        item.name: np.concatenate([getattr(part, item.name) for part in parts])
        for item in fields(Weather)
        if item.name != "sun"
    }
    return Weather(**own, sun=Sun(**sun))


class WeatherSource(Protocol):
    """Gives the weather of any block of the scenario."""

    def block(self, block: DayBlock) -> Weather:
        """Return the weather of the block's steps."""


def weather_source(
    settings: WeatherSettings, *, clock: Clock, seed: int, split: Year
) -> WeatherSource:
    """Return the scenario's weather.

    Raises:
        ScenarioError: If the weather file is missing, wrong or too short.
    """
    if settings.file is None:
        return SyntheticWeather(settings, seed=seed, split=split)
    return FileWeather(settings, table=read_weather(settings.file, clock=clock), clock=clock)


def sun_at(index: pd.DatetimeIndex, *, settings: WeatherSettings) -> Sun:
    """Return the sun and the clear sky at these times."""
    position = pvlib.solarposition.spa_python(
        index, latitude=settings.latitude_deg, longitude=settings.longitude_deg
    )
    zenith = position["apparent_zenith"].to_numpy()
    airmass = pvlib.atmosphere.get_absolute_airmass(
        pvlib.atmosphere.get_relative_airmass(zenith),
        pvlib.atmosphere.alt2pres(settings.altitude_m),
    )
    day_of_year = np.asarray(index.day_of_year, dtype=np.float64)
    extra = np.asarray(pvlib.irradiance.get_extra_radiation(day_of_year), dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):  # pvlib divides by cos(zenith) at night
        clear = pvlib.clearsky.ineichen(
            zenith,
            airmass,
            linke_turbidity=LINKE_TURBIDITY,
            altitude=settings.altitude_m,
            dni_extra=extra,
        )
    return Sun(
        zenith_deg=zenith,
        azimuth_deg=position["azimuth"].to_numpy(),
        clear_ghi_w_per_m2=np.nan_to_num(np.asarray(clear["ghi"])),
        dni_extra_w_per_m2=extra,
        day_of_year=day_of_year,
    )


def darkness_by_minute(
    day: date, *, timezone: str, latitude_deg: float, longitude_deg: float
) -> Floats:
    """Return the need of artificial light by wall-clock minute, 1 = night [1440].

    Falls from 1 at 6 degrees below the horizon to 0.12 at 20 degrees above. On a day of a clock
    change the wall clock of its noon is used throughout.
    """
    noon = (pd.Timestamp(day) + pd.Timedelta(hours=12)).tz_localize(timezone)
    nodes = pd.date_range(noon - pd.Timedelta(hours=12), periods=145, freq="10min")
    position = pvlib.solarposition.spa_python(nodes, latitude=latitude_deg, longitude=longitude_deg)
    dark = np.interp(position["apparent_elevation"].to_numpy(), [-6.0, 20.0], [1.0, 0.12])
    return np.asarray(np.interp(np.arange(MINUTES_PER_DAY), np.arange(145) * 10, dark))


class SyntheticWeather:
    """Stochastic weather around a climate."""

    def __init__(self, settings: WeatherSettings, *, seed: int, split: Year) -> None:
        self._settings = settings
        self._seed = seed
        self._split: Year = split
        self._shocks: dict[tuple[date, int], float] = {}

    def block(self, block: DayBlock, *, sun: Sun | None = None) -> Weather:
        """Return the weather of the block's steps; `sun` is computed unless it is given."""
        if sun is None:
            sun = sun_at(block.midpoints, settings=self._settings)
        clearness = block.mean_of_minutes(self.clearness_by_minute(block.date))
        ghi = sun.clear_ghi_w_per_m2 * clearness
        dni, dhi = split_irradiance(ghi, sun=sun)
        return Weather(
            temp_out_c=self._temperature(block),
            ghi_w_per_m2=ghi,
            dni_w_per_m2=dni,
            dhi_w_per_m2=dhi,
            sun=sun,
        )

    def regime(self, day: date) -> Regime:
        """Return the day's cloud regime; neighbouring days tend to agree."""
        rank = 0.5 * (1 + math.erf(self._persistent(day, 1, CLOUD_PERSISTENCE) / math.sqrt(2)))
        cloudiness = self._settings.cloudiness
        if rank < (1 - cloudiness) ** 1.5:
            return "clear"
        return "overcast" if rank > 1 - 0.9 * cloudiness**1.5 else "broken"

    def clearness_by_minute(self, day: date) -> Floats:
        """Return irradiance over clear-sky irradiance by wall-clock minute [1440]."""
        regime = self.regime(day)
        source = generator("clearness", seed=self._seed, split=self._split, day=day)
        n_nodes = MINUTES_PER_DAY // CLEARNESS_NODE_MIN + 1
        noise = source.standard_normal(n_nodes + 1)
        keep = math.exp(-CLEARNESS_NODE_MIN / _MEMORY_MIN[regime])
        latent = np.empty(n_nodes)
        value = noise[0]
        for node in range(n_nodes):
            value = keep * value + math.sqrt(1 - keep**2) * noise[node + 1]
            latent[node] = value
        if regime == "clear":
            clearness = np.clip(0.98 + 0.015 * latent, 0.9, 1.02)
        elif regime == "broken":
            clearness = 0.30 + (HIGHEST_CLEARNESS - 0.30) / (1 + np.exp(-2.5 * latent))
        else:
            clearness = np.clip(0.28 + 0.10 * latent, 0.06, 0.7)
        nodes = np.arange(n_nodes) * CLEARNESS_NODE_MIN
        return np.interp(np.arange(MINUTES_PER_DAY), nodes, clearness)

    def _temperature(self, block: DayBlock) -> Floats:
        """Return the outdoor temperature; daily values are joined from noon to noon [degC]."""
        today = block.date
        hour = block.hour + block.dt_s / 7200
        noons = np.array([-12.0, 12.0, 36.0])
        days = [today - timedelta(days=1), today, today + timedelta(days=1)]
        level = np.interp(hour, noons, [self._daily_mean(day) for day in days])
        swing = np.interp(hour, noons, [_SWING_K[self.regime(day)] for day in days])
        return np.asarray(level - swing * np.cos(2 * np.pi * (hour - COLDEST_HOUR) / 24))

    def _daily_mean(self, day: date) -> float:
        """Return season plus anomaly [degC]."""
        s = self._settings
        warmest = WARMEST_DAY if s.latitude_deg >= 0 else WARMEST_DAY - 182
        season = math.cos(2 * math.pi * (day.timetuple().tm_yday - warmest) / 365.25)
        anomaly = TEMP_ANOMALY_STD_K * self._persistent(day, 0, TEMP_PERSISTENCE)
        return s.temp_mean_c + s.temp_season_c * season + anomaly

    def _persistent(self, day: date, quantity: int, keep: float) -> float:
        """Return a standard normal number that remembers the days before (AR(1), cut off)."""
        days = [day - timedelta(days=age) for age in range(MEMORY_DAYS)]
        shocks = [self._shock(day, quantity) for day in days]
        total = sum(keep**age * shock for age, shock in enumerate(shocks))
        return total * math.sqrt((1 - keep**2) / (1 - keep ** (2 * MEMORY_DAYS)))

    def _shock(self, day: date, quantity: int) -> float:
        """Return the standard normal number of a day, drawn with those of its neighbours."""
        if (day, quantity) not in self._shocks:
            around = [day + timedelta(days=k) for k in range(-MEMORY_DAYS, 2)]
            missing = [other for other in around if (other, quantity) not in self._shocks]
            drawn = daily_normals(
                "weather day", seed=self._seed, split=self._split, days=missing, slot=quantity
            )
            for other, value in zip(missing, drawn.tolist(), strict=True):
                self._shocks[other, quantity] = value
        return self._shocks[day, quantity]


class FileWeather:
    """Weather of a file, brought to the scenario's steps.

    A file with longer steps than the scenario's keeps its irradiance relative to the clear sky
    during each of its steps (so energy is kept and mornings rise smoothly) and has its temperature
    interpolated between the middles of its steps.
    """

    def __init__(self, settings: WeatherSettings, *, table: WeatherTable, clock: Clock) -> None:
        self._settings = settings
        self._table = table
        self._run = np.concatenate([[0], np.cumsum(np.diff(table.row_of_step) != 0)])
        middle_s = (np.arange(clock.n_steps) + 0.5) * clock.dt_s
        count = np.bincount(self._run)
        run_middle_s = np.bincount(self._run, weights=middle_s) / count
        rows = table.row_of_step
        run_temp = np.bincount(self._run, weights=table.temp_out_c[rows]) / count
        self._temp = np.interp(middle_s, run_middle_s, run_temp)
        self._ghi = table.ghi_w_per_m2[rows]
        if count.max() > 1:
            self._ghi = self._shaped_by_clear_sky(clock, count)

    def block(self, block: DayBlock) -> Weather:
        """Return the weather of the block's steps."""
        steps = slice(block.first, block.stop)
        sun = sun_at(block.midpoints, settings=self._settings)
        ghi = self._ghi[steps]
        dni, dhi = split_irradiance(ghi, sun=sun)
        if self._table.diffuse_fraction is not None:
            fraction = self._table.diffuse_fraction[self._table.row_of_step[steps]]
            dni, dhi = _closed(ghi, dhi=ghi * fraction, sun=sun)
        return Weather(
            temp_out_c=self._temp[steps],
            ghi_w_per_m2=ghi,
            dni_w_per_m2=dni,
            dhi_w_per_m2=dhi,
            sun=sun,
        )

    def _shaped_by_clear_sky(self, clock: Clock, count: NDArray[np.int64]) -> Floats:
        """Return irradiance by step that keeps each file step's energy [W/m2]."""
        clear = np.concatenate(
            [
                sun_at(block.midpoints, settings=self._settings).clear_ghi_w_per_m2
                for block in clock.blocks()
            ]
        )
        mean_clear = np.bincount(self._run, weights=clear) / count
        target = np.bincount(self._run, weights=self._ghi) / count
        clearness = np.where(mean_clear > 0, target / np.maximum(mean_clear, 1e-9), 0.0)
        return np.asarray(clear * np.minimum(clearness, HIGHEST_FILE_CLEARNESS)[self._run])


def split_irradiance(ghi_w_per_m2: Floats, *, sun: Sun) -> tuple[Floats, Floats]:
    """Return direct normal and diffuse horizontal irradiance by the Erbs correlation [W/m2]."""
    parts = pvlib.irradiance.erbs(ghi_w_per_m2, sun.zenith_deg, sun.day_of_year)
    return _closed(ghi_w_per_m2, dhi=np.asarray(parts["dhi"], dtype=np.float64), sun=sun)


def _closed(ghi: Floats, *, dhi: Floats, sun: Sun) -> tuple[Floats, Floats]:
    """Return (dni, dhi) with ghi = dhi + dni cos(zenith); a sun near the horizon is all diffuse."""
    cosine = np.cos(np.deg2rad(sun.zenith_deg))
    up = cosine > math.sin(math.radians(LOWEST_SUN_DEG))
    dni = np.where(up, (ghi - dhi) / np.where(up, cosine, 1.0), 0.0)
    dni = np.clip(dni, 0.0, sun.dni_extra_w_per_m2)
    return dni, ghi - dni * np.where(up, cosine, 0.0)
