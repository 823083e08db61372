"""The network equations of a `Feeder` in plain numpy, without `gradmap.power_flow`.

Written straight from the docstrings of `gradmap.feeder`: slow, and independent of the solver.
"""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from gradmap.feeder import LoadModel


def stamped(blocks, *, n_nodes):
    """Sum of (nodes, matrix) blocks, ground dropped."""
    rows = np.concatenate([np.repeat(nodes, len(nodes)) for nodes, _ in blocks])
    columns = np.concatenate([np.tile(nodes, len(nodes)) for nodes, _ in blocks])
    values = np.concatenate([matrix.ravel() for _, matrix in blocks])
    size = (n_nodes + 1, n_nodes + 1)
    return sparse.coo_matrix((values, (rows, columns)), shape=size).tocsc()[:n_nodes, :n_nodes]


def incidences(feeder, tap_ratios=None):
    """C of every branch at tap ratios, the feeder's own if left out."""
    found = [branch.incidence.copy() for branch in feeder.branches]
    own = [regulator.tap_ratio for regulator in feeder.regulators]
    for regulator, ratio in zip(feeder.regulators, tap_ratios or own, strict=True):
        found[regulator.branch] += (1.0 / ratio - 1.0) * regulator.winding_incidence
    return found


def nodal_admittance(feeder, tap_ratios=None):
    """Y of branches, y_rest and sources."""
    blocks = [
        (b.nodes, c @ np.linalg.solve(b.z_series_ohm, c.T.astype(complex)) + b.y_shunt_s)
        for b, c in zip(feeder.branches, incidences(feeder, tap_ratios), strict=True)
    ]
    blocks += [(s.nodes, np.linalg.inv(s.z_ohm)) for s in feeder.sources]
    return stamped(blocks, n_nodes=feeder.n_nodes) + feeder.y_rest


class NodalAnalysis:
    """Modified nodal analysis: unknowns are node voltages, series and source currents."""

    def __init__(self, feeder, tap_ratios=None):
        self.feeder, self.n = feeder, feeder.n_nodes
        self.c = incidences(feeder, tap_ratios)
        shunts = [(b.nodes, b.y_shunt_s) for b in feeder.branches]
        y = stamped(shunts, n_nodes=self.n) + feeder.y_rest
        at_nodes = [(b.nodes, c) for b, c in zip(feeder.branches, self.c, strict=True)]
        # The current of a source flows into its nodes: v + Z j = E.
        at_nodes += [(s.nodes, -np.eye(len(s.nodes))) for s in feeder.sources]
        z = [b.z_series_ohm for b in feeder.branches] + [s.z_ohm for s in feeder.sources]
        sizes = [len(block) for block in z]
        a = sparse.lil_matrix((self.n + 1, sum(sizes)))
        for (nodes, c), first in zip(at_nodes, np.cumsum([0, *sizes]), strict=False):
            for node, row in zip(nodes, c, strict=True):
                for k in np.flatnonzero(row):
                    a[node, first + k] += row[k]
        a = a.tocsc()[: self.n]
        self.lu = splu(sparse.bmat([[y, a], [a.T, -sparse.block_diag(z)]], format="csc"))
        open_v = np.concatenate([s.v_open_v for s in feeder.sources])
        self.rhs = np.zeros(self.n + sum(sizes), dtype=complex)
        self.rhs[len(self.rhs) - len(open_v) :] = -open_v

    def solve(self, multiplier=1.0, *, n_iterations=400):
        """Voltages per unit after a fixed point, and all unknowns."""
        rows = self.feeder.connections
        base = self.feeder.nodes.kv_base * 1e3
        x = self.lu.solve(self.rhs)
        for _ in range(n_iterations):
            v = np.append(x[: self.n], 0.0)
            i = row_currents(rows, v[rows.nodes[:, 0]] - v[rows.nodes[:, 1]], multiplier)
            injected = np.zeros(self.n + 1, dtype=complex)
            np.add.at(injected, rows.nodes[:, 0], -i)
            np.add.at(injected, rows.nodes[:, 1], i)
            rhs = self.rhs.copy()
            rhs[: self.n] += injected[: self.n]
            last, x = x, self.lu.solve(rhs)
            if np.abs((x - last)[: self.n] / base).max() < 1e-12:
                break
        return x[: self.n] / base, x

    def branch_currents(self, x):
        """Current into every conductor of every branch."""
        v = np.append(x[: self.n], 0.0)
        ends = np.cumsum([self.n, *(c.shape[1] for c in self.c)])
        return [
            c @ x[first:last] + b.y_shunt_s @ v[b.nodes]
            for b, c, first, last in zip(
                self.feeder.branches, self.c, ends[:-1], ends[1:], strict=True
            )
        ]


def row_currents(rows, u, multiplier=1.0):
    """Current of every connection at the voltage across it."""
    v = np.maximum(np.abs(u) / (rows.kv_rated * 1e3), 1e-12)
    at_limit = np.clip(v, rows.v_min_pu, rows.v_max_pu)
    inside = (v > rows.v_min_pu) & (v <= rows.v_max_pu)
    below, lowest = v <= rows.v_min_pu, v <= rows.v_low_pu
    linear = rows.model == LoadModel.CONSTANT_IMPEDANCE

    def factor(which):
        g = _inside(rows, at_limit, which, inside=inside)
        i_low, i_min = rows.v_low_pu, g * rows.v_min_pu
        slope = (v - rows.v_low_pu) / (rows.v_min_pu - rows.v_low_pu)
        g = np.where(below, (i_low + slope * (i_min - i_low)) / v, g)
        return np.where(lowest | linear, 1.0, g)

    cut_pu = rows.zipv[:, 6]
    is_cut = (rows.model == LoadModel.ZIPV) & (cut_pu > 0.0) & ~lowest
    cut = np.where(is_cut, 0.5 * (1.0 + np.tanh(500.0 * (v - cut_pu))), 1.0)
    s_conj = rows.p_kw * factor(0) - 1j * rows.q_kvar * factor(1)
    return multiplier * cut * s_conj * 1e3 * u / (rows.kv_rated * 1e3) ** 2


def _inside(rows, v, which, *, inside):
    """g at voltages inside the limits; outside, models 4 and 8 are as models 1, 2 and 5 there."""
    model = rows.model
    exponent = np.where(inside, rows.exponents[:, which], 0.0) - 2.0
    z, c, p = rows.zipv[:, 3 * which : 3 * which + 3].T
    return np.select(
        [model == LoadModel.CONSTANT_CURRENT, model == LoadModel.ZIPV],
        [1.0 / v, z + c / v + p / v**2],
        v**exponent,
    )
