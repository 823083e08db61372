"""What flows through lines, transformers and sources at a solution: currents, loading, losses.

Everything is a linear map of the solution's state (`network`), or a quadratic form of such, so it
is differentiable. Currents never come from differences of node voltages: across a switch or a
regulator those differ in the eighth digit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from gradmap.feeder import Feeder
from gradmap.power_flow.solver import Solution


def branch_currents_a(solution: Solution) -> Tensor:
    """Return the currents into all conductors of all branches, complex [batch, conductor]. [A]

    The order is that of `feeder.branches`, within a branch that of its `nodes`.
    """
    return solution.evaluate("conductor_currents")


def branch_loading(solution: Solution) -> Tensor:
    """Return the largest phase current at each branch's first terminal over its rating.

    [batch, branch], a fraction; 0 where the feeder gives no rating. As OpenDSS counts it: neutral
    conductors and the other terminals do not matter.
    """
    index = _index(solution)
    magnitude = branch_currents_a(solution).abs()
    padded = torch.nn.functional.pad(magnitude, (0, 1))[:, index.first_terminal]
    return padded.amax(dim=2) * index.inverse_rating


def head_power(solution: Solution) -> tuple[Tensor, Tensor]:
    """Return active and reactive power of the sources into the feeder, each [batch, conductor].

    One column for each conductor of `feeder.sources`, in their order. [kW], [kvar]
    """
    index = _index(solution)
    kv = solution.node_v_pu()[:, index.source_nodes] * index.source_kv_base
    s_kva = kv * solution.evaluate("source_currents").conj()
    return s_kva.real, s_kva.imag


def losses(solution: Solution) -> tuple[Tensor, Tensor]:
    """Return active and reactive losses of all branches, each [batch]. [kW], [kvar]

    The sum of j' Z j over the series parts and of v' Y v over the shunt parts: no difference of
    large powers, so it holds in float32 too. Capacitors and reactors to ground do not count.
    """
    index = _index(solution)
    j = torch.nn.functional.pad(solution.evaluate("series_currents"), (0, 1))[:, index.series]
    series_va = (torch.einsum("bmn,sbn->sbm", index.z_series, j) * j.conj()).sum(dim=(1, 2))
    v = solution.node_v_pu()
    shunt_va = (v[:, index.shunt_rows] * v[:, index.shunt_columns].conj() * index.y_shunt).sum(
        dim=1
    )
    total_kva = 1e-3 * (series_va + shunt_va)
    return total_kva.real, total_kva.imag


@dataclass(frozen=True, kw_only=True)
class BranchIndex:
    """Positions and constants of a feeder's branches and sources, as tensors.

    Index arrays are padded with the number after the last valid one.
    """

    first_terminal: Tensor
    """Phase conductors of each branch's first terminal, [branch, widest]."""
    inverse_rating: Tensor
    """[branch]. [1/A]"""
    series: Tensor
    """Series currents of each branch, [branch, most parts]."""
    z_series: Tensor
    """Their impedances, [branch, most parts, most parts]."""
    shunt_rows: Tensor
    """Node of each entry of the summed shunt admittances, [entry]."""
    shunt_columns: Tensor
    y_shunt: Tensor
    """Conjugate entries times the two base voltages, [entry]. [VA]"""
    source_nodes: Tensor
    source_kv_base: Tensor


def _index(solution: Solution) -> BranchIndex:
    """Return the index of a solution's feeder, made once for each power flow."""
    return solution.flow.once("branch_index", lambda: _make_index(solution))


def _make_index(solution: Solution) -> BranchIndex:
    flow, feeder = solution.flow, solution.flow.feeder
    complex_dtype = flow.dtype.to_complex()
    n_parts = max(branch.incidence.shape[1] for branch in feeder.branches)
    z_series = np.zeros((len(feeder.branches), n_parts, n_parts), dtype=np.complex128)
    for row, branch in enumerate(feeder.branches):
        m = branch.incidence.shape[1]
        z_series[row, :m, :m] = branch.z_series_ohm
    conductors = [branch.n_phases for branch in feeder.branches]
    all_conductors = [len(branch.nodes) for branch in feeder.branches]
    rating = np.array([branch.normal_amps for branch in feeder.branches])
    shunt = _summed_shunts(feeder)
    base_v = 1e3 * feeder.nodes.kv_base
    y_shunt = np.conj(shunt.data) * base_v[shunt.row] * base_v[shunt.col]
    source_nodes = np.concatenate([source.nodes for source in feeder.sources])

    def real(values: object) -> Tensor:
        return torch.tensor(values, dtype=flow.dtype, device=flow.device)

    def whole(values: object) -> Tensor:
        return torch.tensor(values, dtype=torch.int64, device=flow.device)

    return BranchIndex(
        first_terminal=whole(_padded(conductors, every=all_conductors)),
        inverse_rating=real(np.divide(1.0, rating, out=np.zeros_like(rating), where=rating > 0)),
        series=whole(_padded([b.incidence.shape[1] for b in feeder.branches])),
        z_series=torch.tensor(z_series, dtype=complex_dtype, device=flow.device),
        shunt_rows=whole(shunt.row),
        shunt_columns=whole(shunt.col),
        y_shunt=torch.tensor(y_shunt, dtype=complex_dtype, device=flow.device),
        source_nodes=whole(source_nodes),
        source_kv_base=real(feeder.nodes.kv_base[source_nodes]),
    )


def _padded(counts: list[int], *, every: list[int] | None = None) -> np.ndarray[tuple[int, int]]:
    """Return the first `counts` positions of consecutive groups of sizes `every`, padded."""
    sizes = counts if every is None else every
    starts = np.cumsum([0, *sizes])
    table = np.full((len(counts), max(counts)), starts[-1])
    for row, (start, count) in enumerate(zip(starts[:-1], counts, strict=True)):
        table[row, :count] = np.arange(start, start + count)
    return table


def _summed_shunts(feeder: Feeder) -> sparse.coo_matrix:
    """Return the shunt admittances of all branches by node, [node, node]. [S]"""
    n = feeder.n_nodes
    rows, columns, values = [], [], []
    for branch in feeder.branches:
        row_grid, column_grid = np.meshgrid(branch.nodes, branch.nodes, indexing="ij")
        keep = (row_grid != n) & (column_grid != n) & (branch.y_shunt_s != 0)
        rows.append(row_grid[keep])
        columns.append(column_grid[keep])
        values.append(branch.y_shunt_s[keep])
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    summed = sparse.coo_matrix(entries, shape=(n, n))
    summed.sum_duplicates()
    return summed
