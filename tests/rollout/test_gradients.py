"""Gradients of the closed loop: exact for every action, and complete for the policies."""

import pytest
import torch

from gradmap.baselines.rule_based import RuleBased
from gradmap.costs import trajectory_cost
from gradmap.devices.base import Surroundings
from gradmap.devices.grouped import GroupedFleet
from gradmap.observations import INDEX
from gradmap.policies.independent import IndependentPolicies, PolicyController
from gradmap.violations import Limits, violations
from tests.devices.populations import DT_H, fleet_of
from tests.power_flow import circuits
from tests.rollout.homes_on_feeder import rollout_of, some_days

N_STEPS = 8


@pytest.fixture(scope="module")
def fleet():
    return fleet_of(5)


@pytest.fixture(scope="module")
def days(fleet):
    """A morning in which untrained policies stay inside all device limits."""
    return some_days(fleet, n_steps=N_STEPS, first_h=4.0, scale=3.0)


class Sensing:
    """A policy plus a droop, so that requests depend on voltages as well; perhaps too eager."""

    def __init__(self, fleet, *, gain=1.0):
        policy = IndependentPolicies.for_fleet(fleet, seed=3)
        self.inner, self.gain = PolicyController(policy, fleet=fleet), gain

    def act(self, obs):
        return self.gain * self.inner.act(obs) + 20.0 * (obs[..., INDEX["v_pu"]] - 1.0)


def loss(fleet, trajectory):
    """Something smooth in voltages, costs and clipped powers."""
    found = violations(trajectory, fleet=fleet, limits=Limits())
    cost = trajectory_cost(fleet, trajectory).total
    return (
        found.voltage_low.exp().mean()
        + found.loading.square().mean()
        + found.device.square().sum()
        + 0.1 * cost.sum()
    )


@pytest.mark.parametrize("gain", [1.0, 3.0])
@pytest.mark.parametrize("observe_voltage", [False, True])
def test_every_action_has_its_exact_gradient_in_the_closed_loop(fleet, days, observe_voltage, gain):
    rollout = rollout_of(fleet, circuits.ieee123(), observe_voltage=observe_voltage)
    controller = Sensing(fleet, gain=gain)
    with torch.no_grad():  # within limits, and beyond: both must be exact
        clipped = rollout.run(controller, days).violation_kw > 0.0
    assert not clipped.any() if gain == 1.0 else clipped.float().mean() > 0.05
    nudge = torch.zeros(days.n_days, N_STEPS, fleet.n_agents, dtype=torch.float64)

    def value(nudge, kept=None):
        nudges = iter(nudge.unbind(1))

        def on_action(request_kw):
            request_kw = request_kw + next(nudges)
            if kept is not None:
                request_kw.retain_grad()
                kept.append(request_kw)
            return request_kw

        return loss(fleet, rollout.run(controller, days, on_action=on_action))

    kept: list[torch.Tensor] = []
    value(nudge, kept).backward()
    by_action = torch.stack([request.grad for request in kept], dim=1)
    assert by_action.shape == nudge.shape
    step_kw = 1e-4
    for day, step, agent in [(0, 0, 0), (1, 3, 1), (0, 5, 2), (1, 1, 7), (0, 7, 4), (1, 2, 19)]:
        change = torch.zeros_like(nudge)
        change[day, step, agent] = step_kw
        with torch.no_grad():
            slope = (value(change) - value(-change)) / (2 * step_kw)
        expected = by_action[day, step, agent]
        torch.testing.assert_close(slope, expected, rtol=1e-4, atol=1e-7)


def test_action_gradients_times_policy_gradients_are_back_propagation_through_time(fleet, days):
    rollout = rollout_of(fleet, circuits.ieee123(), observe_voltage=True)
    policy = IndependentPolicies.for_fleet(fleet, seed=3)
    controller = PolicyController(policy, fleet=fleet)
    kept: list[torch.Tensor] = []

    def on_action(request_kw):
        request_kw.retain_grad()
        kept.append(request_kw)
        return request_kw

    trajectory = rollout.run(controller, days, on_action=on_action, keep_observations=True)
    loss(fleet, trajectory).backward()
    through_time = [parameter.grad.clone() for parameter in policy.parameters()]
    policy.zero_grad()
    again = controller.act(trajectory.observation)
    by_action = torch.stack([request.grad for request in kept], dim=1)
    (again * by_action).sum().backward()
    for parameter, expected in zip(policy.parameters(), through_time, strict=True):
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-9, atol=1e-12)


