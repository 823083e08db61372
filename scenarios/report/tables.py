"""Tables of the report: summary with the best value marked, most loaded branches, facts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenarios.metrics import METRICS, Metric, Summary
from scenarios.report.data import worst_loadings
from scenarios.report.svg import clean
from scenarios.results import Run

MISSING = "\u2013"
MOST_LOADED = 8


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A value as shown."""

    shown: str
    best: bool = False
    is_text: bool = False  # names and times, set smaller


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a table."""

    label: str
    unit: str
    cells: tuple[Cell, ...]
    definition: str = ""
    new_group: str = ""  # heading above this row, if a group begins


def summary_rows(summaries: Mapping[str, Summary], *, currency: str, comparable: bool) -> list[Row]:
    """Return the summary table: a row a metric, a cell a controller.

    Args:
        summaries: Metrics by controller.
        currency: Of all costs, ISO 4217.
        comparable: Whether all controllers cover the same steps; the best is marked only then.
    """
    rows: list[Row] = []
    group = ""
    for metric in METRICS.values():
        values = [getattr(summary, metric.name) for summary in summaries.values()]
        best = best_values(metric, values) if comparable else [False] * len(values)
        cells = [
            Cell(shown=shown_value(metric, value), best=mark, is_text=isinstance(value, str))
            for value, mark in zip(values, best, strict=True)
        ]
        rows.append(
            Row(
                label=metric.label,
                unit=metric.unit.replace("currency", currency),
                cells=tuple(cells),
                definition=metric.definition,
                new_group=metric.group if metric.group != group else "",
            )
        )
        group = metric.group
    return rows


def best_values(metric: Metric, values: list[float | str]) -> list[bool]:
    """Mark the values a planner prefers: as shown, and only if they differ."""
    shown = [shown_value(metric, value) for value in values]
    numbers = [value for value in values if not isinstance(value, str) and math.isfinite(value)]
    if metric.better is None or len(set(shown)) < 2 or len(numbers) < 2:
        return [False] * len(values)
    best = min(numbers) if metric.better == "lower" else max(numbers)
    return [value == shown_value(metric, best) for value in shown]


def shown_value(metric: Metric, value: float | str) -> str:
    """Return a value as text with the metric's decimals; a dash if there is none."""
    if isinstance(value, str):
        if metric.name.endswith("_time"):
            value = value[:16].replace("T", " ")
        return clean(value) or MISSING
    if not math.isfinite(value):
        return MISSING
    return fixed(value * metric.scale, digits=metric.digits)


def fixed(value: float, *, digits: int) -> str:
    """Return a number with thousands separated and a true minus; no minus zero."""
    rounded = round(value, digits) + 0.0
    return f"{rounded:,.{digits}f}".replace("-", "\u2212")


def loading_rows(run: Run, controllers: tuple[str, ...]) -> list[Row]:
    """Return the branches with the highest loading under any controller, worst first."""
    found = {c: worst_loadings(run, c) for c in controllers}
    highest: dict[str, float] = {}
    by_controller: dict[str, dict[str, Cell]] = {}
    for controller, (ids, top, over_h) in found.items():
        by_controller[controller] = {
            branch: Cell(shown=f"{fixed(100 * t, digits=1)} % · {fixed(h, digits=2)} h")
            for branch, t, h in zip(ids, top, over_h, strict=True)
        }
        for branch, value in zip(ids, top, strict=True):
            highest[branch] = float(np.fmax(highest.get(branch, -np.inf), value))
    worst = sorted(highest, key=lambda branch: -highest[branch])[:MOST_LOADED]
    kinds = {branch["id"]: branch for branch in run.feeder["branches"]}
    return [
        Row(
            label=clean(branch),
            unit=_rating(kinds.get(branch)),
            cells=tuple(by_controller[c].get(branch, Cell(shown=MISSING)) for c in controllers),
        )
        for branch in worst
    ]


def _rating(branch: Mapping[str, Any] | None) -> str:
    """Return the normal rating of a branch."""
    amps = None if branch is None else branch.get("normal_amps")
    return MISSING if amps is None else f"{fixed(float(amps), digits=0)} A"
