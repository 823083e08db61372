"""One look at the environment: roll out, sweep back, keep the gradient of every action.

    G_bti = dL / da_bti

for all actions of the closed loop: through devices and later states, later observations and
actions, and the power flow by implicit differentiation. What is kept needs no graph: the expensive
environment is not touched again until the next iteration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gradmap.days import Days
from gradmap.errors import GradmapError
from gradmap.rollout import Rollout, Trajectory
from gradmap.training.action_gradients import ActionGradients
from gradmap.training.day_pool import Batch
from gradmap.training.fine_tuning import Acting
from gradmap.training.lagrangian import Lagrangian, Valued
from gradmap.training.network_response import NetworkResponse, Sensitivity, kept_response
from gradmap.training.peers import Alone, Peers, rows_of
from gradmap.types import AgentValues, Observation, PerAgent


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """What one look at the environment gave; of the whole batch but for what is kept."""

    value: float
    """The Lagrangian, without its constant part."""
    cost: float
    """Mean controllable cost of a day. [cur]"""
    constraint: Mapping[str, Tensor]
    """Sums over days, see `Valued`."""
    worst: Tensor
    """Largest of the network's scaled violations of each day, [day]."""
    n_days: int
    n_unsolved: int
    kept: ActionGradients | None
    """Of this process's days; None when the gradient went to the parameters."""


class Environment:
    """Devices and power flow, seen as a function with a gradient."""

    def __init__(
        self,
        rollout: Rollout,
        lagrangian: Lagrangian,
        *,
        peers: Peers | None = None,
        closed_loop: bool = True,
        sensitivity: Sensitivity | None = None,
    ) -> None:
        """Join what is rolled out and what judges it.

        Args:
            rollout: Population, feeder and power flow.
            lagrangian: Cost and constraints.
            peers: Processes that each look at a part of the days; nobody else by default.
            closed_loop: Whether gradients pass through observations.
            sensitivity: Of the network, for steps that foresee its answer; None leaves that out.
        """
        self.rollout, self.lagrangian = rollout, lagrangian
        self._peers: Peers = Alone() if peers is None else peers
        self._closed_loop = closed_loop
        self._sensitivity = sensitivity
        low_kw, high_kw = rollout.fleet.action_range_kw()
        self._low_kw, self._half_kw = low_kw, 0.5 * (high_kw - low_kw)

    def action_gradients(
        self,
        policy: Acting,
        days: Batch,
        *,
        multipliers: Mapping[str, Tensor],
        network_weight: float = 1.0,
        std: PerAgent | None = None,
        noise: Tensor | None = None,
    ) -> Look:
        """Roll out a policy and return the gradient of every action.

        Args:
            policy: Whose actions; its parameters get no gradient here.
            days: A batch, the same in all processes.
            multipliers: Of the constraints.
            network_weight: See `Lagrangian.value`. [-]
            std: Standard deviation of exploring actions, [agent], or None.
            noise: Standard normal, [day, time, agent], with `std`.
        """
        part = self._part(policy, days, multipliers, network_weight, noise=_noise(std, noise))
        found = part.run(keep=True)
        return self._summed(found.valued, n_days=days.n_days, kept=found.kept)

    def parameter_gradients(
        self,
        policy: Acting,
        days: Batch,
        *,
        multipliers: Mapping[str, Tensor],
        network_weight: float = 1.0,
    ) -> Look:
        """Roll out a policy and add dL/dtheta to its parameters' `grad`: plain backpropagation."""
        found = self._part(policy, days, multipliers, network_weight).run(keep=False)
        self._peers.add(*(gradient for _, gradient in found.gradients))
        for parameter, gradient in found.gradients:
            before = parameter.grad
            parameter.grad = gradient if before is None else before.add_(gradient)
        return self._summed(found.valued, n_days=days.n_days, kept=None)

    def _part(
        self,
        policy: Acting,
        days: Batch,
        multipliers: Mapping[str, Tensor],
        network_weight: float,
        *,
        noise: _Noise | None = None,
    ) -> _Part:
        """Return this process's days, ready to be rolled out."""
        rows = rows_of(days.n_days, peers=self._peers)
        return _Part(
            self,
            policy,
            days=days.take(rows),
            multipliers=multipliers,
            network_weight=network_weight,
            n_days=days.n_days,
            noise=None if noise is None else _Noise(noise.std, noise.normal[rows]),
        )

    def _summed(self, valued: Valued, *, n_days: int, kept: ActionGradients | None) -> Look:
        """Return what all processes found together."""
        constraint = {name: value.clone() for name, value in valued.constraint.items()}
        totals = torch.stack(
            [
                valued.value.detach().double(),
                valued.cost.double().sum(),
                valued.cost.new_tensor(valued.n_unsolved, dtype=torch.float64),
            ]
        )
        worst = valued.worst.new_zeros(n_days)
        worst[rows_of(n_days, peers=self._peers)] = valued.worst
        self._peers.add(totals, worst, *constraint.values())
        value, cost, n_unsolved = totals.tolist()
        return Look(
            value=value / n_days,
            cost=cost / n_days,
            constraint=constraint,
            worst=worst,
            n_days=n_days,
            n_unsolved=int(n_unsolved),
            kept=kept,
        )

    def as_action(self, request_kw: AgentValues) -> AgentValues:
        """Return the normalised action behind a request."""
        return (request_kw - self._low_kw) / self._half_kw - 1.0

    def action_gradient(self, request_gradient: Tensor) -> Tensor:
        """Return dL/da from dL/d(request)."""
        return request_gradient * self._half_kw


