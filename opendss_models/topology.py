"""Is everything connected as it should be, and where is what: checks and map of a compiled feeder.

OpenDSS does not mind a load on a bus that nothing else touches: it solves, and the load sees zero
volts. The checks here compare what the elements ask for with the nodes that carry voltage once all
loads are out. They work on plain data, so they are tested without an engine.
"""

from __future__ import annotations

import difflib
import heapq
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gradmap.errors import FeederError

ENERGISED_PU = 0.02
"""A node below this voltage without load is not connected to a source. [pu]"""
MAX_FAULTS_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """An element that must be supplied, and the nodes it asks for at its bus."""

    element: str
    bus: str
    nodes: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class BusInfo:
    """One bus of the feeder map."""

    bus: str
    x: float
    y: float
    """Drawing coordinates in the feeder's own unit; nan if it has none."""
    distance_km: float
    """Length of line between the source and the bus; nan if nothing connects them. [km]"""
    nodes: tuple[int, ...]
    kv_base: float
    """Line-to-neutral base. [kV]"""


@dataclass(frozen=True, kw_only=True)
class BranchInfo:
    """One line or transformer of the feeder map."""

    branch_id: str
    """`line.<name>` or `transformer.<name>`."""
    bus1: str
    bus2: str
    phases: tuple[int, ...]
    """Nodes of the first terminal, ground left out."""
    normal_amps: float
    """Normal rating at the first terminal, per conductor; 0 if the feeder gives none. [A]"""
    length_km: float
    """0 for a transformer or a switch. [km]"""


@dataclass(frozen=True, kw_only=True)
class FeederMap:
    """Where every bus is and what every branch connects."""

    source_bus: str
    buses: tuple[BusInfo, ...]
    branches: tuple[BranchInfo, ...]


def check_supply(
    terminals: Iterable[Terminal], *, v_no_load_pu: Mapping[tuple[str, int], float]
) -> None:
    """Raise if an element asks for a node that no source reaches.

    Args:
        terminals: Loads, generators and capacitors with the bus and the nodes they ask for.
        v_no_load_pu: Magnitude per (bus, node) with all loads out; nodes that only loads touch
            are absent. [pu]

    Raises:
        FeederError: Lists the elements, their bus and nodes, and the nearest bus name.
    """
    nodes_by_bus: dict[str, list[int]] = {}
    for (bus, node), v_pu in v_no_load_pu.items():
        if v_pu >= ENERGISED_PU:
            nodes_by_bus.setdefault(bus, []).append(node)
    known = {bus for bus, _ in v_no_load_pu}
    faults = [
        fault
        for terminal in terminals
        if (
            fault := _supply_fault(terminal, known=known, nodes_by_bus=nodes_by_bus, v=v_no_load_pu)
        )
    ]
    if faults:
        more = len(faults) - MAX_FAULTS_SHOWN
        tail = f"\n  ... and {more} more" if more > 0 else ""
        raise FeederError(
            "The feeder has elements that no source supplies:\n  "
            + "\n  ".join(faults[:MAX_FAULTS_SHOWN])
            + tail
        )


def _supply_fault(
    terminal: Terminal,
    *,
    known: set[str],
    nodes_by_bus: Mapping[str, list[int]],
    v: Mapping[tuple[str, int], float],
) -> str | None:
    """Return what is wrong with one terminal, or None."""
    where = f"{terminal.element} is at bus {terminal.bus!r}"
    live = sorted(nodes_by_bus.get(terminal.bus, []))
    if not live:
        near = nearest_name(terminal.bus, names=nodes_by_bus)
        why = "has no voltage even without load" if terminal.bus in known else "nothing connects"
        return (
            f"{where}, which {why}. Did you mean bus {near!r}? If the name is right, close the "
            f"switch that should supply it or disable the element."
        )
    missing = [node for node in terminal.nodes if node != 0 and (terminal.bus, node) not in v]
    dead = [
        node
        for node in terminal.nodes
        if node in (1, 2, 3) and v.get((terminal.bus, node), 1.0) < ENERGISED_PU
    ]
    if missing or dead:
        asked = ".".join(map(str, terminal.nodes))
        return (
            f"{where} and asks for nodes {asked}, but the bus has only "
            f"{'.'.join(map(str, live))}. Move it to a phase that is there."
        )
    return None


def check_bases(kv_base_by_bus: Mapping[str, float]) -> None:
    """Raise if a bus has no voltage base: per-unit voltages would mean nothing there."""
    zero = [bus for bus, kv in kv_base_by_bus.items() if not kv > 0.0]
    if zero:
        raise FeederError(
            f"{len(zero)} of {len(kv_base_by_bus)} buses have no voltage base (first: "
            f"{', '.join(zero[:3])}). Add `Set VoltageBases=[...]` with the line-to-line kV of "
            f"every level and then `CalcVoltageBases` at the end of the feeder's master file."
        )


def nearest_name(name: str, *, names: Iterable[str]) -> str:
    """Return the most similar of `names`, ignoring case; '' if there are none."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(names)}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.0)
    return by_lower[near[0]] if near else ""


def distances_km(source_bus: str, *, edges: Iterable[tuple[str, str, float]]) -> dict[str, float]:
    """Return the length in km of the shortest path from the source to every bus it reaches.

    Args:
        source_bus: Where the source sits.
        edges: Bus, other bus, length [km].
    """
    neighbours: dict[str, list[tuple[str, float]]] = {}
    for bus1, bus2, length_km in edges:
        neighbours.setdefault(bus1, []).append((bus2, length_km))
        neighbours.setdefault(bus2, []).append((bus1, length_km))
    found: dict[str, float] = {}
    queue = [(0.0, source_bus)]
    while queue:
        distance_km, bus = heapq.heappop(queue)
        if distance_km >= found.get(bus, math.inf):
            continue
        found[bus] = distance_km
        for other, length_km in neighbours.get(bus, []):
            if other not in found:
                heapq.heappush(queue, (distance_km + length_km, other))
    return found


def grounded_buses(*, anchors: Iterable[str], conductors: Iterable[tuple[str, str]]) -> set[str]:
    """Return the buses that conductors join to an anchor, thus with a defined voltage to ground.

    Args:
        anchors: Buses where a source or a grounded wye winding ties the voltages to ground.
        conductors: Pairs of buses joined by a line, a switch or a series reactor.
    """
    reached = distances_km(
        "", edges=[*(("", bus, 0.0) for bus in anchors), *_weightless(conductors)]
    )
    return reached.keys() - {""}


def _weightless(conductors: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str, float]]:
    """Return pairs of buses as edges without length."""
    return ((bus1, bus2, 0.0) for bus1, bus2 in conductors)
