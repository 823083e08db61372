"""What changes while policies are trained, how it begins, and what an iteration reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from gradmap.days import Days
from gradmap.devices.fleet import Fleet
from gradmap.policies.independent import Architecture, IndependentPolicies
from gradmap.training.fine_tuning import FineTuning, Learners
from gradmap.training.settings import TrainingSettings
from gradmap.training.validation import Validation

UNTRAINED: Final = "untrained"


@dataclass(kw_only=True, eq=False)
class Progress:
    """All that training changes; what a checkpoint holds."""

    iteration: int
    """How many are done."""
    policy: IndependentPolicies
    """Everybody's; complete between two iterations."""
    learners: Learners
    """Those of them that are trained, in what `optimiser` holds."""
    optimiser: torch.optim.Adam
    average: list[Tensor]
    """Moving average of the learners' parameters, in their order; empty where none is kept."""
    multipliers: dict[str, Tensor]
    scale: Tensor | None
    """Moving rms of every learner's gradients, [learner]."""
    log_std: Tensor | None
    """Of exploring actions, [learner]; None for deterministic policies."""
    worst: Tensor
    """Largest scaled violation of each training day when last seen, [day]; -inf if never."""
    radius: float
    """Of the trust region, where it adapts itself. [-]"""
    start: str
    """Key of the policies it began with, `UNTRAINED` or that of a `FineTuning`."""
    best: dict[str, Tensor]
    """Parameters and normalisation of the best policy on the validation days so far."""
    best_validation: Validation | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one iteration did."""

    iteration: int
    """Counted from 1."""
    value: float
    """The Lagrangian of the batch, without its constant part."""
    cost: float
    """Mean controllable cost of the batch's days. [cur]"""
    violation: float
    """Mean over days of all network constraints' h, summed. [scaled]"""
    multiplier_sum: float
    multiplier_max: float
    n_epochs: int
    edge_share: float
    """Of the last epoch's samples, how many had used up the trust region. [-]"""
    radius: float
    """Of the trust region in this iteration. [-]"""
    n_unsolved: int
    validation: Validation | None
    """After this iteration, every `validate_every`."""
    seconds: float
    """Wall time of the iteration, its validation included. [s]"""
    validation_s: float
    """Of these, the validation's. [s]"""


def begin(
    fleet: Fleet,
    *,
    settings: TrainingSettings,
    senses_voltage: bool,
    pool: Days,
    n_days: int,
    fine_tuning: FineTuning | None = None,
) -> Progress:
    """Return the progress of a training that has done nothing yet.

    Args:
        fleet: Whose policies.
        settings: How they are trained.
        senses_voltage: Whether their networks see the voltage.
        pool: Training days, which untrained policies normalise observations by.
        n_days: Training days that batches are drawn from.
        fine_tuning: Policies to start from, or None for untrained ones.
    """
    if fine_tuning is None:
        policy, trained, start = _untrained(fleet, settings, senses_voltage, pool), None, UNTRAINED
    else:
        policy, trained, start = fine_tuning.fresh_copy(), fine_tuning.trained, fine_tuning.key
    learners = Learners(policy, trained=trained)
    log_std, extra = None, []
    if settings.std_start > 0.0 and settings.method == "proximal":
        deviation = torch.full_like(fleet.initial_state()[: learners.n_agents], settings.std_start)
        log_std = deviation.log().requires_grad_()
        extra = [log_std]
    return Progress(
        iteration=0,
        policy=policy,
        learners=learners,
        optimiser=torch.optim.Adam(
            [*learners.networks.parameters(), *extra],
            lr=settings.learning_rate,
            betas=settings.betas,
            fused=True,
        ),
        average=[],
        multipliers={},
        scale=None,
        log_std=log_std,
        worst=torch.full((n_days,), -torch.inf),
        radius=settings.trust_radius,
        start=start,
        best={},
        best_validation=None,
    )


@torch.no_grad()
def averaged(progress: Progress, *, decay: float) -> list[Tensor]:
    """Return the moving average of the learners' parameters after an iteration.

    Args:
        progress: With the iteration's steps taken, and its number still that of those before.
        decay: Of the average; 0 keeps none. Early on it is lower, so that the start is forgotten.
    """
    if decay == 0.0:
        return []
    now = [parameter.detach() for parameter in progress.learners.networks.parameters()]
    if not progress.average:
        return [value.clone() for value in now]
    share = 1.0 - min(decay, (2 + progress.iteration) / (11 + progress.iteration))
    return [old.lerp(new, share) for old, new in zip(progress.average, now, strict=True)]


def _untrained(
    fleet: Fleet, settings: TrainingSettings, senses_voltage: bool, pool: Days
) -> IndependentPolicies:
    return IndependentPolicies.for_fleet(
        fleet,
        seed=settings.seed,
        architecture=Architecture(
            hidden=settings.hidden,
            clock_harmonics=settings.clock_harmonics,
            senses_voltage=senses_voltage,
        ),
        days=pool,
    )
