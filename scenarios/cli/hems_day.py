"""A planned day of an interviewed home: what is printed and drawn of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from federates.hems.adapters.interview_home import interview_home
from federates.hems.evaluation.typical_day import DT_H, day_ahead
from federates.hems.optimiser.checks import FloatArray
from federates.hems.optimiser.conflicts import find_conflicts
from federates.hems.optimiser.evaluate import Evaluation, evaluate
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import PV, Home
from federates.hems.optimiser.planner import Scheduler
from federates.hems.optimiser.rules import no_control, rule_based
from federates.hems.optimiser.schedule import Schedule
from federates.hems.optimiser.solver import SolverSettings
from federates.hems.parameters.home_file import HomeFile
from scenarios.cli.hems_figures import write_svg
from scenarios.report.figures import (
    LEFT,
    WIDTH,
    Figure,
    LegendEntry,
    controller_class,
    panel_grid,
)
from scenarios.report.svg import Axis, Panel, el, figure_svg, label_at, number_axis, y_title

METHODS: Final = {"plan": "plan", "no_control": "no control", "rule_based": "rule-based"}
HOURS: Final = Axis(
    low=0.0, high=24.0, ticks=tuple((float(h), f"{h:02d}:00") for h in range(0, 25, 6))
)
LEAST_KW: Final = 0.02
"""Less counts as standing still. [kW]"""
SHORT_H: Final = 0.5
"""Pauses of a device up to this long are left unsaid. [h]"""
MANY: Final = 5
"""Stretches that are listed one by one; with more, the first ones and how many there are."""
HEIGHT, GAP, HEAD = 150.0, 84.0, 26.0
CHARACTER: Final = 6.8


@dataclass(frozen=True, kw_only=True)
class PlannedDay:
    """A day's plan with what habits and timers would do."""

    title: str
    currency: str
    home: Home
    forecast: Forecast
    plan: Schedule
    ways: dict[str, Evaluation]
    """By the names of `METHODS`."""
    conflicts: tuple[str, ...]
    """Wishes that the plan could not keep, in words."""
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DeviceLine:
    """What a device does, in words."""

    name: str
    energy_kwh: float
    """Drawn less given back. [kWh]"""
    when: str


def planned_day(home: HomeFile, day: date) -> PlannedDay:
    """Return the plan of a day.

    Args:
        home: The interviewed home.
        day: Which day.

    Raises:
        MissingExtraError: highspy is not installed.
    """
    said = home.parameters
    own, forecast = interview_home(said, day_ahead(said, day))
    plan = Scheduler(settings=SolverSettings(fresh=True)).plan(own, forecast)
    ways = {
        "plan": plan.result,
        "no_control": evaluate(own, forecast, no_control(own, forecast)),
        "rule_based": evaluate(own, forecast, rule_based(own, forecast)),
    }
    never = ", ".join(name.replace("_", " ") for name in said.flexibility.never_touch)
    return PlannedDay(
        title=f"{day.strftime('%a')} {day.day} {day.strftime('%b %Y')}",
        currency=said.currency,
        home=own,
        forecast=forecast,
        plan=plan,
        ways=ways,
        conflicts=tuple(one.text for one in find_conflicts(own, forecast, plan.result)),
        notes=(f"Not planned, as was asked: {never}.",) if never else (),
    )


def device_lines(day: PlannedDay) -> list[DeviceLine]:
    """Return a line for each device, and for what nobody controls."""
    lines = []
    for name in day.home.names:
        p_kw = day.plan.result.p_kw[name]
        lines.append(
            DeviceLine(
                name=name,
                energy_kwh=DT_H * float(p_kw.sum()),
                when=_when(p_kw, day.forecast, gives=name in _givers(day.home)),
            )
        )
    base_kw = day.forecast.base_load_kw
    rest = DeviceLine(name="everything else", energy_kwh=DT_H * float(base_kw.sum()), when="-")
    return [*lines, rest]


