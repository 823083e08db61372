"""Power at the feeder's head, and what each kind of device does on a day."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from scenarios.report.data import STATE_KINDS, DeviceData, HeadData, Window
from scenarios.report.figures import (
    LEFT,
    RIGHT,
    WIDTH,
    Figure,
    LegendEntry,
    axis_titles,
    controller_class,
    panel_grid,
)
from scenarios.report.svg import Axis, Panel, el, figure_svg, label_at, number_axis, y_title
from scenarios.report.time_axis import moment_text, period_text, time_axis
from scenarios.report.voltage_charts import controller_legend, duration_curve
from scenarios.results import Run

KIND_NAMES = {
    "battery": "Batteries",
    "heat_pump": "Heat pumps",
    "generator": "Generators",
    "ev_charger": "EV chargers",
}
STATE_TITLES = {
    "battery": "State of charge [%]",
    "heat_pump": "Indoor temperature [°C]",
    "ev_charger": "State of charge [%]",
}
CONTROLLERS_A_FIGURE = 4
PRICE_OPACITY = 0.22  # of the highest price; the lowest is not shaded


def head_over_time(
    run: Run, data: Mapping[str, HeadData], *, names: Mapping[str, str], period: Window
) -> Figure:
    """Draw the head power of all controllers with the import price behind and below."""
    inside = {c: period.holds(item.time_s) for c, item in data.items()}
    values = np.concatenate([[0.0], *(item.p_kw[inside[c]] for c, item in data.items())])
    x = time_axis(run, start_s=period.start_s, stop_s=period.stop_s)
    y = number_axis(float(np.fmin.reduce(values)), float(np.fmax.reduce(values)), pad=0.06)
    main = Panel(left=LEFT, top=24, width=WIDTH - LEFT - RIGHT, height=270, x=x, y=y)
    edges, price = price_steps(run, period)
    drawn = [_price_shade(main, edges, price), main.frame(x_labels=False)]
    if y.low < 0 < y.high:
        drawn.append(main.line([x.low, x.high], [0, 0], class_="zero"))
    for position, (controller, item) in enumerate(data.items()):
        style = controller_class(position)
        time_s, p_kw = item.time_s[inside[controller]], item.p_kw[inside[controller]]
        drawn.append(main.line(time_s, p_kw, class_=f"line {style}"))
        if np.isfinite(p_kw).any():
            top = int(np.nanargmax(p_kw))
            tip = f"{names[controller]}: {p_kw[top]:,.0f} kW, {moment_text(run, time_s[top])}"
            drawn.append(main.dots([time_s[top]], [p_kw[top]], class_=f"dot {style}", tips=[tip]))
    strip = Panel(left=LEFT, top=324, width=main.width, height=56, x=x, y=_price_axis(price))
    drawn += [
        strip.frame(title=f"Import price [{run.scenario.tariff.currency}/kWh]"),
        strip.steps(edges, price, class_="line ink"),
        y_title("Power into the feeder [kW]", x=14, y=159),
        label_at("Local time", x=LEFT + main.width / 2, y=418, anchor="middle"),
    ]
    days = period_text(run, start_s=period.start_s, stop_s=period.stop_s)
    return Figure(
        title="Over time",
        image=figure_svg(*drawn, width=WIDTH, height=424, alt=_head_alt(run, data, names)),
        legend=(
            *controller_legend({c: _peak_text(run, data, c, names[c]) for c in names}),
            LegendEntry(mark="dot", class_="ink", label="peak shown"),
            LegendEntry(mark="box", class_="price", label="darker: higher import price"),
        ),
        caption=f"Sum of the phases. {days}. Negative power flows back into the grid above.",
    )


def _price_axis(price: NDArray[np.float64]) -> Axis:
    """Return an axis whose ticks are the prices themselves if few, else their range."""
    distinct = np.unique(price)
    shown = distinct if len(distinct) <= 3 else distinct[[0, -1]]
    low, high = min(0.0, float(distinct[0])), float(distinct[-1])
    room = 0.1 * (high - low or 1.0)
    ticks = tuple((float(value), f"{value:.2f}".replace("-", "\u2212")) for value in shown)
    return Axis(low=low, high=high + room, ticks=ticks)


def price_steps(run: Run, period: Window) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the import price of the period as stretches: edges [s] and prices between them."""
    blocks = list(run.input_blocks("environment", start_s=period.start_s, stop_s=period.stop_s))
    time_s = np.concatenate([block.time_s for block in blocks])
    price = np.concatenate(
        [block.values[:, block.ids.index("price_import_per_kwh")] for block in blocks]
    )
    starts = np.flatnonzero(np.concatenate([[True], np.diff(price) != 0]))
    return np.append(time_s[starts], time_s[-1] + run.dt_h * 3600), price[starts]


