"""Fine-tuning: learners learn exactly as they would among learners, the others do not move."""

import json

import pytest
import torch

from gradmap.errors import ScenarioError
from gradmap.policies.independent import Architecture, IndependentPolicies
from gradmap.training.fine_tuning import FineTuning, Learners, agents_to_train, fine_tune
from scenarios.cli.main import main
from scenarios.training.folder import read_run
from scenarios.training.parent import FineTune
from scenarios.training.run import train
from tests.devices.populations import fleet_of
from tests.rollout.homes_on_feeder import some_days
from tests.training.small import SETTINGS, TRAINED, interrupt_at, numbers, trainer_of, weights


@pytest.mark.parametrize(
    "settings", [{}, {"senses_voltage": True}, {"method": "backprop"}, {"std_start": 0.05}]
)
def test_learners_get_better_and_nobody_else_moves(settings):
    trainer = trainer_of(**settings)
    days = trainer.pool
    policy = trainer.progress.policy
    before = {name: value.clone() for name, value in policy.state_dict().items()}

    def value():
        acting = trainer.progress.learners.acting
        return trainer.environment.action_gradients(acting, days, multipliers={}).value

    first = value()
    for _ in trainer.run():
        pass
    assert value() < first
    frozen = torch.tensor([row for row in range(policy.n_agents) if row not in TRAINED])
    for name, after in policy.state_dict().items():
        assert torch.equal(after[frozen], before[name][frozen])
        if name.startswith(("weights", "biases")):
            assert all(not torch.equal(after[row], before[name][row]) for row in TRAINED)
        else:
            assert torch.equal(after, before[name])  # normalisation
    best = trainer.best.state_dict()
    assert all(torch.equal(best[name][frozen], before[name][frozen]) for name in best)


@pytest.mark.parametrize("senses_voltage", [False, True])
def test_learners_gradients_are_those_they_have_when_all_learn(senses_voltage):
    trainer = trainer_of(senses_voltage=senses_voltage)
    progress, days = trainer.progress, trainer.pool
    mixed = trainer.environment.action_gradients(progress.learners.acting, days, multipliers={})
    whole = trainer.environment.action_gradients(
        progress.policy.for_agents(progress.policy.agent_ids).requires_grad_(True),
        days,
        multipliers={},
    )
    assert mixed.value == pytest.approx(whole.value, rel=1e-12)
    kept, wanted = progress.learners.of(mixed.kept), whole.kept.of_agents(torch.tensor(TRAINED))
    assert wanted.gradient.abs().max() > 1e-6
    torch.testing.assert_close(kept.gradient, wanted.gradient, rtol=1e-9, atol=1e-14)
    torch.testing.assert_close(kept.observation, wanted.observation, rtol=1e-12, atol=1e-12)


def test_rows_go_into_the_bank_and_come_out_again():
    policy = trainer_of().progress.policy
    learners = Learners(policy, trained=TRAINED)
    with torch.no_grad():
        for parameter in learners.networks.parameters():
            parameter.add_(1.0)
    learners.write_back()
    ids = [policy.agent_ids[row] for row in TRAINED]
    wanted = policy.for_agents(ids).state_dict()
    assert all(torch.equal(v, wanted[k]) for k, v in learners.networks.state_dict().items())
    with torch.no_grad():
        learners.networks.weights[0].zero_()
    learners.read_back()
    assert torch.equal(learners.networks.weights[0], wanted["weights.0"])
    assert learners.spread(torch.ones(3)).nonzero().flatten().tolist() == list(TRAINED)


