"""Whose observations stand where in what the households publish."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from federates.component import Ids
from gradmap.errors import FederationError
from gradmap.observations import N_FEATURES


def rows_of_agents(agent_ids: Sequence[str], *, observed: Ids) -> NDArray[np.int64]:
    """Return every agent's row among the observations; homes may come in any order.

    Args:
        agent_ids: Whose rows.
        observed: Ids of the published observations, `<agent>/<feature>`, agent by agent.

    Raises:
        FederationError: Nobody observes an agent.
    """
    row = {ids.rpartition("/")[0]: index for index, ids in enumerate(observed[::N_FEATURES])}
    missing = [agent for agent in agent_ids if agent not in row]
    if missing:
        raise FederationError(
            f"Agent {missing[0]!r} is not observed by any `households` federate "
            f"({len(missing)} agents are missing). All must read the same population."
        )
    return np.array([row[agent] for agent in agent_ids], dtype=np.int64)
