"""What made a result: versions of the packages behind it, and the machine."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Any, Final

PACKAGES: Final = ("gradmap", "numpy", "torch", "opendssdirect.py", "dss_python_backend")
"""Behind every number of ours, whatever was asked."""


def versions(*more: str) -> dict[str, str]:
    """Return the versions of Python, of `PACKAGES` and of further packages, by name.

    Args:
        more: Distributions that the result depends on besides; they are installed.
    """
    named = {name: metadata.version(name) for name in (*PACKAGES, *more)}
    return {"python": platform.python_version(), **named}


def machine() -> dict[str, Any]:
    """Return what seconds depend on: number of cores, operating system, kind of processor."""
    return {
        "cores": os.cpu_count(),
        "system": platform.system(),
        "machine": platform.machine(),
    }
