"""The linear part of a feeder: maps from sources and currents to every voltage and current.

The network equations keep the series currents j of branches and sources as unknowns,

    [ Y_rest + Y_shunt   C    C_s ] [ v   ]   [ -A^T i - c_r mu j_r ]
    [ C^T               -Z    0   ] [ j   ] = [ -mu c_r^T v         ]        mu = 1/tap - 1/tap_base
    [ -C_s^T             0    Z_s ] [ j_s ]   [ E                   ]

with C_s = -1: j_s flows from a source into its nodes, v + Z_s j_s = E (modified nodal analysis).
So switches, regulators and sources, all nearly ideal, cost no digits; the nodal matrix alone has a
condition number near 1e13. Off the base taps, every phase of a regulator adds two unknowns of rank
one, its current j_r and the voltage s = c_r^T v, which `solver` eliminates per sample. Everything
else is linear in (source, i, mu j_r, mu s): this module computes those maps once, in float64.

References:
    Ho, Ruehli, Brennan, "The modified nodal approach to network analysis", IEEE Trans. Circuits and
    Systems 22(6), 1975. Bazrafshan, Gatsis, "Comprehensive modeling of three-phase distribution
    systems via the bus admittance matrix", IEEE Trans. Power Systems 33(2), 2018 (the Z-bus form).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from gradmap.errors import FeederError
from gradmap.feeder import ComplexArray, Feeder, FloatArray, IndexArray

GROUND = -1
"""Stands for ground among the unknowns; series currents follow the last node directly."""
MAX_CONNECTIONS = 1000
"""Most connections that dense maps are made for; a sweep costs their square."""

MapName = Literal[
    "connection_voltages",
    "node_voltages",
    "series_currents",
    "conductor_currents",
    "source_currents",
    "regulator_unknowns",
]
"""The maps of a `Network`, see there."""


@dataclass(frozen=True, kw_only=True)
class AffineMap:
    """One vector of results as a function of sources, connection currents and regulator terms.

    y = at_source @ source + at_current @ i + at_regulator @ (mu j_r ; mu s)
    """

    at_source: ComplexArray
    """[row, source], per unit of each source's own voltage."""
    at_current: ComplexArray
    """[row, connection], per kVA of connection current, see `Network`."""
    at_regulator: ComplexArray
    """[row, 2 R]: R regulator phases, first their currents, then their winding voltages."""


