"""Set what every connection of an extracted feeder draws in the engine, element by element.

OpenDSS knows elements, a `Feeder` their wye phases and delta legs: an element gets the sum of its
parts. `kW` is always written before `kvar`, because writing `kW` rescales `kvar`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradmap.errors import FeederError
from gradmap.feeder import Connections, FloatArray
from opendss_models.connections import P_LIMIT_KW
from opendss_models.controls import element_names
from opendss_models.engine import Engine

HOUSEHOLD = "load.gm_"
"""Elements of `Feeder.places`, as `Engine.attach_households` makes them."""
INJECTION = "injection."
"""Elements of `Feeder.with_injections`; the engine gets a load of constant power for each."""
EQUAL = 1e-9
"""Powers that differ by less, relative or in kW, are the same. [-]"""
_SETTABLE = ("load.", "generator.", INJECTION)


class PowerSetter:
    """Writes powers of connections into an engine's Load and Generator elements."""

    def __init__(self, engine: Engine, connections: Connections) -> None:
        """Find the element of every connection; attach households or injections if it has them."""
        self._dss = engine.context
        self._ids = connections.connection_ids
        self._nominal = {"p_kw": connections.p_kw, "q_kvar": connections.q_kvar}
        element_ids = connections.element_ids
        if any(name.startswith(HOUSEHOLD) for name in element_ids):
            engine.attach_households()
        elements = tuple(dict.fromkeys(element_ids))
        self._first_row = np.array([element_ids.index(name) for name in elements], dtype=np.intp)
        self._element_of = np.array([elements.index(name) for name in element_ids], dtype=np.intp)
        self._fixed = np.array([not name.startswith(_SETTABLE) for name in element_ids])
        for name, row in zip(elements, self._first_row.tolist(), strict=True):
            if name.startswith(INJECTION):
                _add_injection(engine, name, kv=float(connections.kv_base[row]))
        self._handles = [self._handle(name) for name in elements]

    def checked(self, p_kw: FloatArray, q_kvar: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the powers as float arrays [batch, connection], or say what is wrong with them."""
        arrays = []
        for name, values in (("p_kw", p_kw), ("q_kvar", q_kvar)):
            array = np.asarray(values, dtype=np.float64)
            if array.ndim != 2 or array.shape[1] != len(self._ids):
                raise FeederError(
                    f"`{name}` has shape {array.shape}, expected (batch, {len(self._ids)}): a "
                    f"column for each connection."
                )
            bad = np.argwhere(~(np.abs(array) <= P_LIMIT_KW))
            if len(bad):
                sample, row = bad[0]
                raise FeederError(
                    f"Connection {self._ids[row]!r}: `{name}` is {array[sample, row]} in situation "
                    f"{sample}, expected a finite value within +-{P_LIMIT_KW:g}."
                )
            self._check_parts(array, name=name)
            self._check_fixed(array, name=name)
            arrays.append(array)
        if len(arrays[0]) != len(arrays[1]):
            raise FeederError(
                f"`p_kw` has {len(arrays[0])} situations and `q_kvar` {len(arrays[1])}, expected "
                f"equally many."
            )
        return arrays[0], arrays[1]

    def _check_parts(self, values: FloatArray, *, name: str) -> None:
        """OpenDSS shares an element's power equally between its phases."""
        first = self._first_row[self._element_of]
        apart = np.abs(values - values[:, first])
        self._complain(
            apart > EQUAL * (1.0 + np.abs(values[:, first])),
            values,
            name=name,
            why="unlike the other parts of its element. OpenDSS shares an element's power equally: "
            "give its parts equal values.",
        )

    def _check_fixed(self, values: FloatArray, *, name: str) -> None:
        """PV systems and storage have no power that could simply be set."""
        apart = np.abs(values - self._nominal[name])
        self._complain(
            self._fixed & (apart > EQUAL * (1.0 + np.abs(values))),
            values,
            name=name,
            why="but this reference sets only Load and Generator elements. Leave the power of "
            "other elements as the feeder has it.",
        )

    def _complain(
        self, wrong: NDArray[np.bool_], values: FloatArray, *, name: str, why: str
    ) -> None:
        """Raise about the first wrong value."""
        if wrong.any():
            sample, row = np.argwhere(wrong)[0]
            raise FeederError(
                f"Connection {self._ids[row]!r}: `{name}` is {values[sample, row]} in situation "
                f"{sample}, {why}"
            )

    def set(self, p_kw: FloatArray, q_kvar: FloatArray) -> None:
        """Set what every connection draws, each [connection]."""
        n = len(self._handles)
        p_all = np.bincount(self._element_of, weights=p_kw, minlength=n)
        q_all = np.bincount(self._element_of, weights=q_kvar, minlength=n)
        for handle, p, q in zip(self._handles, p_all.tolist(), q_all.tolist(), strict=True):
            if handle is not None:
                collection, index, sign = handle
                collection.Idx(index)
                collection.kW(sign * p)
                collection.kvar(sign * q)

    def present(self) -> list[tuple[float, float]]:
        """Return what `put_back` takes: the powers as they are in the engine."""
        found = []
        for collection, index, _ in filter(None, self._handles):
            collection.Idx(index)
            if not self._dss.CktElement.Enabled():
                raise FeederError(
                    f"Element {collection.Name()!r} of the feeder's connections is switched off in "
                    f"the engine: households took the place of its own loads. Use a fresh engine."
                )
            found.append((collection.kW(), collection.kvar()))
        return found

    def put_back(self, powers: list[tuple[float, float]]) -> None:
        """Set the powers that `present` returned."""
        handles = filter(None, self._handles)
        for (collection, index, _), (kw, kvar) in zip(handles, powers, strict=True):
            collection.Idx(index)
            collection.kW(kw)
            collection.kvar(kvar)

    def _handle(self, name: str) -> tuple[Any, int, float] | None:
        """Return collection, position and sign of drawn power; None if it cannot be set."""
        kind, _, own = name.partition(".")
        if not name.startswith(_SETTABLE):
            return None
        if name.startswith(INJECTION):
            own = _injection_name(name)
        generates = kind == "generator"
        collection = self._dss.Generators if generates else self._dss.Loads
        names = [item.lower() for item in element_names(collection)]
        if own not in names:
            raise FeederError(
                f"The engine's circuit has no element {name!r} that the feeder's connections name. "
                f"Extract the feeder from this circuit."
            )
        return collection, names.index(own) + 1, -1.0 if generates else 1.0


def _injection_name(element_id: str) -> str:
    """Return the name of the Load that stands for an injection."""
    return "gm_" + element_id


def _add_injection(engine: Engine, element_id: str, *, kv: float) -> None:
    """Add a load of constant power, with the limits of `Feeder.with_injections`."""
    name = _injection_name(element_id)
    if name in (item.lower() for item in engine.context.Loads.AllNames()):
        return
    engine.context.Text.Command(
        f'new "load.{name}" bus1="{element_id.removeprefix(INJECTION)}" phases=1 conn=wye '
        f"kv={kv!r} model=1 vminpu=0.5 vmaxpu=2 vlowpu=0.25 kw=0 kvar=0 status=fixed"
    )
    engine.circuit_changed()
