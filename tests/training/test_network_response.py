"""Proximal steps foresee what the power flow answers when all agents step together."""

from dataclasses import replace

import pytest
import torch

from gradmap.training.environment import Environment
from gradmap.training.lagrangian import Lagrangian
from gradmap.training.network_response import measured_sensitivity
from gradmap.training.settings import TrainingSettings
from gradmap.training.surrogate import Surrogate, surrogate_gradients, updated_scale
from gradmap.violations import limited_nodes
from tests.training.test_gradients import TIGHT, multipliers_of, parts


def with_response(**changes):
    """Everything of a few homes, an environment that keeps the response, and multipliers."""
    fleet, policy, days, environment = parts()
    settings = TrainingSettings().updated(changes)
    lagrangian = Lagrangian(settings, fleet=fleet, limits=TIGHT, cost_scale=10.0)
    sensitivity = measured_sensitivity(environment.rollout, days=days, limits=TIGHT)
    foreseeing = Environment(environment.rollout, lagrangian, sensitivity=sensitivity)
    return fleet, policy, days, foreseeing, multipliers_of(foreseeing, policy, days)


def test_nothing_is_added_before_the_first_step():
    _, policy, days, environment, multipliers = with_response()
    kept = environment.action_gradients(policy, days, multipliers=multipliers).kept
    assert kept.network is not None
    added = kept.network.added_gradient(torch.zeros_like(kept.action), samples=None)
    assert torch.count_nonzero(added) == 0
    scale = updated_scale(None, kept.gradient.square().mean(dim=0))
    surrogate = Surrogate(trust_region="quadratic", radius=0.1)
    surrogate_gradients(policy, kept, surrogate=surrogate, scale=scale)
    with_it = [parameter.grad.clone() for parameter in policy.parameters()]
    surrogate_gradients(policy, replace(kept, network=None), surrogate=surrogate, scale=scale)
    for mine, plain in zip(with_it, policy.parameters(), strict=True):
        torch.testing.assert_close(mine, plain.grad, rtol=1e-12, atol=1e-15)


def test_foreseen_voltages_are_nearly_those_of_the_power_flow():
    fleet, policy, days, environment, multipliers = with_response()
    response = environment.action_gradients(policy, days, multipliers=multipliers).kept.network
    torch.manual_seed(3)
    change = 0.2 * torch.rand(response.follows.shape, dtype=torch.float64)
    index = response.sensitivity.at_agent
    n_connections = len(response.sensitivity.per_kw)
    kw = change * response.follows * response.sensitivity.kw_per_action
    p_kw = kw.new_zeros(len(kw), n_connections).index_add(1, index, kw)
    q_kvar = kw.new_zeros(len(kw), n_connections).index_add(1, index, kw * fleet.kvar_per_kw())
    with torch.no_grad():
        request = torch.zeros(days.n_days, days.n_steps, fleet.n_agents, dtype=torch.float64)
        base = environment.rollout.replay(request, days)
        flow = environment.rollout.flow
        before = flow.solve(
            base.connection_p_kw.flatten(0, 1), base.connection_q_kvar.flatten(0, 1)
        )
        after = flow.solve(
            base.connection_p_kw.flatten(0, 1) + p_kw, base.connection_q_kvar.flatten(0, 1) + q_kvar
        )
    exact = (after.node_v_pu().abs() - before.node_v_pu().abs()) / 0.01
    foreseen = response.sensitivity.voltages(change * response.follows)
    nodes = limited_nodes(flow.feeder)
    assert foreseen.shape[-1] == response.high.shape[-1] == len(nodes)
    error = (foreseen - exact[:, nodes]).norm() / exact[:, nodes].norm()
    assert float(exact.abs().max()) > 1e-3
    assert error < 0.1


@pytest.mark.parametrize("statistic", ["hinge", "mean"])
def test_added_gradient_is_that_of_the_linearised_lagrangian(statistic):
    """Against autograd of phi(x + S d), written out."""
    _, policy, days, environment, multipliers = with_response(
        **{"statistic": statistic, "voltage.margin": 0.2, "margin_low": 0.7}
    )
    response = environment.action_gradients(policy, days, multipliers=multipliers).kept.network
    torch.manual_seed(4)
    change = torch.randn(response.follows.shape, dtype=torch.float64, requires_grad=True)
    weights = response.constraint

    def phi(violation, multiplier, margin):
        hinge = torch.relu(violation + margin)
        first = violation + margin if statistic == "mean" else hinge
        return multiplier * first + 0.5 * weights.curvature * hinge.square()

    kw = change * response.follows
    moved = response.sensitivity.voltages(kw)
    times = torch.arange(len(kw)) % days.n_steps
    total = response.weight * (
        phi(response.high + moved, response.multiplier_high[times], 0.2).sum()
        + phi(response.low - moved, response.multiplier_low[times], 0.7).sum()
    )
    (at_change,) = torch.autograd.grad(total, change)
    still = torch.zeros_like(change, requires_grad=True)
    moved = response.sensitivity.voltages(still * response.follows)
    total = response.weight * (
        phi(response.high + moved, response.multiplier_high[times], 0.2).sum()
        + phi(response.low - moved, response.multiplier_low[times], 0.7).sum()
    )
    (at_rest,) = torch.autograd.grad(total, still)
    added = response.added_gradient(change.detach(), samples=None)
    torch.testing.assert_close(added, at_change - at_rest, rtol=1e-9, atol=1e-12)
    assert added.abs().max() > 0.0
    some = torch.tensor([5, 2, 11])
    part = response.added_gradient(change.detach()[some], samples=some)
    torch.testing.assert_close(part, added[some])


def test_some_agents_response_leaves_the_others_still():
    _, policy, days, environment, multipliers = with_response()
    response = environment.action_gradients(policy, days, multipliers=multipliers).kept.network
    chosen = torch.tensor([3, 1])
    change = torch.zeros(response.follows.shape, dtype=torch.float64)
    change[:, chosen] = 0.4
    whole = response.added_gradient(change, samples=None)[:, chosen]
    some = response.of_agents(chosen).added_gradient(change[:, chosen], samples=None)
    torch.testing.assert_close(some, whole)
