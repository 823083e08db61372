"""What a compiled circuit consists of, read once: loads, shunts, bases, branches, map.

The functions take the engine context that `engine.py` owns; none of them changes the circuit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opendss_models.connections import LoadElement
from opendss_models.controls import element_names
from opendss_models.topology import (
    BranchInfo,
    BusInfo,
    FeederMap,
    Terminal,
    distances_km,
    grounded_buses,
)

SHUNT_CLASSES = ("capacitor.", "generator.", "pvsystem.", "storage.")
KM_PER_UNIT = {0: 1.0, 1: 1.609344, 2: 0.3048, 3: 1.0, 4: 1e-3, 5: 0.3048e-3, 6: 2.54e-5, 7: 1e-5}
"""Kilometres per OpenDSS length unit (none, mi, kft, km, m, ft, in, cm); none counts as km."""


def bus_of(connection: str) -> str:
    """Return the bus of an OpenDSS bus specification such as `35.1.2`."""
    return connection.split(".", 1)[0].lower()


def split_node(node_id: str) -> tuple[str, int]:
    """Return bus and node of `bus.node`."""
    bus, node = node_id.rsplit(".", 1)
    return bus, int(node)


def read_loads(dss: Any) -> list[LoadElement]:
    """Return the enabled loads."""
    loads, element = dss.Loads, dss.CktElement
    found = []
    more = loads.First()
    while more:
        found.append(
            LoadElement(
                name=loads.Name().lower(),
                bus=bus_of(element.BusNames()[0]),
                nodes=tuple(element.NodeOrder()),
                n_phases=loads.Phases(),
                is_delta=bool(loads.IsDelta()),
                kv=loads.kV(),
                p_kw=loads.kW(),
                q_kvar=loads.kvar(),
            )
        )
        more = loads.Next()
    return found


def read_shunts(dss: Any) -> list[Terminal]:
    """Return the first terminals of the enabled capacitors and generating elements."""
    element = dss.CktElement
    found = []
    for name in dss.Circuit.AllElementNames():
        if not name.lower().startswith(SHUNT_CLASSES):
            continue
        dss.Circuit.SetActiveElement(name)
        if element.Enabled():
            nodes = tuple(element.NodeOrder()[: element.NumConductors()])
            bus = bus_of(element.BusNames()[0])
            found.append(Terminal(element=name.lower(), bus=bus, nodes=nodes))
    return found


def read_bases(dss: Any, *, node_ids: Sequence[str]) -> dict[str, float]:
    """Return the line-to-neutral base of every bus that has a node. [kV]."""
    bases = {}
    for bus in dict.fromkeys(split_node(node)[0] for node in node_ids):
        dss.Circuit.SetActiveBus(bus)
        bases[bus] = dss.Bus.kVBase()
    return bases


def enabled_sources(dss: Any) -> Iterator[str]:
    """Yield the full names of the enabled voltage sources."""
    for name in element_names(dss.Vsources):
        dss.Circuit.SetActiveElement(f"vsource.{name}")
        if dss.CktElement.Enabled():
            yield f"vsource.{name}"


def read_grounded_buses(dss: Any, *, sources: Sequence[str]) -> set[str]:
    """Return the buses whose voltages to ground are defined.

    Behind a delta winding with nothing grounded, line-to-neutral voltages float: OpenDSS's numbers
    there depend on its anti-float admittances. Loads and capacitors are not counted as grounds.
    """
    element = dss.CktElement
    anchors, conductors = [], []
    for name in sources:
        dss.Circuit.SetActiveElement(name)
        anchors.append(bus_of(element.BusNames()[0]))
    for name in dss.PDElements.AllNames():
        dss.Circuit.SetActiveElement(name)
        if not element.Enabled():
            continue
        buses = [bus_of(bus) for bus in element.BusNames()]
        kind = name.split(".", 1)[0].lower()
        if kind in ("line", "reactor"):
            conductors.append((buses[0], buses[1]))
        elif kind == "transformer":
            anchors += [buses[k] for k in _grounded_windings(dss, name)]
    return grounded_buses(anchors=anchors, conductors=conductors)


def _grounded_windings(dss: Any, name: str) -> Iterator[int]:
    """Yield the positions of a transformer's wye windings whose neutral is ground."""
    element, transformers = dss.CktElement, dss.Transformers
    transformers.Name(name.split(".", 1)[1])
    nodes, size = element.NodeOrder(), element.NumConductors()
    for k in range(transformers.NumWindings()):
        transformers.Wdg(k + 1)
        if not transformers.IsDelta() and 0 in nodes[k * size : (k + 1) * size]:
            yield k


