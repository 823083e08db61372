"""Cutting a feeder into areas changes the time of a solve, not its results."""

import numpy as np
import pytest
import torch

from gradmap.power_flow.areas import N_AREAS, feeder_areas
from gradmap.power_flow.block_low_rank import EVERYWHERE, NOWHERE, block_low_rank
from gradmap.power_flow.solver import PowerFlow, SolverSettings
from tests.power_flow.circuits import loadings, tap_draws

CPU = torch.device("cpu")
EXACT = SolverSettings(tolerance_pu=1e-14, max_iterations=80)


def _chain(n_areas=4, size=40, rank=2, seed=0):
    """A map with one column for all, some for none, and a low rank between areas."""
    rng = np.random.default_rng(seed)
    of_columns = np.repeat([*range(n_areas), EVERYWHERE, NOWHERE], [*[size] * n_areas, 1, 3])
    of_rows = rng.permutation(np.repeat(np.arange(n_areas), size)).repeat(2)
    n_columns, n_rows = len(of_columns), len(of_rows)
    matrix = rng.normal(size=(n_columns, rank)) @ rng.normal(size=(rank, n_rows))
    own = of_columns[:, None] == of_rows
    matrix += np.where(own, rng.normal(size=matrix.shape), 0.0)
    matrix *= 10.0 ** rng.uniform(-6, 0, (n_columns, 1))  # units differ
    return matrix, of_columns, of_rows


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-13), (torch.float32, 1e-5)])
def test_products_equal_the_dense_ones(dtype, tolerance):
    matrix, of_columns, of_rows = _chain()
    cut = block_low_rank(matrix, areas=[(of_columns, of_rows)], dtype=dtype, device=CPU)
    assert cut.dense is None
    assert (cut.n_columns, cut.n_rows) == matrix.shape
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(len(matrix), 7)), rng.normal(size=(7, matrix.shape[1]))
    wide = torch.tensor(np.hstack([x, x]), dtype=dtype)[:, :7]  # columns of a larger batch
    rows = torch.empty(7, cut.n_rows, dtype=dtype)
    cut.rows(wide, out=rows)
    back = torch.empty(len(matrix), 14, dtype=dtype)[:, 7:]
    cut.rows_transposed(torch.tensor(y, dtype=dtype), out=back)
    scale = np.abs(matrix).max(axis=1)
    for found, exact, size in (
        (rows, x.T @ matrix, np.abs(x.T * scale).sum(axis=1)[:, None]),
        (cut.columns(wide), matrix.T @ x, np.abs(x.T * scale).sum(axis=1)),
        (back, matrix @ y.T, scale[:, None] * np.abs(y).sum(axis=1)),
    ):
        assert (np.abs(found.double().numpy() - exact) / size).max() <= tolerance


def test_a_map_without_structure_stays_dense():
    _, of_columns, of_rows = _chain()
    matrix = np.random.default_rng(2).normal(size=(len(of_columns), len(of_rows)))
    whole = block_low_rank(matrix, areas=[(of_columns, of_rows)], dtype=torch.float64, device=CPU)
    assert whole.dense is not None
    assert (whole.n_columns, whole.n_rows) == matrix.shape


def test_the_cheapest_cut_is_taken():
    matrix, of_columns, of_rows = _chain()
    coarse = (np.where(of_columns > 0, 1, of_columns), np.minimum(of_rows, 1))
    cut = block_low_rank(
        matrix, areas=[coarse, (of_columns, of_rows)], dtype=torch.float64, device=CPU
    )
    assert len(cut.blocks) == 4


def test_the_ieee123_is_cut_and_a_small_feeder_is_not(ieee123, small):
    for feeder, is_cut in ((ieee123, True), (small, False)):
        output = PowerFlow(feeder).output("node_voltages", with_regulators=False)
        assert (output.dense is None) == is_cut


@pytest.mark.parametrize("n_areas", N_AREAS)
def test_areas_hold_everything_once_and_keep_phases_together(ieee123, n_areas):
    areas = feeder_areas(ieee123, n_areas=n_areas)
    assert len(areas.of_nodes) == ieee123.n_nodes
    assert len(np.unique(areas.of_nodes)) > n_areas // 2
    sizes = np.bincount(areas.of_connections)
    assert sizes.max() <= 3 * len(areas.of_connections) / n_areas
    buses = [name.rpartition(".")[0] for name in ieee123.nodes.node_ids]
    area_of_bus = dict(zip(buses, areas.of_nodes.tolist(), strict=True))
    assert [area_of_bus[bus] for bus in buses] == areas.of_nodes.tolist()
    again = feeder_areas(ieee123, n_areas=n_areas)
    assert np.array_equal(areas.of_nodes, again.of_nodes)
    # Connected: one branch fewer than areas leads from one to another, loops aside.
    ends = [set(areas.of_nodes[b.nodes[b.nodes < ieee123.n_nodes]]) for b in ieee123.branches]
    assert len({frozenset(end) for end in ends if len(end) > 1}) == len(sizes) - 1


@pytest.mark.parametrize("with_taps", [False, True])
def test_results_and_gradients_do_not_depend_on_the_cut(ieee123, monkeypatch, with_taps):
    found = []
    for cut in (N_AREAS, ()):
        monkeypatch.setattr("gradmap.power_flow.solver.N_AREAS", cut)
        p, q = (x.requires_grad_() for x in loadings(ieee123, n=20))
        taps = tap_draws(ieee123, n=20) if with_taps else None
        v = PowerFlow(ieee123, settings=EXACT).solve(p, q, tap_ratios=taps).node_v_pu()
        v.abs().sum().backward()
        found.append((v.detach(), p.grad, q.grad))
    for ours, dense in zip(*found, strict=True):
        assert (ours - dense).abs().max() <= 1e-12 * dense.abs().max()
