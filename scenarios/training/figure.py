"""The history of a training as a figure: what fell, what rose, and how long it took."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from gradmap.feeder import FloatArray
from gradmap.files import written_whole
from scenarios.report.figures import LEFT, RIGHT, TOP, WIDTH, Figure
from scenarios.report.standalone import standalone_svg
from scenarios.report.svg import Axis, Panel, figure_svg, label_at, number_axis

Row = Mapping[str, Any]
"""An iteration, as `history.jsonl` holds it."""

COLUMNS: Final = 2
HEAD = 30.0
"""Height of the title. [px]"""
HEIGHT, ROW_GAP, COLUMN_GAP = 130.0, 64.0, 84.0
BATCH, VALIDATION = "thin c-3", "line c-1"
N_TICKS = 6


@dataclass(frozen=True, kw_only=True)
class _Chart:
    """One panel: up to two series over iterations."""

    title: str
    batch: Callable[[Row], float] | None = None
    """Drawn thin, at every iteration."""
    validation: Callable[[Row], float] | None = None
    """Of the row's validation; drawn thick, where there is one."""
    from_zero: bool = True


def _charts(currency: str) -> tuple[_Chart, ...]:
    return (
        _Chart(
            title=f"Controllable cost a day [{currency}]",
            batch=lambda row: row["cost"],
            validation=lambda found: found["cost"],
            from_zero=False,
        ),
        _Chart(
            title="Violation of the network a day, with margins, summed [scaled]",
            batch=lambda row: row["violation"],
        ),
        _Chart(
            title="Share of days violating [-]",
            validation=lambda found: found["days"]["n_violating"] / found["days"]["n_days"],
        ),
        _Chart(
            title="Largest violation [pu]",
            validation=lambda found: found["violation_max_pu"],
        ),
        _Chart(
            title="Multipliers of the network, sum [-]", batch=lambda row: row["multiplier_sum"]
        ),
        _Chart(
            title="Multipliers of the network, largest [-]",
            batch=lambda row: row["multiplier_max"],
        ),
        _Chart(
            title="Samples at the edge of the trust region [-]",
            batch=lambda row: row["edge_share"],
        ),
        _Chart(
            title="Seconds an iteration, without validation [s]",
            batch=lambda row: row["seconds"] - row["validation_s"],
        ),
    )


def write_training_figure(rows: Sequence[Row], path: Path, *, title: str, currency: str) -> None:
    """Write the figure as an .svg file, complete or not at all.

    Args:
        rows: The history; without any nothing is written.
        path: The file, in a folder that exists.
        title: Above the figure.
        currency: Of the costs.
    """
    if rows:
        figure = training_figure(rows, title=title, currency=currency)
        with written_whole(path) as file:
            file.write(standalone_svg(figure, always_light=True).encode())


def training_figure(rows: Sequence[Row], *, title: str, currency: str) -> Figure:
    """Return the figure; all panels have the same axis of iterations.

    Args:
        rows: The history, at least one iteration.
        title: Above the figure.
        currency: Of the costs.
    """
    x = number_axis(0.0, float(rows[-1]["iteration"]), count=N_TICKS)
    charts = _charts(currency)
    n_rows = len(charts) // COLUMNS
    width = (WIDTH - LEFT - RIGHT - COLUMN_GAP) / COLUMNS
    drawn = [label_at(title, x=LEFT, y=18, class_="title"), _key()]
    for number, chart in enumerate(charts):
        row, column = divmod(number, COLUMNS)
        panel = Panel(
            left=LEFT + column * (width + COLUMN_GAP),
            top=HEAD + TOP + row * (HEIGHT + ROW_GAP),
            width=width,
            height=HEIGHT,
            x=x,
            y=x,  # each chart sets its own
        )
        drawn.append(_drawn(chart, rows, panel))
        if row == n_rows - 1:
            drawn.append(_below(panel, rows))
    height = HEAD + TOP + n_rows * (HEIGHT + ROW_GAP)
    image = figure_svg(*drawn, width=WIDTH, height=height, alt=f"{title}. {_in_words(rows)}")
    return Figure(title=title, image=image)


def _drawn(chart: _Chart, rows: Sequence[Row], panel: Panel) -> Markup:
    """Return a panel with its series."""
    series: list[tuple[str, FloatArray, FloatArray]] = []
    if chart.batch is not None:
        iteration = np.array([float(row["iteration"]) for row in rows])
        series.append((BATCH, iteration, np.array([float(chart.batch(row)) for row in rows])))
    if chart.validation is not None:
        known = [row for row in rows if row["validation"] is not None]
        iteration = np.array([float(row["iteration"]) for row in known])
        values = np.array([float(chart.validation(row["validation"])) for row in known])
        series.append((VALIDATION, iteration, values))
    values = np.concatenate([values for _, _, values in series])
    values = values[np.isfinite(values)]  # a day without solution is infinitely far outside
    y = _axis(values, from_zero=chart.from_zero)
    panel = replace(panel, y=y)
    drawn = [panel.frame(title=chart.title)]
    for class_, x, y_values in series:
        drawn.append(panel.line(x, y_values, class_=class_))
        if class_ == VALIDATION:
            drawn.append(panel.dots(x, y_values, class_="dot c-1"))
    return Markup("").join(drawn)


def _axis(values: FloatArray, *, from_zero: bool) -> Axis:
    if not len(values):
        return number_axis(0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if from_zero:
        low = min(low, 0.0)
        scale = high if high > low else 1.0
        return number_axis(low, high + 0.06 * scale, count=4)
    return number_axis(low, high, count=4, pad=0.06)


def _below(panel: Panel, rows: Sequence[Row]) -> Markup:
    """Return training minutes under the ticks, and what the axis shows."""
    bottom = panel.top + panel.height
    iteration = np.array([0.0, *(float(row["iteration"]) for row in rows)])
    minutes = np.array([0.0, *(float(row["training_s"]) for row in rows)]) / 60.0
    drawn = [
        label_at(
            f"{float(np.interp(tick, iteration, minutes)):.1f} min",
            x=float(panel.px(tick)),
            y=bottom + 32,
            anchor="start" if tick == panel.x.low else "end" if tick == panel.x.high else "middle",
        )
        for tick, _ in panel.x.ticks
    ]
    words = "iteration, and minutes of training with validations"
    drawn.append(label_at(words, x=panel.left + panel.width / 2, y=bottom + 52, anchor="middle"))
    return Markup("").join(drawn)


def _key() -> Markup:
    """Return what the two kinds of lines are, right of the title."""
    drawn = []
    for left, class_, words in (
        (WIDTH - RIGHT - 290, BATCH, "training batch"),
        (WIDTH - RIGHT - 140, VALIDATION, "validation days"),
    ):
        unit = number_axis(0.0, 1.0)
        panel = Panel(left=left, top=4, width=30, height=20, x=unit, y=unit)
        drawn.append(panel.line([0.0, 1.0], [0.5, 0.5], class_=class_))
        drawn.append(label_at(words, x=left + 38, y=18))
    return Markup("").join(drawn)


def _in_words(rows: Sequence[Row]) -> str:
    """Return where the training stands, for those who do not see the figure."""
    last = rows[-1]
    words = f"{last['iteration']} iterations in {last['training_s'] / 60.0:.1f} minutes."
    known = [row["validation"] for row in rows if row["validation"] is not None]
    if not known:
        return words
    days = known[-1]["days"]
    return (
        f"{words} Last validation: {days['n_violating']} of {days['n_days']} days violating, "
        f"cost {known[-1]['cost']:,.0f}."
    )
