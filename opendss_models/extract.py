"""From a compiled circuit to a `Feeder`: everything a power flow needs, without OpenDSS.

What comes out is the circuit as it stands: present taps, switches and capacitor steps. Summed up
again, branches, sources and `y_rest` give OpenDSS's own system matrix without loads, digit by digit
(tests/opendss_models/test_extract.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from scipy import sparse

from gradmap.feeder import Branch, Connections, Feeder, Nodes, Regulator
from opendss_models.circuit_reader import split_node
from opendss_models.engine import Engine
from opendss_models.extract_branches import (
    has_windings,
    read_branch,
    read_rest,
    read_source,
)
from opendss_models.extract_connections import (
    generator_rows,
    load_rows,
    read_places,
    to_connections,
)
from opendss_models.extract_regulators import moved_winding, read_regulator, transformer_of
from opendss_models.household_loads import HOUSEHOLD_PREFIX
from opendss_models.raw_elements import NodeIndex, RawElement, raw_elements
from opendss_models.unmodelled import REST_KINDS, Unmodelled, accepted, find_unmodelled

__all__ = ["Unmodelled", "extract_feeder", "unmodelled"]

_GENERATING = ("generator", "pvsystem", "storage")
_WHOLE_MATRIX, _KEEP_VECTORS = 2, 0
"""Arguments of OpenDSS's `BuildYMatrixD`."""
_DEAD_NODE_S = 1e-12
"""OpenDSS gives nodes without any admittance this one; so does every dead node here. [S]"""


def extract_feeder(engine: Engine, *, accept: Collection[str] = ()) -> Feeder:
    """Return the feeder in an engine, as it stands; the engine stays as it is.

    Generating elements are rows with the power that the engine's last solve gave them.

    Args:
        engine: With or without households attached; the feeder's own loads are extracted.
        accept: Elements (`load.x`) or kinds (`capacitor_control`) that the caller knows are not
            modelled, as `unmodelled` lists them.

    Raises:
        FeederError: The circuit has elements that are not modelled and not accepted; all of them
            are listed. Or it has no load.
    """
    _refresh(engine)
    elements = _own_elements(engine)
    known = accepted(find_unmodelled(elements), accept=accept, feeder=str(engine.feeder))
    index = NodeIndex(engine.node_ids)
    of_branches = _branch_elements(elements)
    branches = _read_branches(of_branches, elements=elements, index=index)
    in_branches = {branch.branch_id for branch in branches}
    rest = [x for x in elements if x.kind in REST_KINDS and x.name not in in_branches]
    n_nodes = len(engine.node_ids)
    return Feeder(
        name=engine.context.Circuit.Name().lower(),
        nodes=_read_nodes(engine),
        branches=branches,
        sources=tuple(read_source(x, index=index) for x in elements if x.kind == "vsource"),
        connections=_read_connections(engine, elements=elements, index=index),
        places=read_places(engine.connections, node_ids=engine.node_ids),
        regulators=_read_regulators(elements, of_branches=of_branches, index=index),
        y_rest=read_rest(rest, index=index, n_nodes=n_nodes) + _dead_nodes(engine),
        accepted=tuple(f"{item.element}: {item.what}" for item in known),
    )


def unmodelled(engine: Engine) -> tuple[Unmodelled, ...]:
    """Return what a circuit has and a `Feeder` cannot hold, in the order of the circuit."""
    _refresh(engine)
    return find_unmodelled(_own_elements(engine))


def _refresh(engine: Engine) -> None:
    """Let the engine compute primitive admittances for the present taps; voltages stay."""
    engine.context.YMatrix.BuildYMatrixD(_WHOLE_MATRIX, _KEEP_VECTORS)


def _own_elements(engine: Engine) -> list[RawElement]:
    """Return the enabled elements and the feeder's own loads, without those of households."""
    own_loads = {f"load.{name}".lower() for name in engine.feeder_loads}
    return [
        element
        for element in raw_elements(engine.context, also=own_loads)
        if not element.name.startswith(f"load.{HOUSEHOLD_PREFIX}") or element.name in own_loads
    ]


def _branch_elements(elements: Sequence[RawElement]) -> list[RawElement]:
    """Return lines and transformers in the order of `Engine.branch_ids`, then series reactors."""
    series = [x for x in elements if x.kind == "reactor" and any(x.node_numbers[x.n_conductors :])]
    others = [x for x in elements if x.kind == "autotrans"]
    return [x for x in elements if x.kind in ("line", "transformer")] + series + others


def _read_branches(
    of_branches: Sequence[RawElement], *, elements: Sequence[RawElement], index: NodeIndex
) -> tuple[Branch, ...]:
    """Return the branches, regulated windings at neutral."""
    regulated: dict[str, list[int]] = {}
    for control in elements:
        if control.kind == "regcontrol":
            regulated.setdefault(transformer_of(control), []).append(moved_winding(control))
    return tuple(
        read_branch(element, index=index, regulated=regulated.get(element.name, ()))
        for element in of_branches
    )


def _read_connections(
    engine: Engine, *, elements: Sequence[RawElement], index: NodeIndex
) -> Connections:
    """Return the feeder's own loads and generating elements."""
    kv_base = engine.node_kv_base.tolist()
    base_of = {split_node(node)[0]: kv for node, kv in zip(engine.node_ids, kv_base, strict=True)}
    rows = [
        row
        for element in elements
        if element.kind == "load"
        for row in load_rows(element, index=index, kv_base=base_of[element.buses[0]])
    ]
    multiplier = engine.context.Solution.GenMult()
    rows += [
        row
        for element in elements
        if element.kind in _GENERATING
        for row in generator_rows(
            element, index=index, kv_base=base_of[element.buses[0]], multiplier=multiplier
        )
    ]
    return to_connections(rows)


def _read_regulators(
    elements: Sequence[RawElement], *, of_branches: Sequence[RawElement], index: NodeIndex
) -> tuple[Regulator, ...]:
    """Return the regulators in the order of `Engine.regulator_ids`."""
    row = {element.name: k for k, element in enumerate(of_branches) if has_windings(element)}
    pairs = [
        (control, row[transformer_of(control)])
        for control in elements
        if control.kind == "regcontrol" and transformer_of(control) in row
    ]
    return tuple(
        read_regulator(control, transformer=of_branches[k], branch=k, index=index)
        for control, k in pairs
    )


def _dead_nodes(engine: Engine) -> sparse.csc_matrix:
    """Return the small admittance that keeps the voltage of dead nodes at zero. [S]"""
    return sparse.csc_matrix(
        sparse.diags(np.where(engine.energised, 0.0, _DEAD_NODE_S), dtype=np.complex128)
    )


def _read_nodes(engine: Engine) -> Nodes:
    """Return the nodes with their places on the map."""
    buses = {bus.bus: bus for bus in engine.feeder_map().buses}
    own = [buses[split_node(node)[0]] for node in engine.node_ids]
    return Nodes(
        node_ids=engine.node_ids,
        kv_base=engine.node_kv_base.copy(),
        grounded=engine.grounded.copy(),
        energised=engine.energised.copy(),
        x=np.array([bus.x for bus in own]),
        y=np.array([bus.y for bus in own]),
        distance_km=np.array([bus.distance_km for bus in own]),
    )
