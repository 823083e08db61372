"""What `gradmap bench reference-case` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from scenarios.cli.output import make_table, show_table

if TYPE_CHECKING:
    from scenarios.benchmarks.reference_case.benchmark import Measured, OptimumSeries
    from scenarios.benchmarks.reference_case.environment_speed import EnvironmentSpeed
    from scenarios.benchmarks.reference_case.hardness import Hardness
    from scenarios.benchmarks.reference_case.optimum_days import CheckedDay, OptimumSummary

HARDNESS_MEANING = """\
A day counts as hard at midday (10-16 h) or in the evening (16-22 h) when some node is more than
0.01 pu outside the limits. Cost is what the agents' own decisions cost: energy, fuel, wear, stored
energy owed at midnight. Power flows in float32; voltages of a day are 5, 50, 95 % over days."""
OPTIMUM_MEANING = """\
The cheapest day of one planner with perfect foresight. Price: what the limits add to the cost of
the optimum without them. Gap: to a lower bound, within the linearisation. Steps: convex programs.
Outside: largest distance outside the voltage limits, negative inside, ours in float64 and
OpenDSS's; differ: between the two, any voltage. K h: outside the comfort bands, all homes. Proven:
optimal, the replayed powers cost what the optimiser says, and OpenDSS sees the limits kept;
refuted: optimal, but not so."""


SPEED_MEANING = """\
A step: all devices and one three-phase power flow, in float32. Steps/s: requests are given. With
policies: one small network an agent observes and acts. With gradients: the same and the derivative
of the Lagrangian by every action; a dash where its graph does not fit into memory."""


def print_measured(measured: Measured) -> None:
    """Print a table of each measurement and what its numbers mean."""
    if measured.hardness:
        _print_hardness(measured.hardness, measured=measured)
        click.echo(HARDNESS_MEANING)
    if measured.speed:
        _print_speed(measured.speed)
        click.echo(SPEED_MEANING)
    if measured.optimum is not None:
        _print_optimum(measured.optimum, measured=measured)
        click.echo(OPTIMUM_MEANING)


def _print_hardness(rows: Sequence[Hardness], *, measured: Measured) -> None:
    table = make_table(
        title=f"{measured.scenario}: {rows[0].both.n_days} test days",
        headings=(
            "controller",
            "midday",
            "evening",
            "both",
            "lowest v of a day [pu]",
            "highest v of a day [pu]",
            f"cost a day [{measured.currency}]",
            "comfort [K h]",
        ),
    )
    for row in rows:
        table.add_row(
            row.controller,
            *(f"{100 * share.share:.1f} %" for share in (row.midday, row.evening, row.both)),
            *(" ".join(f"{v:.4f}" for v in values) for values in (row.v_min_pu, row.v_max_pu)),
            f"{row.cost_per_day:,.0f}",
            f"{row.comfort_k_h_per_day:.1f}",
        )
    show_table(table)


def _print_speed(rows: Sequence[EnvironmentSpeed]) -> None:
    first = rows[0]
    table = make_table(
        title=f"Environment steps per second: processes {first.n_processes}, days at once "
        f"{first.batch}, with gradients {first.gradient_batch}",
        headings=(
            "homes and agents",
            "steps/s",
            "agent steps/s",
            "with policies",
            "with gradients",
        ),
    )
    for row in rows:
        swept = row.gradient_steps_per_s
        table.add_row(
            f"{row.n_households:,}",
            f"{row.steps_per_s:,.0f}",
            f"{row.agent_steps_per_s:,.0f}",
            f"{row.policy_steps_per_s:,.0f}",
            "-" if swept is None else f"{swept:,.0f}",
        )
    show_table(table)


def _print_optimum(series: OptimumSeries, *, measured: Measured) -> None:
    table = make_table(
        title=f"{measured.scenario}: centralised optimum of {len(series.days)} test days, drawn "
        f"with seed {series.seed}" + (", loadings limited" if series.with_loading else ""),
        headings=(
            "day",
            f"cost [{measured.currency}]",
            "price",
            "gap",
            "steps",
            "s",
            "outside [pu]",
            "by OpenDSS",
            "differ",
            "[K h]",
            "verdict",
        ),
        left=("verdict",),
    )
    for day in series.days:
        network = day.network
        table.add_row(
            str(day.number),
            f"{day.cost:,.1f}",
            f"{100 * day.price_of_limits:.2f} %",
            f"{day.gap:.0e}",
            str(day.n_iterations),
            f"{day.seconds:.0f}",
            f"{network.violation_pu:.0e}",
            f"{network.violation_opendss_pu:.0e}",
            f"{network.voltage_difference_pu:.0e}",
            f"{day.comfort_k_h:.2f}",
            "proven" if day.proven else f"[red]{_objection(day)}[/]",
        )
    show_table(table)
    click.echo(_summary_text(series.summary, currency=measured.currency))


def _objection(day: CheckedDay) -> str:
    """Return what speaks against a day that is not proven."""
    return "refuted" if day.status == "optimal" else day.status.replace("_", " ")


def _summary_text(summary: OptimumSummary, *, currency: str) -> str:
    return (
        f"{summary.n_optimal} of {summary.n_days} days optimal, {summary.n_proven} proven. "
        f"{summary.seconds_per_day:.1f} s a day.\n"
        f"Cost {summary.cost_mean:,.1f} {currency} a day ({summary.cost_min:,.1f} to "
        f"{summary.cost_max:,.1f}). Price of limits {100 * summary.price_of_limits:.2f} % of all "
        f"costs, {100 * summary.price_of_limits_mean:.2f} % in the mean of days.\n"
        f"Worst in OpenDSS: {summary.violation_opendss_pu:.1e} pu outside, loading "
        f"{summary.loading_opendss:.3f}."
    )
