"""Policies on disk: tensors as safetensors, everything else as JSON beside them; never pickle.

Loading verifies both files before any number is used. The hashes detect damage and careless edits;
they are no signature against someone who recomputes them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes

from gradmap.errors import ScenarioError
from gradmap.files import written_whole
from gradmap.observations import FEATURES, N_FEATURES
from gradmap.policies.independent import Architecture, IndependentPolicies

TENSORS_FILE: Final = "policy.safetensors"
SIDECAR_FILE: Final = "policy.json"
FORMAT_VERSION: Final = 2
_DTYPES: Final = (torch.float32, torch.float64)
_SIDECAR_KEYS: Final = {
    "format_version",
    "architecture",
    "features",
    "normalisation",
    "agent_ids",
    "provenance",
    "tensors_sha256",
    "sidecar_sha256",
}


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a policy comes from."""

    feeder_hash: str
    """Hash of the feeder it was trained on."""
    scenario_hash: str
    """Hash of the resolved scenario it was trained in."""
    seed: int
    """Seed of the training run."""
    version: str
    """Version of this package that trained it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedPolicy:
    """A verified policy and its origin."""

    policy: IndependentPolicies
    provenance: Provenance
    tensors_sha256: str
    """Hash of the tensors file: which policy this is."""


def save_policy(folder: Path, *, policy: IndependentPolicies, provenance: Provenance) -> str:
    """Write a policy in its own dtype as `policy.safetensors` and `policy.json`.

    Both are written beside the old ones before either takes its name, so whoever reads or is killed
    meanwhile has the old policy or the new one. Between the two names, for microseconds, there is a
    pair that `load_policy` refuses by its hash.

    Args:
        folder: Where to; made if absent, files of the same names are replaced.
        policy: The networks and their normalisation.
        provenance: Where they come from.

    Returns:
        The hash of the tensors file.
    """
    tensors = {
        name: value.detach().to(device="cpu").contiguous()
        for name, value in policy.state_dict().items()
    }
    blob = tensors_to_bytes(tensors)
    tensors_sha256 = hashlib.sha256(blob).hexdigest()
    sidecar: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "architecture": asdict(policy.architecture),
        "features": list(FEATURES),
        "normalisation": "(feature - center) / scale, tensors [agent, feature] in the tensors file",
        "agent_ids": list(policy.agent_ids),
        "provenance": asdict(provenance),
        "tensors_sha256": tensors_sha256,
    }
    sidecar["sidecar_sha256"] = _sidecar_hash(sidecar)
    folder.mkdir(parents=True, exist_ok=True)
    with (
        written_whole(folder / TENSORS_FILE) as tensors_file,
        written_whole(folder / SIDECAR_FILE) as sidecar_file,
    ):
        tensors_file.write(blob)
        sidecar_file.write(json.dumps(sidecar, indent=1).encode() + b"\n")
    return tensors_sha256


def load_policy(folder: Path) -> LoadedPolicy:
    """Read and verify a policy; its parameters are float64 and need no gradient.

    Args:
        folder: Holds `policy.safetensors` and `policy.json`.
    """
    blob, sidecar = _read(folder)
    _check_sidecar(sidecar, folder=folder)
    if hashlib.sha256(blob).hexdigest() != sidecar["tensors_sha256"]:
        raise _refusal(
            folder,
            f"{TENSORS_FILE} is not the file that {SIDECAR_FILE} describes: one of them was "
            f"changed, or saving was cut off between the two",
        )
    try:
        tensors = tensors_from_bytes(blob)
        architecture = Architecture(
            hidden=tuple(int(width) for width in sidecar["architecture"]["hidden"]),
            clock_harmonics=int(sidecar["architecture"]["clock_harmonics"]),
            senses_voltage=bool(sidecar["architecture"]["senses_voltage"]),
        )
        provenance = Provenance(**sidecar["provenance"])
    except (SafetensorError, KeyError, TypeError, ValueError) as exc:
        raise _refusal(folder, f"its content cannot be read ({exc})") from exc
    agent_ids: list[str] = sidecar["agent_ids"]
    blank = torch.ones(len(agent_ids), N_FEATURES, dtype=torch.float64)
    policy = IndependentPolicies(
        agent_ids,
        architecture=architecture,
        center=torch.zeros_like(blank),
        scale=blank,
        generator=torch.Generator(),
    )
    _check_tensors(tensors, expected=policy.state_dict(), folder=folder)
    policy.load_state_dict(tensors)  # copies into float64, exactly
    return LoadedPolicy(
        policy=policy.requires_grad_(False),
        provenance=provenance,
        tensors_sha256=sidecar["tensors_sha256"],
    )


def check_files(folder: Path) -> None:
    """Refuse a folder that lacks one of the two files; their content is checked on loading."""
    for name in (TENSORS_FILE, SIDECAR_FILE):
        if not (folder / name).is_file():
            raise ScenarioError(
                f"Policy folder {str(folder)!r} has no {name}; expected {TENSORS_FILE} and "
                f"{SIDECAR_FILE}. Check the path after `policy:`, or train a policy first."
            )


def _read(folder: Path) -> tuple[bytes, dict[str, Any]]:
    """Return the raw tensors file and the parsed sidecar."""
    check_files(folder)
    try:
        sidecar = json.loads((folder / SIDECAR_FILE).read_text(encoding="utf-8"))
    except ValueError as exc:
        raise _refusal(folder, f"{SIDECAR_FILE} is not JSON ({exc})") from exc
    if not isinstance(sidecar, dict):
        raise _refusal(folder, f"{SIDECAR_FILE} is not a JSON object")
    return (folder / TENSORS_FILE).read_bytes(), sidecar


def _check_sidecar(sidecar: dict[str, Any], *, folder: Path) -> None:
    """Refuse a sidecar of another format, with other features, or changed after saving."""
    if sidecar.get("format_version") != FORMAT_VERSION:
        found = sidecar.get("format_version")
        raise _refusal(folder, f"format version is {found!r}, expected {FORMAT_VERSION}")
    if set(sidecar) != _SIDECAR_KEYS:
        wrong = sorted(set(sidecar) ^ _SIDECAR_KEYS)
        raise _refusal(folder, f"{SIDECAR_FILE} has missing or unknown keys {wrong}")
    if sidecar["features"] != list(FEATURES):
        raise _refusal(
            folder, f"it observes {sidecar['features']}, expected the features {list(FEATURES)}"
        )
    if sidecar["sidecar_sha256"] != _sidecar_hash(sidecar):
        raise _refusal(folder, f"{SIDECAR_FILE} was changed after it was saved")
    ids = sidecar["agent_ids"]
    if not isinstance(ids, list) or not all(isinstance(agent_id, str) for agent_id in ids):
        raise _refusal(folder, "`agent_ids` is not a list of texts")
    if len(set(ids)) != len(ids):
        raise _refusal(folder, "an agent id occurs twice, expected unique agent ids")


def _check_tensors(
    tensors: dict[str, torch.Tensor], *, expected: dict[str, torch.Tensor], folder: Path
) -> None:
    """Refuse missing, unknown, misshapen, non-float or non-finite tensors and zero scales."""
    if set(tensors) != set(expected):
        wrong = sorted(set(tensors) ^ set(expected))
        raise _refusal(folder, f"missing or unknown tensors {wrong}")
    for name, value in tensors.items():
        if value.shape != expected[name].shape or value.dtype not in _DTYPES:
            raise _refusal(
                folder,
                f"tensor {name!r} is {value.dtype} {tuple(value.shape)}, expected float32 or "
                f"float64 {tuple(expected[name].shape)}",
            )
        if not bool(torch.isfinite(value).all()):
            raise _refusal(folder, f"tensor {name!r} holds NaN or infinity")
    if not bool((tensors["scale"] > 0.0).all()):
        raise _refusal(folder, "tensor 'scale' is not positive everywhere")


def _sidecar_hash(sidecar: dict[str, Any]) -> str:
    """Return the hash of all entries but the hash itself, independent of layout."""
    content = {key: value for key, value in sidecar.items() if key != "sidecar_sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _refusal(folder: Path, reason: str) -> ScenarioError:
    """Return the error for a policy that must not be used."""
    return ScenarioError(
        f"Policy {str(folder)!r} is refused: {reason}. Use an unchanged checkpoint of this "
        f"version, or train the policy again."
    )
