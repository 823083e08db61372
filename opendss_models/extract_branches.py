"""Lines, transformers, series reactors and sources of a compiled circuit, with series parts.

A primitive admittance Y is split as `C inv(Z) C^T + Y_shunt`. C is known from the kind of element,
Z follows from the blocks of Y between different terminals, where shunts have no share, and Y_shunt
is what is left.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

import numpy as np
from scipy import sparse

from gradmap.feeder import Branch, ComplexArray, FloatArray, Source
from opendss_models.raw_elements import NodeIndex, RawElement
from opendss_models.windings import Windings

DEGREES_PER_RAD = 57.29577951
"""As OpenDSS rounds it."""
_MAX_CONDITION = 1e9
"""Beyond, the inverse of an admittance between two ends means nothing. [-]"""
_NOISE = 1e-14
"""Rounding of a difference relative to its largest operand. [-]"""


def read_branch(
    element: RawElement, *, index: NodeIndex, regulated: Collection[int] = ()
) -> Branch:
    """Return a line, transformer or series reactor.

    Args:
        element: As compiled.
        index: Rows of the feeder's nodes.
        regulated: Windings, from 0, whose turns are given at neutral.
    """
    at_taps, incidence, z_ohm = _series(element, regulated=regulated)
    element.context.Circuit.SetActiveElement(element.name)
    return Branch(
        branch_id=element.name,
        buses=element.buses,
        nodes=index.rows(element),
        n_terminals=element.n_terminals,
        n_phases=element.n_phases,
        incidence=incidence,
        z_series_ohm=z_ohm,
        y_shunt_s=_shunt(element.y_prim, incidence=at_taps, z_ohm=z_ohm),
        normal_amps=float(element.context.CktElement.NormalAmps()),
    )


def _series(
    element: RawElement, *, regulated: Collection[int]
) -> tuple[FloatArray, FloatArray, ComplexArray]:
    """Return C at the present taps, C with regulated windings at neutral, and Z."""
    if has_windings(element):
        unit = Windings(element, regulated=regulated)
        return unit.incidence(), unit.incidence(neutral=regulated), unit.z_ohm
    if element.kind in ("line", "reactor"):
        incidence, z_ohm = line_series(element)
    else:
        incidence = np.zeros((len(element.node_numbers), 0))
        z_ohm = np.zeros((0, 0), dtype=np.complex128)
    return incidence, incidence, z_ohm


def _shunt(y_prim: ComplexArray, *, incidence: FloatArray, z_ohm: ComplexArray) -> ComplexArray:
    """Return what the series parts leave of a primitive admittance. [S]"""
    y_series = incidence @ np.linalg.solve(z_ohm, incidence.T.astype(np.complex128))
    y_shunt: ComplexArray = y_prim - y_series
    # What is below the rounding of this difference is no shunt.
    y_shunt[np.abs(y_shunt) < _NOISE * np.abs(y_prim).max(initial=0.0)] = 0.0
    return y_shunt


def line_series(element: RawElement) -> tuple[FloatArray, ComplexArray]:
    """Return C and Z of a two-terminal element without turns.

    Conductors that are open at either end have no series part: the engine eliminates them from
    the primitive admittance, and what capacitance it leaves becomes shunt. Neither has an element
    whose sequence impedances leave its phases dependent on each other.
    """
    n = element.n_conductors
    closed = [k for k in range(n) if not {k, n + k} & element.open_conductors]
    y_between = element.y_prim[:n, n:][np.ix_(closed, closed)]
    if closed and np.linalg.cond(y_between) > _MAX_CONDITION:
        return np.zeros((2 * n, 0)), np.zeros((0, 0), dtype=np.complex128)
    z_ohm: ComplexArray = -np.linalg.inv(y_between).astype(np.complex128)
    incidence = np.zeros((2 * n, len(closed)))
    incidence[closed, range(len(closed))] = 1.0
    incidence[[n + k for k in closed], range(len(closed))] = -1.0
    return incidence, 0.5 * (z_ohm + z_ohm.T)


def has_windings(element: RawElement) -> bool:
    """Return whether an element is a transformer with all its terminals closed."""
    return element.kind == "transformer" and not element.open_conductors


def read_source(element: RawElement, *, index: NodeIndex) -> Source:
    """Return a voltage source to ground."""
    n, settings = element.n_conductors, element.properties
    volts = settings["basekv"] * settings["pu"] * 1e3
    if n > 1:
        volts /= 2.0 * math.sin(math.pi / n)
    z_ohm: ComplexArray = np.linalg.inv(element.y_prim[:n, :n]).astype(np.complex128)
    turn = {"p": -1.0, "n": 1.0, "z": 0.0}[str(settings["sequence"]).lower()[0]]
    # Whole turn and rounded constant as in OpenDSS: they turn its voltages by up to 3e-10 rad.
    angle_rad = (360.0 + settings["angle"] + turn * 360.0 / n * np.arange(n)) / DEGREES_PER_RAD
    return Source(
        source_id=element.name,
        nodes=index.rows(element)[:n],
        v_open_v=volts * np.exp(1j * angle_rad),
        z_ohm=z_ohm,
        v_pu=float(settings["pu"]),
    )


def read_rest(
    elements: Iterable[RawElement], *, index: NodeIndex, n_nodes: int
) -> sparse.csc_matrix:
    """Return the sum of the primitive admittances of elements, [node, node]. [S]"""
    rows, columns, values = [], [], []
    for element in elements:
        nodes = index.rows(element)
        rows.append(np.repeat(nodes, len(nodes)))
        columns.append(np.tile(nodes, len(nodes)))
        values.append(element.y_prim.ravel())
    size = (n_nodes + 1, n_nodes + 1)
    if not values:
        return sparse.csc_matrix((n_nodes, n_nodes), dtype=np.complex128)
    stamped = sparse.coo_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=size
    )
    found = sparse.csc_matrix(stamped.tocsc()[:n_nodes, :n_nodes])
    found.eliminate_zeros()
    found.sort_indices()
    return found
