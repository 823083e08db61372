"""summary.csv and summary.json: the metrics for spreadsheets and for programs."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping

from scenarios.metrics import METRICS, Summary
from scenarios.results import Run

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_summary(run: Run, summaries: Mapping[str, Summary]) -> None:
    """Write summary.csv (a row a metric) and summary.json (by controller) into the run folder.

    Args:
        run: The run that was summarised.
        summaries: Metrics by controller.
    """
    currency = run.scenario.tariff.currency
    with (run.folder / "summary.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([safe_cell(x) for x in ("metric", "label", "unit", *summaries)])
        for name, metric in METRICS.items():
            values = [getattr(summary, name) for summary in summaries.values()]
            # Stored values, not scaled for display: a fraction stays a fraction.
            unit = "fraction" if metric.scale != 1 else metric.unit.replace("currency", currency)
            writer.writerow([safe_cell(x) for x in (name, metric.label, unit, *values)])
    document = {
        "scenario": run.scenario.name,
        "currency": currency,
        "controllers": {
            controller: {name: _json_value(value) for name, value in summary.as_dict().items()}
            for controller, summary in summaries.items()
        },
    }
    (run.folder / "summary.json").write_text(
        json.dumps(document, indent=2, allow_nan=False) + "\n", encoding="utf-8"
    )


def safe_cell(value: float | str) -> str | float:
    """Return a CSV cell that no spreadsheet takes for a formula; missing numbers are empty."""
    if isinstance(value, str):
        return f"'{value}" if value.lstrip(" ").startswith(_FORMULA_STARTS) else value
    return value if math.isfinite(value) else ""


def _json_value(value: float | str) -> float | str | None:
    """Return a JSON value; not-a-number has none."""
    return value if isinstance(value, str) or math.isfinite(value) else None
