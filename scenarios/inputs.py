"""What comes from outside the simulation, written into the run folder before it starts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from federates.hems.adapters.hours import CarUse
from federates.hems.parameters.assumptions import EV_KWH_PER_KM
from federates.series import SeriesWriter
from gradmap.days import COMMON
from scenarios.clock import Clock, DayBlock
from scenarios.population import Population, draw_population
from scenarios.profiles.base_load import base_load_kw
from scenarios.profiles.ev import EvFleet, ev_day
from scenarios.profiles.files import SeriesFile
from scenarios.profiles.habit_load import HabitLoads
from scenarios.profiles.load_traits import draw_traits
from scenarios.profiles.pv import PvFleet, pv_available_kw
from scenarios.profiles.tariff import tariff_source
from scenarios.profiles.weather import darkness_by_minute, weather_source
from scenarios.schema import Scenario

if TYPE_CHECKING:
    from opendss_models.connections import LoadConnection

Floats = NDArray[np.float64]

INPUTS_FOLDER = "inputs"
SERIES_FOLDER = "series"
PARTIAL_FOLDER = "series.partial"


@dataclass(frozen=True, kw_only=True)
class DayInputs:
    """Exogenous inputs of consecutive steps."""

    environment: Floats
    """The series of `gradmap.days.COMMON`. [step, series]"""
    base_load_kw: Floats
    """[step, household]"""
    pv_available_kw: Floats
    """[step, household with PV]"""
    ev_plugged_in: Floats
    """1 at home, 0 away. [step, EV agent]"""
    ev_trip_kwh: Floats
    """At the step of arrival. [kWh] [step, EV agent]"""
    ev_departure_h: Floats
    """Until the next departure. [h] [step, EV agent]"""

    def series(self) -> dict[str, Floats]:
        """Return the values by series name [step, id]."""
        return dict(vars(self))


class BaseLoads:
    """Drawn base loads of a population, with the habits of interviewed homes."""

    def __init__(self, scenario: Scenario, *, population: Population, clock: Clock) -> None:
        """Draw what does not change from day to day."""
        self._scenario, self._clock = scenario, clock
        homes = population.households
        self._traits = draw_traits(
            seed=scenario.seed,
            number=np.arange(len(homes)),
            occupants=homes["occupants"].to_numpy(dtype=np.float64),
            scale=homes["base_scale"].to_numpy(dtype=np.float64),
        )
        self._habits = HabitLoads(
            population.interviews, household_ids=homes["household_id"].tolist()
        )

    def day(self, block: DayBlock) -> Floats:
        """Return the loads of a block's steps, [step, household] [kW]."""
        site = self._scenario.profiles.weather
        darkness = darkness_by_minute(
            block.date,
            timezone=self._clock.timezone,
            latitude_deg=site.latitude_deg,
            longitude_deg=site.longitude_deg,
        )
        seed, split = self._scenario.seed, self._scenario.profiles.split
        load_kw = base_load_kw(block, self._traits, seed=seed, split=split, darkness=darkness)
        self._habits.add(block, load_kw, seed=seed, split=split)
        return load_kw


class InputSource:
    """Inputs of any day of a scenario: drawn, or from the user's files.

    Drawn inputs can be asked for in any order, so this also samples training days; user files are
    read forwards only.
    """

    def __init__(self, scenario: Scenario, *, population: Population, clock: Clock) -> None:
        """Prepare what does not change from day to day, and check the headers of user files.

        Raises:
            ScenarioError: If a user's file does not fit.
        """
        self._clock = clock
        profiles, site = scenario.profiles, scenario.profiles.weather
        self._seed, self._split = scenario.seed, profiles.split
        self._weather = weather_source(site, clock=clock, seed=self._seed, split=self._split)
        self._tariff = tariff_source(
            scenario.tariff,
            clock=clock,
            seed=self._seed,
            split=self._split,
            latitude_deg=site.latitude_deg,
        )
        self._loads = BaseLoads(scenario, population=population, clock=clock)
        self._roofs = roofs_of(population)
        self._vehicles = vehicles_of(population)
        self.ids = series_ids(population)
        self._load_file = self._open(profiles.base_load_file, name="base_load_kw")
        self._pv_file = self._open(profiles.pv_file, name="pv_available_kw")

    def day(self, block: DayBlock) -> DayInputs:
        """Return the inputs of the block's steps."""
        weather = self._weather.block(block)
        price_import, price_export = self._tariff.block(block)
        environment = [
            block.hour,
            block.day_of_week,
            price_import,
            price_export,
            weather.temp_out_c,
            weather.ghi_w_per_m2,
        ]
        if self._pv_file is None:
            pv = pv_available_kw(self._roofs, weather=weather)
        else:
            pv = self._pv_file.block(block)
        vehicles = ev_day(
            block, self._vehicles, clock=self._clock, seed=self._seed, split=self._split
        )
        return DayInputs(
            environment=np.column_stack(environment),
            base_load_kw=self._base_load(block),
            pv_available_kw=pv,
            ev_plugged_in=vehicles.plugged_in,
            ev_trip_kwh=vehicles.trip_kwh,
            ev_departure_h=vehicles.departure_h,
        )

    def _base_load(self, block: DayBlock) -> Floats:
        """Return the base load, drawn or read."""
        if self._load_file is not None:
            return self._load_file.block(block)
        return self._loads.day(block)

    def _open(self, path: Path | None, *, name: str) -> SeriesFile | None:
        """Open a user's file, if there is one."""
        if path is None:
            return None
        subject = {"base_load_kw": "Base load file", "pv_available_kw": "PV file"}[name]
        return SeriesFile(path, subject=subject, columns=self.ids.get(name, []), clock=self._clock)


