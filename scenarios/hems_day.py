"""A planned day of an interviewed home, beside what habits and timers would do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from federates.hems.adapters.interview_home import interview_home
from federates.hems.adapters.priorities import weights_of
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

METHODS: Final = {"plan": "plan", "no_control": "no control", "rule_based": "rule-based"}
LEAST_KW: Final = 0.02
"""Less counts as standing still. [kW]"""
SHORT_H: Final = 0.5
"""Pauses of a device up to this long are left unsaid. [h]"""
MANY: Final = 5
"""Stretches that are listed one by one; with more, the first ones and how many there are."""


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
    weights = weights_of(said)
    scheduler = Scheduler(settings=SolverSettings(fresh=True, tidy=True))
    plan = scheduler.plan(own, forecast, weights=weights)
    ways = {
        "plan": plan.result,
        "no_control": evaluate(own, forecast, no_control(own, forecast), weights=weights),
        "rule_based": evaluate(own, forecast, rule_based(own, forecast), weights=weights),
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
    currency = day.currency
    return [
        (f"bill, {currency}", 2, [x.bill for x in ways]),
        (f"fuel and wear, {currency}", 2, [x.device_cost for x in ways]),
        (f"owed to the next day, {currency}", 2, [x.terminal_cost + x.deferred_cost for x in ways]),
        (f"sum, {currency}", 2, [money(x) for x in ways]),
        ("outside the comfort band, K h", 1, [x.comfort_k_h for x in ways]),
        ("missing in cars, kWh", 1, [x.unmet_kwh for x in ways]),
        ("bought, kWh", 1, [DT_H * float(x.import_kw.sum()) for x in ways]),
        ("sold, kWh", 1, [DT_H * float(x.export_kw.sum()) for x in ways]),
        ("peak, kW", 1, [float(x.import_kw.max()) for x in ways]),
    ]


def money(one: Evaluation) -> float:
    """Return bill, fuel, wear and what is owed to the next day. [cur]"""
    return one.bill + one.device_cost + one.terminal_cost + one.deferred_cost


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


def _listed(values: FloatArray) -> list[float]:
    return [round(value, 6) for value in values.tolist()]
