"""What `gradmap train` says when it has ended."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from scenarios.cli.output import make_table, show_table
from scenarios.training.folder import read_run

if TYPE_CHECKING:
    from gradmap.training.settings import TrainingSettings
    from scenarios.study.methods import MethodSummary

RESULT_ROWS = (
    "Days [-]",
    "Violating days [-]",
    "Largest violation [pu]",
    "Days with an overloaded branch [-]",
    "Controllable cost a day",
    "Comfort [K h]",
    "Requests that devices could not follow [kWh]",
)


def warn(out: Path, *, settings: TrainingSettings) -> None:
    """Say so where the best policy leaves the limits on more days than it may."""
    best = read_run(out)["best_validation"]
    n_days, n_violating = best["days"]["n_days"], best["days"]["n_violating"]
    allowed, n_overloaded = settings.outside_share * n_days, best.get("n_overloaded", 0)
    found = []
    if n_violating > allowed:
        found.append(
            f"is more than 0.001 pu outside on {n_violating} of {n_days} validation days, worst "
            f"{best['violation_max_pu']:.4f} pu"
        )
    if n_overloaded > allowed:
        found.append(
            f"overloads a branch on {n_overloaded} of {n_days} validation days, worst by "
            f"{best['overload_max']:.0%} of its rating"
        )
    if found:
        click.echo(
            f"warning: no policy kept the limits: the best {' and '.join(found)}. Train longer, "
            f"or widen `limits` if they cannot be kept.",
            err=True,
        )


def print_result(out: Path, *, tested: MethodSummary | None) -> None:
    """Print what the best policy does on validation days, and on test days where it was tested."""
    training = read_run(out)
    best = training["best_validation"]
    title = (
        f"{training['scenario']}: best policies after {training['training_s'] / 60:.1f} min of "
        f"training"
    )
    columns = [
        (
            "validation (own power flow)",
            f"{best['days']['n_days']}",
            f"{best['days']['n_violating']}",
            f"{best['violation_max_pu']:.5f}",
            _overloaded(training),
            f"{best['cost']:,.0f}",
            f"{best['comfort_k_h']:.1f}",
            f"{best['clipped_kwh']:.0f}",
        )
    ]
    if tested is not None:
        columns.append(
            (
                "test (OpenDSS)",
                f"{tested.violating.n_days}",
                f"{tested.violating.n_violating} (bound {tested.upper_bound:.2%})",
                f"{tested.violation_max_pu:.5f}",
                "not measured" if tested.n_overloaded is None else f"{tested.n_overloaded}",
                f"{tested.cost:,.0f}",
                f"{tested.comfort_k_h:.1f}",
                f"{tested.clipped_kwh:.0f}",
            )
        )
    table = make_table(
        title=title, headings=("what", *(column[0] for column in columns)), left=("what",)
    )
    for row, label in enumerate(RESULT_ROWS, start=1):
        table.add_row(escape(label), *(column[row] for column in columns))
    show_table(table)


def training_document(out: Path, *, policy: Path, tested: MethodSummary | None) -> dict[str, Any]:
    """Return what `--json` prints: `run.json`, where the policy is, and its test."""
    test = None if tested is None else asdict(tested)
    return read_run(out) | {"policy": str(policy), "test": test}


def _overloaded(training: dict[str, Any]) -> str:
    """Return on how many validation days a branch is overloaded, or why that is not known."""
    if not training["settings"]["with_loading"]:
        return "not limited"
    return f"{training['best_validation'].get('n_overloaded', 'not measured')}"
