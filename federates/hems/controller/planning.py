"""Plans of many homes: one scheduler for each structure of homes, and what the plans ask for.

Between two plans of a home:

- a battery follows the meter where its plan does: in steps in which the plan neither imports nor
  exports, it takes the difference between the load and sun expected and those at hand;
- a battery that must not discharge to the grid, or charge from it, gives no more than the home
  draws at the moment, and takes no more than it generates;
- everything else does as planned, and the device limits what it cannot do.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from federates.hems.adapters.fleet_home import HouseholdDevices, Situation, fleet_home
from federates.hems.adapters.priorities import weights_of
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import Home
from federates.hems.optimiser.planner import Scheduler
from federates.hems.optimiser.schedule import Schedule
from federates.hems.optimiser.solver import SolverSettings
from federates.hems.optimiser.state import State
from federates.hems.optimiser.weights import Weights

Floats = NDArray[np.float64]

AT_REST_KW = 1e-6
"""A plan that takes less from the grid, or gives less, follows the meter. [kW]"""


class Schedulers:
    """Schedulers by structure, so that HiGHS changes a program rather than reading a new one."""

    def __init__(self, settings: SolverSettings) -> None:
        """Remember the settings; schedulers are made when they are needed."""
        self._settings = settings
        self._by_structure: dict[Hashable, Scheduler] = {}

    def plan(
        self, home: Home, forecast: Forecast, *, state: State, weights: Weights | None = None
    ) -> Schedule:
        """Return the plan of a home; `weights` are the usual ones if left out."""
        structure = _structure(home)
        if structure not in self._by_structure:
            self._by_structure[structure] = Scheduler(settings=self._settings)
        scheduler = self._by_structure[structure]
        return scheduler.plan(home, forecast, state=state, weights=weights)


def _structure(home: Home) -> Hashable:
    """Return what decides the pattern of a home's program."""
    return (
        tuple((x.charge_from_grid, x.discharge_to_grid) for x in home.batteries),
        len(home.vehicles),
        len(home.heaters),
        tuple(x.fuel_quadratic_per_kw2h > 0.0 for x in home.generators),
    )


def plan_home(
    schedulers: Schedulers,
    devices: HouseholdDevices,
    situation: Situation,
    forecast: Forecast,
    *,
    state: State,
) -> Schedule:
    """Return the plan of one household; powers are named by agents."""
    said = situation.interview
    weights = None if said is None else weights_of(said)
    return schedulers.plan(fleet_home(devices, situation), forecast, state=state, weights=weights)


@dataclass(frozen=True, kw_only=True)
class BatteryRule:
    """A home with one battery, and how it may answer to what was not foreseen."""

    home: int
    agent: int
    charge_from_grid: bool
    discharge_to_grid: bool


class Plans:
    """The newest plan of every home, as arrays."""

    def __init__(
        self, households: Sequence[HouseholdDevices], *, n_agents: int, n_steps: int
    ) -> None:
        """Start without plans: nobody asks for anything.

        Args:
            households: Whose plans.
            n_agents: Agents of the fleet.
            n_steps: Steps of a plan.
        """
        self._households = households
        n_homes = len(households)
        self.begun = np.full(n_homes, -1, dtype=np.int64)
        """Step of each home's newest plan; -1 without one."""
        self._home_of = np.zeros(n_agents, dtype=np.int64)
        for home, one in enumerate(households):
            for device in one.agents:
                self._home_of[device.agent] = home
        self._request_kw = np.zeros((n_agents, n_steps))
        self._grid_kw = np.zeros((n_homes, n_steps))
        self._rest_kw = np.zeros((n_homes, n_steps))  # load less sun, as expected

    def put(self, home: int, plan: Schedule, forecast: Forecast, *, step: int) -> None:
        """Take over a home's plan that begins at `step`."""
        self.begun[home] = step
        for device in self._households[home].agents:
            if device.agent_id in plan.result.p_kw:
                self._request_kw[device.agent] = plan.result.p_kw[device.agent_id]
        self._grid_kw[home] = plan.result.net_kw
        self._rest_kw[home] = forecast.base_load_kw - forecast.pv_available_kw

    def requests(
        self, step: int, *, load_kw: Floats, sun_kw: Floats, batteries: Sequence[BatteryRule]
    ) -> Floats:
        """Return what the plans ask of every agent in a step, [agent] [kW].

        Args:
            step: The present step.
            load_kw: Uncontrolled load at hand, [home]. [kW]
            sun_kw: Solar power at hand, [home]. [kW]
            batteries: Homes whose battery answers to what was not foreseen.
        """
        known = self.begun >= 0
        at = np.where(known, step - self.begun, 0)
        homes = np.arange(len(self.begun))
        request_kw = np.where(
            known[self._home_of],
            self._request_kw[np.arange(len(self._home_of)), at[self._home_of]],
            0.0,
        )
        error_kw = load_kw - sun_kw - self._rest_kw[homes, at]
        follows = np.abs(self._grid_kw[homes, at]) < AT_REST_KW
        drawn_kw = load_kw + np.bincount(
            self._home_of, weights=np.maximum(request_kw, 0.0), minlength=len(homes)
        )
        given_kw = sun_kw + np.bincount(
            self._home_of, weights=np.maximum(-request_kw, 0.0), minlength=len(homes)
        )
        for rule in batteries:
            if not known[rule.home]:
                continue
            planned = request_kw[rule.agent]
            wanted = planned - error_kw[rule.home] if follows[rule.home] else planned
            drawn = drawn_kw[rule.home] - max(planned, 0.0)
            given = given_kw[rule.home] - max(-planned, 0.0)
            if not rule.discharge_to_grid:
                wanted = max(wanted, -drawn)
            if not rule.charge_from_grid:
                wanted = min(wanted, given)
            request_kw[rule.agent] = wanted
        return request_kw
