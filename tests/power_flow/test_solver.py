"""The batched solver against OpenDSS, and what a batch must not do."""

import numpy as np
import pytest
import torch

from gradmap.errors import FeederError
from gradmap.power_flow.branch_flows import branch_currents_a, branch_loading, head_power, losses
from gradmap.power_flow.solver import FlowStatus, PowerFlow, SolverSettings
from opendss_models.engine import Engine
from opendss_models.feeders import feeder_path
from opendss_models.reference import OpenDSSReference
from tests.power_flow.circuits import TIGHT, loadings, tap_draws


@pytest.fixture(scope="module")
def reference(ieee123):
    return OpenDSSReference(Engine(feeder_path("ieee123"), settings=TIGHT), ieee123)


@pytest.fixture(scope="module")
def solved(ieee123, reference):
    """Random loadings and taps, and what OpenDSS says of them."""
    p, q = loadings(ieee123, n=60, seed=7)
    taps = tap_draws(ieee123, n=60)
    return p, q, taps, reference.solve(p.numpy(), q.numpy(), tap_ratios=taps.numpy())


def _largest(difference):
    return float(np.abs(difference).max())


def test_everything_agrees_with_opendss_at_random_loadings_and_taps(ieee123, solved):
    p, q, taps, theirs = solved
    solution = PowerFlow(ieee123).solve(p, q, tap_ratios=taps)
    assert (solution.status == FlowStatus.OK).all()
    assert _largest(solution.node_v_pu().numpy() - theirs.node_v_pu) <= 1e-8
    ours, reference = branch_currents_a(solution).numpy(), theirs.branch_i_a
    rating = np.repeat(
        [branch.normal_amps for branch in ieee123.branches],
        [len(branch.nodes) for branch in ieee123.branches],
    )
    assert _largest((ours - reference) / np.maximum(np.abs(reference), 0.01 * rating)) <= 1e-6
    assert _largest(losses(solution)[0].numpy() / theirs.losses_kw - 1.0) <= 1e-6
    assert _largest(branch_loading(solution).numpy() - theirs.loading) <= 1e-6
    for ours, reference in zip(
        head_power(solution), (theirs.head_p_kw, theirs.head_q_kvar), strict=True
    ):
        assert _largest(ours.numpy() - reference) <= 1e-3


def test_float32_stays_within_1e_6(ieee123, solved):
    p, q, taps, theirs = solved
    solution = PowerFlow(ieee123, dtype=torch.float32).solve(p, q, tap_ratios=taps)
    assert solution.node_v_pu().dtype == torch.complex64
    assert (solution.status == FlowStatus.OK).all()
    assert _largest(solution.node_v_pu().numpy() - theirs.node_v_pu) <= 1e-6
    assert _largest(losses(solution)[0].numpy() / theirs.losses_kw - 1.0) <= 1e-4


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8, 1e-10, 1e-12])
def test_the_error_estimate_is_honest(feeder, tolerance):
    p, q = loadings(feeder, n=300, seed=2)
    exact = PowerFlow(feeder, settings=SolverSettings(tolerance_pu=1e-14, max_iterations=90))
    flow = PowerFlow(feeder, settings=SolverSettings(tolerance_pu=tolerance))
    solution = flow.solve(p, q)
    error = (solution.connection_v_pu() - exact.solve(p, q).connection_v_pu()).abs().amax(dim=1)
    assert (error <= solution.error_pu + 1e-13).all()
    assert (solution.error_pu <= tolerance).all()


def test_the_published_solution_at_the_published_taps(ieee123, shared):
    """Kersting, IEEE 123 Node Test Feeder, 2004: 4 printed decimals, bus 610 floats."""
    import pandas as pd  # noqa: PLC0415

    published = pd.read_csv(shared / "reference" / "ieee123" / "ieee123_published.csv")
    taps = dict(zip(ieee123_regulators(ieee123), (7, -1, 0, -1, 8, 1, 5), strict=True))
    ratios = torch.tensor(
        [[1.0 + 0.00625 * taps[r.regulator_id] for r in ieee123.regulators]], dtype=torch.float64
    )
    c = ieee123.connections
    solution = PowerFlow(ieee123).solve(
        torch.tensor(c.p_kw)[None], torch.tensor(c.q_kvar)[None], tap_ratios=ratios
    )
    vm_pu = dict(zip(ieee123.nodes.node_ids, solution.node_v_pu()[0].abs().tolist(), strict=True))
    published = published[published.opendss_bus.astype(str) != "610"]
    node_ids = [
        f"{str(row.opendss_bus).lower()}.{'ABC'.index(row.phase) + 1}"
        for row in published.itertuples()
    ]
    errors = [abs(vm_pu[node] - v) for node, v in zip(node_ids, published.v_pu, strict=True)]
    assert len(errors) > 250
    assert max(errors) <= 0.0015
    assert np.mean(errors) <= 0.0002


