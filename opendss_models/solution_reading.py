"""Read a solution of the engine in the orders of an extracted feeder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradmap.errors import FeederError
from gradmap.feeder import ComplexArray, Feeder, FloatArray


class SolutionReader:
    """Currents, loadings and source powers by the rows of a feeder's branches and sources."""

    def __init__(self, dss: Any, feeder: Feeder) -> None:
        """Find the feeder's branches among the circuit's delivery elements."""
        self._dss = dss
        self._sources = tuple(source.source_id for source in feeder.sources)
        self._source_sizes = tuple(len(source.nodes) for source in feeder.sources)
        names = [name.lower() for name in dss.PDElements.AllNames()]
        sizes = np.array(dss.PDElements.AllNumConductors(), dtype=np.intp) * np.array(
            dss.PDElements.AllNumTerminals(), dtype=np.intp
        )
        ends = np.cumsum(sizes)
        row = {name: k for k, name in enumerate(names)}
        missing = [b.branch_id for b in feeder.branches if b.branch_id not in row]
        if missing:
            raise FeederError(
                f"Feeder {feeder.name!r}: the engine's circuit has no element {missing[0]!r}. "
                f"Extract the feeder from this circuit."
            )
        self._rows = np.array([row[b.branch_id] for b in feeder.branches], dtype=np.intp)
        parts: list[NDArray[np.intp]] = []
        for branch, k in zip(feeder.branches, self._rows.tolist(), strict=True):
            if sizes[k] != len(branch.nodes):
                raise FeederError(
                    f"Branch {branch.branch_id!r} has {len(branch.nodes)} conductors, but "
                    f"{sizes[k]} in the engine's circuit. Extract the feeder from this circuit."
                )
            parts.append(np.arange(ends[k] - sizes[k], ends[k]))
        self._conductors = np.concatenate(parts) if parts else np.zeros(0, dtype=np.intp)

    def branch_currents_a(self) -> ComplexArray:
        """Return the current into every conductor of the branches, [conductor]. [A]."""
        currents = np.asarray(self._dss.PDElements.AllCurrents(), dtype=np.float64)
        found: ComplexArray = currents.view(np.complex128)[self._conductors]
        return found

    def loading(self) -> FloatArray:
        """Return the largest phase current over the normal rating, [branch]. [-]."""
        percent = np.asarray(self._dss.PDElements.AllPctNorm(False), dtype=np.float64)
        found: FloatArray = percent[self._rows] * 1e-2
        return found

    def head_power_kva(self) -> ComplexArray:
        """Return the power from the sources into the feeder, [source conductor]. [kVA]."""
        parts = []
        for name, size in zip(self._sources, self._source_sizes, strict=True):
            self._dss.Circuit.SetActiveElement(name)
            powers = np.asarray(self._dss.CktElement.Powers(), dtype=np.float64)
            parts.append(-powers.view(np.complex128)[:size])
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.complex128)


def write_node_voltages(dss: Any, *, node_ids: Sequence[str], v_v: ComplexArray) -> None:
    """Write node voltages from which the next solve starts, in the order of `node_ids`. [V]."""
    position = {name.lower(): k for k, name in enumerate(dss.Circuit.YNodeOrder(), start=1)}
    voltages = dss.YMatrix.VVector()  # real and imaginary parts in turns, ground first
    for name, value in zip(node_ids, v_v.tolist(), strict=True):
        k = 2 * position[name]
        voltages[k], voltages[k + 1] = value.real, value.imag
