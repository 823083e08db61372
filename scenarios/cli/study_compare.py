"""`gradmap study compare`: methods on test days nobody trained on."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradmap.errors import ScenarioError
from scenarios.cli.console import named_bars
from scenarios.cli.exit_codes import FAILED, OK
from scenarios.cli.options import again_option, cache_option, optimum_options, results_option
from scenarios.cli.output import patient_output
from scenarios.cli.study_tables import print_compared

if TYPE_CHECKING:
    from scenarios.study.compare import NamedPolicy


@click.command(
    "compare",
    epilog="Example: gradmap study compare --policy GradMAP=trained/policy --days 1000",
)
@click.argument("scenario", default="ieee123_1000_agents")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="NAME=FOLDER",
    help="A trained policy's folder, or a bundled one's name; may be repeated. Several of a NAME "
    "are seeds of one method.",
)
@click.option("--days", type=click.IntRange(1, 1000), default=1000, show_default=True)
@click.option(
    "--split",
    type=click.Choice(["test", "fresh"]),
    default="test",
    show_default=True,
    help="Which days: fresh ones are another 1,000, for settings that were chosen by test days.",
)
@optimum_options
@results_option
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write figures to."
)
@click.option(
    "--figure-day",
    type=click.IntRange(0, 999),
    default=3,
    show_default=True,
    help="Test day whose devices and voltages are drawn.",
)
@click.option("--figure-policy", metavar="NAME", help="Under which policy; the first if left out.")
@click.option("--processes", type=click.IntRange(1, 256), default=2, show_default=True)
@cache_option
@again_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    scenario: str,
    *,
    policies: tuple[str, ...],
    days: int,
    split: str,
    optimum_days: int,
    optimum_seed: int,
    store: Path | None,
    results: Path | None,
    out: Path | None,
    figure_day: int,
    figure_policy: str | None,
    processes: int,
    cache: Path | None,
    again: bool,
    as_json: bool,
) -> int:
    """Compare no control, simple rules, trained policies and the optimum on test days of SCENARIO.

    All days are rolled out closed loop, and every step of them is solved by OpenDSS.

    Exit codes: 0 success, 1 some optimum is not proven, 2 wrong input.
    """
    # Imported here: torch and the engine take seconds that `--help` should not pay.
    from scenarios.case import open_case  # noqa: PLC0415
    from scenarios.loading import find_scenario, load_scenario  # noqa: PLC0415
    from scenarios.study.compare import Compare, compare  # noqa: PLC0415
    from scenarios.study.figures import chosen_policy, write_compare_figures  # noqa: PLC0415
    from scenarios.study.methods import STUDY  # noqa: PLC0415
    from scenarios.study.results_folder import ResultsFolder  # noqa: PLC0415

    named = tuple(_named(text) for text in policies)
    chosen_policy(named, name=figure_policy)  # refuses an unknown name before hours of measuring
    folder = ResultsFolder.at(results, study=STUDY)
    case = open_case(load_scenario(find_scenario(scenario)), cache_folder=cache)
    asked = Compare(
        policies=named,
        n_days=days,
        split=split,
        n_optimum_days=optimum_days,
        optimum_seed=optimum_seed,
        again=again,
        n_processes=processes,
    )
    with named_bars(quiet=as_json) as show:
        compared = compare(case, asked, folder=folder, store=store, on_share=show)
    files: tuple[Path, ...] = ()
    if out is not None:
        files = write_compare_figures(
            compared, case, out=out, policies=named, day=figure_day, figure_policy=figure_policy
        )
    with patient_output():
        if as_json:
            click.echo(json.dumps(asdict(compared), indent=1))
        else:
            print_compared(compared)
            for file in files:
                click.echo(f"Wrote {file}")
    optimum = compared.optimum
    return OK if optimum is None or optimum.n_proven == optimum.n_days else FAILED


def _named(text: str) -> NamedPolicy:
    """Return the policy of an option `NAME=FOLDER`, where FOLDER may be a bundled name."""
    from scenarios.loading import find_policy  # noqa: PLC0415
    from scenarios.study.compare import OPTIMUM, SIMPLE, NamedPolicy  # noqa: PLC0415

    name, equals, folder = text.partition("=")
    if not (equals and name.strip() and folder.strip()) or name.strip() in (*SIMPLE, OPTIMUM):
        raise ScenarioError(
            f"Option --policy {text!r}: expected NAME=FOLDER with a name of its own, for example "
            f"GradMAP=trained/policy."
        )
    return NamedPolicy(name=name.strip(), folder=find_policy(folder.strip()))
