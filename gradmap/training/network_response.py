"""How the network would answer if all agents changed their actions together.

One look gives every action's gradient while all others stay. But agents step at the same time, in
the same direction: a thousand batteries that each move a little towards the sun overshoot together,
and the more is made of a look, the farther. So proximal steps linearise voltages around the look,

    x(d) = x + S d,        S = d|v| / d(action) at the mean load, this step's voltages only

with x the scaled violations, d the changes of all agents' actions, and add to each agent's gradient
what the Lagrangian's network terms gain in slope,

    G(d) = G + S^T (phi'(x + S d) - phi'(x)),       phi' = multiplier 1[x + m > 0] + curvature h

which is zero at d = 0: there the gradient stays the exact one. Later steps' voltages, to which an
agent's change now leads through its state, are left to the trust region.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from gradmap.days import Days
from gradmap.rollout import Rollout, Trajectory
from gradmap.training.settings import ConstraintSettings
from gradmap.types import AgentSeries, PerAgent
from gradmap.violations import VOLTAGE_SCALE_PU, Limits, limited_nodes

STEP_KW: Final = 20.0
"""Change of a connection's power behind the differences: voltages are nearly linear in it, and
float32 resolves it."""
FOLLOWS_KW: Final = 1e-6
"""A request that a device follows as closely as this moves power when it changes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sensitivity:
    """What agents' actions do to voltages, linear."""

    per_kw: Tensor
    """Change of limited nodes' voltages by a connection's active power, [connection, node].
    [0.01 pu/kW]"""
    per_kvar: Tensor
    """By its reactive power. [0.01 pu/kvar]"""
    at_agent: Tensor
    """Connection of each agent."""
    kw_per_action: PerAgent
    """Half the action range. [kW]"""
    kvar_per_kw: PerAgent

    def of_agents(self, index: Tensor) -> Sensitivity:
        """Return the sensitivity to some agents, in the order of their rows `index`."""
        return replace(
            self,
            at_agent=self.at_agent[index],
            kw_per_action=self.kw_per_action[index],
            kvar_per_kw=self.kvar_per_kw[index],
        )

    def voltages(self, action: Tensor) -> Tensor:
        """Return the change of voltages, [sample, node], by changes of actions [sample, agent]."""
        p_kw = action * self.kw_per_action
        at_rest = action.new_zeros(len(action), len(self.per_kw))
        p_sum = at_rest.index_add(1, self.at_agent, p_kw)
        q_sum = at_rest.index_add(1, self.at_agent, p_kw * self.kvar_per_kw)
        return p_sum @ self.per_kw + q_sum @ self.per_kvar

    def actions(self, slope: Tensor) -> Tensor:
        """Return the transpose: slopes of actions [sample, agent] from those of voltages."""
        by_kw = (slope @ self.per_kw.t()).index_select(1, self.at_agent)
        by_kvar = (slope @ self.per_kvar.t()).index_select(1, self.at_agent)
        return (by_kw + self.kvar_per_kw * by_kvar) * self.kw_per_action


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkResponse:
    """What is kept of a look to foresee voltages, samples are days and steps."""

    sensitivity: Sensitivity
    high: Tensor
    """Scaled violations of the upper limit, [sample, node]."""
    low: Tensor
    """Of the lower limit."""
    multiplier_high: Tensor
    """[time, node]; samples run through time first."""
    multiplier_low: Tensor
    constraint: ConstraintSettings
    """Of the upper limit."""
    margin_low: float
    """Of the lower limit, all else being equal. [scaled]"""
    hinged: bool
    """Whether multipliers count beyond the margin only, see `Statistic`."""
    weight: float
    """Of the network's terms in the look's gradient. [-]"""
    follows: Tensor
    """1 where a changed request changes the power, else 0, [sample, agent]."""

    def of_agents(self, index: Tensor) -> NetworkResponse:
        """Return what was kept for some agents, in the order of their rows `index`."""
        return replace(
            self,
            sensitivity=self.sensitivity.of_agents(index),
            follows=self.follows.index_select(1, index),
        )

    def added_gradient(self, change: Tensor, *, samples: Tensor | None) -> Tensor:
        """Return what is added to dL/da, [sample, agent].

        Args:
            change: Of actions since the look, [sample, agent].
            samples: Which of the kept samples they are; all if left out.
        """
        rows = torch.arange(len(self.high), device=change.device) if samples is None else samples
        follows = self.follows[rows]
        moved = self.sensitivity.voltages(change * follows)
        step = rows % len(self.multiplier_high)
        high = self.high[rows] + self.constraint.margin
        low = self.low[rows] + self.margin_low
        slope = self._gained(high, moved, multiplier=self.multiplier_high[step])
        slope -= self._gained(low, -moved, multiplier=self.multiplier_low[step])
        return self.sensitivity.actions(slope) * follows

    def _gained(self, before: Tensor, moved: Tensor, *, multiplier: Tensor) -> Tensor:
        """Return phi'(x + moved) - phi'(x) from x + margin."""
        after = before + moved
        gained = self.constraint.curvature * (torch.relu(after) - torch.relu(before))
        if self.hinged:
            gained += multiplier * ((after > 0.0).to(gained) - (before > 0.0).to(gained))
        return self.weight * gained


