"""What a run leaves for people: summary.csv, summary.json and report.html."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from scenarios.metrics import Summary, summarise
from scenarios.report import write_report, write_summary
from scenarios.results import Run


def write_outputs(run: Run, *, report: Path | None = None) -> Mapping[str, Summary]:
    """Compute the metrics of every controller once and write summary and report.

    Args:
        run: The run, finished or interrupted.
        report: Where the page goes; `report.html` in the run folder by default.

    Returns:
        The metrics by controller.
    """
    summaries = {controller: summarise(run, controller) for controller in run.controllers}
    write_summary(run, summaries)
    write_report(run, report or run.folder / "report.html", summaries=summaries)
    return summaries
