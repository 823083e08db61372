"""Which voltages a run is judged by: at grounded nodes, or across load connections.

Behind a delta winding with nothing grounded, voltages to ground float: the numbers there depend on
the tiny admittances that keep the power flow solvable. Such nodes are never judged. Where most of a
feeder is like that (the IEEE 37-bus feeder), what loads feel, the voltage across each connection,
takes the place of the node voltages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scenarios.results import Run

PHASES = ("1", "2", "3")
LEGS = ("1.2", "2.3", "3.1")  # as the engine spells them


@dataclass(frozen=True, kw_only=True)
class VoltagePoints:
    """The voltages that limits, extremes and charts of a run go by."""

    across_connections: bool  # voltages across load connections instead of node voltages
    floating_buses: tuple[str, ...] = ()  # energised, voltage to ground not defined
    n_floating_nodes: int = 0  # of the energised nodes
    n_nodes: int = 0  # energised
    n_floating_connections: int = 0  # at floating buses
    n_connections: int = 0
    excluded_buses: frozenset[str] = field(default=frozenset())  # not judged, lower case

    @property
    def quantity(self) -> str:
        """Name of the recorded quantity."""
        return "connection_v_pu" if self.across_connections else "v_pu"

    @property
    def noun(self) -> str:
        """What a point is called in charts."""
        return "connection" if self.across_connections else "node"

    @property
    def three_phases(self) -> tuple[str, str, str]:
        """What follows the bus in the ids of three points that form a three-phase set."""
        return LEGS if self.across_connections else PHASES

    def judged(self, ids: tuple[str, ...]) -> NDArray[np.intp]:
        """Return the positions of the points that are judged."""
        return np.array(
            [i for i, name in enumerate(ids) if bus_of(name).lower() not in self.excluded_buses],
            dtype=np.intp,
        )


def voltage_points(run: Run) -> VoltagePoints:
    """Choose the voltages of a run.

    Connections are chosen if fewer than half of the energised nodes are grounded, or fewer than
    half of the load connections are at grounded buses. Run folders that do not say which nodes are
    grounded have all of them grounded.
    """
    ungrounded = [node for node in run.feeder["nodes"] if not node.get("grounded", True)]
    n_nodes = sum(node.get("energised", True) for node in run.feeder["nodes"])
    floating = [node["bus"] for node in ungrounded if node.get("energised", True)]
    buses = tuple(dict.fromkeys(floating))
    connections = run.feeder["connections"]
    n_floating_connections = sum(item["bus"] in set(buses) for item in connections)
    across = 2 * len(floating) > n_nodes or 2 * n_floating_connections > len(connections)
    excluded = {bus.lower() for bus in run.scenario.limits.exclude_buses}
    if not across:
        excluded |= {node["bus"].lower() for node in ungrounded}
    return VoltagePoints(
        across_connections=across,
        floating_buses=buses,
        n_floating_nodes=len(floating),
        n_nodes=n_nodes,
        n_floating_connections=n_floating_connections,
        n_connections=len(connections),
        excluded_buses=frozenset(excluded),
    )


def bus_of(point: str) -> str:
    """Return the bus of a node id `bus.n` or a connection id `bus.n` or `bus.n.m`."""
    return point.partition(".")[0]


def phase_of(point: str) -> str:
    """Return the node of `bus.n`, the first of a leg: AB, BC and CA stand with A, B and C."""
    return point.partition(".")[2].partition(".")[0]


def unbalance_percent(
    v_pu: NDArray[np.float64], *, names: tuple[str, ...], three_phases: tuple[str, str, str]
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return the three-phase buses and their largest deviation from the mean of three.

    Args:
        v_pu: Voltages, not-a-number where not energised. [time, point] [pu]
        names: Ids of the points.
        three_phases: What follows the bus in the ids of three points that form a set.

    Returns:
        Bus names and max_k |v_k - mean| / mean. [time, bus] [%]
    """
    position = {name: i for i, name in enumerate(names)}
    sets: Mapping[str, list[str]] = {
        bus: [f"{bus}.{ends}" for ends in three_phases] for bus in dict.fromkeys(map(bus_of, names))
    }
    complete = {bus: three for bus, three in sets.items() if all(k in position for k in three)}
    columns = [[position[name] for name in three] for three in complete.values()]
    v_abc = v_pu[:, np.array(columns, dtype=np.intp).reshape(-1, 3)]
    mean = v_abc.mean(axis=2, keepdims=True)
    return tuple(complete), 100 * np.abs(v_abc / mean - 1).max(axis=2)
