"""Feeders that ship with the package, and the way from a name to a file."""

from __future__ import annotations

from pathlib import Path

from gradmap.errors import FeederError

_BUNDLED = {"ieee123": Path(__file__).parent / "ieee123" / "master.dss"}


def feeder_path(source: str) -> Path:
    """Return the master .dss file of a bundled feeder's name, or the path itself.

    Raises:
        FeederError: Neither a bundled name nor an existing file.
    """
    if source in _BUNDLED:
        return _BUNDLED[source]
    path = Path(source)
    if not path.is_file():
        raise FeederError(
            f"Feeder {source!r}: no such file, nor a bundled feeder ({', '.join(_BUNDLED)}). "
            f"Give the master .dss file; file names are case-sensitive."
        )
    return path.resolve()
