"""A policy acts on devices as they are with what it took them to be."""

import torch

from gradmap.baselines.no_control import NoControl
from gradmap.baselines.rule_based import RuleBased
from gradmap.observations import N_FEATURES
from gradmap.policies.independent import IndependentPolicies, PolicyController
from scenarios.study.understood import AsUnderstood, Except
from tests.devices.populations import fleet_of

OBS = torch.rand(3, 20, N_FEATURES, generator=torch.Generator().manual_seed(1)).double() * 20.0


def test_with_devices_as_understood_it_is_the_policy():
    fleet = fleet_of(5)
    policy = IndependentPolicies.for_fleet(fleet, seed=3)
    obs = OBS[:, : fleet.n_agents]
    wanted = PolicyController(policy, fleet=fleet).act(obs)
    got = AsUnderstood(policy, understood=fleet, actual=fleet).act(obs)
    assert torch.equal(got, wanted)


def test_devices_nobody_knows_of_run_by_habit_and_those_that_are_not_there_are_nothing():
    actual = fleet_of(4, kinds=("battery", "heat_pump"))
    understood = fleet_of(4, kinds=("battery", "generator"))
    policy = IndependentPolicies.for_fleet(understood, seed=3)
    obs = OBS[:, : actual.n_agents]
    got = AsUnderstood(policy, understood=understood, actual=actual).act(obs)
    habits = NoControl(actual).act(obs)
    for k, (agent_id, kind) in enumerate(zip(actual.agent_ids, actual.kinds, strict=True)):
        if kind == "heat_pump":
            assert torch.equal(got[:, k], habits[:, k])
        else:
            row = understood.agent_ids.index(agent_id)
            action = policy.for_agents([agent_id])(obs[:, k : k + 1])[:, 0]
            low, high = (ends[row] for ends in understood.action_range_kw())
            torch.testing.assert_close(got[:, k], low + (high - low) * (action + 1) / 2)


def test_some_agents_may_have_another_controller():
    fleet = fleet_of(4)
    obs = OBS[:, : fleet.n_agents]
    some = torch.tensor([1, 3])
    mixed = Except(usual=NoControl(fleet), other=RuleBased(fleet), agents=some).act(obs)
    usual, other = NoControl(fleet).act(obs), RuleBased(fleet).act(obs)
    assert torch.equal(mixed[:, some], other[:, some])
    rest = torch.tensor([k for k in range(fleet.n_agents) if k not in (1, 3)])
    assert torch.equal(mixed[:, rest], usual[:, rest])
