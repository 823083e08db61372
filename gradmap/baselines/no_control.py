"""No control: thermostats, chargers and generators as they come, batteries idle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never, final

import torch

from gradmap.devices.battery import Battery
from gradmap.devices.ev_charger import EvCharger
from gradmap.devices.fleet import Fleet
from gradmap.devices.generator import Generator
from gradmap.devices.heat_pump import HeatPump
from gradmap.devices.registry import AnyDevice
from gradmap.observations import INDEX
from gradmap.types import AgentValues, Observation

THERMOSTAT_BAND_K = 1.0
"""Width of the thermostat's proportional band: full power at its lower end, off at its upper."""


def thermostat_kw(
    heat_pump: HeatPump, *, temp_in_c: AgentValues, temp_set_c: AgentValues
) -> AgentValues:
    """Return the power of a modulating thermostat: proportional in +-0.5 K of the setting [kW]."""
    below_upper_k = temp_set_c + 0.5 * THERMOSTAT_BAND_K - temp_in_c
    return heat_pump.params.p_max_kw * (below_upper_k / THERMOSTAT_BAND_K).clamp(0.0, 1.0)


@final
@dataclass(frozen=True, eq=False)
class NoControl:
    """The reference that every other controller is measured against.

    Heat pumps follow their modulating thermostats; batteries idle; generators run at least output;
    vehicles charge at full power from plugging in to `soc_target`. Prices play no role.
    """

    fleet: Fleet

    def act(self, obs: Observation) -> AgentValues:
        """Return every agent's request, see `gradmap.controller.Controller` [kW]."""
        return self.fleet.merge(
            [
                _uncontrolled_kw(group.device, obs=obs.index_select(-2, group.index))
                for group in self.fleet.groups
            ]
        )


def _uncontrolled_kw(device: AnyDevice, *, obs: Observation) -> AgentValues:
    """Return what devices of one kind do by themselves [kW]."""
    state = obs[..., INDEX["state"]]
    if isinstance(device, Battery):
        return torch.zeros_like(state)
    if isinstance(device, Generator):
        return device.action_range_kw()[1].expand_as(state)
    if isinstance(device, HeatPump):
        return thermostat_kw(device, temp_in_c=state, temp_set_c=device.params.temp_set_c)
    if isinstance(device, EvCharger):
        wanted = (state < device.params.soc_target) * obs[..., INDEX["plugged_in"]]
        return wanted * device.params.p_max_kw
    assert_never(device)
