"""What every controllable device is: an action range, power limits, a state and a cost.

One scalar state and one power per agent. Limits are enforced in exactly one place,
`Device.feasible_power`; training, studies and the household federate all call it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from typing import final

import torch

from gradmap.types import Action, AgentIndex, AgentValues, PerAgent


def _scalar(value: float) -> torch.Tensor:
    """Return a 0-d float64 tensor, which never promotes the dtype of what it meets."""
    return torch.tensor(value, dtype=torch.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Surroundings:
    """What devices feel during one step; each field broadcasts to [..., agent].

    A quantity common to all agents has a last axis of length 1 (or no axis at all). Without
    electric vehicles the last three fields keep their defaults.
    """

    temp_out_c: torch.Tensor
    """Outdoor temperature, constant over the step. [degC]"""
    ghi_w_per_m2: torch.Tensor
    """Global horizontal irradiance, constant over the step. [W/m2]"""
    plugged_in: torch.Tensor = field(default_factory=lambda: _scalar(1.0))
    """1 while an electric vehicle is connected, else 0. [-]"""
    trip_kwh: torch.Tensor = field(default_factory=lambda: _scalar(0.0))
    """Energy used by the trip that ends at the start of this step, 0 if none ends. [kWh]"""
    departure_h: torch.Tensor = field(default_factory=lambda: _scalar(0.0))
    """Time from the start of the step to the vehicle's next departure. [h]"""

    def select(self, index: AgentIndex) -> Surroundings:
        """Return the surroundings of the agents at `index`; what is common to all stays."""
        return Surroundings(
            **{item.name: _select(getattr(self, item.name), index) for item in fields(self)}
        )


def _select(value: torch.Tensor, index: AgentIndex) -> torch.Tensor:
    """Pick agents along the last axis unless the value is common to all agents."""
    if value.ndim == 0 or value.shape[-1] == 1:
        return value
    return value.index_select(-1, index)


def limited(
    request_kw: AgentValues, *, p_min_kw: AgentValues, p_max_kw: AgentValues
) -> AgentValues:
    """Return `request_kw` limited to the bounds, with the true derivatives of a clamp.

    Outside the bounds the request has no effect and the bound, hence the state, has all of it: a
    full battery's past charging bought nothing. (Passing the derivative to the request straight
    through values such energy twice; policies then learn half as fast.) What was clipped is
    dualised besides (`Device.violation_kw`), so that a request outside still knows its way back.
    NaN is passed on, so that a broken controller is seen.

    Args:
        request_kw: Requested power, load convention. [kW]
        p_min_kw: Lowest feasible power. [kW]
        p_max_kw: Highest feasible power, >= `p_min_kw`. [kW]
    """
    return torch.minimum(torch.maximum(request_kw, p_min_kw), p_max_kw)


def _outside_kw(
    request_kw: AgentValues, *, p_min_kw: AgentValues, p_max_kw: AgentValues
) -> AgentValues:
    """Return how far the request is outside the bounds [kW]."""
    return torch.relu(request_kw - p_max_kw) + torch.relu(p_min_kw - request_kw)


