"""OpenDSS's word on the power flow that policies are trained through, while they are trained.

A random sample of the situations that the present policies bring about is solved by the grid
federate's own code, compiled from the .dss files and not from what was extracted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from gradmap.controller import Controller
from gradmap.errors import GradmapError
from gradmap.rollout import Rollout
from gradmap.violations import limited_nodes, node_vm_pu
from scenarios.case import Case
from scenarios.replay import replay_trajectory

TOLERANCE_PU: Final = {torch.float64: 1e-6, torch.float32: 1e-5}
"""Largest difference of a voltage that training goes on with. [pu]"""


@dataclass(frozen=True, kw_only=True)
class CrossCheck:
    """Differences of voltage magnitudes between torch and OpenDSS."""

    n_situations: int
    max_pu: float
    p99_pu: float
    mean_pu: float
    tolerance_pu: float

    @property
    def passed(self) -> bool:
        """Return whether the largest difference is within the tolerance."""
        return self.max_pu <= self.tolerance_pu


@torch.no_grad()
def cross_check(
    case: Case, rollout: Rollout, controller: Controller, *, day: int, n_situations: int, seed: int
) -> CrossCheck:
    """Compare random steps of a training day under the present policies.

    Args:
        case: Feeder and placement.
        rollout: In the dtype that is trained in.
        controller: The present policies.
        day: Number of the training day.
        n_situations: Steps drawn from the day.
        seed: Of the draw.

    Raises:
        GradmapError: OpenDSS finds no solution where torch does.
    """
    days = case.days.sample("train", [day])
    trajectory = rollout.run(controller, days)
    draw = np.random.default_rng([seed, day])
    n_steps = days.n_steps
    steps = np.sort(draw.choice(n_steps, size=min(n_situations, n_steps), replace=False))
    if trajectory.status is not None:
        steps = steps[(trajectory.status[0].cpu().numpy() == 0)[steps]]
    # Taps are where all the steps before have left them.
    first = range(n_steps) if rollout.control_regulators else steps.tolist()
    replayed = replay_trajectory(case, trajectory, fleet=rollout.fleet, steps=first)
    rows = np.searchsorted(first, steps)
    if bool((replayed.status[:, rows] != 0).any()):
        raise GradmapError(
            "Cross-check: OpenDSS has no solution for a situation that torch has solved. The "
            "feeder is overloaded there, or modelled differently: lower "
            "`population.base_load_scale`, or compare the feeder with `gradmap validate`."
        )
    nodes = limited_nodes(case.feeder, exclude_buses=case.limits.exclude_buses)
    ours = node_vm_pu(trajectory)[:, torch.from_numpy(steps)].double().cpu().numpy()
    difference = np.abs(ours - replayed.vm_pu[:, rows])[..., nodes.numpy()]
    return CrossCheck(
        n_situations=len(steps),
        max_pu=float(difference.max()),
        p99_pu=float(np.quantile(difference, 0.99)),
        mean_pu=float(difference.mean()),
        tolerance_pu=TOLERANCE_PU[rollout.fleet.initial_state().dtype],
    )
