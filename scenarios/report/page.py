"""Put tables and charts together into one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from federates.controllers import HEMS, short_name
from scenarios.metrics import METRICS, Summary, summarise
from scenarios.report.data import (
    WEEK_DAYS,
    device_data,
    focus_windows,
    head_data,
    voltage_data,
)
from scenarios.report.facts import facts, limitations, load_model, voltage_note
from scenarios.report.figures import Figure
from scenarios.report.health import Verdict, health_rows, verdict
from scenarios.report.interviewed import interviewed_tables
from scenarios.report.map_chart import feeder_map
from scenarios.report.power_charts import device_day, head_duration, head_over_time
from scenarios.report.rendering import render_page
from scenarios.report.svg import clean
from scenarios.report.tables import Row, loading_rows, summary_rows
from scenarios.report.time_axis import period_text
from scenarios.report.voltage_charts import (
    shared_voltage_axis,
    voltage_duration,
    voltage_over_time,
    voltage_profile,
)
from scenarios.report.words import in_words
from scenarios.results import Run

NAMES: Final = {HEMS: "energy managers"}
"""Controllers whose name says little."""
T = TypeVar("T")


def write_report(run: Run, path: Path, *, summaries: Mapping[str, Summary] | None = None) -> None:
    """Write the report of a run: one HTML file that needs no network and no other file.

    Args:
        run: The run, finished or interrupted.
        path: Where to write.
        summaries: Metrics by controller if already computed.
    """
    if summaries is None:
        summaries = {controller: summarise(run, controller) for controller in run.controllers}
    page = render_page("report.html.j2", _content(run, summaries))
    path.write_text(page, encoding="utf-8")


def display_names(run: Run) -> dict[str, str]:
    """Return the names of the controllers as shown: `no_control` reads No control.

    Learned policies are called by the name of their folder, wherever it lies.
    """
    names = {}
    for controller in run.controllers:
        recorded = str(run.run_info(controller).get("controller", controller))
        words = NAMES.get(recorded) or clean(short_name(recorded)).replace("_", " ")
        names[controller] = words[:1].upper() + words[1:]
    return names


def _content(run: Run, summaries: Mapping[str, Summary]) -> dict[str, Any]:
    """Gather everything the template shows."""
    names = display_names(run)
    controllers = run.controllers
    verdicts = [verdict(run, c, name=names[c]) for c in controllers]
    comparable = len({summary.hours for summary in summaries.values()}) == 1
    time = run.scenario.time
    loadings: list[Row] = loading_rows(run, controllers)
    return {
        "title": run.scenario.name.replace("_", " "),
        "description": clean(run.scenario.description),
        "period": period_text(run, start_s=0, stop_s=time.n_steps * time.dt_s),
        "scenario": run.scenario,
        "names": [names[c] for c in controllers],
        "verdicts": verdicts,
        "worst_level": _worst_level(verdicts),
        "health": health_rows(run, controllers),
        "summary": summary_rows(
            summaries, currency=run.scenario.tariff.currency, comparable=comparable
        ),
        "comparable": comparable,
        "words": in_words(run, summaries, names=names) if comparable else (),
        "interviewed": interviewed_tables(run, controllers),
        "loadings": loadings,
        "sections": _chart_sections(run, names),
        "facts": facts(run),
        "load_model": load_model(run),
        "limitations": limitations(run),
        "voltage_note": voltage_note(run),
        "metrics": METRICS.values(),
        "currency": run.scenario.tariff.currency,
    }


def _chart_sections(run: Run, names: Mapping[str, str]) -> dict[str, list[Figure]]:
    """Draw all charts, by the section they stand in; sections without data stay empty."""
    voltages = _present({c: voltage_data(run, c) for c in names})
    heads = _present({c: head_data(run, c) for c in names})
    worst_s = next(iter(voltages.values())).worst_s if voltages else 0.0
    period, day = focus_windows(run, worst_s=worst_s)
    long_run = run.scenario.time.days > WEEK_DAYS
    sections: dict[str, list[Figure]] = {
        "profile": [], "map": [], "head": [], "voltage": [], "devices": [],
    }  # fmt: skip
    if voltages:
        y = shared_voltage_axis(run, voltages)
        sections["profile"].append(voltage_profile(run, voltages, names=names, y=y))
        sections["map"].append(feeder_map(run, voltages, names=names))
        sections["voltage"].append(
            voltage_over_time(run, voltages, names=names, y=y, period=period)
        )
        if long_run:
            sections["voltage"].append(voltage_duration(run, voltages, names=names, y=y))
    if heads:
        sections["head"].append(head_over_time(run, heads, names=names, period=period))
        if long_run:
            sections["head"].append(head_duration(heads, names=names))
    for kind in run.devices:
        data = _present({c: device_data(run, c, kind=kind, day=day) for c in names})
        if data:
            sections["devices"] += device_day(run, data, kind=kind, names=names, day=day)
    return sections


def _present(data: Mapping[str, T | None]) -> dict[str, T]:
    """Leave out controllers without data."""
    return {controller: item for controller, item in data.items() if item is not None}


def _worst_level(verdicts: list[Verdict]) -> str:
    """Return the level of the worst verdict; a run without controllers is bad."""
    levels = [item.level for item in verdicts]
    return (
        next((level for level in ("bad", "attention") if level in levels), "good")
        if levels
        else "bad"
    )
