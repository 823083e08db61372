"""Train policies for a scenario into a folder, and go on where an earlier training stopped.

OUT/training.json         settings, versions, case, hardware, final result
OUT/history.jsonl         one line an iteration
OUT/progress.safetensors  to go on from
OUT/policy/               the best policy on the validation days: policy.safetensors, policy.json
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from gradmap.costs import trajectory_cost
from gradmap.days import Days
from gradmap.errors import GradmapError, ScenarioError
from gradmap.feeder_file import feeder_hash
from gradmap.files import written_whole
from gradmap.policies.checkpoint import Provenance, save_policy
from gradmap.policies.independent import PolicyController
from gradmap.rollout import Rollout
from gradmap.training.progress_file import load_progress, save_progress
from gradmap.training.settings import TrainingSettings
from gradmap.training.trainer import Report, Trainer
from scenarios.case import Case, open_case
from scenarios.loading import config_hash
from scenarios.schema import Scenario
from scenarios.training.cross_check import CrossCheck, cross_check

TRAINING_FILE: Final = "training.json"
HISTORY_FILE: Final = "history.jsonl"
POLICY_FOLDER: Final = "policy"
DAYS_AT_ONCE: Final = 64
CROSS_CHECK_SITUATIONS: Final = 24
PACKAGES: Final = ("gradmap", "torch", "numpy", "opendssdirect.py", "dss_python_backend")


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one iteration did, with its time and, now and then, OpenDSS's word."""

    report: Report
    seconds: float
    """Of this iteration, without cross-check and files. [s]"""
    training_s: float
    """Of all iterations so far, earlier trainings into the folder included. [s]"""
    cross_check: CrossCheck | None


def train(
    scenario: Scenario,
    *,
    out: Path,
    settings: TrainingSettings,
    cache_folder: Path | None = None,
    dtype: torch.dtype = torch.float32,
    on_days: Callable[[float], None] | None = None,
    on_step: Callable[[Step], None] | None = None,
) -> Path:
    """Train, or go on training, and return the folder of the best policy.

    Interrupting is safe at any time: at most `settings.validate_every` iterations are done again.

    Args:
        scenario: Feeder, population, limits and days.
        out: Training folder; made if absent.
        settings: How to train; for a folder with progress the same as before.
        cache_folder: Where drawn days are kept, or None.
        dtype: Of devices, policies and power flow.
        on_days: Called with the share of days that are drawn.
        on_step: Called after every iteration.

    Raises:
        ScenarioError: Nothing to train on, or `out` holds another training.
        GradmapError: OpenDSS disagrees with the power flow beyond the tolerance.
    """
    case = open_case(scenario, cache_folder=cache_folder)
    if case.fleet().n_agents == 0:
        raise ScenarioError(
            f"Scenario {scenario.name!r}: no home has a controllable device, so there is nobody to "
            f"train. Raise `population.devices` or choose `allocation: one_each`."
        )
    rollout = case.rollout(dtype=dtype, observe_voltage=settings.senses_voltage)
    pool, validation = _drawn(case, settings=settings, dtype=dtype, on_days=on_days)
    trainer = Trainer(
        rollout,
        settings=settings,
        limits=case.limits,
        pool=pool,
        validation=validation,
        cost_scale=nominal_cost(case, rollout),
    )
    folder = _Folder(out, case=case, trainer=trainer)
    folder.open()
    for report in _timed(trainer):
        checked = None
        if report.report.validation is not None:
            checked = _checked(case, rollout, trainer)
        step = replace(report, training_s=folder.training_s + report.seconds, cross_check=checked)
        folder.add(step)
        if on_step is not None:
            on_step(step)
        if checked is not None and not checked.passed:
            raise GradmapError(
                f"Training stopped after iteration {step.report.iteration}: voltages differ from "
                f"OpenDSS's by {checked.max_pu:.1e} pu, allowed are {checked.tolerance_pu:.0e}. "
                f"Compare the feeder with `gradmap validate`."
            )
    return folder.finish()


def nominal_cost(case: Case, rollout: Rollout) -> float:
    """Return what a usual day costs without control, the unit of cost in training [cur]."""
    with torch.no_grad():
        controller = case.controller("no_control", fleet=rollout.fleet)
        trajectory = rollout.run(controller, case.history, power_flow=False)
        cost = trajectory_cost(rollout.fleet, trajectory).total.sum(dim=1).abs().mean().item()
    if cost <= 0.0:
        raise ScenarioError(
            f"Scenario {case.scenario.name!r}: its devices cost nothing on usual days, so there is "
            f"no unit to weigh violations by. Set prices in `tariff`."
        )
    return cost


