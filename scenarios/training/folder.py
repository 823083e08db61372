"""The training folder: what a training leaves, and where another one goes on.

OUT/run.json              settings, seed, versions, case, machine, parent policy, final result
OUT/history.jsonl         one line an iteration
OUT/training.svg          the history as a figure
OUT/progress.safetensors  to go on from
OUT/policy/               the best policy on the validation days: policy.safetensors, policy.json,
                          and its model card: card.json, MODEL_CARD.md
OUT/test.json             its test, see `scenarios.training.tested`

Files of other names may lie beside these: a training leaves them alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from federates.controllers import TRAINED_FOLDER
from gradmap.feeder_file import feeder_fingerprint
from gradmap.files import written_whole
from gradmap.policies.card import CARD_FILE, read_card, write_card
from gradmap.policies.checkpoint import (
    SIDECAR_FILE,
    TENSORS_FILE,
    Provenance,
    load_policy,
    save_policy,
)
from gradmap.training.progress import Report
from gradmap.training.progress_file import load_progress, save_progress
from gradmap.training.trainer import Trainer
from scenarios.case import Case
from scenarios.loading import config_hash
from scenarios.policy_card import describe_policy
from scenarios.provenance import machine, versions
from scenarios.training.cross_check import CrossCheck
from scenarios.training.figure import write_training_figure
from scenarios.training.parent import Parent
from scenarios.training.tested import card_result, read_test

RUN_FILE: Final = "run.json"
HISTORY_FILE: Final = "history.jsonl"
FIGURE_FILE: Final = "training.svg"
POLICY_FOLDER: Final = TRAINED_FOLDER


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one iteration did, with the time so far and, now and then, OpenDSS's word."""

    report: Report
    training_s: float
    """Of all iterations so far, validations and earlier trainings into the folder included, without
    cross-checks and files. [s]"""
    cross_check: CrossCheck | None


class TrainingFolder:
    """What a training leaves.

    Attributes:
        training_s: Of all iterations so far, see `Step`. [s]
    """

    def __init__(self, path: Path, *, case: Case, trainer: Trainer, parent: Parent | None) -> None:
        """Make the folder, or put the trainer back where the folder's training stopped.

        Args:
            path: Training folder, see `scenarios.training.claim`.
            case: What is trained on.
            trainer: That has done nothing yet.
            parent: What it fine-tunes, or None.

        Raises:
            ScenarioError: The folder holds another training.
        """
        self._path, self._case, self._trainer, self._parent = path, case, trainer, parent
        self.training_s = 0.0
        resumed = load_progress(path, trainer, case_key=case.key)
        history = path / HISTORY_FILE
        if not resumed:
            history.unlink(missing_ok=True)
        else:
            done = trainer.progress.iteration
            kept = [row for row in read_history(path) if row["iteration"] <= done]
            with written_whole(history) as file:
                file.write("".join(json.dumps(row) + "\n" for row in kept).encode())
            self.training_s = kept[-1]["training_s"] if kept else 0.0
        self._described = not resumed
        if self._described:
            self._describe(result=None)

    def add(self, step: Step) -> None:
        """Append an iteration to the history; after a validation keep all that is worth keeping."""
        if not self._described:  # only who trains, on this machine, says so
            self._describe(result=None)
            self._described = True
        self.training_s = step.training_s
        row = asdict(step.report) | {
            "training_s": step.training_s,
            "cross_check": None if step.cross_check is None else asdict(step.cross_check),
        }
        with (self._path / HISTORY_FILE).open("a") as file:
            file.write(json.dumps(row) + "\n")
        if step.report.validation is not None:
            save_progress(self._path, self._trainer, case_key=self._case.key)
            self._save_policy()
            self._draw()

    def finish(self) -> Path:
        """Write the best policy and the result; return the policy's folder.

        What an earlier training has finished keeps its machine and versions.
        """
        self._draw()
        if not self._described and self._is_finished():
            return self._renew_test()
        found = self._trainer.progress.best_validation
        self._describe(result=None if found is None else asdict(found))
        return self._save_policy()

    def _is_finished(self) -> bool:
        """Return whether a training has written all there is, before this one."""
        policy = self._path / POLICY_FOLDER
        files = [policy / name for name in (TENSORS_FILE, SIDECAR_FILE, CARD_FILE)]
        if not all(file.is_file() for file in (*files, self._path / RUN_FILE)):
            return False
        return read_run(self._path)["best_validation"] is not None

    def _renew_test(self) -> Path:
        """Let the card of a finished training have the test that the folder holds."""
        folder = self._path / POLICY_FOLDER
        card, sha256 = read_card(folder), load_policy(folder).tensors_sha256
        if card is not None:
            test = read_test(self._path, policy_sha256=sha256)
            write_card(folder, replace(card, test=None if test is None else card_result(test)))
        return folder

    def _save_policy(self) -> Path:
        """Write the best policy and its card, which keeps a test of this very policy.

        The card is made first, which may take a second: until it is written, the new networks lie
        beside a card of others, and are refused.
        """
        folder = self._path / POLICY_FOLDER
        trainer = self._trainer
        card = describe_policy(
            self._case,
            policy=trainer.best,
            pool=trainer.pool,
            settings=trainer.settings,
            iterations=trainer.progress.iteration,
            seconds=self.training_s,
            validation=trainer.progress.best_validation,
        )
        tensors_sha256 = save_policy(
            folder,
            policy=trainer.best,
            provenance=Provenance(
                feeder_hash=feeder_fingerprint(self._case.feeder),
                scenario_hash=config_hash(self._case.scenario),
                seed=trainer.settings.seed,
                version=versions()["gradmap"],
            ),
        )
        test = read_test(self._path, policy_sha256=tensors_sha256)
        result = None if test is None else card_result(test)
        write_card(folder, replace(card, tensors_sha256=tensors_sha256, test=result))
        return folder

    def _draw(self) -> None:
        write_training_figure(
            read_history(self._path),
            self._path / FIGURE_FILE,
            title=f"Training on {self._case.scenario.name}",
            currency=self._case.scenario.tariff.currency,
        )

    def _describe(self, *, result: dict[str, Any] | None) -> None:
        settings, parent = self._trainer.settings, self._parent
        document = {
            "scenario": self._case.scenario.name,
            "scenario_hash": config_hash(self._case.scenario),
            "case": self._case.key,
            "seed": settings.seed,
            "settings": asdict(settings),
            "settings_hash": settings.key,
            "fine_tuning": None if parent is None else parent.described(),
            "versions": versions(),
            "machine": machine(),
            "training_s": self.training_s,
            "best_validation": result,
        }
        with written_whole(self._path / RUN_FILE) as file:
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


def read_run(folder: Path) -> dict[str, Any]:
    """Return `run.json`."""
    document: dict[str, Any] = json.loads((folder / RUN_FILE).read_text())
    return document
