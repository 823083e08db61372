"""Sampled days on disk: made once, read back bit by bit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gradmap.days import Days
from gradmap.files import written_whole
from scenarios.population import Population
from scenarios.schema import Scenario

MODEL_VERSION = 1
"""Raise when a change of the profile models changes days."""


class DayCache:
    """Files `days_<scenario>_<split>_<numbers>.npz` in one folder.

    The scenario's part of the name is a hash of everything that days depend on, so a changed
    setting or population finds no old days.
    """

    def __init__(self, folder: Path, *, scenario: Scenario, population: Population) -> None:
        """Use a folder, made if missing."""
        self._folder = folder
        self._key = days_hash(scenario, population=population)

    def get(self, split: str, numbers: Sequence[int], *, make: Callable[[], Days]) -> Days:
        """Return the days from disk, or make and keep them."""
        listed = ",".join(map(str, numbers)).encode()
        name = f"days_{self._key}_{split}_{hashlib.sha256(listed).hexdigest()[:16]}.npz"
        path = self._folder / name
        if path.is_file():
            return _read(path)
        days = make()
        _write(days, path)
        return days


def days_hash(scenario: Scenario, *, population: Population) -> str:
    """Return a short hash of everything that sampled days depend on."""
    digest = hashlib.sha256(f"days {MODEL_VERSION} {scenario.seed}\n".encode())
    for section in (scenario.time, scenario.profiles, scenario.tariff):
        digest.update(section.model_dump_json().encode())
    digest.update(population.households.to_csv(index=False).encode())
    for kind in sorted(population.devices):
        digest.update(population.devices[kind].to_csv(index=False).encode())
    for household, home in sorted(population.interviews.items()):
        digest.update(f"{household}\n{home.parameters.model_dump_json()}".encode())
    return digest.hexdigest()[:16]


def _read(path: Path) -> Days:
    with np.load(path) as file:
        values: dict[str, Any] = {name: torch.from_numpy(file[name]) for name in file.files}
    return Days(**{**values, "dt_h": float(values["dt_h"])})


def _write(days: Days, path: Path) -> None:
    """Write days for `_read`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {item.name: getattr(days, item.name) for item in fields(days)}
    arrays: dict[str, Any] = {
        name: np.asarray(value) for name, value in values.items() if value is not None
    }
    with written_whole(path) as file:
        np.savez(file, **arrays)
