"""Load connections: the places where households can sit, derived from the feeder's own loads.

A wye load sits between each of its phases and a neutral, a delta load between pairs of phases. A
*connection* is one such pair: one wye phase (one node, the return is ground) or one leg (two
nodes). Loads at the same place share a connection. A centre-tapped service (two nodes, 180 degrees
apart) gives two connections of one node each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradmap.errors import FeederError

P_LIMIT_KW = 1e5
"""Largest power of one connection that is believed. [kW]"""
BASE_MISFIT = 1.35
"""Largest ratio between a load's rated voltage and its base that is believed. [-]"""
LEG_FACTORS = (1.0, math.sqrt(3.0), 2.0)
"""Leg voltage over line-to-neutral voltage: phase to neutral wire, phase to phase, centre tap."""


@dataclass(frozen=True, kw_only=True)
class LoadElement:
    """One enabled Load of the feeder, as the engine reports it."""

    name: str
    bus: str
    nodes: tuple[int, ...]
    """Node of each conductor; for wye the last is the neutral (0 = ground)."""
    n_phases: int
    is_delta: bool
    kv: float
    """Rated voltage: line-to-line, or across the terminals if single-phase. [kV]"""
    p_kw: float
    q_kvar: float


@dataclass(frozen=True, kw_only=True)
class LoadConnection:
    """A place where households can sit."""

    connection_id: str
    """`bus.node` for a wye phase, `bus.node.node` for a leg."""
    bus: str
    nodes: tuple[int, ...]
    """One node: wye phase to ground. Two nodes: leg between them."""
    kv_base: float
    """Base of the connection's voltage: line-to-neutral, or line-to-line for a leg. [kV]"""
    p_nominal_kw: float
    """Spot load that the feeder has here, before any load multiplier. [kW]"""
    q_nominal_kvar: float


def terminal_pairs(load: LoadElement) -> tuple[tuple[int, ...], ...]:
    """Return the nodes of each single-phase part of a load: `(node,)` to ground or a leg."""
    if load.is_delta:
        n = len(load.nodes)
        legs = [(load.nodes[k], load.nodes[(k + 1) % n]) for k in range(load.n_phases)]
    else:
        legs = [(node, load.nodes[-1]) for node in load.nodes[:-1]]
    return tuple(_canonical(leg) for leg in legs)


def _canonical(leg: tuple[int, int]) -> tuple[int, ...]:
    """Return one spelling per place: no ground, phase pairs as (1, 2), (2, 3), (3, 1)."""
    if 0 in leg:
        return tuple(node for node in leg if node != 0)
    if set(leg) == {1, 3}:
        return (3, 1)
    return tuple(sorted(leg))


def split_loads(
    loads: Iterable[LoadElement], *, kv_base_by_bus: Mapping[str, float]
) -> tuple[LoadConnection, ...]:
    """Return the load connections of a feeder, in the order of its loads.

    Args:
        loads: The feeder's enabled loads, all at buses with a base.
        kv_base_by_bus: Line-to-neutral base per bus. [kV]

    Raises:
        FeederError: A load's own rated voltage does not fit the base of its bus.
    """
    found: dict[str, LoadConnection] = {}
    for load in loads:
        pairs = terminal_pairs(load)
        for nodes in pairs:
            connection_id = ".".join([load.bus, *map(str, nodes)])
            shared = found.get(connection_id)
            found[connection_id] = LoadConnection(
                connection_id=connection_id,
                bus=load.bus,
                nodes=nodes,
                kv_base=connection_base_kv(load, nodes=nodes, kv_base=kv_base_by_bus[load.bus]),
                p_nominal_kw=load.p_kw / len(pairs) + (shared.p_nominal_kw if shared else 0.0),
                q_nominal_kvar=load.q_kvar / len(pairs)
                + (shared.q_nominal_kvar if shared else 0.0),
            )
    return tuple(found.values())


def connection_base_kv(load: LoadElement, *, nodes: tuple[int, ...], kv_base: float) -> float:
    """Return the base of one part of a load in kV.

    It is the bus's line-to-neutral base, times that factor of `LEG_FACTORS` which comes nearest to
    the load's own rated voltage if the part is a leg.
    """
    if len(nodes) == 1:
        return kv_base
    factor = min(LEG_FACTORS, key=lambda f: abs(math.log(_misfit(load, kv_base=f * kv_base))))
    if not 1.0 / BASE_MISFIT < _misfit(load, kv_base=factor * kv_base) < BASE_MISFIT:
        raise FeederError(
            f"Load {load.name!r} is rated for {_rated_kv(load):.4g} kV across its terminals, but "
            f"the base of bus {load.bus!r} is {kv_base:.4g} kV line to neutral. Correct the load's "
            f"kV, list the level in `Set VoltageBases`, or, where `CalcVoltageBases` picks the "
            f"wrong level, add `SetkVBase bus={load.bus} kVLN=<kV>`."
        )
    return factor * kv_base


def rating_notes(
    loads: Iterable[LoadElement], *, kv_base_by_bus: Mapping[str, float]
) -> tuple[str, ...]:
    """Return a remark for every load whose phases are rated for another voltage than they get.

    The published IEEE 34 (Mod 1) has such loads, so this is not an error.
    """
    return tuple(
        f"Load {load.name!r} is rated for {_rated_kv(load):.4g} kV but sits between one phase and "
        f"ground at a base of {kv_base_by_bus[load.bus]:.4g} kV."
        for load in loads
        if any(len(nodes) == 1 for nodes in terminal_pairs(load))
        and not 1.0 / BASE_MISFIT < _misfit(load, kv_base=kv_base_by_bus[load.bus]) < BASE_MISFIT
    )


def _rated_kv(load: LoadElement) -> float:
    """Return the rated voltage across each part of a load in kV."""
    return load.kv if load.is_delta or load.n_phases == 1 else load.kv / math.sqrt(3.0)


def _misfit(load: LoadElement, *, kv_base: float) -> float:
    """Return rated over base voltage, kept away from zero."""
    return max(_rated_kv(load) / kv_base, 1e-9)


def terminal_rows(
    connections: Sequence[LoadConnection], *, node_ids: Sequence[str]
) -> NDArray[np.intp]:
    """Return the two nodes each connection sits between; ground is the row after the last node."""
    row = {node: k for k, node in enumerate(node_ids)}
    ground = len(node_ids)
    pairs = [[*(row[f"{c.bus}.{node}"] for node in c.nodes), ground][:2] for c in connections]
    return np.array(pairs, dtype=np.intp)


def checked_power(
    values: ArrayLike, *, name: str, connections: Sequence[LoadConnection]
) -> list[float]:
    """Return one power per connection as floats; FeederError names the connection at fault."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (len(connections),):
        raise FeederError(
            f"`{name}` has shape {array.shape}, expected one value for each of the "
            f"{len(connections)} load connections."
        )
    bad = np.flatnonzero(~(np.abs(array) <= P_LIMIT_KW))
    if bad.size:
        raise FeederError(
            f"Connection {connections[bad[0]].connection_id!r}: `{name}` is "
            f"{array[bad[0]]}, expected a finite value within +-{P_LIMIT_KW:g}. Look for a "
            f"wrong unit (W instead of kW) or a missing sample in its households."
        )
    return [float(value) for value in array]
