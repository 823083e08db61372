"""Loads, generating elements and household places of a compiled circuit as connections."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradmap.feeder import Connections, LoadModel
from opendss_models.connections import LEG_FACTORS, LoadConnection, terminal_rows
from opendss_models.household_loads import (
    HOUSEHOLD_PREFIX,
    HOUSEHOLD_V_LOW_PU,
    HOUSEHOLD_V_MAX_PU,
    HOUSEHOLD_V_MIN_PU,
)
from opendss_models.raw_elements import NodeIndex, RawElement

SQRT3 = math.sqrt(3.0)
_NO_ZIPV = (0.0,) * 7
_CONSTANT_POWER: tuple[LoadModel, tuple[float, float] | None] = (LoadModel.CONSTANT_POWER, None)
LOAD_MODELS: Mapping[int, tuple[LoadModel, tuple[float, float] | None]] = {
    1: _CONSTANT_POWER,
    2: (LoadModel.CONSTANT_IMPEDANCE, None),
    # A motor: constant P, quadratic Q; its limits are those of model 4.
    3: (LoadModel.EXPONENTIAL, (0.0, 2.0)),
    4: (LoadModel.EXPONENTIAL, None),
    5: (LoadModel.CONSTANT_CURRENT, None),
    8: (LoadModel.ZIPV, None),
}
"""Row model and, if it is not in the load's own properties, exponents of OpenDSS's load models."""


class Row(NamedTuple):
    """One connection; fields as in `Connections`."""

    connection_id: str
    element_id: str
    nodes: tuple[int, int]
    kv_rated: float
    kv_base: float
    model: int
    p_kw: float
    q_kvar: float
    v_min_pu: float
    v_max_pu: float
    v_low_pu: float
    exponents: tuple[float, float] = (0.0, 0.0)
    zipv: tuple[float, ...] = _NO_ZIPV


def to_connections(rows: Sequence[Row]) -> Connections:
    """Return rows as arrays."""
    n = len(rows)

    def column(name: str, *, shape: tuple[int, ...] = (), dtype: Any = np.float64) -> Any:
        values = np.array([getattr(row, name) for row in rows], dtype=dtype)
        return values.reshape(n, *shape)

    return Connections(
        connection_ids=tuple(row.connection_id for row in rows),
        element_ids=tuple(row.element_id for row in rows),
        nodes=column("nodes", shape=(2,), dtype=np.int64),
        kv_rated=column("kv_rated"),
        kv_base=column("kv_base"),
        model=column("model", dtype=np.int64),
        p_kw=column("p_kw"),
        q_kvar=column("q_kvar"),
        v_min_pu=column("v_min_pu"),
        v_max_pu=column("v_max_pu"),
        v_low_pu=column("v_low_pu"),
        exponents=column("exponents", shape=(2,)),
        zipv=column("zipv", shape=(7,)),
    )


def load_rows(element: RawElement, *, index: NodeIndex, kv_base: float) -> Iterator[Row]:
    """Yield the connections of a Load.

    Args:
        element: The Load.
        index: Rows of the feeder's nodes.
        kv_base: Line-to-neutral base of its bus. [kV]
    """
    settings = element.properties
    model, exponents = LOAD_MODELS.get(int(settings["model"]), _CONSTANT_POWER)
    if model is LoadModel.EXPONENTIAL and exponents is None:
        exponents = (float(settings["cvrwatts"]), float(settings["cvrvars"]))
    yield from _rows(
        element,
        index=index,
        kv_base=kv_base,
        model=model,
        s_kva=complex(settings["kw"], settings["kvar"]),
        v_low_pu=float(settings["vlowpu"]),
        exponents=exponents or (0.0, 0.0),
        zipv=tuple(settings["zipv"]) if model is LoadModel.ZIPV else _NO_ZIPV,
    )


def generator_rows(
    element: RawElement, *, index: NodeIndex, kv_base: float, multiplier: float
) -> Iterator[Row]:
    """Yield the connections of a Generator, PVSystem or Storage at its present power.

    Outside its voltage limits OpenDSS makes it the constant impedance that continues it: no
    voltage is low enough for its nominal impedance.

    Args:
        element: The generating element.
        index: Rows of the feeder's nodes.
        kv_base: Line-to-neutral base of its bus. [kV]
        multiplier: The circuit's multiplier of Generators.
    """
    settings = element.properties
    s_kva = complex(settings.get("kw", 0.0), settings["kvar"])
    if element.kind == "pvsystem":
        # Its power is no property: it follows from irradiance, temperature and inverter.
        element.context.PVsystems.Name(element.name.split(".", 1)[1])
        s_kva = complex(element.context.PVsystems.kW(), element.context.PVsystems.kvar())
    elif element.kind == "generator" and str(settings["status"]).lower() != "fixed":
        s_kva *= multiplier
    model = int(settings["model"])
    yield from _rows(
        element,
        index=index,
        kv_base=kv_base,
        model=LoadModel.CONSTANT_IMPEDANCE if model == 2 else LoadModel.CONSTANT_POWER,
        s_kva=-s_kva,
        v_low_pu=0.0,
    )


def _rows(
    element: RawElement,
    *,
    index: NodeIndex,
    kv_base: float,
    model: LoadModel,
    s_kva: complex,
    v_low_pu: float,
    exponents: tuple[float, float] = (0.0, 0.0),
    zipv: tuple[float, ...] = _NO_ZIPV,
) -> Iterator[Row]:
    """Yield one connection per part; each has the same share of the power."""
    settings, ids = element.properties, element.node_ids
    rows = index.rows(element).tolist()
    is_delta = str(settings["conn"]).lower() == "delta"
    kv_rated = float(settings["kv"])
    if not is_delta and element.n_phases in (2, 3):
        kv_rated /= SQRT3
    for a, b in _parts(element, is_delta=is_delta):
        phases = ".".join(str(element.node_numbers[k]) for k in (a, b) if ids[k])
        yield Row(
            connection_id=f"{element.name}.{phases}",
            element_id=element.name,
            nodes=(rows[a], rows[b]),
            kv_rated=kv_rated,
            kv_base=_base_kv(kv_rated, kv_base=kv_base, is_leg=bool(ids[a] and ids[b])),
            model=int(model),
            p_kw=s_kva.real / element.n_phases,
            q_kvar=s_kva.imag / element.n_phases,
            v_min_pu=float(settings["vminpu"]),
            v_max_pu=float(settings["vmaxpu"]),
            v_low_pu=v_low_pu,
            exponents=exponents,
            zipv=zipv,
        )


def _parts(element: RawElement, *, is_delta: bool) -> list[tuple[int, int]]:
    """Return the two conductors of each single-phase part of a load or generating element."""
    n = element.n_conductors
    if is_delta:
        return [(k, (k + 1) % n) for k in range(element.n_phases)]
    return [(k, n - 1) for k in range(element.n_phases)]


def _base_kv(kv_rated: float, *, kv_base: float, is_leg: bool) -> float:
    """Return the base of a part: line-to-neutral, or the leg voltage nearest to its rating."""
    if not is_leg:
        return kv_base
    return kv_base * min(LEG_FACTORS, key=lambda f: abs(math.log(kv_rated / (f * kv_base))))


def read_places(connections: Sequence[LoadConnection], *, node_ids: Sequence[str]) -> Connections:
    """Return where households can sit, as `Engine.attach_households` makes them."""
    rows = terminal_rows(connections, node_ids=node_ids).tolist()
    return to_connections(
        [
            Row(
                connection_id=place.connection_id,
                element_id=f"load.{HOUSEHOLD_PREFIX}{place.connection_id}",
                nodes=(nodes[0], nodes[1]),
                kv_rated=place.kv_base,
                kv_base=place.kv_base,
                model=int(LoadModel.CONSTANT_POWER),
                p_kw=0.0,
                q_kvar=0.0,
                v_min_pu=HOUSEHOLD_V_MIN_PU,
                v_max_pu=HOUSEHOLD_V_MAX_PU,
                v_low_pu=HOUSEHOLD_V_LOW_PU,
            )
            for place, nodes in zip(connections, rows, strict=True)
        ]
    )
