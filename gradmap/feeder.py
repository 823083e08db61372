"""A feeder as torch needs it: nodes, branches, sources, connections, regulators; frozen arrays.

`opendss_models.extract` makes one from a compiled circuit, `gradmap.feeder_file` saves and loads
it, `gradmap.power_flow` solves it. Impedances are kept per element and branch currents stay
unknowns of the network equations, because the nodal admittance matrix alone has condition numbers
near 1e13 (regulators, switches and sources are almost ideal).

Signs follow `gradmap.units`. In node indices the number after the last node means ground.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gradmap.errors import FeederError

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
IndexArray = NDArray[np.int64]


class LoadModel(IntEnum):
    """How the power of a connection depends on its voltage; the numbers are OpenDSS's."""

    CONSTANT_POWER = 1
    CONSTANT_IMPEDANCE = 2
    EXPONENTIAL = 4
    """CVR: each of P and Q goes with its own power of the voltage."""
    CONSTANT_CURRENT = 5
    ZIPV = 8
    """Shares of constant impedance, current and power, with a cut-off voltage."""


class _Frozen:
    """Makes the arrays of a frozen dataclass read-only."""

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Nodes(_Frozen):
    """All nodes of the feeder; their order is the order of every node array."""

    node_ids: tuple[str, ...]
    """`bus.phase`, lower case."""
    kv_base: FloatArray
    """Line-to-neutral base, [node]. [kV]"""
    grounded: NDArray[np.bool_]
    """Whether the voltage to ground is defined, [node]; leave the others out of limits."""
    energised: NDArray[np.bool_]
    """Whether a source reaches the node, [node]."""
    x: FloatArray
    """Coordinate of the node's bus, [node]; NaN where the feeder has none."""
    y: FloatArray
    distance_km: FloatArray
    """Length of line from the source, [node]; NaN where unknown. [km]"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Branch(_Frozen):
    """A line, transformer or series reactor between conductors `k` with `m` series parts.

    Its primitive admittance is `C inv(Z) C^T + Y_shunt`: with conductor voltages v the series
    currents are j = inv(Z) C^T v, and the currents into its conductors C j + Y_shunt v.
    """

    branch_id: str
    """`line.<name>`, `transformer.<name>` or `reactor.<name>`, lower case."""
    buses: tuple[str, ...]
    """Bus of each terminal."""
    nodes: IndexArray
    """Node of each conductor, terminal after terminal, [k]."""
    n_terminals: int
    n_phases: int
    """The first conductors of a terminal are phases; what follows is the neutral of windings."""
    incidence: FloatArray
    """C, [k, m]: +1 and -1 for a line; for a transformer +1 and -1 on winding 1, turns ratios
    V_1 / V_k over the tap ratio on winding k; regulated windings at neutral. A part that is open
    has no column. A transformer with a core on its regulated winding has a column of it there."""
    z_series_ohm: ComplexArray
    """Z, [m, m]; of a transformer referred to winding 1. [ohm]"""
    y_shunt_s: ComplexArray
    """Y_shunt, [k, k]. [S]"""
    normal_amps: float
    """Normal rating; 0 if the feeder gives none. [A]"""

    @property
    def n_conductors(self) -> int:
        """Return the conductors per terminal."""
        return len(self.nodes) // self.n_terminals


@dataclass(frozen=True, kw_only=True, eq=False)
class Source(_Frozen):
    """A voltage behind an impedance: at its nodes, v = E - Z j, with j into the feeder."""

    source_id: str
    nodes: IndexArray
    """[conductor]."""
    v_open_v: ComplexArray
    """E, open-circuit voltage to ground, [conductor]. [V]"""
    z_ohm: ComplexArray
    """Z, [conductor, conductor]. [ohm]"""
    v_pu: float
    """The magnitude that E stands for. [pu]"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Connections(_Frozen):
    """Where power is drawn: one row per wye phase or delta leg of a load or generating element."""

    connection_ids: tuple[str, ...]
    element_ids: tuple[str, ...]
    """The element each row belongs to, such as `load.s1a`, [connection]."""
    nodes: IndexArray
    """The two nodes each row sits between, [connection, 2]."""
    kv_rated: FloatArray
    """Voltage at which the row draws its nominal power, across its two nodes. [kV]"""
    kv_base: FloatArray
    """Base of the row's per-unit voltage, line-to-neutral or line-to-line. [kV]"""
    model: NDArray[np.int64]
    """`LoadModel` of each row."""
    p_kw: FloatArray
    """Nominal active power at load multiplier 1, negative where it generates. [kW]"""
    q_kvar: FloatArray
    v_min_pu: FloatArray
    """Below, the current falls linearly with the voltage, over `kv_rated`. [pu]"""
    v_max_pu: FloatArray
    """Above, the row is a constant impedance, over `kv_rated`. [pu]"""
    v_low_pu: FloatArray
    """Below, the row is its nominal impedance, over `kv_rated`; 0 for generating elements, which
    are a constant impedance below `v_min_pu`. [pu]"""
    exponents: FloatArray
    """Exponents of P and Q of `EXPONENTIAL` rows, [connection, 2]; 0 elsewhere."""
    zipv: FloatArray
    """Z, I, P share of P, of Q, and cut-off voltage [pu] of `ZIPV` rows, [connection, 7]."""

    def __len__(self) -> int:
        return len(self.connection_ids)

    def take(self, rows: IndexArray) -> Connections:
        """Return some of the rows."""
        taken: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            taken[field.name] = (
                tuple(value[row] for row in rows) if isinstance(value, tuple) else value[rows]
            )
        return Connections(**taken)


