"""Time day-ahead schedules of many homes, and compare what they cost with rules."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Barrier
from typing import NamedTuple

import numpy as np

from federates.hems.optimiser.evaluate import evaluate
from federates.hems.optimiser.planner import Scheduler
from federates.hems.optimiser.rules import no_control, rule_based
from federates.hems.optimiser.solver import OPTIMAL, SolverSettings
from gradmap.errors import ScenarioError
from scenarios.benchmarks.cores import idlest_cores, usable_cores
from scenarios.benchmarks.hems_schedules.homes import draw_cases
from scenarios.benchmarks.workers import run_in_processes

PATIENCE_S = 3600.0
"""How long all homes may take. [s]"""


@dataclass(frozen=True, kw_only=True)
class ScheduleTiming:
    """Time and quality of the schedules of many homes."""

    n_homes: int
    n_steps: int
    n_processes: int
    runs: int
    """Appliances that run once, in homes that have any."""
    mip_rel_gap: float
    wall_s: float
    """From the first plan's start to the last one's end, over all processes."""
    cpu_s: float
    """Processor time of all plans."""
    median_ms: float
    """Processor time of a plan."""
    percentile_99_ms: float
    longest_ms: float
    n_fallbacks: int
    n_not_optimal: int
    """Plans that the time limit ended."""
    n_with_conflicts: int
    """Homes in which some wish could not be kept."""
    saving_no_control: float
    """Of the sum of bill, device and terminal cost, over all homes whose wishes all three keep, as
    a share of what habits cost. [-]"""
    saving_rule_based: float
    """The same against an installer's timers. [-]"""
    n_compared: int
    """Homes behind the savings."""
    n_above_rules: int
    """Homes whose objective is above that of habits or timers by more than the gap: must be 0."""


class _Plan(NamedTuple):
    """What is kept of one home's plan."""

    cpu_s: float
    optimised: bool
    optimal: bool
    money: tuple[float, float, float]
    """Of the plan, habits and timers. [cur]"""
    broken: tuple[float, float, float]
    """Cost of broken wishes of the same. [cur]"""
    objective: tuple[float, float, float]


class _Share(NamedTuple):
    start_s: float
    end_s: float
    plans: list[_Plan]


def time_schedules(
    n_homes: int = 1000,
    *,
    seed: int = 1,
    runs: int = 1,
    n_processes: int = 2,
    mip_rel_gap: float = 1e-4,
) -> ScheduleTiming:
    """Plan a day of 96 quarter-hours for every home, each process its share.

    Args:
        n_homes: How many.
        seed: Of homes and days.
        runs: Appliances that run once, in homes that have any, up to three.
        n_processes: Side by side, each on a core of its own.
        mip_rel_gap: At which a search ends. [-]

    Raises:
        ScenarioError: There are fewer cores than processes.
        GradmapError: A process failed.
    """
    if not 1 <= n_processes <= len(usable_cores()):
        raise ScenarioError(
            f"Benchmark: {n_processes} processes, expected 1 to {len(usable_cores())}, the cores "
            f"that can be used here."
        )
    works = [
        partial(
            _work,
            number=number,
            n_processes=n_processes,
            n_homes=n_homes,
            seed=seed,
            runs=runs,
            mip_rel_gap=mip_rel_gap,
        )
        for number in range(n_processes)
    ]
    shares = run_in_processes(works, patience_s=PATIENCE_S, cores=idlest_cores(n_processes))
    plans = [plan for share in shares for plan in share.plans]
    wall_s = max(share.end_s for share in shares) - min(share.start_s for share in shares)
    return _summary(plans, wall_s=wall_s, runs=runs, n_processes=n_processes, gap=mip_rel_gap)


def _summary(
    plans: list[_Plan], *, wall_s: float, runs: int, n_processes: int, gap: float
) -> ScheduleTiming:
    cpu_ms = 1e3 * np.array([plan.cpu_s for plan in plans])
    money, broken, objective = (
        np.array([getattr(plan, name) for plan in plans])
        for name in ("money", "broken", "objective")
    )
    kept = (broken <= 0.0).all(axis=1)
    ours, habits, timers = money[kept].sum(axis=0)
    best_rule = objective[:, 1:].min(axis=1)
    allowed = best_rule + 2.0 * gap * np.maximum(np.abs(best_rule), 1.0)
    return ScheduleTiming(
        n_homes=len(plans),
        n_steps=96,
        n_processes=n_processes,
        runs=runs,
        mip_rel_gap=gap,
        wall_s=wall_s,
        cpu_s=float(cpu_ms.sum()) / 1e3,
        median_ms=float(np.median(cpu_ms)),
        percentile_99_ms=float(np.percentile(cpu_ms, 99)),
        longest_ms=float(cpu_ms.max()),
        n_fallbacks=sum(not plan.optimised for plan in plans),
        n_not_optimal=sum(not plan.optimal for plan in plans),
        n_with_conflicts=int((broken[:, 0] > 0.0).sum()),
        saving_no_control=float((habits - ours) / abs(habits)) if kept.any() else 0.0,
        saving_rule_based=float((timers - ours) / abs(timers)) if kept.any() else 0.0,
        n_compared=int(kept.sum()),
        n_above_rules=int((objective[:, 0] > allowed).sum()),
    )


def _work(
    together: Barrier,
    *,
    number: int,
    n_processes: int,
    n_homes: int,
    seed: int,
    runs: int,
    mip_rel_gap: float,
) -> _Share:
    """Plan every `n_processes`-th home."""
    cases = draw_cases(n_homes, seed=seed, runs=runs)[number::n_processes]
    scheduler = Scheduler(settings=SolverSettings(mip_rel_gap=mip_rel_gap))
    together.wait()
    start_s, found = time.monotonic(), []
    for case in cases:
        began = time.process_time()
        plan = scheduler.plan(case.home, case.forecast)
        found.append((time.process_time() - began, plan))
    end_s = time.monotonic()
    plans = []
    for case, (cpu_s, plan) in zip(cases, found, strict=True):
        rules = [evaluate(*case, rule(*case)) for rule in (no_control, rule_based)]
        results = (plan.result, *rules)
        plans.append(
            _Plan(
                cpu_s=cpu_s,
                optimised=plan.optimised,
                optimal=plan.status == OPTIMAL,
                money=_three([x.objective - x.wish_cost for x in results]),
                broken=_three([x.wish_cost for x in results]),
                objective=_three([x.objective for x in results]),
            )
        )
    return _Share(start_s, end_s, plans)


def _three(values: list[float]) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third
