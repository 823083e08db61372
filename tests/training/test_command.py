"""`gradmap train` from the command line: trained, tested in OpenDSS, described, usable."""

import json

import pytest

from gradmap.policies.card import read_card
from scenarios.cli.main import main
from scenarios.loading import dump_scenario

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
    changes = [word for change in SET for word in ("--set", change)]
    words = ["train", str(folder / "few.yaml"), "--out", str(folder / "out"), *changes]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--test-days", "3", "--quiet"])
    assert ended.value.code == 0
    return folder / "out"


def test_result_is_judged_by_opendss_and_stands_in_the_card(out):
    test = json.loads((out / "test.json").read_text())
    card = read_card(out / "policy")
    assert test["days"] == [0, 1, 2]
    assert card.test.judged_by == "OpenDSS"
    assert card.test.n_days == 3
    assert card.test.n_violating == sum(value > 1e-3 for value in test["facts"]["violation_pu"])
    assert card.test.cost_mean == pytest.approx(sum(test["facts"]["cost"]) / 3)
    assert max(test["facts"]["difference_pu"]) < 1e-6
    assert card.validation.n_days == 3
    assert card.training.iterations == 4
    assert "OpenDSS" in (out / "policy" / "MODEL_CARD.md").read_text()


def test_folder_is_complete(out):
    names = {path.name for path in out.iterdir()}
    assert {"run.json", "history.jsonl", "training.svg", "progress.safetensors"} <= names
