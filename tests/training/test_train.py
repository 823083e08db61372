"""`gradmap train` as people use it: a folder that can be gone on with, and policies that help."""

import json
import shutil

import pytest
import torch
import yaml

from gradmap.errors import GradmapError, ScenarioError
from gradmap.policies.card import read_card
from gradmap.policies.checkpoint import load_policy
from gradmap.policies.independent import PolicyController
from gradmap.training.validation import validate
from scenarios.case import open_case
from scenarios.loading import find_scenario, load_scenario
from scenarios.training import days as training_days
from scenarios.training import run as training_run
from scenarios.training.cross_check import TOLERANCE_PU, CrossCheck
from scenarios.training.folder import read_history, read_run
from scenarios.training.run import train
from tests.training.small import SETTINGS, interrupt_at, numbers, weights


def test_folder_says_what_was_done(trained, scenario):
    training = read_run(trained)
    rows = read_history(trained)
    assert [row["iteration"] for row in rows] == list(range(1, 7))
    assert training["scenario"] == "few"
    assert training["settings"]["iterations"] == 6
    assert training["best_validation"]["days"]["n_days"] == 3
    assert training["seed"] == 0
    assert training["fine_tuning"] is None
    assert {"python", "torch", "opendssdirect.py"} <= set(training["versions"])
    assert all(row["seconds"] >= row["validation_s"] >= 0.0 for row in rows)
    assert training["training_s"] == pytest.approx(sum(row["seconds"] for row in rows))
    checks = [row["cross_check"] for row in rows if row["cross_check"]]
    assert len(checks) == 3
    assert all(check["max_pu"] <= TOLERANCE_PU[torch.float32] for check in checks)
    assert rows[1]["validation"] is not None
    assert rows[2]["validation"] is None


def test_same_seed_same_policies_and_another_seed_others(trained, scenario, tmp_path):
    train(scenario, out=tmp_path / "again", settings=SETTINGS)
    first, again = weights(trained), weights(tmp_path / "again")
    assert all(torch.equal(first[name], again[name]) for name in first)
    train(scenario, out=tmp_path / "other", settings=SETTINGS.updated({"seed": 1}))
    other = weights(tmp_path / "other")
    assert not torch.equal(first["weights.0"], other["weights.0"])


@pytest.mark.parametrize("changes", [{}, {"std_start": 0.05}, {"method": "backprop"}])
def test_interrupted_and_resumed_equals_uninterrupted(trained, scenario, tmp_path, changes):
    settings = SETTINGS.updated(changes)
    whole = trained
    if changes:
        whole = tmp_path / "whole"
        train(scenario, out=whole, settings=settings)
    out = tmp_path / "out"

    with pytest.raises(KeyboardInterrupt):
        train(scenario, out=out, settings=settings, on_step=interrupt_at(5))
    assert len(read_history(out)) == 5
    train(scenario, out=out, settings=settings)
    wanted, found = weights(whole), weights(out)
    assert all(torch.equal(wanted[name], found[name]) for name in wanted)
    assert numbers(out) == numbers(whole)


def test_days_drawn_on_the_way_are_the_same_after_an_interruption(scenario, tmp_path, monkeypatch):
    monkeypatch.setattr(training_days, "KEPT_DAYS", 2)
    whole, out = tmp_path / "whole", tmp_path / "out"
    train(scenario, out=whole, settings=SETTINGS)
    assert read_card(whole / "policy").days.n_days == 2

    with pytest.raises(KeyboardInterrupt):
        train(scenario, out=out, settings=SETTINGS, on_step=interrupt_at(3))
    train(scenario, out=out, settings=SETTINGS)
    assert numbers(out) == numbers(whole)
    wanted, found = weights(whole), weights(out)
    assert all(torch.equal(wanted[name], found[name]) for name in wanted)


