"""The study of interviewed homes: who learns, what is judged in which homes, what is kept."""

import json
from dataclasses import replace

import pytest
import torch

from federates.hems.parameters import completed
from gradmap.errors import ScenarioError
from gradmap.policies.checkpoint import load_policy
from scenarios.case import open_case
from scenarios.householders import AskedHome, write_asked
from scenarios.loading import load_scenario
from scenarios.outputs import write_outputs
from scenarios.policy_card import agent_facts
from scenarios.run import run_scenario
from scenarios.study import interviewed_homes as study
from scenarios.study.results_folder import ResultsFolder
from scenarios.training.parent import changed_agents
from scenarios.training.run import train
from tests.cli.helpers import CommandLine
from tests.hems.federation.homes import CAR_AND_BATTERY, SAID
from tests.small_case import write_small_scenario

CHANGES = {
    "iterations": 2,
    "batch_days": 2,
    "processes": 1,
    "pool_days": 4,
    "epochs": 2,
    "validate_every": 2,
    "validation_days": 2,
}
TINY = study.SETTINGS.updated(CHANGES)
N_DAYS = 3


def home(**changes):
    values = CAR_AND_BATTERY | {"flexibility.participate": True}
    values |= {key.replace("__", "."): value for key, value in changes.items()}
    return completed(values, dict.fromkeys(values, SAID), currency="USD")


