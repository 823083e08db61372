"""A test day under one policy: what each kind of device does, and where each phase's voltage is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from markupsafe import Markup

from gradmap.baselines.registry import POLICY_PREFIX
from gradmap.feeder import FloatArray
from scenarios.benchmarks.reference_case.day_figure_data import DayPicture, day_picture
from scenarios.case import Case
from scenarios.report.figures import (
    LEFT,
    PHASE_NAMES,
    RIGHT,
    WIDTH,
    Figure,
    LegendEntry,
    limit_marks,
    panel_grid,
    voltage_axis,
)
from scenarios.report.power_charts import KIND_NAMES
from scenarios.report.svg import Axis, Panel, el, figure_svg, label_at, number_axis, y_title
from scenarios.study.compare import NamedPolicy
from scenarios.study.compare_figure import CHARACTER
from scenarios.study.method_days import SPLIT, senses_voltage

SHARES: Final = (0.1, 0.9)
"""Between these quantiles of the devices lies the band."""
HEAD, FOOT, HEIGHT, ROW_GAP = 30.0, 10.0, 190.0, 96.0
"""Of the title, below the last legend, of a panel, between rows. [px]"""
HOURS = Axis(low=0.0, high=24.0, ticks=tuple((float(h), f"{h:02d}:00") for h in range(0, 25, 6)))


@dataclass(frozen=True, kw_only=True, eq=False)
class KindDay:
    """All devices of a kind on the day. Positive power draws from the grid."""

    count: int
    low_kw: FloatArray
    """Quantile of the devices, [time]. [kW]"""
    mean_kw: FloatArray
    """[time]. [kW]"""
    high_kw: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class PolicyDay:
    """What the figure shows."""

    name: str
    picture: DayPicture
    """Its columns are no control and the policy."""
    kinds: Mapping[str, KindDay]


@torch.no_grad()
def policy_day(case: Case, policy: NamedPolicy, *, number: int) -> PolicyDay:
    """Roll out a test day under a policy and without control.

    Args:
        case: The case.
        policy: Whose day.
        number: Which test day.
    """
    controller = f"{POLICY_PREFIX}{policy.folder}"
    rollout = case.rollout(observe_voltage=senses_voltage(controller))
    days = case.days.sample(SPLIT, [number])
    fleet = rollout.fleet
    found = {
        label: rollout.run(case.controller(name, fleet=fleet), days)
        for label, name in (("No control", "no_control"), (policy.name, controller))
    }
    kinds = {}
    for group in fleet.groups:
        own = found[policy.name].p_kw[0, :, group.index].double().numpy()
        low, high = np.quantile(own, SHARES, axis=1)
        kinds[group.kind] = KindDay(
            count=own.shape[1], low_kw=low, mean_kw=own.mean(axis=1), high_kw=high
        )
    picture = day_picture(case, number=number, trajectories=found, fleet=fleet)
    return PolicyDay(name=policy.name, picture=picture, kinds=kinds)


def policy_day_figure(day: PolicyDay) -> Figure:
    """Return the figure: a panel a kind of device above, a panel a phase below."""
    picture = day.picture
    title = f"{day.name}: {picture.title}"
    above, height = panel_grid(
        rows=2, columns=len(day.kinds), x=HOURS, y=HOURS, height=HEIGHT, row_gap=ROW_GAP
    )
    phases = sorted(picture.columns[1].band_pu)
    below, _ = panel_grid(
        rows=2, columns=len(phases), x=HOURS, y=HOURS, height=HEIGHT, row_gap=ROW_GAP
    )
    cost = f"cost {picture.columns[1].cost:,.0f} {picture.currency}"
    image = figure_svg(
        label_at(title, x=LEFT, y=18, class_="title"),
        label_at(cost, x=WIDTH - RIGHT, y=18, anchor="end"),
        _devices(day, [replace(panel, top=panel.top + HEAD) for panel in above[0]]),
        _voltages(day, [replace(panel, top=panel.top + HEAD) for panel in below[1]], phases),
        width=WIDTH,
        height=height + HEAD + FOOT,
        alt=f"{title}. {_in_words(day)}",
    )
    return Figure(title=title, image=image)


def _devices(day: PolicyDay, panels: Sequence[Panel]) -> Markup:
    """Draw mean and spread of each kind; a second scale on the right gives their sum."""
    edges = _edges(day.picture)
    x = np.repeat(edges, 2)[1:-1]
    drawn: list[Markup] = []
    for panel, (kind, item) in zip(panels, day.kinds.items(), strict=True):
        low, high = float(item.low_kw.min()), float(item.high_kw.max())
        # Room for the scale on the right.
        y = number_axis(min(low, 0.0), max(high, 0.0), pad=0.06)
        own = replace(panel, width=panel.width - 34.0, y=y)
        name = f"{KIND_NAMES[kind]} ({item.count:,})"
        drawn += [
            own.frame(title=name, note="all together [MW]"),
            own.line([HOURS.low, HOURS.high], [0.0, 0.0], class_="axis"),
            own.band(x, np.repeat(item.low_kw, 2), np.repeat(item.high_kw, 2), class_="band c-1"),
            own.steps(edges, item.mean_kw, class_="line c-1"),
            _sum_scale(own, count=item.count),
        ]
    first = panels[0]
    drawn.append(y_title("Power of a device [kW]", x=14, y=first.top + first.height / 2))
    entries = (
        LegendEntry(mark="line", class_="c-1", label="mean device; on the right scale their sum"),
        LegendEntry(mark="band", class_="c-1", label="10th to 90th percentile of devices"),
    )
    drawn.append(_legend(entries, panel=first))
    return Markup("").join(drawn)


def _sum_scale(panel: Panel, *, count: int) -> Markup:
    """Return labels on the right: the same axis times the number of devices."""
    scale = count / 1e3
    axis = number_axis(panel.y.low * scale, panel.y.high * scale, count=7)
    right = panel.left + panel.width
    return Markup("").join(
        label_at(label, x=right + 5, y=float(panel.py(value / scale)) + 4)
        for value, label in axis.ticks
    )


def _voltages(day: PolicyDay, panels: Sequence[Panel], phases: Sequence[str]) -> Markup:
    """Draw each phase from its lowest to its highest node, and where it was without control."""
    picture = day.picture
    without, own = picture.columns
    bands = [*without.band_pu.values(), *own.band_pu.values()]
    y = voltage_axis(
        min(float(low.min()) for low, _ in bands),
        max(float(high.max()) for _, high in bands),
        limits=picture.limits,
    )
    x = np.repeat(_edges(picture), 2)[1:-1]
    drawn = []
    for place, phase in zip(panels, phases, strict=True):
        panel = replace(place, y=y)
        low, high = (np.repeat(edge, 2) for edge in own.band_pu[phase])
        drawn += [
            panel.frame(title=PHASE_NAMES.get(phase, phase), y_labels=place is panels[0]),
            *(
                panel.line(x, np.repeat(edge, 2), class_="line c-0 zero")
                for edge in without.band_pu[phase]
            ),
            panel.band(x, low, high, class_=f"band ph-{phase}"),
            *(panel.line(x, edge, class_=f"thin ph-{phase}") for edge in (low, high)),
            limit_marks(panel, limits=picture.limits, labels=place is panels[-1]),
        ]
    first = panels[0]
    drawn.append(y_title("Voltage [pu]", x=14, y=first.top + first.height / 2))
    entries = (
        LegendEntry(mark="band", class_="ph-1", label="lowest to highest node of the phase"),
        LegendEntry(mark="line", class_="zero", label="the same without control"),
        LegendEntry(mark="limit", class_="", label="limits"),
    )
    drawn.append(_legend(entries, panel=first))
    return Markup("").join(drawn)


def _legend(entries: Sequence[LegendEntry], *, panel: Panel) -> Markup:
    middle, x, drawn = panel.top + panel.height + 42.0, LEFT, []
    for entry in entries:
        drawn.append(el("g", entry.swatch, transform=f"translate({x:.1f} {middle - 7:.1f})"))
        drawn.append(label_at(entry.label, x=x + 35, y=middle + 4))
        x += 60 + CHARACTER * len(entry.label)
    return Markup("").join(drawn)


def _edges(picture: DayPicture) -> FloatArray:
    """Return where steps begin, and where the last one ends. [h]"""
    return np.append(picture.hour, picture.hour[-1] + picture.dt_h)


def _in_words(day: PolicyDay) -> str:
    """Return the extremes, for those who do not see the figure."""
    texts = []
    for column in day.picture.columns:
        low = min(float(low.min()) for low, _ in column.band_pu.values())
        high = max(float(high.max()) for _, high in column.band_pu.values())
        texts.append(f"{column.name}: voltages {low:.4f} to {high:.4f} pu.")
    return " ".join(texts)
