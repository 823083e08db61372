"""`gradmap study reuse`: what using each gradient of the environment several times saves."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from gradmap.errors import ScenarioError
from scenarios.cli.console import named_bars
from scenarios.cli.exit_codes import FAILED, OK
from scenarios.cli.options import (
    again_option,
    cache_option,
    numbers,
    results_option,
    set_option,
    settings_changes,
    whole_numbers,
)
from scenarios.cli.output import patient_output
from scenarios.cli.study_reuse_table import print_reuse

FIGURE_FILE = "reuse.svg"


@click.command(
    "reuse",
    epilog="Example: gradmap study reuse --target-cost 4400 --target-violation-pu 0.001 "
    "--max-looks 60 --gradma-looks 60,120,180 --jobs 2",
)
@click.argument("scenario", default="ieee123_1000_agents")
@click.option("--seeds", default="0,1,2,3,4", show_default=True, metavar="A,B", help="Of training.")
@click.option(
    "--rates",
    default="5e-3,1e-2,2e-2,4e-2",
    show_default=True,
    metavar="A,B",
    help="First learning rates of GradMA.",
)
@click.option(
    "--target-cost",
    type=click.FloatRange(min=0.0, min_open=True),
    required=True,
    help="Mean cost of a validation day to reach, together with",
)
@click.option(
    "--target-violation-pu",
    type=click.FloatRange(min=0.0),
    required=True,
    help="the mean over validation days of the largest distance outside the limits.",
)
@click.option(
    "--max-looks",
    type=click.IntRange(min=1),
    default=400,
    show_default=True,
    help="Gradients of the environment after which GradMAP gives up; its schedules run over them.",
)
@click.option(
    "--gradma-looks",
    default="",
    metavar="A,B",
    help="The same of GradMA, each tried; as many as GradMAP if left out.",
)
@click.option("--validate-every", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--validation-days", type=click.IntRange(1, 200), default=25, show_default=True)
@set_option("Change a training setting of both methods; may be repeated.")
@click.option(
    "--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Trainings at a time."
)
@results_option
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write a figure to."
)
@cache_option
@again_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    scenario: str,
    *,
    seeds: str,
    rates: str,
    target_cost: float,
    target_violation_pu: float,
    max_looks: int,
    gradma_looks: str,
    validate_every: int,
    validation_days: int,
    changes: tuple[str, ...],
    jobs: int,
    results: Path | None,
    out: Path | None,
    cache: Path | None,
    again: bool,
    as_json: bool,
) -> int:
    """Train GradMAP and GradMA on SCENARIO until both reach the same validation target.

    Counts gradients of the environment and processor time. Every finished training is kept, so an
    interrupted study goes on with the same command.

    Exit codes: 0 success, 1 one of the methods never reached the target, 2 wrong input.
    """
    # Imported here: torch and the engine take seconds that `--help` should not pay.
    from gradmap.training.settings import TrainingSettings  # noqa: PLC0415
    from scenarios.case import open_case  # noqa: PLC0415
    from scenarios.loading import find_scenario, load_scenario  # noqa: PLC0415
    from scenarios.report.standalone import write_figure  # noqa: PLC0415
    from scenarios.study.results_folder import ResultsFolder  # noqa: PLC0415
    from scenarios.study.reuse import STUDY, Reuse, study_reuse  # noqa: PLC0415
    from scenarios.study.reuse_figure import reuse_figure  # noqa: PLC0415
    from scenarios.study.reuse_run import Target  # noqa: PLC0415

    parsed = settings_changes(changes)
    taken = {"seed", "method", "processes", "iterations", "validate_every"} & set(parsed)
    if taken:
        raise ScenarioError(
            f"Option --set {min(taken)}=...: the study sets it itself; see --seeds, --max-looks, "
            f"--validate-every and --jobs."
        )
    asked = Reuse(
        seeds=whole_numbers(seeds, option="--seeds"),
        rates=numbers(rates, option="--rates"),
        target=Target(cost=target_cost, violation_pu=target_violation_pu),
        max_looks=max_looks,
        gradma_looks=whole_numbers(gradma_looks, option="--gradma-looks") if gradma_looks else (),
        validate_every=validate_every,
        n_validation_days=validation_days,
        settings=TrainingSettings(processes=1).updated(parsed),
    )
    folder = ResultsFolder.at(results, study=STUDY)
    case = open_case(load_scenario(find_scenario(scenario)), cache_folder=cache)
    with named_bars(quiet=as_json) as show:
        result = study_reuse(case, asked, folder=folder, n_jobs=jobs, again=again, on_share=show)
    with patient_output():
        if as_json:
            click.echo(json.dumps(asdict(result), indent=1))
        else:
            print_reuse(result)
        if out is not None:
            figure = reuse_figure(result, currency=case.scenario.tariff.currency)
            path = write_figure(figure, out / FIGURE_FILE)
            click.echo(f"Wrote {path}", err=as_json)
    return OK if result.n_pairs else FAILED
