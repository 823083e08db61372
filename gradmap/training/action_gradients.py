"""What is kept of a look at the environment: no graph, only what proximal steps need."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gradmap.training.network_response import NetworkResponse


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
    network: NetworkResponse | None = None
    """How voltages would answer to all agents' steps together; None leaves that out."""

    def of_agents(self, index: Tensor) -> ActionGradients:
        """Return what was kept of some agents, in the order of their rows `index`."""
        return ActionGradients(
            observation=self.observation.index_select(1, index),
            action=self.action.index_select(1, index),
            noise=None if self.noise is None else self.noise.index_select(1, index),
            gradient=self.gradient.index_select(1, index),
            network=None if self.network is None else self.network.of_agents(index),
        )
