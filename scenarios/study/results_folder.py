"""Results of studies as JSON files, each named by a hash of what was measured.

    folder = ResultsFolder.at(None, study="methods")
    found = folder.get(key)          # None where nothing is there
    folder.put(key, document)

A study that is interrupted, or asked again, finds what is there and measures the rest.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from gradmap.errors import ScenarioError
from gradmap.feeder import FloatArray
from gradmap.files import written_whole
from scenarios.provenance import machine, versions

DIGITS: Final = 6
"""Significant digits that are kept."""
_BREAK: Final = re.compile(r"\s*\n\s*")
_LIST: Final = re.compile(r"\[\n\s*([^\[\]{}]*?)\n\s*\]")


@dataclass(frozen=True, kw_only=True)
class ResultsFolder:
    """Files of one study."""

    path: Path

    @classmethod
    def at(cls, results: Path | None, *, study: str) -> Self:
        """Return a study's folder, made if missing.

        Args:
            results: Folder of all studies; None is the one of the repository.
            study: Name of the study.

        Raises:
            ScenarioError: The folder cannot be written to.
        """
        home = results or Path(str(resources.files("scenarios.benchmarks"))) / "results"
        path = home / study
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise _unwritable(path, exc.strerror or str(exc)) from exc
        if not os.access(path, os.W_OK):
            raise _unwritable(path, "no permission to write")
        return cls(path=path)

    def get(self, key: str) -> dict[str, Any] | None:
        """Return what is kept under a key, or None.

        Raises:
            ScenarioError: The file is damaged.
        """
        file = self.path / f"{key}.json"
        if not file.is_file():
            return None
        try:
            document = json.loads(file.read_bytes())
        except ValueError as exc:
            raise ScenarioError(
                f"Result {str(file)!r} is no JSON file any more ({exc}). Remove it; it will be "
                f"measured again."
            ) from exc
        if not isinstance(document, dict) or document.get("key") != key:
            raise ScenarioError(
                f"Result {str(file)!r} holds another result than its name says. Remove it; it will "
                f"be measured again."
            )
        return document

    def put(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document of plain values with who measured it, instead of what was there."""
        full = {"key": key, **document, "versions": versions(), "hardware": machine()}
        with written_whole(self.path / f"{key}.json") as file:
            file.write(_text(full).encode())


def result_key(asked: Mapping[str, Any]) -> str:
    """Return a short hash of what is measured, given as plain values."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def rounded(values: FloatArray) -> FloatArray:
    """Return values to `DIGITS` significant digits, as files keep them."""
    return np.array([float(f"{value:.{DIGITS}g}") for value in values], dtype=np.float64)


def _text(document: Mapping[str, Any]) -> str:
    """Return JSON with an entry a line and lists of plain values on one: to read and to compare."""
    text = json.dumps(document, indent=1, allow_nan=False)
    # A line break is never inside a string of JSON.
    flat = _LIST.sub(lambda found: f"[{_BREAK.sub(' ', found[1])}]", text)
    return f"{flat}\n"


def _unwritable(path: Path, reason: str) -> ScenarioError:
    return ScenarioError(
        f"Results folder {str(path)!r}: {reason}. An installed package cannot keep results in "
        f"itself: pass --results DIR."
    )