def measured_sensitivity(rollout: Rollout, *, days: Days, limits: Limits) -> Sensitivity:
    """Return the sensitivity at the mean load, by central differences of the power flow.

    Args:
        rollout: Whose agents and grid.
        days: Their mean load and sun is where voltages are linearised.
        limits: Which nodes count.
    """
    fleet, connecting = rollout.fleet, rollout.connecting
    mean = _mean_step(days)
    idle = fleet.initial_state().new_zeros(1, fleet.n_agents)
    p_kw, q_kvar = connecting.sums(mean, 0, p_kw=idle)
    step = STEP_KW * torch.eye(p_kw.shape[-1], dtype=p_kw.dtype, device=p_kw.device)
    nodes = limited_nodes(rollout.flow.feeder, exclude_buses=limits.exclude_buses)
    low_kw, high_kw = fleet.action_range_kw()

    def vm_pu(p: Tensor, q: Tensor) -> Tensor:
        with torch.no_grad():
            solution = rollout.flow.solve(p.expand(len(step), -1), q.expand(len(step), -1))
        return solution.node_v_pu().abs().index_select(-1, nodes.to(p.device)).to(p)

    width = 2.0 * STEP_KW * VOLTAGE_SCALE_PU
    return Sensitivity(
        per_kw=(vm_pu(p_kw + step, q_kvar) - vm_pu(p_kw - step, q_kvar)) / width,
        per_kvar=(vm_pu(p_kw, q_kvar + step) - vm_pu(p_kw, q_kvar - step)) / width,
        at_agent=connecting.at_agent,
        kw_per_action=0.5 * (high_kw - low_kw),
        kvar_per_kw=fleet.kvar_per_kw(),
    )


def _mean_step(days: Days) -> Days:
    """Return one day on which all homes always have their mean load and sun."""
    one = days.take(slice(0, 1))
    load = days.base_load_kw.mean(dim=(0, 1)).expand_as(one.base_load_kw)
    sun = days.pv_available_kw.mean(dim=(0, 1)).expand_as(one.pv_available_kw)
    return replace(one, base_load_kw=load, pv_available_kw=sun)


def kept_response(
    trajectory: Trajectory,
    *,
    sensitivity: Sensitivity,
    violation: Mapping[str, Tensor],
    multipliers: Mapping[str, Tensor],
    constraint: ConstraintSettings,
    margin_low: float,
    hinged: bool,
    weight: float,
) -> NetworkResponse:
    """Return what is kept of a look.

    Args:
        trajectory: Of the look.
        sensitivity: Of the network.
        violation: Scaled violations `voltage_low` and `voltage_high`, [day, time, node].
        multipliers: Of the constraints; missing ones are at their start.
        constraint: Weights of the voltages, with the upper limit's margin.
        margin_low: The lower limit's.
        hinged: See `NetworkResponse`.
        weight: Of the network's terms in the look's gradient. [-]
    """
    high, low = violation["voltage_high"].flatten(0, 1), violation["voltage_low"].flatten(0, 1)
    start = high.new_full(violation["voltage_high"].shape[1:], constraint.start)
    return NetworkResponse(
        sensitivity=sensitivity,
        high=high,
        low=low,
        multiplier_high=multipliers.get("voltage_high", start),
        multiplier_low=multipliers.get("voltage_low", start),
        constraint=constraint,
        margin_low=margin_low,
        hinged=hinged,
        weight=weight,
        follows=_follows(trajectory.violation_kw.detach()).flatten(0, 1),
    )


def _follows(violation_kw: AgentSeries) -> Tensor:
    return (violation_kw <= FOLLOWS_KW).to(violation_kw)