def materialise(
    scenario: Scenario,
    *,
    connections: Sequence[LoadConnection],
    folder: Path,
    progress: Callable[[float], None] | None = None,
) -> Population:
    """Write a run's inputs: tables of households and devices, and all series.

    Works day by day, so memory does not grow with the length. The series appear under their final
    name only when all are complete: an interrupted call leaves nothing that looks finished.

    Args:
        scenario: The scenario.
        connections: Load connections of its feeder.
        folder: Run folder; `inputs/` is written there.
        progress: Called with the finished fraction after every day.

    Returns:
        The population, as written.

    Raises:
        ScenarioError: If a user's file is wrong; nothing is left under `inputs/series`.
    """
    inputs = folder / INPUTS_FOLDER
    clock = Clock.from_settings(scenario.time)
    population = draw_population(scenario, connections)
    partial, final = inputs / PARTIAL_FOLDER, inputs / SERIES_FOLDER
    for stale in (partial, final):
        if stale.exists():
            shutil.rmtree(stale)
    source = InputSource(scenario, population=population, clock=clock)
    population.write(inputs)
    writers = {
        name: SeriesWriter(partial / name, ids=ids, part_steps=scenario.federation.part_steps)
        for name, ids in source.ids.items()
    }
    for block in clock.blocks():
        series = source.day(block).series()
        for name, writer in writers.items():
            writer.extend(block.time_s, series[name])
        if progress is not None:
            progress(block.stop / clock.n_steps)
    for writer in writers.values():
        writer.close()
    partial.rename(final)
    return population


def series_ids(population: Population) -> dict[str, list[str]]:
    """Return the columns of every series that the population needs."""
    homes = population.households
    ids: dict[str, list[str]] = {
        "environment": list(COMMON),
        "base_load_kw": homes["household_id"].tolist(),
        "pv_available_kw": homes["household_id"][homes["pv_kwp"] > 0].tolist(),
    }
    if "ev_charger" in population.devices:
        vehicles = population.devices["ev_charger"]["agent_id"].tolist()
        ids |= dict.fromkeys(("ev_plugged_in", "ev_trip_kwh", "ev_departure_h"), vehicles)
    return {name: columns for name, columns in ids.items() if columns}


def roofs_of(population: Population) -> PvFleet:
    """Return the roofs of the households with PV, in their order."""
    homes = population.households[population.households["pv_kwp"] > 0]
    column: Mapping[str, Floats] = {
        name: homes[name].to_numpy(dtype=np.float64)
        for name in ("pv_tilt_deg", "pv_azimuth_deg", "pv_kwp", "pv_inverter_kva")
    }
    return PvFleet.group(
        tilt_deg=column["pv_tilt_deg"],
        azimuth_deg=column["pv_azimuth_deg"],
        kwp=column["pv_kwp"],
        inverter_kva=column["pv_inverter_kva"],
    )


def vehicles_of(population: Population) -> EvFleet:
    """Return the electric vehicles in the order of their table."""
    table = population.devices.get("ev_charger")
    if table is None:
        empty = np.empty(0, dtype=np.int64)
        return EvFleet(household=empty, slot=empty, e_max_kwh=np.empty(0))
    interviews = population.interviews
    slot = table.groupby("household_id").cumcount().to_numpy().astype(np.int64)
    position = {name: row for row, name in enumerate(population.households["household_id"])}
    return EvFleet(
        household=np.array([position[name] for name in table["household_id"]], dtype=np.int64),
        slot=slot,
        e_max_kwh=table["e_max_kwh"].to_numpy(dtype=np.float64),
        habits=tuple(
            CarUse.of(interviews[name].parameters.evs[number], kwh_per_km=EV_KWH_PER_KM)
            if name in interviews
            else None
            for name, number in zip(table["household_id"], slot.tolist(), strict=True)
        ),
    )
