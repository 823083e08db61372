"""Throughput of several processes at once, each on a core of its own: ours against OpenDSS.

One process more must not slow the others, which shared memory bandwidth or caches could do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Barrier
from typing import NamedTuple

from gradmap.errors import ScenarioError
from scenarios.benchmarks.cores import idlest_cores, usable_cores
from scenarios.benchmarks.power_flow.opendss import STEPPED, ShapedEngine, shaped_engine
from scenarios.benchmarks.power_flow.opendss import TOOL as OPENDSS
from scenarios.benchmarks.power_flow.ours import FORWARD, VARIANTS, our_contender
from scenarios.benchmarks.power_flow.ours import TOOL as OURS
from scenarios.benchmarks.power_flow.task import Task, make_task, one_torch_thread
from scenarios.benchmarks.workers import run_in_processes

PATIENCE_S = 300.0
"""How long a round may take. [s]"""
OPENDSS_TOLERANCES = (1e-6, 1e-10)


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """What some processes solved together."""

    tool: str
    dtype: str
    tolerance_pu: float
    n_processes: int
    snapshots_per_s: float
    """Of all processes, by wall time: the best round. [1/s]"""
    over_opendss: float | None
    """Over OpenDSS at the same tolerance in as many processes; None for OpenDSS itself. [-]"""


class _Job(NamedTuple):
    """What a process solves."""

    tool: str
    dtype: str
    tolerance_pu: float


class _Round(NamedTuple):
    """When one process ran. [s]"""

    start_s: float
    end_s: float


def time_processes(
    n_processes: int, *, n_snapshots: int, repeats: int, seed: int
) -> tuple[Throughput, ...]:
    """Measure ours and OpenDSS's fastest way, in one process and in `n_processes` at once.

    Raises:
        ScenarioError: There are fewer cores than processes.
        GradmapError: A process failed.
    """
    check_processes(n_processes)
    works = [
        partial(
            _work,
            number=k,
            n_processes=n_processes,
            n_snapshots=n_snapshots,
            repeats=repeats,
            seed=seed + k,
        )
        for k in range(n_processes)
    ]
    series = _series(n_processes)
    rounds = run_in_processes(
        works,
        cores=idlest_cores(n_processes),
        patience_s=PATIENCE_S * len(series) * (repeats + 1),
    )
    found: list[Throughput] = []
    for job, count in series:
        at_once = zip(*(own[job, count] for own in rounds[:count]), strict=True)
        best_s = min(map(_wall_s, at_once))
        rate = count * n_snapshots / best_s
        found.append(
            Throughput(
                **job._asdict(),
                n_processes=count,
                snapshots_per_s=rate,
                over_opendss=None if job.tool == OPENDSS else rate / _peer(found, job, count),
            )
        )
    return tuple(found)


def check_processes(n_processes: int) -> None:
    """Raise a ScenarioError if there are not enough cores."""
    if n_processes > len(usable_cores()):
        raise ScenarioError(
            f"Benchmark: {n_processes} processes need as many cores, but {len(usable_cores())} "
            f"can be used here."
        )


def _peer(found: Sequence[Throughput], job: _Job, count: int) -> float:
    """Return OpenDSS's rate at a job's tolerance, in as many processes. [1/s]"""
    return next(
        x.snapshots_per_s
        for x in found
        if (x.tool, x.tolerance_pu, x.n_processes) == (OPENDSS, job.tolerance_pu, count)
    )


def _series(n_processes: int) -> list[tuple[_Job, int]]:
    """Return every job in one and in all processes, in the order of measuring."""
    jobs = [_Job(OPENDSS, "float64", tolerance) for tolerance in OPENDSS_TOLERANCES]
    jobs += [_Job(OURS, *variant) for variant in VARIANTS]
    return [(job, count) for job in jobs for count in sorted({1, n_processes})]


def _wall_s(rounds: Iterable[_Round]) -> float:
    """Return the time from the first start to the last end. [s]"""
    starts, ends = zip(*rounds, strict=True)
    return float(max(ends) - min(starts))


def _work(
    together: Barrier, *, number: int, n_processes: int, n_snapshots: int, repeats: int, seed: int
) -> dict[tuple[_Job, int], list[_Round]]:
    """Be process `number`, counted from 0: return the rounds of every job it has a part in."""
    found: dict[tuple[_Job, int], list[_Round]] = {}
    with one_torch_thread():
        task = make_task(n_snapshots=n_snapshots, seed=seed)
        engine = shaped_engine(task)
        for job, count in _series(n_processes):
            together.wait()  # nobody works beside one that is measured alone
            if number < count:
                meet = together if count == n_processes else None
                found[job, count] = _rounds(*_calls(job, task, engine), repeats, meet)
    return found


def _rounds(
    prepare: Callable[[], None], run: Callable[[], None], repeats: int, meet: Barrier | None
) -> list[_Round]:
    """Run once to warm up and then so many times, each time when all who `meet` are ready."""
    rounds = []
    for _ in range(repeats + 1):
        prepare()
        if meet is not None:
            meet.wait()
        start_s = time.monotonic()  # one clock for all processes
        run()
        rounds.append(_Round(start_s, time.monotonic()))
    return rounds[1:]


def _calls(
    job: _Job, task: Task, engine: ShapedEngine
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return what to do before each run, and the run."""
    if job.tool == OPENDSS:
        return (
            lambda: engine.prepare(kind=STEPPED, tolerance_pu=job.tolerance_pu),
            lambda: engine.run(kind=STEPPED),
        )
    ours = our_contender(task, dtype=job.dtype, tolerance_pu=job.tolerance_pu, kind=FORWARD)
    return ours.prepare, ours.run
