"""`gradmap hems homes`: a street of simulated householders, interviewed."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenarios.cli.console import named_bars
from scenarios.cli.exit_codes import OK
from scenarios.cli.output import make_table, patient_output, show_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.householders import AskedHome

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(
    "homes",
    epilog="Example: gradmap hems homes --scenario ieee123_1000_agents --out homes",
    short_help="Write the home files of simulated householders.",
)
@click.option("--homes", "n_homes", type=click.IntRange(1, 10_000), default=20, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--out", required=True, type=_FOLDER, help="Folder of the homes as understood.")
@click.option("--true-homes", type=_FOLDER, help="Also write the homes as they are, here.")
@click.option(
    "--scenario",
    metavar="NAME",
    help="Only homes whose devices a policy of this scenario, a file or a bundled name, may "
    "control; each is named after a household with a device of its kind.",
)
@click.option("--quiet", "-q", is_flag=True, help="No progress, no table.")
def command(
    *,
    n_homes: int,
    seed: int,
    out: Path,
    true_homes: Path | None,
    scenario: str | None,
    quiet: bool,
) -> int:
    """Interview simulated householders by rules and write a home file of each.

    `population.interviews: OUT` then puts them into a scenario. Householders are those of `gradmap
    hems evaluate`; the same seed gives the same homes. With --scenario, householders are drawn
    until enough pay in its currency, take part, and own a battery, heat pump, generator or car,
    none of which they keep to themselves.

    Exit codes: 0 success, 2 wrong input.
    """
    # Imported here: the engine takes seconds that `--help` should not pay.
    from scenarios.householders import ask_householders, place_of, write_asked  # noqa: PLC0415
    from scenarios.loading import find_scenario, load_scenario  # noqa: PLC0415

    place = None
    if scenario is not None:
        place = place_of(load_scenario(find_scenario(scenario)), seed=seed)
    with named_bars(quiet=quiet) as show:
        homes = ask_householders(
            n_homes,
            seed=seed,
            place=place,
            on_share=None if show is None else partial(show, "Interviews"),
        )
    write_asked(homes, seed=seed, folder=out, true_folder=true_homes)
    if not quiet:
        with patient_output():
            _print(homes)
    click.echo(f"Wrote {len(homes)} homes to {out}")
    return OK


def _print(homes: Sequence[AskedHome]) -> None:
    table = make_table(
        title="Interviews by rules",
        headings=("file", "householder", "devices", "truly", "turns", "values right"),
        left=("file", "householder", "devices", "truly"),
    )
    for home in homes:
        described = home.described()
        same = described["devices"] == described["true_devices"]
        table.add_row(
            f"{home.name}.yaml",
            f"{home.number}, {home.level}",
            ", ".join(home.kinds) or "-",
            "the same" if same else ", ".join(described["true_devices"]) or "none",
            f"{home.n_turns}" if home.ended == "done" else f"{home.n_turns} ({home.ended})",
            "-" if home.right is None else f"{100 * home.right:.0f} %",
        )
    show_table(table)
