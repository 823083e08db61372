"""`gradmap report`: the report and summary of an existing run."""

from __future__ import annotations

from pathlib import Path

import click

from scenarios.cli.console import print_summary
from scenarios.outputs import write_outputs
from scenarios.results import open_run


@click.command(
    epilog="Example: gradmap report runs/quick_start-20250318-120000",
    short_help="Write the report of a run folder again.",
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the page; default: report.html in the run folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(folder: Path, *, out: Path | None, as_json: bool) -> None:
    """Write summary and report of the run in FOLDER, also of one that was interrupted."""
    run = open_run(folder)
    target = out or folder / "report.html"
    print_summary(run, write_outputs(run, report=target), as_json=as_json)
    if not as_json:
        click.echo(f"Report: {target}")
