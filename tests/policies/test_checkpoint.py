"""Checkpoints: exact round trip, and refusal of everything that is not what was saved."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save

from gradmap.baselines.registry import make_controller
from gradmap.errors import ScenarioError
from gradmap.files import written_whole
from gradmap.policies import checkpoint
from gradmap.policies.checkpoint import Provenance, load_policy, save_policy
from gradmap.policies.independent import Architecture, IndependentPolicies, PolicyController
from tests.devices.populations import fleet_of, random_observations

FLEET = fleet_of(3)
SHAPE = {"clock_harmonics": 2, "senses_voltage": True}
ORIGIN = Provenance(feeder_hash="f0", scenario_hash="s0", seed=7, version="0.1.0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    policy = IndependentPolicies.for_fleet(FLEET, seed=7, architecture=Architecture(hidden=(6,)))
    save_policy(tmp_path / "run" / "policy", policy=policy, provenance=ORIGIN)
    return tmp_path / "run" / "policy"


def rehash(sidecar: dict) -> dict:
    """A sidecar as a careful forger would leave it."""
    content = {key: value for key, value in sidecar.items() if key != "sidecar_sha256"}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return {**content, "sidecar_sha256": digest}


def edit_sidecar(folder: Path, *, rehashed: bool, **changes: object) -> None:
    file = folder / "policy.json"
    sidecar = {**json.loads(file.read_text()), **changes}
    file.write_text(json.dumps(rehash(sidecar) if rehashed else sidecar))


def edit_tensors(folder: Path, change) -> None:
    """Replace tensors and describe the new file truthfully."""
    file = folder / "policy.safetensors"
    tensors = load(file.read_bytes())
    change(tensors)
    file.write_bytes(save(tensors))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    edit_sidecar(folder, rehashed=True, tensors_sha256=digest)


def test_a_saved_policy_comes_back_exactly(folder: Path) -> None:
    original = IndependentPolicies.for_fleet(FLEET, seed=7, architecture=Architecture(hidden=(6,)))
    loaded = load_policy(folder)
    assert loaded.provenance == ORIGIN
    assert loaded.policy.agent_ids == FLEET.agent_ids
    assert loaded.policy.architecture == original.architecture
    for name, value in original.state_dict().items():
        assert torch.equal(loaded.policy.state_dict()[name], value)
    assert not any(parameter.requires_grad for parameter in loaded.policy.parameters())


class Killed(BaseException):
    """What no handler of errors expects."""


@pytest.mark.parametrize("place", range(4))
def test_saving_that_is_cut_off_leaves_the_old_policy_the_new_or_a_clear_refusal(
    folder: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    """Cut off while a file is written (0, 1), between the names (2), or after both (3)."""
    other = IndependentPolicies.for_fleet(FLEET, seed=8, architecture=Architecture(hidden=(6,)))
    before = load_policy(folder)
    n_writes, replace = 0, Path.replace

    class Cut:
        """A file that breaks at its write number `place`."""

        def __init__(self, file) -> None:
            self._file = file

        def write(self, content: bytes) -> None:
            nonlocal n_writes
            if n_writes == place:
                raise Killed
            n_writes += 1
            self._file.write(content)

    @contextmanager
    def cut(path: Path):
        with written_whole(path) as file:
            yield Cut(file)

    renamed: list[str] = []

    def renamed_until_killed(self: Path, target: Path) -> Path:
        if place == 2 and renamed:
            raise Killed
        renamed.append(target.name)
        return replace(self, target)

    monkeypatch.setattr(checkpoint, "written_whole", cut)
    monkeypatch.setattr(Path, "replace", renamed_until_killed)
    if place < 3:
        with pytest.raises(Killed):
            save_policy(folder, policy=other, provenance=ORIGIN)
    else:
        save_policy(folder, policy=other, provenance=ORIGIN)
    if place == 2:
        with pytest.raises(ScenarioError, match="saving was cut off between the two"):
            load_policy(folder)
        return
    wanted = other if place == 3 else before.policy
    assert torch.equal(load_policy(folder).policy.weights[0], wanted.weights[0])
    assert renamed == ([] if place < 2 else ["policy.json", "policy.safetensors"])


def test_a_policy_knows_the_hash_of_its_tensors(folder: Path) -> None:
    digest = hashlib.sha256((folder / "policy.safetensors").read_bytes()).hexdigest()
    policy = load_policy(folder)
    assert policy.tensors_sha256 == digest
    assert save_policy(folder, policy=policy.policy, provenance=ORIGIN) == digest


def test_what_a_policy_may_see_comes_back(tmp_path: Path) -> None:
    blind = Architecture(hidden=(6,), senses_voltage=False)
    policy = IndependentPolicies.for_fleet(FLEET, seed=7, architecture=blind)
    save_policy(tmp_path, policy=policy, provenance=ORIGIN)
    loaded = load_policy(tmp_path).policy
    assert loaded.architecture == blind
    obs = random_observations(FLEET, leading=(2,))
    assert torch.equal(loaded(obs), policy(obs))


def test_a_float32_policy_is_deployed_in_float64(tmp_path: Path) -> None:
    trained = IndependentPolicies.for_fleet(FLEET.to(dtype=torch.float32), seed=1)
    assert trained.weights[0].dtype == torch.float32
    save_policy(tmp_path, policy=trained, provenance=ORIGIN)
    obs = random_observations(FLEET)
    action = load_policy(tmp_path).policy(obs)
    assert action.dtype == torch.float64
    assert torch.equal(
        load_policy(tmp_path).policy.weights[0], trained.weights[0].detach().double()
    )
    torch.testing.assert_close(action, trained(obs.float()).double(), rtol=0, atol=1e-5)


def test_a_loaded_policy_works_as_a_controller_also_for_part_of_the_population(
    folder: Path,
) -> None:
    obs = random_observations(FLEET, leading=(2,))
    whole = make_controller(f"policy:{folder}", fleet=FLEET)
    assert isinstance(whole, PolicyController)
    part = FLEET.subset(FLEET.household_ids[1:])
    inside = FLEET.household_index >= 1
    request_kw = make_controller(f"policy:{folder}", fleet=part).act(obs[:, inside])
    torch.testing.assert_close(request_kw, whole.act(obs)[:, inside], rtol=0, atol=1e-12)
    with pytest.raises(ScenarioError, match="no network for 4 of 16 agents"):
        make_controller(f"policy:{folder}", fleet=fleet_of(4))


def test_a_changed_tensors_file_is_refused(folder: Path) -> None:
    file = folder / "policy.safetensors"
    blob = bytearray(file.read_bytes())
    blob[-1] ^= 1
    file.write_bytes(bytes(blob))
    with pytest.raises(ScenarioError, match=r"not the file that policy\.json describes"):
        load_policy(folder)


@pytest.mark.parametrize("changes", [{"agent_ids": ["x"]}, {"provenance": {"seed": 1}}])
def test_a_changed_sidecar_is_refused(folder: Path, changes: dict[str, object]) -> None:
    edit_sidecar(folder, rehashed=False, **changes)
    with pytest.raises(ScenarioError, match="changed after it was saved"):
        load_policy(folder)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"features": ["hour"]}, "expected the features"),
        ({"format_version": 1}, "format version is 1, expected 2"),
        ({"surprise": 1}, r"unknown keys \['surprise'\]"),
        ({"agent_ids": 5}, "not a list of texts"),
        ({"agent_ids": ["a", "a"]}, "occurs twice"),
        ({"agent_ids": ["a", "b"]}, "expected float32 or float64"),
        ({"architecture": {"hidden": [5], **SHAPE}}, "expected float32 or float64"),
        ({"architecture": {"hidden": [5, 5], **SHAPE}}, "unknown tensors"),
        ({"architecture": {}}, "cannot be read"),
        ({"provenance": {}}, "cannot be read"),
    ],
)
def test_a_sidecar_that_does_not_fit_is_refused(
    folder: Path, changes: dict[str, object], reason: str
) -> None:
    edit_sidecar(folder, rehashed=True, **changes)
    with pytest.raises(ScenarioError, match=reason):
        load_policy(folder)


def test_tensors_that_do_not_fit_are_refused(folder: Path) -> None:
    def poison(tensors: dict[str, torch.Tensor]) -> None:
        tensors["weights.0"][0, 0, 0] = float("nan")

    def zero_scale(tensors: dict[str, torch.Tensor]) -> None:
        tensors["weights.0"][0, 0, 0] = 0.0
        tensors["scale"][0, 0] = 0.0

    def drop(tensors: dict[str, torch.Tensor]) -> None:
        del tensors["biases.1"]

    cases = ((poison, "NaN"), (zero_scale, "not positive"), (drop, r"unknown tensors \['biases"))
    for change, reason in cases:
        edit_tensors(folder, change)
        with pytest.raises(ScenarioError, match=reason):
            load_policy(folder)


def test_files_that_are_not_checkpoints_are_refused(folder: Path) -> None:
    (folder / "policy.json").write_text("[]")
    with pytest.raises(ScenarioError, match="not a JSON object"):
        load_policy(folder)
    (folder / "policy.json").write_text("{")
    with pytest.raises(ScenarioError, match="is not JSON"):
        load_policy(folder)
    (folder / "policy.json").unlink()
    with pytest.raises(ScenarioError, match=r"has no policy\.json"):
        load_policy(folder)
