"""What `gradmap study reuse` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scenarios.cli.output import make_table, show_table

if TYPE_CHECKING:
    from scenarios.study.reuse import ReuseResult, Spread

MEANING = """\
Gradients: looks at the environment until validation first showed both targets, of the seeds that
got there. Seconds: processor time of training until then, validations left out, one thread.
Rates fall, and the network's weight rises, over a training's length. Compared is GradMA's rate and
length with the fewest gradients in the median over all seeds."""


def print_reuse(result: ReuseResult) -> None:
    """Print the table, the ratios and what they mean."""
    target = result.target
    table = make_table(
        title=f"{result.scenario}: until a validation day costs at most {target.cost:,.0f} and is "
        f"at most {target.violation_pu:g} pu outside",
        headings=(
            "method",
            "rate",
            "length",
            "reached",
            "gradients (range)",
            "seconds (range)",
            "",
        ),
        left=("method", ""),
    )
    for row in result.rows:
        table.add_row(
            row.method,
            f"{row.rate:g}",
            f"{row.max_looks}",
            f"{row.n_reached}/{row.n_seeds}",
            _text(row.calls, ",.0f"),
            _text(row.seconds, ",.1f"),
            "compared" if row.best else "",
        )
    show_table(table)
    if result.n_pairs:
        click.echo(
            f"GradMA needs {_text(result.calls_ratio, '.2f')} times the gradients and "
            f"{_text(result.seconds_ratio, '.2f')} times the time of GradMAP: median (range) over "
            f"{result.n_pairs} seeds that reached the target with both."
        )
    else:
        click.echo(
            "Half of the seeds or more did not reach the target: nothing can be compared. Give "
            "more with --max-looks and --gradma-looks, or an easier target."
        )
    click.echo(MEANING)


def _text(spread: Spread | None, form: str) -> str:
    if spread is None:
        return "-"
    return f"{spread.median:{form}} ({spread.least:{form}} to {spread.most:{form}})"
