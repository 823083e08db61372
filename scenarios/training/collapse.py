"""Before training: whether the feeder carries the homes at all."""

from __future__ import annotations

import torch

from gradmap.errors import ScenarioError
from gradmap.rollout import Rollout
from gradmap.violations import limited_nodes, node_vm_pu
from opendss_models.household_loads import HOUSEHOLD_V_MIN_PU
from scenarios.case import Case


@torch.no_grad()
def refuse_collapse(case: Case, rollout: Rollout) -> None:
    """Refuse a case whose voltages collapse on usual days when homes are left alone.

    Homes below 0.7 pu are impedances, as in OpenDSS, so that a power flow finds a solution that no
    grid has; what is learnt from it is worth nothing.

    Args:
        case: With its usual days.
        rollout: Of the case.

    Raises:
        ScenarioError: A voltage is below 0.7 pu, or a step has no solution.
    """
    controller = case.controller("no_control", fleet=rollout.fleet)
    trajectory = rollout.run(controller, case.history)
    nodes = limited_nodes(case.feeder, exclude_buses=case.limits.exclude_buses)
    lowest = float(node_vm_pu(trajectory)[..., nodes].min())
    n_unsolved = 0 if trajectory.status is None else int((trajectory.status != 0).sum())
    if n_unsolved or not lowest >= HOUSEHOLD_V_MIN_PU:
        steps = f", and {n_unsolved} steps have no solution" if n_unsolved else ""
        raise ScenarioError(
            f"Scenario {case.scenario.name!r}: the feeder collapses under its homes before anybody "
            f"controls anything: the lowest voltage of {case.history.n_days} usual days is "
            f"{lowest:.2f} pu, expected at least {HOUSEHOLD_V_MIN_PU} pu{steps}. Lower "
            f"`population.base_load_scale` or the number of homes, or raise `feeder.source_v_pu`."
        )
