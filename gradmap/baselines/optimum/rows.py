"""Linear limits that couple all agents: rows of network sensitivities at single steps."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradmap.baselines.optimum.model import DayModel
from gradmap.feeder import FloatArray, IndexArray


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkRows:
    """Limits to_p . P[step] + to_q . Q[step] <= limit on the agents' power at connections.

    In units in which 1 is a noticeable violation.
    """

    step: IndexArray
    """Step of each row, ascending, [row]."""
    to_p: FloatArray
    """[row, connection]. [1/kW]"""
    to_q: FloatArray
    """[row, connection]. [1/kvar]"""
    limit: FloatArray
    """[row]."""
    key: IndexArray
    """A number that names each row, by which a warm start finds it again, [row]."""

    def __len__(self) -> int:
        return len(self.step)

    @cached_property
    def steps(self) -> IndexArray:
        """Return the steps that have rows, ascending."""
        return np.unique(self.step)

    @cached_property
    def slices(self) -> list[slice]:
        """Return the rows of each of `steps`."""
        ends = [*np.searchsorted(self.step, self.steps), len(self.step)]
        return [slice(int(a), int(b)) for a, b in itertools.pairwise(ends)]

    def values(self, model: DayModel, p_kw: FloatArray) -> FloatArray:
        """Return the left-hand sides at agents' powers [time, agent]."""
        n_connections = self.to_p.shape[1]
        at_p = np.zeros((len(p_kw), n_connections))
        at_q = np.zeros_like(at_p)
        for t in self.steps:
            own = p_kw[t]
            at_p[t] = np.bincount(model.connection, own, minlength=n_connections)
            own = own * model.kvar_per_kw
            at_q[t] = np.bincount(model.connection, own, minlength=n_connections)
        p_part = np.einsum("rc,rc->r", self.to_p, at_p[self.step])
        q_part = np.einsum("rc,rc->r", self.to_q, at_q[self.step])
        total: FloatArray = p_part + q_part
        return total

    def prices(self, model: DayModel, duals: FloatArray) -> FloatArray:
        """Return what multipliers of the rows charge for power, [time, agent]."""
        prices = np.zeros((model.n_steps, model.n_agents))
        for t, rows in zip(self.steps, self.slices, strict=True):
            at_p = duals[rows] @ self.to_p[rows]
            at_q = duals[rows] @ self.to_q[rows]
            prices[t] = at_p[model.connection] + model.kvar_per_kw * at_q[model.connection]
        return prices

    def schur(self, responses: FloatArray) -> FloatArray:
        """Return A K A' for responses of `AgentSystems.responses(self.steps)`, [row, row]."""
        n_rows, n_connections = self.to_p.shape
        plain, once, twice = (part[:n_connections] for part in responses)
        # Only connections with agents have responses.
        to_p, to_q = (part[:, : len(plain)].T for part in (self.to_p, self.to_q))
        column = np.searchsorted(self.steps, self.step)
        found = np.empty((n_rows, n_rows))
        for position, rows in enumerate(self.slices):
            own = [part[:, position, column] for part in (plain, once, twice)]
            at_p = own[0] * to_p + own[1] * to_q
            at_q = own[1] * to_p + own[2] * to_q
            found[rows] = to_p[:, rows].T @ at_p + to_q[:, rows].T @ at_q
        return found


def no_rows(n_connections: int) -> NetworkRows:
    """Return no limit at all."""
    return NetworkRows(
        step=np.zeros(0, dtype=np.int64),
        to_p=np.zeros((0, n_connections)),
        to_q=np.zeros((0, n_connections)),
        limit=np.zeros(0),
        key=np.zeros(0, dtype=np.int64),
    )
