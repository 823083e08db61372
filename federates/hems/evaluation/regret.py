"""What misunderstandings cost: the same days planned with the retrieved and with the true home.

Both plans are carried out by the true home (`execution`), so that a slot counts as much as it
matters. Runs of machines are given: people load them, and the manager sees that they are loaded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np

from federates.hems.adapters.interview_home import PlannedHome, interview_home
from federates.hems.adapters.priorities import weights_of
from federates.hems.evaluation.dialogue import Dialogue
from federates.hems.evaluation.execution import Executed, execute
from federates.hems.evaluation.typical_day import SEASONS, day_ahead
from federates.hems.optimiser.evaluate import MISSING
from federates.hems.optimiser.planner import Scheduler
from federates.hems.optimiser.solver import SolverSettings
from federates.hems.optimiser.weights import Weights
from federates.hems.parameters.completion import completed
from federates.hems.parameters.home_file import HomeFile
from federates.hems.parameters.models import HomeParameters
from federates.hems.parameters.sources import Provenance, Source
from federates.hems.users.persona import Persona

DAYS: Final = (SEASONS["winter"], date(2025, 7, 19))
"""A Wednesday in January and a Saturday in July."""
_TRUE: Final = Source(provenance=Provenance.STATED, words="true", turn=0)


@dataclass(frozen=True, kw_only=True)
class DayCost:
    """What a day of the true home came to."""

    bill: float
    """Import paid less export earned. [currency]"""
    total: float
    """Bill, fuel, wear, and what stores owe to the next day. [currency]"""
    comfort_k_h: float
    """Indoor temperature outside its band. [K h]"""
    ev_short_kwh: float
    """Charge missing at departures and on trips. [kWh]"""
    peak_kw: float
    """Largest power drawn from the grid. [kW]"""
    over_limit_kwh: float
    """Energy drawn beyond the limit of the connection. [kWh]"""
    machine_h: float
    """Machines running outside the hours their people want. [h]"""
    missed_h: float
    """Programmes of machines that did not run. [h]"""


@dataclass(frozen=True, kw_only=True)
class Regret:
    """One day of one home, planned twice."""

    number: int
    """Of the householder."""
    day: str
    retrieved: DayCost
    true: DayCost

    def extra(self, name: str) -> float:
        """Return what misunderstanding adds to a field of `DayCost`."""
        return float(getattr(self.retrieved, name)) - float(getattr(self.true, name))


def true_home(persona: Persona) -> HomeFile:
    """Return the home file that a perfect interview of a householder would give."""
    sources = dict.fromkeys(persona.truth, _TRUE)
    return completed(dict(persona.truth), sources, currency=persona.currency)


class RegretMeter:
    """Measures regret; one solver is kept between homes."""

    def __init__(self, days: Sequence[date] = DAYS) -> None:
        """Start the solver.

        Args:
            days: Which days are planned.

        Raises:
            MissingExtraError: highspy is not installed.
        """
        self._days = tuple(days)
        # A fresh solver for each plan: results do not depend on what was planned before.
        self._scheduler = Scheduler(settings=SolverSettings(fresh=True))

    def of(self, dialogue: Dialogue, *, number: int = 0) -> list[Regret]:
        """Return the regret of each day of a dialogue's home."""
        true, found = true_home(dialogue.persona).parameters, dialogue.home.parameters
        return [self.between(true, found, day=day, number=number) for day in self._days]

    def between(
        self, true: HomeParameters, found: HomeParameters, *, day: date, number: int = 0
    ) -> Regret:
        """Return the regret of one day.

        Args:
            true: The home as it is.
            found: The home as it was understood.
            day: Which day.
            number: Of the householder.
        """
        runs: dict[str, int] = {
            name: math.ceil(own.runs_per_week / 7.0) for name, own in true.appliances.items()
        }
        actual, believed = _planned(true, day, runs=runs), _planned(found, day, runs=runs)
        return Regret(
            number=number,
            day=day.isoformat(),
            retrieved=self._cost_of(actual, believed, weights=weights_of(found)),
            true=self._cost_of(actual, actual, weights=weights_of(true)),
        )

    def _cost_of(self, actual: PlannedHome, believed: PlannedHome, *, weights: Weights) -> DayCost:
        done = execute(actual, believed, scheduler=self._scheduler, weights=weights)
        return _cost(done, actual)


def _planned(said: HomeParameters, day: date, *, runs: dict[str, int]) -> PlannedHome:
    loaded: dict[str, int] = {name: runs.get(name, 0) for name in said.appliances}
    return interview_home(said, replace(day_ahead(said, day), runs=loaded))


def _cost(done: Executed, actual: PlannedHome) -> DayCost:
    result = done.result
    dt_h, over_kw = actual.forecast.dt_h, result.import_kw - actual.home.import_limit_kw
    missed = sum(x.wished - x.got for x in result.broken if x.kind == MISSING)
    return DayCost(
        bill=result.bill,
        total=result.bill + result.device_cost + result.terminal_cost + result.deferred_cost,
        comfort_k_h=result.comfort_k_h,
        ev_short_kwh=result.unmet_kwh,
        peak_kw=float(np.max(result.import_kw)),
        over_limit_kwh=float(np.maximum(over_kw, 0.0).sum()) * dt_h,
        machine_h=done.outside_h,
        missed_h=missed * dt_h,
    )