def ieee123_regulators(feeder):
    """The regulators in the order of the published table: 1, 2, 3a, 3c, 4a, 4b, 4c."""
    order = ["reg1a", "reg2a", "reg3a", "reg3c", "reg4a", "reg4b", "reg4c"]
    found = {r.regulator_id.split(".")[-1]: r.regulator_id for r in feeder.regulators}
    return [next(v for k, v in found.items() if k.endswith(name)) for name in order]


def test_regulator_terms_equal_a_rebuilt_network(feeder):
    """Taps as inputs against the same taps as the base of the network."""
    p, q = loadings(feeder, n=4)
    taps = tap_draws(feeder, n=4, largest=16)
    moved = PowerFlow(feeder).solve(p, q, tap_ratios=taps)
    for k in range(4):
        base = PowerFlow(feeder, tap_ratios=taps[k].numpy()).solve(p[k : k + 1], q[k : k + 1])
        for result in (branch_currents_a, branch_loading, lambda s: s.node_v_pu()):
            torch.testing.assert_close(result(moved)[k], result(base)[0], rtol=1e-8, atol=1e-8)
        assert losses(base)[0][0].item() == pytest.approx(losses(moved)[0][k].item(), rel=1e-9)


def test_power_is_conserved(feeder):
    """Head power = what connections draw + branch losses + what capacitors draw."""
    p, q = loadings(feeder, n=20)
    flow = PowerFlow(feeder)
    solution = flow.solve(p, q, tap_ratios=tap_draws(feeder, n=20))
    n = len(feeder.connections)
    u = torch.complex(*solution.u.chunk(2))
    i = torch.complex(*solution.state[: 2 * n].chunk(2))
    drawn = (u * i.conj()).sum(dim=0)
    v = solution.node_v_pu() * torch.tensor(1e3 * feeder.nodes.kv_base)
    rest = torch.tensor(feeder.y_rest.toarray())
    shunts = 1e-3 * (v * (v @ rest.T).conj()).sum(dim=1)
    head = torch.complex(*head_power(solution)).sum(dim=1)
    loss = torch.complex(*losses(solution))
    assert (head - drawn - loss - shunts).abs().max() <= 1e-6


def test_a_sample_does_not_depend_on_its_batch(ieee123):
    p, q = loadings(ieee123, n=40)
    flow = PowerFlow(ieee123, settings=SolverSettings(chunk=16))
    together = flow.solve(p, q).node_v_pu()
    alone = flow.solve(p[23:24], q[23:24]).node_v_pu()
    torch.testing.assert_close(together[23:24], alone, rtol=0.0, atol=2e-10)


def test_a_warm_start_saves_sweeps_and_changes_nothing(ieee123):
    p, q = loadings(ieee123, n=8)
    flow = PowerFlow(ieee123)
    cold = flow.solve(p, q)
    warm = flow.solve(1.001 * p, q, start=cold)
    again = flow.solve(1.001 * p, q)
    assert warm.n_iterations.max() < again.n_iterations.min()
    torch.testing.assert_close(warm.node_v_pu(), again.node_v_pu(), rtol=0.0, atol=2e-10)


def test_four_times_the_load_agrees_or_says_so(ieee123, reference):
    p, q = loadings(ieee123, n=12, seed=9, low=3.0, high=5.0)
    solution = PowerFlow(ieee123).solve(p, q)
    theirs = reference.solve(p.numpy(), q.numpy())
    both = (solution.status == FlowStatus.OK).numpy() & theirs.solved
    assert both.any()
    assert _largest((solution.node_v_pu().numpy() - theirs.node_v_pu)[both]) <= 1e-7


