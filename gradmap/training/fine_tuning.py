"""Training some agents of a policy while the others stay as they are, to the last bit.

    trained = agents_to_train(parent, fleet, named=["h0001.battery"])
    fine_tuning = fine_tune(parent, fleet, trained=trained, days=pool, seed=0)
    Trainer(..., fine_tuning=fine_tuning)

The learners' networks are a small bank of their own: proximal steps and optimiser touch nothing
else. After every iteration their parameters are written into their rows of the whole bank, whose
other rows nobody writes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, cast, final

import torch
from torch import Tensor, nn

from gradmap.days import Days
from gradmap.devices.fleet import Fleet
from gradmap.errors import ScenarioError
from gradmap.policies.independent import IndependentPolicies
from gradmap.training.action_gradients import ActionGradients
from gradmap.types import Action, Observation, PerAgent


class Acting(Protocol):
    """What a rollout needs of policies."""

    def __call__(self, obs: Observation) -> Action:
        """Return everybody's normalised actions, see `IndependentPolicies.forward`."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield what may be trained."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FineTuning:
    """Policies to start from, and which of them are trained."""

    policy: IndependentPolicies
    """Of the whole fleet, in its order and dtype."""
    trained: tuple[int, ...]
    """Rows that are trained, ascending, at least one."""

    @property
    def trained_ids(self) -> tuple[str, ...]:
        """Return the ids of the agents that are trained."""
        return tuple(self.policy.agent_ids[row] for row in self.trained)

    @property
    def key(self) -> str:
        """Return a short hash of all tensors to start from and of who is trained."""
        digest = hashlib.sha256("\0".join((*self.policy.agent_ids, "", *self.trained_ids)).encode())
        for name, value in self.policy.state_dict().items():
            digest.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:12]

    def fresh_copy(self) -> IndependentPolicies:
        """Return the policies in tensors of their own, without gradients."""
        return self.policy.for_agents(self.policy.agent_ids)


def agents_to_train(
    parent: IndependentPolicies, fleet: Fleet, *, named: Sequence[str] = ()
) -> tuple[int, ...]:
    """Return the rows of a fleet to train: agents the parent does not know, and those named.

    Args:
        parent: The policies of before.
        fleet: Whose agents are now.
        named: Agents to train though the parent knows them, such as those whose devices changed.

    Raises:
        ScenarioError: An agent named is not in the fleet, or there is nobody to train.
    """
    unknown = [agent_id for agent_id in named if agent_id not in fleet.agent_ids]
    if unknown:
        raise ScenarioError(
            f"Fine-tuning: agent {unknown[0]!r} is not among the fleet's {fleet.n_agents} agents, "
            f"expected names such as {fleet.agent_ids[0]!r}. Correct the list of agents."
        )
    wanted = set(named) | (set(fleet.agent_ids) - set(parent.agent_ids))
    if not wanted:
        raise ScenarioError(
            f"Fine-tuning: the policy knows all {fleet.n_agents} agents, so there is nobody to "
            f"train. Name the agents whose devices have changed."
        )
    return tuple(row for row, agent_id in enumerate(fleet.agent_ids) if agent_id in wanted)


def fine_tune(
    parent: IndependentPolicies, fleet: Fleet, *, trained: Sequence[int], days: Days, seed: int
) -> FineTuning:
    """Return what to start from when a fleet has changed since its policies were trained.

    Agents that the parent does not know get untrained networks of its architecture. The others
    start from their networks and keep their normalisation: another one would make another function
    of the same weights. The parent's agents that are no longer there are left out.

    Args:
        parent: The policies of before.
        fleet: Whose agents are now; its dtype is the result's, exactly if the parent was trained
            in no wider one.
        trained: From `agents_to_train`.
        days: Training days to normalise new agents' observations by.
        seed: Of new agents' weights.
    """
    policy = IndependentPolicies.for_fleet(
        fleet, seed=seed, architecture=parent.architecture, days=days
    ).requires_grad_(False)
    old = set(parent.agent_ids)
    rows = [row for row, agent_id in enumerate(fleet.agent_ids) if agent_id in old]
    known = parent.for_agents([fleet.agent_ids[row] for row in rows])
    for mine, theirs in zip(policy.state_dict().values(), known.state_dict().values(), strict=True):
        mine[rows] = theirs.to(mine)
    return FineTuning(policy=policy, trained=tuple(trained))


