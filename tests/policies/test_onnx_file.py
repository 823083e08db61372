"""An exported network does what the bank does, under another runtime."""

import json
import re
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch

from gradmap.devices.registry import KINDS
from gradmap.errors import ScenarioError
from gradmap.observations import FEATURES, UNITS
from gradmap.policies.card import AgentFacts, Range, write_card
from gradmap.policies.checkpoint import LoadedPolicy, Provenance, load_policy, save_policy
from gradmap.policies.independent import Architecture, IndependentPolicies
from gradmap.policies.onnx_facts import MEANINGS, STATES
from gradmap.policies.onnx_file import save_onnx
from tests.cli.helpers import in_shell
from tests.conftest import REPOSITORY
from tests.devices.populations import fleet_of, random_observations
from tests.policies.test_card import CARD as CARD_OF_OTHERS

FLEET = fleet_of(3)
ORIGIN = Provenance(feeder_hash="f0", scenario_hash="s0", seed=7, version="0.1.0")
LOW_KW, HIGH_KW = (ends.tolist() for ends in FLEET.action_range_kw())
SEEN = {"base_load_kw": Range(low=0.1, high=4.1), "departure_h": Range(low=0.0, high=12.0)}
CARD = replace(
    CARD_OF_OTHERS,
    grid=replace(CARD_OF_OTHERS.grid, feeder_hash=ORIGIN.feeder_hash),
    training=replace(CARD_OF_OTHERS.training, seed=ORIGIN.seed),
    days=replace(CARD_OF_OTHERS.days, by_kind=dict.fromkeys(KINDS, SEEN)),
    agents={
        agent_id: AgentFacts(
            kind=kind,
            connection_id="7.1",
            device_hash="d",
            p_min_kw=LOW_KW[row],
            p_max_kw=HIGH_KW[row],
        )
        for row, (agent_id, kind) in enumerate(zip(FLEET.agent_ids, FLEET.kinds, strict=True))
    },
)
SHAPES = [
    Architecture(hidden=(6, 5)),
    Architecture(hidden=(8,), clock_harmonics=0),
    Architecture(hidden=(16,), clock_harmonics=4, senses_voltage=False),
    Architecture(hidden=(4,), clock_harmonics=0, senses_voltage=False),
]


def trained(architecture):
    """Weights of the size training leaves, with outputs over the whole range."""
    policy = IndependentPolicies.for_fleet(FLEET, seed=7, architecture=architecture)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in policy.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
            parameter.add_(0.3 * noise)
    return LoadedPolicy(
        policy=policy.requires_grad_(False), provenance=ORIGIN, tensors_sha256="c0ffee"
    )


@pytest.mark.parametrize("architecture", SHAPES)
def test_every_exported_agent_acts_as_in_the_bank(tmp_path, architecture):
    loaded = trained(architecture)
    obs = random_observations(FLEET, leading=(200,))
    wanted = loaded.policy(obs).numpy()
    assert np.ptp(wanted) > 1.0
    for row, agent_id in enumerate(FLEET.agent_ids):
        path = tmp_path / "agent.onnx"
        save_onnx(path, loaded=loaded, agent_id=agent_id)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        own = obs[:, row].numpy().astype(np.float32)
        (found,) = session.run(["action"], {"observation": own})
        # The same numbers that the file was given: float32 observations.
        exact = obs.clone()
        exact[:, row] = torch.from_numpy(own).double()
        wanted = loaded.policy(exact)[:, row].numpy()
        np.testing.assert_allclose(found[:, 0], wanted, rtol=0, atol=1e-6)


