"""Environment steps per second: all devices of N homes and one three-phase power flow a step.

No policy and no gradient: requests are given, as in PowerGridworld's and CityLearn's own figures.
Each process has one core and one torch thread and steps its own batch of days, in float32.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Barrier

import torch

from scenarios.benchmarks.workers import run_in_processes
from scenarios.case import open_case
from scenarios.schema import Scenario

MIN_SECONDS = 3.0
PATIENCE_S = 600.0
"""How long one population may take, its start included. [s]"""


@dataclass(frozen=True, kw_only=True)
class EnvironmentSpeed:
    """One measurement."""

    n_households: int
    batch: int
    n_processes: int
    steps_per_s: float
    """Environment steps of all processes per second of wall time."""

    @property
    def agent_steps_per_s(self) -> float:
        """Return device steps per second."""
        return self.n_households * self.steps_per_s


def measure_speed(
    scenario: Scenario, *, sizes: Sequence[int], batch: int = 128, n_processes: int = 1
) -> tuple[EnvironmentSpeed, ...]:
    """Measure populations of several sizes on a scenario's feeder.

    Args:
        scenario: Feeder, season and shares; the number of households is replaced.
        sizes: Numbers of households, one agent each.
        batch: Days stepped at once by each process.
        n_processes: Started together.
    """
    return tuple(
        EnvironmentSpeed(
            n_households=size,
            batch=batch,
            n_processes=n_processes,
            steps_per_s=_rate(scenario, size=size, batch=batch, n_processes=n_processes),
        )
        for size in sizes
    )


def _rate(scenario: Scenario, *, size: int, batch: int, n_processes: int) -> float:
    population = scenario.population.model_copy(update={"n_households": size})
    smaller = scenario.model_copy(update={"population": population})
    works = [partial(_steps_per_s, smaller, batch)] * n_processes
    return sum(run_in_processes(works, patience_s=PATIENCE_S))


@torch.no_grad()
def _steps_per_s(scenario: Scenario, batch: int, together: Barrier) -> float:
    """Return this process's environment steps per second; it begins when all are ready."""
    torch.set_num_threads(1)
    case = open_case(scenario)
    rollout = case.rollout(dtype=torch.float32)
    # A few days stand for the batch: what they hold does not change the work.
    few = case.days.sample("train", range(min(batch, 8)))
    days = few.take([k % few.n_days for k in range(batch)]).to(dtype=torch.float32)
    shape = (batch, days.n_steps, rollout.fleet.n_agents)
    low_kw, high_kw = rollout.fleet.action_range_kw()
    generator = torch.Generator().manual_seed(0)
    request_kw = low_kw + torch.rand(shape, generator=generator) * (high_kw - low_kw)
    rollout.replay(request_kw, days)
    together.wait()
    n_steps, start = 0, time.perf_counter()
    while (seconds := time.perf_counter() - start) < MIN_SECONDS:
        rollout.replay(request_kw, days)
        n_steps += batch * days.n_steps
    return n_steps / seconds