def test_new_agents_start_afresh_known_ones_as_they_were_and_gone_ones_are_left_out():
    old, new = fleet_of(3, kinds=("battery", "generator")), fleet_of(4, kinds=("battery",))
    days = some_days(new, n_days=2)
    architecture = Architecture(hidden=(4,), clock_harmonics=1)
    parent = IndependentPolicies.for_fleet(old, seed=5, architecture=architecture)
    trained = agents_to_train(parent, new, named=["h0001.battery"])
    assert trained == (1, 3)
    found = fine_tune(parent, new, trained=trained, days=days, seed=0)
    assert found.trained_ids == ("h0001.battery", "h0003.battery")
    assert found.policy.architecture == architecture
    known = ["h0000.battery", "h0001.battery", "h0002.battery"]
    wanted, state = parent.for_agents(known).state_dict(), found.policy.state_dict()
    assert all(torch.equal(state[name][:3], wanted[name]) for name in state)
    measured = IndependentPolicies.for_fleet(new, seed=0, days=days)
    assert torch.equal(state["scale"][3], measured.scale[3])
    others = fine_tune(parent, new, trained=(3,), days=days, seed=0)
    assert others.key != found.key
    assert fine_tune(parent, new, trained=trained, days=days, seed=0).key == found.key


def test_unknown_agents_and_nobody_to_train_are_one_clear_error():
    fleet = fleet_of(2)
    parent = IndependentPolicies.for_fleet(fleet, seed=0)
    with pytest.raises(ScenarioError, match=r"'h0009.battery' is not among the fleet's 8 agents"):
        agents_to_train(parent, fleet, named=["h0009.battery"])
    with pytest.raises(ScenarioError, match="nobody to train"):
        agents_to_train(parent, fleet)


def test_policies_of_another_fleet_are_refused():
    other = IndependentPolicies.for_fleet(fleet_of(3), seed=0)
    with pytest.raises(ScenarioError, match="fleet of 16"):
        trainer_of(fine_tuning=FineTuning(policy=other, trained=(0,)))


@pytest.fixture(scope="module")
def asked(trained):
    """Three agents of the small training, by name."""
    ids = json.loads((trained / "policy" / "policy.json").read_text())["agent_ids"]
    return FineTune(policy_folder=trained / "policy", agents=(ids[30], ids[2], ids[11]))


def test_folder_records_the_parent_and_resumed_equals_uninterrupted(
    scenario, trained, asked, tmp_path
):
    settings = SETTINGS.updated({"learning_rate": 0.02, "std_start": 0.05})
    whole, out = tmp_path / "whole", tmp_path / "out"
    train(scenario, out=whole, settings=settings, fine_tune=asked)
    before, after = weights(trained), weights(whole)
    rows = [2, 11, 30]
    frozen = torch.tensor([row for row in range(len(before["scale"])) if row not in rows])
    assert all(torch.equal(after[name][frozen], before[name][frozen]) for name in before)
    recorded = read_run(whole)["fine_tuning"]
    sidecar = json.loads((asked.policy_folder / "policy.json").read_text())
    assert recorded["parent_tensors_sha256"] == sidecar["tensors_sha256"]
    assert recorded["retrained_agents"] == [sidecar["agent_ids"][row] for row in rows]
    assert recorded["new_agents"] == []

    with pytest.raises(KeyboardInterrupt):
        train(scenario, out=out, settings=settings, fine_tune=asked, on_step=interrupt_at(5))
    with pytest.raises(ScenarioError, match="start"):
        train(scenario, out=out, settings=settings)
    train(scenario, out=out, settings=settings, fine_tune=asked)
    assert all(torch.equal(value, after[name]) for name, value in weights(out).items())
    assert numbers(out) == numbers(whole)


def test_what_cannot_be_fine_tuned_is_one_clear_error(scenario, trained, asked, tmp_path, capsys):
    with pytest.raises(ScenarioError, match="would be overwritten"):
        train(scenario, out=trained, settings=SETTINGS, fine_tune=asked)
    with pytest.raises(ScenarioError, match=r"`hidden` is \(5,\), expected \(16,\)"):
        train(
            scenario,
            out=tmp_path / "out",
            settings=SETTINGS.updated({"hidden": [5]}),
            fine_tune=asked,
        )
    with pytest.raises(SystemExit) as ended:
        main(["train", "quick_start", "--out", str(tmp_path / "out"), "--agents", "h0001.battery"])
    assert ended.value.code == 2
    assert "--fine-tune" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
