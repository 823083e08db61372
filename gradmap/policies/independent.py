"""A bank of independent per-agent networks in stacked tensors: nothing is shared between agents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, final

import torch
from torch import nn

from gradmap.days import Days
from gradmap.devices.fleet import Fleet
from gradmap.errors import ScenarioError
from gradmap.observations import INDEX, N_FEATURES
from gradmap.policies.normalisation import measured_normalisation, typical_normalisation
from gradmap.types import Action, AgentValues, Observation

LAST_LAYER_SCALE: Final = 0.1
"""Untrained policies start close to the middle of the action range, where power flow converges."""
_HOURS_PER_DAY = 24.0
_VOLTAGE: Final = INDEX["v_pu"]


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Shape of every agent's network."""

    hidden: tuple[int, ...] = (32, 32)
    """Widths of the hidden tanh layers."""
    clock_harmonics: int = 2
    """Sine and cosine of the hour with 24, 24/2, ... h period, added to the features."""
    senses_voltage: bool = True
    """Whether the networks see `v_pu`. Trained without it they must not: what was constant in
    training has untrained weights."""

    def __post_init__(self) -> None:
        """Refuse networks without units."""
        if any(width < 1 for width in self.hidden) or self.clock_harmonics < 0:
            raise ScenarioError(
                f"Policy architecture: hidden widths {self.hidden}, {self.clock_harmonics} clock "
                f"harmonics; expected widths >= 1 and harmonics >= 0."
            )

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the widths of all layers, from the network's inputs to its one output."""
        n_seen = N_FEATURES if self.senses_voltage else N_FEATURES - 1
        return (n_seen + 2 * self.clock_harmonics, *self.hidden, 1)


