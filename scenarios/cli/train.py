"""`gradmap train`: policies for a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml
from rich.markup import escape

from gradmap.errors import ScenarioError
from scenarios.cli.console import named_bars
from scenarios.cli.exit_codes import INTERRUPTED, OK
from scenarios.cli.output import make_table, show_table
from scenarios.loading import find_scenario, load_scenario

if TYPE_CHECKING:
    from gradmap.training.settings import TrainingSettings
    from scenarios.training.run import Step


@click.command(
    epilog="Example: gradmap train ieee123_1000_agents --out trained --set iterations=300",
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
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change a training setting, e.g. voltage.margin=0.3; may be repeated.",
)
@click.option("--cache", type=click.Path(path_type=Path), help="Folder to keep drawn days in.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def command(
    scenario: str,
    *,
    out: Path,
    seed: int | None,
    changes: tuple[str, ...],
    cache: Path | None,
    quiet: bool,
) -> int:
    """Train one policy per agent of SCENARIO, a file or a bundled name, and validate them.

    Writes the best policy on the validation days to OUT/policy; `policy:OUT/policy` is then a
    controller. Interrupted training goes on with the same command.
    """
    # Imported here: torch and the engine take seconds that `--help` should not pay.
    from scenarios.training.run import train  # noqa: PLC0415

    settings = _settings(changes, seed=seed)
    case = load_scenario(find_scenario(scenario))
    try:
        with named_bars(quiet=quiet) as bars:

            def drawn(share: float) -> None:
                if bars is not None:
                    bars("Drawing days", share)

            def stepped(step: Step) -> None:
                if bars is not None:
                    share = step.report.iteration / settings.iterations
                    bars("Training", share, _line(step))
                elif not quiet and step.report.validation is not None:
                    click.echo(f"{step.report.iteration}: {_line(step)}")

            folder = train(
                case, out=out, settings=settings, cache_folder=cache, on_days=drawn, on_step=stepped
            )
    except KeyboardInterrupt:
        click.echo("interrupted; the same command goes on from the last validation", err=True)
        return INTERRUPTED
    if not quiet:
        _print_result(out)
    click.echo(f"Policy: {folder}")
    return OK


def _settings(changes: tuple[str, ...], *, seed: int | None) -> TrainingSettings:
    from gradmap.training.settings import TrainingSettings  # noqa: PLC0415

    parsed: dict[str, Any] = {}
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise ScenarioError(f"Option --set {change!r}: expected NAME=VALUE.")
        parsed[name.strip()] = yaml.safe_load(text)
    if seed is not None:
        parsed["seed"] = seed
    return TrainingSettings().updated(parsed)


def _line(step: Step) -> str:
    """Return an iteration in a few words."""
    report = step.report
    found = report.validation
    text = f"cost {report.cost:,.0f}, violation {report.violation:.2f}"
    if found is None:
        return text
    return (
        f"{text}; validation: cost {found.cost:,.0f}, {found.days.n_violating} of "
        f"{found.days.n_days} days violating, worst {found.violation_max_pu:.4f} pu"
    )


def _print_result(out: Path) -> None:
    """Print what the best policy does on the validation days."""
    from scenarios.training.run import read_training  # noqa: PLC0415

    training = read_training(out)
    best = training["best_validation"]
    table = make_table(
        title=f"{training['scenario']}: best policies on {best['days']['n_days']} validation days, "
        f"after {training['training_s'] / 60:.1f} min of training",
        headings=("what", "value"),
        left=("what",),
    )
    for label, value in (
        ("Violating days [-]", f"{best['days']['n_violating']}"),
        ("Largest violation [pu]", f"{best['violation_max_pu']:.5f}"),
        ("Controllable cost a day", f"{best['cost']:,.0f}"),
        ("Comfort [K h]", f"{best['comfort_k_h']:.1f}"),
        ("Requests that devices could not follow [kWh]", f"{best['clipped_kwh']:.0f}"),
    ):
        table.add_row(escape(label), value)
    show_table(table)