def head_duration(data: Mapping[str, HeadData], *, names: Mapping[str, str]) -> Figure:
    """Draw the head power of all controllers, sorted over all steps of a long run."""
    values = np.concatenate([[0.0], *(item.p_kw for item in data.values())])
    y = number_axis(float(np.fmin.reduce(values)), float(np.fmax.reduce(values)), pad=0.06)
    grid, height = panel_grid(rows=1, columns=1, x=number_axis(0, 100), y=y, height=230)
    panel = grid[0][0]
    drawn = [panel.frame()]
    for position, item in enumerate(data.values()):
        share, sorted_kw = duration_curve(item.p_kw)
        drawn.append(panel.line(share, sorted_kw, class_=f"line {controller_class(position)}"))
    titles = axis_titles(
        grid, x="Share of the time [%]", y="Power into the feeder [kW]", height=height
    )
    return Figure(
        title="Load duration curve",
        image=figure_svg(
            *drawn, titles, width=WIDTH, height=height,
            alt="Power into the feeder sorted from high to low over the run, by controller.",
        ),
        legend=controller_legend(names),
        caption="All steps of the run, sorted from high to low.",
    )  # fmt: skip


def device_day(
    run: Run,
    data: Mapping[str, DeviceData],
    *,
    kind: str,
    names: Mapping[str, str],
    day: Window,
) -> list[Figure]:
    """Draw power and state of a kind of device on one day, a column a controller."""
    count = len(run.devices[kind])
    title = f"{KIND_NAMES.get(kind, kind)} ({count:,})"
    date = period_text(run, start_s=day.start_s, stop_s=day.stop_s)
    figures = []
    chosen = iter(data.items())
    while part := dict(islice(chosen, CONTROLLERS_A_FIGURE)):
        power, power_height = _percentile_row(
            run, {c: item.p_kw for c, item in part.items()}, every=[i.p_kw for i in data.values()],
            times={c: item.time_s for c, item in part.items()},
            names=names, y_name="Power [kW]", day=day, zero=True,
        )  # fmt: skip
        rows, height = [power], power_height
        if kind in STATE_KINDS and all(item.state is not None for item in data.values()):
            scale = 1.0 if kind == "heat_pump" else 100.0
            state, state_height = _percentile_row(
                run, {c: scale * _known(item.state) for c, item in part.items()},
                every=[scale * _known(item.state) for item in data.values()],
                times={c: item.time_s for c, item in part.items()},
                names=names, y_name=STATE_TITLES[kind], day=day, marks=_comfort_marks(run, kind),
            )  # fmt: skip
            rows.append(el("g", state, transform=f"translate(0 {height:.1f})"))
            height += state_height
        figures.append(
            Figure(
                title=title,
                image=figure_svg(
                    *rows, width=WIDTH, height=height,
                    alt=f"{title}: median and 10th to 90th percentile over the devices, {date}, "
                    f"by controller: {', '.join(names[c] for c in part)}.",
                ),
                legend=_device_legend(kind),
                caption=f"{date}. Positive power draws from the grid.",
            )
        )  # fmt: skip
    return figures


