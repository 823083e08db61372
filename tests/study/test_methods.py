"""Methods on test days: what is kept is what would be measured, and OpenDSS judges."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from gradmap.errors import GradmapError, ScenarioError
from gradmap.policies.checkpoint import Provenance, save_policy
from gradmap.policies.independent import Architecture, IndependentPolicies
from gradmap.violation_summary import Share
from gradmap.violations import limited_nodes, rated_branches
from scenarios.case import open_case
from scenarios.loading import load_scenario
from scenarios.replay import household_powers, replay_in_opendss, replay_trajectory
from scenarios.study import method_days, methods
from scenarios.study.method_days import DayFacts, judged
from scenarios.study.methods import evaluate_method, keep, method_identity, summary_of
from scenarios.study.processes import run_queue
from scenarios.study.results_folder import ResultsFolder
from tests.small_case import write_small_scenario

N_DAYS = 6


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return open_case(load_scenario(write_small_scenario(tmp_path_factory.mktemp("scenario"))))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return ResultsFolder.at(tmp_path_factory.mktemp("results"), study="methods")


@pytest.fixture(scope="module")
def measured(case, folder):
    return evaluate_method(case, "no_control", n_days=N_DAYS, folder=folder, n_processes=1)


def write_policy(case, folder, *, seed=0, senses_voltage=False):
    architecture = Architecture(hidden=(4,), senses_voltage=senses_voltage)
    policy = IndependentPolicies.for_fleet(case.fleet(), seed=seed, architecture=architecture)
    origin = Provenance(feeder_hash="", scenario_hash="", seed=seed, version="0")
    save_policy(folder, policy=policy, provenance=origin)
    return f"policy:{folder}"


def test_a_kept_result_is_found_and_is_what_is_measured_again(case, folder, measured, monkeypatch):
    again = evaluate_method(
        case, "no_control", n_days=N_DAYS, folder=folder, again=True, n_processes=1
    )
    monkeypatch.setattr(methods, "roll_out_days", lambda *_, **__: pytest.fail("measured again"))
    found = evaluate_method(case, "no_control", n_days=N_DAYS, folder=folder)
    for name, values in measured.facts.arrays().items():
        np.testing.assert_array_equal(values, found.facts.arrays()[name])
        np.testing.assert_allclose(values, again.facts.arrays()[name], rtol=1e-6, atol=1e-9)
    assert found.summary() == measured.summary()


def test_the_file_says_what_was_run_and_where(case, folder, measured):
    document = json.loads(next(iter(folder.path.glob("*.json"))).read_text())
    assert document["asked"]["case"] == case.key
    assert document["asked"]["method"] == "no_control"
    assert document["controller"] == "no_control"
    assert document["versions"]["torch"]
    assert document["hardware"]["cores"]
    assert document["seed"] == case.scenario.seed
    assert len(document["days"]["cost"]) == N_DAYS
    assert document["summary"]["violating"]["n_violating"] == measured.violating.sum()


def test_days_are_judged_as_a_direct_replay_in_opendss_says(case, measured):
    rollout = case.rollout()
    number = 4
    with torch.no_grad():
        controller = case.controller("no_control", fleet=rollout.fleet)
        trajectory = rollout.run(controller, case.days.sample("test", [number]))
    p, q = household_powers(trajectory, fleet=rollout.fleet, homes=case.homes())
    vm_pu = replay_in_opendss(case, p_kw=p, q_kvar=q).vm_pu[..., limited_nodes(case.feeder).numpy()]
    outside = max(vm_pu.max() - case.limits.v_max_pu, case.limits.v_min_pu - vm_pu.min(), 0.0)
    assert measured.facts.violation_pu[number] == pytest.approx(outside, rel=1e-5)
    assert measured.violating[number] == (outside > 1e-3)
    assert measured.violating.sum() > 0
    assert measured.facts.difference_pu.max() < 1e-8


def test_loadings_are_opendss_s_and_make_no_day_violating(case):
    tight = replace(case, limits=replace(case.limits, v_min_pu=0.5, v_max_pu=1.5, loading_max=0.3))
    rollout = case.rollout()
    controller = case.controller("no_control", fleet=rollout.fleet)
    found = judged(tight, rollout, controller, numbers=[4, 5])
    with torch.no_grad():
        trajectory = rollout.run(controller, case.days.sample("test", [4, 5]))
    loading = replay_trajectory(case, trajectory, fleet=rollout.fleet).loading
    over = np.nanmax(loading[..., rated_branches(case.feeder).numpy()], axis=(1, 2)) - 0.3
    np.testing.assert_allclose(found.of_network["overload"], over)
    of_agents = {name: value.sum(axis=1) for name, value in found.of_agents.items()}
    facts = DayFacts.joined([of_agents | found.of_network])
    assert summary_of(facts).n_overloaded == 2
    assert summary_of(facts).overload_max == pytest.approx(over.max(), rel=1e-5)
    assert not facts.violating.any()


def test_a_file_from_before_loadings_were_measured_says_so(case, folder, measured, tmp_path):
    file = next(path for path in folder.path.glob("*.json") if "no_control" in path.read_text())
    document = json.loads(file.read_text())
    del document["days"]["overload"]
    older = ResultsFolder.at(tmp_path, study="methods")
    (older.path / file.name).write_text(json.dumps(document))
    found = evaluate_method(case, "no_control", n_days=N_DAYS, folder=older)
    assert found.summary().n_overloaded is None
    keep(found, case=case, folder=older)
    assert json.loads((older.path / file.name).read_text())["days"] == document["days"]
    assert found.summary().violating == measured.summary().violating


def test_processes_and_batches_change_nothing(case, measured, monkeypatch):
    monkeypatch.setattr(method_days, "BATCH", 2)
    shares = []
    spread = evaluate_method(
        case, "no_control", n_days=N_DAYS, n_processes=2, on_progress=shares.append
    )
    for name, values in measured.facts.arrays().items():
        np.testing.assert_allclose(values, spread.facts.arrays()[name], rtol=1e-6, atol=1e-9)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


def test_fresh_days_are_other_days_and_are_kept_apart(case, folder, measured):
    n_files = len(list(folder.path.glob("*.json")))
    fresh = evaluate_method(
        case, "no_control", n_days=2, split="fresh", folder=folder, n_processes=1
    )
    assert len(list(folder.path.glob("*.json"))) == n_files + 1
    assert not np.isin(fresh.facts.cost, measured.facts.cost).any()
    again = evaluate_method(case, "no_control", n_days=2, split="fresh", folder=folder)
    np.testing.assert_array_equal(again.facts.cost, fresh.facts.cost)


@pytest.mark.parametrize("senses_voltage", [False, True])
def test_policies_are_known_by_their_tensors(case, folder, tmp_path, senses_voltage):
    controller = write_policy(case, tmp_path / "a", senses_voltage=senses_voltage)
    first = evaluate_method(case, controller, n_days=2, folder=folder, n_processes=1)
    moved = write_policy(case, tmp_path / "b", senses_voltage=senses_voltage)
    other = write_policy(case, tmp_path / "c", seed=1, senses_voltage=senses_voltage)
    sidecar = json.loads((tmp_path / "a" / "policy.json").read_text())
    assert first.identity == sidecar["tensors_sha256"] == method_identity(moved)
    assert method_identity(other) != first.identity
    assert first.facts.difference_pu.max() < 1e-5
    n_files = len(list(folder.path.glob("*.json")))
    evaluate_method(case, moved, n_days=2, folder=folder, n_processes=1)
    assert len(list(folder.path.glob("*.json"))) == n_files
    # Files are shared: they do not tell where a policy lay.
    assert not any(str(tmp_path) in path.read_text() for path in folder.path.glob("*.json"))


def test_a_policy_that_changes_meanwhile_is_refused(case, tmp_path):
    controller = write_policy(case, tmp_path / "a")

    def overwrite(_):
        write_policy(case, tmp_path / "a", seed=1)

    with pytest.raises(ScenarioError, match="changed while"):
        evaluate_method(case, controller, n_days=1, n_processes=1, on_progress=overwrite)


def test_steps_without_solution_count_as_violating(measured):
    calm = dict.fromkeys(measured.facts.arrays(), np.zeros(3))
    facts = type(measured.facts)(**{**calm, "n_unsolved": np.array([0.0, 2.0, 0.0])})
    found = methods.MethodDays(
        controller="no_control", identity="no_control", numbers=(0, 1, 2), facts=facts, seconds=0.0
    )
    assert found.violating.tolist() == [False, True, False]
    assert found.summary().n_unsolved == 2


@pytest.mark.parametrize(("k", "n", "bound"), [(0, 300, 0.00994), (4, 1000, 0.00912)])
def test_bound_is_that_of_clopper_and_pearson(k, n, bound):
    assert Share(n_days=n, n_violating=k).upper_bound == pytest.approx(bound, abs=1e-5)


def test_bound_of_no_violating_day_in_closed_form():
    assert Share(n_days=300, n_violating=0).upper_bound == pytest.approx(1 - 0.05 ** (1 / 300))


def test_damaged_and_unwritable_folders_are_one_clear_error(folder, measured, tmp_path):
    file = next(iter(folder.path.glob("*.json")))
    broken = ResultsFolder.at(tmp_path, study="methods")
    (broken.path / file.name).write_text("{")
    with pytest.raises(ScenarioError, match="no JSON file any more"):
        broken.get(file.stem)
    (broken.path / "0.json").write_bytes(file.read_bytes())
    with pytest.raises(ScenarioError, match="another result"):
        broken.get("0")
    (tmp_path / "file").write_text("")
    with pytest.raises(ScenarioError, match="pass --results DIR"):
        ResultsFolder.at(tmp_path / "file", study="methods")


def test_wrong_days_and_methods_are_refused(case):
    with pytest.raises(ScenarioError, match="expected 1 to 1000"):
        evaluate_method(case, "no_control", n_days=1001)
    with pytest.raises(ScenarioError, match="unknown"):
        evaluate_method(case, "nobody", n_days=1)
    with pytest.raises(ValueError, match="one of both"):
        evaluate_method(case, "no_control")


def test_a_process_that_fails_is_one_clear_error(capfd):
    with pytest.raises(GradmapError, match="process 1 of 1 ended without a result"):
        run_queue([_fail], n_at_once=1)
    assert "on purpose" in capfd.readouterr().err


def _fail(_):
    raise RuntimeError("on purpose")
