"""`gradmap hems schedule`: a day of an interviewed home, planned, beside habits and timers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenarios.cli.exit_codes import OK
from scenarios.cli.output import make_table, patient_output, show_table

if TYPE_CHECKING:
    from scenarios.hems_day import PlannedDay

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "schedule",
    epilog="Example: gradmap hems schedule home.yaml --season winter --out day.svg",
    short_help="Plan a day of an interviewed home.",
)
@click.argument("home", type=_FILE)
@click.option(
    "--season",
    type=click.Choice(["winter", "spring", "summer", "autumn"]),
    help="A Wednesday in the middle of it.  [default: winter]",
)
@click.option("--date", "date_text", metavar="YYYY-MM-DD", help="Or a day of its own.")
@click.option("--out", type=_FILE, help="Draw the day: an .svg file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every step.")
def command(
    home: Path, *, season: str | None, date_text: str | None, out: Path | None, as_json: bool
) -> int:
    """Plan a day of HOME, a home file of an interview, with the tariff in it.

    Weather, base load and, for dynamic tariffs, prices are those of a smooth typical day, see
    docs/hems/evaluation.md; house and tank begin as a week of such days leaves them. Beside the
    plan stand no control (habits) and rule-based (timers).

    Exit codes: 0 success, 2 wrong input.
    """
    from federates.hems.evaluation.typical_day import day_of  # noqa: PLC0415
    from federates.hems.parameters.home_file import read  # noqa: PLC0415
    from scenarios.hems_day import day_document, planned_day  # noqa: PLC0415
    from scenarios.hems_day_words import comparison  # noqa: PLC0415
    from scenarios.report.hems_day_figure import day_figure  # noqa: PLC0415
    from scenarios.report.standalone import write_figure  # noqa: PLC0415

    if season is not None and date_text is not None:
        raise click.UsageError("Give --season or --date, not both.")
    if out is not None and out.suffix != ".svg":
        raise click.UsageError(f"Option --out {out}: expected a file name that ends in .svg.")
    day = planned_day(read(home), day_of(date_text or season or "winter"))
    figure = None if out is None else write_figure(day_figure(day), out)
    with patient_output():
        if as_json:
            document = day_document(day) | {"comparison": list(comparison(day))}
            click.echo(json.dumps(document, indent=1))
        else:
            _print(day)
            if figure is not None:
                click.echo(f"Wrote {figure}")
    return OK


def _print(day: PlannedDay) -> None:
    """Print the schedule by device, what it costs beside other ways, and conflicts."""
    from scenarios.hems_day import METHODS, device_lines, way_costs  # noqa: PLC0415
    from scenarios.hems_day_words import comparison  # noqa: PLC0415

    table = make_table(
        title=f"{day.title}, {day.plan.source}",
        headings=("device", "energy [kWh]", "when"),
        left=("device", "when"),
    )
    for line in device_lines(day):
        table.add_row(line.name, f"{line.energy_kwh:.1f}", line.when)
    show_table(table)
    costs = way_costs(day)
    table = make_table(title="Beside other ways", headings=("", *METHODS.values()), left=("",))
    for label, decimals, values in costs:
        table.add_row(label, *(f"{value:z.{decimals}f}" for value in values))
    show_table(table)
    for text in comparison(day):
        click.echo(text)
    for text in day.conflicts:
        click.echo(f"Could not be kept: {text}")
    if not day.conflicts:
        click.echo("All wishes are kept.")
    for text in day.notes:
        click.echo(text)
