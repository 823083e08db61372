"""Heat pump in a one-node building: exact discretisation, Carnot COP, thermostat override."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

import torch

from gradmap.devices.base import Device, Surroundings
from gradmap.devices.parameters import (
    EFFICIENCY,
    INDOOR_TEMP_C,
    NOT_NEGATIVE,
    POSITIVE,
    DeviceParams,
    Interval,
)
from gradmap.types import AgentValues, PerAgent

KELVIN_AT_0_C = 273.15
COP_MIN = 1.0
"""A heat pump never does worse than its resistive heater."""
COP_MAX = 6.0
"""Compressors limit the benefit of small temperature lifts."""
_LIFT_MIN_K = 1.0
_W_PER_KW = 1000.0


def cop(
    temp_out_c: torch.Tensor, *, supply_temp_c: torch.Tensor, carnot_fraction: torch.Tensor
) -> torch.Tensor:
    """Return the coefficient of performance, heat over electricity.

    Implements

        COP = carnot_fraction T_supply / (T_supply - T_out),  T in kelvin,  limited to [1, 6]

    The lift is taken as at least 1 K, so that warm days stay finite; both limits have zero slope.

    Args:
        temp_out_c: Outdoor (source) temperature. [degC]
        supply_temp_c: Temperature of the water that the heat pump supplies. [degC]
        carnot_fraction: Share of the ideal COP reached, typically 0.35 to 0.5. [-]
    """
    lift_k = (supply_temp_c - temp_out_c).clamp(min=_LIFT_MIN_K)
    return (carnot_fraction * (supply_temp_c + KELVIN_AT_0_C) / lift_k).clamp(COP_MIN, COP_MAX)


@dataclass(frozen=True, kw_only=True, eq=False)
class HeatPumpParams(DeviceParams):
    """Heat pumps and the buildings they heat."""

    label: ClassVar[str] = "Heat pump"
    ranges: ClassVar[Mapping[str, Interval]] = {
        "p_max_kw": POSITIVE,
        "ua_kw_per_k": POSITIVE,
        "c_kwh_per_k": POSITIVE,
        "solar_gain_m2": NOT_NEGATIVE,
        "internal_gain_kw": NOT_NEGATIVE,
        "supply_temp_c": Interval(20.0, 80.0),
        "carnot_fraction": EFFICIENCY,
        "temp_set_c": INDOOR_TEMP_C,
        "temp_min_c": INDOOR_TEMP_C,
        "temp_max_c": INDOOR_TEMP_C,
        "temp_floor_c": INDOOR_TEMP_C,
        "temp_ceiling_c": INDOOR_TEMP_C,
        "temp_init_c": INDOOR_TEMP_C,
        "power_factor": EFFICIENCY,
    }
    orders: ClassVar[tuple[tuple[str, str], ...]] = (
        ("temp_floor_c", "temp_min_c"),
        ("temp_min_c", "temp_set_c"),
        ("temp_set_c", "temp_max_c"),
        ("temp_max_c", "temp_ceiling_c"),
    )

    p_max_kw: PerAgent
    """Electric rating. [kW]"""
    ua_kw_per_k: PerAgent
    """Heat loss of the building per kelvin. [kW/K]"""
    c_kwh_per_k: PerAgent
    """Heat capacity of the building. [kWh/K]"""
    solar_gain_m2: PerAgent
    """Effective solar aperture: heat gain over global horizontal irradiance. [m2]"""
    internal_gain_kw: PerAgent
    """Heat from people and appliances. [kW]"""
    supply_temp_c: PerAgent
    """Supply water temperature. [degC]"""
    carnot_fraction: PerAgent
    """Share of the ideal COP reached. [-]"""
    temp_set_c: PerAgent
    """Thermostat setting. [degC]"""
    temp_min_c: PerAgent
    """Lower end of the comfort band. [degC]"""
    temp_max_c: PerAgent
    """Upper end of the comfort band. [degC]"""
    temp_floor_c: PerAgent
    """Below this the thermostat heats whatever was requested. [degC]"""
    temp_ceiling_c: PerAgent
    """Above this the thermostat stops heating whatever was requested. [degC]"""
    temp_init_c: PerAgent
    """Indoor temperature before the first step. [degC]"""
    power_factor: PerAgent
    """Lagging power factor of the compressor. [-]"""


@final
@dataclass(frozen=True, eq=False)
class HeatPump(Device):
    """Heat pumps; the state is the indoor temperature at the end of the step.

    Implements

        C dT/dt = UA (T_out - T) + COP p + solar_gain ghi + internal_gain

    solved exactly for inputs constant over the step (zero-order hold), so the step length does not
    matter for accuracy.
    """

    params: HeatPumpParams

    def initial_state(self) -> PerAgent:
        """Return `temp_init_c` [degC]."""
        return self.params.temp_init_c

    def heat_gain_kw(self, p_kw: AgentValues, surroundings: Surroundings) -> AgentValues:
        """Return heat into the building from the heat pump, the sun and inside [kW]."""
        pars = self.params
        sun_kw = pars.solar_gain_m2 * surroundings.ghi_w_per_m2 / _W_PER_KW
        return self.cop(surroundings) * p_kw + sun_kw + pars.internal_gain_kw

    def cop(self, surroundings: Surroundings) -> AgentValues:
        """Return the coefficient of performance at this outdoor temperature, see `cop` [-]."""
        return cop(
            surroundings.temp_out_c,
            supply_temp_c=self.params.supply_temp_c,
            carnot_fraction=self.params.carnot_fraction,
        )

    def power_bounds(
        self, state: AgentValues, surroundings: Surroundings, dt_h: float
    ) -> tuple[AgentValues, AgentValues]:
        """Return the thermostat's limits inside [0, p_max_kw] [kW].

        The lower bound rises to what keeps the step's end at `temp_floor_c`, the upper bound falls
        to what keeps it at `temp_ceiling_c`, as far as the rating allows.
        """
        pars = self.params
        off_kw = torch.zeros_like(pars.p_max_kw)
        temp_unheated_c = self.next_state(state, p_kw=off_kw, surroundings=surroundings, dt_h=dt_h)
        exponent = pars.ua_kw_per_k * dt_h / pars.c_kwh_per_k
        warming_k_per_kw = self.cop(surroundings) * -torch.expm1(-exponent) / pars.ua_kw_per_k
        to_floor_kw = (pars.temp_floor_c - temp_unheated_c) / warming_k_per_kw
        to_ceiling_kw = (pars.temp_ceiling_c - temp_unheated_c) / warming_k_per_kw
        return (
            torch.minimum(torch.relu(to_floor_kw), pars.p_max_kw),
            torch.minimum(torch.relu(to_ceiling_kw), pars.p_max_kw),
        )

    def next_state(
        self, state: AgentValues, *, p_kw: AgentValues, surroundings: Surroundings, dt_h: float
    ) -> AgentValues:
        """Return the indoor temperature at the end of the step [degC]."""
        pars = self.params
        temp_steady_c = self._steady_temp_c(p_kw, surroundings)
        decay = torch.exp(-pars.ua_kw_per_k * dt_h / pars.c_kwh_per_k)
        return torch.lerp(temp_steady_c, state, decay)

    def mean_temp_c(
        self, state: AgentValues, *, p_kw: AgentValues, surroundings: Surroundings, dt_h: float
    ) -> AgentValues:
        """Return the indoor temperature averaged over the step, exactly [degC].

        With it the energy balance closes: C (T[t+1] - T[t]) = dt (UA (T_out - T_mean) + gains).
        """
        exponent = self.params.ua_kw_per_k * dt_h / self.params.c_kwh_per_k
        temp_steady_c = self._steady_temp_c(p_kw, surroundings)
        return temp_steady_c + (state - temp_steady_c) * -torch.expm1(-exponent) / exponent

    def comfort_violation_k(self, state: AgentValues) -> AgentValues:
        """Return by how much the indoor temperature is outside [temp_min_c, temp_max_c] [K]."""
        pars = self.params
        return torch.relu(pars.temp_min_c - state) + torch.relu(state - pars.temp_max_c)

    def action_range_kw(self) -> tuple[PerAgent, PerAgent]:
        """Return off and full power [kW]."""
        return torch.zeros_like(self.params.p_max_kw), self.params.p_max_kw

    def kvar_per_kw(self) -> PerAgent:
        """Return the ratio of a lagging load at `power_factor` [kvar/kW]."""
        return torch.tan(torch.acos(self.params.power_factor))

    def restore_kwh(self, state: AgentValues, *, surroundings: Surroundings) -> AgentValues:
        """Return the electricity that stores the missing heat at the present COP [kWh]."""
        missing_kwh = (self.params.temp_init_c - state) * self.params.c_kwh_per_k
        return missing_kwh / self.cop(surroundings)

    def _steady_temp_c(self, p_kw: AgentValues, surroundings: Surroundings) -> AgentValues:
        """Return the temperature that the building would reach after a long time [degC]."""
        gain_kw = self.heat_gain_kw(p_kw, surroundings)
        return surroundings.temp_out_c + gain_kw / self.params.ua_kw_per_k
