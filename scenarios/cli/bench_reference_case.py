"""`gradmap bench reference-case`: is the case hard, and how fast is its environment."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from scenarios.cli.output import show_table

if TYPE_CHECKING:
    from scenarios.benchmarks.reference_case.environment_speed import EnvironmentSpeed
    from scenarios.benchmarks.reference_case.hardness import Hardness

MEANING = """\
A day counts as hard at midday (10-16 h) or in the evening (16-22 h) when some node is more than
0.01 pu outside the limits. Cost is what the agents' own decisions cost: energy, fuel, wear, stored
energy owed at midnight. Power flows in float32; voltages of a day are 5, 50, 95 % over days."""


@click.command("reference-case", epilog="Example: gradmap bench reference-case --days 1000")
@click.option("--scenario", default="ieee123_1000_agents", show_default=True, help="Name or file.")
@click.option("--days", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option(
    "--controllers", default="no_control,rule_based,price_only", show_default=True, metavar="A,B"
)
@click.option("--speed", is_flag=True, help="Also measure environment steps per second.")
@click.option("--processes", type=click.IntRange(1, 256), default=2, show_default=True)
@click.option("--cache", type=click.Path(path_type=Path), help="Folder to keep sampled days in.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def reference_case(
    *,
    scenario: str,
    days: int,
    controllers: str,
    speed: bool,
    processes: int,
    cache: Path | None,
    as_json: bool,
) -> None:
    """Roll out simple controllers on test days, and time the environment."""
    # Imported here: torch and the engine take seconds that `--help` should not pay.
    from scenarios.benchmarks.reference_case.environment_speed import (  # noqa: PLC0415
        measure_speed,
    )
    from scenarios.benchmarks.reference_case.hardness import measure_hardness  # noqa: PLC0415
    from scenarios.case import open_case  # noqa: PLC0415
    from scenarios.loading import find_scenario, load_scenario  # noqa: PLC0415

    settings = load_scenario(find_scenario(scenario))
    case = open_case(settings, cache_folder=cache)
    names = [name.strip() for name in controllers.split(",") if name.strip()]
    hardness = measure_hardness(case, controllers=names, n_days=days)
    speeds = (
        measure_speed(settings, sizes=(10, 100, 1000, 5000), n_processes=processes) if speed else ()
    )
    if as_json:
        document = {
            "scenario": settings.name,
            "case": case.key,
            "hardness": [asdict(row) for row in hardness],
            "speed": [asdict(row) for row in speeds],
        }
        click.echo(json.dumps(document, indent=1))
        return
    _print_hardness(hardness, name=settings.name, currency=settings.tariff.currency)
    if speeds:
        _print_speed(speeds)
    click.echo(MEANING)


def _print_hardness(rows: tuple[Hardness, ...], *, name: str, currency: str) -> None:
    table = Table(title=f"{name}: {rows[0].both.n_days} test days", title_justify="left")
    for heading in (
        "controller",
        "midday",
        "evening",
        "both",
        "lowest v of a day [pu]",
        "highest v of a day [pu]",
        f"cost a day [{currency}]",
        "comfort [K h]",
    ):
        # Units stand in brackets, which rich would take for markup.
        table.add_column(heading.replace("[", r"\["), justify="right")
    for row in rows:
        table.add_row(
            row.controller,
            *(f"{100 * share.share:.1f} %" for share in (row.midday, row.evening, row.both)),
            *(" ".join(f"{v:.4f}" for v in values) for values in (row.v_min_pu, row.v_max_pu)),
            f"{row.cost_per_day:,.0f}",
            f"{row.comfort_k_h_per_day:.1f}",
        )
    show_table(table)


def _print_speed(rows: tuple[EnvironmentSpeed, ...]) -> None:
    table = Table(
        title=f"Environment steps per second, {rows[0].n_processes} processes, "
        f"batches of {rows[0].batch} days",
        title_justify="left",
    )
    for heading in ("homes and agents", "steps/s", "agent steps/s"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            f"{row.n_households:,}", f"{row.steps_per_s:,.0f}", f"{row.agent_steps_per_s:,.0f}"
        )
    show_table(table)
