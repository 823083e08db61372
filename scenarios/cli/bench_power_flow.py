"""`gradmap bench power-flow`: ours, OpenDSS and power-grid-model side by side."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from scenarios.cli.output import make_table, patient_output, show_table

if TYPE_CHECKING:
    from rich.table import Table

    from scenarios.benchmarks.power_flow.batches import BatchTiming
    from scenarios.benchmarks.power_flow.benchmark import PowerFlowTiming
    from scenarios.benchmarks.power_flow.processes import Throughput

MEANING = """\
CPU time of one core per snapshot, all tools in turn; error: largest |difference| of a node voltage
from a solution at 1e-12; gradient: largest error of a derivative over the largest derivative.
Ours linearises at nominal load (the default) or at the mean of the snapshots. OpenDSS: `stepped` is
its fastest way (hour, SolveNoControl, copy from memory), `yearly` the documented loop, `unread` one
Solve of all hours, `plain` the usual loop over Loads. `same error`: OpenDSS's fastest tolerance
whose error is at most ours; where it has none, the same tolerance. power-grid-model solves another
network of the same size (no delta, no regulators, voltages as magnitude and angle): read the order
of magnitude, not a ratio."""


def _sizes(_: click.Context, __: click.Parameter, text: str | None) -> tuple[int, ...]:
    """Read `1,10,100`."""
    if text is None:
        return ()
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = (0,)
    if min(sizes) < 1:
        raise click.BadParameter(f"{text!r} is not a list of positive numbers such as 1,10,100.")
    return sizes


@click.command("power-flow", epilog="Example: gradmap bench power-flow --processes 2")
@click.option(
    "--snapshots",
    type=click.IntRange(2, 100_000),
    default=2048,
    show_default=True,
    help="Loadings that every tool solves, and our batch size.",
)
@click.option("--repeats", type=click.IntRange(1, 1000), default=10, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--processes", type=click.IntRange(1, 256), help="Also measure so many processes at once."
)
@click.option(
    "--batches", callback=_sizes, metavar="N,N,...", help="Also measure time and memory by batch."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def power_flow(
    *,
    snapshots: int,
    repeats: int,
    seed: int,
    processes: int | None,
    batches: tuple[int, ...],
    as_json: bool,
) -> None:
    """Time power flows of the IEEE 123 on one core against OpenDSS and power-grid-model.

    All loads change in every snapshot (0.3 to 1.5 of nominal); all 278 node voltages come out.
    """
    # Imported here: torch takes seconds, which `gradmap bench --help` should not pay.
    from scenarios.benchmarks.power_flow.batches import time_batches  # noqa: PLC0415
    from scenarios.benchmarks.power_flow.benchmark import time_power_flow  # noqa: PLC0415
    from scenarios.benchmarks.power_flow.processes import (  # noqa: PLC0415
        check_processes,
        time_processes,
    )

    check_processes(processes or 1)
    timing = time_power_flow(
        n_snapshots=snapshots,
        repeats=repeats,
        seed=seed,
        on_round=_round_counter(repeats, quiet=as_json),
    )
    throughput: tuple[Throughput, ...] = ()
    if processes:
        throughput = time_processes(processes, n_snapshots=snapshots, repeats=repeats, seed=seed)
    by_batch = time_batches(batches, seed=seed) if batches else ()
    with patient_output():
        if as_json:
            click.echo(json.dumps(_document(timing, throughput, by_batch), indent=1))
        else:
            _print(timing, throughput, by_batch)


def _round_counter(repeats: int, *, quiet: bool) -> Callable[[int], None] | None:
    """Return what says on a terminal how far the rounds are."""
    if quiet or not sys.stderr.isatty():
        return None

    def show(turn: int) -> None:
        click.echo(f"\rround {turn} of {repeats}", err=True, nl=turn == repeats)

    return show


def _document(
    timing: PowerFlowTiming, throughput: tuple[Throughput, ...], by_batch: tuple[BatchTiming, ...]
) -> dict[str, Any]:
    document = asdict(timing)
    for plain, row in zip(document["rows"], timing.rows, strict=True):
        plain["best_us"], plain["median_us"] = row.best_us, row.median_us
    document["processes"] = [asdict(row) for row in throughput]
    document["batches"] = [asdict(row) for row in by_batch]
    return document


def _print(
    timing: PowerFlowTiming, throughput: tuple[Throughput, ...], by_batch: tuple[BatchTiming, ...]
) -> None:
    facts = timing.machine
    click.echo(
        f"{facts['cpu']}, {facts['cores']} cores, load {facts['load_average']:.1f}, pinned to "
        f"core {facts['pinned_core']}; torch {facts['torch']} ({facts['torch_vectors']}), 1 thread"
    )
    click.echo(f"{facts['opendss']}; power-grid-model {facts['power_grid_model']}")
    show_table(_row_table(timing))
    show_table(_ratio_table(timing))
    if throughput:
        show_table(_throughput_table(throughput))
    if by_batch:
        show_table(_batch_table(by_batch))
    click.echo(MEANING)
    click.echo(
        f"Exact solutions of both engines differ by {timing.engines_differ_pu:.1e} pu, which is "
        f"what OpenDSS's rounding leaves."
    )
    for text in timing.missing:
        click.echo(text)


def _row_table(timing: PowerFlowTiming) -> Table:
    title = (
        f"IEEE 123: {timing.n_nodes} nodes, {timing.n_connections} connections, "
        f"{timing.n_snapshots:,} snapshots, {timing.repeats} rounds"
    )
    headings = ("tool", "way", "tolerance", "best us", "median us", "error pu", "gradient")
    table = make_table(title=title, headings=headings, left=("tool", "way"))
    tool = ""
    for row in timing.rows:
        ours = (row.kind, row.dtype, row.reference)
        table.add_row(
            "" if row.tool == tool else row.tool,
            ", ".join(ours if row.reference else (row.kind, row.note)),
            f"{row.tolerance_pu:g}",
            f"{row.best_us:.2f}",
            f"{row.median_us:.2f}",
            _error(row.error_pu),
            _error(row.gradient_error),
        )
        tool = row.tool
    for text in timing.missing:
        table.add_row(text.split(" is ")[0], "not installed", *["-"] * 5)
    return table


def _ratio_table(timing: PowerFlowTiming) -> Table:
    kinds = list(dict.fromkeys((ratio.kind, ratio.meaning) for ratio in timing.ratios))
    names = tuple(f"{kind}, {meaning}" for kind, meaning in kinds)
    headings = ("ours", *names, "with gradient")
    title = "OpenDSS's time over ours; with gradient over forward"
    table = make_table(title=title, headings=headings, left=("ours",))
    for ours in dict.fromkeys(ratio.ours for ratio in timing.ratios):
        own = {(x.kind, x.meaning): x for x in timing.ratios if x.ours == ours}
        cells = (f"{own[k].best:.1f} (at {own[k].opendss_tolerance_pu:g})" for k in kinds)
        table.add_row(ours, *cells, f"{timing.gradient_factors[ours]:.2f}")
    return table


def _throughput_table(rows: tuple[Throughput, ...]) -> Table:
    headings = ("tool", "dtype", "tolerance", "processes", "snapshots a second", "over OpenDSS")
    title = "Processes at once, each on its core (wall time)"
    table = make_table(title=title, headings=headings, left=("tool", "dtype"))
    for row in rows:
        table.add_row(
            row.tool,
            row.dtype,
            f"{row.tolerance_pu:g}",
            str(row.n_processes),
            f"{row.snapshots_per_s:,.0f}",
            "" if row.over_opendss is None else f"{row.over_opendss:.1f}",
        )
    return table


def _batch_table(rows: tuple[BatchTiming, ...]) -> Table:
    headings = ("way", "dtype", "tolerance", "batch", "us", "peak MB", "results MB", "working MB")
    table = make_table(title="By batch size", headings=headings, left=("way", "dtype"))
    for row in rows:
        table.add_row(
            row.kind,
            row.dtype,
            f"{row.tolerance_pu:g}",
            f"{row.batch:,}",
            f"{row.us:.2f}",
            f"{row.peak_mb:.1f}",
            f"{row.results_mb:.1f}",
            f"{row.working_mb:.1f}",
        )
    return table


def _error(value: float | None) -> str:
    return "" if value is None else f"{value:.1e}"
