"""Processes of a benchmark, side by side: started together, one result from each."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import NamedTuple, TypeVar

from gradmap.errors import GradmapError
from scenarios.benchmarks.cores import pin

Result = TypeVar("Result")


class _Worker(NamedTuple):
    """A process and our end of the pipe its result comes through."""

    process: BaseProcess
    results: Connection


def run_in_processes(
    works: Sequence[Callable[[Barrier], Result]],
    *,
    patience_s: float,
    cores: Sequence[int] | None = None,
) -> list[Result]:
    """Call every function in a fresh process of its own and return what they return, in order.

    Each gets one barrier that all of them share: its `wait` returns when all have come there, so
    that what is measured together begins together. The first process that fails ends all others.

    Args:
        works: Picklable: functions of a module, or `functools.partial` of these.
        patience_s: How long all of it may take. [s]
        cores: Keep each process on a core of its own, as many as functions; anywhere if left out.

    Raises:
        GradmapError: A process failed, with its message on stderr, or `patience_s` is over.
    """
    # Torch does not survive a fork; a fresh interpreter does.
    context = multiprocessing.get_context("spawn")
    # With a timeout, so that nobody waits for ever after this process was killed.
    together = context.Barrier(len(works), timeout=patience_s)
    deadline = time.monotonic() + patience_s
    places: Sequence[int | None] = [None] * len(works) if cores is None else cores
    workers: list[_Worker] = []
    try:
        for work, core in zip(works, places, strict=True):
            results, sender = context.Pipe(duplex=False)
            args = (work, together, core, sender)
            process = context.Process(target=_call, args=args, daemon=True)
            process.start()
            sender.close()  # only the process has it now: when it ends, the pipe does
            workers.append(_Worker(process, results))
        return _collect(workers, deadline=deadline)
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.join()
            worker.results.close()


def _call(
    work: Callable[[Barrier], Result], together: Barrier, core: int | None, sender: Connection
) -> None:
    """Be a process: work and send the result."""
    if core is not None:
        pin(core)
    sender.send(work(together))


def _collect(workers: Sequence[_Worker], *, deadline: float) -> list[Result]:
    """Return every worker's result; raise as soon as one has none."""
    pipes = {number: worker.results for number, worker in enumerate(workers)}
    found: dict[int, Result] = {}
    while pipes:
        ready = wait(list(pipes.values()), timeout=max(0.0, deadline - time.monotonic()))
        if not ready:
            raise GradmapError(
                f"Benchmark: {len(pipes)} of {len(workers)} processes gave no result in time. "
                f"Measure less, or leave the machine to it."
            )
        for number in [number for number, pipe in pipes.items() if pipe in ready]:
            try:
                found[number] = pipes.pop(number).recv()
            except (EOFError, OSError):
                raise GradmapError(
                    f"Benchmark: process {number + 1} of {len(workers)} ended without a result; "
                    f"its message is above."
                ) from None
    return [found[number] for number in range(len(workers))]
