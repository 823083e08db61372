"""A day's trajectory in both power flows, ours and OpenDSS's: limits, loadings, how far apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradmap.devices.fleet import Fleet
from gradmap.feeder import FloatArray
from gradmap.power_flow.branch_flows import branch_loading
from gradmap.rollout import Trajectory
from gradmap.violations import Limits, limited_nodes, node_vm_pu, rated_branches, solved_flows
from scenarios.case import Case
from scenarios.replay import replay_trajectory

VOLTAGE_TOLERANCE_PU = 1e-4
"""How far outside the limits OpenDSS may see a day that keeps them. [pu]"""
LOADING_TOLERANCE = 1e-3
"""The same of loadings. [-]"""


@dataclass(frozen=True, kw_only=True)
class NetworkCheck:
    """What both power flows say of a trajectory, over limited nodes and rated branches."""

    violation_pu: float
    """Largest distance outside the voltage limits by ours, negative inside. [pu]"""
    violation_opendss_pu: float
    voltage_difference_pu: float
    """Largest difference between the two magnitudes of a node's voltage. [pu]"""
    loading: float
    """Highest by ours, of the normal rating. [-]"""
    loading_opendss: float
    solved: bool
    """Whether both solved every step."""

    def keeps(self, limits: Limits, *, with_loading: bool) -> bool:
        """Return whether OpenDSS sees the limits kept, within the tolerances above."""
        loading_kept = self.loading_opendss <= limits.loading_max + LOADING_TOLERANCE
        voltage_kept = self.violation_opendss_pu <= VOLTAGE_TOLERANCE_PU
        return self.solved and voltage_kept and (loading_kept or not with_loading)


def check_network(case: Case, trajectory: Trajectory, *, fleet: Fleet) -> NetworkCheck:
    """Replay a trajectory in OpenDSS and compare.

    Args:
        case: Feeder, placement and limits.
        trajectory: With its power flows.
        fleet: Whose devices.

    Raises:
        ConvergenceError: OpenDSS does not solve a step.
    """
    replayed = replay_trajectory(case, trajectory, fleet=fleet)
    nodes = limited_nodes(case.feeder, exclude_buses=case.limits.exclude_buses).numpy()
    vm_pu: FloatArray = node_vm_pu(trajectory).numpy()[..., nodes]
    opendss_pu = replayed.vm_pu[..., nodes]
    rated = rated_branches(case.feeder).numpy()
    loading = branch_loading(solved_flows(trajectory)).numpy()[..., rated]
    solved = trajectory.status is None or bool((trajectory.status == 0).all())
    return NetworkCheck(
        violation_pu=_outside_pu(vm_pu, limits=case.limits),
        violation_opendss_pu=_outside_pu(opendss_pu, limits=case.limits),
        voltage_difference_pu=float(np.abs(vm_pu - opendss_pu).max()),
        loading=float(loading.max(initial=0.0)),
        # Series reactors have none in OpenDSS.
        loading_opendss=float(np.nanmax(replayed.loading[..., rated], initial=0.0)),
        solved=solved and bool((replayed.status == 0).all()),
    )


def _outside_pu(vm_pu: FloatArray, *, limits: Limits) -> float:
    """Return the largest distance outside the limits, negative inside. [pu]"""
    return float(np.maximum(limits.v_min_pu - vm_pu, vm_pu - limits.v_max_pu).max())
