"""Cuts a feeder into areas, between which `block_low_rank` finds little to compute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradmap.feeder import Feeder, IndexArray

N_AREAS = (3, 5, 7, 9)
"""Roughly how many areas to try; more need more products, which are then too small."""
ROOT = -1
"""In place of a root's parent."""


@dataclass(frozen=True, kw_only=True)
class Areas:
    """Where nodes and connections are."""

    of_nodes: IndexArray
    """[node]."""
    of_connections: IndexArray
    """[connection]."""


def feeder_areas(feeder: Feeder, *, n_areas: int) -> Areas:
    """Cut a feeder's tree into connected areas with about equally many connections.

    From the ends of the tree up, an area is closed as soon as it has enough. Branches that close a
    loop are left out of the tree: areas need not be perfect.
    """
    n_nodes, nodes = feeder.n_nodes, feeder.connections.nodes
    buses = [name.rpartition(".")[0] for name in feeder.nodes.node_ids]
    bus_of_node = np.unique(buses, return_inverse=True)[1]
    bus_of_connection = bus_of_node[np.where(nodes[:, 0] < n_nodes, nodes[:, 0], nodes[:, 1])]
    parents = _parents(feeder, bus_of_node)
    area = np.arange(len(parents))  # that a bus begins, from the root's side
    below = np.bincount(bus_of_connection, minlength=len(parents))
    for bus, parent in reversed(parents.items()):
        if parent != ROOT and below[bus] * n_areas < len(nodes):
            below[parent] += below[bus]
            area[bus] = parent
    for bus in parents:
        area[bus] = area[area[bus]]
    area = np.unique(area, return_inverse=True)[1]
    return Areas(of_nodes=area[bus_of_node], of_connections=area[bus_of_connection])


def _parents(feeder: Feeder, bus_of_node: IndexArray) -> dict[int, int]:
    """Return every bus's parent in a tree from the sources, parents before their children."""
    neighbours: list[set[int]] = [set() for _ in range(int(bus_of_node.max()) + 1)]
    for branch in feeder.branches:
        ends = {int(bus_of_node[node]) for node in branch.nodes if node < feeder.n_nodes}
        for end in ends:
            neighbours[end] |= ends
    roots = [int(bus_of_node[source.nodes[0]]) for source in feeder.sources]
    parents: dict[int, int] = {}
    for root in (*roots, *range(len(neighbours))):
        if root in parents:
            continue
        parents[root] = ROOT
        reached = [root]
        for bus in reached:  # grows as it goes
            for end in sorted(neighbours[bus] - parents.keys()):
                parents[end] = bus
                reached.append(end)
    return parents