def test_other_settings_or_damaged_progress_are_refused(trained, scenario, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(trained, out)
    with pytest.raises(ScenarioError, match="settings"):
        train(scenario, out=out, settings=SETTINGS.updated({"epochs": 3}))
    file = out / "progress.safetensors"
    raw = bytearray(file.read_bytes())
    raw[-5] ^= 1
    file.write_bytes(raw)
    with pytest.raises(ScenarioError, match="damaged"):
        train(scenario, out=out, settings=SETTINGS)


def test_training_lowers_violation_and_cost(scenario, tmp_path):
    settings = SETTINGS.updated(
        {
            "iterations": 40,
            "batch_days": 4,
            "pool_days": 16,
            "epochs": 4,
            "validate_every": 40,
            "learning_rate": 0.01,
        }
    )
    case = open_case(scenario)
    rollout = case.rollout(dtype=torch.float32)
    days = case.days.sample("test", range(5))
    train(scenario, out=tmp_path / "out", settings=settings)

    def judged(policy):
        controller = PolicyController(policy, fleet=rollout.fleet)
        return validate(rollout, controller, days, limits=case.limits)

    after = judged(load_policy(tmp_path / "out" / "policy").policy.to(torch.float32))
    before = validate(
        rollout, case.controller("no_control", fleet=rollout.fleet), days, limits=case.limits
    )
    assert before.violation_mean_pu > 0.0035
    assert after.violation_mean_pu < 0.5 * before.violation_mean_pu
    assert after.cost < before.cost


def test_disagreement_with_opendss_stops_training(scenario, tmp_path, monkeypatch):
    wrong = CrossCheck(n_situations=1, max_pu=2e-5, p99_pu=1e-5, mean_pu=1e-6, tolerance_pu=1e-5)
    monkeypatch.setattr(training_run, "cross_check", lambda *_, **__: wrong)
    with pytest.raises(GradmapError, match=r"after iteration 2: .* OpenDSS"):
        train(scenario, out=tmp_path / "out", settings=SETTINGS)
    assert json.loads((tmp_path / "out" / "history.jsonl").read_text().splitlines()[-1])


def test_nobody_to_train_is_one_clear_error(tmp_path):
    data = yaml.safe_load(find_scenario("ieee123_1000_agents").read_text())
    data["population"] |= {"n_households": 20, "allocation": "independent"}
    data["population"]["devices"] = dict.fromkeys(
        ("battery", "heat_pump", "generator", "ev_charger"), 0.0
    )
    path = tmp_path / "empty.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(ScenarioError, match="controllable device"):
        train(load_scenario(path), out=tmp_path / "out", settings=SETTINGS)


def test_float64_agrees_with_opendss_and_is_gone_on_with_in_float64_only(scenario, tmp_path):
    settings = SETTINGS.updated({"iterations": 2})
    train(scenario, out=tmp_path, settings=settings, dtype=torch.float64)
    assert {value.dtype for value in weights(tmp_path).values()} == {torch.float64}
    (check,) = (row["cross_check"] for row in read_history(tmp_path) if row["cross_check"])
    assert check["tolerance_pu"] == 1e-6
    assert check["max_pu"] <= 1e-6
    with pytest.raises(ScenarioError, match=r"torch\.float64, expected torch\.float32"):
        train(scenario, out=tmp_path, settings=settings)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("changes", [{}, {"senses_voltage": True}, {"method": "backprop"}])
def test_training_on_cuda_goes_the_way_of_the_cpu(scenario, tmp_path, changes):
    settings = SETTINGS.updated({"iterations": 2, **changes})
    for device in ("cpu", "cuda"):
        train(scenario, out=tmp_path / device, settings=settings, device=device)
    on_cpu, on_cuda = read_history(tmp_path / "cpu"), read_history(tmp_path / "cuda")
    for one, other in zip(on_cpu, on_cuda, strict=True):
        assert other["value"] == pytest.approx(one["value"], rel=1e-3)
        assert other["cost"] == pytest.approx(one["cost"], rel=1e-3)
