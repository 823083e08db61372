"""Observations of a batch of days, step by step, as the households federate makes them."""

from __future__ import annotations

import torch
from torch import Tensor

from gradmap.days import Days
from gradmap.devices.fleet import Fleet
from gradmap.observations import FEATURES, N_FEATURES
from gradmap.types import AgentValues, Observation

_COMMON = (
    "hour",
    "day_of_week",
    "price_import_per_kwh",
    "price_export_per_kwh",
    "temp_out_c",
)
V_PU_UNKNOWN = 1.0
"""Observed before the first solve, and where nobody asks for voltages."""


class Observer:
    """Makes [day, agent, feature] of one step after another.

    In memory the feature is the first axis: filling and reading one feature of all agents is then
    contiguous, which is several times faster.
    """

    def __init__(self, fleet: Fleet, days: Days, *, reuse: bool) -> None:
        """Prepare what does not depend on what agents do.

        Args:
            fleet: Who observes.
            days: In the fleet's dtype.
            reuse: Write all observations of this observer into one buffer, which the next call
                overwrites; not for use with gradients.
        """
        self._days = days
        home = fleet.household_index
        self._base_kw = _at_agents(days.base_load_kw, home)
        self._pv_kw = _at_agents(days.pv_available_kw, home)
        shape = (N_FEATURES, days.n_days, fleet.n_agents)
        self._planes = days.base_load_kw.new_empty(shape) if reuse else None

    def observe(self, step: int, *, state: AgentValues, v_pu: AgentValues | None) -> Observation:
        """Return the local observations of one step, [day, agent, feature].

        Args:
            step: Which step of the days.
            state: Of the devices at its start, [day, agent].
            v_pu: Voltage at each agent's connection one step before, or None. [pu]
        """
        days = self._days
        columns: dict[str, Tensor | float] = {
            name: getattr(days, name)[:, step, None] for name in _COMMON
        }
        columns |= {
            "base_load_kw": self._base_kw[:, step],
            "pv_kw": self._pv_kw[:, step],
            "v_pu": V_PU_UNKNOWN if v_pu is None else v_pu,
            "state": state,
            "plugged_in": 1.0 if days.plugged_in is None else days.plugged_in[:, step],
            "departure_h": 0.0 if days.departure_h is None else days.departure_h[:, step],
        }
        if self._planes is None:
            filled = [_plane(columns[name], like=state) for name in FEATURES]
            return torch.stack(filled).permute(1, 2, 0)
        for plane, name in zip(self._planes, FEATURES, strict=True):
            value = columns[name]
            if isinstance(value, Tensor):
                plane.copy_(value)
            else:
                plane.fill_(value)
        return self._planes.permute(1, 2, 0)


def _at_agents(by_household: Tensor, home: Tensor) -> Tensor:
    """Return [day, time, agent] from [day, time, household]."""
    n_households = by_household.shape[-1]
    if torch.equal(home, torch.arange(n_households, device=home.device)):
        return by_household
    return by_household.index_select(-1, home)


def _plane(value: Tensor | float, *, like: AgentValues) -> AgentValues:
    """Return a value as [day, agent]."""
    if isinstance(value, Tensor):
        return value.expand_as(like)
    return torch.full_like(like, value)
