"""Voltage against distance, over time, and as a duration curve."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from scenarios.metrics.voltage_points import PHASES, bus_of, phase_of
from scenarios.report.data import VoltageData, Window
from scenarios.report.figures import (
    LEG_NAMES,
    PHASE_NAMES,
    Figure,
    LegendEntry,
    axis_titles,
    controller_class,
    limit_marks,
    panel_grid,
    voltage_axis,
)
from scenarios.report.layout import distances
from scenarios.report.svg import Axis, Panel, figure_svg, number_axis
from scenarios.report.time_axis import moment_text, period_text, time_axis
from scenarios.results import Run

MAX_TOOLTIPS = 4_000  # dots of one figure that carry a tooltip; more make the file slow to open
DURATION_POINTS = 400


def shared_voltage_axis(run: Run, data: Mapping[str, VoltageData]) -> Axis:
    """Return the one voltage axis of every chart and controller of a report."""
    low = min(float(np.fmin.reduce(item.min_pu)) for item in data.values())
    high = max(float(np.fmax.reduce(item.max_pu)) for item in data.values())
    return voltage_axis(low, high, limits=run.scenario.limits)


def voltage_profile(
    run: Run, data: Mapping[str, VoltageData], *, names: Mapping[str, str], y: Axis
) -> Figure:
    """Draw voltage against distance: a row a controller, a column a phase."""
    km, x_title = distances(run.feeder)
    x = number_axis(0, float(np.fmax.reduce(list(km.values()))), pad=0.02)
    grid, height = panel_grid(rows=len(data), columns=len(PHASES), x=x, y=y, height=210)
    drawn: list[Markup] = []
    for row, (controller, item) in enumerate(data.items()):
        for column, phase in enumerate(PHASES):
            panel = grid[row][column]
            drawn += [
                limit_marks(panel, limits=run.scenario.limits, labels=column == len(PHASES) - 1),
                panel.frame(
                    title=f"{names[controller]}, {panel_name(item, phase)}",
                    x_labels=row == len(data) - 1,
                    y_labels=column == 0,
                ),
                _profile_marks(run, panel, item, phase=phase, km=km,
                               tips=len(item.ids) * len(data) <= MAX_TOOLTIPS),
            ]  # fmt: skip
    drawn.append(axis_titles(grid, x=x_title, y="Voltage [pu]", height=height))
    worst = [f"{names[c]}: {moment_text(run, item.worst_s)}" for c, item in data.items()]
    return Figure(
        title="Voltage against distance from the source",
        image=figure_svg(
            *drawn, width=1080, height=height,
            alt=f"Voltage of every {_noun(data)} against its distance from the source, by phase "
            f"and controller, with the limits. {_range_text(data, names)}",
        ),
        legend=(
            LegendEntry(
                mark="dot", class_="ink", label=f"{_noun(data)} at the controller's worst step"
            ),
            LegendEntry(mark="whisker", class_="ink", label="lowest to highest of the run"),
            LegendEntry(mark="limit", class_="", label="voltage limits"),
        ),
        caption="Worst step (voltage furthest outside, or nearest to, a limit): "
        + "; ".join(worst)
        + ".",
    )  # fmt: skip


def _profile_marks(
    run: Run,
    panel: Panel,
    item: VoltageData,
    *,
    phase: str,
    km: Mapping[str, float],
    tips: bool,
) -> Markup:
    """Draw whiskers, branches and dots of one phase."""
    chosen = [i for i, point in enumerate(item.ids) if phase_of(point) == phase]
    position = {bus_of(item.ids[i]): i for i in chosen}
    x_km = np.array([km.get(bus_of(point), np.nan) for point in item.ids])
    ends = [
        (position[b["bus1"]], position[b["bus2"]])
        for b in run.feeder["branches"]
        if b["bus1"] in position
        and b["bus2"] in position
        and not item.points.across_connections  # too few neighbours have loads
    ]
    first, second = np.array(ends, dtype=np.intp).reshape(-1, 2).T
    low, high, at_worst = item.min_pu, item.max_pu, item.worst_pu
    texts = [
        f"{item.ids[i]}: {at_worst[i]:.4f} pu at the worst step, {low[i]:.4f} to "
        f"{high[i]:.4f} pu over the run, {x_km[i]:.2f} km"
        for i in chosen
    ]
    return Markup("").join(
        [
            panel.segments(
                (x_km[chosen], x_km[chosen]), (low[chosen], high[chosen]),
                class_=f"whisker ph-{phase}",
            ),
            panel.segments(
                (x_km[first], x_km[second]), (at_worst[first], at_worst[second]),
                class_=f"thin ph-{phase}",
            ),
            panel.dots(
                x_km[chosen], at_worst[chosen], class_=f"dot ph-{phase}",
                tips=texts if tips else (),
            ),
        ]
    )  # fmt: skip


def voltage_over_time(
    run: Run,
    data: Mapping[str, VoltageData],
    *,
    names: Mapping[str, str],
    y: Axis,
    period: Window,
) -> Figure:
    """Draw lowest, median and highest point over time: a row a controller, a column a phase."""
    x = time_axis(run, start_s=period.start_s, stop_s=period.stop_s, narrow=True)
    grid, height = panel_grid(rows=len(data), columns=len(PHASES), x=x, y=y, height=170)
    drawn: list[Markup] = []
    for row, (controller, item) in enumerate(data.items()):
        shown = period.holds(item.time_s)
        for column, phase in enumerate(PHASES):
            panel = grid[row][column]
            low, median, high = item.phase_pu[phase][shown].T
            time_s = item.time_s[shown]
            drawn += [
                limit_marks(panel, limits=run.scenario.limits, labels=column == len(PHASES) - 1),
                panel.frame(
                    title=f"{names[controller]}, {panel_name(item, phase)}",
                    x_labels=row == len(data) - 1,
                    y_labels=column == 0,
                ),
                panel.band(time_s, low, high, class_=f"band ph-{phase}"),
                panel.line(time_s, median, class_=f"line ph-{phase}"),
            ]
    drawn.append(axis_titles(grid, x="Local time", y="Voltage [pu]", height=height))
    days = period_text(run, start_s=period.start_s, stop_s=period.stop_s)
    return Figure(
        title="Over time",
        image=figure_svg(
            *drawn, width=1080, height=height,
            alt=f"Lowest, median and highest {_noun(data)} voltage of each phase, {days}. "
            f"{_range_text(data, names)}",
        ),
        legend=(
            LegendEntry(mark="band", class_="ink", label=f"lowest to highest {_noun(data)}"),
            LegendEntry(mark="line", class_="ink", label=f"median {_noun(data)}"),
            LegendEntry(mark="limit", class_="", label="voltage limits"),
        ),
        caption=f"{days}.",
    )  # fmt: skip


def voltage_duration(
    run: Run, data: Mapping[str, VoltageData], *, names: Mapping[str, str], y: Axis
) -> Figure:
    """Draw the lowest and the highest voltage, each sorted over all steps of a long run."""
    x = number_axis(0, 100)
    grid, height = panel_grid(rows=1, columns=2, x=x, y=y, height=230)
    drawn: list[Markup] = []
    for column, title in enumerate(("Highest", "Lowest")):
        panel = grid[0][column]
        drawn.append(limit_marks(panel, limits=run.scenario.limits, labels=column == 1))
        drawn.append(panel.frame(title=f"{title} {_noun(data)} of each step", y_labels=column == 0))
        for position, item in enumerate(data.values()):
            phases = list(item.phase_pu.values())
            value = (
                np.fmax.reduce([v[:, 2] for v in phases])
                if column == 0
                else np.fmin.reduce([v[:, 0] for v in phases])
            )
            share, sorted_pu = duration_curve(value)
            drawn.append(panel.line(share, sorted_pu, class_=f"line {controller_class(position)}"))
    drawn.append(axis_titles(grid, x="Share of the time [%]", y="Voltage [pu]", height=height))
    return Figure(
        title="Voltage duration curves",
        image=figure_svg(
            *drawn, width=1080, height=height,
            alt=f"Highest and lowest {_noun(data)} voltage sorted over the run. "
            f"{_range_text(data, names)}",
        ),
        legend=(
            *controller_legend(names),
            LegendEntry(mark="limit", class_="", label="voltage limits"),
        ),
        caption="All steps of the run, sorted from high to low.",
    )  # fmt: skip


def duration_curve(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return shares of time [%] and the values exceeded for that share, thinned for drawing."""
    present = np.sort(values[np.isfinite(values)])[::-1]
    if present.size == 0:
        return np.empty(0), np.empty(0)
    share = np.linspace(0, 1, min(DURATION_POINTS, present.size))
    rank = np.rint(share * (present.size - 1)).astype(np.intp)
    return 100 * share, present[rank]


def controller_legend(names: Mapping[str, str]) -> tuple[LegendEntry, ...]:
    """Return a line sample for every controller."""
    return tuple(
        LegendEntry(mark="line", class_=controller_class(i), label=name)
        for i, name in enumerate(names.values())
    )


def panel_name(item: VoltageData, phase: str) -> str:
    """Return what the panel of a phase shows: the phase, a leg of load connections, or both."""
    if not item.points.across_connections:
        return PHASE_NAMES[phase]
    names = {
        (LEG_NAMES if i.count(".") == 2 else PHASE_NAMES)[phase]
        for i in item.ids
        if phase_of(i) == phase
    }
    return " and ".join(sorted(names)) or LEG_NAMES[phase]


def _noun(data: Mapping[str, VoltageData]) -> str:
    """Return what the points of a chart are called."""
    return next(iter(data.values())).points.noun


def _range_text(data: Mapping[str, VoltageData], names: Mapping[str, str]) -> str:
    """Return the voltage range of every controller in words."""
    return " ".join(
        f"{names[c]}: {np.fmin.reduce(item.min_pu):.4f} to {np.fmax.reduce(item.max_pu):.4f} pu."
        for c, item in data.items()
    )