@final
class Learners:
    """The agents of a bank that are trained: all, or some whose networks are a bank of their own.

    Attributes:
        networks: Theirs; the whole bank itself when all are trained.
    """

    def __init__(self, policy: IndependentPolicies, *, trained: Sequence[int] | None) -> None:
        """Take the learners' networks out of a bank.

        Args:
            policy: Everybody's.
            trained: Rows, or None for all.
        """
        self._policy = policy
        self._index: Tensor | None = None
        self.networks = policy
        if trained is not None:
            self._index = torch.tensor(trained, dtype=torch.int64, device=policy.center.device)
            ids = [policy.agent_ids[row] for row in trained]
            self.networks = policy.for_agents(ids).requires_grad_(True)
            policy.requires_grad_(False)

    @property
    def n_agents(self) -> int:
        """Return how many there are."""
        return self.networks.n_agents

    @property
    def acting(self) -> Acting:
        """Return everybody's policies; only the learners' have parameters that get gradients."""
        if self._index is None:
            return cast(Acting, self._policy)
        return _Mixed(self._policy, learners=self.networks, index=self._index)

    @torch.no_grad()
    def in_place_of(self, parameters: Sequence[Tensor]) -> IndependentPolicies:
        """Return a copy of the whole bank in which the learners have other parameters.

        Args:
            parameters: The learners', in the order of `networks.parameters()`.
        """
        whole = self._policy.for_agents(self._policy.agent_ids)
        for mine, theirs in zip(whole.parameters(), parameters, strict=True):
            if self._index is None:
                mine.copy_(theirs)
            else:
                mine.index_copy_(0, self._index, theirs)
        return whole

    def of(self, kept: ActionGradients) -> ActionGradients:
        """Return what was kept of the learners."""
        return kept if self._index is None else kept.of_agents(self._index)

    def spread(self, values: PerAgent) -> PerAgent:
        """Return values of the learners, [learner], as everybody's, [agent], 0 for the others."""
        if self._index is None:
            return values
        whole = values.new_zeros(self._policy.n_agents)
        return whole.index_copy(0, self._index, values)

    @torch.no_grad()
    def write_back(self) -> None:
        """Put the learners' parameters into the whole bank; other rows are not touched."""
        if self._index is not None:
            pairs = zip(self._policy.parameters(), self.networks.parameters(), strict=True)
            for whole, mine in pairs:
                whole.index_copy_(0, self._index, mine)

    @torch.no_grad()
    def read_back(self) -> None:
        """Take the learners' parameters out of the whole bank again, after it was loaded."""
        if self._index is not None:
            pairs = zip(self._policy.parameters(), self.networks.parameters(), strict=True)
            for whole, mine in pairs:
                mine.copy_(whole[self._index])


class _Mixed:
    """A bank in which some rows' networks stand elsewhere."""

    def __init__(
        self, policy: IndependentPolicies, *, learners: IndependentPolicies, index: Tensor
    ) -> None:
        self._policy, self._learners, self._index = policy, learners, index

    def __call__(self, obs: Observation) -> Action:
        """Return everybody's actions.

        Who does not sense voltage observes nothing that others move, so that the frozen networks,
        most of the work, need no graph.
        """
        with torch.set_grad_enabled(
            torch.is_grad_enabled() and self._policy.architecture.senses_voltage
        ):
            action = self._policy(obs)
        learnt = self._learners(obs.index_select(-2, self._index))
        return cast(Action, action.index_copy(-1, self._index, learnt))

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield the learners' parameters."""
        return self._learners.parameters()
