"""Proximal steps and plain backpropagation: two ways to use one look at the environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from gradmap.training.action_gradients import ActionGradients
from gradmap.training.day_pool import Batch
from gradmap.training.environment import Environment, Look
from gradmap.training.peers import Peers, rows_of
from gradmap.training.progress import Progress
from gradmap.training.settings import TrainingSettings
from gradmap.training.surrogate import Surrogate, surrogate_gradients, updated_scale

STD_SMALLEST: Final = 1e-3


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What an iteration's steps did."""

    look: Look
    n_epochs: int
    edge_share: float
    """Of the last epoch's samples, how many had used up the trust region. [-]"""


def backprop_step(
    environment: Environment, progress: Progress, days: Batch, *, network_weight: float
) -> Taken:
    """Look once and step once along the whole gradient (GradMA)."""
    progress.optimiser.zero_grad(set_to_none=True)
    look = environment.parameter_gradients(
        progress.learners.acting,
        days,
        multipliers=progress.multipliers,
        network_weight=network_weight,
    )
    progress.optimiser.step()
    return Taken(look=look, n_epochs=1, edge_share=0.0)


def proximal_steps(
    environment: Environment,
    progress: Progress,
    days: Batch,
    *,
    settings: TrainingSettings,
    peers: Peers,
    network_weight: float,
    radius: float,
    draw: torch.Generator,
) -> Taken:
    """Look once and step several times within the trust region.

    Args:
        environment: Looked at once.
        progress: Whose learners step.
        days: The batch, the same in all processes.
        settings: Of the steps.
        peers: Processes that step together.
        network_weight: Of the network's terms. [-]
        radius: Of the trust region. [-]
        draw: Randomness of the iteration, the same in all processes.
    """
    std = noise = None
    if progress.log_std is not None:
        std = progress.learners.spread(progress.log_std.detach().exp())
        shape = (days.n_days, days.n_steps, len(std))
        noise = torch.randn(shape, generator=draw, dtype=torch.float64).to(std)
    look = environment.action_gradients(
        progress.learners.acting,
        days,
        multipliers=progress.multipliers,
        network_weight=network_weight,
        std=std,
        noise=noise,
    )
    if look.kept is None:
        raise RuntimeError("Training: the environment kept no gradients.")
    kept = progress.learners.of(look.kept)
    n_all = days.n_days * days.n_steps
    square = kept.gradient.square().sum(dim=0)
    peers.add(square)
    progress.scale = updated_scale(progress.scale, square / n_all)
    surrogate = Surrogate(trust_region=settings.trust_region, radius=radius)
    mine = rows_of(days.n_days, peers=peers)
    first, after = mine.start * days.n_steps, mine.stop * days.n_steps
    n_epochs, edge_share = 0, 0.0
    for chosen in _epochs(n_all, settings=settings, draw=draw):
        own = chosen[(chosen >= first) & (chosen < after)] - first
        edge_share = _gradients(
            progress,
            kept,
            surrogate=surrogate,
            samples=own.to(square.device),
            n_samples=len(chosen),
            peers=peers,
        )
        if settings.trust_region != "none" and edge_share > settings.stop_share:
            break
        progress.optimiser.step()
        n_epochs += 1
    if progress.log_std is not None:
        with torch.no_grad():
            progress.log_std.clamp_(min=float(np.log(STD_SMALLEST)))
    return Taken(look=look, n_epochs=n_epochs, edge_share=edge_share)


def _gradients(
    progress: Progress,
    kept: ActionGradients,
    *,
    surrogate: Surrogate,
    samples: Tensor,
    n_samples: int,
    peers: Peers,
) -> float:
    """Put the gradients of all processes into the learners' `grad`; return the edge share."""
    if progress.scale is None:
        raise RuntimeError("Training: gradients have no scale yet.")
    networks = progress.learners.networks
    share = surrogate_gradients(
        networks,
        kept,
        surrogate=surrogate,
        scale=progress.scale,
        samples=samples,
        n_samples=n_samples,
        log_std=progress.log_std,
    )
    edge = torch.tensor(share, dtype=torch.float64, device=samples.device)
    leaves = [*networks.parameters()] + ([] if progress.log_std is None else [progress.log_std])
    peers.add(edge, *(leaf.grad for leaf in leaves if leaf.grad is not None))
    return float(edge)


def _epochs(n_all: int, *, settings: TrainingSettings, draw: torch.Generator) -> Iterator[Tensor]:
    """Yield the samples of each epoch, of all that all processes have kept."""
    n_some = max(1, round(settings.sample_share * n_all))
    for _ in range(settings.epochs):
        if n_some >= n_all:
            yield torch.arange(n_all)
        else:
            yield torch.randperm(n_all, generator=draw)[:n_some]
