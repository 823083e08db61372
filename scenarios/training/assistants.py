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
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

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
        helpers: list[SpawnProcess] = []
        ears: list[Connection] = []
        try:
            for place in places[1:]:
                ear, mouth = context.Pipe(duplex=False)
                helper = context.Process(target=_assist, args=(assist, place, mouth), daemon=True)
                helper.start()
                mouth.close()
                helpers.append(helper)
                ears.append(ear)
            yield from _leading(lead, places[0], helpers=helpers, ears=ears)
        finally:
            torch.set_num_threads(threads)
            for helper in helpers:
                helper.terminate()
                helper.join()


def _leading(
    lead: Callable[[Peers], Trainer],
    place: Place,
    *,
    helpers: list[SpawnProcess],
    ears: list[Connection],
) -> Iterator[Trainer]:
    """Yield the leading process's trainer; say what really went wrong when a helper did."""
    try:
        with joined(rank=place.rank, size=place.size, meeting=place.meeting) as peers:
            yield lead(peers)
    except RuntimeError as exc:
        if isinstance(exc, GradmapError):
            raise
        # The connection broke because a process is gone: its own words explain it.
        for number, (helper, ear) in enumerate(zip(helpers, ears, strict=True), start=2):
            helper.join(LAST_WORDS_S)
            words = _heard(ear)
            if words is not None:
                raise GradmapError(words) from exc
            if helper.exitcode not in (None, 0):
                raise GradmapError(
                    f"Training: process {number} of {place.size} ended with exit code "
                    f"{helper.exitcode}, perhaps for want of memory. Lower `processes` or "
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
    """Train along until all iterations are done; the leading process is asked to stop, not this."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    try:
        with joined(rank=place.rank, size=place.size, meeting=place.meeting) as peers:
            for _ in assist(peers).run():
                pass
    except GradmapError as exc:
        mouth.send(str(exc))
        raise SystemExit(1) from exc
