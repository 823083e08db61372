"""The figure of a home's planned day: devices, power at the grid, prices."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from markupsafe import Markup

from federates.hems.evaluation.typical_day import DT_H
from federates.hems.optimiser.checks import FloatArray
from scenarios.hems_day import LEAST_KW, METHODS, PlannedDay, device_lines, money
from scenarios.report.figures import (
    LEFT,
    WIDTH,
    Figure,
    LegendEntry,
    controller_class,
    panel_grid,
)
from scenarios.report.svg import Axis, Panel, el, figure_svg, label_at, number_axis, y_title

HOURS: Final = Axis(
    low=0.0, high=24.0, ticks=tuple((float(h), f"{h:02d}:00") for h in range(0, 25, 6))
)
HEIGHT, GAP, HEAD = 150.0, 84.0, 26.0
CHARACTER: Final = 6.8


def day_figure(day: PlannedDay) -> Figure:
    """Return the figure: devices of the plan, power at the grid of all ways, prices."""
    grid, height = panel_grid(rows=3, columns=1, x=HOURS, y=HOURS, height=HEIGHT, row_gap=GAP)
    devices, powers, prices = (replace(row[0], top=row[0].top + HEAD) for row in grid)
    title = f"{day.title}: plan of an interviewed home"
    image = figure_svg(
        label_at(title, x=LEFT, y=18, class_="title"),
        _devices(day, devices),
        _powers(day, powers),
        _prices(day, prices),
        width=WIDTH,
        height=height + HEAD,
        alt=f"{title}. " + " ".join(f"{x.name}: {x.when}." for x in device_lines(day)),
    )
    return Figure(title=title, image=image)


def _devices(day: PlannedDay, panel: Panel) -> Markup:
    names = [name for name in day.home.names if np.abs(day.plan.result.p_kw[name]).max() > LEAST_KW]
    series = [day.plan.result.p_kw[name] for name in names]
    classes = [controller_class(place + 1) for place in range(len(names))]
    own = replace(panel, y=_axis(series))
    drawn = [own.frame(title="Devices in the plan"), _zero(own), _y("Power [kW]", own)]
    for p_kw, class_ in zip(series, classes, strict=True):
        drawn.append(own.steps(_edges(), p_kw, class_=f"line {class_}"))
    words = [name.replace("_", " ") for name in names]
    return Markup("").join([*drawn, _legend(words, classes, panel=own)])


def _powers(day: PlannedDay, panel: Panel) -> Markup:
    classes = ["c-1", "c-0 zero", "c-2"]
    series = [day.ways[name].net_kw for name in METHODS]
    own = replace(panel, y=_axis(series))
    drawn = [own.frame(title="At the grid, bought positive"), _zero(own), _y("Power [kW]", own)]
    for p_kw, class_ in zip(series, classes, strict=True):
        drawn.append(own.steps(_edges(), p_kw, class_=f"line {class_}"))
    names = [
        f"{label}, {money(day.ways[name]):.2f} {day.currency}" for name, label in METHODS.items()
    ]
    return Markup("").join([*drawn, _legend(names, classes, panel=own)])


def _prices(day: PlannedDay, panel: Panel) -> Markup:
    bought, sold = day.forecast.price_import_per_kwh, day.forecast.price_export_per_kwh
    own = replace(panel, y=_axis([bought, sold]))
    drawn = [
        own.frame(title="Prices"),
        _y(f"{day.currency}/kWh", own),
        own.steps(_edges(), bought, class_="line c-1"),
        own.steps(_edges(), sold, class_="line c-2"),
    ]
    return Markup("").join([*drawn, _legend(["bought", "sold"], ["c-1", "c-2"], panel=own)])


def _legend(names: list[str], classes: list[str], *, panel: Panel) -> Markup:
    y, x, drawn = panel.top + panel.height + 40.0, LEFT, []
    for name, class_ in zip(names, classes, strict=True):
        entry = LegendEntry(mark="line", class_=class_, label=name)
        drawn.append(el("g", entry.swatch, transform=f"translate({x:.1f} {y - 7:.1f})"))
        drawn.append(label_at(name, x=x + 35, y=y + 4))
        x += 60 + CHARACTER * len(name)
    return Markup("").join(drawn)


def _y(words: str, panel: Panel) -> Markup:
    return y_title(words, x=14, y=panel.top + panel.height / 2)


def _zero(panel: Panel) -> Markup:
    return panel.line([HOURS.low, HOURS.high], [0.0, 0.0], class_="axis")


def _axis(series: list[FloatArray]) -> Axis:
    low = min((float(one.min()) for one in series), default=0.0)
    high = max((float(one.max()) for one in series), default=1.0)
    return number_axis(min(low, 0.0), max(high, 0.0), pad=0.06)


def _edges() -> FloatArray:
    return np.arange(round(HOURS.high / DT_H) + 1, dtype=np.float64) * DT_H