def way_costs(day: PlannedDay) -> list[tuple[str, int, list[float]]]:
    """Return rows of label, decimals and the values of each way."""
    ways = [day.ways[name] for name in METHODS]
    money = day.currency
    return [
        (f"bill, {money}", 2, [x.bill for x in ways]),
        (f"fuel and wear, {money}", 2, [x.device_cost for x in ways]),
        (f"owed to the next day, {money}", 2, [x.terminal_cost + x.deferred_cost for x in ways]),
        (f"sum, {money}", 2, [_money(x) for x in ways]),
        ("outside the comfort band, K h", 1, [x.comfort_k_h for x in ways]),
        ("missing in cars, kWh", 1, [x.unmet_kwh for x in ways]),
        ("bought, kWh", 1, [DT_H * float(x.import_kw.sum()) for x in ways]),
        ("sold, kWh", 1, [DT_H * float(x.export_kw.sum()) for x in ways]),
        ("peak, kW", 1, [float(x.import_kw.max()) for x in ways]),
    ]


def day_document(day: PlannedDay) -> dict[str, Any]:
    """Return the day as plain values, powers and states by step."""
    ways = {
        name: {
            "bill": one.bill,
            "device_cost": one.device_cost,
            "terminal_cost": one.terminal_cost,
            "deferred_cost": one.deferred_cost,
            "comfort_k_h": one.comfort_k_h,
            "ev_short_kwh": one.unmet_kwh,
            "peak_kw": float(one.import_kw.max()),
            "net_kw": _listed(one.net_kw),
            "p_kw": {device: _listed(p_kw) for device, p_kw in one.p_kw.items()},
            "states": {device: _listed(state) for device, state in one.states.items()},
        }
        for name, one in day.ways.items()
    }
    return {
        "day": day.title,
        "dt_h": DT_H,
        "currency": day.currency,
        "source": day.plan.source,
        "conflicts": list(day.conflicts),
        "notes": list(day.notes),
        "price_import_per_kwh": _listed(day.forecast.price_import_per_kwh),
        "temp_out_c": _listed(day.forecast.temp_out_c),
        "base_load_kw": _listed(day.forecast.base_load_kw),
        "ways": ways,
    }


def write_day(day: PlannedDay, path: Path) -> Path:
    """Draw the day into an SVG file and return its path."""
    return write_svg(day_figure(day), path)


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
        f"{label}, {_money(day.ways[name]):.2f} {day.currency}" for name, label in METHODS.items()
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


def _givers(home: Home) -> set[str]:
    """Return the devices that only give."""
    return {PV, *(one.name for one in home.generators)}


def _when(p_kw: FloatArray, forecast: Forecast, *, gives: bool) -> str:
    """Return when a device draws, and when it gives, with its mean power."""
    parts = []
    for sign, word in ((1.0, ""), (-1.0, "" if gives else "gives ")):
        own = np.maximum(sign * p_kw, 0.0)
        spans = _spans(own > LEAST_KW)
        shown = [
            f"{word}{forecast.clock(a)}-{_end(forecast, b)} {own[a:b].mean():.1f} kW"
            for a, b in spans[:MANY]
        ]
        more = f"and {len(spans) - MANY} more" if len(spans) > MANY else ""
        parts += [*shown, *([more] if more else [])]
    return ", ".join(parts) or "not used"


def _end(forecast: Forecast, step: int) -> str:
    return "24:00" if step == forecast.n_steps else forecast.clock(step)


def _spans(on: np.ndarray) -> list[tuple[int, int]]:
    """Return stretches of steps, short pauses bridged."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(np.int8), [0]])))
    found: list[tuple[int, int]] = []
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if found and (start - found[-1][1]) * DT_H <= SHORT_H:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((start, stop))
    return found


def _money(one: Evaluation) -> float:
    return one.bill + one.device_cost + one.terminal_cost + one.deferred_cost


def _listed(values: FloatArray) -> list[float]:
    return [round(value, 6) for value in values.tolist()]
