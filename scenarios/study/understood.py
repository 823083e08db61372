"""Controllers of homes that were understood in one way and are in another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch

from gradmap.baselines.no_control import NoControl
from gradmap.controller import Controller
from gradmap.devices.fleet import Fleet
from gradmap.observations import N_FEATURES
from gradmap.policies.independent import IndependentPolicies
from gradmap.types import AgentIndex, AgentValues, Observation


@final
class AsUnderstood:
    """Learned policies that know devices as they were understood, and act on them as they are.

    An action becomes a request by the device that was understood; the device that is there
    delivers what it can. A device nobody understood to be there runs by habit.
    """

    def __init__(self, policy: IndependentPolicies, *, understood: Fleet, actual: Fleet) -> None:
        """Match agents by name.

        Args:
            policy: Networks of the agents understood, and perhaps of others.
            understood: Devices as the controller takes them to be.
            actual: Devices as they are, whose observations come in.
        """
        self._policy = policy.for_agents(understood.agent_ids)
        self._understood, self._habits = understood, NoControl(actual)
        row_of = {agent_id: row for row, agent_id in enumerate(understood.agent_ids)}
        known = [k for k, agent_id in enumerate(actual.agent_ids) if agent_id in row_of]
        self._actual = torch.tensor(known, dtype=torch.int64)
        self._row = torch.tensor([row_of[actual.agent_ids[k]] for k in known], dtype=torch.int64)

    def act(self, obs: Observation) -> AgentValues:
        """Return every agent's request, see `gradmap.controller.Controller` [kW]."""
        seen = obs.new_zeros(*obs.shape[:-2], self._understood.n_agents, N_FEATURES)
        seen = seen.index_copy(-2, self._row, obs.index_select(-2, self._actual))
        request_kw = self._understood.request_from_action(self._policy(seen))
        return self._habits.act(obs).index_copy(
            -1, self._actual, request_kw.index_select(-1, self._row)
        )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Except:
    """One controller for everybody, except some agents, who have another."""

    usual: Controller
    other: Controller
    agents: AgentIndex
    """Who have the other."""

    def act(self, obs: Observation) -> AgentValues:
        """Return every agent's request, see `gradmap.controller.Controller` [kW]."""
        own = self.other.act(obs).index_select(-1, self.agents)
        return self.usual.act(obs).index_copy(-1, self.agents, own)
