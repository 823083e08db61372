"""Packages that are extras: imported when needed, with an error that names the extra."""

from __future__ import annotations

import importlib
from typing import Any

from gradmap.errors import MissingExtraError


def import_extra(package: str, *, extra: str, needed_by: str) -> Any:
    """Return a module that may not be installed.

    Args:
        package: Its name.
        extra: Of this project, that brings it.
        needed_by: What cannot be done without it, for the message.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as exc:
        raise MissingExtraError(
            f"{package} is not installed, which {needed_by} needs. Install it with "
            f"`pip install gradmap[{extra}]`."
        ) from exc
