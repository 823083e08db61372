"""The feeder map: every bus in the colour of its worst voltage, one scale for all controllers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from scenarios.report.data import VoltageData
from scenarios.report.figures import WIDTH, Figure, LegendEntry
from scenarios.report.layout import bus_positions, feeding_tree, positions_by_bus
from scenarios.report.svg import el, figure_svg, label_at
from scenarios.results import Run
from scenarios.schema import LimitSettings

MARGIN = 18.0
TITLE_HEIGHT = 30.0
# Edges of the colours on each side of 1 pu, as shares of the distance to the limit: the third is
# the limit itself, so colour changes where a violation begins.
EDGE_SHARES = (0.3, 0.6, 1.0, 1.5)


def colour_edges(limits: LimitSettings) -> NDArray[np.float64]:
    """Return the voltages between which the nine colours change. [pu]."""
    down = [1 - share * (1 - limits.v_min_pu) for share in reversed(EDGE_SHARES)]
    up = [1 + share * (limits.v_max_pu - 1) for share in EDGE_SHARES]
    return np.array(down + up)


def worst_voltage(
    item: VoltageData, points: list[int], *, limits: LimitSettings
) -> tuple[float, str]:
    """Return the voltage of a bus furthest outside, or nearest to, a limit, and its id."""
    low = min(points, key=lambda i: np.nan_to_num(item.min_pu[i], nan=np.inf))
    high = max(points, key=lambda i: np.nan_to_num(item.max_pu[i], nan=-np.inf))
    v_low, v_high = float(item.min_pu[low]), float(item.max_pu[high])
    if limits.v_min_pu - v_low >= v_high - limits.v_max_pu:
        return v_low, item.ids[low]
    return v_high, item.ids[high]


def feeder_map(run: Run, data: Mapping[str, VoltageData], *, names: Mapping[str, str]) -> Figure:
    """Draw a map for every controller, two in a row."""
    positions, geographic = bus_positions(run.feeder)
    columns = min(2, len(data))
    size = WIDTH / columns
    pixels, map_height = _to_pixels(positions, width=size - 2 * MARGIN, stretch=not geographic)
    step = map_height + TITLE_HEIGHT + 2 * MARGIN
    drawn = []
    for place, (controller, item) in enumerate(data.items()):
        left, top = (place % columns) * size + MARGIN, (place // columns) * step + TITLE_HEIGHT
        body = _one_map(run, item, pixels=pixels)
        title = label_at(names[controller], x=0, y=-12, class_="title")
        drawn.append(el("g", title, body, transform=f"translate({left:.1f} {top + 8:.1f})"))
    layout = (
        "Coordinates of the feeder."
        if geographic
        else "No coordinates in the feeder: a tree, with the distance from the source to the right."
    )
    across = any(item.points.across_connections for item in data.values())
    over = "load connections" if across else "phases"
    return Figure(
        title="Worst voltage of every bus",
        image=figure_svg(
            *drawn, width=WIDTH, height=step * -(-len(data) // columns),
            alt=_map_alt(run, data, names),
        ),
        legend=_legend(run.scenario.limits),
        caption=f"{layout} Colour: the voltage of the run furthest outside, or nearest to, a "
        f"limit, over the {over} of the bus. Thick lines have three phases.",
    )  # fmt: skip


def _one_map(run: Run, item: VoltageData, *, pixels: Mapping[str, tuple[float, float]]) -> Markup:
    """Draw branches, then buses with tooltips, violations last so that nothing hides them."""
    limits = run.scenario.limits
    edges = colour_edges(limits)
    lines = [_branch_line(branch, pixels=pixels) for branch in run.feeder["branches"]]
    shown = positions_by_bus(item.ids)
    inside: list[Markup] = []
    outside: list[Markup] = []
    for bus, (x, y) in pixels.items():
        if bus not in shown or np.isnan(item.min_pu[shown[bus]]).all():
            tip = el("title", f"{bus}: {_why_not_judged(item)}")
            inside.append(el("circle", tip, cx=x, cy=y, r=2.5, class_="bus left-out"))
            continue
        v_pu, point = worst_voltage(item, shown[bus], limits=limits)
        violated = not limits.v_min_pu <= v_pu <= limits.v_max_pu
        colour = int(np.searchsorted(edges, v_pu, side="right" if v_pu > 1 else "left"))
        low = np.fmin.reduce(item.min_pu[shown[bus]])
        high = np.fmax.reduce(item.max_pu[shown[bus]])
        tip = el("title", f"{bus}: {low:.4f} to {high:.4f} pu, worst at {point}")
        mark = f"bus v-{colour}" + (" violated" if violated else "")
        radius = 5.5 if violated else 3.8
        (outside if violated else inside).append(
            el("circle", tip, cx=x, cy=y, r=radius, class_=mark)
        )
    return Markup("").join([*lines, *inside, *outside, _source_mark(run, pixels)])


def _why_not_judged(item: VoltageData) -> str:
    """Say why a bus has no voltage on the map."""
    if item.points.across_connections:
        return "no load connection, not energised, or left out of the limits"
    return "not energised, floating, or left out of the limits"


def _branch_line(branch: Mapping[str, Any], *, pixels: Mapping[str, tuple[float, float]]) -> Markup:
    """Draw one branch, thicker with more phases."""
    if branch["bus1"] not in pixels or branch["bus2"] not in pixels:
        return Markup("")
    (x1, y1), (x2, y2) = pixels[branch["bus1"]], pixels[branch["bus2"]]
    thick = "branch three" if len(branch["phases"]) >= 3 else "branch"
    return el("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=thick)


def _source_mark(run: Run, pixels: Mapping[str, tuple[float, float]]) -> Markup:
    """Draw the source as a labelled square beside its bus."""
    x, y = pixels[next(iter(feeding_tree(run.feeder).parent))]
    square = el("rect", x=x - 5, y=y - 5, width=10, height=10, class_="source")
    return square + label_at("source", x=x + 9, y=y - 7, class_="tick halo")


def _to_pixels(
    positions: Mapping[str, tuple[float, float]], *, width: float, stretch: bool
) -> tuple[dict[str, tuple[float, float]], float]:
    """Fit positions into a width; keep the shape of geographic ones, stretch trees."""
    points = np.array(list(positions.values()))
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    span[span <= 0] = 1.0
    if stretch:
        height = 380.0
        scale = np.array([(width - 40) / span[0], height / span[1]])
    else:
        both = min((width - 40) / span[0], 520.0 / span[1])
        height, scale = max(span[1] * both, 60.0), np.array([both, both])
    moved = (points - low) * scale
    indent = (width - span[0] * scale[0]) / 2
    placed = {
        bus: (float(x) + indent, height - float(y))
        for bus, (x, y) in zip(positions, moved, strict=True)
    }
    return placed, height


def _legend(limits: LimitSettings) -> tuple[LegendEntry, ...]:
    """Return the nine colours with their voltages."""
    edges = colour_edges(limits)
    labels = [
        f"below {edges[0]:.3f} pu",
        *(f"{a:.3f} to {b:.3f}" for a, b in pairwise(edges)),
        f"above {edges[-1]:.3f} pu",
    ]
    colours = (
        LegendEntry(mark="box", class_=f"bus v-{i}", label=label) for i, label in enumerate(labels)
    )
    return (
        *colours,
        LegendEntry(mark="ring", class_="bus violated ring", label="outside the limits"),
    )


def _map_alt(run: Run, data: Mapping[str, VoltageData], names: Mapping[str, str]) -> str:
    """Say how many buses are outside the limits for each controller."""
    limits = run.scenario.limits
    parts = []
    for controller, item in data.items():
        buses = positions_by_bus(item.ids).values()
        worst = [worst_voltage(item, points, limits=limits)[0] for points in buses]
        count = sum(not limits.v_min_pu <= v <= limits.v_max_pu for v in worst if np.isfinite(v))
        parts.append(f"{names[controller]}: {count} of {len(worst)} buses leave the limits.")
    return "Map of the feeder, buses coloured by their worst voltage. " + " ".join(parts)