@final
class IndependentPolicies(nn.Module):
    """One small tanh network per agent, all evaluated together by batched products.

    Parameters are stacked over agents: `weights[k]` is [agent, in, out], `biases[k]` is
    [agent, 1, out]. Agent i's action depends on row i of the observation and on slice i of the
    parameters only, and the same holds for gradients, so elementwise optimisers train every agent
    for itself.

    Attributes:
        agent_ids: Whose networks these are, in the order of the stacks.
        architecture: Shape of each network.
    """

    center: torch.Tensor
    scale: torch.Tensor

    def __init__(
        self,
        agent_ids: Sequence[str],
        *,
        architecture: Architecture,
        center: torch.Tensor,
        scale: torch.Tensor,
        generator: torch.Generator,
    ) -> None:
        """Draw Glorot-uniform weights; the last layer is scaled by `LAST_LAYER_SCALE`.

        Args:
            agent_ids: One network each.
            architecture: Shape of each network.
            center: Subtracted from the observation [agent, feature].
            scale: What the difference is divided by [agent, feature]; sets the dtype.
            generator: Source of randomness, on the CPU.
        """
        super().__init__()
        self.agent_ids = tuple(agent_ids)
        self.architecture = architecture
        self.register_buffer("center", center)
        self.register_buffer("scale", scale)
        widths = architecture.widths
        weights, biases = [], []
        for layer, (n_in, n_out) in enumerate(pairwise(widths)):
            bound = math.sqrt(6.0 / (n_in + n_out))
            if layer == len(widths) - 2:
                bound *= LAST_LAYER_SCALE
            uniform = torch.rand(
                len(self.agent_ids), n_in, n_out, generator=generator, dtype=torch.float64
            )
            weights.append(nn.Parameter(((2.0 * uniform - 1.0) * bound).to(scale)))
            biases.append(nn.Parameter(scale.new_zeros(len(self.agent_ids), 1, n_out)))
        self.weights = nn.ParameterList(weights)
        self.biases = nn.ParameterList(biases)

    @classmethod
    def for_fleet(
        cls,
        fleet: Fleet,
        *,
        seed: int,
        architecture: Architecture | None = None,
        days: Days | None = None,
    ) -> IndependentPolicies:
        """Return untrained networks for a fleet, in its dtype.

        Args:
            fleet: Whose agents.
            seed: Of the weights.
            architecture: Shape of each network.
            days: Training days to normalise observations by; typical values if left out.
        """
        center, scale = (
            typical_normalisation(fleet) if days is None else measured_normalisation(fleet, days)
        )
        return cls(
            fleet.agent_ids,
            architecture=architecture or Architecture(),
            center=center,
            scale=scale,
            generator=torch.Generator().manual_seed(seed),
        )

    @property
    def n_agents(self) -> int:
        """Return the number of networks."""
        return len(self.agent_ids)

    def forward(self, obs: Observation) -> Action:
        """Return normalised actions in [-1, 1].

        Args:
            obs: Observations [..., agent, feature] in physical units.
        """
        leading = obs.shape[:-2]
        inputs = self.inputs(obs.reshape(-1, *obs.shape[-2:]))
        return self.evaluate(inputs, tuple(self.parameters())).t().reshape(*leading, -1)

    def inputs(self, obs: Observation, *, agents: slice | None = None) -> torch.Tensor:
        """Return the networks' inputs, [agent, sample, input].

        Args:
            obs: [sample, agent, feature], physical units.
            agents: The agents that `obs` holds, all by default.
        """
        part = agents if agents is not None else slice(None)
        return self._inputs(obs, part=part).transpose(0, 1)

    def part(self, agents: slice) -> tuple[torch.Tensor, ...]:
        """Return some agents' parameters as leaves of their own, for gradients agent by agent.

        They share memory with the parameters, in whose order they stand.
        """
        return tuple(
            parameter.detach()[agents].requires_grad_(parameter.requires_grad)
            for parameter in self.parameters()
        )

    @staticmethod
    def evaluate(inputs: torch.Tensor, parameters: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return actions, [agent, sample].

        Args:
            inputs: From `inputs`, [agent, sample, input].
            parameters: Of the same agents: all weights, then all biases, as `parameters()` yields.
        """
        hidden, half = inputs, len(parameters) // 2
        for weight, bias in zip(parameters[:half], parameters[half:], strict=True):
            hidden = torch.tanh(torch.baddbmm(bias, hidden, weight))
        return hidden.squeeze(-1)

    def for_agents(self, agent_ids: Sequence[str]) -> IndependentPolicies:
        """Return the networks of some agents, in the order given, with detached parameters."""
        position_of = {agent_id: i for i, agent_id in enumerate(self.agent_ids)}
        missing = [agent_id for agent_id in agent_ids if agent_id not in position_of]
        if missing:
            raise ScenarioError(
                f"Policy: no network for {len(missing)} of {len(agent_ids)} agents, first "
                f"{missing[0]!r}; it was trained for {self.n_agents} agents. "
                f"Use the population it was trained for, or train a new policy."
            )
        index = torch.tensor([position_of[a] for a in agent_ids], dtype=torch.int64)
        index = index.to(self.center.device)
        chosen = IndependentPolicies(
            agent_ids,
            architecture=self.architecture,
            center=self.center[index],
            scale=self.scale[index],
            generator=torch.Generator(),
        )
        chosen.load_state_dict({name: value[index] for name, value in self.state_dict().items()})
        return chosen.requires_grad_(False)

    def _inputs(self, obs: Observation, *, part: slice) -> torch.Tensor:
        """Return normalised features and the clock's harmonics [..., agent, input]."""
        features = (obs - self.center[part]) / self.scale[part]
        parts = [features]
        if not self.architecture.senses_voltage:
            parts = [features[..., :_VOLTAGE], features[..., _VOLTAGE + 1 :]]
        if self.architecture.clock_harmonics:
            angle = obs[..., INDEX["hour"], None] * (2.0 * math.pi / _HOURS_PER_DAY)
            order = torch.arange(
                1, self.architecture.clock_harmonics + 1, dtype=obs.dtype, device=obs.device
            )
            parts += [torch.sin(angle * order), torch.cos(angle * order)]
        return torch.cat(parts, dim=-1) if len(parts) > 1 else features


@final
class PolicyController:
    """Learned policies as a `Controller`: action to request by the fleet's device mapping."""

    def __init__(self, policy: IndependentPolicies, *, fleet: Fleet) -> None:
        """Join networks and fleet, which must list the same agents in the same order."""
        if policy.agent_ids != fleet.agent_ids:
            raise ScenarioError(
                f"Policy for {policy.n_agents} agents, fleet of {fleet.n_agents}: expected equal "
                f"ids in equal order. Call `policy.for_agents(fleet.agent_ids)` first."
            )
        self.policy = policy
        self.fleet = fleet

    def act(self, obs: Observation) -> AgentValues:
        """Return every agent's request, see `gradmap.controller.Controller` [kW]."""
        action: Action = self.policy(obs)
        return self.fleet.request_from_action(action)
