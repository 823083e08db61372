"""The figure of an evaluation: accuracy by level of the householder and by arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from federates.hems.evaluation.arms import PUBLISHED_ACCURACY
from federates.hems.users.persona import LEVELS
from scenarios.report.figures import (
    LEFT,
    WIDTH,
    Figure,
    LegendEntry,
    axis_titles,
    controller_class,
    panel_grid,
)
from scenarios.report.svg import Axis, Panel, el, figure_svg, label_at, number_axis

TITLES: Final = {
    "accuracy_said": "Against what was said",
    "accuracy_truth": "Against what householders know",
}
HEIGHT, HEAD, FOOT = 260.0, 26.0, 34.0
"""Of a panel, above it for the title, below it for the legend. [px]"""
SPREAD: Final = 0.6
"""Share of a level's width that its arms take. [-]"""
CHARACTER: Final = 6.8


def accuracy_figure(found: Mapping[str, dict[str, Any] | None]) -> Figure:
    """Return accuracies with intervals, a panel for each truth, a group for each level."""
    measured = {name: x["metrics"] for name, x in found.items() if x is not None}
    classes = {name: controller_class(k + 1) for k, name in enumerate(measured)}
    lows = [
        100 * own[f"{key}.{level}"]["low"]
        for own in measured.values()
        for key in TITLES
        for level in LEVELS
        if own[f"{key}.{level}"]["value"] is not None
    ]
    x = Axis(
        low=-0.5,
        high=len(LEVELS) - 0.5,
        ticks=tuple((float(place), level) for place, level in enumerate(LEVELS)),
    )
    y = number_axis(min(100 * PUBLISHED_ACCURACY, *lows, 90.0) - 3.0, 101.0)
    grid, height = panel_grid(rows=1, columns=len(TITLES), x=x, y=y, height=HEIGHT)
    title = "Parameters understood, by level of the householder"
    drawn: list[Markup] = []
    for panel, (key, name) in zip(grid[0], TITLES.items(), strict=True):
        drawn.append(panel.frame(title=name, y_labels=panel is grid[0][0]))
        drawn.append(_published(panel, named=key == "accuracy_truth"))
        for place, (arm, own) in enumerate(measured.items()):
            shift = SPREAD * ((place + 0.5) / len(measured) - 0.5)
            drawn.append(_marks(panel, own, key=key, shift=shift, class_=classes[arm]))
    drawn.append(axis_titles(grid, x="level", y="Slots right [%]", height=height))
    drawn.append(_legend(classes, at=height + FOOT / 2 - 4))
    words = "; ".join(f"{arm}: {_words(own)}" for arm, own in measured.items())
    image = figure_svg(*drawn, width=WIDTH, height=height + FOOT, alt=f"{title}. {words}")
    return Figure(title=title, image=image)


def _marks(panel: Panel, own: Mapping[str, Any], *, key: str, shift: float, class_: str) -> Markup:
    """Draw an arm's value and interval for each level."""
    drawn = []
    for place, level in enumerate(LEVELS):
        cell = own[f"{key}.{level}"]
        if cell["value"] is None:
            continue
        x, low, high = place + shift, 100 * cell["low"], 100 * cell["high"]
        drawn.append(panel.line([x, x], [low, high], class_=f"thin {class_}"))
        tip = f"{100 * cell['value']:.1f} % ({low:.1f} to {high:.1f}), n = {cell['count']:.0f}"
        drawn.append(
            el(
                "circle",
                el("title", tip),
                cx=float(panel.px(x)),
                cy=float(panel.py(100 * cell["value"])),
                r=4.0,
                class_=f"dot {class_}",
            )
        )
    return Markup("").join(drawn)


def _published(panel: Panel, *, named: bool) -> Markup:
    """Draw the published mean as a line; other users and parameters, hence only a reference."""
    value = 100 * PUBLISHED_ACCURACY
    line = panel.line([panel.x.low, panel.x.high], [value, value], class_="line c-0 zero")
    if not named:
        return line
    name = label_at(
        "published mean, other users and parameters",
        x=panel.left + panel.width - 4,
        y=float(panel.py(value)) - 5,
        anchor="end",
    )
    return Markup("").join([line, name])


def _legend(classes: Mapping[str, str], *, at: float) -> Markup:
    drawn, x = [], LEFT
    for arm, class_ in classes.items():
        entry = LegendEntry(mark="dot", class_=class_, label=arm)
        drawn.append(el("g", entry.swatch, transform=f"translate({x:.1f} {at - 7:.1f})"))
        drawn.append(label_at(arm, x=x + 30, y=at + 4))
        x += 56 + CHARACTER * len(arm)
    return Markup("").join(drawn)


def _words(own: Mapping[str, Any]) -> str:
    values = [own[f"accuracy_truth.{level}"]["value"] for level in LEVELS]
    told = zip(LEVELS, values, strict=True)
    return ", ".join(f"{level} {100 * x:.1f} %" for level, x in told if x is not None)
