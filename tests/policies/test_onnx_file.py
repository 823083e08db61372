"""An exported network does what the bank does, under another runtime."""

import json
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from gradmap.errors import ScenarioError
from gradmap.observations import FEATURES
from gradmap.policies.checkpoint import LoadedPolicy, Provenance, load_policy, save_policy
from gradmap.policies.independent import Architecture, IndependentPolicies
from gradmap.policies.onnx_file import save_onnx
from tests.devices.populations import fleet_of, random_observations

FLEET = fleet_of(3)
ORIGIN = Provenance(feeder_hash="f0", scenario_hash="s0", seed=7, version="0.1.0")
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
    return LoadedPolicy(policy=policy.requires_grad_(False), provenance=ORIGIN)


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


def test_file_says_whose_it_is_and_what_goes_in(tmp_path):
    save_onnx(tmp_path / "a.onnx", loaded=trained(SHAPES[0]), agent_id=FLEET.agent_ids[2])
    facts = {prop.key: prop.value for prop in onnx.load(tmp_path / "a.onnx").metadata_props}
    assert facts["agent_id"] == FLEET.agent_ids[2]
    assert json.loads(facts["features"]) == list(FEATURES)
    assert facts["feeder_hash"] == "f0"
    assert facts["seed"] == "7"


def test_an_unknown_agent_is_named(tmp_path):
    with pytest.raises(ScenarioError, match="nobody"):
        save_onnx(tmp_path / "a.onnx", loaded=trained(SHAPES[0]), agent_id="nobody")
    assert not list(tmp_path.iterdir())


def test_the_command_writes_the_file(tmp_path):
    loaded = trained(SHAPES[2])
    save_policy(tmp_path / "policy", policy=loaded.policy, provenance=ORIGIN)
    command = [sys.executable, "-m", "scenarios.cli.main", "export", str(tmp_path / "policy")]
    out = tmp_path / "a.onnx"
    agent = ["--agent", FLEET.agent_ids[0], "--out", str(out)]
    subprocess.run([*command, *agent], check=True, timeout=60)
    assert load_policy(tmp_path / "policy").policy.agent_ids == FLEET.agent_ids
    onnx.checker.check_model(onnx.load(out))
    wrong = subprocess.run(
        [*command, "--agent", "nobody", "--out", str(out)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert wrong.returncode == 2
    assert b"nobody" in wrong.stderr
