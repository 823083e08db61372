"""The figure of a day: what devices do, what homes draw and where voltages are, a column a method.

Drawn by hand like all charts of the project (`scenarios.report.svg`), with its legend inside, so
that the SVG stands alone in a paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from markupsafe import Markup

from gradmap.errors import ScenarioError
from gradmap.feeder import FloatArray
from gradmap.files import written_whole
from scenarios.benchmarks.reference_case.day_figure_data import DayColumn, DayPicture
from scenarios.report.figures import (
    LEFT,
    PHASE_NAMES,
    WIDTH,
    Figure,
    LegendEntry,
    limit_marks,
    panel_grid,
    voltage_axis,
)
from scenarios.report.power_charts import KIND_NAMES
from scenarios.report.standalone import standalone_svg
from scenarios.report.svg import (
    Axis,
    Panel,
    el,
    figure_svg,
    label_at,
    number_axis,
    text,
    y_title,
)

KIND_CLASSES = {"battery": "c-1", "heat_pump": "c-2", "generator": "c-0", "ev_charger": "c-3"}
HEAD, FOOT = 30.0, 10.0
"""Heights of the figure's title and below its last legend. [px]"""
ROW_HEIGHT, ROW_GAP = 180.0, 82.0
LEGEND_BELOW = 42.0
"""From a row's bottom to the middle of its legend. [px]"""
CHARACTER = 6.4
"""Mean width of a character of a legend's text. [px]"""
HOURS = Axis(low=0.0, high=24.0, ticks=tuple((float(h), f"{h:02d}:00") for h in range(0, 25, 6)))
SUFFIXES = (".svg", ".html")


def check_figure_file(path: Path) -> None:
    """Refuse a file whose name does not end as a figure's does; before hours of measuring.

    Raises:
        ScenarioError: It does not.
    """
    if path.suffix not in SUFFIXES:
        raise ScenarioError(
            f"Figure {str(path)!r}: expected a file name that ends in {' or '.join(SUFFIXES)}."
        )


