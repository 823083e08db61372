"""Let every way of asking a run to end be the clean one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

# `kill PID`, a batch system's limit; a closed terminal or a lost connection.
_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def end_as_interrupt() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into KeyboardInterrupt, as Ctrl-C is, and put them back after."""
    try:
        previous = {number: signal.signal(number, _interrupt) for number in _SIGNALS}
    except ValueError:  # not the main thread, as in a notebook's executor
        yield
        return
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
