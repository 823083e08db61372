"""The centralised optimum: against HiGHS, dense linear algebra, brute force and the devices."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from gradmap.baselines.centralised import OptimumSettings, optimise_day
from gradmap.baselines.no_control import NoControl
from gradmap.baselines.optimum.agent_systems import AgentSystems, Gradient
from gradmap.baselines.optimum.highs import highs_value, import_highspy
from gradmap.baselines.optimum.interior_point import solve
from gradmap.baselines.optimum.limits import NetworkLimits, RowSettings
from gradmap.baselines.optimum.model import build_model
from gradmap.baselines.optimum.program import Program
from gradmap.baselines.optimum.results import OptimalDay, OptimumStore
from gradmap.baselines.optimum.rows import no_rows
from gradmap.costs import service, trajectory_cost
from gradmap.errors import MissingExtraError, ScenarioError
from gradmap.rollout import Rollout
from gradmap.violations import Limits
from tests.baselines.hard_day import hard_day, replay

LIMITS = Limits()


@pytest.fixture(scope="module")
def world():
    return hard_day()


@pytest.fixture(scope="module")
def optimal(world):
    return optimise_day(*world, limits=LIMITS)


def test_agents_systems_equal_dense_linear_algebra(world):
    """Steps and summed responses of every kind of device, at widely different weights."""
    fleet, homes, _, days = world
    model = build_model(fleet, days=days, connection_index=homes.connection_index)
    rng = np.random.default_rng(0)
    shape = model.plus_max.shape
    free = model.plus_max > model.plus_min
    inverse_plus = 10.0 ** rng.uniform(-2, 2, shape) * free
    inverse_minus = 10.0 ** rng.uniform(-2, 2, shape) * (model.minus_max > 0.0)
    net, x = 10.0 ** rng.uniform(-2, 2, shape), 10.0 ** rng.uniform(-3, 3, shape)
    systems = AgentSystems(model, plus=inverse_plus, minus=inverse_minus, net=net, x=x)
    g = Gradient(**{name: rng.normal(size=shape) for name in ("plus", "minus", "net", "x")})
    step = systems.solve(g)
    steps = np.array([3, 40, 41, 95])
    responses = systems.responses(steps)
    summed = np.zeros_like(responses)
    for agent in range(model.n_agents):
        u, response = _dense(model, agent, inverse_plus, inverse_minus, net, x, g)
        ours = np.concatenate([step.plus[:, agent], step.minus[:, agent]])
        np.testing.assert_allclose(ours, u, rtol=0.0, atol=1e-9 * np.abs(u).max())
        for power in range(3):
            weight = model.kvar_per_kw[agent] ** power
            summed[power, model.connection[agent]] += weight * response[np.ix_(steps, steps)]
    np.testing.assert_allclose(responses, summed, rtol=0.0, atol=1e-9 * np.abs(summed).max())


def _dense(model, agent, inverse_plus, inverse_minus, net, x, g):
    """Return one agent's step and its response of power to price, by dense matrices."""
    n = model.n_steps
    times = np.arange(n)
    power = np.tril(model.decay[agent] ** np.abs(times[:, None] - times))
    to_x = np.hstack([power * model.per_plus[:, agent], -power * model.per_minus[:, agent]])
    to_x = to_x * model.has_state[agent]
    to_net = np.hstack([np.eye(n), -np.eye(n)])
    inverse = np.concatenate([inverse_plus[:, agent], inverse_minus[:, agent]])
    own = inverse > 0.0
    hessian = (
        np.diag(1.0 / inverse[own])
        + to_net[:, own].T @ np.diag(net[:, agent]) @ to_net[:, own]
        + to_x[:, own].T @ np.diag(x[:, agent]) @ to_x[:, own]
    )
    rhs = np.concatenate([g.plus[:, agent], g.minus[:, agent]])
    rhs = rhs + to_net.T @ g.net[:, agent] + to_x.T @ g.x[:, agent]
    u = np.zeros(2 * n)
    u[own] = np.linalg.solve(hessian, rhs[own])
    return u, to_net[:, own] @ np.linalg.solve(hessian, to_net[:, own].T)


@pytest.mark.parametrize("with_rows", [False, True])
def test_the_interior_point_method_agrees_with_highs(world, with_rows):
    """On the same program; HiGHS's value is a lower bound, and equal at an optimum."""
    pytest.importorskip("highspy", reason="highspy is an extra")
    fleet, homes, flow, days = world
    model = build_model(fleet, days=days, connection_index=homes.connection_index)
    rows = no_rows(len(flow.feeder.connections))
    if with_rows:
        free = solve(Program(model, rows, penalty=50.0))
        limits = NetworkLimits(
            flow.feeder, limits=LIMITS, with_loading=False, settings=RowSettings()
        )
        trajectory = replay(world, free.p_kw)
        keys = np.unique(limits.keys(limits.excess(trajectory)))
        rows = limits.rows(trajectory, keys, model=model)
        assert len(rows) > 15
    program = Program(model, rows, penalty=50.0)
    found = solve(program)
    theirs = highs_value(program, at=found)
    assert found.solved
    assert theirs.optimal
    assert found.give.max(initial=0.0) < 1e-6
    assert found.cost == pytest.approx(theirs.value, rel=1e-6)
    assert found.bound == pytest.approx(theirs.value, rel=1e-6)
    assert found.bound <= found.cost


