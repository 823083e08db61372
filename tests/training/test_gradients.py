"""What proximal steps follow is backpropagation through time, and every agent's own."""

import pytest
import torch

from gradmap.policies.independent import Architecture, IndependentPolicies, PolicyController
from gradmap.training.environment import Environment
from gradmap.training.lagrangian import Lagrangian
from gradmap.training.settings import TrainingSettings
from gradmap.training.surrogate import Surrogate, surrogate_gradients, updated_scale
from gradmap.violations import Limits
from tests.devices.populations import fleet_of
from tests.power_flow import circuits
from tests.rollout.homes_on_feeder import rollout_of, some_days

N_STEPS = 8
TIGHT = Limits(v_min_pu=0.999, v_max_pu=1.0005)
"""So that every constraint of the network is felt."""


def parts(dtype=torch.float64, *, std=None, **settings):
    """Fleet, policy, days and environment of a few homes; loading counts too."""
    fleet = fleet_of(5).to(dtype=dtype)
    rollout = rollout_of(fleet, circuits.ieee123(), **settings)
    days = some_days(fleet, n_steps=N_STEPS, n_days=3, first_h=4.0, scale=3.0)
    policy = IndependentPolicies.for_fleet(
        fleet, seed=1, architecture=Architecture(hidden=(6, 5)), days=days
    )
    weights = TrainingSettings(with_loading=True)
    lagrangian = Lagrangian(weights, fleet=fleet, limits=TIGHT, cost_scale=10.0)
    return fleet, policy, days, Environment(rollout, lagrangian)


def multipliers_of(environment, policy, days):
    look = environment.action_gradients(policy, days, multipliers={})
    return {name: 0.3 * torch.rand_like(value) for name, value in look.constraint.items()}


def relative(found, wanted):
    found, wanted = (torch.cat([value.flatten() for value in many]) for many in (found, wanted))
    return float((found - wanted).norm() / wanted.norm())


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize("observe_voltage", [False, True])
@pytest.mark.parametrize("trust_region", ["quadratic", "clip", "none"])
def test_first_step_is_backpropagation_through_time(dtype, bound, observe_voltage, trust_region):
    torch.manual_seed(0)
    _, policy, days, environment = parts(dtype, observe_voltage=observe_voltage)
    multipliers = multipliers_of(environment, policy, days)
    environment.parameter_gradients(policy, days, multipliers=multipliers)
    wanted = [parameter.grad.clone() for parameter in policy.parameters()]
    kept = environment.action_gradients(policy, days, multipliers=multipliers).kept
    scale = updated_scale(None, kept.gradient.square().mean(dim=0))
    surrogate = Surrogate(trust_region=trust_region, radius=0.1)
    surrogate_gradients(policy, kept, surrogate=surrogate, scale=scale)
    unscaled = scale[:, None, None] * len(kept.gradient)
    assert relative([p.grad * unscaled for p in policy.parameters()], wanted) < bound


def test_parts_of_a_batch_add_up():
    """Two processes' shares of a look are the whole look."""
    _, policy, days, environment = parts()
    multipliers = multipliers_of(environment, policy, days)
    whole = environment.action_gradients(policy, days, multipliers=multipliers)
    environment.parameter_gradients(policy, days, multipliers=multipliers)
    wanted = [parameter.grad.clone() for parameter in policy.parameters()]
    policy.zero_grad()
    looks = []
    for rank in range(2):
        share = Environment(environment.rollout, environment.lagrangian, peers=Share(rank))
        looks.append(share.action_gradients(policy, days, multipliers=multipliers))
        share.parameter_gradients(policy, days, multipliers=multipliers)
    assert sum(look.value for look in looks) == pytest.approx(whole.value, rel=1e-12)
    assert sum(look.cost for look in looks) == pytest.approx(whole.cost, rel=1e-12)
    kept = torch.cat([look.kept.gradient for look in looks])
    torch.testing.assert_close(kept, whole.kept.gradient, rtol=1e-9, atol=1e-15)
    for name, value in whole.constraint.items():
        total = sum(look.constraint[name] for look in looks)
        torch.testing.assert_close(total, value, rtol=1e-12, atol=1e-12)
    assert relative([p.grad for p in policy.parameters()], wanted) < 1e-10


class Share:
    """One of two processes whose sums nobody makes."""

    size = 2

    def __init__(self, rank):
        self.rank = rank

    def add(self, *values):
        pass


