"""Days of a scenario by split and number, for training and tests: `gradmap.days.DaySampler`.

A sampled day belongs to a synthetic year of its own, `SampledYear(split, number)`: its date is
drawn from the scenario's season, its weather from a year that no other number and no other split
shares, and its households' activities by household. Sampled days of a split are therefore
independent and equally distributed, given the population, which is the same in all splits.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import cast, get_args

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from gradmap.days import Days
from gradmap.devices.fleet import Fleet
from gradmap.errors import ScenarioError
from scenarios.clock import Clock, DayBlock
from scenarios.day_cache import DayCache
from scenarios.inputs import roofs_of, vehicles_of
from scenarios.population import Population
from scenarios.profiles.base_load import base_load_kw
from scenarios.profiles.ev import ev_day
from scenarios.profiles.habit_load import HabitLoads
from scenarios.profiles.load_traits import draw_traits
from scenarios.profiles.pv import pv_available_kw
from scenarios.profiles.randomness import MAX_YEAR_NUMBER, SampledYear, Split, Year, generator
from scenarios.profiles.tariff import tariff_source
from scenarios.profiles.weather import (
    Sun,
    SyntheticWeather,
    Weather,
    darkness_by_minute,
    join_weather,
    sun_at,
)
from scenarios.schema import Scenario

Floats = NDArray[np.float64]

SPLIT_SIZES = {"train": MAX_YEAR_NUMBER + 1, "validation": 200, "test": 1000, "fresh": 1000}
"""Days of each split; training never ends in practice. Settings that were tried on test days are
checked on fresh ones."""
MINUTES_PER_DAY = 1440
PV_DAYS = 8
"""Days whose solar power is computed at once: larger arrays leave the cache."""


@dataclass(frozen=True, kw_only=True)
class _DrawnDay:
    """Which day a number stands for."""

    year: Year
    calendar: _Calendar


@dataclass(frozen=True, kw_only=True)
class _Calendar:
    """What a date brings, whatever the weather year."""

    clock: Clock
    block: DayBlock
    sun: Sun
    darkness: Floats
    """By minute, see `darkness_by_minute`. [1440]"""


class ScenarioDays:
    """Days of a scenario's population; see `gradmap.days.DaySampler`.

    Splits are `train`, `validation`, `test` and `fresh` of `SPLIT_SIZES`, and `scenario`: the days
    of the scenario itself in order, exactly as `gradmap run` simulates them.
    """

    def __init__(
        self, scenario: Scenario, *, population: Population, cache_folder: Path | None = None
    ) -> None:
        """Prepare what does not change from day to day.

        Args:
            scenario: Season, climate, tariff and seed.
            population: Of the scenario, from `draw_population` or a run folder.
            cache_folder: Where `sample` keeps what it made, about 1.5 MB a day for 1,000 homes;
                None keeps nothing.

        Raises:
            ScenarioError: The scenario takes series from files, of which there are no other days.
        """
        _refuse_files(scenario)
        self._scenario = scenario
        homes = population.households
        self._n_households = len(homes)
        self._has_pv = np.flatnonzero(homes["pv_kwp"].to_numpy() > 0)
        self._roofs = roofs_of(population)
        self._vehicles = vehicles_of(population)
        fleet = Fleet.from_tables(population.devices, household_ids=homes["household_id"].tolist())
        self._n_agents = fleet.n_agents
        position = {agent_id: row for row, agent_id in enumerate(fleet.agent_ids)}
        table = population.devices.get("ev_charger")
        vehicle_ids = [] if table is None else table["agent_id"].tolist()
        self._vehicle_agents = np.array([position[name] for name in vehicle_ids], dtype=np.int64)
        self._traits = draw_traits(
            seed=scenario.seed,
            number=np.arange(len(homes)),
            occupants=homes["occupants"].to_numpy(dtype=np.float64),
            scale=homes["base_scale"].to_numpy(dtype=np.float64),
        )
        self._habits = HabitLoads(
            population.interviews, household_ids=homes["household_id"].tolist()
        )
        self._calendars: dict[date, _Calendar] = {}
        self._season = _season(scenario)
        self._cache = None
        if cache_folder is not None:
            self._cache = DayCache(cache_folder, scenario=scenario, population=population)

    def sample(self, split: str, numbers: Sequence[int], *, keep: bool = True) -> Days:
        """Return the days called `numbers` of a split, in that order, in float64.

        Args:
            split: Its name.
            numbers: Which days.
            keep: Whether they are looked up, and kept, in the cache folder if there is one. It
                holds series of days: days thrown together for once fill it to no use.

        Raises:
            ScenarioError: Unknown split or a number that it does not have.
        """
        drawn = [self._day(split, int(number)) for number in numbers]
        if not drawn:
            raise ScenarioError(f"Days of split {split!r}: no numbers, expected at least one.")
        if self._cache is not None and keep:
            return self._cache.get(split, numbers, make=lambda: self._make(drawn))
        return self._make(drawn)

    def calendar_date(self, split: str, number: int) -> date:
        """Return the calendar date of a sampled day."""
        return self._day(split, number).calendar.block.date

    def _day(self, split: str, number: int) -> _DrawnDay:
        """Return which day a number stands for."""
        if split not in get_args(Split):
            raise ScenarioError(
                f"Split {split!r} is unknown, expected one of {', '.join(get_args(Split))}."
            )
        known = cast(Split, split)
        size = self._scenario.time.days if known == "scenario" else SPLIT_SIZES[known]
        if not 0 <= number < size:
            raise ScenarioError(
                f"Day {number} of split {split!r}: expected 0 to {size - 1}. Ask for fewer days."
            )
        if known == "scenario":
            today = self._scenario.time.start.date() + timedelta(days=number)
            year: Year = self._scenario.profiles.split
        else:
            year = SampledYear(split=known, number=number)
            source = generator("sampled date", seed=self._scenario.seed, split=year)
            today = self._season[int(source.integers(len(self._season)))]
        return _DrawnDay(year=year, calendar=self._calendar(today))

    def _calendar(self, today: date) -> _Calendar:
        """Return what the date brings, computed once."""
        if today not in self._calendars:
            site = self._scenario.profiles.weather
            clock = _day_clock(self._scenario, today)
            (block,) = clock.blocks()
            self._calendars[today] = _Calendar(
                clock=clock,
                block=block,
                sun=sun_at(block.midpoints, settings=site),
                darkness=darkness_by_minute(
                    today,
                    timezone=clock.timezone,
                    latitude_deg=site.latitude_deg,
                    longitude_deg=site.longitude_deg,
                ),
            )
        return self._calendars[today]

    def _make(self, drawn: Sequence[_DrawnDay]) -> Days:
        """Draw the days."""
        n_steps = MINUTES_PER_DAY // self._scenario.time.step_min
        weather = [self._weather(day) for day in drawn]
        prices = [self._prices(day) for day in drawn]
        common = {
            "hour": [day.calendar.block.hour for day in drawn],
            "day_of_week": [day.calendar.block.day_of_week for day in drawn],
            "price_import_per_kwh": [pair[0] for pair in prices],
            "price_export_per_kwh": [pair[1] for pair in prices],
            "temp_out_c": [part.temp_out_c for part in weather],
            "ghi_w_per_m2": [part.ghi_w_per_m2 for part in weather],
        }
        base = torch.empty((len(drawn), n_steps, self._n_households), dtype=torch.float64)
        self._fill_base_load(drawn, out=base.numpy())
        solar = torch.zeros_like(base)
        self._fill_solar(weather, out=solar.numpy())
        return Days(
            **{name: torch.from_numpy(np.stack(rows)) for name, rows in common.items()},
            base_load_kw=base,
            pv_available_kw=solar,
            **self._vehicle_series(drawn),
            dt_h=self._scenario.time.dt_s / 3600,
        )

    def _weather(self, day: _DrawnDay) -> Weather:
        source = SyntheticWeather(
            self._scenario.profiles.weather, seed=self._scenario.seed, split=day.year
        )
        return source.block(day.calendar.block, sun=day.calendar.sun)

    def _prices(self, day: _DrawnDay) -> tuple[Floats, Floats]:
        tariff = tariff_source(
            self._scenario.tariff,
            clock=day.calendar.clock,
            seed=self._scenario.seed,
            split=day.year,
            latitude_deg=self._scenario.profiles.weather.latitude_deg,
        )
        return tariff.block(day.calendar.block)

    def _fill_base_load(self, drawn: Sequence[_DrawnDay], *, out: Floats) -> None:
        """Draw base loads [day, time, household], days side by side: numpy lets go of the GIL."""

        def fill(row: int) -> None:
            day = drawn[row]
            out[row] = base_load_kw(
                day.calendar.block,
                self._traits,
                seed=self._scenario.seed,
                split=day.year,
                darkness=day.calendar.darkness,
            )
            self._habits.add(day.calendar.block, out[row], seed=self._scenario.seed, split=day.year)

        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            for _ in pool.map(fill, range(len(drawn))):
                pass

    def _fill_solar(self, weather: Sequence[Weather], *, out: Floats) -> None:
        """Compute solar power [day, time, household] of several days at once."""
        for first in range(0, len(weather), PV_DAYS):
            some = weather[first : first + PV_DAYS]
            power = pv_available_kw(self._roofs, weather=join_weather(some))
            by_day = power.reshape(len(some), -1, power.shape[1])
            out[first : first + len(some), :, self._has_pv] = by_day

    def _vehicle_series(self, drawn: Sequence[_DrawnDay]) -> dict[str, torch.Tensor]:
        """Return the series of vehicles [day, time, agent]; none without vehicles."""
        if not len(self._vehicle_agents):
            return {}
        days = [
            ev_day(
                day.calendar.block,
                self._vehicles,
                clock=day.calendar.clock,
                seed=self._scenario.seed,
                split=day.year,
            )
            for day in drawn
        ]
        absent = {"plugged_in": 1.0, "trip_kwh": 0.0, "departure_h": 0.0}
        series = {}
        for name, value in absent.items():
            full = np.full((len(days), len(days[0].plugged_in), self._n_agents), value)
            full[:, :, self._vehicle_agents] = [getattr(day, name) for day in days]
            series[name] = torch.from_numpy(full)
        return series


def _refuse_files(scenario: Scenario) -> None:
    """Refuse series from files: they have one course, not many."""
    profiles = scenario.profiles
    files = {
        "profiles.base_load_file": profiles.base_load_file,
        "profiles.pv_file": profiles.pv_file,
        "profiles.weather.file": profiles.weather.file,
        "tariff.file": scenario.tariff.file,
    }
    given = [name for name, path in files.items() if path is not None]
    if given:
        raise ScenarioError(
            f"Scenario {scenario.name!r}: `{given[0]}` gives one course of events, expected drawn "
            f"series to sample days from. Leave {', '.join(given)} empty."
        )


def _season(scenario: Scenario) -> list[date]:
    """Return the dates that sampled days fall on: around the start, whole days only."""
    n_days = scenario.profiles.season_days
    first = scenario.time.start.date() - timedelta(days=n_days // 2)
    dates = list(_whole_days(scenario, [first + timedelta(days=k) for k in range(n_days)]))
    if not dates:
        raise ScenarioError(
            f"Scenario {scenario.name!r}: `profiles.season_days` = {n_days} around "
            f"{scenario.time.start} has no day of 24 h. Move the start or take a longer season."
        )
    return dates


def _whole_days(scenario: Scenario, dates: Sequence[date]) -> Iterator[date]:
    """Yield the dates on which no clock changes."""
    for day in dates:
        blocks = list(_day_clock(scenario, day).blocks())
        if len(blocks) == 1 and blocks[0].is_whole_day:
            yield day


def _day_clock(scenario: Scenario, today: date) -> Clock:
    """Return the clock of 24 h from local midnight."""
    time = scenario.time
    return Clock(
        start=pd.Timestamp(today).tz_localize(time.timezone, ambiguous=True),
        dt_s=time.dt_s,
        n_steps=MINUTES_PER_DAY // time.step_min,
    )
