"""`gradmap run`: the main job."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from scenarios.cli.console import print_summary, progress_bars
from scenarios.cli.exit_codes import INTERRUPTED, OK, UNHEALTHY
from scenarios.cli.output import patient_output
from scenarios.loading import find_scenario, load_scenario
from scenarios.outputs import write_outputs
from scenarios.results import Run
from scenarios.run import run_scenario


@click.command(
    epilog="Example: gradmap run my.yaml --out runs/first   (no argument: the quick start)",
    short_help="Run a scenario and report on it.",
)
@click.argument("scenario", default="quick_start")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Run folder. [default: runs/<name>-<time>]",
)
@click.option("--overwrite", is_flag=True, help="Replace an earlier run in the folder.")
@click.option("--in-process", is_flag=True, help="Without HELICS, in this process: same numbers.")
@click.option(
    "--write-runner",
    is_flag=True,
    help="Prepare everything and write a runner JSON for `helics run` instead of running.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--quiet", "-q", is_flag=True, help="No progress, no table.")
def command(
    scenario: str,
    *,
    out: Path | None,
    overwrite: bool,
    in_process: bool,
    write_runner: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run SCENARIO, a file or the name of a bundled scenario (default: quick_start).

    Prints a table, and leaves results (Parquet), summary and report.html in the run folder.
    """
    settings = load_scenario(find_scenario(scenario))
    if write_runner:
        from scenarios.runner_file import write_runner_files  # noqa: PLC0415

        with progress_bars(quiet=quiet) as on_progress:
            files = write_runner_files(
                settings, out=out, overwrite=overwrite, on_progress=on_progress
            )
        for file in files:
            click.echo(f"helics run --path={shlex.quote(str(file))}")
        return OK
    with progress_bars(quiet=quiet or as_json) as on_progress:
        run = run_scenario(
            settings,
            out=out,
            in_process=in_process,
            overwrite=overwrite,
            on_progress=on_progress,
        )
    summaries = write_outputs(run)
    with patient_output():
        if as_json or not quiet:
            print_summary(run, summaries, as_json=as_json)
        if not (as_json or quiet):
            click.echo(f"Report: {run.folder / 'report.html'}")
    return _exit_code(run)


def _exit_code(run: Run) -> int:
    infos = [run.run_info(controller) for controller in run.controllers]
    if any(info["exit"] == "interrupted" for info in infos):
        return INTERRUPTED
    return OK if all(info["health"]["healthy"] for info in infos) else UNHEALTHY