def test_network_terms_can_count_less():
    _, policy, days, environment = parts()
    multipliers = multipliers_of(environment, policy, days)
    values = [
        environment.action_gradients(
            policy, days, multipliers=multipliers, network_weight=weight
        ).value
        for weight in (0.0, 0.5, 1.0)
    ]
    assert values[2] > values[0]
    assert values[1] == pytest.approx(0.5 * (values[0] + values[2]), rel=1e-12)


def test_exploring_noise_enters_actions_and_gets_the_gradient_of_its_deviation():
    fleet, policy, days, environment = parts()
    normal = torch.randn(days.n_days, N_STEPS, fleet.n_agents, dtype=torch.float64)

    def value(std):
        look = environment.action_gradients(
            policy,
            days,
            multipliers={},
            std=torch.full_like(fleet.initial_state(), std),
            noise=normal,
        )
        return look

    look = value(0.05)
    log_std = torch.full_like(fleet.initial_state(), 0.05).log().requires_grad_()
    surrogate_gradients(
        policy,
        look.kept,
        surrogate=Surrogate(trust_region="none", radius=0.1),
        scale=torch.ones_like(fleet.initial_state()),
        log_std=log_std,
    )
    slope = float(log_std.grad.sum()) * look.kept.gradient.shape[0]
    # d L / d log(std), all agents together: moving the deviation by a factor.
    step = 1e-5
    up, down = value(0.05 * (1 + step)).value, value(0.05 * (1 - step)).value
    assert slope == pytest.approx((up - down) / (2 * step), rel=1e-4)
    quiet = environment.action_gradients(policy, days, multipliers={}).kept.action
    torch.testing.assert_close(
        look.kept.action[: days.n_steps][0], quiet[0] + 0.05 * normal[0, 0], rtol=0, atol=1e-9
    )


def test_open_loop_sees_no_policy_in_its_gradient():
    _, policy, days, environment = parts()
    open_loop = Environment(environment.rollout, environment.lagrangian, closed_loop=False)
    closed = environment.action_gradients(policy, days, multipliers={}).kept
    cut = open_loop.action_gradients(policy, days, multipliers={}).kept
    torch.testing.assert_close(cut.action, closed.action)
    by_step = [kept.gradient.reshape(days.n_days, N_STEPS, -1) for kept in (cut, closed)]
    assert (by_step[0][:, 0] - by_step[1][:, 0]).abs().max() > 1e-6
    torch.testing.assert_close(by_step[0][:, -1], by_step[1][:, -1], rtol=1e-9, atol=1e-15)


def test_an_agents_action_ignores_everybody_else():
    fleet, policy, days, environment = parts()
    controller = PolicyController(policy, fleet=fleet)
    obs = environment.rollout.run(controller, days, keep_observations=True).observation.flatten(
        0, 1
    )
    before = policy(obs)
    for agent in range(fleet.n_agents):
        others = torch.arange(fleet.n_agents) != agent
        changed = obs.clone()
        changed[:, others] += torch.randn_like(changed[:, others])
        other_policy = policy.for_agents(policy.agent_ids)
        with torch.no_grad():
            for parameter in other_policy.parameters():
                parameter[others] += torch.randn_like(parameter[others])
        after = other_policy(changed)
        assert torch.equal(after[:, agent], before[:, agent])
        assert not torch.equal(after[:, others], before[:, others])


@pytest.mark.parametrize("trust_region", ["quadratic", "clip"])
def test_trust_region_ends_useful_moves_and_never_harmful_ones(trust_region):
    surrogate = Surrogate(trust_region=trust_region, radius=0.1)
    g = torch.tensor([1.0, 1.0, 1.0, -1.0, -1.0])
    d = torch.tensor([-0.2, -0.01, 0.5, 0.2, -0.5])
    slope = surrogate.slope(g, d)
    assert slope[1] > 0.0  # useful and inside: onwards (descent lowers d)
    assert slope[2] > 0.0  # harmful: back
    assert slope[4] < 0.0
    assert surrogate.at_edge(g, d).tolist() == [True, False, False, True, False]
    if trust_region == "clip":
        assert slope[0] == slope[3] == 0.0
    else:
        assert slope[0] < 0.0 < slope[3]  # back to the minimum at -radius g


def test_scale_is_each_agents_own_moving_rms_with_a_floor():
    gradient = torch.tensor([[3.0, 0.0, 1.0], [4.0, 0.0, -1.0]])
    scale = updated_scale(None, gradient.square().mean(dim=0))
    assert scale[0] == pytest.approx((12.5) ** 0.5)
    assert 0.0 < scale[1] < 0.02
    later = updated_scale(scale, torch.zeros_like(scale))
    assert later[0] == pytest.approx(float(scale[0]) * 0.9**0.5)
