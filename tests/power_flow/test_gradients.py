"""Exact gradients: against unrolled autograd, our own finite differences and OpenDSS's."""

import numpy as np
import pytest
import torch

from gradmap.power_flow.branch_flows import branch_currents_a, branch_loading, head_power, losses
from gradmap.power_flow.load_models import LoadTable, currents
from gradmap.power_flow.solver import PowerFlow, SolverSettings
from opendss_models.engine import Engine
from opendss_models.feeders import feeder_path
from opendss_models.reference import OpenDSSReference
from tests.power_flow.circuits import TIGHT, loadings, tap_draws

EXACT = SolverSettings(tolerance_pu=1e-14, max_iterations=80, chunk=3)


def _scalar(solution, *, seed=0):
    """A scalar that every kind of result enters."""
    generator = torch.Generator().manual_seed(seed)

    def weigh(values):
        real = torch.view_as_real(values) if values.is_complex() else values
        return (real * torch.randn(real.shape, generator=generator, dtype=real.dtype)).sum()

    results = [
        solution.node_v_pu(),
        solution.connection_v_pu(),
        1e-2 * branch_currents_a(solution),
        1e-2 * torch.stack(losses(solution)),
        1e-3 * torch.stack(head_power(solution)),
    ]
    return sum(weigh(values) for values in results)


def _regions(solution):
    """Which side of its voltage limits every connection is on."""
    connections = solution.flow.feeder.connections
    v = torch.linalg.vector_norm(solution.u.unflatten(0, (2, -1)), dim=0).T
    limits = [connections.v_low_pu, connections.v_min_pu, connections.v_max_pu]
    return sum((v > torch.tensor(limit)).int() for limit in limits)


def _unrolled(flow, p, q, source):
    """Node voltages by a plain complex fixed point that autograd records."""
    network, table = flow.network, LoadTable.build(flow.feeder.connections)
    u_map, v_map = network.connection_voltages, network.node_voltages
    source = source.to(torch.complex128)
    at_u = [torch.tensor(m) for m in (u_map.at_source, u_map.at_current)]
    at_v = [torch.tensor(m) for m in (v_map.at_source, v_map.at_current)]
    u = source @ at_u[0].T
    for _ in range(150):
        i = torch.complex(*currents(u.real.T, u.imag.T, p.T, q.T, table)).T
        u = source @ at_u[0].T + i @ at_u[1].T
    return source @ at_v[0].T + i @ at_v[1].T


def test_implicit_gradients_equal_unrolled_autograd(feeder):
    flow = PowerFlow(feeder, settings=EXACT)
    p, q = loadings(feeder, n=5)
    source = torch.tensor([[1.0], [1.02], [0.97], [0.93], [1.05]], dtype=torch.float64)
    inputs = [x.requires_grad_() for x in (p, q, source)]
    weights = torch.randn(5, feeder.n_nodes, dtype=torch.complex128)
    implicit = flow.solve(p, q, source_v_pu=source).node_v_pu()
    unrolled = _unrolled(flow, p, q, source)
    torch.testing.assert_close(implicit, unrolled, rtol=0.0, atol=1e-12)
    ours = torch.autograd.grad((implicit * weights).real.sum(), inputs)
    theirs = torch.autograd.grad((unrolled * weights).real.sum(), inputs)
    for a, b in zip(ours, theirs, strict=True):
        assert (a - b).abs().max() <= 1e-10 * b.abs().max()


def test_gradients_equal_finite_differences_of_the_solver(feeder):
    """Of a scalar of voltages, currents, losses and head power, in all four inputs, off base."""
    flow = PowerFlow(feeder, settings=EXACT)
    n = 5
    p, q = loadings(feeder, n=n, seed=3)
    taps = tap_draws(feeder, n=n)
    source = torch.linspace(0.97, 1.03, n, dtype=torch.float64)[:, None]
    given = {"p": p, "q": q, "taps": taps, "source": source}

    def value(given):
        solution = flow.solve(
            given["p"], given["q"], tap_ratios=given["taps"], source_v_pu=given["source"]
        )
        assert (solution.status == 0).all()
        return _scalar(solution), _regions(solution)

    leaves = {name: x.clone().requires_grad_() for name, x in given.items()}
    grads = dict(
        zip(leaves, torch.autograd.grad(value(leaves)[0], list(leaves.values())), strict=True)
    )
    rng = np.random.default_rng(4)
    for name, step in {"p": 2e-2, "q": 2e-2, "taps": 2e-5, "source": 2e-5}.items():
        scale = grads[name].abs().max()
        n_checked = 0
        for _ in range(12):
            b, c = rng.integers(n), rng.integers(given[name].shape[1])
            around, regions = [], []
            for factor in (-2, -1, 1, 2):  # fourth order: rounding and curvature both below 1e-8
                moved = given[name].clone()
                moved[b, c] += factor * step
                scalar, region = value({**given, name: moved})
                around.append(scalar)
                regions.append(region)
            if not all(torch.equal(region, regions[0]) for region in regions):
                continue  # a load crosses one of its voltage limits, where there is no derivative
            n_checked += 1
            slope = (around[0] - 8 * around[1] + 8 * around[2] - around[3]) / (12 * step)
            assert abs(slope - grads[name][b, c]) <= 1e-8 * scale, (name, b, c)
        assert n_checked >= 4


