"""`gradmap study scale`: seconds and memory of training by agents and days."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenarios.cli.console import named_bars
from scenarios.cli.exit_codes import OK
from scenarios.cli.options import (
    again_option,
    results_option,
    set_option,
    settings_changes,
    whole_numbers,
)
from scenarios.cli.output import make_table, patient_output, show_table

if TYPE_CHECKING:
    from scenarios.study.scale import ScaleRow

MEANING = """\
Medians of three iterations in float32, each cell in a process of its own with one thread. Look:
rollout, power flows and the reverse sweep; rest: epochs and dual ascent. Above the scenario's own
number of homes, homes are smaller in proportion, so that the feeder carries them."""


@click.command("scale", epilog="Example: gradmap study scale --agents 100,1000 --batches 8,32")
@click.argument("scenario", default="ieee123_1000_agents")
@click.option("--agents", default="100,1000,5000", show_default=True, metavar="A,B", help="Homes.")
@click.option("--batches", default="8,32", show_default=True, metavar="A,B", help="Days of a look.")
@set_option("Change a training setting, e.g. method=backprop; may be repeated.")
@results_option
@again_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    scenario: str,
    *,
    agents: str,
    batches: str,
    changes: tuple[str, ...],
    results: Path | None,
    again: bool,
    as_json: bool,
) -> int:
    """Measure an iteration of training on SCENARIO's feeder: seconds and peak memory.

    Exit codes: 0 success, 1 a measurement failed (memory), 2 wrong input.
    """
    # Imported here: torch and the engine take seconds that `--help` should not pay.
    from gradmap.training.settings import TrainingSettings  # noqa: PLC0415
    from scenarios.loading import find_scenario, load_scenario  # noqa: PLC0415
    from scenarios.study.results_folder import ResultsFolder  # noqa: PLC0415
    from scenarios.study.scale import STUDY, study_scale  # noqa: PLC0415

    settings = TrainingSettings(processes=1).updated(settings_changes(changes))
    sizes = whole_numbers(agents, option="--agents", least=1)
    days = whole_numbers(batches, option="--batches", least=1)
    folder = ResultsFolder.at(results, study=STUDY)
    case = load_scenario(find_scenario(scenario))
    with named_bars(quiet=as_json) as show:
        rows = study_scale(
            case, sizes=sizes, batches=days, folder=folder, settings=settings, again=again,
            on_share=show,
        )  # fmt: skip
    with patient_output():
        if as_json:
            click.echo(json.dumps([asdict(row) for row in rows], indent=1))
        else:
            _print(rows, title=f"{case.name}: one iteration of training")
    return OK


def _print(rows: tuple[ScaleRow, ...], *, title: str) -> None:
    table = make_table(
        title=title,
        headings=("agents", "days", "method", "iteration [s]", "look [s]", "rest [s]", "peak [MB]"),
        left=("method",),
    )
    for row in rows:
        table.add_row(
            f"{row.n_agents:,}",
            str(row.batch_days),
            row.method,
            f"{row.iteration_s:.2f}",
            f"{row.look_s:.2f}",
            f"{row.rest_s:.2f}",
            f"{row.peak_memory_mb:,.0f}",
        )
    show_table(table)
    click.echo(MEANING)
