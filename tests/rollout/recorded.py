"""A recorded run, read back as what a rollout needs to repeat it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from federates.grid import open_engine
from federates.population_files import read_households
from gradmap.days import Days
from gradmap.devices.fleet import Fleet
from gradmap.feeder import Feeder
from gradmap.homes import Homes
from opendss_models.extract import extract_feeder
from scenarios.federation import grid_settings
from scenarios.results import Run, open_run

STEPS_PER_DAY = 96
ABSENT = {"ev_plugged_in": 1.0, "ev_trip_kwh": 0.0, "ev_departure_h": 0.0}
"""What agents without a vehicle observe."""


@dataclass(frozen=True)
class Recorded:
    """One finished run and the objects to repeat it with."""

    run: Run
    fleet: Fleet
    homes: Homes
    feeder: Feeder
    days: Days

    def values(self, controller: str, quantity: str, *, ids: tuple[str, ...]) -> torch.Tensor:
        """A recorded quantity of some ids, [day, time, id]."""
        frame = self.run.frame(controller, quantity)
        return _by_day(torch.tensor(frame[list(ids)].to_numpy()))


def read(folder: Path) -> Recorded:
    run = open_run(folder)
    inputs = folder / "inputs"
    fleet = Fleet.from_folder(inputs)
    population = read_households(inputs)
    feeder = extract_feeder(open_engine(grid_settings(run.scenario, inputs)))
    homes = Homes.on_feeder(
        feeder,
        connection_ids=population.connection_ids,
        power_factor=run.households["power_factor"].to_list(),
    )
    return Recorded(run=run, fleet=fleet, homes=homes, feeder=feeder, days=read_days(run, fleet))


def read_days(run: Run, fleet: Fleet) -> Days:
    environment = run.inputs("environment")
    homes = list(fleet.household_ids)
    vehicles = {
        name: _series(run, name, ids=list(fleet.agent_ids), absent=absent)
        for name, absent in ABSENT.items()
        if "ev_charger" in fleet.kinds
    }
    return Days(
        **{
            name: _by_day(torch.tensor(environment[name].to_numpy()))
            for name in environment.columns
        },
        base_load_kw=_series(run, "base_load_kw", ids=homes),
        pv_available_kw=_series(run, "pv_available_kw", ids=homes),
        plugged_in=vehicles.get("ev_plugged_in"),
        trip_kwh=vehicles.get("ev_trip_kwh"),
        departure_h=vehicles.get("ev_departure_h"),
        dt_h=run.dt_h,
    )


def _series(run: Run, name: str, *, ids: list[str], absent: float = 0.0) -> torch.Tensor:
    frame = run.inputs(name).reindex(columns=ids, fill_value=absent)
    return _by_day(torch.tensor(frame.to_numpy()))


def _by_day(values: torch.Tensor) -> torch.Tensor:
    return values.unflatten(0, (-1, STEPS_PER_DAY))