@dataclass(frozen=True, eq=False)
class _Noise:
    """Exploration of a part of the days."""

    std: PerAgent
    normal: Tensor
    """[day, time, agent]."""


def _noise(std: PerAgent | None, normal: Tensor | None) -> _Noise | None:
    if std is None or normal is None:
        return None
    return _Noise(std, normal)


@dataclass(frozen=True, eq=False)
class _Found:
    """What a part of the days gave."""

    valued: Valued
    kept: ActionGradients | None
    gradients: tuple[tuple[Tensor, Tensor], ...] = ()
    """Parameters and their gradients."""


class _Part:
    """The days of one process, rolled out once, and the `Controller` there."""

    def __init__(
        self,
        environment: Environment,
        policy: Acting,
        *,
        days: Days,
        multipliers: Mapping[str, Tensor],
        network_weight: float,
        n_days: int,
        noise: _Noise | None,
    ) -> None:
        self._environment, self._policy, self._days = environment, policy, days
        self._multipliers, self._network_weight = multipliers, network_weight
        self._n_days, self._noise = n_days, noise
        self._requests: list[Tensor] = []

    def run(self, *, keep: bool) -> _Found:
        environment = self._environment
        with torch.enable_grad():
            trajectory = environment.rollout.run(
                self, self._days, keep_observations=keep, on_action=self._asked
            )
            valued = environment.lagrangian.value(
                trajectory,
                multipliers=self._multipliers,
                network_weight=self._network_weight,
            )
        if not bool(torch.isfinite(valued.value)):
            raise _broken("cost or violation")
        mean = valued.value / self._n_days
        if not keep:
            parameters = [p for p in self._policy.parameters() if p.requires_grad]
            gradients = torch.autograd.grad(mean, parameters)
            return _Found(valued, None, tuple(zip(parameters, gradients, strict=True)))
        gradients = torch.autograd.grad(mean, self._requests)
        return _Found(valued, self._kept(trajectory, gradients, violation=valued.violation))

    def act(self, obs: Observation) -> AgentValues:
        """Return requests, see `Controller`; without gradient to the observation in open loop."""
        environment = self._environment
        seen = obs if environment._closed_loop else obs.detach()
        action = self._policy(seen)
        # Here, before the power flow: it would blame a connection.
        if not bool(torch.isfinite(action).all()):
            raise _broken("an action")
        if self._noise is not None:
            step = len(self._requests)
            action = action + self._noise.std * self._noise.normal[:, step]
        return environment.rollout.fleet.request_from_action(action)

    def _asked(self, request_kw: AgentValues) -> AgentValues:
        self._requests.append(request_kw)
        return request_kw

    def _kept(
        self,
        trajectory: Trajectory,
        gradients: tuple[Tensor, ...],
        *,
        violation: Mapping[str, Tensor],
    ) -> ActionGradients:
        if trajectory.observation is None:
            raise ValueError("Environment: the rollout kept no observations.")
        environment, noise = self._environment, self._noise
        with torch.no_grad():
            return ActionGradients(
                observation=trajectory.observation.flatten(0, 1),
                action=environment.as_action(trajectory.request_kw.detach()).flatten(0, 1),
                noise=None if noise is None else noise.normal.flatten(0, 1),
                gradient=environment.action_gradient(torch.stack(gradients, dim=1)).flatten(0, 1),
                network=self._network(trajectory, violation=violation),
            )

    def _network(
        self, trajectory: Trajectory, *, violation: Mapping[str, Tensor]
    ) -> NetworkResponse | None:
        environment = self._environment
        if environment._sensitivity is None:
            return None
        return kept_response(
            trajectory,
            sensitivity=environment._sensitivity,
            violation=violation,
            multipliers=self._multipliers,
            constraint=environment.lagrangian.of["voltage_high"],
            margin_low=environment.lagrangian.of["voltage_low"].margin,
            hinged=environment.lagrangian.hinged,
            weight=self._network_weight / self._n_days,
        )


def _broken(what: str) -> GradmapError:
    """Return the error of a training that has run away: days are finite, the trainer saw to it."""
    return GradmapError(
        f"Training: {what} is not finite, though all series are. Policies have broken: lower "
        f"`learning_rate` or `trust_radius`."
    )