def _percentile_row(
    run: Run,
    values: Mapping[str, NDArray[np.float64]],
    *,
    every: list[NDArray[np.float64]],
    times: Mapping[str, NDArray[np.float64]],
    names: Mapping[str, str],
    y_name: str,
    day: Window,
    marks: tuple[float, ...] = (),
    zero: bool = False,
) -> tuple[Markup, float]:
    """Draw a row of panels with median and band; axes are those of all controllers."""
    pool = np.concatenate([*(item.ravel() for item in every), marks, [0.0] if zero else []])
    y = number_axis(float(np.fmin.reduce(pool)), float(np.fmax.reduce(pool)), count=4, pad=0.08)
    x = time_axis(run, start_s=day.start_s, stop_s=day.stop_s, narrow=True)
    grid, height = panel_grid(rows=1, columns=len(values), x=x, y=y, height=130)
    drawn: list[Markup] = []
    for column, (controller, percentiles) in enumerate(values.items()):
        panel = grid[0][column]
        low, median, high = percentiles.T
        style = controller_class(list(names).index(controller))
        drawn.append(panel.frame(title=names[controller], y_labels=column == 0))
        drawn += [panel.line([x.low, x.high], [mark, mark], class_="zero") for mark in marks]
        if zero and y.low < 0 < y.high:
            drawn.append(panel.line([x.low, x.high], [0, 0], class_="zero"))
        drawn.append(panel.band(times[controller], low, high, class_=f"band {style}"))
        drawn.append(panel.line(times[controller], median, class_=f"line {style}"))
    drawn.append(axis_titles(grid, x="Local time", y=y_name, height=height))
    return Markup("").join(drawn), height


def _comfort_marks(run: Run, kind: str) -> tuple[float, ...]:
    """Return the median comfort band of heat pump homes. [degC]."""
    if kind != "heat_pump":
        return ()
    homes: pd.DataFrame = run.devices[kind]
    return float(homes["temp_min_c"].median()), float(homes["temp_max_c"].median())


def _device_legend(kind: str) -> tuple[LegendEntry, ...]:
    """Return the legend of a device figure."""
    entries = [
        LegendEntry(mark="line", class_="ink", label="median device"),
        LegendEntry(mark="band", class_="ink", label="10th to 90th percentile"),
    ]
    if kind == "heat_pump":
        entries.append(LegendEntry(mark="line", class_="zero", label="comfort band (median home)"))
    return tuple(entries)


def _peak_text(run: Run, data: Mapping[str, HeadData], controller: str, name: str) -> str:
    """Return the name of a controller with its peak of the whole run."""
    item = data.get(controller)
    if item is None or not np.isfinite(item.p_kw).any():
        return name
    top = int(np.nanargmax(item.p_kw))
    when = moment_text(run, float(item.time_s[top]))
    return f"{name} (peak of the run {item.p_kw[top]:,.0f} kW, {when})"


def _known(state: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return a state that the caller has checked to exist."""
    return np.empty((0, 3)) if state is None else state


def _price_shade(panel: Panel, edges: NDArray[np.float64], price: NDArray[np.float64]) -> Markup:
    """Shade the stretches of higher prices."""
    span = float(np.ptp(price))
    if span <= 0:
        return Markup("")
    opacity = PRICE_OPACITY * (price - price.min()) / span
    return Markup("").join(
        panel.area(
            x=(float(edges[i]), float(edges[i + 1])), class_="price", opacity=float(opacity[i])
        )
        for i in range(len(price))
        if opacity[i] > 0
    )


def _head_alt(run: Run, data: Mapping[str, HeadData], names: Mapping[str, str]) -> str:
    """Say peak and lowest power of every controller."""
    parts = [
        f"{names[c]}: peak {np.fmax.reduce(item.p_kw):,.0f} kW, lowest "
        f"{np.fmin.reduce(item.p_kw):,.0f} kW."
        for c, item in data.items()
    ]
    return f"Power into the feeder over time, {run.scenario.name}. " + " ".join(parts)
