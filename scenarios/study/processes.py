"""Works in processes of their own, a few at a time, with what they say on the way.

Unlike `scenarios.benchmarks.workers`, where all start together, a work begins when there is room.
Every work has a fresh process: its memory is its own, and what one leaves behind helps no other.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, TypeVar, cast

import torch

from gradmap.errors import GradmapError

Result = TypeVar("Result")
Tell = Callable[[float], None]
"""Takes the share of a work that is done."""


class _Worker(NamedTuple):
    """A process and the work it has."""

    process: BaseProcess
    number: int


def run_queue(
    works: Sequence[Callable[[Tell], Result]],
    *,
    n_at_once: int,
    on_share: Callable[[int, float], None] | None = None,
    on_result: Callable[[int, Result], None] | None = None,
) -> list[Result]:
    """Call every function in a process of its own and return what they return, in order.

    Each has one torch thread. The first that fails ends all others, as an interrupt does.

    Args:
        works: Picklable: functions of a module, or `functools.partial` of these.
        n_at_once: How many processes there are at a time.
        on_share: Called with a work's number and how much of it is done.
        on_result: Called with a work's number and result as soon as it is done.

    Raises:
        GradmapError: A process failed, with its message on stderr.
    """
    # Torch does not survive a fork; a fresh interpreter does.
    context = multiprocessing.get_context("spawn")
    waiting = list(enumerate(works))
    workers: dict[Connection, _Worker] = {}
    found: dict[int, Result] = {}
    try:
        while waiting or workers:
            while waiting and len(workers) < n_at_once:
                number, work = waiting.pop(0)
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_call, args=(work, sender), daemon=True)
                process.start()
                sender.close()  # only the process has it now: when it ends, the pipe does
                workers[receiver] = _Worker(process, number)
            for pipe in wait(list(workers)):
                worker = workers[cast(Connection, pipe)]
                done, value = _received(cast(Connection, pipe), n_works=len(works), worker=worker)
                if not done:
                    if on_share is not None:
                        on_share(worker.number, value)
                    continue
                found[worker.number] = value
                _end(workers, cast(Connection, pipe))
                if on_result is not None:
                    on_result(worker.number, value)
    finally:
        for pipe in list(workers):
            workers[pipe].process.kill()
            _end(workers, pipe)
    return [found[number] for number in range(len(works))]


def run_in_turn(
    works: Sequence[Callable[[Tell], Result]],
    *,
    on_share: Callable[[int, float], None] | None = None,
    on_result: Callable[[int, Result], None] | None = None,
) -> list[Result]:
    """Do the same as `run_queue` one after the other in this process, with one torch thread."""
    found = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for number, work in enumerate(works):
            found.append(work(partial(_tell_of, number, on_share)))
            if on_result is not None:
                on_result(number, found[-1])
    finally:
        torch.set_num_threads(threads)
    return found


def _tell_of(number: int, on_share: Callable[[int, float], None] | None, share: float) -> None:
    if on_share is not None:
        on_share(number, share)


def _received(pipe: Connection, *, n_works: int, worker: _Worker) -> tuple[bool, Any]:
    """Return whether the work is done, and its result or its share."""
    try:
        done, value = pipe.recv()
    except (EOFError, OSError):
        raise GradmapError(
            f"Study: process {worker.number + 1} of {n_works} ended without a result; its message "
            f"is above. If there is none, memory may have run out: use fewer processes at a time."
        ) from None
    return done, value


def _end(workers: dict[Connection, _Worker], pipe: Connection) -> None:
    workers.pop(pipe).process.join()
    pipe.close()


def _call(work: Callable[[Tell], object], sender: Connection) -> None:
    """Be a process: work, say how far it is, send the result."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it is interrupted, too, and ends it
    torch.set_num_threads(1)

    def tell(share: float) -> None:
        sender.send((False, share))

    sender.send((True, work(tell)))
