"""The bank of networks: independence of agents, exactness of chunks, reproducible start."""

from __future__ import annotations

import pytest
import torch

from gradmap.errors import ScenarioError
from gradmap.observations import INDEX, N_FEATURES
from gradmap.policies.independent import Architecture, IndependentPolicies, PolicyController
from tests.devices.populations import fleet_of, random_observations

SMALL = Architecture(hidden=(8, 8))


def test_action_depends_only_on_own_observation_and_own_weights() -> None:
    fleet = fleet_of(3)
    policy = IndependentPolicies.for_fleet(fleet, seed=1, architecture=SMALL)
    others = IndependentPolicies.for_fleet(fleet, seed=2, architecture=SMALL)
    obs = random_observations(fleet, leading=(5,), seed=1)
    other_obs = random_observations(fleet, leading=(5,), seed=2)
    before = policy(obs)
    for agent in range(fleet.n_agents):
        mixed_obs = other_obs.clone()
        mixed_obs[:, agent] = obs[:, agent]
        mixed = {name: value.clone() for name, value in others.state_dict().items()}
        for name, value in policy.state_dict().items():
            mixed[name][agent] = value[agent]
        changed = IndependentPolicies.for_fleet(fleet, seed=3, architecture=SMALL)
        changed.load_state_dict(mixed)
        after = changed(mixed_obs)
        torch.testing.assert_close(after[:, agent], before[:, agent], rtol=0, atol=1e-12)
        rest = torch.arange(fleet.n_agents) != agent
        assert (after[:, rest] != before[:, rest]).any()


def test_gradients_of_one_agent_reach_only_its_own_weights() -> None:
    fleet = fleet_of(2)
    policy = IndependentPolicies.for_fleet(fleet, seed=1, architecture=SMALL)
    policy(random_observations(fleet, leading=(4,)))[:, 3].sum().backward()
    for parameter in policy.parameters():
        touched = parameter.grad.flatten(1).any(dim=1)
        assert touched.tolist() == [agent == 3 for agent in range(fleet.n_agents)]


def test_the_bank_equals_plain_networks_one_by_one() -> None:
    fleet = fleet_of(2)
    policy = IndependentPolicies.for_fleet(fleet, seed=5, architecture=SMALL)
    obs = random_observations(fleet, leading=(3,))
    action = policy(obs)
    for agent in range(fleet.n_agents):
        hour_rad = obs[:, agent, 0] * 2 * torch.pi / 24
        clock = [torch.sin(hour_rad), torch.sin(2 * hour_rad)]
        clock += [torch.cos(hour_rad), torch.cos(2 * hour_rad)]
        scaled = (obs[:, agent] - policy.center[agent]) / policy.scale[agent]
        hidden = torch.cat([scaled, torch.stack(clock, dim=-1)], dim=-1)
        for weight, bias in zip(policy.weights, policy.biases, strict=True):
            hidden = torch.tanh(hidden @ weight[agent] + bias[agent])
        torch.testing.assert_close(action[:, agent], hidden[:, 0], rtol=1e-12, atol=1e-12)


def test_weights_match_finite_differences() -> None:
    fleet = fleet_of(1)
    policy = IndependentPolicies.for_fleet(fleet, seed=1, architecture=Architecture(hidden=(3,)))
    obs = random_observations(fleet, leading=(2,))
    names = [name for name, _ in policy.named_parameters()]
    values = tuple(value.detach().requires_grad_() for value in policy.parameters())

    def act(*parameters: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(policy, dict(zip(names, parameters, strict=True)), obs)

    assert torch.autograd.gradcheck(act, values)


def test_chunks_of_agents_equal_the_whole() -> None:
    fleet = fleet_of(5)
    policy = IndependentPolicies.for_fleet(fleet, seed=1, architecture=SMALL)
    obs = random_observations(fleet, leading=(2, 3))
    rows = obs.flatten(0, 1)
    parts = [
        policy.evaluate(policy.inputs(rows[:, p], agents=p), policy.part(p))
        for p in (slice(0, 7), slice(7, 20))
    ]
    whole = policy(obs).flatten(0, 1).t()
    torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=1e-12)


def test_policies_that_do_not_sense_voltage_ignore_it() -> None:
    fleet = fleet_of(5)
    obs = random_observations(fleet, leading=(3,))
    other = obs.clone()
    other[..., INDEX["v_pu"]] += 0.05
    for senses in (True, False):
        architecture = Architecture(hidden=(6,), senses_voltage=senses)
        policy = IndependentPolicies.for_fleet(fleet, seed=1, architecture=architecture)
        assert torch.equal(policy(obs), policy(other)) != senses
        changed = obs + 0.01
        assert not torch.equal(policy(obs), policy(changed))


def test_untrained_actions_are_small_and_depend_on_the_seed_alone() -> None:
    fleet = fleet_of(20)
    obs = random_observations(fleet, leading=(10,))
    action = IndependentPolicies.for_fleet(fleet, seed=1)(obs)
    assert action.abs().max() < 0.5
    assert action.dtype == torch.float64
    assert torch.equal(action, IndependentPolicies.for_fleet(fleet, seed=1)(obs))
    assert not torch.equal(action, IndependentPolicies.for_fleet(fleet, seed=2)(obs))


def test_observations_are_normalised_to_order_one() -> None:
    fleet = fleet_of(10)
    policy = IndependentPolicies.for_fleet(fleet, seed=1)
    scaled = (random_observations(fleet, leading=(50,)) - policy.center) / policy.scale
    assert scaled.shape[-1] == N_FEATURES
    ordinary = [index for name, index in INDEX.items() if name not in ("v_pu", "state")]
    assert scaled[..., ordinary].abs().max() < 7.0
    # Thousandths of a pu and tenths of a kelvin near the band's lower end count.
    assert scaled[..., INDEX["v_pu"]].abs().max() < 7.0
    assert scaled[..., INDEX["state"]].abs().median() < 3.0


def test_networks_of_some_agents_act_as_they_did() -> None:
    fleet = fleet_of(4)
    policy = IndependentPolicies.for_fleet(fleet, seed=1, architecture=SMALL)
    obs = random_observations(fleet)
    chosen = policy.for_agents(fleet.agent_ids[::-2])
    torch.testing.assert_close(
        chosen(obs.flip(0)[::2]), policy(obs).flip(0)[::2], rtol=0, atol=1e-12
    )
    assert not any(parameter.requires_grad for parameter in chosen.parameters())
    with pytest.raises(ScenarioError, match="no network for 1 of 1 agents, first 'x'"):
        policy.for_agents(["x"])


def test_policy_as_controller_requests_power_in_the_devices_range() -> None:
    fleet = fleet_of(4)
    policy = IndependentPolicies.for_fleet(fleet, seed=1, architecture=SMALL)
    obs = random_observations(fleet, leading=(2,))
    request_kw = PolicyController(policy, fleet=fleet).act(obs)
    assert torch.equal(request_kw, fleet.request_from_action(policy(obs)))
    low, high = fleet.action_range_kw()
    assert ((low <= request_kw) & (request_kw <= high)).all()
    with pytest.raises(ScenarioError, match="for_agents"):
        PolicyController(policy, fleet=fleet.subset(fleet.household_ids[:2]))


def test_empty_layers_are_refused() -> None:
    with pytest.raises(ScenarioError, match="widths >= 1"):
        Architecture(hidden=(0,))