def facts_of(path):
    """The file's metadata, as onnxruntime gives it."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.get_modelmeta().custom_metadata_map


@pytest.mark.parametrize(
    ("kind", "unit", "words"),
    [
        ("battery", "-", "state of charge"),
        ("heat_pump", "degC", "indoor temperature"),
        ("generator", "kW", "power of the step before"),
        ("ev_charger", "-", "the vehicle's state of charge"),
    ],
)
def test_file_says_all_that_a_home_controller_needs(tmp_path, kind, unit, words):
    row = FLEET.kinds.index(kind)
    agent_id = FLEET.agent_ids[row]
    save_onnx(tmp_path / "a.onnx", loaded=trained(SHAPES[0]), agent_id=agent_id, card=CARD)
    facts = facts_of(tmp_path / "a.onnx")
    assert (facts["agent_id"], facts["kind"], facts["connection_id"]) == (agent_id, kind, "7.1")
    assert json.loads(facts["features"]) == list(FEATURES)
    units = json.loads(facts["feature_units"])
    assert list(units) == list(FEATURES)
    assert (units["state"], units["price_import_per_kwh"]) == (unit, "GBP/kWh")
    assert words in facts["state"]
    assert (float(facts["p_min_kw"]), float(facts["p_max_kw"])) == (LOW_KW[row], HIGH_KW[row])
    assert (float(facts["step_min"]), facts["currency"]) == (15.0, "GBP")
    assert "wall clock" in facts["clock"]
    ranges = json.loads(facts["trained_ranges"])
    assert ranges["hour"] == [0.0, 23.75]
    assert ranges["base_load_kw"] == [0.1, 4.1]
    assert (facts["policy_sha256"], facts["feeder_hash"]) == ("c0ffee", "f0")
    assert (facts["seed"], facts["version"]) == ("7", "0.1.0")


def test_every_feature_and_kind_of_device_is_described():
    assert set(UNITS) == set(MEANINGS) == set(FEATURES)
    assert set(STATES) == set(KINDS)


def test_without_a_card_the_file_says_what_the_checkpoint_knows(tmp_path):
    save_onnx(tmp_path / "a.onnx", loaded=trained(SHAPES[2]), agent_id=FLEET.agent_ids[2])
    facts = facts_of(tmp_path / "a.onnx")
    assert facts["agent_id"] == FLEET.agent_ids[2]
    assert (facts["feeder_hash"], facts["senses_voltage"]) == ("f0", "false")
    assert not {"kind", "p_min_kw", "trained_ranges"} & set(facts)


@pytest.mark.parametrize("row", range(4))
def test_the_example_of_the_docs_requests_what_the_bank_does(tmp_path, monkeypatch, capsys, row):
    text = (REPOSITORY / "docs" / "method.md").read_text(encoding="utf-8")
    (example,) = re.findall(
        r"```python\n(.*?)```", text.partition("## On a home controller")[2], re.S
    )
    loaded = trained(SHAPES[0])
    save_onnx(tmp_path / "agent.onnx", loaded=loaded, agent_id=FLEET.agent_ids[row], card=CARD)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(example, names)
    obs = random_observations(FLEET).float().double()
    wanted = FLEET.request_from_action(loaded.policy(obs))[row]
    measured = dict(zip(FEATURES, obs[row].tolist(), strict=True))
    assert names["request_kw"](measured) == pytest.approx(float(wanted), abs=1e-5)
    capsys.readouterr()
    names["request_kw"](measured | {"base_load_kw": 9.0})
    assert "base_load_kw is 9.0, trained were 0.1 to 4.1" in capsys.readouterr().out


def test_an_unknown_agent_is_named_with_those_like_it(tmp_path):
    with pytest.raises(ScenarioError, match=r"'nobody'.*agent_ids.*policy\.json") as caught:
        save_onnx(tmp_path / "a.onnx", loaded=trained(SHAPES[0]), agent_id="nobody")
    assert "close" not in str(caught.value)
    with pytest.raises(ScenarioError, match=r"'h0001\.batteryx'.*close to it .*'h0001\.battery'"):
        save_onnx(tmp_path / "a.onnx", loaded=trained(SHAPES[0]), agent_id="h0001.batteryx")
    assert not list(tmp_path.iterdir())


def export(policy, agent_id, out, *more):
    return in_shell("export", policy, "--agent", agent_id, "--out", out, *more, cwd=out.parent)


def test_the_command_writes_the_file(tmp_path):
    folder, out = tmp_path / "trained" / "policy", tmp_path / "a.onnx"
    tensors_sha256 = save_policy(folder, policy=trained(SHAPES[2]).policy, provenance=ORIGIN)
    bare = export(folder, FLEET.agent_ids[0], out)
    assert (bare.code, "does not say which power in kW" in bare.err) == (0, True)
    write_card(folder, replace(CARD, architecture=SHAPES[2], tensors_sha256=tensors_sha256))
    whole = export(folder, FLEET.agent_ids[0], out)
    assert (whole.code, whole.err) == (0, "")
    facts = facts_of(out)
    assert facts["policy_sha256"] == load_policy(folder).tensors_sha256
    assert float(facts["p_max_kw"]) == HIGH_KW[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"tensors_sha256": "0" * 64},
        {"architecture": SHAPES[3]},
        {"agents": {"h9.battery": CARD.agents["h0001.battery"]}},
        {"training": replace(CARD.training, seed=8)},
    ],
)
def test_the_command_believes_no_card_of_other_networks(tmp_path, changes):
    folder, out = tmp_path / "trained" / "policy", tmp_path / "a.onnx"
    save_policy(folder, policy=trained(SHAPES[2]).policy, provenance=ORIGIN)
    own = replace(CARD, architecture=SHAPES[2], tensors_sha256=None)  # as in cards of before
    write_card(folder, replace(own, **changes))
    refused = export(folder, FLEET.agent_ids[0], out)
    assert (refused.code, "describes other networks" in refused.err) == (2, True)
    assert not out.exists()
    write_card(folder, own)
    assert export(folder, FLEET.agent_ids[0], out).code == 0


def test_the_command_says_what_was_meant(tmp_path):
    folder, out = tmp_path / "trained" / "policy", tmp_path / "a.onnx"
    save_policy(folder, policy=trained(SHAPES[2]).policy, provenance=ORIGIN)
    wrong = export(folder, "h0001.batteryx", out)
    assert (wrong.code, "'h0001.battery'" in wrong.err) == (2, True)
    outside = export(folder.parent, FLEET.agent_ids[0], out)
    assert outside.code == 2
    assert f"Use {str(folder)!r}" in outside.err
    assert not out.exists()


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    folder, out = tmp_path / "policy", tmp_path / f"{'long' * 100}.onnx"
    save_policy(folder, policy=trained(SHAPES[2]).policy, provenance=ORIGIN)
    ended = export(folder, FLEET.agent_ids[0], out)
    assert (ended.code, ended.out) == (1, "")
    (line,) = ended.err.splitlines()
    assert line.startswith(f"Error: '{out}")
    assert "File name too long" in line


def test_bundled_policies_are_exported_by_name(tmp_path):
    out = tmp_path / "a.onnx"
    ended = export("gradmap", "h0001.battery", out, "--json")
    assert (ended.code, ended.err) == (0, "")
    said = json.loads(ended.out)
    assert (said["onnx"], said["kind"], said["p_max_kw"]) == (str(out), "battery", 12.5)
    facts = facts_of(out)
    assert (facts["kind"], facts["p_min_kw"], facts["p_max_kw"]) == ("battery", "-12.5", "12.5")
    assert facts["currency"] == "USD"
    assert json.loads(facts["trained_ranges"])["price_import_per_kwh"] == [0.09, 0.38]


def test_export_explains_itself(tmp_path):
    ended = in_shell("export", "--help", cwd=tmp_path)
    assert "Exit codes: 0 success" in ended.out
