"""The Load elements that stand for households in the engine: one per load connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opendss_models.connections import LoadConnection

HOUSEHOLD_V_MIN_PU = 0.7
HOUSEHOLD_V_MAX_PU = 1.3
"""Households are constant power between these voltages: OpenDSS's default switch to constant
impedance at 0.95 and 1.05 pu sits on the usual limits and hides violations. [pu]"""
HOUSEHOLD_V_LOW_PU = 0.5
"""Below, they are a constant impedance. [pu]"""
HOUSEHOLD_PREFIX = "gm_"
"""Starts the names of their Load elements."""


def attach_loads(dss: Any, connections: Sequence[LoadConnection]) -> list[int]:
    """Add one constant-power Load of 0 kW per connection; return their numbers in the engine.

    They ignore the file's load multiplier, so what is set is what is drawn.
    """
    for connection in connections:
        bus = ".".join([connection.bus, *map(str, connection.nodes)])
        kind = "wye" if len(connection.nodes) == 1 else "delta"
        dss.Text.Command(
            f'new "load.{HOUSEHOLD_PREFIX}{connection.connection_id}" bus1="{bus}" phases=1 '
            f"conn={kind} kv={connection.kv_base!r} model=1 vminpu={HOUSEHOLD_V_MIN_PU} "
            f"vmaxpu={HOUSEHOLD_V_MAX_PU} vlowpu={HOUSEHOLD_V_LOW_PU} kw=0 kvar=0 status=fixed"
        )
    n_loads = dss.Loads.Count()
    return list(range(n_loads - len(connections) + 1, n_loads + 1))


def write_powers(
    dss: Any, indices: Sequence[int], *, p_kw: Sequence[float], q_kvar: Sequence[float]
) -> None:
    """Set active and reactive power of Loads by their numbers in the engine."""
    loads = dss.Loads
    # Always kW, then kvar: OpenDSS rescales or flips kvar when kW is written.
    for index, p_value, q_value in zip(indices, p_kw, q_kvar, strict=True):
        loads.Idx(index)
        loads.kW(p_value)
        loads.kvar(q_value)
