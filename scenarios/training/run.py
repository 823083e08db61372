"""Train policies for a scenario into a folder, and go on where an earlier training stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import torch

from gradmap.days import Days
from gradmap.errors import GradmapError, ScenarioError
from gradmap.policies.independent import PolicyController
from gradmap.training.fine_tuning import fine_tune as prepared
from gradmap.training.peers import Peers
from gradmap.training.progress_file import load_progress
from gradmap.training.settings import TrainingSettings
from gradmap.training.trainer import Trainer
from scenarios.case import Case, open_case
from scenarios.day_sampler import SPLIT_SIZES
from scenarios.schema import Scenario
from scenarios.training.assistants import assisted
from scenarios.training.claim import claim_folder
from scenarios.training.collapse import refuse_collapse
from scenarios.training.cost_scale import nominal_cost
from scenarios.training.cross_check import CrossCheck, cross_check
from scenarios.training.days import drawing, first_days, kept_days, n_kept
from scenarios.training.folder import POLICY_FOLDER, Step, TrainingFolder
from scenarios.training.parent import FineTune, Parent, open_parent, with_architecture

CROSS_CHECK_SITUATIONS: Final = 24


def train(
    scenario: Scenario,
    *,
    out: Path,
    settings: TrainingSettings,
    fine_tune: FineTune | None = None,
    cache_folder: Path | None = None,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
    on_days: Callable[[float], None] | None = None,
    on_step: Callable[[Step], None] | None = None,
) -> Path:
    """Train, or go on training, and return the folder of the best policy.

    Interrupting is safe at any time: at most `settings.validate_every` iterations are done again.

    Args:
        scenario: Feeder, population, limits and days.
        out: Training folder; made if absent.
        settings: How to train; for a folder with progress the same as before.
        fine_tune: Policy to start from and whom to train; None trains everybody from the beginning.
        cache_folder: Where drawn days are kept, or None.
        dtype: Of devices, policies and power flow.
        device: Torch device that they are on; a GPU takes one process.
        on_days: Called with the share of days that are drawn.
        on_step: Called after every iteration.

    Raises:
        ScenarioError: Nothing or nobody to train, more days than there are, no such device, the
            feeder collapses, or `out` cannot be written to or holds another training, or a part of
            one.
        GradmapError: OpenDSS disagrees with the power flow beyond the tolerance.
    """
    asked = Asked(
        scenario=scenario,
        out=out,
        settings=settings,
        fine_tune=fine_tune,
        cache_folder=cache_folder,
        dtype=dtype,
        device=device,
    )
    _refuse_device(asked)
    _refuse_days(settings)
    begun = _begin(asked)
    claim_folder(out)
    with assisted(
        partial(_trainer, begun, asked=asked, on_days=on_days),
        assist=partial(_assistant, asked),
        n_processes=begun.settings.processes,
    ) as trainer:
        refuse_collapse(begun.case, trainer.rollout)
        folder = TrainingFolder(out, case=begun.case, trainer=trainer, parent=begun.parent)
        for report in trainer.run():
            step = Step(
                report=report,
                training_s=folder.training_s + report.seconds,
                cross_check=None if report.validation is None else _checked(begun.case, trainer),
            )
            folder.add(step)
            if on_step is not None:
                on_step(step)
            _refuse_disagreement(step)
        return folder.finish()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What `train` was asked for, as every process needs it."""

    scenario: Scenario
    out: Path
    settings: TrainingSettings
    fine_tune: FineTune | None
    cache_folder: Path | None
    dtype: torch.dtype
    device: str


@dataclass(frozen=True, kw_only=True, eq=False)
class _Begun:
    """What a training begins with."""

    case: Case
    parent: Parent | None
    settings: TrainingSettings


def _refuse_device(asked: Asked) -> None:
    """Refuse a device that is not there, or that processes would have to share."""
    if asked.device == "cpu":
        return
    if asked.settings.processes > 1:
        raise ScenarioError(
            f"Training setting `processes` is {asked.settings.processes}, expected 1 on device "
            f"{asked.device!r}: one GPU has no cores to share."
        )
    if not torch.cuda.is_available():
        raise ScenarioError(
            f"Training: device {asked.device!r} is not there; torch {torch.__version__} finds no "
            f"CUDA device. Train on the CPU, or install torch for CUDA."
        )


