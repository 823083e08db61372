"""Where a home stands at the start of a plan: its stores and its appliances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from federates.hems.optimiser.checks import BoolArray
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import Home, Shiftable
from federates.hems.optimiser.physics import (
    Store,
    battery_store,
    building_store,
    tank_store,
    vehicle_store,
)
from federates.hems.optimiser.weights import Penalties
from gradmap.errors import ScenarioError


@dataclass(frozen=True, kw_only=True)
class State:
    """Stores and appliances, by the names of devices."""

    stored: Mapping[str, float]
    """Energy of batteries and vehicles [kWh], temperature of buildings and tanks [degC]."""
    done_steps: Mapping[str, int] = field(default_factory=dict)
    """How many steps an appliance has run so far; absent: none."""
    running: Mapping[str, int] = field(default_factory=dict)
    """Steps that a started appliance still has to run; absent: it stands still."""

    def owed_steps(self, appliance: Shiftable) -> int:
        """Return how many steps an appliance still has to run."""
        whole = appliance.runs * appliance.duration
        return max(whole - self.done_steps.get(appliance.name, 0), 0)

    def started_runs(self, appliance: Shiftable) -> int:
        """Return how many runs of an appliance have begun."""
        steps = self.done_steps.get(appliance.name, 0) + self.running.get(appliance.name, 0)
        return steps // appliance.duration


def initial_state(home: Home) -> State:
    """Return the state that the devices' own initial values describe."""
    stored = {x.name: x.soc_init * x.capacity_kwh for x in home.electric}
    stored |= {x.name: x.temp_init_c for x in home.thermal}
    return State(stored=stored)


def check_state(home: Home, state: State) -> None:
    """Raise a ScenarioError unless every store of the home has a finite state."""
    for device in (*home.electric, *home.thermal):
        value = state.stored.get(device.name)
        if value is None or not np.isfinite(value):
            raise ScenarioError(
                f"State of {device.name!r}: {value}, expected a number (kWh or degC). Start from "
                f"`initial_state(home)`."
            )


def all_stores(
    home: Home, forecast: Forecast, *, state: State, penalties: Penalties
) -> dict[str, Store]:
    """Return every store of a home by its name."""
    found = {
        x.name: battery_store(x, forecast, start_kwh=state.stored[x.name]) for x in home.batteries
    }
    for vehicle in home.vehicles:
        start_kwh = state.stored[vehicle.name]
        found[vehicle.name] = vehicle_store(
            vehicle, forecast, start_kwh=start_kwh, penalties=penalties
        )
    found |= {x.name: building_store(x, forecast, penalties=penalties) for x in home.heaters}
    found |= {x.name: tank_store(x, forecast, penalties=penalties) for x in home.tanks}
    return found


def window_mask(appliance: Shiftable, n_steps: int) -> BoolArray:
    """Return the steps in which an appliance may run, [step]."""
    step = np.arange(n_steps)
    inside = (step >= appliance.earliest) & (step < appliance.latest)
    return inside if appliance.allowed is None else inside & appliance.allowed


def start_mask(appliance: Shiftable, n_steps: int, *, running: int) -> BoolArray:
    """Return the steps in which a whole run may begin, [step].

    Args:
        appliance: Which.
        n_steps: Length of the plan.
        running: Steps that a run begun earlier still takes.
    """
    closed = np.concatenate([[0], np.cumsum(~window_mask(appliance, n_steps))])
    begins = np.zeros(n_steps, dtype=np.bool_)
    last = n_steps - appliance.duration
    if last >= 0:
        begins[: last + 1] = closed[appliance.duration :] == closed[: last + 1]
    begins[:running] = False
    return begins


def is_deferrable(appliance: Shiftable, n_steps: int) -> bool:
    """Return whether an appliance may also run after the end of the plan."""
    return appliance.latest > n_steps


def missing_cost_per_step(
    appliance: Shiftable, forecast: Forecast, *, penalties: Penalties
) -> float:
    """Return what a step costs that an appliance owes at the end of the plan [cur].

    It is a broken wish, unless the appliance may run later: then it is the energy at the mean
    import price.
    """
    later = is_deferrable(appliance, forecast.n_steps)
    price = forecast.terminal_price_per_kwh if later else penalties.appliance_per_kwh
    return price * appliance.power_kw * forecast.dt_h
