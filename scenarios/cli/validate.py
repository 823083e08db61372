"""`gradmap validate`: is the torch power flow the same as OpenDSS on this feeder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click
from rich.table import Table

from scenarios.cli.exit_codes import FAILED, OK
from scenarios.cli.output import make_table, patient_output, show_table
from scenarios.validation.document import MAX_SHOWN, as_document
from scenarios.validation.errors import TOLERANCES, ErrorRow, Tolerances
from scenarios.validation.page import PAGE_NAME, error_text, write_validation
from scenarios.validation.results import CaseResult, Validation, ValidationSettings
from scenarios.validation.run import validate

_POSITIVE = click.FloatRange(min=0.0, min_open=True)


@click.command(
    epilog="Example: gradmap validate path/to/master.dss --loadings 1000 --out validation",
    short_help="Compare the torch power flow with OpenDSS.",
)
@click.argument("feeder")
@click.option(
    "--loadings",
    type=click.IntRange(1, 20_000),
    default=500,
    show_default=True,
    help="Random situations in each set.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--accept",
    multiple=True,
    metavar="NAME",
    help="Leave out an element that is not modelled; repeat for more.",
)
@click.option("--trust", is_flag=True, help="Run the file although it contains unsafe commands.")
@click.option("--dtype", type=click.Choice(list(TOLERANCES)), default="float64", show_default=True)
@click.option("--tolerance-v-pu", type=_POSITIVE, help="Node voltages; 1e-8, in float32 1e-6.")
@click.option(
    "--tolerance-current",
    type=_POSITIVE,
    help="Branch currents over max(|i|, 1 % of rating), loading, head power; 1e-6, in "
    "float32 1e-5.",
)
@click.option("--tolerance-losses", type=_POSITIVE, help="Relative; 1e-6, in float32 1e-5.")
@click.option(
    "--households",
    is_flag=True,
    help="Constant power at the places of households instead of the feeder's own loads.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for validation.json, parity.svg and validation.html.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    *,
    feeder: str,
    loadings: int,
    seed: int,
    accept: tuple[str, ...],
    trust: bool,
    dtype: str,
    tolerance_v_pu: float | None,
    tolerance_current: float | None,
    tolerance_losses: float | None,
    households: bool,
    out: Path | None,
    as_json: bool,
) -> int:
    """Solve random loadings of FEEDER with both engines and compare every number.

    FEEDER is a master .dss file or a bundled name (ieee123). Taps are fixed, random, controlled.

    Exit codes: 0 within tolerance, 1 beyond it, 2 wrong input or something that is not modelled.
    """
    given = {"v_pu": tolerance_v_pu, "current": tolerance_current, "losses": tolerance_losses}
    changes = {name: value for name, value in given.items() if value is not None}
    tolerances: Tolerances = replace(TOLERANCES[dtype], **changes)
    settings = ValidationSettings(
        n_loadings=loadings,
        seed=seed,
        accept=accept,
        trust=trust,
        dtype=dtype,
        households=households,
        tolerances=tolerances,
    )
    found = validate(feeder, settings=settings)
    if out is not None:
        write_validation(found, out)
    with patient_output():
        if as_json:
            click.echo(json.dumps(as_document(found), indent=1, allow_nan=False))
        else:
            _print(found)
            if out is not None:
                click.echo(f"Wrote {out / PAGE_NAME}")
    return OK if found.within else FAILED


def _print(found: Validation) -> None:
    for result in found.cases:
        show_table(_table(result))
    click.echo(
        "Voltages in pu; branch currents relative to max(|i|, 1 % of the rating), loadings to "
        "max(loading, 1 %),\nlosses to themselves, head power to max(|S|, 1 % of the total)."
    )
    for item in found.known_differences:
        click.echo(f"- {item}")
    for result in found.cases:
        for item in _beyond(result):
            click.echo(f"- {result.case.title}: {item}")
    click.echo("Within tolerance." if found.within else "Beyond tolerance.")


def _beyond(result: CaseResult) -> list[str]:
    """Say what is beyond its tolerance, and which taps differ."""
    return [
        *(
            f"{row.quantity} {row.phase} is {error_text(row.max)} off at {row.worst}"
            for row in result.rows
            if not row.within
        ),
        *(
            f"situation {item.situation}: {item.regulator} at tap {item.ours:g}, in OpenDSS at "
            f"{item.reference:g}"
            for item in result.tap_differences[:MAX_SHOWN]
        ),
    ]


def _table(result: CaseResult) -> Table:
    """Return the errors of one set of situations."""
    n = int(result.compared.sum())
    title = f"{result.case.title}: {n} of {result.n_situations} situations compared"
    if result.n_equal_taps is not None:
        title += f", final taps equal in {result.n_equal_taps}"
    table = make_table(
        title=title,
        headings=("quantity", "phase", "values", "max", "p99", "mean", "tolerance", ""),
        left=("quantity", "phase", ""),
    )
    quantity = ""
    for row in result.rows:
        table.add_row("" if row.quantity == quantity else row.quantity, *_cells(row))
        quantity = row.quantity
    return table


def _cells(row: ErrorRow) -> tuple[str, ...]:
    numbers = (error_text(value) for value in (row.max, row.p99, row.mean))
    verdict = "" if row.within else "[red]beyond[/]"
    return (row.phase, f"{row.n:,}", *numbers, f"{row.tolerance:g}", verdict)