def test_the_optimum_keeps_the_limits_and_is_what_the_devices_deliver(world, optimal):
    fleet = world[0]
    trajectory = replay(world, optimal.p_kw)
    vm = trajectory.solution.node_v_pu().abs()
    nodes = world[2].feeder.nodes
    limited = torch.tensor(nodes.grounded & nodes.energised)
    assert optimal.status == "optimal"
    assert optimal.unconstrained_violation_pu > 1e-3, "the day must be a hard one"
    assert vm[:, limited].max() <= 1.05 + 2e-6
    assert vm[:, limited].min() >= 0.95 - 2e-6
    assert trajectory.violation_kw.max() <= 1e-6
    assert torch.allclose(trajectory.p_kw[0], torch.tensor(optimal.p_kw), atol=1e-9)
    assert trajectory_cost(fleet, trajectory).total.sum().item() == pytest.approx(optimal.cost)
    served = service(fleet, trajectory)
    assert served.comfort_k_h.max() <= 1e-6
    assert served.departure_shortfall_kwh.max() <= 0.2


def test_the_optimum_is_certified_and_dearer_than_without_limits(optimal):
    assert 0.0 <= optimal.gap <= 2e-5
    assert optimal.cost > optimal.unconstrained_cost + 1.0
    assert optimal.unconstrained_bound <= optimal.unconstrained_cost
    assert optimal.unconstrained_cost - optimal.unconstrained_bound <= 1e-5 * abs(optimal.cost)


def test_another_start_leads_to_the_same_cost(world, optimal):
    fleet, homes, flow, days = world
    rollout = Rollout(fleet=fleet, homes=homes, flow=flow)
    with torch.no_grad():
        start = rollout.run(NoControl(fleet), days).p_kw[0].numpy()
    again = optimise_day(*world, limits=LIMITS, start_kw=start)
    assert again.status == "optimal"
    assert again.cost == pytest.approx(optimal.cost, rel=1e-4)


def test_no_random_trajectory_beats_the_unconstrained_optimum(world):
    """Feasible trajectories near the optimum and far from it, through the devices."""
    fleet, homes, flow, days = world
    optimal = optimise_day(*world, limits=LIMITS, network=False)
    rollout = Rollout(fleet=fleet, homes=homes, flow=flow)
    generator = torch.Generator().manual_seed(5)
    low, high = fleet.action_range_kw()
    for share in (0.001, 0.01, 0.1, 1.0):
        noise = torch.rand(1, 96, fleet.n_agents, generator=generator, dtype=torch.float64)
        request = torch.lerp(torch.tensor(optimal.p_kw)[None], low + (high - low) * noise, share)
        trajectory = rollout.replay(request, days, power_flow=False)
        cost = trajectory_cost(fleet, trajectory).total[0]
        comfortable = service(fleet, trajectory).comfort_k_h[0] <= 1e-9
        served = service(fleet, trajectory).departure_shortfall_kwh[0] <= 1e-9
        kept = comfortable & served
        ours = trajectory_cost(fleet, rollout.replay(torch.tensor(optimal.p_kw)[None], days))
        assert (cost - ours.total[0])[kept].min() >= -1e-4


def test_an_impossible_day_says_by_how_much_and_where(world):
    """A band that the uncontrolled load alone leaves in the evening."""
    fleet, homes, flow, days = world
    hard = replace(days, base_load_kw=1.3 * days.base_load_kw)
    found = optimise_day(fleet, homes, flow, hard, limits=LIMITS)
    assert found.status == "infeasible"
    assert found.max_violation_pu > 1e-3
    assert "low, step" in found.worst


def test_results_survive_the_disk_and_are_found_by_key(tmp_path, optimal):
    store = OptimumStore(folder=tmp_path, key="abc")
    assert store.get("test", 3) is None
    store.put("test", 3, optimal)
    again = store.get("test", 3)
    assert isinstance(again, OptimalDay)
    np.testing.assert_array_equal(again.p_kw, optimal.p_kw)
    assert again.cost == optimal.cost
    assert again.iterations == optimal.iterations
    assert OptimumStore(folder=tmp_path, key="other").get("test", 3) is None


def test_what_makes_the_bill_concave_is_refused(world):
    fleet, homes, flow, days = world
    greedy = replace(days, price_export_per_kwh=torch.full_like(days.hour, 0.3))
    with pytest.raises(ScenarioError, match=r"step 0 export pays 0\.3 and import costs 0\.22"):
        optimise_day(fleet, homes, flow, greedy, limits=LIMITS)


def test_without_highspy_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "highspy", None)
    with pytest.raises(MissingExtraError, match=r"pip install gradmap\[optimum\]"):
        import_highspy()


def test_settings_are_used(world, optimal):
    one = optimise_day(*world, limits=LIMITS, settings=OptimumSettings(max_iterations=1))
    assert one.status == "not_converged"
    assert one.n_iterations == 1 < optimal.n_iterations
    assert OptimumSettings(max_iterations=1).key != OptimumSettings().key