def enabled_branches(dss: Any) -> Iterator[tuple[int, str]]:
    """Yield the row in the list of delivery elements and the id of every line and transformer."""
    for row, name in enumerate(dss.PDElements.AllNames()):
        if name.lower().startswith(("line.", "transformer.")):
            dss.Circuit.SetActiveElement(name)
            if dss.CktElement.Enabled():
                yield row, name.lower()


def read_map(
    dss: Any, *, source: str, branch_ids: Sequence[str], kv_base_by_bus: Mapping[str, float]
) -> FeederMap:
    """Return where every bus is and what every branch connects.

    Args:
        dss: Engine context.
        source: Full name of the voltage source from which distances count.
        branch_ids: Branches of the map.
        kv_base_by_bus: Line-to-neutral base of the buses of the map. [kV]
    """
    dss.Circuit.SetActiveElement(source)
    source_bus = bus_of(dss.CktElement.BusNames()[0])
    branches = tuple(_branch_info(dss, branch_id) for branch_id in branch_ids)
    edges = [(branch.bus1, branch.bus2, branch.length_km) for branch in branches]
    found = distances_km(source_bus, edges=[*edges, *_other_edges(dss)])
    return FeederMap(
        source_bus=source_bus,
        buses=tuple(
            _bus_info(dss, bus, kv_base=kv_base, distance_km=found.get(bus, math.nan))
            for bus, kv_base in kv_base_by_bus.items()
        ),
        branches=branches,
    )


def _branch_info(dss: Any, branch_id: str) -> BranchInfo:
    """Return one branch of the map."""
    dss.Circuit.SetActiveElement(branch_id)
    element = dss.CktElement
    buses = element.BusNames()
    nodes = element.NodeOrder()[: element.NumConductors()]
    return BranchInfo(
        branch_id=branch_id,
        bus1=bus_of(buses[0]),
        bus2=bus_of(buses[1]),
        phases=tuple(node for node in nodes if node != 0),
        normal_amps=element.NormalAmps(),
        length_km=_line_length_km(dss, branch_id),
    )


def _other_edges(dss: Any) -> list[tuple[str, str, float]]:
    """Return what else connects buses: third windings, series reactors and capacitors."""
    edges = []
    for name in dss.PDElements.AllNames():
        dss.Circuit.SetActiveElement(name)
        if dss.CktElement.Enabled() and not name.lower().startswith("line."):
            first, *others = map(bus_of, dss.CktElement.BusNames())
            edges += [(first, other, 0.0) for other in others]
    return edges


def _line_length_km(dss: Any, branch_id: str) -> float:
    """Return the length of a line; 0 for switches and transformers, in km."""
    kind, name = branch_id.split(".", 1)
    if kind != "line":
        return 0.0
    dss.Lines.Name(name)
    if dss.Lines.IsSwitch():
        return 0.0
    return float(dss.Lines.Length() * KM_PER_UNIT[int(dss.Lines.Units())])


def _bus_info(dss: Any, bus: str, *, kv_base: float, distance_km: float) -> BusInfo:
    """Return one bus of the map."""
    dss.Circuit.SetActiveBus(bus)
    has_xy = bool(dss.Bus.Coorddefined())
    return BusInfo(
        bus=bus,
        x=dss.Bus.X() if has_xy else math.nan,
        y=dss.Bus.Y() if has_xy else math.nan,
        distance_km=distance_km,
        nodes=tuple(sorted(dss.Bus.Nodes())),
        kv_base=kv_base,
    )


def read_head_power(
    dss: Any, *, sources: Iterable[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return active [kW] and reactive [kvar] power of the sources into the feeder, [phase 1..3]."""
    power = np.zeros(3, dtype=np.complex128)
    for name in sources:
        dss.Circuit.SetActiveElement(name)
        element = dss.CktElement
        values = np.asarray(element.Powers(), dtype=np.float64).view(np.complex128)
        for node, value in zip(element.NodeOrder(), values, strict=False):
            if 1 <= node <= 3:
                power[node - 1] -= value
    return power.real.copy(), power.imag.copy()


def read_load_power(dss: Any) -> tuple[float, float]:
    """Return what all enabled loads draw in the present solution, in kW and kvar."""
    total = 0j
    more = dss.Loads.First()
    while more:
        total += complex(*dss.CktElement.TotalPowers()[:2])
        more = dss.Loads.Next()
    return total.real, total.imag


def read_capacitor_power(dss: Any, *, capacitors: Iterable[str]) -> tuple[float, float]:
    """Return what the shunt capacitors draw in the present solution, in kW and kvar."""
    total = 0j
    for name in capacitors:
        dss.Circuit.SetActiveElement(f"capacitor.{name}")
        if dss.CktElement.Enabled():
            total += complex(*dss.CktElement.TotalPowers()[:2])
    return total.real, total.imag
