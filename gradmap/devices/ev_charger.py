"""Charger of an electric vehicle: charges while plugged in, loses energy by trips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

import torch

from gradmap.devices.base import Device, Surroundings
from gradmap.devices.parameters import EFFICIENCY, FRACTION, POSITIVE, DeviceParams, Interval
from gradmap.types import AgentValues, PerAgent


@dataclass(frozen=True, kw_only=True, eq=False)
class EvChargerParams(DeviceParams):
    """Chargers, their vehicles and what the drivers want."""

    label: ClassVar[str] = "EV charger"
    ranges: ClassVar[Mapping[str, Interval]] = {
        "p_max_kw": POSITIVE,
        "e_max_kwh": POSITIVE,
        "eta_charge": EFFICIENCY,
        "soc_init": FRACTION,
        "soc_target": FRACTION,
        "soc_min": FRACTION,
    }
    orders: ClassVar[tuple[tuple[str, str], ...]] = (("soc_min", "soc_target"),)

    p_max_kw: PerAgent
    """Rating of the charger, at the grid side. [kW]"""
    e_max_kwh: PerAgent
    """Capacity of the vehicle's battery. [kWh]"""
    eta_charge: PerAgent
    """Stored over drawn energy. [-]"""
    soc_init: PerAgent
    """State of charge before the first step. [-]"""
    soc_target: PerAgent
    """Charge limit set in the vehicle, and what the driver wants at departure. [-]"""
    soc_min: PerAgent
    """Reserve: below it the charger charges at once, whatever was requested. [-]"""


@final
@dataclass(frozen=True, eq=False)
class EvCharger(Device):
    """One-way chargers; the state is the vehicle's state of charge.

    Implements

        soc[t+1] = max(soc[t] - trip / e_max, 0) + dt eta_c p / e_max

    A trip is booked at the start of the step in which the vehicle comes home, so the state shows
    the departure's charge while it is away. What a trip needed beyond the charge is
    `trip_shortfall_kwh`.
    """

    params: EvChargerParams

    def initial_state(self) -> PerAgent:
        """Return `soc_init` [-]."""
        return self.params.soc_init

    def power_bounds(
        self, state: AgentValues, surroundings: Surroundings, dt_h: float
    ) -> tuple[AgentValues, AgentValues]:
        """Return [0, p_max_kw], cut by the charge limit and raised by the reserve [kW].

        Both are zero while the vehicle is away.
        """
        pars = self.params
        soc = self._soc_at_home(state, surroundings)
        rating_kw = pars.p_max_kw * surroundings.plugged_in
        kw_per_soc = pars.e_max_kwh / (pars.eta_charge * dt_h)
        to_reserve_kw = torch.relu(pars.soc_min - soc) * kw_per_soc
        to_target_kw = torch.relu(pars.soc_target - soc) * kw_per_soc
        return torch.minimum(to_reserve_kw, rating_kw), torch.minimum(to_target_kw, rating_kw)

    def next_state(
        self, state: AgentValues, *, p_kw: AgentValues, surroundings: Surroundings, dt_h: float
    ) -> AgentValues:
        """Return the state of charge at the end of the step [-]."""
        pars = self.params
        stored_kwh = dt_h * pars.eta_charge * p_kw
        return self._soc_at_home(state, surroundings) + stored_kwh / pars.e_max_kwh

    def trip_shortfall_kwh(self, state: AgentValues, surroundings: Surroundings) -> AgentValues:
        """Return the trip's energy that the vehicle did not have, charged elsewhere [kWh]."""
        return torch.relu(surroundings.trip_kwh - state * self.params.e_max_kwh)

    def departure_shortfall_kwh(
        self, state_end: AgentValues, surroundings: Surroundings, dt_h: float
    ) -> AgentValues:
        """Return what is missing to `soc_target` when the vehicle leaves, else 0 [kWh].

        Args:
            state_end: State of charge at the end of the step. [-]
            surroundings: Of the step; a plugged-in vehicle leaves if `departure_h` <= `dt_h`.
            dt_h: Step length. [h]
        """
        leaves = surroundings.plugged_in * (surroundings.departure_h <= dt_h)
        return leaves * torch.relu(self.params.soc_target - state_end) * self.params.e_max_kwh

    def action_range_kw(self) -> tuple[PerAgent, PerAgent]:
        """Return off and full power [kW]."""
        return torch.zeros_like(self.params.p_max_kw), self.params.p_max_kw

    def restore_kwh(self, state: AgentValues, *, surroundings: Surroundings) -> AgentValues:
        """Return the grid energy to charge back to `soc_init`; a surplus saves that much [kWh]."""
        pars = self.params
        return (pars.soc_init - state) * pars.e_max_kwh / pars.eta_charge

    def _soc_at_home(self, state: AgentValues, surroundings: Surroundings) -> AgentValues:
        """Return the state of charge after the trip that ends now [-]."""
        return torch.relu(state - surroundings.trip_kwh / self.params.e_max_kwh)