def test_a_loading_beyond_the_feeder_is_marked(tmp_path):
    """Constant power down to zero volt, at ten times what the line can carry."""
    from opendss_models.extract import extract_feeder  # noqa: PLC0415

    (tmp_path / "two.dss").write_text(
        "clear\nnew circuit.two basekv=0.4 bus1=a mvasc3=100 mvasc1=100\n"
        "new line.l bus1=a bus2=b r1=0.1 x1=0.1 r0=0.1 x0=0.1 length=1\n"
        "new load.l bus1=b.1 phases=1 kv=0.2309 kw=20 pf=1 vminpu=0.01 vlowpu=0.005\n"
        "set voltagebases=(0.4)\ncalcvoltagebases\n",
        encoding="utf-8",
    )
    feeder = extract_feeder(Engine(tmp_path / "two.dss"))
    p = torch.tensor([[20.0], [1000.0], [30.0]], dtype=torch.float64)
    solution = PowerFlow(feeder).solve(p, torch.zeros_like(p))
    assert solution.status.tolist() == [FlowStatus.OK, FlowStatus.NOT_CONVERGED, FlowStatus.OK]
    assert torch.isfinite(solution.node_v_pu()[[0, 2]].abs()).all()


def test_injections_at_bare_nodes_are_loads_of_opposite_sign(ieee123):
    row = int(np.flatnonzero(ieee123.connections.nodes[:, 1] == ieee123.n_nodes)[0])
    node = ieee123.nodes.node_ids[ieee123.connections.nodes[row, 0]]
    feeder = ieee123.with_households().with_injections((node,))
    p = torch.zeros((1, len(feeder.connections)), dtype=torch.float64)
    p[0, -1] = -50.0
    with_injection = PowerFlow(feeder).solve(p, torch.zeros_like(p)).node_v_pu()
    households = ieee123.with_households()
    names = households.connections.connection_ids
    p = torch.zeros((1, len(names)), dtype=torch.float64)
    p[0, names.index(node)] = -50.0
    direct = PowerFlow(households).solve(p, torch.zeros_like(p)).node_v_pu()
    torch.testing.assert_close(with_injection, direct, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("size", [1, 2, 511, 513])
def test_any_batch_size_works(small, size):
    p, q = loadings(small, n=size)
    assert PowerFlow(small).solve(p, q).node_v_pu().shape == (size, small.n_nodes)


def test_an_empty_batch_gives_an_empty_answer(small):
    p = torch.zeros((0, len(small.connections)))
    assert PowerFlow(small).solve(p, p).node_v_pu().shape == (0, small.n_nodes)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_powers_that_are_not_finite_are_refused(small, bad):
    p, q = loadings(small, n=3)
    p[1, 2] = bad
    name = small.connections.connection_ids[2]
    with pytest.raises(FeederError, match=rf"`p_kw` of '{name}' in sample 1 is .*finite"):
        PowerFlow(small).solve(p, q)


def test_wrong_shapes_are_refused(small):
    p, q = loadings(small, n=3)
    flow = PowerFlow(small)
    with pytest.raises(FeederError, match=r"`q_kvar` has shape \(3, 2\), expected \(3, "):
        flow.solve(p, q[:, :2])
    with pytest.raises(FeederError, match=r"`p_kw` has shape \(7,\)"):
        flow.solve(p[0, :7], q)
    with pytest.raises(FeederError, match=r"`tap_ratios` has shape \(3, 5\), expected \(3, 1\)"):
        flow.solve(p, q, tap_ratios=torch.ones(3, 5))
    with pytest.raises(FeederError, match="base `tap_ratios`"):
        PowerFlow(small, tap_ratios=[1.0, 1.0])
    with pytest.raises(FeederError, match="`source_v_pu`"):
        flow.solve(p, q, source_v_pu=torch.ones(3, 2))


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="`tolerance_pu` is 0"):
        SolverSettings(tolerance_pu=0.0)


def test_a_feeder_that_is_too_large_says_so(small, monkeypatch):
    monkeypatch.setattr("gradmap.power_flow.network.MAX_CONNECTIONS", 5)
    with pytest.raises(FeederError, match=r"too large for now: it has \d+ connections"):
        PowerFlow(small)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_agrees_with_the_cpu(ieee123):
    results = []
    for device in ("cpu", "cuda"):
        p, q = (x.to(device).requires_grad_() for x in loadings(ieee123, n=50))
        taps = tap_draws(ieee123, n=50).to(device)
        solution = PowerFlow(ieee123, device=device).solve(p, q, tap_ratios=taps)
        losses(solution)[0].sum().backward()
        results.append((solution.node_v_pu().detach().cpu(), p.grad.cpu()))
    torch.testing.assert_close(*(r[0] for r in results), rtol=0.0, atol=1e-9)
    torch.testing.assert_close(*(r[1] for r in results), rtol=1e-7, atol=1e-9)
