"""One method on test days nobody trained on, closed loop, every step of every day in OpenDSS.

Torch rolls out, in float64 and in batches; the homes' powers of all steps are then solved by the
grid federate's own code, and voltages are judged by what OpenDSS says. Policies that sense voltage
see torch's: it differs from OpenDSS's by less than anything they could react to, and the largest
difference is part of the result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from gradmap.baselines.registry import POLICY_PREFIX, policy_folder
from gradmap.controller import Controller
from gradmap.costs import service, trajectory_cost
from gradmap.feeder import FloatArray
from gradmap.policies.checkpoint import load_policy
from gradmap.rollout import Rollout
from gradmap.training.validation import THRESHOLD_PU
from gradmap.violations import limited_nodes, node_vm_pu, rated_branches
from scenarios.case import Case
from scenarios.replay import replay_trajectory
from scenarios.study.processes import Tell, run_in_turn, run_queue
from scenarios.study.results_folder import rounded

Part = TypeVar("Part")
SPLIT: Final = "test"
BATCH: Final = 25
"""Days rolled out at once."""
N_PROCESSES: Final = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class DayFacts:
    """What happened on each day, each [day]."""

    cost: FloatArray
    """Controllable cost of all agents. [cur]"""
    violation_pu: FloatArray
    """Largest distance of a limited node outside the limits by OpenDSS, 0 inside. [pu]"""
    n_unsolved: FloatArray
    """Steps without solution, in torch or in OpenDSS; they count in no voltage."""
    comfort_k_h: FloatArray
    """Outside the comfort bands, all homes. [K h]"""
    clipped_kwh: FloatArray
    """Requests that devices could not follow. [kWh]"""
    shortfall_kwh: FloatArray
    """Missing when vehicles left. [kWh]"""
    difference_pu: FloatArray
    """Largest difference of a voltage between torch and OpenDSS. [pu]"""
    overload: FloatArray
    """Largest loading of a rated branch beyond its limit by OpenDSS, 0 within; NaN in files from
    before it was measured. It makes no day violating. [-]"""

    @property
    def violating(self) -> NDArray[np.bool_]:
        """Return which days violate, [day]: further outside than `THRESHOLD_PU`, or unsolved."""
        found: NDArray[np.bool_] = self.violation_pu > THRESHOLD_PU
        return found | (self.n_unsolved > 0)

    def arrays(self) -> dict[str, FloatArray]:
        """Return the arrays by name."""
        return dict(self.__dict__)

    def lists(self) -> dict[str, list[float]]:
        """Return the arrays as files hold them, without what is not known."""
        known = {name: x for name, x in self.arrays().items() if not np.isnan(x).any()}
        return {name: x.tolist() for name, x in known.items()}

    @classmethod
    def listed(cls, lists: Mapping[str, Sequence[float]]) -> DayFacts:
        """Return the days of a file, which holds lists by name."""
        unknown = {"overload": np.full(len(lists["cost"]), np.nan)}
        return cls(**unknown | {name: np.array(values) for name, values in lists.items()})

    @classmethod
    def joined(cls, parts: Sequence[Mapping[str, FloatArray]]) -> DayFacts:
        """Return days one after the other, rounded as files keep them."""
        return cls(
            **{name: rounded(np.concatenate([part[name] for part in parts])) for name in parts[0]}
        )


def roll_out_days(
    case: Case,
    controller: str,
    *,
    numbers: Sequence[int],
    split: str = SPLIT,
    n_processes: int = N_PROCESSES,
    on_progress: Callable[[float], None] | None = None,
) -> tuple[DayFacts, float]:
    """Return what a method does on days of a split, and the wall time it took [s].

    Args:
        case: Feeder, population, days and limits.
        controller: A name as in scenario files.
        numbers: Which days.
        split: `test` or `fresh`.
        n_processes: That share the days; 1 works in this one.
        on_progress: Called with the finished share.

    Raises:
        ScenarioError: A policy that was trained for other agents.
        GradmapError: A process failed.
    """
    began = time.perf_counter()
    parts = in_batches(
        partial(_work, case, controller, split),
        numbers=numbers,
        n_processes=n_processes,
        on_share=on_progress,
    )
    return DayFacts.joined(parts), time.perf_counter() - began


def in_batches(
    work: Callable[[Sequence[tuple[int, ...]], Tell], list[Part]],
    *,
    numbers: Sequence[int],
    n_processes: int,
    on_share: Tell | None = None,
) -> list[Part]:
    """Return what a work finds out about each batch of days, in the order of the days.

    Args:
        work: Returns a part for each of some batches; picklable, see `run_queue`.
        numbers: Of the days.
        n_processes: That share the batches; 1 works in this one.
        on_share: Called with the finished share.

    Raises:
        GradmapError: A process failed.
    """
    batches = [tuple(numbers[first : first + BATCH]) for first in range(0, len(numbers), BATCH)]
    n_shares = max(1, min(n_processes, len(batches)))
    shares = [batches[k::n_shares] for k in range(n_shares)]
    works = [partial(work, share) for share in shares]
    done = [0.0] * n_shares

    def tell(number: int, share: float) -> None:
        done[number] = share * len(shares[number]) / len(batches)
        if on_share is not None:
            on_share(sum(done))

    if n_shares == 1:
        found = run_in_turn(works, on_share=tell)
    else:
        found = run_queue(works, n_at_once=n_shares, on_share=tell)
    # Batches were dealt like cards.
    return [found[k % n_shares][k // n_shares] for k in range(len(batches))]


@torch.no_grad()
def _work(
    case: Case, controller: str, split: str, batches: Sequence[tuple[int, ...]], tell: Tell
) -> list[dict[str, FloatArray]]:
    """Return the facts of each batch of days."""
    rollout = case.rollout(observe_voltage=senses_voltage(controller))
    acting = case.controller(controller, fleet=rollout.fleet)
    found: list[dict[str, FloatArray]] = []
    for position, numbers in enumerate(batches):
        one = judged(case, rollout, acting, numbers=numbers, split=split)
        found.append({name: value.sum(axis=1) for name, value in one.of_agents.items()})
        found[-1] |= one.of_network
        tell((position + 1) / len(batches))
    return found


def senses_voltage(controller: str) -> bool:
    """Return whether a method looks at the voltage of its connection."""
    if not controller.startswith(POLICY_PREFIX):
        return False
    return load_policy(policy_folder(controller)).policy.architecture.senses_voltage


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """A batch of days, rolled out and judged by OpenDSS's voltages."""

    of_agents: Mapping[str, FloatArray]
    """`cost`, `comfort_k_h`, `clipped_kwh`, `shortfall_kwh` as in `DayFacts`, [day, agent]."""
    of_network: Mapping[str, FloatArray]
    """`violation_pu`, `n_unsolved`, `difference_pu`, `overload` as in `DayFacts`, [day]."""


