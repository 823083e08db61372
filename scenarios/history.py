"""The days before a scenario, as far as homes' energy managers have seen them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from federates.controllers import HEMS
from federates.hems.controller.outlook import HISTORY_FOLDER
from federates.series import SeriesWriter
from gradmap.baselines.registry import POLICY_PREFIX
from gradmap.errors import ScenarioError
from scenarios.inputs import BaseLoads, InputSource, series_ids
from scenarios.population import Population
from scenarios.profiles.usual_energy import clock_before
from scenarios.schema import Scenario

_DAY: Final = 1


def write_history(scenario: Scenario, *, population: Population, inputs_folder: Path) -> None:
    """Write what energy managers know of earlier days; nothing if there are none.

    Base load of `hems.history_days`, and with the forecast `persistence` weather and sun of the
    day before.

    Raises:
        ScenarioError: The day before is needed, but weather or sun come from files.
    """
    if not _has_managers(scenario, population):
        return
    folder = inputs_folder / HISTORY_FOLDER
    if scenario.hems.history_days and scenario.profiles.base_load_file is None:
        _write_loads(scenario, population=population, folder=folder)
    if scenario.hems.weather == "persistence":
        _write_weather(scenario, population=population, folder=folder)


def _has_managers(scenario: Scenario, population: Population) -> bool:
    policies = [name for name in scenario.controllers if name.startswith(POLICY_PREFIX)]
    return HEMS in scenario.controllers or bool(policies and population.interviews)


def _write_loads(scenario: Scenario, *, population: Population, folder: Path) -> None:
    ids = series_ids(population)["base_load_kw"]
    clock = clock_before(scenario, n_days=scenario.hems.history_days)
    loads = BaseLoads(scenario, population=population, clock=clock)
    hours = SeriesWriter(folder / "hour", ids=["hour"])
    metered = SeriesWriter(folder / "base_load_kw", ids=ids)
    for block in clock.blocks():
        hours.extend(block.time_s, block.hour[:, None])
        metered.extend(block.time_s, loads.day(block))
    hours.close()
    metered.close()


def _write_weather(scenario: Scenario, *, population: Population, folder: Path) -> None:
    profiles = scenario.profiles
    for name, path in (
        ("profiles.weather.file", profiles.weather.file),
        ("profiles.pv_file", profiles.pv_file),
        ("tariff.file", scenario.tariff.file),
    ):
        if path is not None:
            raise ScenarioError(
                f"`hems.weather: persistence` needs the day before the start, which `{name}` need "
                f"not hold. Take `perfect`, or leave `{name}` empty."
            )
    clock = clock_before(scenario, n_days=_DAY)
    drawn = scenario.model_copy(
        update={"profiles": profiles.model_copy(update={"base_load_file": None})}
    )
    source = InputSource(drawn, population=population, clock=clock)
    wanted = [name for name in ("environment", "pv_available_kw") if name in source.ids]
    writers = {name: SeriesWriter(folder / name, ids=source.ids[name]) for name in wanted}
    for block in clock.blocks():
        series = source.day(block).series()
        for name, writer in writers.items():
            writer.extend(block.time_s, np.asarray(series[name]))
    for writer in writers.values():
        writer.close()
