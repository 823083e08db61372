"""Further processes of a training: each makes the same trainer and does its part of every step.

They write nothing and say nothing; when one fails, its message becomes the training's.
"""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import NamedTuple

import torch

from gradmap.errors import GradmapError
from gradmap.training.peers import Peers, joined
from gradmap.training.trainer import Trainer

LAST_WORDS_S = 5.0
"""How long a failing process is given to say why. [s]"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a process stands among those of a training."""

    rank: int
    size: int
    meeting: Path


class _Helper(NamedTuple):
    """A further process, and the end of its pipe that is ours."""

    process: SpawnProcess
    ear: Connection


@contextmanager
def assisted(
    lead: Callable[[Peers], Trainer], *, assist: Callable[[Peers], Trainer], n_processes: int
) -> Iterator[Trainer]:
    """Yield a trainer that shares its work with further processes, which end with the block.

    Args:
        lead: Makes this process's trainer.
        assist: Makes the same one in another process; can be pickled.
        n_processes: How many train together, this one included.

    Raises:
        GradmapError: Another process failed; its own words where it had any.
    """
    # Threads of one process wait for each other longer than they save.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="gradmap-training-") as folder:
        places = [
            Place(rank=rank, size=n_processes, meeting=Path(folder) / "meeting")
            for rank in range(n_processes)
        ]
        helpers: list[_Helper] = []
        try:
            for place in places[1:]:
                ear, mouth = context.Pipe(duplex=False)
                process = context.Process(target=_assist, args=(assist, place, mouth), daemon=True)
                with _interrupts_held():
                    process.start()
                    helpers.append(_Helper(process, ear))
                mouth.close()  # only the helper has it now: when it ends, the pipe does
            _wait_for(helpers)
            yield from _leading(lead, places[0], helpers=helpers)
        finally:
            torch.set_num_threads(threads)
            for helper in helpers:
                helper.process.terminate()
                helper.process.join()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back until the block ends; processes that start in it never hear one.

    They are asked to stop by the leading process alone, even while they are still importing.
    """
    # Where it starts within the block, it lets interrupts through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait_for(helpers: list[_Helper]) -> None:
    """Wait until all can join: joining itself hears neither Ctrl-C nor that one has died.

    Raises:
        GradmapError: One ended instead.
    """
    for number, helper in enumerate(helpers, start=2):
        try:
            helper.ear.recv()
        except EOFError:
            helper.process.join(LAST_WORDS_S)
            raise GradmapError(
                f"Training: process {number} of {len(helpers) + 1} ended with exit code "
                f"{helper.process.exitcode} before it could begin; its message is above. A script "
                f'that trains must be a file and do so under `if __name__ == "__main__":`, since '
                f"every process reads it; or set `processes` to 1."
            ) from None


def _leading(
    lead: Callable[[Peers], Trainer], place: Place, *, helpers: list[_Helper]
) -> Iterator[Trainer]:
    """Yield the leading process's trainer; say what really went wrong when a helper did."""
    try:
        with joined(rank=place.rank, size=place.size, meeting=place.meeting) as peers:
            yield lead(peers)
    except RuntimeError as exc:
        if isinstance(exc, GradmapError):
            raise
        # The connection broke because a process is gone: its own words explain it.
        for number, helper in enumerate(helpers, start=2):
            helper.process.join(LAST_WORDS_S)
            words = _heard(helper.ear)
            if words is not None:
                raise GradmapError(words) from exc
            if helper.process.exitcode not in (None, 0):
                raise GradmapError(
                    f"Training: process {number} of {place.size} ended with exit code "
                    f"{helper.process.exitcode}, perhaps for want of memory. Lower `processes` or "
                    f"`batch_days`; the same command goes on from the last validation."
                ) from exc
        raise


def _heard(ear: Connection) -> str | None:
    """Return what a process said before it ended, if it did."""
    try:
        return str(ear.recv()) if ear.poll() else None
    except EOFError:
        return None


def _assist(assist: Callable[[Peers], Trainer], place: Place, mouth: Connection) -> None:
    """Say that this process is there, then train along until all iterations are done."""
    torch.set_num_threads(1)
    mouth.send("here")
    try:
        with joined(rank=place.rank, size=place.size, meeting=place.meeting) as peers:
            for _ in assist(peers).run():
                pass
    except GradmapError as exc:
        mouth.send(str(exc))
        raise SystemExit(1) from exc
