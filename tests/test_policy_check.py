"""`gradmap run` with a learned policy: only where its model card says that it was trained."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gradmap.errors import ScenarioError
from gradmap.observations import INDEX
from gradmap.policies.applicability import CHECKED, OutsideCounter
from gradmap.policies.card import read_card, write_card
from gradmap.policies.checkpoint import Provenance, save_policy
from gradmap.policies.independent import Architecture, IndependentPolicies
from gradmap.training.settings import TrainingSettings
from opendss_models.feeders import feeder_path
from scenarios.case import Case, open_case
from scenarios.policy_card import agent_facts, describe_policy
from scenarios.policy_check import REMARKS_FILE
from scenarios.population import Population
from scenarios.run import prepare
from scenarios.schema import Scenario
from tests.federates.helpers import make_scenario

TRAIN_DAYS, TEST_DAYS = 100, 20
"""With 20 training days one in ten other days would be refused, mostly for being colder; with 100
none of 500 was."""
POPULATION = {"n_households": 12}


def small(**changes: Any) -> Scenario:
    population = {**POPULATION, **changes.pop("population", {})}
    return make_scenario(population=population, **changes)


@pytest.fixture(scope="module")
def case() -> Case:
    return open_case(small())


@pytest.fixture(scope="module")
def policy(case, tmp_path_factory) -> Path:
    """Untrained networks with the card of a training."""
    folder = tmp_path_factory.mktemp("trained") / "policy"
    pool = case.days.sample("train", range(TRAIN_DAYS))
    networks = IndependentPolicies.for_fleet(
        case.fleet(), seed=0, days=pool, architecture=Architecture(hidden=(4,))
    )
    card = describe_policy(
        case,
        policy=networks,
        pool=pool.to(dtype=networks.center.float().dtype),
        settings=TrainingSettings(),
        iterations=0,
        seconds=0.0,
        validation=None,
    )
    provenance = Provenance(
        feeder_hash=card.grid.feeder_hash, scenario_hash=card.scenario_hash, seed=0, version="0"
    )
    tensors_sha256 = save_policy(folder, policy=networks, provenance=provenance)
    write_card(folder, replace(card, tensors_sha256=tensors_sha256))
    return folder


def prepared(policy: Path, place: Path, **changes: Any) -> Path:
    """The inputs folder of a run with the policy."""
    prepare(small(controllers=[f"policy:{policy}"], **changes), folder=place / "run")
    return place / "run" / "inputs"


def refusal(policy: Path, place: Path, **changes: Any) -> str:
    """The message of a run that is refused and leaves nothing."""
    with pytest.raises(ScenarioError) as caught:
        prepared(policy, place, **changes)
    assert not (place / "run").exists()
    return str(caught.value)


def test_a_policy_runs_in_the_scenario_of_its_training(policy, tmp_path):
    inputs = prepared(policy, tmp_path)
    assert json.loads((inputs / REMARKS_FILE).read_text()) == {f"policy:{policy}": []}


@pytest.mark.parametrize("split", ["test", "validation"])
def test_every_held_out_day_of_the_same_scenario_is_inside(case, policy, split):
    """What agents really observed in a rollout, not the series that it was made from."""
    rollout = case.rollout()
    kinds = np.array(rollout.fleet.kinds)
    trajectory = rollout.run(
        case.controller("rule_based", fleet=rollout.fleet),
        case.days.sample(split, range(TEST_DAYS)),
        keep_observations=True,
        power_flow=False,
    )
    for day in trajectory.observation.numpy():
        counter = OutsideCounter(read_card(policy))
        for name in CHECKED:
            counter.add(name, day[..., INDEX[name]])
            for kind in set(rollout.fleet.kinds):
                counter.add(name, day[..., INDEX[name]][:, kinds == kind], kind=kind)
        assert counter.findings() == ()


def test_the_card_describes_the_training_days_as_agents_saw_them(case, policy):
    card = read_card(policy)
    rollout = case.rollout()
    days = case.days.sample("train", range(TRAIN_DAYS))
    controller = case.controller("no_control", fleet=rollout.fleet)
    seen = rollout.run(controller, days, keep_observations=True, power_flow=False).observation
    for name, found in card.days.common.items():
        values = seen[..., INDEX[name]].numpy()
        assert (found.low, found.high) == pytest.approx((values.min(), values.max()), rel=1e-6)
    kinds = np.array(rollout.fleet.kinds)
    assert set(card.days.by_kind) == set(kinds) == {a.kind for a in card.agents.values()}
    for kind, ranges in card.days.by_kind.items():
        assert set(ranges) == {"base_load_kw", "pv_kw", "plugged_in", "departure_h"}
        for name, found in ranges.items():
            values = seen[..., INDEX[name]].numpy()[..., kinds == kind]
            wanted = pytest.approx((values.min(), values.max()), rel=1e-6)
            assert (found.low, found.high) == wanted, (kind, name)
    assert card.days.n_days == TRAIN_DAYS
    assert 63 <= card.days.first_day_of_year < card.days.last_day_of_year <= 91


def test_the_card_says_the_power_range_of_every_device(case, policy):
    fleet, card = case.fleet(), read_card(policy)
    ends_kw = zip(*(ends.tolist() for ends in fleet.action_range_kw()), strict=True)
    for agent_id, wanted in zip(fleet.agent_ids, ends_kw, strict=True):
        agent = card.agents[agent_id]
        assert (agent.p_min_kw, agent.p_max_kw) == pytest.approx(wanted, rel=1e-5)
        assert replace(agent, p_min_kw=None, p_max_kw=None) == agent  # cards of before still fit


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"feeder": {"source_v_pu": 1.03}}, "`feeder.source_v_pu` [1], here it is [1.03]"),
        ({"feeder": {"regulators": "as_defined"}}, "`feeder.regulators` locked"),
        ({"limits": {"v_max_pu": 1.06}}, "`limits.v_max_pu` 1.05, here it is 1.06"),
        ({"tariff": {"export_price_per_kwh": 0.2}}, "`price_export_per_kwh` is up to 0.2"),
        ({"tariff": {"import_price_per_kwh": 0.9}}, "`price_import_per_kwh` is up to 0.9"),
        ({"time": {"start": "2025-07-20"}}, "`temp_out_c` is up to"),
        ({"population": {"base_load_scale": 5.0}}, "`base_load_kw` of"),
        ({"population": {"pv_kwp_mean": 40.0}}, "`pv_kw` of"),
    ],
)
def test_a_scenario_unlike_training_is_refused(policy, tmp_path, changes, reason):
    assert reason in refusal(policy, tmp_path, **changes)


def test_another_feeder_is_refused(policy, tmp_path):
    copy = shutil.copytree(feeder_path("ieee123").parent, tmp_path / "feeder")
    master = copy / "master.dss"
    assert refusal(policy, tmp_path, feeder={"source": str(master)}, limits={"v_max_pu": 1.06})
    prepared(policy, tmp_path / "copy", feeder={"source": str(master)})
    for file in copy.glob("*.dss"):
        file.write_text(file.read_text().replace("new capacitor", "! new capacitor"))
    message = refusal(policy, tmp_path, feeder={"source": str(master)})
    assert "another one, or was changed" in message


@pytest.mark.parametrize("shares", [{"battery": 0.6}])
def test_agents_without_a_network_are_refused_first(policy, tmp_path, shares):
    message = refusal(policy, tmp_path, population={"devices": shares})
    assert "no network for" in message


def test_tables_of_a_run_are_the_same_devices_until_one_is_changed(case, policy, tmp_path):
    inputs = prepared(policy, tmp_path / "first")
    assert agent_facts(Population.read(inputs)) == agent_facts(case.population)
    files = {
        "households_file": str(inputs / "households.csv"),
        "devices_folder": str(inputs / "devices"),
    }
    prepared(policy, tmp_path / "again", population=files)
    table = pd.read_csv(inputs / "devices" / "battery.csv")
    table.loc[2, "e_max_kwh"] *= 1.1
    table.to_csv(inputs / "devices" / "battery.csv", index=False)
    message = refusal(policy, tmp_path, population=files, policies={"outside_range": "warn"})
    name = table["agent_id"][2]
    assert f"agents have another device than in training, first '{name}'" in message
    assert f"--fine-tune {policy} --agents {name}`" in message


def test_a_home_at_another_connection_is_refused(policy, tmp_path):
    inputs = prepared(policy, tmp_path / "first")
    homes = pd.read_csv(inputs / "households.csv", dtype=str)
    homes.loc[0, "connection_id"] = homes["connection_id"].iloc[-1]
    homes.to_csv(tmp_path / "homes.csv", index=False)
    message = refusal(policy, tmp_path, population={"households_file": str(tmp_path / "homes.csv")})
    assert "at another connection" in message


def test_a_warning_lets_other_inputs_pass_but_no_other_network(policy, tmp_path, caplog):
    warn = {"policies": {"outside_range": "warn"}, "tariff": {"import_price_per_kwh": 0.9}}
    with caplog.at_level(logging.WARNING):
        inputs = prepared(policy, tmp_path, **warn)
    (remark,) = json.loads((inputs / REMARKS_FILE).read_text())[f"policy:{policy}"]
    assert "`price_import_per_kwh` is up to 0.9" in remark
    assert remark in caplog.messages
    assert "v_max_pu" in refusal(policy, tmp_path / "other", **warn, limits={"v_max_pu": 1.06})


def test_a_policy_without_card_runs_with_a_remark(policy, tmp_path):
    bare = shutil.copytree(policy, tmp_path / "bare")
    (bare / "card.json").unlink()
    inputs = prepared(bare, tmp_path, tariff={"import_price_per_kwh": 0.9})
    (remark,) = json.loads((inputs / REMARKS_FILE).read_text())[f"policy:{bare}"]
    assert "has no card.json" in remark


@pytest.mark.parametrize("hidden", [5, 4])
def test_the_card_of_other_networks_is_refused(case, policy, tmp_path, hidden):
    """Also of networks like these: a training cut off between the policy and its card."""
    other = shutil.copytree(policy, tmp_path / "other")
    networks = IndependentPolicies.for_fleet(
        case.fleet(), seed=0, architecture=Architecture(hidden=(hidden,))
    )
    feeder = read_card(policy).grid.feeder_hash
    origin = Provenance(feeder_hash=feeder, scenario_hash="s", seed=0, version="0")
    save_policy(other, policy=networks, provenance=origin)
    assert "describes other networks" in refusal(other, tmp_path)


def test_runs_without_learned_policies_write_no_remarks(tmp_path):
    prepare(small(), folder=tmp_path / "run")
    assert not (tmp_path / "run" / "inputs" / REMARKS_FILE).exists()
