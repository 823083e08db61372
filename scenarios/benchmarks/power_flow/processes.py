"""Throughput of several processes at once, each on a core of its own: ours against OpenDSS.

One process more must not slow the others, which shared memory bandwidth or caches could do.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from gradmap.errors import ScenarioError
from scenarios.benchmarks.power_flow.opendss import STEPPED, ShapedEngine, shaped_engine
from scenarios.benchmarks.power_flow.opendss import TOOL as OPENDSS
from scenarios.benchmarks.power_flow.ours import FORWARD, VARIANTS, our_contender
from scenarios.benchmarks.power_flow.ours import TOOL as OURS
from scenarios.benchmarks.power_flow.task import Task, make_task, one_torch_thread
from scenarios.benchmarks.power_flow.timing import idlest_cores, usable_cores

PATIENCE_S = 300.0
"""How long to wait for a process. [s]"""
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
    """What a worker solves from then on."""

    tool: str
    dtype: str
    tolerance_pu: float


class _Worker(NamedTuple):
    """A process and our end of the pipe to it."""

    process: Any
    pipe: Any

    def wait(self) -> None:
        """Return when it has done what it was told."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.pipe.poll(0.5):
            if not self.process.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("Benchmark: a process ended or hung; its message is above.")
        self.pipe.recv()


def time_processes(
    n_processes: int, *, n_snapshots: int, repeats: int, seed: int
) -> tuple[Throughput, ...]:
    """Measure ours and OpenDSS's fastest way, in one process and in `n_processes` at once.

    Raises:
        ScenarioError: There are fewer cores than processes.
    """
    check_processes(n_processes)
    jobs = [_Job(OPENDSS, "float64", tolerance) for tolerance in OPENDSS_TOLERANCES]
    jobs += [_Job(OURS, *variant) for variant in VARIANTS]
    found: list[Throughput] = []
    with _workers(n_processes, n_snapshots=n_snapshots, seed=seed) as workers:
        for job in jobs:
            for count in sorted({1, n_processes}):
                best_s = _best_round(workers[:count], job, repeats=repeats)
                rate = count * n_snapshots / best_s
                found.append(
                    Throughput(
                        **job._asdict(),
                        n_processes=count,
                        snapshots_per_s=rate,
                        over_opendss=None
                        if job.tool == OPENDSS
                        else rate / _peer(found, job, count),
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


@contextmanager
def _workers(n: int, *, n_snapshots: int, seed: int) -> Iterator[list[_Worker]]:
    """Start the workers, each on its core and with its own snapshots."""
    context = multiprocessing.get_context("spawn")
    workers = []
    try:
        for k, core in enumerate(idlest_cores(n)):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_work, args=(theirs, core, n_snapshots, seed + k), daemon=True
            )
            process.start()
            workers.append(_Worker(process, ours))
        yield workers
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.join()


def _best_round(workers: Sequence[_Worker], job: _Job, *, repeats: int) -> float:
    """Return the shortest wall time from telling all workers to run until all have. [s]"""
    times = []
    for message in (job, *["run"] * repeats):
        start = time.perf_counter()
        for worker in workers:
            worker.pipe.send(message)
        for worker in workers:
            worker.wait()
        times.append(time.perf_counter() - start)
    return min(times[1:])


def _work(pipe: Any, core: int, n_snapshots: int, seed: int) -> None:
    """Be a worker: take jobs, and run the present one whenever told to."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    with one_torch_thread():
        task = make_task(n_snapshots=n_snapshots, seed=seed)
        engine = shaped_engine(task)
        prepare: Callable[[], None] = _nothing
        run: Callable[[], None] = _nothing
        while True:
            message = pipe.recv()
            if isinstance(message, _Job):
                prepare, run = _calls(message, task, engine)
                prepare()
            run()
            pipe.send(True)
            prepare()


def _nothing() -> None:
    """Do nothing."""


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
