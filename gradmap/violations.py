"""How far trajectories are outside the limits, as tensors to train on.

They keep their sign (negative inside the limits) and are scaled, so that one multiplier means
about the same everywhere: voltages in steps of 0.01 pu, loadings in ratings, devices in ratings.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from gradmap.devices.fleet import Fleet
from gradmap.errors import FeederError
from gradmap.feeder import Feeder
from gradmap.power_flow.branch_flows import branch_loading
from gradmap.power_flow.solver import Solution
from gradmap.rollout import Trajectory
from gradmap.types import AgentSeries

VOLTAGE_SCALE_PU: Final = 0.01


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What counts as a violation."""

    v_min_pu: float = 0.95
    v_max_pu: float = 1.05
    loading_max: float = 1.0
    """Of the normal rating. [-]"""
    exclude_buses: tuple[str, ...] = ()
    """Left out of the voltage limits, beside floating and dead ones."""

    def __post_init__(self) -> None:
        """Refuse an empty band."""
        if not (0.0 < self.v_min_pu < self.v_max_pu and self.loading_max > 0.0):
            raise ValueError(
                f"Limits: voltages [{self.v_min_pu}, {self.v_max_pu}] and loading "
                f"{self.loading_max}; expected 0 < v_min_pu < v_max_pu and a positive loading."
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Violations:
    """Scaled violations of a trajectory, positive where violated, differentiable."""

    voltage_low: Tensor
    """(v_min - |v|) / 0.01 pu, [day, time, limited node]. [-]"""
    voltage_high: Tensor
    """(|v| - v_max) / 0.01 pu, [day, time, limited node]. [-]"""
    loading: Tensor
    """Loading - its limit, [day, time, rated branch]. [-]"""
    device: AgentSeries
    """|request - delivered| over the width of the action range, [day, time, agent]. [-]"""


def limited_nodes(feeder: Feeder, *, exclude_buses: Collection[str] = ()) -> Tensor:
    """Return the nodes that have voltage limits, int64: grounded, energised, not excluded."""
    nodes = feeder.nodes
    buses = [name.rpartition(".")[0] for name in nodes.node_ids]
    excluded = {name.lower() for name in exclude_buses}
    unknown = sorted(excluded - set(buses))
    if unknown:
        raise FeederError(
            f"Feeder {feeder.name!r}: no bus {unknown[0]!r} to exclude from the voltage limits; "
            f"correct `limits.exclude_buses`."
        )
    kept = nodes.grounded & nodes.energised & np.array([bus not in excluded for bus in buses])
    return torch.from_numpy(np.flatnonzero(kept))


def rated_branches(feeder: Feeder) -> Tensor:
    """Return the branches that have a rating, int64."""
    rated = [row for row, branch in enumerate(feeder.branches) if branch.normal_amps > 0]
    return torch.tensor(rated, dtype=torch.int64)


def violations(
    trajectory: Trajectory, *, fleet: Fleet, limits: Limits, with_loading: bool = True
) -> Violations:
    """Return all scaled violations of a trajectory whose power flows were solved.

    Samples without solution (`trajectory.status`) hold numbers of no use; mask them.

    Args:
        trajectory: With its solution.
        fleet: Whose devices.
        limits: What counts.
        with_loading: Evaluate branches, which costs as much as the voltages; else no columns.
    """
    solution = solved_flows(trajectory)
    nodes = limited_nodes(solution.flow.feeder, exclude_buses=limits.exclude_buses)
    vm_pu = node_vm_pu(trajectory).index_select(-1, nodes.to(solution.flow.device))
    low_kw, high_kw = fleet.action_range_kw()
    return Violations(
        voltage_low=(limits.v_min_pu - vm_pu) / VOLTAGE_SCALE_PU,
        voltage_high=(vm_pu - limits.v_max_pu) / VOLTAGE_SCALE_PU,
        loading=excess_loading(trajectory, limits=limits) if with_loading else vm_pu[..., :0],
        device=trajectory.violation_kw / (high_kw - low_kw),
    )


def solved_flows(trajectory: Trajectory) -> Solution:
    """Return a trajectory's power flows, which it must have."""
    if trajectory.solution is None:
        raise ValueError(
            "Trajectory without power flows: expected a solution. Roll out with `power_flow=True`."
        )
    return trajectory.solution


def node_vm_pu(trajectory: Trajectory) -> Tensor:
    """Return the voltage magnitude of every node, [day, time, node]. [pu]"""
    return trajectory.by_day(solved_flows(trajectory).node_v_pu().abs())


def excess_loading(trajectory: Trajectory, *, limits: Limits) -> Tensor:
    """Return loading over its limit of rated branches, [day, time, branch] [-]."""
    solution = solved_flows(trajectory)
    rated = rated_branches(solution.flow.feeder).to(solution.flow.device)
    loading = branch_loading(solution).index_select(-1, rated)
    return trajectory.by_day(loading) - limits.loading_max
