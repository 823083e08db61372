"""The unit of cost in training: what a usual day costs when nobody controls anything."""

from __future__ import annotations

import torch

from gradmap.costs import trajectory_cost
from gradmap.errors import ScenarioError
from gradmap.rollout import Rollout
from scenarios.case import Case


@torch.no_grad()
def nominal_cost(case: Case, rollout: Rollout) -> float:
    """Return the mean cost of the case's usual days without control. [cur]

    Args:
        case: With its usual days.
        rollout: Of the case.

    Raises:
        ScenarioError: They cost nothing, so there is no unit.
    """
    controller = case.controller("no_control", fleet=rollout.fleet)
    trajectory = rollout.run(controller, case.history, power_flow=False)
    cost = trajectory_cost(rollout.fleet, trajectory).total.sum(dim=1).abs().mean().item()
    if cost <= 0.0:
        raise ScenarioError(
            f"Scenario {case.scenario.name!r}: its devices cost nothing on usual days, so there is "
            f"no unit to weigh violations by. Set prices in `tariff`."
        )
    return cost