@pytest.mark.parametrize("quantity", ["voltage", "losses", "current"])
def test_gradients_equal_central_differences_of_opendss(ieee123, quantity):
    """At 50 random connections' P and Q, on the reference engine itself."""
    reference = OpenDSSReference(Engine(feeder_path("ieee123"), settings=TIGHT), ieee123)
    flow = PowerFlow(ieee123, settings=EXACT)
    p, q = loadings(ieee123, n=1, seed=5, low=0.5, high=0.9)
    singles = [
        row
        for row, name in enumerate(ieee123.connections.element_ids)
        if ieee123.connections.element_ids.count(name) == 1
    ]
    rng = np.random.default_rng(6)
    rows = rng.choice(singles, 70, replace=False)
    # A wide step keeps the engine's own rounding away from the slopes; the fourth
    # order makes it exact enough. Rounding: 6e-8 kW of losses, 2e-9 of loading, 1e-9 pu.
    step = 0.25 if quantity == "current" else 4.0
    rounding = {"voltage": 1e-9, "losses": 6e-8, "current": 2e-9}[quantity]

    def ours(solution):
        if quantity == "voltage":
            return solution.node_v_pu().abs()[0]
        if quantity == "losses":
            return losses(solution)[0]
        return branch_loading(solution)[0]

    def theirs(solved):
        if quantity == "voltage":
            return np.abs(solved.node_v_pu)
        return solved.losses_kw[:, None] if quantity == "losses" else solved.loading

    leaves = [p.clone().requires_grad_(), q.clone().requires_grad_()]
    result = ours(flow.solve(*leaves))
    # The result that moves most with each connection is the sharpest test of it.
    for which in (0, 1):
        moved = [np.repeat(x.numpy(), 4 * len(rows), axis=0) for x in (p, q)]
        for k, row in enumerate(rows):
            moved[which][4 * k : 4 * k + 4, row] += step * np.array([-2, -1, 1, 2])
        around = theirs(reference.solve(moved[0], moved[1])).reshape(len(rows), 4, -1)
        slopes = around.swapaxes(1, 2) @ [1, -8, 8, -1] / (12 * step)
        regions = _regions(flow.solve(*map(torch.tensor, moved))).unflatten(0, (-1, 4))
        # No load may cross a voltage limit: there is no derivative there.
        smooth = (regions == regions[:, :1]).all(dim=2).all(dim=1)
        assert smooth.sum() >= 50
        for k, row in enumerate(rows):
            if not smooth[k]:
                continue
            column = int(np.abs(slopes[k]).argmax())
            (grad,) = torch.autograd.grad(result[column], leaves[which], retain_graph=True)
            expected = pytest.approx(slopes[k, column], rel=1e-5, abs=rounding / step)
            assert grad[0, row].item() == expected, row


def test_float32_gradients_are_close(ieee123):
    weights = torch.randn(4, ieee123.n_nodes)
    grads = []
    for dtype in (torch.float64, torch.float32):
        p, q = (x.to(dtype).requires_grad_() for x in loadings(ieee123, n=4))
        solution = PowerFlow(ieee123, dtype=dtype).solve(p, q)
        (solution.node_v_pu().abs() * weights).sum().backward()
        grads.append(p.grad.double())
    assert (grads[0] - grads[1]).abs().max() <= 2e-5 * grads[0].abs().max()


def test_backward_is_deterministic(ieee123):
    flow = PowerFlow(ieee123, dtype=torch.float32)
    found = []
    for _ in range(2):
        p, q = (x.float().requires_grad_() for x in loadings(ieee123, n=600))
        losses(flow.solve(p, q))[0].sum().backward()
        found.append(p.grad)
    assert torch.equal(*found)


def test_no_gradient_leaks_between_samples(small):
    p, q = loadings(small, n=7)
    p.requires_grad_()
    solution = PowerFlow(small, settings=SolverSettings(chunk=3)).solve(p, q)
    (grad,) = torch.autograd.grad(solution.node_v_pu()[4].abs().sum(), p)
    assert grad[4].abs().min() > 0
    assert grad[[0, 1, 2, 3, 5, 6]].abs().max() == 0


def test_gradients_work_after_a_look_in_inference_mode(small):
    flow = PowerFlow(small)
    p, q = loadings(small, n=2)
    with torch.inference_mode():
        losses(flow.solve(p, q))
    p.requires_grad_()
    losses(flow.solve(p, q))[0].sum().backward()
    assert p.grad.abs().max() > 0
