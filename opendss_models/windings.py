"""Turns and impedances of a transformer, found in its properties and its primitive admittance.

OpenDSS stamps every phase alike: `A inv(Z) A^T`, with A from the rated voltages and taps of the
windings, plus three things that are no series impedance: a small reactive admittance on every
conductor that keeps delta windings from floating (`ppm_antifloat`, independent of the taps),
neutral impedances, and losses and magnetising current of the core on winding 2, which go with
1/tap^2.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from gradmap.feeder import ComplexArray, FloatArray
from opendss_models.raw_elements import RawElement

SQRT3 = math.sqrt(3.0)
_CORE = 1
"""Winding, from 0, on which OpenDSS puts the core."""


class Windings:
    """The series parts of a transformer, referred to winding 1: `windings - 1` of them a phase.

    Series part k of a phase carries the current that winding k takes from winding 1, in amperes
    of winding 1; an entry of the incidence is the turns ratio `V_1 / V_k`, over the tap ratio.

    A core on a regulated winding is not constant, so it becomes one more series part a phase, with
    the incidence of that winding alone.

    Attributes:
        kv: Rated voltage across one phase of each winding. [kV]
        tap_ratio: Of each winding. [pu]
        turns: Share of each conductor in each winding's phases at tap ratio 1, times V_1 / V_k,
            [winding, phase, conductor].
        has_core_part: Whether the core is a series part.
        z_ohm: Z of all series parts.
    """

    def __init__(self, element: RawElement, *, regulated: Collection[int] = ()) -> None:
        """Find turns and impedances of a Transformer with closed terminals."""
        self._element = element
        settings = element.properties
        self._is_delta = [str(conn).lower() == "delta" for conn in settings["conns"]]
        self.tap_ratio = np.array(settings["taps"], dtype=np.float64)
        kv = np.array(settings["kvs"], dtype=np.float64)
        is_wye = ~np.array(self._is_delta) & (element.n_phases in (2, 3))
        self.kv = np.where(is_wye, kv / SQRT3, kv)
        # LeadLag turns deltas around; the admittance says which way without repeating its rules.
        self._delta_step = min((1, -1), key=self._misfit)
        self.turns = self._turns(self._delta_step)
        has_core = settings["pctnoloadloss"] != 0.0 or settings["pctimag"] != 0.0
        self.has_core_part = has_core and _CORE in regulated
        self.z_ohm = self._impedance()

    def ends(self, winding: int) -> list[tuple[int, int]]:
        """Return the conductors at start and end of each phase of a winding."""
        return self._ends(winding, delta_step=self._delta_step)

    def incidence(self, *, neutral: Collection[int] = ()) -> FloatArray:
        """Return C with the taps as they are, but for windings to be taken at neutral."""
        ratio = self.tap_ratio.copy()
        ratio[list(neutral)] = 1.0
        c: FloatArray = np.sum([self.part_of(k) / t for k, t in enumerate(ratio)], axis=0)
        return c

    def part_of(self, winding: int) -> FloatArray:
        """Return what one winding at tap ratio 1 contributes to C."""
        own = self.turns[winding].T
        zero = np.zeros_like(own)
        others = range(1, len(self.kv))
        columns = [own if winding == 0 else -own if k == winding else zero for k in others]
        if self.has_core_part:
            columns.append(own if winding == _CORE else zero)
        return np.concatenate(columns, axis=1)

    def _impedance(self) -> ComplexArray:
        """Return Z of all series parts. [ohm]"""
        n_phases = self._element.n_phases
        y = self._admittance(self.turns)
        z: ComplexArray = np.linalg.inv(y[1:, 1:]).astype(np.complex128)
        if self.has_core_part:
            n = len(z)
            z = np.pad(z, (0, 1))
            z[n, n] = self._core_z
        return np.kron(0.5 * (z + z.T), np.eye(n_phases)).astype(np.complex128)

    @property
    def _core_z(self) -> complex:
        """Return the impedance of the core seen from winding 1. [ohm]

        OpenDSS: Y = (%noloadloss - j %imag) / 100 of the rating of winding 1, per squared volt.
        """
        settings = self._element.properties
        va = settings["kvas"][0] * 1e3 / self._element.n_phases
        share = complex(settings["pctnoloadloss"], -settings["pctimag"]) / 100.0
        return complex((self.kv[0] * 1e3) ** 2 / (share * va))

    def _ends(self, winding: int, *, delta_step: int) -> list[tuple[int, int]]:
        """Return `ends` with delta legs to the next or to the previous phase."""
        n_phases, n = self._element.n_phases, self._element.n_conductors
        first = winding * n
        if self._is_delta[winding] and n_phases > 1:
            return [(first + k, first + (k + delta_step) % n_phases) for k in range(n_phases)]
        return [(first + k, first + n - 1) for k in range(n_phases)]

    def _turns(self, delta_step: int) -> FloatArray:
        """Return `turns` with delta legs to the next or to the previous phase."""
        element = self._element
        turns = np.zeros((len(self.kv), element.n_phases, len(element.node_numbers)))
        for k, kv in enumerate(self.kv):
            for phase, (start, end) in enumerate(self._ends(k, delta_step=delta_step)):
                turns[k, phase, start] += self.kv[0] / kv
                turns[k, phase, end] -= self.kv[0] / kv
        return turns

    def _admittance(self, turns: FloatArray) -> ComplexArray:
        """Return the admittance between the windings of one phase, seen from winding 1. [S]

        It comes from the blocks between windings, where shunts have no share.
        """
        scaled = turns / self.tap_ratio[:, None, None]
        n = len(scaled)
        y = np.zeros((n, n), dtype=np.complex128)
        for a in range(n):
            for b in range(a + 1, n):
                pattern = scaled[a].T @ scaled[b]
                found = np.sum(pattern * self._element.y_prim) / np.sum(pattern * pattern)
                y[a, b] = y[b, a] = found
        np.fill_diagonal(y, -y.sum(axis=1))
        return y

    def _misfit(self, delta_step: int) -> float:
        """Return how badly a direction of the deltas explains the blocks between windings. [S]"""
        turns = self._turns(delta_step)
        scaled = turns / self.tap_ratio[:, None, None]
        y, n = self._admittance(turns), self._element.n_conductors
        error = 0.0
        for a in range(len(turns)):
            for b in range(a + 1, len(turns)):
                block = (slice(a * n, (a + 1) * n), slice(b * n, (b + 1) * n))
                left = self._element.y_prim[block] - y[a, b] * (scaled[a].T @ scaled[b])[block]
                error += float(np.abs(left).sum())
        return error
