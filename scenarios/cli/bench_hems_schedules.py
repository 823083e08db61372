"""`gradmap bench hems-schedules`: how long day-ahead schedules of many homes take."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from scenarios.cli.exit_codes import FAILED, OK
from scenarios.cli.output import make_table, patient_output, show_table

if TYPE_CHECKING:
    from scenarios.benchmarks.hems_schedules.benchmark import ScheduleTiming

MEANING = """\
Each process plans its share of the homes, one after the other; times of a plan are processor
time. Savings are against the same homes run by habit or timers, over homes whose wishes all
three keep. Above rules: plans that cost more than habits or timers by more than the gap."""


@click.command("hems-schedules", epilog="Example: gradmap bench hems-schedules --runs 3")
@click.option("--homes", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@click.option(
    "--runs",
    type=click.IntRange(0, 3),
    default=1,
    show_default=True,
    help="Machines that run once, in homes that have any.",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True)
@click.option("--processes", type=click.IntRange(1, 256), default=2, show_default=True)
@click.option(
    "--gap",
    type=click.FloatRange(0.0, 0.1),
    default=1e-4,
    show_default=True,
    help="Relative gap at which a search ends.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def hems_schedules(
    *, homes: int, runs: int, seed: int, processes: int, gap: float, as_json: bool
) -> int:
    """Plan a day of 96 quarter-hours for each of many drawn homes (extra `optimum`).

    Exit codes: 0 success, 1 a plan was above rules or rules had to make it, 2 wrong input.
    """
    # Imported here: the solver is an extra.
    from scenarios.benchmarks.hems_schedules.benchmark import time_schedules  # noqa: PLC0415

    timing = time_schedules(homes, seed=seed, runs=runs, n_processes=processes, mip_rel_gap=gap)
    with patient_output():
        if as_json:
            click.echo(json.dumps(asdict(timing), indent=1))
        else:
            _print(timing)
    return FAILED if timing.n_above_rules or timing.n_fallbacks else OK


def _print(timing: ScheduleTiming) -> None:
    table = make_table(
        title=f"{timing.n_homes:,} homes, {timing.n_steps} steps, runs of machines: {timing.runs}",
        headings=("", "value"),
        left=("",),
    )
    rows = {
        "Processor time [s]": f"{timing.cpu_s:.1f}",
        f"Wall time, processes: {timing.n_processes} [s]": f"{timing.wall_s:.1f}",
        "A plan: median, 99 %, longest [ms]": f"{timing.median_ms:.1f}, "
        f"{timing.percentile_99_ms:.0f}, {timing.longest_ms:.0f}",
        "Made by rules": f"{timing.n_fallbacks:,}",
        "Ended by the time limit": f"{timing.n_not_optimal:,}",
        "Homes in which a wish cannot be kept": f"{timing.n_with_conflicts:,}",
        f"Saving against habits, {timing.n_compared:,} homes": f"{timing.saving_no_control:.1%}",
        f"Saving against timers, {timing.n_compared:,} homes": f"{timing.saving_rule_based:.1%}",
        "Above rules": f"{timing.n_above_rules:,}",
    }
    for label, value in rows.items():
        table.add_row(escape(label), value)
    show_table(table)
    click.echo(MEANING)