class Network:
    """The factorised linear part of a feeder at its base taps.

    Connection currents are in kVA: amperes times the row's rated voltage in kV; connection voltages
    u are per unit of the rated voltage. So u is near 1, and the numbers suit float32.

    Attributes:
        feeder: The feeder.
        base_tap_ratios: Where the maps hold without regulator terms, [regulator].
        regulator_of_part: Regulator of each of the R regulator phases.
    """

    def __init__(self, feeder: Feeder, *, base_tap_ratios: FloatArray | None = None) -> None:
        """Factorise.

        Raises:
            FeederError: The feeder is too large for dense maps, or its equations are singular.
        """
        self.feeder = feeder
        self.base_tap_ratios = feeder.tap_ratios if base_tap_ratios is None else base_tap_ratios
        _refuse_large(feeder)
        self._n_series = [branch.incidence.shape[1] for branch in feeder.branches]
        self._first_series = np.cumsum([0, *self._n_series]) + feeder.n_nodes
        self._index_regulators()
        self._matrix = self._assemble()
        try:
            self._lu = splu(self._matrix)
        except RuntimeError as exc:
            raise FeederError(
                f"Feeder {feeder.name!r}: its network equations are singular. A bus is connected "
                f"to no source; remove it or close its switch."
            ) from exc

    # ------------------------------------------------------------------ equations

    def _index_regulators(self) -> None:
        """List the phases of all regulators: their row among the unknowns, their incidence."""
        self._parts = [
            (index, regulator.branch, part)
            for index, regulator in enumerate(self.feeder.regulators)
            for part in range(self._n_series[regulator.branch])
            if np.any(regulator.winding_incidence[:, part])
        ]
        self.regulator_of_part = np.array([part[0] for part in self._parts], dtype=np.int64)

    def _incidences(self) -> list[FloatArray]:
        """Return the incidence of every branch at the base taps."""
        incidences = [branch.incidence for branch in self.feeder.branches]
        for regulator, tap in zip(self.feeder.regulators, self.base_tap_ratios, strict=True):
            moved = (1.0 / tap - 1.0) * regulator.winding_incidence
            incidences[regulator.branch] = incidences[regulator.branch] + moved
        return incidences

    def _assemble(self) -> sparse.csc_matrix:
        """Return the matrix of the equations; conductors at ground fall out."""
        feeder, n = self.feeder, self.feeder.n_nodes
        entries = _Entries()
        for branch, incidence, first in zip(
            feeder.branches, self._incidences(), self._first_series, strict=False
        ):
            nodes = _unknown_of(branch.nodes, n_nodes=n)
            series = np.arange(first, first + incidence.shape[1])
            entries.add(nodes, nodes, branch.y_shunt_s)
            entries.add(nodes, series, incidence)
            entries.add(series, nodes, incidence.T)
            entries.add(series, series, -branch.z_series_ohm)
        for source, rows in zip(feeder.sources, self._source_rows, strict=True):
            nodes = _unknown_of(source.nodes, n_nodes=n)
            entries.add(nodes, rows, -np.eye(len(rows)))
            entries.add(rows, nodes, np.eye(len(rows)))
            entries.add(rows, rows, source.z_ohm)
        size = int(self._first_series[-1]) + sum(len(s.nodes) for s in feeder.sources)
        rest = sparse.coo_matrix(feeder.y_rest)
        rest.resize((size, size))
        matrix = entries.matrix(size) + rest.tocsc()
        return sparse.csc_matrix(matrix)

    @cached_property
    def _source_rows(self) -> list[IndexArray]:
        """Return where each source's currents stand among the unknowns."""
        starts = np.cumsum([0, *(len(s.nodes) for s in self.feeder.sources)])
        first = int(self._first_series[-1])
        pairs = itertools.pairwise(starts)
        return [np.arange(first + a, first + b) for a, b in pairs]

    @cached_property
    def _solutions(self) -> ComplexArray:
        """Return all unknowns for one unit of everything: sources, currents, regulator terms."""
        feeder, n = self.feeder, self.feeder.n_nodes
        size = self._matrix.shape[0]
        connections = feeder.connections
        n_sources, n_connections, n_parts = len(feeder.sources), len(connections), len(self._parts)
        # The row after the last takes what would flow into ground.
        rhs = np.zeros((size + 1, n_sources + n_connections + 2 * n_parts), dtype=np.complex128)
        for k, (source, rows) in enumerate(zip(feeder.sources, self._source_rows, strict=True)):
            rhs[rows, k] = source.v_open_v / source.v_pu
        columns = n_sources + np.arange(n_connections)
        first, second = _unknown_of(connections.nodes, n_nodes=n).T
        rhs[first, columns] -= 1.0 / connections.kv_rated
        rhs[second, columns] += 1.0 / connections.kv_rated
        for k, (index, branch, part) in enumerate(self._parts):
            regulator = feeder.regulators[index]
            nodes = _unknown_of(feeder.branches[branch].nodes, n_nodes=n)
            at_current, at_voltage = n_sources + n_connections + k + np.array([0, n_parts])
            np.add.at(rhs[:, at_current], nodes, -regulator.winding_incidence[:, part])
            rhs[self._first_series[branch] + part, at_voltage] = -1.0
        rhs = rhs[:size]
        solution: ComplexArray = self._lu.solve(rhs)
        solution += self._lu.solve(rhs - self._matrix @ solution)
        return solution

    # ------------------------------------------------------------------ maps

    def _map(self, rows: ComplexArray) -> AffineMap:
        """Split the columns of a block of results."""
        n_sources, n_connections = len(self.feeder.sources), len(self.feeder.connections)
        at_source, at_current, at_regulator = np.split(
            rows, [n_sources, n_sources + n_connections], axis=1
        )
        return AffineMap(at_source=at_source, at_current=at_current, at_regulator=at_regulator)

    def _volts(self) -> ComplexArray:
        """Return the rows of all node voltages and of ground, which comes last and is zero."""
        v = self._solutions[: self.feeder.n_nodes]
        return np.vstack([v, np.zeros_like(v[:1])])

    @cached_property
    def connection_voltages(self) -> AffineMap:
        """Voltage across every connection, per unit of its rated voltage."""
        v = self._volts()
        first, second = self.feeder.connections.nodes.T
        kv = self.feeder.connections.kv_rated[:, None]
        return self._map((v[first] - v[second]) / (1e3 * kv))

    @cached_property
    def node_voltages(self) -> AffineMap:
        """Voltage of every node to ground, per unit of its base."""
        n = self.feeder.n_nodes
        return self._map(self._solutions[:n] / (1e3 * self.feeder.nodes.kv_base[:, None]))

    @cached_property
    def series_currents(self) -> AffineMap:
        """Series currents j of all branches, [A] over the incidence, one after another."""
        return self._map(self._solutions[self.feeder.n_nodes : self._first_series[-1]])

    @cached_property
    def conductor_currents(self) -> AffineMap:
        """Currents into all conductors of all branches, [A]: C j + Y_shunt v.

        Off the base taps C moves by mu c_r, which the regulator term mu j_r carries.
        """
        v = self._volts()
        blocks, first_conductor = [], [0]
        for branch, incidence, first in zip(
            self.feeder.branches, self._incidences(), self._first_series, strict=False
        ):
            j = self._solutions[first : first + incidence.shape[1]]
            blocks.append(incidence @ j + branch.y_shunt_s @ v[branch.nodes])
            first_conductor.append(first_conductor[-1] + len(branch.nodes))
        rows = np.vstack(blocks)
        at_term = len(self.feeder.sources) + len(self.feeder.connections)
        for k, (index, branch_row, part) in enumerate(self._parts):
            moved = self.feeder.regulators[index].winding_incidence[:, part]
            conductors = slice(first_conductor[branch_row], first_conductor[branch_row + 1])
            rows[conductors, at_term + k] += moved
        return self._map(rows)

    @cached_property
    def source_currents(self) -> AffineMap:
        """Currents of the sources into the feeder, [A]."""
        return self._map(self._solutions[self._first_series[-1] :])

    @cached_property
    def regulator_unknowns(self) -> AffineMap:
        """The 2 R unknowns (j_r ; s) that regulators off their base taps couple through."""
        v = self._volts()
        currents = [self._solutions[self._first_series[b] + part] for _, b, part in self._parts]
        voltages = [
            self.feeder.regulators[index].winding_incidence[:, part]
            @ v[self.feeder.branches[b].nodes]
            for index, b, part in self._parts
        ]
        rows = [*currents, *voltages]
        return self._map(np.array(rows).reshape(len(rows), self._solutions.shape[1]))


