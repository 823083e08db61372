"""A bank of independent per-agent networks in stacked tensors: nothing is shared between agents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, assert_never, final

import torch
from torch import nn

from gradmap.devices.battery import Battery
from gradmap.devices.ev_charger import EvCharger
from gradmap.devices.fleet import Fleet
from gradmap.devices.generator import Generator
from gradmap.devices.heat_pump import HeatPump
from gradmap.errors import ScenarioError
from gradmap.observations import FEATURES, INDEX, N_FEATURES
from gradmap.types import Action, AgentValues, Observation

LAST_LAYER_SCALE: Final = 0.1
"""Untrained policies start close to the middle of the action range, where power flow converges."""
_HOURS_PER_DAY = 24.0

_TYPICAL: Final = {
    "hour": (12.0, 7.0),
    "price_import_per_kwh": (0.25, 0.10),
    "price_export_per_kwh": (0.10, 0.10),
    "temp_out_c": (10.0, 10.0),
    "base_load_kw": (0.5, 0.5),
    "pv_kw": (1.0, 1.5),
    "v_pu": (1.0, 0.03),
    "state": (0.0, 1.0),
    "plugged_in": (0.5, 0.5),
    "departure_h": (6.0, 6.0),
    "day_of_week": (3.0, 2.0),
}
"""Centre and scale of each feature, in its physical unit; `state` is set per device kind."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Shape of every agent's network."""

    hidden: tuple[int, ...] = (32, 32)
    """Widths of the hidden tanh layers."""
    clock_harmonics: int = 2
    """Sine and cosine of the hour with 24, 24/2, ... h period, added to the features."""

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
        return (N_FEATURES + 2 * self.clock_harmonics, *self.hidden, 1)


def typical_normalisation(fleet: Fleet) -> tuple[torch.Tensor, torch.Tensor]:
    """Return centre and scale [agent, feature] that bring observations to order one.

    Fixed constants rather than running statistics, so that a policy is a fixed function of its
    observation. Only `state` depends on the agent: half charge for batteries and vehicles, the
    thermostat setting for heat pumps, half output for generators.
    """
    dtype = fleet.initial_state().dtype
    device = fleet.household_index.device
    rows = torch.tensor([_TYPICAL[name] for name in FEATURES], dtype=dtype, device=device)
    center = rows[:, 0].repeat(fleet.n_agents, 1)
    scale = rows[:, 1].repeat(fleet.n_agents, 1)
    state = INDEX["state"]
    for group in fleet.groups:
        match group.device:
            case HeatPump(params=homes):
                center[group.index, state] = homes.temp_set_c
                scale[group.index, state] = 2.0
            case Generator(params=engines):
                center[group.index, state] = -0.5 * engines.p_max_kw
                scale[group.index, state] = 0.5 * engines.p_max_kw
            case Battery() | EvCharger():
                center[group.index, state] = 0.5
                scale[group.index, state] = 0.3
            case unknown:
                assert_never(unknown)
    return center, scale


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
        cls, fleet: Fleet, *, seed: int, architecture: Architecture | None = None
    ) -> IndependentPolicies:
        """Return untrained networks for a fleet, in its dtype, with typical normalisation."""
        center, scale = typical_normalisation(fleet)
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

    def forward(self, obs: Observation, *, agents: slice | None = None) -> Action:
        """Return normalised actions in [-1, 1].

        Args:
            obs: Observations [..., agent, feature] in physical units.
            agents: The agents that `obs` holds, all by default. Chunks that fit the cache are about
                twice as fast on a CPU for hundreds of samples per agent.
        """
        part = agents if agents is not None else slice(None)
        inputs = self._inputs(obs, part=part)
        leading = inputs.shape[:-2]
        hidden = inputs.reshape(-1, *inputs.shape[-2:]).transpose(0, 1)
        for weight, bias in zip(self.weights, self.biases, strict=True):
            hidden = torch.tanh(torch.baddbmm(bias[part], hidden, weight[part]))
        return hidden.squeeze(-1).transpose(0, 1).reshape(*leading, -1)

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
        if self.architecture.clock_harmonics == 0:
            return features
        angle = obs[..., INDEX["hour"], None] * (2.0 * math.pi / _HOURS_PER_DAY)
        order = torch.arange(
            1, self.architecture.clock_harmonics + 1, dtype=obs.dtype, device=obs.device
        )
        return torch.cat([features, torch.sin(angle * order), torch.cos(angle * order)], dim=-1)


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
