"""Environment steps per second: all devices of N homes and one three-phase power flow a step.

Three ways to step: requests are given, as in PowerGridworld's and CityLearn's own figures;
untrained policies observe and act; and these with the reverse sweep, as a trainer asks for it. Each
process has one core and one torch thread and steps its own batch of days, in float32.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Barrier
from typing import Literal

import psutil
import torch

from gradmap.days import Days
from gradmap.errors import GradmapError
from gradmap.policies.independent import Architecture, IndependentPolicies, PolicyController
from gradmap.rollout import Rollout, Trajectory
from gradmap.training.environment import Environment
from gradmap.training.lagrangian import Lagrangian
from gradmap.training.settings import TrainingSettings
from scenarios.benchmarks.workers import run_in_processes
from scenarios.case import Case, open_case
from scenarios.schema import Scenario
from scenarios.training.cost_scale import nominal_cost

Way = Literal["requests", "policies", "gradients"]
OneBatch = Callable[[], int]
"""Steps through a batch and returns how many power flows had no solution."""

MIN_SECONDS = 3.0
PATIENCE_S = 600.0
"""How long one population may take, its start included. [s]"""
HIDDEN = (16,)
"""Width of each policy's hidden layer."""
GRADIENT_BATCH = 16
"""Days of a reverse sweep: its graph is kept in memory."""
GRAPH_BYTES = 600.0
"""Memory of the graph by day, step and agent: 475 to 520 measured. [B]"""


@dataclass(frozen=True, kw_only=True)
class EnvironmentSpeed:
    """One measurement; steps are those of all processes per second of wall time."""

    n_households: int
    batch: int
    """Days at once, without gradients."""
    gradient_batch: int
    n_processes: int
    steps_per_s: float
    """Requests are given."""
    policy_steps_per_s: float
    """Policies observe and act."""
    gradient_steps_per_s: float | None
    """The same with the reverse sweep; None where memory does not suffice."""

    @property
    def agent_steps_per_s(self) -> float:
        """Return device steps per second, with requests given."""
        return self.n_households * self.steps_per_s


def measure_speed(
    scenario: Scenario, *, sizes: Sequence[int], batch: int = 128, n_processes: int = 1
) -> tuple[EnvironmentSpeed, ...]:
    """Measure populations of several sizes on a scenario's feeder.

    Args:
        scenario: Feeder, season and shares; the number of households is replaced.
        sizes: Numbers of households, one agent each.
        batch: Days stepped at once by each process; gradients take at most `GRADIENT_BATCH`.
        n_processes: Started together.
    """
    return tuple(
        _speed(of_size(scenario, size=size), batch=batch, n_processes=n_processes) for size in sizes
    )


def _speed(scenario: Scenario, *, batch: int, n_processes: int) -> EnvironmentSpeed:
    def rate(way: Way, days: int) -> float:
        works = [partial(_steps_per_s, scenario, way, days)] * n_processes
        return sum(run_in_processes(works, patience_s=PATIENCE_S))

    swept = min(batch, GRADIENT_BATCH)
    n_steps = 24 * 60 // scenario.time.step_min
    graph = GRAPH_BYTES * swept * n_steps * scenario.population.n_households
    fits = n_processes * graph < psutil.virtual_memory().available
    return EnvironmentSpeed(
        n_households=scenario.population.n_households,
        batch=batch,
        gradient_batch=swept,
        n_processes=n_processes,
        steps_per_s=rate("requests", batch),
        policy_steps_per_s=rate("policies", batch),
        gradient_steps_per_s=rate("gradients", swept) if fits else None,
    )


def of_size(scenario: Scenario, *, size: int) -> Scenario:
    """Return the scenario with so many homes; more homes are smaller, or the feeder collapses."""
    population = scenario.population
    changes: dict[str, float] = {"n_households": size}
    share = population.n_households / size
    if share < 1.0:
        for name in ("base_load_scale", "pv_kwp_mean", "battery_scale", "floor_area_mean_m2"):
            changes[name] = share * getattr(population, name)
    return scenario.model_copy(update={"population": population.model_copy(update=changes)})


def _steps_per_s(scenario: Scenario, way: Way, batch: int, together: Barrier) -> float:
    """Return this process's environment steps per second; it begins when all are ready."""
    torch.set_num_threads(1)
    case = open_case(scenario)
    rollout = case.rollout(dtype=torch.float32)
    # A few days stand for the batch: what they hold does not change the work.
    few = case.days.sample("train", range(min(batch, 8)))
    days = few.take([k % few.n_days for k in range(batch)]).to(dtype=torch.float32)
    one_batch = _WAYS[way](case, rollout, days)
    if one_batch():
        raise GradmapError(
            f"Environment of {scenario.population.n_households:,} homes: power flows without "
            f"solution. Choose a scenario with less load."
        )
    together.wait()
    n_steps, start = 0, time.perf_counter()
    while (seconds := time.perf_counter() - start) < MIN_SECONDS:
        one_batch()
        n_steps += batch * days.n_steps
    return n_steps / seconds


def _with_requests(_: Case, rollout: Rollout, days: Days) -> OneBatch:
    low_kw, high_kw = rollout.fleet.action_range_kw()
    shape = (days.n_days, days.n_steps, rollout.fleet.n_agents)
    share = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    request_kw = low_kw + share * (high_kw - low_kw)

    @torch.no_grad()
    def one_batch() -> int:
        return _n_unsolved(rollout.replay(request_kw, days))

    return one_batch


def _with_policies(_: Case, rollout: Rollout, days: Days) -> OneBatch:
    controller = PolicyController(_policies(rollout), fleet=rollout.fleet)

    @torch.no_grad()
    def one_batch() -> int:
        return _n_unsolved(rollout.run(controller, days))

    return one_batch


def _with_gradients(case: Case, rollout: Rollout, days: Days) -> OneBatch:
    policies = _policies(rollout)
    lagrangian = Lagrangian(
        TrainingSettings(),
        fleet=rollout.fleet,
        limits=case.limits,
        cost_scale=nominal_cost(case, rollout),
    )
    environment = Environment(rollout, lagrangian)

    def one_batch() -> int:
        return environment.action_gradients(policies, days, multipliers={}).n_unsolved

    return one_batch


_WAYS: dict[Way, Callable[[Case, Rollout, Days], OneBatch]] = {
    "requests": _with_requests,
    "policies": _with_policies,
    "gradients": _with_gradients,
}


def _policies(rollout: Rollout) -> IndependentPolicies:
    """Return untrained policies; their actions are near the middle of the range."""
    return IndependentPolicies.for_fleet(
        rollout.fleet, seed=0, architecture=Architecture(hidden=HIDDEN)
    )


def _n_unsolved(trajectory: Trajectory) -> int:
    return 0 if trajectory.status is None else int((trajectory.status != 0).sum())
