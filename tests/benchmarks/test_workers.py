"""Processes of a benchmark: each gives its own result, and one that fails ends all."""

import os
import time
from functools import partial
from pathlib import Path

import pytest

from gradmap.errors import GradmapError
from scenarios.benchmarks.cores import usable_cores
from scenarios.benchmarks.workers import run_in_processes

PATIENCE_S = 60.0


def meet(together, *, folder: Path, number: int) -> tuple[int, int]:
    """Return the own number, and how many came before anyone went on."""
    (folder / str(number)).touch()
    together.wait()
    return number, len(list(folder.iterdir()))


def own_cores(_) -> tuple[int, ...]:
    return usable_cores()


def fail(_) -> None:
    os._exit(3)


def wait_for_others(together) -> None:
    together.wait()


def oversleep(_) -> None:
    time.sleep(PATIENCE_S)


def test_results_come_in_order_and_nobody_passes_the_barrier_alone(tmp_path):
    works = [partial(meet, folder=tmp_path, number=k) for k in range(3)]
    assert run_in_processes(works, patience_s=PATIENCE_S) == [(0, 3), (1, 3), (2, 3)]


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system lets no process choose its core"
)
def test_every_process_stays_on_its_core():
    core = usable_cores()[-1]
    assert run_in_processes([own_cores], cores=[core], patience_s=PATIENCE_S) == [(core,)]


def test_a_process_that_fails_is_named_and_nobody_waits_for_it():
    start = time.monotonic()
    with pytest.raises(GradmapError, match="process 2 of 2 ended without a result"):
        run_in_processes([wait_for_others, fail], patience_s=PATIENCE_S)
    assert time.monotonic() - start < PATIENCE_S / 2


def test_patience_ends():
    with pytest.raises(GradmapError, match="1 of 1 processes gave no result in time"):
        run_in_processes([oversleep], patience_s=0.5)
