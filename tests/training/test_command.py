"""`gradmap train` from the command line: trained, tested in OpenDSS, described, usable."""

import json
import shutil
from dataclasses import replace

import pytest

from gradmap.errors import ScenarioError
from gradmap.policies.card import read_card
from gradmap.policies.checkpoint import load_policy
from scenarios.case import open_case
from scenarios.cli.main import main
from scenarios.loading import dump_scenario, load_scenario
from scenarios.study.methods import STUDY, evaluate_method
from scenarios.study.results_folder import ResultsFolder
from scenarios.training.tested import read_test

SET = [
    "iterations=4",
    "batch_days=2",
    "processes=1",
    "pool_days=4",
    "epochs=2",
    "validate_every=2",
    "validation_days=3",
]


@pytest.fixture(scope="module")
def out(scenario, tmp_path_factory):
    """A training folder made by the command."""
    folder = tmp_path_factory.mktemp("command")
    dump_scenario(scenario, folder / "few.yaml")
    trained(folder / "few.yaml", folder / "out", test_days=3)
    return folder / "out"


def trained(scenario, out, *, test_days, more=()):
    """Train, or go on training, by the command."""
    changes = [word for change in SET for word in ("--set", change)]
    words = ["train", str(scenario), "--out", str(out), *changes, "--quiet"]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--test-days", str(test_days), *more])
    assert ended.value.code == 0


@pytest.fixture
def again(out, tmp_path):
    """A copy of the finished folder, to go on with."""
    return shutil.copytree(out, tmp_path / "out")


def test_result_is_judged_by_opendss_and_stands_in_the_card(out):
    test = json.loads((out / "test.json").read_text())
    card = read_card(out / "policy")
    assert test["days"] == [0, 1, 2]
    assert card.test.judged_by == "OpenDSS"
    assert card.test.n_days == 3
    assert card.test.n_violating == sum(value > 1e-3 for value in test["facts"]["violation_pu"])
    assert card.test.n_outside == sum(value > 0.0 for value in test["facts"]["violation_pu"])
    assert card.test.n_overloaded == sum(value > 0.01 for value in test["facts"]["overload"])
    assert card.validation.n_overloaded is None
    assert card.test.cost_mean == pytest.approx(sum(test["facts"]["cost"]) / 3)
    assert max(test["facts"]["difference_pu"]) < 1e-6
    assert card.validation.n_days == 3
    run = json.loads((out / "run.json").read_text())
    assert card.validation.n_outside == run["best_validation"]["n_outside"]
    assert card.training.with_loading is False
    assert card.tensors_sha256 == load_policy(out / "policy").tensors_sha256 == test["policy"]
    assert card.training.iterations == 4
    assert "OpenDSS" in (out / "policy" / "MODEL_CARD.md").read_text()


def test_folder_is_complete(out):
    names = {path.name for path in out.iterdir()}
    assert {"run.json", "history.jsonl", "training.svg", "progress.safetensors"} <= names


def test_going_on_with_a_finished_training_keeps_its_test(out, again):
    trained(out.parent / "few.yaml", again, test_days=0)
    assert read_card(again / "policy").test == read_card(out / "policy").test is not None
    text = (again / "policy" / "MODEL_CARD.md").read_text()
    assert "of 3 days are more than 0.001 pu outside" in text


def test_the_same_days_are_not_tested_again(out, again, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("tested again")

    monkeypatch.setattr("scenarios.study.methods.roll_out_days", refuse)
    trained(out.parent / "few.yaml", again, test_days=3)
    assert json.loads((again / "test.json").read_text()) == json.loads(
        (out / "test.json").read_text()
    )
    assert read_card(again / "policy").test == read_card(out / "policy").test
    with pytest.raises(AssertionError, match="tested again"):
        trained(out.parent / "few.yaml", again, test_days=2)


def test_a_test_is_kept_for_comparisons_when_asked(out, again, tmp_path, monkeypatch):
    results = tmp_path / "results"
    trained(out.parent / "few.yaml", again, test_days=3, more=["--results", str(results)])
    monkeypatch.setattr(
        "scenarios.study.methods.roll_out_days", lambda *_, **__: pytest.fail("measured again")
    )
    case = open_case(load_scenario(out.parent / "few.yaml"))
    folder = ResultsFolder.at(results, study=STUDY)
    found = evaluate_method(case, f"policy:{again / 'policy'}", n_days=3, folder=folder)
    test = json.loads((again / "test.json").read_text())
    assert found.facts.cost.tolist() == test["facts"]["cost"]


def test_testing_on_another_machine_changes_the_test_alone(out, again, monkeypatch):
    for module in ("scenarios.training.folder", "scenarios.policy_card"):
        monkeypatch.setattr(
            f"{module}.machine", lambda: {"cores": 7, "system": "Other", "machine": "other"}
        )
        monkeypatch.setattr(f"{module}.versions", lambda: {"gradmap": "9.9"})
    trained(out.parent / "few.yaml", again, test_days=2)
    for name in ("run.json", "history.jsonl", "policy/policy.json", "policy/policy.safetensors"):
        assert (again / name).read_bytes() == (out / name).read_bytes()
    card = read_card(again / "policy")
    assert card.test.n_days == 2
    assert replace(card, test=None) == replace(read_card(out / "policy"), test=None)


def test_json_has_the_training_its_policy_and_its_test_and_nothing_else(out, again, capsys):
    trained(out.parent / "few.yaml", again, test_days=3, more=["--json"])
    document = json.loads(capsys.readouterr().out)
    run = json.loads((again / "run.json").read_text())
    assert {name: document[name] for name in run} == run
    assert document["policy"] == str(again / "policy")
    assert document["test"] == json.loads((again / "test.json").read_text())["summary"]


def test_a_policy_that_is_gone_is_written_again(out, again):
    shutil.rmtree(again / "policy")
    trained(out.parent / "few.yaml", again, test_days=0)
    assert read_card(again / "policy").test == read_card(out / "policy").test


def test_the_test_of_another_policy_is_none_of_this_one(out, again):
    document = json.loads((again / "test.json").read_text())
    (again / "test.json").write_text(json.dumps(document | {"policy": "0" * 64}))
    trained(out.parent / "few.yaml", again, test_days=0)
    assert read_card(again / "policy").test is None


def test_a_broken_test_file_is_named(out, again):
    (again / "test.json").write_text("{}")
    with pytest.raises(ScenarioError, match=r"test\.json' cannot be read.*Delete it"):
        read_test(again, policy_sha256="0" * 64)
