"""`gradmap bench`: measurements that anyone can repeat."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from scenarios.benchmarks.federation import FederationTiming, time_federation
from scenarios.cli.bench_hems_schedules import hems_schedules
from scenarios.cli.bench_power_flow import power_flow
from scenarios.cli.bench_reference_case import reference_case
from scenarios.cli.console import progress_bars
from scenarios.cli.output import make_table, show_table


@click.group(short_help="Measure this machine.")
def command() -> None:
    """Measure this machine; each benchmark says what its figure means."""


@command.command(epilog="Example: gradmap bench federation --days 365")
@click.option("--days", type=click.IntRange(1, 3660), default=1, show_default=True)
@click.option("--controller", default="no_control", show_default=True)
@click.option("--scenario", default="quick_start", show_default=True, help="Name or file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def federation(*, days: int, controller: str, scenario: str, as_json: bool) -> None:
    """Time a federation of 1,000 homes: per step, by federate, and its memory."""
    with progress_bars(quiet=as_json) as on_progress:
        timing = time_federation(
            days=days, controller=controller, scenario=scenario, on_progress=on_progress
        )
    if as_json:
        click.echo(json.dumps(asdict(timing), indent=1))
    else:
        _print(timing)


command.add_command(hems_schedules)
command.add_command(power_flow)
command.add_command(reference_case)


def _print(timing: FederationTiming) -> None:
    table = make_table(
        title=f"{timing.n_households:,} households, {timing.n_steps:,} steps: start-up "
        f"{timing.start_up_s:.1f} s, run {timing.run_s:.1f} s, {timing.ms_per_step:.2f} ms a step",
        headings=("federate", "busy ms a step", "memory, warm MB", "memory, largest MB"),
        left=("federate",),
    )
    for name, busy_ms in timing.busy_ms_per_step.items():
        warm_mb, largest_mb = timing.memory_mb.get(name, (0.0, 0.0))
        table.add_row(name, f"{busy_ms:.2f}", f"{warm_mb:.0f}", f"{largest_mb:.0f}")
    show_table(table)
