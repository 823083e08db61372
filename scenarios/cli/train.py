"""`gradmap train`: policies for a scenario."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradmap.errors import ScenarioError
from scenarios.cli.console import ShowBar, named_bars
from scenarios.cli.exit_codes import INTERRUPTED, OK
from scenarios.cli.options import cache_option, set_option, settings_changes
from scenarios.cli.output import patient_output
from scenarios.loading import find_policy, find_scenario, load_scenario

if TYPE_CHECKING:
    from gradmap.training.settings import TrainingSettings
    from scenarios.training.folder import Step
    from scenarios.training.parent import FineTune


@click.command(
    epilog="Example: gradmap train ieee123_1000_agents --out trained --seed 1",
    short_help="Train one policy per agent through the power flow.",
)
@click.argument("scenario", default="ieee123_1000_agents")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Training folder; one with progress is gone on with.",
)
@click.option("--seed", type=click.IntRange(0), help="Seed of the training.")
@set_option("Change a training setting, e.g. voltage.margin=0.3; may be repeated.")
@click.option(
    "--fine-tune",
    metavar="FOLDER",
    help="Start from this policy folder, or a bundled name; train only agents that it does not "
    "know, and --agents.",
)
@click.option(
    "--agents",
    metavar="NAME,NAME",
    help="With --fine-tune: train these agents too, e.g. h0001.battery,h0002.heat_pump; `changed`: "
    "all whose device is not the one that the policy was trained for.",
)
@click.option(
    "--tensorboard",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write for TensorBoard into this folder (extra `tensorboard`).",
)
@click.option(
    "--test-days",
    type=click.IntRange(0, 1000),
    default=1000,
    show_default=True,
    help="Unseen days on which OpenDSS judges the result; 0 leaves the test out.",
)
@click.option(
    "--results",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to keep the test's result in as well, for `gradmap study compare`.",
)
@click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help="Where to train; cuda needs --set processes=1.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float32",
    show_default=True,
    help="Of devices, policies and power flow.",
)
@cache_option
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, and no progress.")
def command(
    scenario: str,
    *,
    out: Path,
    seed: int | None,
    changes: tuple[str, ...],
    fine_tune: str | None,
    agents: str | None,
    tensorboard: Path | None,
    test_days: int,
    results: Path | None,
    device: str,
    dtype: str,
    cache: Path | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Train one policy per agent of SCENARIO, a file or a bundled name, and test them.

    Writes the best policy on the validation days to OUT/policy; `policy:OUT/policy` is then a
    controller. Interrupted training goes on with the same command.

    Exit codes: 0 success (a warning says where limits were not kept), 1 OpenDSS disagrees or a
    process failed, 2 wrong input, 130 interrupted.
    """
    # Imported here: torch and the engine take seconds that `--help` should not pay.
    import torch  # noqa: PLC0415

    from scenarios.case import open_case  # noqa: PLC0415
    from scenarios.cli.train_result import (  # noqa: PLC0415
        print_result,
        training_document,
        warn,
    )
    from scenarios.study.final_test import final_test  # noqa: PLC0415
    from scenarios.study.methods import STUDY  # noqa: PLC0415
    from scenarios.study.results_folder import ResultsFolder  # noqa: PLC0415
    from scenarios.training.run import train  # noqa: PLC0415

    settings = _settings(changes, seed=seed)
    start = _fine_tune(fine_tune, agents=agents)
    kept = None if results is None else ResultsFolder.at(results, study=STUDY)
    case = load_scenario(find_scenario(scenario))
    tested = None
    try:
        with _shown(settings, tensorboard=tensorboard, quiet=quiet or as_json) as (bars, stepped):
            folder = train(
                case,
                out=out,
                settings=settings,
                fine_tune=start,
                cache_folder=cache,
                dtype=getattr(torch, dtype),
                device=device,
                on_days=None if bars is None else partial(bars, "Drawing days"),
                on_step=stepped,
            )
            if test_days:
                tested = final_test(
                    open_case(case, cache_folder=cache),
                    out,
                    n_days=test_days,
                    n_processes=settings.processes,
                    folder=kept,
                    on_progress=None if bars is None else partial(bars, "Testing in OpenDSS"),
                ).summary()
    except KeyboardInterrupt:
        click.echo("interrupted; the same command goes on from the last validation", err=True)
        return INTERRUPTED
    warn(out, settings=settings)
    with patient_output():
        if as_json:
            click.echo(json.dumps(training_document(out, policy=folder, tested=tested), indent=1))
            return OK
        if not quiet:
            print_result(out, tested=tested)
        click.echo(f"Policy: {folder}")
    return OK


@contextmanager
def _shown(
    settings: TrainingSettings, *, tensorboard: Path | None, quiet: bool
) -> Iterator[tuple[ShowBar | None, Callable[[Step], None]]]:
    """Yield bars, if any, and what shows an iteration on the terminal and to TensorBoard."""
    from scenarios.training.board import TrainingBoard  # noqa: PLC0415

    with ExitStack() as stack:
        board = None if tensorboard is None else TrainingBoard(tensorboard)
        if board is not None:
            stack.callback(board.close)
        bars = stack.enter_context(named_bars(quiet=quiet))

        def stepped(step: Step) -> None:
            if board is not None:
                board.add(step)
            if bars is not None:
                bars("Training", step.report.iteration / settings.iterations, _line(step))
            elif not quiet and step.report.validation is not None:
                click.echo(f"{step.report.iteration}: {_line(step)}")

        yield bars, stepped


def _fine_tune(policy: str | None, *, agents: str | None) -> FineTune | None:
    from scenarios.training.parent import FineTune  # noqa: PLC0415

    names = tuple(name.strip() for name in (agents or "").split(",") if name.strip())
    if policy is None:
        if names:
            raise ScenarioError(
                "Option --agents: names agents to retrain, expected --fine-tune with the policy "
                "to start from."
            )
        return None
    return FineTune(policy_folder=find_policy(policy), agents=names)


def _settings(changes: tuple[str, ...], *, seed: int | None) -> TrainingSettings:
    from gradmap.training.settings import TrainingSettings  # noqa: PLC0415

    parsed = settings_changes(changes)
    if seed is not None:
        parsed["seed"] = seed
    return TrainingSettings().updated(parsed)


def _line(step: Step) -> str:
    """Return an iteration in a few words."""
    report = step.report
    found = report.validation
    text = (
        f"cost {report.cost:,.0f}, violation {report.violation:.2f}, multipliers "
        f"{report.multiplier_sum:.2f}, at edge {100 * report.edge_share:.0f} %"
    )
    if found is None:
        return text
    return (
        f"{text}; validation: cost {found.cost:,.0f}, {found.days.n_violating} of "
        f"{found.days.n_days} days violating, worst {found.violation_max_pu:.4f} pu"
    )
