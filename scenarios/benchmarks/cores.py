"""Which cores to measure on, and staying there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

LOOK_S = 0.3
"""How long to watch the cores before choosing one. [s]"""


def usable_cores() -> tuple[int, ...]:
    """Return the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def idlest_cores(n: int) -> list[int]:
    """Return the `n` least busy of the usable cores."""
    busy = psutil.cpu_percent(interval=LOOK_S, percpu=True)
    return sorted(usable_cores(), key=lambda core: busy[core] if core < len(busy) else 0.0)[:n]


def pin(core: int) -> None:
    """Keep this thread, and those it starts, on one core; nothing where cores cannot be chosen."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


@contextmanager
def pinned(core: int | None = None) -> Iterator[int | None]:
    """Keep this thread on one core and yield its number; None where cores cannot be chosen.

    Args:
        core: Which; the least busy one if left out.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield None
        return
    before = os.sched_getaffinity(0)
    chosen = idlest_cores(1)[0] if core is None else core
    pin(chosen)
    try:
        yield chosen
    finally:
        os.sched_setaffinity(0, before)
