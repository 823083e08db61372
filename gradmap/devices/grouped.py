"""One step of a whole fleet with one sort into device groups and one back.

`Fleet`'s own methods sort at every call, which is right for a step now and then; over a rollout it
is most of the work. Numbers are those of `Fleet.deliver` and `Fleet.next_state`, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from gradmap.devices.base import Surroundings
from gradmap.devices.fleet import Fleet
from gradmap.types import AgentIndex, AgentValues


@dataclass(frozen=True, kw_only=True, eq=False)
class FleetStep:
    """What one step did, in the fleet's agent order, [..., agent]."""

    p_kw: AgentValues
    """Delivered power. [kW]"""
    violation_kw: AgentValues | None
    """|request - delivered| with its gradients, if asked for. [kW]"""
    state: AgentValues
    """At the end of the step."""


class _Permute(torch.autograd.Function):
    """Agents in another order; backward the inverse order.

    The derivative of `index_select` is a sum over repeated indices, twenty times as slow.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(values: torch.Tensor, order: AgentIndex, inverse: AgentIndex) -> torch.Tensor:
        return values.index_select(-1, order)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        _, ctx.order, ctx.inverse = inputs

    @staticmethod
    def backward(ctx: Any, *grad_outputs: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return permute(grad_outputs[0], order=ctx.inverse, inverse=ctx.order), None, None


def permute(values: AgentValues, *, order: AgentIndex, inverse: AgentIndex) -> AgentValues:
    """Return `values[..., order]` for a permutation `order` with its inverse."""
    moved: torch.Tensor = _Permute.apply(  # type: ignore[no-untyped-call]
        values, order, inverse
    )
    return moved


class GroupedFleet:
    """Steps a fleet in one pass over its device groups."""

    def __init__(self, fleet: Fleet) -> None:
        """Remember the order in which the groups' agents are concatenated."""
        self.fleet = fleet
        empty = torch.zeros(0, dtype=torch.int64, device=fleet.household_index.device)
        self._sorted = torch.cat([empty, *(group.index for group in fleet.groups)])
        self._inverse = torch.argsort(self._sorted)
        self._sizes = [len(group.index) for group in fleet.groups]
        in_place = torch.arange(len(self._sorted), device=empty.device)
        self._is_sorted = torch.equal(self._sorted, in_place)

    def split(self, values: AgentValues) -> tuple[AgentValues, ...]:
        """Return each group's part of values in the fleet's order."""
        if not self._is_sorted:
            values = permute(values, order=self._sorted, inverse=self._inverse)
        return torch.split(values, self._sizes, dim=-1)

    def join(self, parts: list[AgentValues]) -> AgentValues:
        """Return the groups' values, all with the same leading axes, in the fleet's order."""
        joined = torch.cat(parts, dim=-1)
        if self._is_sorted:
            return joined
        return permute(joined, order=self._inverse, inverse=self._sorted)

    def surroundings_by_group(self, surroundings: Surroundings) -> list[Surroundings]:
        """Return what the agents of each group feel."""
        return [surroundings.select(group.index) for group in self.fleet.groups]

    def step(
        self,
        request_kw: AgentValues,
        *,
        state: AgentValues,
        surroundings: list[Surroundings],
        dt_h: float,
        with_violation: bool = True,
    ) -> FleetStep:
        """Deliver what the devices can of the requests and move their states on.

        Args:
            request_kw: [..., agent]. [kW]
            state: At the start of the step, with the same leading axes.
            surroundings: Of each group, see `surroundings_by_group`.
            dt_h: Step length. [h]
            with_violation: Without gradients |request - delivered| is cheaper afterwards.
        """
        if not self.fleet.groups:
            return FleetStep(p_kw=request_kw, violation_kw=request_kw, state=state)
        powers, violations, states = [], [], []
        rows = zip(
            self.fleet.groups, self.split(request_kw), self.split(state), surroundings, strict=True
        )
        for group, request, before, around in rows:
            device = group.device
            if with_violation:
                p_kw, outside_kw = device.deliver(
                    request, state=before, surroundings=around, dt_h=dt_h
                )
                violations.append(outside_kw)
            else:
                p_kw = device.feasible_power(request, state=before, surroundings=around, dt_h=dt_h)
            powers.append(p_kw)
            states.append(device.next_state(before, p_kw=p_kw, surroundings=around, dt_h=dt_h))
        return FleetStep(
            p_kw=self.join(powers),
            violation_kw=self.join(violations) if with_violation else None,
            state=self.join(states),
        )