class _Entries:
    """Collects blocks of a sparse matrix."""

    def __init__(self) -> None:
        self._rows: list[IndexArray] = []
        self._columns: list[IndexArray] = []
        self._values: list[ComplexArray] = []

    def add(
        self,
        rows: IndexArray,
        columns: IndexArray,
        block: ComplexArray | FloatArray,
    ) -> None:
        """Add a block; rows and columns at ground are dropped."""
        row_grid, column_grid = np.meshgrid(rows, columns, indexing="ij")
        keep = (row_grid != GROUND) & (column_grid != GROUND)
        self._rows.append(row_grid[keep])
        self._columns.append(column_grid[keep])
        self._values.append(np.asarray(block, dtype=np.complex128)[keep])

    def matrix(self, size: int) -> sparse.csc_matrix:
        """Return the sum of all blocks."""
        rows, columns = np.concatenate(self._rows), np.concatenate(self._columns)
        values = np.concatenate(self._values)
        return sparse.csc_matrix((values, (rows, columns)), shape=(size, size))


def _unknown_of(nodes: IndexArray, *, n_nodes: int) -> IndexArray:
    """Return the unknown of each node; the feeder's ground is the number after its last node."""
    return np.where(nodes == n_nodes, GROUND, nodes)


def _refuse_large(feeder: Feeder) -> None:
    """Raise where dense maps would take minutes and gigabytes."""
    n_connections = len(feeder.connections)
    if n_connections > MAX_CONNECTIONS:
        raise FeederError(
            f"Feeder {feeder.name!r} is too large for now: it has {n_connections} connections (wye "
            f"phases and delta legs), the limit is {MAX_CONNECTIONS}. Merge loads or take a part "
            f"of the feeder."
        )