def asked_home(name, *, found, true):
    return AskedHome(
        name=name, number=0, level="expert", ended="done", n_turns=9, right=0.9, found=found,
        true=true,
    )  # fmt: skip


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A policy of the small case, and the study of two homes in it, one of them misunderstood."""
    folder = tmp_path_factory.mktemp("study")
    scenario = load_scenario(write_small_scenario(folder))
    policy = train(scenario, out=folder / "trained", settings=TINY)
    homes = (
        asked_home("h0004", found=home(), true=home()),
        asked_home(
            "h0009",
            found=home(battery__power_kw=1.0),
            true=home(battery__power_kw=8.0, comfort__temp_min_c=18.4),
        ),
    )
    out, results = folder / "street", ResultsFolder.at(folder / "results", study=study.STUDY)
    write_asked(homes, seed=0, folder=out / study.HOMES, true_folder=out / study.TRUE_HOMES)
    asked = study.InterviewedHomes(policy=policy, homes=homes, n_days=N_DAYS, settings=TINY)
    document = study.measure_interviewed_homes(scenario, asked, out=out, folder=results)
    return scenario, asked, out, results, document


def test_only_agents_of_these_homes_learn(measured):
    scenario, asked, out, _, document = measured
    parent = load_policy(asked.policy).policy
    for name in (study.TRUE, study.FOUND):
        took = document["fine_tuning"][name]
        assert took["retrained_agents"] == 8  # two homes of four devices
        assert 0 < took["new_agents"] < 8
        tuned = load_policy(out / name / "policy").policy
        others = [i for i in tuned.agent_ids if not i.startswith(("h0004.", "h0009."))]
        before, after = parent.for_agents(others), tuned.for_agents(others)
        pairs = zip(before.state_dict().values(), after.state_dict().values(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)
    case = open_case(study.with_interviews(scenario, folder=out / study.HOMES))
    own = {name for name in agent_facts(case.population) if name[:5] in ("h0004", "h0009")}
    changed = set(changed_agents(asked.policy, case.population))
    assert changed == own & set(parent.agent_ids)


def test_every_way_is_judged_in_the_homes_as_they_are(measured):
    document = measured[-1]
    ways = document["ways"]
    assert len(ways) == 6
    for way in ways.values():
        assert len(way["interviewed"]["days"]["cost"]) == N_DAYS
        assert (
            way["interviewed"]["days"]["violation_pu"] == way["everybody"]["days"]["violation_pu"]
        )
        own = sum(one["cost"] for one in way["by_home"].values())
        assert own == pytest.approx(way["interviewed"]["summary"]["cost"], abs=1e-3)
        assert way["everybody"]["summary"]["difference_max_pu"] < 1e-6
    names = ("before, true", "before, understood")
    right, wrong = (ways[name]["by_home"]["h0009"]["cost"] for name in names)
    assert wrong != right  # understood as a smaller battery
    rest = {
        name: way["everybody"]["summary"]["cost"] - way["interviewed"]["summary"]["cost"]
        for name, way in ways.items()
    }
    assert max(rest.values()) - min(rest.values()) < 0.02 * abs(rest["no_control"])
    assert "as I said" not in json.dumps(document)


def test_what_was_measured_is_looked_up(measured, monkeypatch):
    scenario, asked, out, results, document = measured
    monkeypatch.setattr(study, "train", None)
    again = study.measure_interviewed_homes(scenario, asked, out=out, folder=results)
    assert again["ways"] == document["ways"]
    other = replace(asked, n_days=N_DAYS + 1)
    with pytest.raises(TypeError):
        study.measure_interviewed_homes(scenario, other, out=out, folder=results)


def test_measured_again_elsewhere_it_is_the_same(measured, tmp_path):
    scenario, asked, _, _, document = measured
    write_asked(
        asked.homes, seed=0, folder=tmp_path / study.HOMES, true_folder=tmp_path / study.TRUE_HOMES
    )
    results = ResultsFolder.at(tmp_path / "results", study=study.STUDY)
    again = study.measure_interviewed_homes(scenario, asked, out=tmp_path, folder=results)
    assert again["key"] == document["key"]
    assert again["ways"] == document["ways"]
    tuned = [one["validation"] for one in again["fine_tuning"].values()]
    assert tuned == [one["validation"] for one in document["fine_tuning"].values()]


def test_the_tuned_policy_runs_beside_the_others_and_the_report_shows_the_homes(measured, tmp_path):
    pytest.importorskip("highspy", reason="highspy is an extra")
    scenario, asked, out, _, _ = measured
    tuned = out / study.FOUND / "policy"
    street = study.with_interviews(scenario, folder=out / study.HOMES)
    street = street.model_copy(
        update={
            "controllers": ("no_control", "rule_based", "hems", f"policy:{tuned}"),
            "policies": street.policies.model_copy(update={"outside_range": "warn"}),
            "time": street.time.model_copy(update={"step_min": 15}),
        }
    )
    refused = street.model_copy(update={"controllers": (f"policy:{asked.policy}",)})
    with pytest.raises(ScenarioError, match=r"no network for|another device"):
        run_scenario(refused, out=tmp_path / "refused", in_process=True)
    run = run_scenario(street, out=tmp_path / "run", in_process=True)
    assert run.controllers == ("no_control", "rule_based", "hems", "policy_understood")
    summaries = write_outputs(run)
    assert summaries["hems"].total_cost < summaries["no_control"].total_cost
    page = (run.folder / "report.html").read_text()
    assert "Interviewed homes" in page
    assert "<b>Energy managers.</b> Every home&#39;s energy manager plans" in page
    assert "battery, car, generator, heat pump" in page
    assert "Policy understood" in page


def test_a_policy_without_a_card_says_nothing_of_changes(measured, tmp_path):
    _, asked, _, _, _ = measured
    for name in ("policy.json", "policy.safetensors"):
        (tmp_path / name).write_bytes((asked.policy / name).read_bytes())
    with pytest.raises(ScenarioError, match=r"no card.json.*Name the agents"):
        changed_agents(tmp_path, None)


def test_the_command_prints_ways_and_homes(measured, monkeypatch, capsys):
    _, asked, out, results, _ = measured
    monkeypatch.setattr("scenarios.householders.ask_householders", lambda *_, **__: asked.homes)
    changes = [arg for name, value in CHANGES.items() for arg in ("--set", f"{name}={value}")]
    path = out.parent / "few.yaml"
    ended = CommandLine(capsys)(
        "study", "homes", path, "--out", out, "--policy", asked.policy, "--days", f"{N_DAYS}",
        "--results", results.path.parent, *changes,
    )  # fmt: skip
    assert ended.code == 0
    for words in ("before fine-tuning", "after, as understood", "h0009", "90 %", "of them new"):
        assert words in ended.out
    assert len(list(results.path.glob("*.json"))) == 1
    missing = CommandLine(capsys)("study", "homes", path, "--out", out, "--policy", "nowhere")
    assert missing.code == 2
    assert "'nowhere' has no policy" in missing.err
