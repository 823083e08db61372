"""`gradmap bench reference-case`: is the case hard, is it feasible, how fast is its environment."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import click

from scenarios.cli.console import named_bars
from scenarios.cli.exit_codes import FAILED, OK
from scenarios.cli.options import cache_option, optimum_options
from scenarios.cli.output import patient_output
from scenarios.cli.reference_case_tables import print_measured


@click.command(
    "reference-case",
    epilog="Example: gradmap bench reference-case --days 0 --optimum-days 30 --store optima",
)
@click.option("--scenario", default="ieee123_1000_agents", show_default=True, help="Name or file.")
@click.option(
    "--days",
    type=click.IntRange(0, 1000),
    default=100,
    show_default=True,
    help="Test days of the simple controllers; 0 leaves them out.",
)
@click.option(
    "--controllers", default="no_control,rule_based,price_only", show_default=True, metavar="A,B"
)
@click.option("--speed", is_flag=True, help="Also measure environment steps per second.")
@click.option("--processes", type=click.IntRange(1, 256), default=2, show_default=True)
@optimum_options
@click.option("--loading", is_flag=True, help="The optimum keeps `limits.loading_max`, too.")
@click.option(
    "--figure",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw a day under no control, by prices and at its optimum: an .svg or .html file.",
)
@click.option(
    "--figure-day", type=click.IntRange(0, 999), default=0, show_default=True, help="Which one."
)
@cache_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def reference_case(
    *,
    scenario: str,
    days: int,
    controllers: str,
    speed: bool,
    processes: int,
    optimum_days: int,
    optimum_seed: int,
    loading: bool,
    store: Path | None,
    figure: Path | None,
    figure_day: int,
    cache: Path | None,
    as_json: bool,
) -> int:
    """Roll out simple controllers on test days, find optima, time the environment.

    Exit codes: 0 success, 1 some optimum is not proven or OpenDSS sees it outside the limits, 2
    wrong input.
    """
    if not (days or speed or optimum_days or figure):
        raise click.UsageError(
            "Nothing to measure: give --days above 0, --speed, --optimum-days or --figure."
        )
    # Imported here: torch and the engine take seconds that `--help` should not pay.
    from scenarios.benchmarks.reference_case.benchmark import (  # noqa: PLC0415
        Asked,
        measure_case,
        time_case,
    )
    from scenarios.loading import find_scenario, load_scenario  # noqa: PLC0415

    settings = load_scenario(find_scenario(scenario))
    asked = Asked(
        controllers=tuple(name.strip() for name in controllers.split(",") if name.strip()),
        n_days=days,
        n_optimum_days=optimum_days,
        optimum_seed=optimum_seed,
        with_loading=loading,
        figure=figure,
        figure_day=figure_day,
    )
    with named_bars(quiet=as_json) as show:
        measured = measure_case(settings, asked, cache=cache, store=store, on_share=show)
    if speed:  # bars that move would take their share of the processor
        measured = replace(measured, speed=time_case(settings, n_processes=processes))
    with patient_output():
        if as_json:
            click.echo(json.dumps(asdict(measured), indent=1))
        else:
            print_measured(measured)
            if figure is not None:
                click.echo(f"Wrote {figure}")
    optimum = measured.optimum
    return OK if optimum is None or all(day.proven for day in optimum.days) else FAILED
