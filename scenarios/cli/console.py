"""What the commands show on a terminal: progress with ETA, the summary table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from scenarios.cli.output import make_table, show_table
from scenarios.health import read_health
from scenarios.metrics import Summary
from scenarios.report.health import plans
from scenarios.results import RESULTS_FOLDER, Run
from scenarios.run import Progress

# The rows of the table that `gradmap run` ends with: metric, label, decimals.
TABLE_ROWS = (
    ("v_min_pu", "Minimum voltage [pu]", 4),
    ("v_max_pu", "Maximum voltage [pu]", 4),
    ("node_hours_outside", "Node-hours outside limits [h]", 1),
    ("losses_kwh", "Losses [kWh]", 1),
    ("peak_kw", "Peak at feeder head [kW]", 1),
    ("energy_cost", "Energy cost, all homes [{currency}]", 2),
    ("total_cost", "Energy, fuel and wear [{currency}]", 2),
    ("tap_operations", "Tap operations [-]", 0),
    ("comfort_below_kelvin_hours", "Comfort: too cold [K h]", 1),
    ("comfort_above_kelvin_hours", "Comfort: too warm [K h]", 1),
)


class ShowBar(Protocol):
    """Moves the bar of one part of the work; parts come one after the other."""

    def __call__(self, name: str, share: float, note: str = "") -> None:
        """Take the part's name, its finished share, and what to say beside the bar."""


@contextmanager
def named_bars(*, quiet: bool) -> Iterator[ShowBar | None]:
    """Show a bar per part of the work on a terminal; nothing when quiet or piped."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(name: str, share: float, note: str = "") -> None:
            if name not in tasks:
                for task in tasks.values():  # what came before is done
                    bars.update(task, completed=1.0)
                tasks[name] = bars.add_task(name, total=1.0, note="")
            bars.update(tasks[name], completed=share, note=escape(note))

        yield show


@contextmanager
def progress_bars(*, quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """Show a bar per phase of a run on a terminal; nothing when quiet or piped."""
    with named_bars(quiet=quiet) as bars:
        if bars is None:
            yield None
            return
        show = bars

        def tell(tick: Progress) -> None:
            preparing = tick.phase == "prepare"
            show("Preparing inputs" if preparing else f"Run {tick.controller}", tick.share)

        yield tell


def print_summary(run: Run, summaries: Mapping[str, Summary], *, as_json: bool) -> None:
    """Print the table, or the whole summary as JSON."""
    if as_json:
        click.echo((run.folder / "summary.json").read_text(encoding="utf-8"))
        return
    table = make_table(title=run.scenario.name, headings=("", *run.controllers), left=("",))
    for metric, label, decimals in TABLE_ROWS:
        cells = [f"{getattr(summaries[c], metric):,.{decimals}f}" for c in run.controllers]
        # Units stand in brackets, which rich would take for markup.
        name = escape(label.format(currency=run.scenario.tariff.currency))
        table.add_row(name, *cells)
    planned = [plans(run.run_info(c)) for c in run.controllers]
    if any(planned):
        name = "Energy managers' plans (by rules)"
        table.add_row(name, *(f"{c.n_plans:,} ({c.n_fallbacks:,})" if c else "-" for c in planned))
    table.add_row("Run", *(verdict(run, c) for c in run.controllers))
    show_table(table)


def verdict(run: Run, controller: str) -> str:
    """Return in a word or two whether a controller's run can be trusted."""
    info = run.run_info(controller)
    if not info:  # launched by `helics run`, or killed: only the recorded steps can tell
        n_steps = run.scenario.time.n_steps
        health = read_health(run.folder / controller / RESULTS_FOLDER, n_steps=n_steps)
        if health.missing_steps:
            return f"ended at {health.n_steps_recorded}/{n_steps}"
        return "healthy" if health.healthy else "unhealthy steps"
    if info["exit"] != "finished":
        return f"{info['exit']} at {info['n_steps_recorded']}/{info['n_steps']}"
    return "healthy" if info["health"]["healthy"] else "unhealthy steps"