@torch.no_grad()
def judged(
    case: Case,
    rollout: Rollout,
    controller: Controller,
    *,
    numbers: Sequence[int],
    split: str = SPLIT,
) -> Judged:
    """Roll out days of a split, replay them in OpenDSS and judge them by what it says."""
    trajectory = rollout.run(controller, case.days.sample(split, numbers))
    replayed = replay_trajectory(case, trajectory, fleet=rollout.fleet)
    nodes = limited_nodes(case.feeder, exclude_buses=case.limits.exclude_buses).numpy()
    ours_pu = node_vm_pu(trajectory).numpy()[..., nodes]
    vm_pu = replayed.vm_pu[..., nodes]
    solved = replayed.status == 0
    if trajectory.status is not None:
        solved &= trajectory.status.numpy() == 0
    below, above = case.limits.v_min_pu - vm_pu, vm_pu - case.limits.v_max_pu
    outside_pu = np.where(solved[..., None], np.maximum(below, above), 0.0)
    apart_pu = np.where(solved[..., None], np.abs(ours_pu - vm_pu), 0.0)
    # Series reactors have no loading in OpenDSS.
    loading = np.nan_to_num(replayed.loading[..., rated_branches(case.feeder).numpy()])
    over = np.where(solved[..., None], loading - case.limits.loading_max, 0.0)
    served = service(rollout.fleet, trajectory)
    of_agents = {
        "cost": trajectory_cost(rollout.fleet, trajectory).total,
        "comfort_k_h": served.comfort_k_h,
        "clipped_kwh": served.clipped_kwh,
        "shortfall_kwh": served.departure_shortfall_kwh,
    }
    return Judged(
        of_agents={name: value.double().numpy() for name, value in of_agents.items()},
        of_network={
            "violation_pu": outside_pu.max(axis=(1, 2), initial=0.0),
            "n_unsolved": (~solved).sum(axis=1).astype(np.float64),
            "difference_pu": apart_pu.max(axis=(1, 2), initial=0.0),
            "overload": over.max(axis=(1, 2), initial=0.0),
        },
    )