def _refuse_days(settings: TrainingSettings) -> None:
    """Refuse more days than there are."""
    for name, split in (("pool_days", "train"), ("validation_days", "validation")):
        asked, there = getattr(settings, name), SPLIT_SIZES[split]
        if asked > there:
            raise ScenarioError(
                f"Training setting `{name}` is {asked}, expected at most the {there} days of split "
                f"{split!r}."
            )


def _begin(asked: Asked) -> _Begun:
    case = open_case(asked.scenario, cache_folder=asked.cache_folder)
    fleet = case.fleet(dtype=asked.dtype)
    if fleet.n_agents == 0:
        raise ScenarioError(
            f"Scenario {asked.scenario.name!r}: no home has a controllable device, so there is "
            f"nobody to train. Raise `population.devices` or choose `allocation: one_each`."
        )
    if asked.fine_tune is None:
        return _Begun(case=case, parent=None, settings=asked.settings)
    parent = open_parent(asked.fine_tune, case=case, fleet=fleet, out=asked.out / POLICY_FOLDER)
    settings = with_architecture(asked.settings, policy=parent.policy)
    return _Begun(case=case, parent=parent, settings=settings)


def _assistant(asked: Asked, peers: Peers) -> Trainer:
    """Return the trainer of a process that assists, where the training folder's one stands too."""
    begun = _begin(asked)
    trainer = _trainer(begun, peers, asked=asked, on_days=None)
    load_progress(asked.out, trainer, case_key=begun.case.key)
    return trainer


def _trainer(
    begun: _Begun,
    peers: Peers,
    *,
    asked: Asked,
    on_days: Callable[[float], None] | None,
) -> Trainer:
    """Return a trainer that has done nothing yet."""
    case, parent, settings = begun.case, begun.parent, begun.settings
    rollout = case.rollout(
        dtype=asked.dtype, device=asked.device, observe_voltage=settings.senses_voltage
    )
    pool, validation = _drawn(case, settings=settings, dtype=asked.dtype, on_days=on_days)
    pool = pool.to(device=asked.device)
    fine_tuning = None
    if parent is not None:
        fine_tuning = prepared(
            parent.policy, rollout.fleet, trained=parent.trained, days=pool, seed=settings.seed
        )
    return Trainer(
        rollout,
        settings=settings,
        limits=case.limits,
        pool=pool,
        validation=validation,
        cost_scale=nominal_cost(case, rollout),
        draw=drawing(case),
        fine_tuning=fine_tuning,
        peers=peers,
    )


def _checked(case: Case, trainer: Trainer) -> CrossCheck:
    rollout = trainer.rollout
    return cross_check(
        case,
        rollout,
        PolicyController(trainer.present, fleet=rollout.fleet),
        day=trainer.progress.iteration % trainer.settings.pool_days,
        n_situations=CROSS_CHECK_SITUATIONS,
        seed=trainer.settings.seed,
    )


def _refuse_disagreement(step: Step) -> None:
    """Stop where the power flow that is trained through is wrong."""
    checked = step.cross_check
    if checked is not None and not checked.passed:
        raise GradmapError(
            f"Training stopped after iteration {step.report.iteration}: voltages differ from "
            f"OpenDSS's by {checked.max_pu:.1e} pu, allowed are {checked.tolerance_pu:.0e}. "
            f"Compare the feeder with `gradmap validate`."
        )


def _drawn(
    case: Case,
    *,
    settings: TrainingSettings,
    dtype: torch.dtype,
    on_days: Callable[[float], None] | None,
) -> tuple[Days, Days]:
    """Return the first training days and the validation days."""
    total, done = n_kept(settings.pool_days) + settings.validation_days, 0

    def drawn(n_days: int) -> None:
        nonlocal done
        done += n_days
        if on_days is not None:
            on_days(done / total)

    training = kept_days(case, pool_days=settings.pool_days, dtype=dtype, on_drawn=drawn)
    validation = first_days(
        case, split="validation", n_days=settings.validation_days, dtype=dtype, on_drawn=drawn
    )
    return training, validation
