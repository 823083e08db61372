"""Where buses stand: on the map, and how far from the source."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenarios.metrics.voltage_points import bus_of


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Buses in breadth-first order from the source, each with the bus that feeds it."""

    parent: Mapping[str, str | None]  # in order of discovery; None for roots
    depth: Mapping[str, int]  # branches between the bus and its root


def feeding_tree(feeder: Mapping[str, Any]) -> Tree:
    """Walk the branches from the source; parts without a path to it get a root of their own."""
    neighbours: dict[str, list[str]] = {item["bus"]: [] for item in feeder["buses"]}
    for branch in feeder["branches"]:
        if branch["bus1"] in neighbours and branch["bus2"] in neighbours:
            neighbours[branch["bus1"]].append(branch["bus2"])
            neighbours[branch["bus2"]].append(branch["bus1"])
    parent: dict[str, str | None] = {}
    depth: dict[str, int] = {}
    for root in _roots_first(feeder):
        if root in parent:
            continue
        parent[root], depth[root] = None, 0
        queue = deque([root])
        while queue:
            bus = queue.popleft()
            for other in neighbours[bus]:
                if other not in parent:
                    parent[other], depth[other] = bus, depth[bus] + 1
                    queue.append(other)
    return Tree(parent=parent, depth=depth)


def distances(feeder: Mapping[str, Any]) -> tuple[dict[str, float], str]:
    """Return the distance of every bus from the source, and its name with unit for an axis."""
    km = {item["bus"]: item["distance_km"] for item in feeder["buses"]}
    known = [value for value in km.values() if value is not None]
    if known and max(known) > 0:
        return {
            bus: np.nan if value is None else float(value) for bus, value in km.items()
        }, "Distance from the source [km]"
    depth = feeding_tree(feeder).depth
    return {bus: float(steps) for bus, steps in depth.items()}, "Branches from the source"


def bus_positions(feeder: Mapping[str, Any]) -> tuple[dict[str, tuple[float, float]], bool]:
    """Return map positions of all buses, y upwards, and whether they are geographic.

    Coordinates of the feeder if at least half of the buses have them (others stand on the bus that
    feeds them), otherwise a tree: distance to the right, laterals side by side.
    """
    tree = feeding_tree(feeder)
    known = {
        item["bus"]: (float(item["x"]), float(item["y"]))
        for item in feeder["buses"]
        if item["x"] is not None and item["y"] is not None
    }
    if 2 * len(known) < len(tree.parent) or len(set(known.values())) < 2:
        return _tree_positions(tree, distance=distances(feeder)[0]), False
    centre = np.mean(list(known.values()), axis=0)
    placed: dict[str, tuple[float, float]] = {}
    for bus, feeding in tree.parent.items():
        fallback = (
            placed[feeding]
            if feeding is not None and (feeding in known or feeding in placed)
            else (float(centre[0]), float(centre[1]))
        )
        placed[bus] = known.get(bus, fallback)
    return placed, True


def positions_by_bus(points: tuple[str, ...]) -> dict[str, list[int]]:
    """Return the positions of the nodes or load connections of each bus."""
    positions: dict[str, list[int]] = {}
    for i, point in enumerate(points):
        positions.setdefault(bus_of(point), []).append(i)
    return positions


def _roots_first(feeder: Mapping[str, Any]) -> list[str]:
    """Return the source bus, then the nearest to it; the feeder's own order where unknown."""
    buses = feeder["buses"]
    order = sorted(
        range(len(buses)),
        key=lambda i: (
            buses[i]["bus"] != feeder.get("source_bus"),
            np.inf if buses[i]["distance_km"] is None else float(buses[i]["distance_km"]),
            i,
        ),
    )
    return [buses[i]["bus"] for i in order]


def _tree_positions(tree: Tree, *, distance: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Place leaves one below the other and every other bus in the middle of what it feeds."""
    children: dict[str, list[str]] = {bus: [] for bus in tree.parent}
    for bus, feeding in tree.parent.items():
        if feeding is not None:
            children[feeding].append(bus)
    row: dict[str, float] = {}
    for i, leaf in enumerate(_leaves(children, [b for b, p in tree.parent.items() if p is None])):
        row[leaf] = -float(i)
    for bus in reversed(list(tree.parent)):
        if bus not in row:
            row[bus] = float(np.mean([row[child] for child in children[bus]]))
    known = {bus: km for bus, km in distance.items() if np.isfinite(km)}
    across = known if len(known) == len(row) else {bus: float(d) for bus, d in tree.depth.items()}
    return {bus: (across[bus], row[bus]) for bus in row}


def _leaves(children: Mapping[str, list[str]], roots: list[str]) -> list[str]:
    """Return the ends of the tree in depth-first order, so that branches do not cross."""
    found = []
    stack = list(reversed(roots))
    while stack:
        bus = stack.pop()
        stack.extend(reversed(children[bus]))
        if not children[bus]:
            found.append(bus)
    return found