class Device(ABC):
    """Devices of one kind (or a whole fleet), vectorised over agents and any leading axes.

    Powers follow the load convention: `p_kw > 0` draws from the grid.
    """

    @abstractmethod
    def initial_state(self) -> PerAgent:
        """Return the state before the first step [-, degC or kW, see the device]."""

    @abstractmethod
    def power_bounds(
        self, state: AgentValues, surroundings: Surroundings, dt_h: float
    ) -> tuple[AgentValues, AgentValues]:
        """Return the lowest and the highest power that can be held for a whole step [kW]."""

    @abstractmethod
    def next_state(
        self, state: AgentValues, *, p_kw: AgentValues, surroundings: Surroundings, dt_h: float
    ) -> AgentValues:
        """Return the state at the end of a step with the delivered power `p_kw`."""

    @abstractmethod
    def action_range_kw(self) -> tuple[PerAgent, PerAgent]:
        """Return the powers that the actions -1 and +1 request [kW]."""

    @abstractmethod
    def restore_kwh(self, state: AgentValues, *, surroundings: Surroundings) -> AgentValues:
        """Return the grid energy that would bring the state back to its initial value [kWh].

        Negative where the state holds a surplus. Valuing it at a price makes days comparable that
        end with different stored energy.
        """

    def cost_rates(self) -> tuple[PerAgent, PerAgent]:
        """Return fuel or wear cost: per kWh [cur/kWh] and per kW squared and hour [cur/(kW2 h)]."""
        zero = torch.zeros_like(self.action_range_kw()[0])
        return zero, zero

    def kvar_per_kw(self) -> PerAgent:
        """Return reactive over active power; positive absorbs [kvar/kW]."""
        return torch.zeros_like(self.action_range_kw()[0])

    @final
    def feasible_power(
        self,
        request_kw: AgentValues,
        *,
        state: AgentValues,
        surroundings: Surroundings,
        dt_h: float,
    ) -> AgentValues:
        """Return the delivered power: the request, limited to what can be held for the step.

        The one place where device limits are enforced, see `limited`.

        Args:
            request_kw: Requested power, load convention. [kW]
            state: State at the start of the step.
            surroundings: What the device feels during the step.
            dt_h: Step length. [h]
        """
        p_min_kw, p_max_kw = self.power_bounds(state, surroundings, dt_h)
        return limited(request_kw, p_min_kw=p_min_kw, p_max_kw=p_max_kw)

    @final
    def violation_kw(
        self,
        request_kw: AgentValues,
        *,
        state: AgentValues,
        surroundings: Surroundings,
        dt_h: float,
    ) -> AgentValues:
        """Return |request - delivered| with its true gradients, which training dualises [kW].

        The gradient reaches the request, and through the bounds also the state.
        """
        p_min_kw, p_max_kw = self.power_bounds(state, surroundings, dt_h)
        return _outside_kw(request_kw, p_min_kw=p_min_kw, p_max_kw=p_max_kw)

    @final
    def deliver(
        self,
        request_kw: AgentValues,
        *,
        state: AgentValues,
        surroundings: Surroundings,
        dt_h: float,
    ) -> tuple[AgentValues, AgentValues]:
        """Return `feasible_power` and `violation_kw` of one request, at the price of one [kW]."""
        p_min_kw, p_max_kw = self.power_bounds(state, surroundings, dt_h)
        delivered_kw = limited(request_kw, p_min_kw=p_min_kw, p_max_kw=p_max_kw)
        return delivered_kw, _outside_kw(request_kw, p_min_kw=p_min_kw, p_max_kw=p_max_kw)

    @final
    def request_from_action(self, action: Action) -> AgentValues:
        """Map normalised actions linearly to requests, -1 and +1 to `action_range_kw` [kW].

        The action is load convention too: +1 asks for the most consumption, which for a generator
        is its least generation. Actions beyond [-1, 1] are not cut here; `feasible_power` cuts them
        and `violation_kw` counts them.
        """
        at_minus_one_kw, at_plus_one_kw = self.action_range_kw()
        return torch.lerp(at_minus_one_kw, at_plus_one_kw, 0.5 * (action + 1.0))

    @final
    def step_cost(self, p_kw: AgentValues, dt_h: float) -> AgentValues:
        """Return fuel and wear cost of one step; energy at the tariff is the household's [cur]."""
        per_kwh, per_kw2h = self.cost_rates()
        return dt_h * (per_kwh * p_kw.abs() + per_kw2h * p_kw.square())

    @final
    def reactive_kvar(self, p_kw: AgentValues) -> AgentValues:
        """Return the reactive power that goes with `p_kw`; positive absorbs [kvar]."""
        return p_kw * self.kvar_per_kw()
