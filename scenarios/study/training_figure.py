"""How policies became what they are: validation cost and violating days while they were trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from markupsafe import Markup

from gradmap.feeder import FloatArray
from scenarios.report.figures import WIDTH, Figure, LegendEntry, panel_grid
from scenarios.report.svg import Axis, Panel, el, figure_svg, label_at, number_axis, y_title
from scenarios.study.compare import NamedPolicy
from scenarios.study.compare_figure import CHARACTER, method_classes
from scenarios.training.folder import HISTORY_FILE, read_history

HEIGHT, ROW_GAP, HEAD, FOOT = 210.0, 40.0, 26.0, 26.0
"""Of a panel, between panels, of the title, of the legend. [px]"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """One training, at its validations."""

    name: str
    """Of the method; shared by its seeds."""
    calls: FloatArray
    """Gradients of the environment taken so far, [validation]."""
    seconds: FloatArray
    """Spent on training so far, [validation]. [s]"""
    cost: FloatArray
    """Mean of a validation day, [validation]. [cur]"""
    violation: FloatArray
    """What the lower row shows, [validation]."""


@dataclass(frozen=True, kw_only=True)
class Goal:
    """Values that training is to reach."""

    cost: float
    violation: float


def history_curves(policies: Sequence[NamedPolicy]) -> list[Curve]:
    """Return the trainings whose history lies beside their policy; others are left out.

    Args:
        policies: Each in the folder `policy` of a training folder.
    """
    curves = []
    for policy in policies:
        folder = policy.folder.resolve().parent
        if not (folder / HISTORY_FILE).is_file():
            continue
        rows = [row for row in read_history(folder) if row["validation"] is not None]
        if not rows:
            continue
        days = [row["validation"]["days"] for row in rows]
        curves.append(
            Curve(
                name=policy.name,
                calls=np.array([float(row["iteration"]) for row in rows]),
                seconds=np.array([row["training_s"] for row in rows]),
                cost=np.array([row["validation"]["cost"] for row in rows]),
                violation=np.array([100.0 * d["n_violating"] / d["n_days"] for d in days]),
            )
        )
    return curves


def training_figure(
    curves: Sequence[Curve],
    *,
    title: str,
    currency: str,
    violation_name: str = "Violating validation days [%]",
    time_name: str = "Training time [min]",
    goal: Goal | None = None,
) -> Figure:
    """Return the figure: cost above, violation below, over time and over gradients.

    Args:
        curves: At least one.
        title: Above all panels.
        currency: Of the costs.
        violation_name: Axis title of the lower row, with its unit.
        time_name: Axis title of the left column, with its unit.
        goal: Drawn as dashed lines, or None.
    """
    classes = method_classes([curve.name for curve in curves])
    goals = (None, None) if goal is None else (goal.cost, goal.violation)
    minutes = max(float(curve.seconds.max()) for curve in curves) / 60.0
    calls = max(float(curve.calls.max()) for curve in curves)
    columns = (number_axis(0.0, minutes), number_axis(0.0, calls))
    rows = (
        _axis([curve.cost for curve in curves], goal=goals[0]),
        _axis([curve.violation for curve in curves], goal=goals[1], zero=True),
    )
    grid, height = panel_grid(
        rows=2, columns=2, x=columns[0], y=rows[0], height=HEIGHT, row_gap=ROW_GAP
    )
    drawn: list[Markup] = [label_at(title, x=grid[0][0].left, y=18, class_="title")]
    names = (f"Validation cost a day [{currency}]", violation_name)
    for row, panels in enumerate(grid):
        for column, place in enumerate(panels):
            panel = replace(place, top=place.top + HEAD, x=columns[column], y=rows[row])
            drawn.append(panel.frame(y_labels=column == 0, x_labels=row == 1))
            if (wanted := goals[row]) is not None:
                drawn.append(panel.line([panel.x.low, panel.x.high], [wanted] * 2, class_="limit"))
            drawn += [_drawn(curve, panel, row, column, classes[curve.name]) for curve in curves]
        drawn.append(y_title(names[row], x=14, y=panels[0].top + HEAD + HEIGHT / 2))
    below = height + HEAD - 5
    for panel, name in zip(grid[1], (time_name, "Gradients of the environment"), strict=True):
        middle = panel.left + panel.width / 2
        drawn.append(label_at(name, x=middle, y=below, anchor="middle"))
    legend, bottom = _legend(classes, goal=goal, x=grid[0][0].left, y=below + FOOT)
    image = figure_svg(
        *drawn,
        legend,
        width=WIDTH,
        height=bottom + 13,
        alt=f"{title}. " + " ".join(_in_words(curve) for curve in curves),
    )
    return Figure(title=title, image=image)


def _drawn(curve: Curve, panel: Panel, row: int, column: int, class_: str) -> Markup:
    """Draw what a curve is in the panel of a row and column."""
    x = (curve.seconds / 60.0, curve.calls)[column]
    y = (curve.cost, curve.violation)[row]
    return panel.line(x, y, class_=f"line {class_}") + panel.dots(x, y, class_=f"dot {class_}")


def _axis(values: Sequence[FloatArray], *, goal: float | None, zero: bool = False) -> Axis:
    """Return an axis that shows all values and the goal."""
    shown = np.concatenate([*values, [] if goal is None else [goal]])
    return number_axis(0.0 if zero else float(shown.min()), float(shown.max()), pad=0.04)


def _legend(
    classes: dict[str, str], *, goal: Goal | None, x: float, y: float
) -> tuple[Markup, float]:
    """Return the legend, in as many lines as it takes, and where its last line stands."""
    entries = [LegendEntry(mark="line", class_=class_, label=n) for n, class_ in classes.items()]
    if goal is not None:
        entries.append(LegendEntry(mark="limit", class_="", label="goal"))
    drawn, at = [], x
    for entry in entries:
        width = 60 + CHARACTER * len(entry.label)
        if at > x and at + width > WIDTH:
            at, y = x, y + 20.0
        drawn.append(el("g", entry.swatch, transform=f"translate({at:.1f} {y - 11:.1f})"))
        drawn.append(label_at(entry.label, x=at + 35, y=y))
        at += width
    return Markup("").join(drawn), y


def _in_words(curve: Curve) -> str:
    return f"{curve.name}: cost {curve.cost[-1]:,.0f} after {curve.calls[-1]:.0f} gradients."
