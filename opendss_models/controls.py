"""Positions of regulators and capacitors: read, set, save and restore.

Final taps depend on where the controls start (measured on the 123-bus feeder: warm and cold starts
differ in 198 of 200 loadings), so whoever wants one answer per situation restores a state first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gradmap.errors import FeederError


@dataclass(frozen=True, kw_only=True)
class ControlState:
    """Positions of everything that controls move."""

    taps: tuple[int, ...]
    """Tap position per regulator, 0 at neutral."""
    capacitor_steps: tuple[tuple[int, ...], ...]
    """1 for every step that is in, per capacitor; empty if nothing switches capacitors."""
    capacitor_open: tuple[bool, ...]
    """Whether the capacitor's switch is open; OpenDSS keeps it apart from the steps."""


class Controls:
    """Regulators and switched capacitors of one compiled circuit."""

    def __init__(self, dss: Any) -> None:
        """Remember an engine context with a circuit in it."""
        self._dss = dss
        self.regulator_ids = tuple(name.lower() for name in element_names(dss.RegControls))
        switched = dss.CapControls.Count() > 0
        self._capacitors = element_names(dss.Capacitors) if switched else ()

    def taps(self) -> tuple[int, ...]:
        """Return every regulator's tap position, 0 at neutral."""
        regulators = self._dss.RegControls
        positions = []
        for index in range(1, len(self.regulator_ids) + 1):
            regulators.Idx(index)
            positions.append(regulators.TapNumber())
        return tuple(positions)

    def set_taps(self, taps: ArrayLike) -> None:
        """Move every regulator to a tap position, [regulator]."""
        wanted = np.asarray(taps)
        if wanted.shape != (len(self.regulator_ids),) or not np.all(wanted == np.rint(wanted)):
            raise FeederError(
                f"Taps {wanted.tolist()} do not fit, expected one whole number for each of the "
                f"{len(self.regulator_ids)} regulators: {', '.join(self.regulator_ids) or 'none'}."
            )
        regulators = self._dss.RegControls
        for index, tap in enumerate(wanted.tolist(), start=1):
            regulators.Idx(index)
            if regulators.TapNumber() != int(tap):  # writing makes OpenDSS rebuild its matrix
                regulators.TapNumber(int(tap))

    def state(self) -> ControlState:
        """Return all positions."""
        steps, is_open = [], []
        for name in self._capacitors:
            self._dss.Capacitors.Name(name)
            steps.append(tuple(self._dss.Capacitors.States()))
            is_open.append(bool(self._dss.CktElement.IsOpen(1, 0)))
        return ControlState(
            taps=self.taps(), capacitor_steps=tuple(steps), capacitor_open=tuple(is_open)
        )

    def restore(self, state: ControlState) -> None:
        """Put everything where it was when `state` was taken."""
        self.set_taps(np.array(state.taps, dtype=np.int64))
        capacitors, element = self._dss.Capacitors, self._dss.CktElement
        entries = zip(self._capacitors, state.capacitor_steps, state.capacitor_open, strict=True)
        for name, steps, is_open in entries:
            capacitors.Name(name)
            if bool(element.IsOpen(1, 0)) != is_open:
                (element.Open if is_open else element.Close)(1, 0)
            if tuple(capacitors.States()) != steps:
                capacitors.States(list(steps))


def element_names(collection: Any) -> tuple[str, ...]:
    """Return the names in an OpenDSS collection, which spells an empty one ['NONE']."""
    return tuple(collection.AllNames()) if collection.Count() else ()