def _timed(trainer: Trainer) -> Iterator[Step]:
    """Yield steps with the seconds they took."""
    while trainer.progress.iteration < trainer.settings.iterations:
        began = time.perf_counter()
        report = trainer.step()
        yield Step(
            report=report,
            seconds=time.perf_counter() - began,
            training_s=0.0,
            cross_check=None,
        )


def _checked(case: Case, rollout: Rollout, trainer: Trainer) -> CrossCheck:
    controller = PolicyController(trainer.progress.policy, fleet=rollout.fleet)
    return cross_check(
        case,
        rollout,
        controller,
        day=trainer.progress.iteration % trainer.settings.pool_days,
        n_situations=CROSS_CHECK_SITUATIONS,
        seed=trainer.settings.seed,
    )


def _drawn(
    case: Case,
    *,
    settings: TrainingSettings,
    dtype: torch.dtype,
    on_days: Callable[[float], None] | None,
) -> tuple[Days, Days]:
    """Return training pool and validation days."""
    wanted = {"train": settings.pool_days, "validation": settings.validation_days}
    total, done, found = sum(wanted.values()), 0, []
    for split, n_days in wanted.items():
        parts = []
        for first in range(0, n_days, DAYS_AT_ONCE):
            numbers = range(first, min(first + DAYS_AT_ONCE, n_days))
            parts.append(case.days.sample(split, numbers).to(dtype=dtype))
            done += len(numbers)
            if on_days is not None:
                on_days(done / total)
        found.append(_joined(parts))
    return found[0], found[1]


def _joined(parts: Sequence[Days]) -> Days:
    """Return days one after the other."""
    series: dict[str, Any] = {}
    for item in fields(Days):
        values = [getattr(part, item.name) for part in parts]
        if isinstance(values[0], Tensor):
            series[item.name] = torch.cat(values)
    return replace(parts[0], **series)


class _Folder:
    """What a training leaves."""

    def __init__(self, path: Path, *, case: Case, trainer: Trainer) -> None:
        self._path, self._case, self._trainer = path, case, trainer
        self.training_s = 0.0

    def open(self) -> None:
        """Make the folder, or put the trainer back where the folder's training stopped."""
        self._path.mkdir(parents=True, exist_ok=True)
        history = self._path / HISTORY_FILE
        resumed = load_progress(self._path, self._trainer, case_key=self._case.key)
        if not resumed and history.exists():
            history.unlink()
        if resumed:
            done = self._trainer.progress.iteration
            kept = [row for row in read_history(self._path) if row["iteration"] <= done]
            history.write_text("".join(json.dumps(row) + "\n" for row in kept))
            self.training_s = kept[-1]["training_s"] if kept else 0.0
        self._describe(result=None)

    def add(self, step: Step) -> None:
        """Append an iteration to the history; keep progress and best policy after a validation."""
        self.training_s = step.training_s
        row = asdict(step.report) | {
            "seconds": step.seconds,
            "training_s": step.training_s,
            "cross_check": None if step.cross_check is None else asdict(step.cross_check),
        }
        with (self._path / HISTORY_FILE).open("a") as file:
            file.write(json.dumps(row) + "\n")
        if step.report.validation is not None:
            save_progress(self._path, self._trainer, case_key=self._case.key)
            self._save_policy()

    def finish(self) -> Path:
        """Write the best policy and the result; return the policy's folder."""
        found = self._trainer.progress.best_validation
        self._describe(result=None if found is None else asdict(found))
        return self._save_policy()

    def _save_policy(self) -> Path:
        folder = self._path / POLICY_FOLDER
        save_policy(
            folder,
            policy=self._trainer.best,
            provenance=Provenance(
                feeder_hash=feeder_hash(self._case.feeder),
                scenario_hash=config_hash(self._case.scenario),
                seed=self._trainer.settings.seed,
                version=metadata.version("gradmap"),
            ),
        )
        return folder

    def _describe(self, *, result: dict[str, Any] | None) -> None:
        document = {
            "scenario": self._case.scenario.name,
            "scenario_hash": config_hash(self._case.scenario),
            "case": self._case.key,
            "settings": asdict(self._trainer.settings),
            "settings_hash": self._trainer.settings.key,
            "versions": {name: metadata.version(name) for name in PACKAGES},
            "hardware": {"machine": platform.machine(), "cores": os.cpu_count()},
            "training_s": self.training_s,
            "best_validation": result,
        }
        with written_whole(self._path / TRAINING_FILE) as file:
            file.write(json.dumps(document, indent=1).encode())


def read_history(folder: Path) -> list[dict[str, Any]]:
    """Return one row an iteration; an unfinished last line is left out."""
    rows = []
    for line in (folder / HISTORY_FILE).read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


def read_training(folder: Path) -> dict[str, Any]:
    """Return `training.json`."""
    document: dict[str, Any] = json.loads((folder / TRAINING_FILE).read_text())
    return document
