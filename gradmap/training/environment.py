"""One look at the environment: roll out, sweep back, keep the gradient of every action.

    G_bti = dL / da_bti

for all actions of the closed loop: through devices and later states, later observations and
actions, and the power flow by implicit differentiation. What is kept needs no graph: the expensive
environment is not touched again until the next iteration.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from gradmap.days import Days
from gradmap.errors import GradmapError
from gradmap.policies.independent import IndependentPolicies
from gradmap.rollout import Rollout, Trajectory
from gradmap.training.lagrangian import Lagrangian, Valued, added
from gradmap.types import AgentValues, Observation, PerAgent


@dataclass(frozen=True, kw_only=True, eq=False)
class ActionGradients:
    """What is kept of a batch, [sample, agent, ...]; samples are days and steps."""

    observation: Tensor
    """What agents saw, physical units, [sample, agent, feature]."""
    action: Tensor
    """What they did, noise included, [sample, agent]. [-1, 1]"""
    noise: Tensor | None
    """Standard normal draws behind the actions; None for deterministic policies."""
    gradient: Tensor
    """dL/da, [sample, agent]."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """What one look at the environment gave."""

    value: float
    """The Lagrangian, without its constant part."""
    cost: float
    """Mean controllable cost of a day. [cur]"""
    constraint: Mapping[str, Tensor]
    """Sums over days, see `Valued`."""
    n_days: int
    n_unsolved: int
    kept: ActionGradients | None
    """None when the gradient went to the parameters."""


class Environment:
    """Devices and power flow, seen as a function with a gradient."""

    def __init__(
        self,
        rollout: Rollout,
        lagrangian: Lagrangian,
        *,
        shards: int = 1,
        closed_loop: bool = True,
    ) -> None:
        """Join what is rolled out and what judges it.

        Args:
            rollout: Population, feeder and power flow.
            lagrangian: Cost and constraints.
            shards: Threads, each with its part of the days.
            closed_loop: Whether gradients pass through observations.
        """
        self.rollout, self.lagrangian = rollout, lagrangian
        self._shards, self._closed_loop = shards, closed_loop
        low_kw, high_kw = rollout.fleet.action_range_kw()
        self._low_kw, self._half_kw = low_kw, 0.5 * (high_kw - low_kw)

    def action_gradients(
        self,
        policy: IndependentPolicies,
        days: Days,
        *,
        multipliers: Mapping[str, Tensor],
        std: PerAgent | None = None,
        noise: Tensor | None = None,
    ) -> Look:
        """Roll out a policy and return the gradient of every action.

        Args:
            policy: Whose actions; its parameters get no gradient here.
            days: A batch.
            multipliers: Of the constraints.
            std: Standard deviation of exploring actions, [agent], or None.
            noise: Standard normal, [day, time, agent], with `std`.
        """
        return self._look(
            [
                _Part(
                    self,
                    policy,
                    days=part,
                    multipliers=multipliers,
                    n_days=days.n_days,
                    noise=_noise(std, noise, rows),
                )
                for part, rows in self._parts(days)
            ],
            keep=True,
        )

    def parameter_gradients(
        self, policy: IndependentPolicies, days: Days, *, multipliers: Mapping[str, Tensor]
    ) -> Look:
        """Roll out a policy and add dL/dtheta to its parameters' `grad`: plain backpropagation."""
        return self._look(
            [
                _Part(self, policy, days=part, multipliers=multipliers, n_days=days.n_days)
                for part, _ in self._parts(days)
            ],
            keep=False,
        )

    def _parts(self, days: Days) -> list[tuple[Days, slice]]:
        size = -(-days.n_days // self._shards)
        rows = [slice(k, min(k + size, days.n_days)) for k in range(0, days.n_days, size)]
        return [(days.take(part), part) for part in rows]

    def _look(self, parts: list[_Part], *, keep: bool) -> Look:
        if len(parts) == 1:
            found = [parts[0].run(keep=keep)]
        else:
            with ThreadPoolExecutor(max_workers=len(parts)) as pool:
                found = list(pool.map(lambda part: part.run(keep=keep), parts))
        n_days = parts[0].n_days
        valued = [part.valued for part in found]
        if not keep:
            for part in found:
                part.put_gradients()
        return Look(
            value=sum(float(v.value.detach()) for v in valued) / n_days,
            cost=float(torch.cat([v.cost for v in valued]).mean()),
            constraint=added(v.constraint for v in valued),
            n_days=n_days,
            n_unsolved=sum(v.n_unsolved for v in valued),
            kept=_joined([part.kept for part in found if part.kept is not None]),
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


def _noise(std: PerAgent | None, normal: Tensor | None, rows: slice) -> _Noise | None:
    if std is None or normal is None:
        return None
    return _Noise(std, normal[rows])


@dataclass(frozen=True, eq=False)
class _Found:
    """What a part of the days gave."""

    valued: Valued
    kept: ActionGradients | None
    gradients: tuple[tuple[Tensor, Tensor], ...] = ()
    """Parameters and their gradients."""

    def put_gradients(self) -> None:
        """Add the gradients to the parameters' own, in the order of the parts."""
        for parameter, gradient in self.gradients:
            if parameter.grad is None:
                parameter.grad = gradient
            else:
                parameter.grad.add_(gradient)


class _Part:
    """A part of the days, rolled out in a thread of its own, and the `Controller` there."""

    def __init__(
        self,
        environment: Environment,
        policy: IndependentPolicies,
        *,
        days: Days,
        multipliers: Mapping[str, Tensor],
        n_days: int,
        noise: _Noise | None = None,
    ) -> None:
        self._environment, self._policy, self._days = environment, policy, days
        self._multipliers, self.n_days, self._noise = multipliers, n_days, noise
        self._requests: list[Tensor] = []

    def run(self, *, keep: bool) -> _Found:
        environment = self._environment
        with torch.enable_grad():
            trajectory = environment.rollout.run(
                self, self._days, keep_observations=keep, on_action=self._asked
            )
            valued = environment.lagrangian.value(trajectory, multipliers=self._multipliers)
        _refuse_broken(valued, trajectory)
        mean = valued.value / self.n_days
        if not keep:
            parameters = [p for p in self._policy.parameters() if p.requires_grad]
            gradients = torch.autograd.grad(mean, parameters)
            return _Found(valued, None, tuple(zip(parameters, gradients, strict=True)))
        gradients = torch.autograd.grad(mean, self._requests)
        return _Found(valued, self._kept(trajectory, gradients))

    def act(self, obs: Observation) -> AgentValues:
        """Return requests, see `Controller`; without gradient to the observation in open loop."""
        environment = self._environment
        seen = obs if environment._closed_loop else obs.detach()
        action = self._policy(seen)
        if self._noise is not None:
            step = len(self._requests)
            action = action + self._noise.std * self._noise.normal[:, step]
        return environment.rollout.fleet.request_from_action(action)

    def _asked(self, request_kw: AgentValues) -> AgentValues:
        self._requests.append(request_kw)
        return request_kw

    def _kept(self, trajectory: Trajectory, gradients: tuple[Tensor, ...]) -> ActionGradients:
        if trajectory.observation is None:
            raise ValueError("Environment: the rollout kept no observations.")
        environment, noise = self._environment, self._noise
        with torch.no_grad():
            return ActionGradients(
                observation=trajectory.observation.flatten(0, 1),
                action=environment.as_action(trajectory.request_kw.detach()).flatten(0, 1),
                noise=None if noise is None else noise.normal.flatten(0, 1),
                gradient=environment.action_gradient(torch.stack(gradients, dim=1)).flatten(0, 1),
            )


def _joined(parts: list[ActionGradients]) -> ActionGradients | None:
    """Return the parts one after the other."""
    if not parts:
        return None
    noises = [part.noise for part in parts if part.noise is not None]
    return ActionGradients(
        observation=torch.cat([part.observation for part in parts]),
        action=torch.cat([part.action for part in parts]),
        noise=torch.cat(noises) if noises else None,
        gradient=torch.cat([part.gradient for part in parts]),
    )


def _refuse_broken(valued: Valued, trajectory: Trajectory) -> None:
    """Stop where nothing can be learnt."""
    if bool(torch.isfinite(valued.value)):
        return
    for name in ("base_load_kw", "pv_available_kw", "temp_out_c", "price_import_per_kwh"):
        if not bool(torch.isfinite(getattr(trajectory.days, name)).all()):
            raise GradmapError(
                f"Training: `{name}` of the training days holds NaN or infinity. Correct the "
                f"series."
            )
    raise GradmapError(
        "Training: cost or violation is not finite though all series are. Policies have broken: "
        "lower `learning_rate` or `trust_radius`."
    )
