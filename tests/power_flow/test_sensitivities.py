"""Sensitivities of all connections at once: against autograd and our own finite differences."""

import pytest
import torch

from gradmap.power_flow.branch_flows import branch_currents_a
from gradmap.power_flow.sensitivities import current_sensitivities, voltage_sensitivities
from gradmap.power_flow.solver import PowerFlow, SolverSettings
from tests.power_flow.circuits import loadings, tap_draws

EXACT = SolverSettings(tolerance_pu=1e-14, max_iterations=80, chunk=3)


def _voltages(solution):
    return solution.node_v_pu().abs()


def _currents(solution):
    return branch_currents_a(solution).abs()


QUANTITIES = {
    "voltage": (_voltages, voltage_sensitivities),
    "current": (_currents, current_sensitivities),
}


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("with_taps", [False, True])
def test_sensitivities_equal_autograd_of_the_power_flow(feeder, quantity, with_taps):
    """Every row of a sample that autograd can be asked for, in P and Q, on and off base taps."""
    magnitudes, sensitivities = QUANTITIES[quantity]
    flow = PowerFlow(feeder, settings=EXACT)
    n = 4
    p, q = (x.requires_grad_() for x in loadings(feeder, n=n))
    taps = tap_draws(feeder, n=n) if with_taps else None
    solution = flow.solve(p, q, tap_ratios=taps)
    ours = sensitivities(solution, p_kw=p, q_kvar=q)
    found = magnitudes(solution)
    largest = found.detach().amax(dim=0)
    rows = [row for row in range(0, found.shape[1], 7) if largest[row] > 1e-6]
    assert len(rows) >= 2
    for row in rows:
        to_p, to_q = torch.autograd.grad(found[:, row].sum(), (p, q), retain_graph=True)
        for grad, mine in ((to_p, ours.to_p[:, row]), (to_q, ours.to_q[:, row])):
            assert (grad - mine).abs().max() <= 1e-9 * grad.abs().max().clamp(min=1e-9)


def test_sensitivities_equal_finite_differences(feeder):
    """Fourth order, constant-power connections only: others may cross a voltage limit."""
    places = feeder.with_households()
    flow = PowerFlow(places, settings=EXACT)
    generator = torch.Generator().manual_seed(3)
    n_connections = len(places.connections)
    p = 20.0 * torch.rand(1, n_connections, generator=generator, dtype=torch.float64) - 5.0
    q = 0.3 * p
    ours = voltage_sensitivities(flow.solve(p, q), p_kw=p, q_kvar=q)
    step = 0.5
    for which, mine in ((0, ours.to_p), (1, ours.to_q)):
        for column in range(0, n_connections, 9):
            moved = [x.repeat(4, 1) for x in (p, q)]
            moved[which][:, column] += step * torch.tensor([-2.0, -1.0, 1.0, 2.0])
            v = _voltages(flow.solve(*moved))
            slope = (v[0] - 8 * v[1] + 8 * v[2] - v[3]) / (12 * step)
            scale = slope.abs().max()
            assert (slope - mine[0, :, column]).abs().max() <= 1e-8 * scale


def test_some_rows_and_samples_equal_those_of_all(small):
    flow = PowerFlow(small, settings=EXACT)
    p, q = loadings(small, n=3)
    solution = flow.solve(p, q)
    rows = torch.tensor([5, 1, 8])
    every = voltage_sensitivities(solution, p_kw=p, q_kvar=q)
    samples = torch.tensor([2, 0])
    some = voltage_sensitivities(solution, p_kw=p, q_kvar=q, nodes=rows, samples=samples)
    kept = (samples[:, None], rows[None, :])
    torch.testing.assert_close(some.to_p, every.to_p[kept], rtol=1e-12, atol=1e-18)
    torch.testing.assert_close(some.to_q, every.to_q[kept], rtol=1e-12, atol=1e-18)


def test_a_float32_flow_gives_float64_sensitivities_close_to_the_exact(small):
    p, q = loadings(small, n=2)
    exact = voltage_sensitivities(PowerFlow(small, settings=EXACT).solve(p, q), p_kw=p, q_kvar=q)
    flow = PowerFlow(small, dtype=torch.float32)
    rough = voltage_sensitivities(flow.solve(p.float(), q.float()), p_kw=p, q_kvar=q)
    assert rough.to_p.dtype == torch.float64
    assert (rough.to_p - exact.to_p).abs().max() <= 1e-5 * exact.to_p.abs().max()
