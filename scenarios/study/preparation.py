"""What a study trains on: a case, its drawn days, its rollout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch

from gradmap.days import Days
from gradmap.rollout import Rollout
from gradmap.training.settings import TrainingSettings
from gradmap.training.trainer import Trainer
from scenarios.case import Case
from scenarios.training.cost_scale import nominal_cost
from scenarios.training.days import drawing, first_days, kept_days

DTYPE: Final = torch.float32


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A trainer that has done nothing yet, and days to judge it by."""

    trainer: Trainer
    rollout: Rollout
    validation: Days


def prepare(case: Case, *, settings: TrainingSettings, n_validation_days: int) -> Prepared:
    """Return an untrained trainer in float32.

    Training itself validates on one day only: a study validates at times of its own, so that the
    time of the one is not counted as that of the other.

    Args:
        case: What is trained on.
        settings: How to train.
        n_validation_days: The first so many of the validation split.
    """
    rollout = case.rollout(dtype=DTYPE, observe_voltage=settings.senses_voltage)
    validation = first_days(case, split="validation", n_days=n_validation_days, dtype=DTYPE)
    trainer = Trainer(
        rollout,
        settings=settings,
        limits=case.limits,
        pool=kept_days(case, pool_days=settings.pool_days, dtype=DTYPE),
        validation=validation.take([0]),
        cost_scale=nominal_cost(case, rollout),
        draw=drawing(case),
    )
    return Prepared(trainer=trainer, rollout=rollout, validation=validation)
