"""What `gradmap study` prints."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from scenarios.cli.output import make_table, show_table

if TYPE_CHECKING:
    from gradmap.violation_summary import Share
    from scenarios.study.compare import Compared, OptimumRow, Row

VOLTAGE_MEANING = """\
Violating: days with a node more than 0.001 pu outside the limits at any step, by OpenDSS; bound:
largest share of days that this is evidence against (one-sided 95 %, Clopper-Pearson). Largest and
mean: of the day's largest distance outside. Differ: torch and OpenDSS, any voltage. K h: outside
the comfort bands, all homes. Clipped: requests that devices could not follow."""
COST_MEANING = """\
Cost: what the agents' own decisions cost, mean of a day. Gap: to the centralised optimum with
perfect foresight, on the days it is known of. Recovered: of what lies between the rule-based
controller and the optimum. Dominated: another method has no higher cost, mean violation and number
of violating days, and less of one. Comfort is not weighed."""
NO_OPTIMUM = """\
The optimum was not asked for: `--optimum-days 30 --store optima` finds that of 30 of the days, and
keeps it; needs the extra `optimum`."""


def print_compared(compared: Compared) -> None:
    """Print what methods do to voltages and homes, what they cost, and what that means."""
    _print_voltages(compared)
    click.echo(VOLTAGE_MEANING)
    _print_costs(compared)
    for text in _spreads(compared.rows):
        click.echo(text)
    click.echo(COST_MEANING)
    if compared.optimum is None and compared.split == "test":
        click.echo(NO_OPTIMUM)


def _print_voltages(compared: Compared) -> None:
    table = make_table(
        title=f"{compared.scenario}: {compared.n_days:,} {compared.split} days, every step in "
        f"OpenDSS",
        headings=(
            "method",
            "violating",
            "bound",
            "largest [pu]",
            "mean [pu]",
            "differ [pu]",
            "comfort [K h]",
            "clipped [kWh]",
        ),
        left=("method",),
    )
    for row in compared.rows:
        found = row.all_days
        unsolved = f" [red]({found.n_unsolved} steps unsolved)[/]" if found.n_unsolved else ""
        table.add_row(
            escape(row.label) + unsolved,
            *_share(found.violating),
            f"{found.violation_max_pu:.5f}",
            f"{found.violation_mean_pu:.5f}",
            f"{found.difference_max_pu:.0e}",
            f"{found.comfort_k_h:,.1f}",
            f"{found.clipped_kwh:,.1f}",
        )
    best = compared.optimum
    if best is not None:
        table.add_row(
            "optimum",
            *_share(best.violating),
            f"{best.violation_max_pu:.5f}",
            f"{best.violation_mean_pu:.5f}",
            "-",
            f"{best.comfort_k_h:,.1f}",
            "-",
        )
    show_table(table)


def _print_costs(compared: Compared) -> None:
    best = compared.optimum
    few = () if best is None else (f"cost, {best.n_days} days", "gap", "recovered")
    table = make_table(
        title=f"Cost a day [{compared.currency}]" + _optimum_words(best),
        headings=("method", f"cost, {compared.n_days:,} days", *few, "dominated by"),
        left=("method", "dominated by"),
    )
    for row in compared.rows:
        cells = [escape(row.label), f"{row.all_days.cost:,.1f}"]
        if row.optimum_days is not None:
            cells += [f"{row.optimum_days.cost:,.1f}", _percent(row.gap), _percent(row.recovered)]
        table.add_row(*cells, escape(row.dominated_by or "-"))
    if best is not None:
        table.add_row("optimum", "-", f"{best.cost:,.1f}", "0.00 %", "100.00 %", "-")
    show_table(table)


def _optimum_words(best: OptimumRow | None) -> str:
    if best is None:
        return ""
    return f"; optimum of {best.n_days} days, {best.n_proven} proven"


def _share(days: Share) -> tuple[str, str]:
    return f"{days.n_violating:,}/{days.n_days:,}", f"{100 * days.upper_bound:.2f} %"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"


def _spreads(rows: Sequence[Row]) -> list[str]:
    """Return a line for each method with several seeds: median and range."""
    texts = []
    for name in dict.fromkeys(row.name for row in rows):
        own = [row for row in rows if row.name == name]
        if len(own) < 2:
            continue
        parts = [
            f"cost {_range([row.all_days.cost for row in own], ',.1f')}",
            f"violating days {_range([float(r.all_days.violating.n_violating) for r in own], 'g')}",
        ]
        gaps = [100 * row.gap for row in own if row.gap is not None]
        if gaps:
            parts.append(f"gap {_range(gaps, '.2f')} %")
        texts.append(f"{name}, {len(own)} seeds, median (range): {'; '.join(parts)}.")
    return texts


def _range(values: Sequence[float], form: str) -> str:
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"
