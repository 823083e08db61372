"""The one protocol behind which rules, optimisers and learned policies control a fleet."""

from __future__ import annotations

from typing import Protocol

from gradmap.types import AgentValues, Observation


class Controller(Protocol):
    """Decides every agent's power from that agent's own observation only.

    Controllers keep no state of their own between steps: calls may come in any order, batched over
    days or time, or for a repeated step.
    """

    def act(self, obs: Observation) -> AgentValues:
        """Return the requested power of every agent, load convention [kW].

        Args:
            obs: Local observations [..., agent, feature] in physical units, features as in
                `gradmap.observations.FEATURES`, agents in the fleet's order.

        Returns:
            Requests [..., agent]; entry i depends on row i of `obs` alone. The device decides what
            of it is feasible.
        """
