"""Processes that train one policy together, each on its part of every batch.

All of them run the same trainer with the same draws; what they found is added up wherever it
enters a decision or a step, so that their parameters stay equal to the bit. Nothing that grows with
the kept samples is ever sent: parameters' gradients are.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

import torch
import torch.distributed as dist
from torch import Tensor

PATIENCE: Final = timedelta(minutes=15)
"""How long a process waits for the slowest; the death of one ends the others at once."""

LOOPBACK_NAMES: Final = ("lo", "lo0")
"""On Linux, and on macOS."""


class Peers(Protocol):
    """The processes of a training, seen from one of them."""

    rank: int
    """Which this is; 0 speaks and writes."""
    size: int

    def add(self, *values: Tensor) -> None:
        """Replace each value, in place, by its sum over all processes."""


class Alone:
    """One process."""

    rank = 0
    size = 1

    def add(self, *values: Tensor) -> None:
        """Leave values as they are."""


class Together:
    """Processes of one machine, joined by `joined`."""

    def __init__(self, *, rank: int, size: int) -> None:
        self.rank, self.size = rank, size

    def add(self, *values: Tensor) -> None:
        """Replace each value, in place, by its sum over all processes, the same bits in all.

        Raises:
            RuntimeError: Another process is gone.
        """
        for dtype in dict.fromkeys(value.dtype for value in values):
            same = [value for value in values if value.dtype == dtype]
            flat = torch.cat([value.reshape(-1) for value in same])
            dist.all_reduce(flat)
            totals = torch.split(flat, [value.numel() for value in same])
            for value, total in zip(same, totals, strict=True):
                value.copy_(total.view_as(value))


@contextmanager
def joined(*, rank: int, size: int, meeting: Path) -> Iterator[Peers]:
    """Join the processes of a training on this machine, over loopback only.

    Args:
        rank: Which this is, from 0.
        size: How many there are.
        meeting: A file that does not exist yet, the same for all.
    """
    if size == 1:
        yield Alone()
        return
    loopback = loopback_name()
    if loopback is not None:
        # Gloo listens on the address of the host's name otherwise.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)
    dist.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=size, timeout=PATIENCE
    )
    try:
        yield Together(rank=rank, size=size)
    finally:
        dist.destroy_process_group()


def loopback_name() -> str | None:
    """Return what this system calls its loopback interface, or None if by neither usual name."""
    names = [name for _, name in socket.if_nameindex()]
    return next((name for name in LOOPBACK_NAMES if name in names), None)


def rows_of(n: int, *, peers: Peers) -> slice:
    """Return which of n rows are this process's; parts differ by one at most."""
    return slice(n * peers.rank // peers.size, n * (peers.rank + 1) // peers.size)
