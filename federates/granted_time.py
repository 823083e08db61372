"""The granted time of a federate, shared with its supervisor through eight bytes of a file.

HELICS can be asked for it, but the question blocks when the federate is frozen, which is just when
the answer matters.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

_FORMAT = struct.Struct("<d")


def granted_time_path(log_folder: Path, name: str) -> Path:
    """Return the file that holds the time granted to federate `name`."""
    return log_folder / f"{name}.granted"


class GrantedTimeWriter:
    """Keeps the file open: one small write per grant."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)

    def write(self, time_s: float) -> None:
        """Publish the granted time. [s]"""
        os.pwrite(self._descriptor, _FORMAT.pack(time_s), 0)


def read_granted_time(path: Path) -> float | None:
    """Return the granted time [s], or None if the federate has not written one."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    return float(_FORMAT.unpack(content)[0]) if len(content) == _FORMAT.size else None
