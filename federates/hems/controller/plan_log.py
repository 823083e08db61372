"""How planning went: how many plans, how long they took, and which ones rules had to make."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from federates.hems.optimiser.schedule import Schedule
from federates.hems.optimiser.solver import OPTIMAL

MOST_LISTED = 20


class PlanLog:
    """Counts plans; `write` leaves them for the run's summary."""

    def __init__(self, path: Path | None, *, n_homes: int) -> None:
        self._path = path
        self._n_homes = n_homes
        self._n_plans = self._n_not_optimal = 0
        self._seconds = self._longest_s = self._cpu_s = 0.0
        self._why: Counter[str] = Counter()
        self._fallbacks: list[dict[str, Any]] = []

    def add(self, plan: Schedule, *, household_id: str, step: int) -> None:
        """Count a plan."""
        self._n_plans += 1
        self._seconds += plan.seconds
        self._longest_s = max(self._longest_s, plan.seconds)
        self._n_not_optimal += plan.optimised and plan.status != OPTIMAL
        if plan.optimised:
            return
        self._why[plan.source] += 1
        if len(self._fallbacks) < MOST_LISTED:
            entry = {"household_id": household_id, "step": step, "why": plan.source}
            self._fallbacks.append(entry)

    def add_cpu(self, seconds: float) -> None:
        """Count processor time spent on planning, of this process. [s]"""
        self._cpu_s += seconds

    def as_dict(self) -> dict[str, Any]:
        """Return counts and times."""
        return {
            "homes": self._n_homes,
            "plans": self._n_plans,
            "fallbacks": sum(self._why.values()),
            "not_optimal": int(self._n_not_optimal),
            "plan_s_mean": self._seconds / max(self._n_plans, 1),
            "plan_s_longest": self._longest_s,
            "cpu_s": self._cpu_s,
            "fallback_reasons": dict(self._why),
            "first_fallbacks": self._fallbacks,
        }

    def write(self) -> None:
        """Leave the counts, whole or not at all."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(f".{os.getpid()}.partial")
        partial.write_text(json.dumps(self.as_dict(), indent=1))
        partial.rename(self._path)
