"""`gradmap study homes`: interviewed homes, fine-tuned, and what misunderstanding costs."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.cli.console import named_bars
from scenarios.cli.exit_codes import OK
from scenarios.cli.options import (
    again_option,
    cache_option,
    results_option,
    set_option,
    settings_changes,
)
from scenarios.cli.output import make_table, patient_output, show_table

if TYPE_CHECKING:
    from collections.abc import Mapping

MEANING = """\
Judged in the homes as they are, on test days, every step in OpenDSS. Cost: what the devices'
own decisions cost, mean of a day. K h: outside the comfort bands. Missing: charge when cars
left. Outside: days with a node more than 0.001 pu outside the limits; largest: such a distance
of all days. Before: policies of new and changed devices as fine-tuning finds them, all others
trained. As understood: fine-tuned to the homes that came out of the interviews, and acting as
if those were there."""
WAYS = {
    "no_control": "left alone",
    "rule_based": "by timers",
    "before, true": "before fine-tuning",
    "after, true": "after fine-tuning",
    "before, understood": "before, as understood",
    "after, understood": "after, as understood",
}


@click.command("homes", epilog="Example: gradmap study homes --out street --homes 20 --days 100")
@click.argument("scenario", default="ieee123_1000_agents")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of home files and trainings.",
)
@click.option(
    "--policy",
    default="gradmap",
    show_default=True,
    metavar="FOLDER",
    help="Trained policies of SCENARIO, or a bundled name.",
)
@click.option("--homes", "n_homes", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Of the householders.")
@click.option("--days", type=click.IntRange(1, 1000), default=100, show_default=True)
@set_option("Change a setting of the fine-tuning, e.g. iterations=60; may be repeated.")
@results_option
@cache_option
@again_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every day.")
def command(
    scenario: str,
    *,
    out: Path,
    policy: str,
    n_homes: int,
    seed: int,
    days: int,
    changes: tuple[str, ...],
    results: Path | None,
    cache: Path | None,
    again: bool,
    as_json: bool,
) -> int:
    """Put interviewed homes into SCENARIO, fine-tune their policies, and judge them.

    Simulated householders are interviewed (`gradmap hems homes`) and take the place of drawn homes.
    Policies of their devices are fine-tuned while all others stay as they are: once with the homes
    as they are, once as the interviews understood them. OUT then holds `homes`, `true_homes`, and
    the trainings `true` and `understood`.

    Exit codes: 0 success, 1 a process failed, 2 wrong input.
    """
    # Imported here: torch and the engine take seconds that `--help` should not pay.
    from gradmap.policies.checkpoint import check_files  # noqa: PLC0415
    from scenarios.householders import ask_householders, place_of, write_asked  # noqa: PLC0415
    from scenarios.loading import find_policy, find_scenario, load_scenario  # noqa: PLC0415
    from scenarios.study.interviewed_homes import (  # noqa: PLC0415
        HOMES,
        SETTINGS,
        STUDY,
        TRUE_HOMES,
        InterviewedHomes,
        measure_interviewed_homes,
    )
    from scenarios.study.results_folder import ResultsFolder  # noqa: PLC0415

    settings = SETTINGS.updated(settings_changes(changes))
    case, start = load_scenario(find_scenario(scenario)), find_policy(policy)
    check_files(start)
    folder = ResultsFolder.at(results, study=STUDY)
    with named_bars(quiet=as_json) as show:
        homes = ask_householders(
            n_homes,
            seed=seed,
            place=place_of(case, seed=seed),
            on_share=None if show is None else partial(show, "Interviews"),
        )
        write_asked(homes, seed=seed, folder=out / HOMES, true_folder=out / TRUE_HOMES)
        found = measure_interviewed_homes(
            case,
            InterviewedHomes(
                policy=start,
                homes=homes,
                n_days=days,
                settings=settings,
                again=again,
            ),
            out=out,
            folder=folder,
            cache_folder=cache,
            on_share=show,
        )
    with patient_output():
        if as_json:
            click.echo(json.dumps(found, indent=1))
        else:
            _print(found)
    return OK


def _print(found: Mapping[str, Any]) -> None:
    n_days, n_homes = found["asked"]["n_days"], len(found["homes"])
    for name, took in found["fine_tuning"].items():
        click.echo(
            f"Fine-tuned to {n_homes} homes, {name}: {took['retrained_agents']} agents, "
            f"{took['new_agents']} of them new, in {took['wall_s']:.0f} s"
        )
    _print_ways(found, title=f"{found['scenario']}: {n_homes} interviewed homes, {n_days} days")
    click.echo(MEANING)
    _print_homes(found)


def _print_ways(found: Mapping[str, Any], *, title: str) -> None:
    table = make_table(
        title=title,
        headings=(
            "interviewed homes",
            f"cost [{found['currency']}]",
            "[K h]",
            "missing [kWh]",
            "outside",
            "largest [pu]",
            "cost, all homes",
        ),
        left=("interviewed homes",),
    )
    for name, label in WAYS.items():
        own = found["ways"][name]["interviewed"]["summary"]
        table.add_row(
            label,
            f"{own['cost']:,.1f}",
            f"{own['comfort_k_h']:,.1f}",
            f"{own['shortfall_kwh']:,.1f}",
            f"{own['violating']['n_violating']}",
            f"{own['violation_max_pu']:.5f}",
            f"{found['ways'][name]['everybody']['summary']['cost']:,.0f}",
        )
    show_table(table)


def _print_homes(found: Mapping[str, Any]) -> None:
    """Print what each home gains, and what was misunderstood of it costs."""
    after, understood = (
        found["ways"][name]["by_home"] for name in ("after, true", "after, understood")
    )
    table = make_table(
        title="Each home after fine-tuning, to what it is and to what was understood",
        headings=("home", "devices", "values right", "cost", "understood", "K h", "understood "),
        left=("home", "devices"),
    )
    for home in found["homes"]:
        name, right = home["name"], home["values_right"]
        table.add_row(
            name,
            ", ".join(home["devices"]),
            "-" if right is None else f"{100 * right:.0f} %",
            *(f"{way[name]['cost']:,.2f}" for way in (after, understood)),
            *(f"{way[name]['comfort_k_h']:,.1f}" for way in (after, understood)),
        )
    show_table(table)
