"""Network limits as linear rows around a trajectory, and which of them are worth having.

A day has tens of thousands of node-times and two limits each; a few hundred bind. Rows are taken
where a limit is near or exceeded, the worst of each phase and step first, and kept from then on
(constraint generation).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gradmap.baselines.optimum.model import DayModel
from gradmap.baselines.optimum.rows import NetworkRows
from gradmap.feeder import Feeder, FloatArray, IndexArray
from gradmap.power_flow.branch_flows import branch_currents_a
from gradmap.power_flow.sensitivities import (
    Sensitivities,
    current_sensitivities,
    voltage_sensitivities,
)
from gradmap.rollout import Trajectory
from gradmap.violations import VOLTAGE_SCALE_PU, Limits, limited_nodes, solved_flows

LOADING_SCALE = 0.01
"""Loading that counts like 0.01 pu of voltage: a unit of a row. [-]"""
HIGH, LOW, LOADING = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class RowSettings:
    """Which rows are taken; a unit is 0.01 pu of voltage or 1 % of a rating."""

    near: float = 0.2
    """A limit that is as near counts as exceeded. [unit]"""
    worst: int = 2
    """Rows taken for each phase, step and kind of limit at a time."""
    back_off: float = 1e-4
    """By how much limits are tightened, so that what the linearisation leaves stays inside."""


class NetworkLimits:
    """All limits of a day's network, in one fixed order of candidates.

    Attributes:
        names: What each candidate limits, such as "83.1 high".
    """

    def __init__(
        self, feeder: Feeder, *, limits: Limits, with_loading: bool, settings: RowSettings
    ) -> None:
        """List nodes, and with `with_loading` the rated phase conductors of branches."""
        self._limits, self.settings = limits, settings
        self._nodes = limited_nodes(feeder, exclude_buses=limits.exclude_buses)
        names = [feeder.nodes.node_ids[node] for node in self._nodes.tolist()]
        phases = [name.rpartition(".")[2] for name in names]
        conductors, owners, ratings, branch_phases = _rated_conductors(feeder)
        if not with_loading:
            conductors, owners, ratings, branch_phases = [], [], [], []
        self._conductors = torch.tensor(conductors, dtype=torch.int64)
        self._rating_a = np.array(ratings)
        self.names = (*(f"{n} high" for n in names), *(f"{n} low" for n in names), *owners)
        n = len(names)
        self._kind = np.repeat([HIGH, LOW, LOADING], [n, n, len(conductors)])
        groups = [
            f"{kind} {phase}"
            for kind, phase in zip(self._kind, [*phases, *phases, *branch_phases], strict=True)
        ]
        self._group = np.unique(groups, return_inverse=True)[1]

    def excess(self, trajectory: Trajectory) -> FloatArray:
        """Return by how much each candidate is exceeded, [time, candidate]. [unit]"""
        solution = solved_flows(trajectory)
        vm = _numpy(solution.node_v_pu().detach().abs()[:, self._nodes])
        high = (vm - self._limits.v_max_pu) / VOLTAGE_SCALE_PU
        low = (self._limits.v_min_pu - vm) / VOLTAGE_SCALE_PU
        if not len(self._conductors):
            return np.hstack([high, low])
        current = _numpy(branch_currents_a(solution).detach().abs()[:, self._conductors])
        loading = (current / self._rating_a - self._limits.loading_max) / LOADING_SCALE
        return np.hstack([high, low, loading])

    def worst_voltage_pu(self, excess: FloatArray) -> float:
        """Return the largest distance outside the voltage limits, negative inside. [pu]"""
        return VOLTAGE_SCALE_PU * float(excess[:, self._kind != LOADING].max())

    def keys(self, excess: FloatArray) -> IndexArray:
        """Return the rows worth adding, as positions in the flattened excess."""
        found = [np.zeros(0, dtype=np.int64)]
        for group in np.unique(self._group):
            own = np.flatnonzero(self._group == group)
            worst = np.argsort(-excess[:, own], axis=1)[:, : self.settings.worst]
            step = np.broadcast_to(np.arange(len(excess))[:, None], worst.shape)
            candidate = own[worst]
            taken = excess[step, candidate] > -self.settings.near
            found.append(np.ravel_multi_index((step[taken], candidate[taken]), excess.shape))
        return np.concatenate(found)

    def rows(self, trajectory: Trajectory, keys: IndexArray, *, model: DayModel) -> NetworkRows:
        """Return rows around a trajectory, on the powers that are requested.

        Devices may deliver a few watts less or more, where the program's bounds leave a margin
        (`device_parts`). Around what they delivered, the same difference would return in every
        trajectory and rows be exceeded by it however short the steps.

        Args:
            trajectory: One day with its power flows.
            keys: Which rows, ascending.
            model: Where the agents are.
        """
        excess = self.excess(trajectory)
        step, candidate = np.unravel_index(keys, excess.shape)
        at_p = np.empty((len(keys), trajectory.connection_p_kw.shape[-1]))
        at_q = np.empty_like(at_p)
        n_nodes = len(self._nodes)
        for kind in (HIGH, LOW, LOADING):
            own = np.flatnonzero(self._kind[candidate] == kind)
            if len(own):
                row = candidate[own] - (0, n_nodes, 2 * n_nodes)[kind]
                to_p, to_q, unit = self._sensitivities(trajectory, kind, row=row, step=step[own])
                at_p[own], at_q[own] = to_p / unit, to_q / unit
        here = NetworkRows(
            step=step,
            to_p=at_p,
            to_q=at_q,
            limit=-(excess[step, candidate] + self.settings.back_off),
            key=keys,
        )
        now = here.values(model, _numpy(trajectory.request_kw[0].detach()))
        return replace(here, limit=here.limit + now)

    def _sensitivities(
        self, trajectory: Trajectory, kind: int, *, row: IndexArray, step: IndexArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return derivatives to P and to Q, each [row, connection], and a row's unit, [row, 1]."""
        columns, column = np.unique(row, return_inverse=True)
        steps, sample = np.unique(step, return_inverse=True)
        solution, samples = solved_flows(trajectory), torch.from_numpy(steps)
        p_kw, q_kvar = trajectory.connection_p_kw[0], trajectory.connection_q_kvar[0]
        found: Sensitivities
        if kind == LOADING:
            found = current_sensitivities(
                solution,
                p_kw=p_kw,
                q_kvar=q_kvar,
                conductors=self._conductors[torch.from_numpy(columns)],
                samples=samples,
            )
            unit = LOADING_SCALE * self._rating_a[row]
        else:
            nodes = self._nodes[torch.from_numpy(columns)]
            found = voltage_sensitivities(
                solution, p_kw=p_kw, q_kvar=q_kvar, nodes=nodes, samples=samples
            )
            unit = np.full(len(row), VOLTAGE_SCALE_PU if kind == HIGH else -VOLTAGE_SCALE_PU)
        at = (sample, column)
        return _numpy(found.to_p)[at], _numpy(found.to_q)[at], unit[:, None]


def _numpy(values: Tensor) -> FloatArray:
    found: FloatArray = values.double().cpu().numpy()
    return found


def _rated_conductors(feeder: Feeder) -> tuple[list[int], list[str], list[float], list[str]]:
    """Return position, name, rating and phase of the conductors that `branch_loading` counts."""
    positions, names, ratings, phases = [], [], [], []
    first = 0
    for branch in feeder.branches:
        if branch.normal_amps > 0.0:
            for conductor in range(branch.n_phases):
                node = branch.nodes[conductor]
                phase = "-"
                if node < feeder.n_nodes:
                    phase = feeder.nodes.node_ids[node].rpartition(".")[2]
                positions.append(first + conductor)
                names.append(f"{branch.branch_id} phase {phase}")
                ratings.append(branch.normal_amps)
                phases.append(phase)
        first += len(branch.nodes)
    return positions, names, ratings, phases
