"""Controllable generator (micro-CHP, diesel): minimum output, quadratic fuel cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

import torch

from gradmap.devices.base import Device, Surroundings
from gradmap.devices.parameters import FRACTION, NOT_NEGATIVE, POSITIVE, DeviceParams, Interval
from gradmap.types import AgentValues, PerAgent


@dataclass(frozen=True, kw_only=True, eq=False)
class GeneratorParams(DeviceParams):
    """Rating and fuel cost of generators, which always run."""

    label: ClassVar[str] = "Generator"
    ranges: ClassVar[Mapping[str, Interval]] = {
        "p_max_kw": POSITIVE,
        "p_min_fraction": FRACTION,
        "fuel_per_kwh": NOT_NEGATIVE,
        "fuel_quadratic_per_kw2h": NOT_NEGATIVE,
    }

    p_max_kw: PerAgent
    """Rating, positive. [kW]"""
    p_min_fraction: PerAgent
    """Lowest output over the rating. [-]"""
    fuel_per_kwh: PerAgent
    """Linear fuel cost a of a |p| + b p^2. [cur/kWh]"""
    fuel_quadratic_per_kw2h: PerAgent
    """Quadratic fuel cost b of a |p| + b p^2. [cur/(kW2 h)]"""


@final
@dataclass(frozen=True, eq=False)
class Generator(Device):
    """Generators; the state is the last delivered power, p_kw <= 0 because they inject.

    Action +1 is the least generation and -1 full output, as in the load convention.
    """

    params: GeneratorParams

    def initial_state(self) -> PerAgent:
        """Return the least generation [kW]."""
        return self.action_range_kw()[1]

    def power_bounds(
        self, state: AgentValues, surroundings: Surroundings, dt_h: float
    ) -> tuple[AgentValues, AgentValues]:
        """Return full and least output; neither state nor surroundings matter [kW]."""
        p_min_kw, p_max_kw = self.action_range_kw()
        return p_min_kw.expand_as(state), p_max_kw.expand_as(state)

    def next_state(
        self, state: AgentValues, *, p_kw: AgentValues, surroundings: Surroundings, dt_h: float
    ) -> AgentValues:
        """Return the delivered power [kW]."""
        return p_kw

    def action_range_kw(self) -> tuple[PerAgent, PerAgent]:
        """Return full and least output [kW]."""
        return -self.params.p_max_kw, -self.params.p_min_fraction * self.params.p_max_kw

    def cost_rates(self) -> tuple[PerAgent, PerAgent]:
        """Return the linear and the quadratic fuel cost."""
        return self.params.fuel_per_kwh, self.params.fuel_quadratic_per_kw2h

    def restore_kwh(self, state: AgentValues, *, surroundings: Surroundings) -> AgentValues:
        """Return zero: nothing is stored [kWh]."""
        return torch.zeros_like(state)