def write_day_figure(picture: DayPicture, path: Path) -> None:
    """Write the figure to an .svg or .html file, in light colours; its folder is made if missing.

    Raises:
        ScenarioError: See `check_figure_file`.
    """
    check_figure_file(path)
    content = standalone_svg(day_figure(picture), always_light=True)
    if path.suffix == ".html":
        title = text(picture.title)
        content = (
            f'<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
            f'<body style="max-width: 1400px">\n{content}</body>\n</html>\n'
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as file:
        file.write(content.encode())


def day_figure(picture: DayPicture) -> Figure:
    """Return the figure; the columns of a row share their axis, so they compare by eye."""
    rows, height = panel_grid(
        rows=3,
        columns=len(picture.columns),
        x=HOURS,
        y=HOURS,  # each row sets its own
        height=ROW_HEIGHT,
        row_gap=ROW_GAP,
    )
    below_title = [[replace(panel, top=panel.top + HEAD) for panel in row] for row in rows]
    devices, powers, voltages = below_title
    image = figure_svg(
        label_at(picture.title, x=LEFT, y=18, class_="title"),
        _device_row(picture, devices),
        _power_row(picture, powers),
        _voltage_row(picture, voltages),
        width=WIDTH,
        height=height + HEAD + FOOT,
        alt=f"{picture.title}. " + " ".join(_in_words(column) for column in picture.columns),
    )
    return Figure(title=picture.title, image=image)


def _device_row(picture: DayPicture, panels: Sequence[Panel]) -> Markup:
    """Draw the power of each kind of device, below the names of the columns."""
    y = _power_axis([mw for column in picture.columns for mw in column.device_mw.values()])
    drawn = []
    for panel, column in _row(picture, panels, y=y):
        cost = f"{column.cost:,.0f} {picture.currency}"
        drawn.append(panel.frame(title=column.name, note=cost, y_labels=panel.left == LEFT))
        drawn.append(_zero(panel))
        for kind, mw in column.device_mw.items():
            drawn.append(panel.steps(_edges(picture), mw, class_=f"line {KIND_CLASSES[kind]}"))
    entries = [
        LegendEntry(mark="line", class_=KIND_CLASSES[kind], label=KIND_NAMES[kind])
        for kind in picture.columns[0].device_mw
    ]
    return Markup("").join([*drawn, _words(panels, y="Sum of devices [MW]", legend=entries)])


def _power_row(picture: DayPicture, panels: Sequence[Panel]) -> Markup:
    """Draw the power of all homes, with devices and without."""
    y = _power_axis([picture.uncontrolled_mw, *(column.net_mw for column in picture.columns)])
    drawn = []
    for panel, column in _row(picture, panels, y=y):
        drawn += [
            panel.frame(y_labels=panel.left == LEFT),
            _zero(panel),
            panel.steps(_edges(picture), picture.uncontrolled_mw, class_="line c-0 zero"),
            panel.steps(_edges(picture), column.net_mw, class_="line ink"),
        ]
    entries = [
        LegendEntry(mark="line", class_="ink", label="net load of all homes"),
        LegendEntry(mark="line", class_="zero", label="without their devices"),
    ]
    return Markup("").join([*drawn, _words(panels, y="Net load [MW]", legend=entries)])


def _voltage_row(picture: DayPicture, panels: Sequence[Panel]) -> Markup:
    """Draw the band from the lowest to the highest node of each phase, and the limits."""
    bands = [band for column in picture.columns for band in column.band_pu.values()]
    y = voltage_axis(
        min(float(low.min()) for low, _ in bands),
        max(float(high.max()) for _, high in bands),
        limits=picture.limits,
    )
    x = np.repeat(_edges(picture), 2)[1:-1]  # a value holds over its step
    drawn = []
    for panel, column in _row(picture, panels, y=y):
        drawn.append(panel.frame(y_labels=panel.left == LEFT))
        for phase, (low_pu, high_pu) in column.band_pu.items():
            low, high = np.repeat(low_pu, 2), np.repeat(high_pu, 2)
            drawn.append(panel.band(x, low, high, class_=f"band ph-{phase}"))
            drawn += [panel.line(x, edge, class_=f"thin ph-{phase}") for edge in (low, high)]
        last = panel.left == panels[-1].left
        drawn.append(limit_marks(panel, limits=picture.limits, labels=last))
    entries = [
        LegendEntry(mark="band", class_=f"ph-{phase}", label=f"{name}, lowest to highest node")
        for phase, name in PHASE_NAMES.items()
    ]
    entries.append(LegendEntry(mark="limit", class_="", label="limits"))
    return Markup("").join([*drawn, _words(panels, y="Voltage [pu]", legend=entries)])


def _row(
    picture: DayPicture, panels: Sequence[Panel], *, y: Axis
) -> Iterator[tuple[Panel, DayColumn]]:
    """Yield a row's panels with the row's axis, each with what it shows."""
    for panel, column in zip(panels, picture.columns, strict=True):
        yield replace(panel, y=y), column


def _words(panels: Sequence[Panel], *, y: str, legend: Sequence[LegendEntry]) -> Markup:
    """Return a row's axis title on the left and its legend below."""
    first = panels[0]
    middle = first.top + first.height + LEGEND_BELOW
    drawn, x = [y_title(y, x=14, y=first.top + first.height / 2)], first.left
    for entry in legend:
        # A swatch is an image of its own, 28 x 14 px.
        drawn.append(el("g", entry.swatch, transform=f"translate({x:.1f} {middle - 7:.1f})"))
        drawn.append(label_at(entry.label, x=x + 35, y=middle + 4))
        x += 60 + CHARACTER * len(entry.label)
    return Markup("").join(drawn)


def _edges(picture: DayPicture) -> FloatArray:
    """Return where steps begin, and where the last one ends. [h]"""
    return np.append(picture.hour, picture.hour[-1] + picture.dt_h)


def _power_axis(values: Sequence[FloatArray]) -> Axis:
    """Return an axis that shows all values and zero."""
    low = min(0.0, *(float(value.min()) for value in values))
    high = max(0.0, *(float(value.max()) for value in values))
    return number_axis(low, high, pad=0.06)


def _zero(panel: Panel) -> Markup:
    """Return the line between drawing from the grid and feeding in."""
    return panel.line([panel.x.low, panel.x.high], [0.0, 0.0], class_="axis")


def _in_words(column: DayColumn) -> str:
    """Return a column's extremes, for those who do not see the figure."""
    low = min(float(low.min()) for low, _ in column.band_pu.values())
    high = max(float(high.max()) for _, high in column.band_pu.values())
    return (
        f"{column.name}: voltages {low:.4f} to {high:.4f} pu, net load "
        f"{column.net_mw.min():.2f} to {column.net_mw.max():.2f} MW."
    )
