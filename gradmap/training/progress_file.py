"""Training on disk: everything `Progress` holds, so that it goes on bit for bit where it was."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor

from gradmap.errors import ScenarioError
from gradmap.files import written_whole
from gradmap.training.progress import Progress
from gradmap.training.trainer import Trainer
from gradmap.training.validation import Validation
from gradmap.violation_summary import Share

PROGRESS_FILE: Final = "progress.safetensors"
_ADAM: Final = ("step", "exp_avg", "exp_avg_sq")


def save_progress(folder: Path, trainer: Trainer, *, case_key: str) -> None:
    """Write a trainer's progress, complete or not at all.

    Args:
        folder: That exists.
        trainer: Between two iterations.
        case_key: Of the days, population, feeder and limits it trains on.
    """
    progress = trainer.progress
    found = progress.best_validation
    meta = {
        "iteration": progress.iteration,
        "settings": trainer.settings.key,
        "case": case_key,
        "start": progress.start,
        "radius": progress.radius,
        "best_validation": None if found is None else asdict(found),
    }
    tensors = {name: value.detach().cpu().contiguous() for name, value in _tensors(progress)}
    blob = tensors_to_bytes(tensors)
    meta["sha256"] = hashlib.sha256(blob).hexdigest()
    header = json.dumps(meta).encode()
    with written_whole(folder / PROGRESS_FILE) as file:
        file.write(len(header).to_bytes(8, "little") + header + blob)


def load_progress(folder: Path, trainer: Trainer, *, case_key: str) -> bool:
    """Put a trainer back where it was; return whether there was anything.

    Raises:
        ScenarioError: The file is damaged, or belongs to other settings, to another case, or to
            policies that began otherwise.
    """
    path = folder / PROGRESS_FILE
    if not path.is_file():
        return False
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    try:
        meta: dict[str, Any] = json.loads(raw[8 : 8 + size])
        blob = raw[8 + size :]
        if hashlib.sha256(blob).hexdigest() != meta["sha256"]:
            raise ValueError("its tensors are not those that were saved")
        tensors = tensors_from_bytes(blob)
    except (ValueError, KeyError, SafetensorError) as exc:
        raise _refusal(path, f"it is damaged ({exc})") from exc
    for name, wanted in (
        ("settings", trainer.settings.key),
        ("case", case_key),
        ("start", trainer.progress.start),
    ):
        if meta.get(name) != wanted:
            raise _refusal(path, f"its `{name}` is {meta.get(name)!r}, expected {wanted!r}")
    saved, wanted_dtype = tensors["policy.center"].dtype, trainer.progress.policy.center.dtype
    if saved != wanted_dtype:
        raise _refusal(path, f"its numbers are {saved}, expected {wanted_dtype}")
    _restore(trainer.progress, tensors, meta)
    return True


def _tensors(progress: Progress) -> list[tuple[str, Tensor]]:
    """Return every tensor by name."""
    named = [(f"policy.{name}", value) for name, value in progress.policy.state_dict().items()]
    named += [(f"multiplier.{name}", value) for name, value in progress.multipliers.items()]
    named += [(f"average.{number}", value) for number, value in enumerate(progress.average)]
    named += [(f"best.{name}", value) for name, value in progress.best.items()]
    for number, state in progress.optimiser.state_dict()["state"].items():
        named += [(f"adam.{number}.{name}", state[name]) for name in _ADAM]
    named.append(("worst", progress.worst))
    if progress.scale is not None:
        named.append(("scale", progress.scale))
    if progress.log_std is not None:
        named.append(("log_std", progress.log_std))
    return named


def _restore(progress: Progress, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
    """Fill a fresh trainer's progress."""
    device = progress.policy.center.device

    def under(prefix: str) -> dict[str, Tensor]:
        start = f"{prefix}."
        return {
            name.removeprefix(start): value.to(device)
            for name, value in tensors.items()
            if name.startswith(start)
        }

    progress.policy.load_state_dict(under("policy"))
    progress.learners.read_back()
    progress.radius = float(meta["radius"])
    progress.multipliers, progress.best = under("multiplier"), under("best")
    progress.worst = tensors["worst"]
    average = under("average")
    progress.average = [average[str(number)] for number in range(len(average))]
    progress.scale = tensors["scale"].to(device) if "scale" in tensors else None
    if progress.log_std is not None:
        with torch.no_grad():
            progress.log_std.copy_(tensors["log_std"])
    adam: dict[int, dict[str, Tensor]] = {}
    for name, value in under("adam").items():
        number, _, part = name.partition(".")
        adam.setdefault(int(number), {})[part] = value
    whole = progress.optimiser.state_dict()
    progress.optimiser.load_state_dict({**whole, "state": adam})
    progress.iteration = int(meta["iteration"])
    best = meta["best_validation"]
    progress.best_validation = (
        None if best is None else Validation(**{**best, "days": Share(**best["days"])})
    )


def _refusal(path: Path, reason: str) -> ScenarioError:
    return ScenarioError(
        f"Training progress {str(path)!r} is refused: {reason}. Train into another folder, or "
        f"with the settings, the scenario and the policies it was begun with."
    )
