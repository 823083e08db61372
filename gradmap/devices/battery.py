"""Home battery: state of charge, charging and discharging efficiency, wear by throughput."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

import torch

from gradmap.devices.base import Device, Surroundings
from gradmap.devices.parameters import (
    EFFICIENCY,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    DeviceParams,
    Interval,
)
from gradmap.types import AgentValues, PerAgent


@dataclass(frozen=True, kw_only=True, eq=False)
class BatteryParams(DeviceParams):
    """Rating, capacity and efficiencies of home batteries."""

    label: ClassVar[str] = "Battery"
    ranges: ClassVar[Mapping[str, Interval]] = {
        "p_max_kw": POSITIVE,
        "e_max_kwh": POSITIVE,
        "eta_charge": EFFICIENCY,
        "eta_discharge": EFFICIENCY,
        "soc_min": FRACTION,
        "soc_max": FRACTION,
        "soc_init": FRACTION,
        "wear_per_kwh": NOT_NEGATIVE,
    }
    orders: ClassVar[tuple[tuple[str, str], ...]] = (
        ("soc_min", "soc_init"),
        ("soc_init", "soc_max"),
    )

    p_max_kw: PerAgent
    """Rating for charging and discharging, at the grid side. [kW]"""
    e_max_kwh: PerAgent
    """Capacity between soc 0 and 1. [kWh]"""
    eta_charge: PerAgent
    """Stored over drawn energy. [-]"""
    eta_discharge: PerAgent
    """Delivered over taken energy. [-]"""
    soc_min: PerAgent
    """Lowest state of charge. [-]"""
    soc_max: PerAgent
    """Highest state of charge. [-]"""
    soc_init: PerAgent
    """State of charge before the first step. [-]"""
    wear_per_kwh: PerAgent
    """Cost of ageing per kWh of throughput at the grid side, both directions counted. [cur/kWh]"""


@final
@dataclass(frozen=True, eq=False)
class Battery(Device):
    """Batteries without self-discharge; the state is the state of charge.

    Implements

        soc[t+1] = soc[t] + dt eta_c p / e_max     for p >= 0
        soc[t+1] = soc[t] + dt p / (eta_d e_max)   for p <  0

    The derivative at p = 0 is that of charging, so an idle battery still has a gradient.
    """

    params: BatteryParams

    def initial_state(self) -> PerAgent:
        """Return `soc_init` [-]."""
        return self.params.soc_init

    def power_bounds(
        self, state: AgentValues, surroundings: Surroundings, dt_h: float
    ) -> tuple[AgentValues, AgentValues]:
        """Return the powers that neither exceed the rating nor leave [soc_min, soc_max] [kW]."""
        pars = self.params
        room_kwh = torch.relu(pars.soc_max - state) * pars.e_max_kwh
        stock_kwh = torch.relu(state - pars.soc_min) * pars.e_max_kwh
        p_max_kw = torch.minimum(room_kwh / (pars.eta_charge * dt_h), pars.p_max_kw)
        p_min_kw = -torch.minimum(stock_kwh * pars.eta_discharge / dt_h, pars.p_max_kw)
        return p_min_kw, p_max_kw

    def next_state(
        self, state: AgentValues, *, p_kw: AgentValues, surroundings: Surroundings, dt_h: float
    ) -> AgentValues:
        """Return the state of charge at the end of the step [-]."""
        pars = self.params
        stored_per_drawn = torch.where(p_kw >= 0.0, pars.eta_charge, 1.0 / pars.eta_discharge)
        return state + dt_h * p_kw * stored_per_drawn / pars.e_max_kwh

    def action_range_kw(self) -> tuple[PerAgent, PerAgent]:
        """Return full discharge and full charge [kW]."""
        return -self.params.p_max_kw, self.params.p_max_kw

    def cost_rates(self) -> tuple[PerAgent, PerAgent]:
        """Return the wear cost per kWh of throughput and no quadratic part."""
        return self.params.wear_per_kwh, torch.zeros_like(self.params.wear_per_kwh)

    def restore_kwh(self, state: AgentValues, *, surroundings: Surroundings) -> AgentValues:
        """Return the grid energy back to `soc_init`; a surplus counts as discharged [kWh]."""
        pars = self.params
        missing_kwh = (pars.soc_init - state) * pars.e_max_kwh
        per_stored = torch.where(missing_kwh >= 0.0, 1.0 / pars.eta_charge, pars.eta_discharge)
        return missing_kwh * per_stored