def test_replayed_requests_have_gradients_too(fleet, days):
    rollout = rollout_of(fleet, circuits.ieee123())
    with torch.no_grad():
        requests = rollout.run(Sensing(fleet), days).request_kw
    leaf = requests.clone().requires_grad_()
    loss(fleet, rollout.replay(leaf, days)).backward()
    assert torch.isfinite(leaf.grad).all()
    assert (leaf.grad != 0).any(dim=0).all()


@pytest.mark.parametrize("observe_voltage", [False, True])
def test_with_and_without_gradients_give_the_same_numbers(fleet, days, observe_voltage):
    rollout = rollout_of(fleet, circuits.ieee123(), observe_voltage=observe_voltage)
    controller = Sensing(fleet)
    graph = rollout.run(controller, days, keep_observations=True)
    with torch.no_grad():
        plain = rollout.run(controller, days, keep_observations=True)
    assert graph.violation_graph_kw is not None
    assert plain.violation_graph_kw is None
    for name in ("observation", "request_kw", "p_kw", "state", "violation_kw", "connection_p_kw"):
        torch.testing.assert_close(
            getattr(plain, name), getattr(graph, name).detach(), rtol=0, atol=1e-10, msg=name
        )
    torch.testing.assert_close(
        plain.solution.node_v_pu(), graph.solution.node_v_pu().detach(), rtol=0, atol=1e-9
    )


def test_days_do_not_affect_each_other(fleet):
    rollout = rollout_of(fleet, circuits.ieee123(), observe_voltage=True)
    days = some_days(fleet, n_days=3, n_steps=N_STEPS)
    controller = RuleBased(fleet)
    with torch.no_grad():
        together = rollout.run(controller, days)
        alone = rollout.run(controller, days.take([1]))
    torch.testing.assert_close(together.p_kw[1:2], alone.p_kw, rtol=0, atol=1e-12)
    torch.testing.assert_close(
        together.by_day(together.solution.node_v_pu())[1:2],
        alone.by_day(alone.solution.node_v_pu()),
        rtol=0,
        atol=1e-9,
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_grouped_steps_are_the_fleets_bit_for_bit(dtype):
    fleet = fleet_of(33).to(dtype=dtype)
    grouped = GroupedFleet(fleet)
    generator = torch.Generator().manual_seed(1)
    shape = (7, fleet.n_agents)
    request_kw = 10.0 * (torch.rand(shape, generator=generator, dtype=dtype) - 0.5)
    state = fleet.initial_state() * (
        0.9 + 0.2 * torch.rand(shape, generator=generator, dtype=dtype)
    )
    around = Surroundings(
        temp_out_c=torch.linspace(-5, 20, 7, dtype=dtype)[:, None],
        ghi_w_per_m2=torch.linspace(0, 900, 7, dtype=dtype)[:, None],
        plugged_in=torch.rand(shape, generator=generator, dtype=dtype).round(),
        trip_kwh=torch.rand(shape, generator=generator, dtype=dtype),
        departure_h=torch.rand(shape, generator=generator, dtype=dtype),
    )
    step = grouped.step(
        request_kw, state=state, surroundings=grouped.surroundings_by_group(around), dt_h=DT_H
    )
    p_kw, violation_kw = fleet.deliver(request_kw, state=state, surroundings=around, dt_h=DT_H)
    after = fleet.next_state(state, p_kw=p_kw, surroundings=around, dt_h=DT_H)
    assert torch.equal(step.p_kw, p_kw)
    assert torch.equal(step.violation_kw, violation_kw)
    assert torch.equal(step.state, after)


def test_sorting_agents_back_and_forth_has_the_right_gradient():
    grouped = GroupedFleet(fleet_of(4))
    values = torch.randn(3, 16, dtype=torch.float64, requires_grad=True)

    def there_and_back(values):
        parts = [part * (k + 1.0) ** 2 for k, part in enumerate(grouped.split(values))]
        return grouped.join(parts).sin()

    assert torch.autograd.gradcheck(there_and_back, (values,))