@dataclass(frozen=True, kw_only=True, eq=False)
class Regulator(_Frozen):
    """A tap changer on one winding of a transformer, and the control that moves it.

    The transformer's incidence at a tap ratio t is
    `branch.incidence + (1/t - 1) winding_incidence`.
    """

    regulator_id: str
    branch: int
    """Row of its transformer in `Feeder.branches`."""
    winding_incidence: FloatArray
    """The part of the incidence that goes with 1/t, at neutral, [k, m]."""
    tap_ratio: float
    """Position in the feeder file. [pu]"""
    tap_ratio_min: float
    tap_ratio_max: float
    n_taps: int
    """Steps between the smallest and the largest ratio."""
    control: RegulatorControl

    @property
    def tap_step(self) -> float:
        """Return the ratio of one step."""
        return (self.tap_ratio_max - self.tap_ratio_min) / self.n_taps


@dataclass(frozen=True, kw_only=True)
class RegulatorControl:
    """Settings of a voltage regulator control, as OpenDSS names them."""

    v_reg_v: float
    """Voltage to hold, on the secondary of the potential transformer. [V]"""
    band_v: float
    """Width of the band around it. [V]"""
    pt_ratio: float
    ct_primary_a: float
    """0 if there is no line-drop compensation. [A]"""
    r_v: float
    """Resistance of the line-drop compensator. [V]"""
    x_v: float
    v_limit_v: float
    """Upper limit at the transformer, 0 if none. [V]"""
    delay_s: float
    tap_delay_s: float
    max_tap_change: int
    winding_kv: float
    """Rated voltage of the regulated winding across one phase. [kV]"""
    monitored_nodes: tuple[tuple[int, int], ...]
    """The pairs of nodes whose voltages the control may look at, one a phase."""
    monitored_conductors: tuple[int, ...]
    """Conductor of the transformer whose current feeds the compensator, one a phase."""
    pt_phase: int
    """Position of the phase it looks at; -1 the largest, -2 the smallest voltage."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Feeder(_Frozen):
    """One feeder. Frozen: methods return changed copies."""

    name: str
    nodes: Nodes
    branches: tuple[Branch, ...]
    sources: tuple[Source, ...]
    connections: Connections
    """What draws power in a solve; the feeder's own loads and generating elements at first."""
    places: Connections
    """Where households can sit: constant power, 0 kW; see `with_households`."""
    regulators: tuple[Regulator, ...]
    y_rest: sparse.csc_matrix
    """Nodal admittance of everything that is neither branch, source nor connection: capacitors,
    shunt reactors, [node, node]. [S]"""
    accepted: tuple[str, ...] = ()
    """What the circuit has and this model leaves out, accepted by name on extraction."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not len(self.connections):
            raise FeederError(
                f"Feeder {self.name!r}: it has no load connection, so there is nothing to solve. "
                f"Give it at least one Load."
            )

    @property
    def n_nodes(self) -> int:
        """Return the number of nodes, which is also the index of ground."""
        return len(self.nodes.node_ids)

    @property
    def tap_ratios(self) -> FloatArray:
        """Return the regulators' positions in the feeder file, [regulator]. [pu]"""
        return np.array([regulator.tap_ratio for regulator in self.regulators], dtype=np.float64)

    def with_connections(self, connections: Connections) -> Feeder:
        """Return the feeder with other connections in place of the present ones."""
        return replace(self, connections=connections)

    def with_households(self) -> Feeder:
        """Return the feeder with its own loads replaced by one connection per place.

        The places come first; generating elements, which are no loads, follow.
        """
        is_load = [name.startswith("load.") for name in self.connections.element_ids]
        generating = self.connections.take(np.flatnonzero(np.logical_not(is_load)))
        return self.with_connections(concatenate(self.places, generating))

    def with_injections(self, node_ids: tuple[str, ...]) -> Feeder:
        """Return the feeder with a constant-power injection of 0 kW added at each node."""
        return self.with_connections(concatenate(self.connections, self._injections(node_ids)))

    def _injections(self, node_ids: tuple[str, ...]) -> Connections:
        row = {name: k for k, name in enumerate(self.nodes.node_ids)}
        unknown = [name for name in node_ids if name not in row]
        if unknown:
            raise FeederError(
                f"Feeder {self.name!r}: no node {unknown[0]!r}; it has, for example, "
                f"{', '.join(self.nodes.node_ids[:3])}."
            )
        rows = np.array([row[name] for name in node_ids], dtype=np.int64)
        n = len(rows)
        kv_base = self.nodes.kv_base[rows]
        return Connections(
            connection_ids=tuple(f"injection.{name}" for name in node_ids),
            element_ids=tuple(f"injection.{name}" for name in node_ids),
            nodes=np.stack([rows, np.full(n, self.n_nodes)], axis=1),
            kv_rated=kv_base,
            kv_base=kv_base,
            model=np.full(n, int(LoadModel.CONSTANT_POWER)),
            p_kw=np.zeros(n),
            q_kvar=np.zeros(n),
            v_min_pu=np.full(n, 0.5),
            v_max_pu=np.full(n, 2.0),
            v_low_pu=np.full(n, 0.25),
            exponents=np.zeros((n, 2)),
            zipv=np.zeros((n, 7)),
        )


def concatenate(first: Connections, second: Connections) -> Connections:
    """Return the rows of both."""
    merged: dict[str, Any] = {}
    for field in fields(Connections):
        a, b = getattr(first, field.name), getattr(second, field.name)
        merged[field.name] = a + b if isinstance(a, tuple) else np.concatenate([a, b])
    return Connections(**merged)
