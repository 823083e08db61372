"""One training of the reuse study: how many gradients, and how long, until a target is reached."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from gradmap.policies.independent import PolicyController
from gradmap.training.settings import TrainingSettings
from gradmap.training.validation import validate
from scenarios.case import Case
from scenarios.study.preparation import prepare
from scenarios.study.processes import Tell

FORMAT: Final = 2
"""Raise when what is measured changes: old files are not found any more."""
UNSOLVED_PU: Final = 1.0
"""Stands for a violation that has no value, since files hold finite numbers only. [pu]"""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What validation has to show, both at once."""

    cost: float
    """Mean of a validation day, at most. [cur]"""
    violation_pu: float
    """Mean over days of the day's largest distance outside, at most. [pu]"""

    def reached_by(self, *, cost: float, violation_pu: float) -> bool:
        """Return whether a validation shows it."""
        return cost <= self.cost and violation_pu <= self.violation_pu


@dataclass(frozen=True, kw_only=True)
class ReuseTask:
    """A training, and how it is watched."""

    method: str
    """`GradMAP` or `GradMA`."""
    rate: float
    """Learning rate."""
    settings: TrainingSettings
    """Its iterations are the most that are done."""
    target: Target
    validate_every: int
    """Iterations between validations."""
    n_validation_days: int

    def asked(self, *, case_key: str, scenario_hash: str) -> dict[str, Any]:
        """Return all that the training depends on, as plain values.

        The target only ends it: a kept training answers every target that it came by.
        """
        return {
            "format": FORMAT,
            "case": case_key,
            "scenario_hash": scenario_hash,
            "settings": asdict(self.settings),
            "validate_every": self.validate_every,
            "n_validation_days": self.n_validation_days,
        }


@dataclass(frozen=True, kw_only=True)
class Point:
    """A validation during training."""

    calls: int
    """Gradients of the environment so far."""
    seconds: float
    """Wall time of training so far, without validations. [s]"""
    processor_s: float
    """Processor time of the same. [s]"""
    cost: float
    """Mean of a validation day. [cur]"""
    violation_pu: float
    """Mean over days of the day's largest distance outside, `UNSOLVED_PU` if a step has no
    solution. [pu]"""
    n_violating: int
    """Validation days that violate."""


@dataclass(frozen=True, kw_only=True)
class ReuseRun:
    """What a training did."""

    method: str
    rate: float
    max_looks: int
    """Length of its schedules."""
    seed: int
    reached: bool
    points: tuple[Point, ...]
    """Until the target was reached, or to the end."""

    @property
    def last(self) -> Point:
        """Return the validation at which it stopped."""
        return self.points[-1]

    def towards(self, target: Target) -> ReuseRun | None:
        """Return the run as another target would have ended it; None if it was ended before."""
        for number, point in enumerate(self.points, start=1):
            if target.reached_by(cost=point.cost, violation_pu=point.violation_pu):
                return replace(self, reached=True, points=self.points[:number])
        return replace(self, reached=False) if self.last.calls >= self.max_looks else None

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> ReuseRun:
        """Return a run as `document` made it."""
        run = dict(document["run"])
        points = tuple(Point(**point) for point in run.pop("points"))
        return cls(points=points, **run)

    def document(self) -> dict[str, Any]:
        """Return the run as plain values."""
        return {"run": asdict(self)}


def train_to_target(case: Case, task: ReuseTask, tell: Tell) -> ReuseRun:
    """Train until a validation shows the target, or all iterations are done.

    Args:
        case: What is trained on.
        task: How.
        tell: Called with the share of the iterations that are done.
    """
    settings = task.settings
    prepared = prepare(case, settings=settings, n_validation_days=task.n_validation_days)
    trainer, points = prepared.trainer, []
    seconds = processor_s = 0.0
    reached = False
    while not reached and trainer.progress.iteration < settings.iterations:
        began = time.process_time()
        report = trainer.step()
        processor_s += time.process_time() - began
        seconds += report.seconds - report.validation_s
        done = report.iteration
        if done % task.validate_every and done < settings.iterations:
            continue
        found = validate(
            prepared.rollout,
            PolicyController(trainer.present, fleet=prepared.rollout.fleet),
            prepared.validation,
            limits=case.limits,
        )
        point = Point(
            calls=done,
            seconds=round(seconds, 3),
            processor_s=round(processor_s, 3),
            cost=float(f"{found.cost:.6g}"),
            violation_pu=float(f"{min(found.violation_mean_pu, UNSOLVED_PU):.6g}"),
            n_violating=found.days.n_violating,
        )
        points.append(point)
        reached = task.target.reached_by(cost=point.cost, violation_pu=point.violation_pu)
        tell(1.0 if reached else done / settings.iterations)
    return ReuseRun(
        method=task.method,
        rate=task.rate,
        max_looks=settings.iterations,
        seed=settings.seed,
        reached=reached,
        points=tuple(points),
    )
