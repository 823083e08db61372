"""OpenDSS as a reference: solve a batch of situations in the real engine, one after another.

It answers in the orders of an extracted `Feeder`, so `gradmap.power_flow` can be compared with it
number by number. Everything it changes in the engine is put back after each call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradmap.errors import FeederError
from gradmap.feeder import ComplexArray, Feeder, FloatArray
from gradmap.reference import SolvedSituations
from opendss_models.engine import Engine, EngineSettings
from opendss_models.power_setting import PowerSetter
from opendss_models.reference_state import BorrowedState
from opendss_models.solution_reading import SolutionReader, write_node_voltages
from opendss_models.solve_status import SolveStatus

__all__ = ["REFERENCE_SETTINGS", "OpenDSSReference"]

REFERENCE_SETTINGS = EngineSettings(tolerance=1e-11, max_iterations=1000, v_plausible_pu=(0.0, 1e6))
"""As exact as the engine gets; a low voltage is a result like any other."""

_CONTROL_OFF = -1
_CONTROL_STATIC = 0


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One situation's solution."""

    status: int
    node_v_pu: ComplexArray
    branch_i_a: ComplexArray
    loading: FloatArray
    losses_kva: complex
    head_kva: ComplexArray
    tap_ratios: FloatArray


class OpenDSSReference:
    """Solves batches in an engine; `gradmap.reference.ReferenceSolver` says what comes out.

    The engine's own tolerance counts: pass an engine made with `REFERENCE_SETTINGS` for checks.
    """

    def __init__(self, engine: Engine, feeder: Feeder) -> None:
        """Find the feeder's connections, branches, sources and regulators in the engine.

        Args:
            engine: The compiled circuit that `feeder` was extracted from. Its own loads give way to
                households for good if the feeder's connections are its places.
            feeder: Gives the orders of all arrays.

        Raises:
            FeederError: The engine lacks something that the feeder has.
        """
        if feeder.nodes.node_ids != engine.node_ids:
            raise FeederError(
                f"Feeder {feeder.name!r} has {feeder.n_nodes} nodes which are not the "
                f"{len(engine.node_ids)} of the engine's {engine.feeder}. Extract it from there."
            )
        self._engine = engine
        self._feeder = feeder
        self._dss = engine.context
        self._powers = PowerSetter(engine, feeder.connections)
        self._reader = SolutionReader(self._dss, feeder)
        self._state = BorrowedState(engine, feeder, powers=self._powers)

    @property
    def feeder(self) -> Feeder:
        """The feeder whose orders all arrays follow."""
        return self._feeder

    def solve(
        self,
        p_kw: FloatArray,
        q_kvar: FloatArray,
        *,
        tap_ratios: FloatArray | None = None,
        start_v_pu: ComplexArray | None = None,
        tolerance: float | None = None,
    ) -> SolvedSituations:
        """Solve with all controls off.

        Args:
            p_kw: Active power of every connection, [batch, connection]; the parts of one element
                must be equal. [kW]
            q_kvar: Reactive power, positive absorbs. [kvar]
            tap_ratios: [batch, regulator], any ratio between the transformer's limits; the feeder
                file's if None. [pu]
            start_v_pu: Node voltages that the iterations start from, [batch, node]; those without
                load if None. It matters where a situation has several solutions. [pu]
            tolerance: Largest voltage change between the last two iterations; the engine's if
                None. [pu]
        """
        p_kw, q_kvar = self._powers.checked(p_kw, q_kvar)
        taps = self._taps(tap_ratios, n=len(p_kw))
        starts = [None] * len(p_kw) if start_v_pu is None else list(start_v_pu)
        with self._state.borrowed(_CONTROL_OFF, tolerance=tolerance):
            return self._collect(
                self._solve_one(p, q, taps=t, start_v_pu=v)
                for p, q, t, v in zip(p_kw, q_kvar, taps, starts, strict=True)
            )

    def control_taps(
        self, p_kw: FloatArray, q_kvar: FloatArray, *, start_tap_ratios: FloatArray | None = None
    ) -> SolvedSituations:
        """Solve with the feeder's regulators acting, every situation from its own start taps.

        Args:
            p_kw: Active power of every connection, [batch, connection]. [kW]
            q_kvar: Reactive power, positive absorbs. [kvar]
            start_tap_ratios: [batch, regulator]; the feeder file's if None. [pu]
        """
        p_kw, q_kvar = self._powers.checked(p_kw, q_kvar)
        taps = self._taps(start_tap_ratios, n=len(p_kw))
        with self._state.borrowed(_CONTROL_STATIC):
            return self._collect(
                self._solve_one(p, q, taps=t) for p, q, t in zip(p_kw, q_kvar, taps, strict=True)
            )

    def control_series(
        self, p_kw: FloatArray, q_kvar: FloatArray, *, start_tap_ratios: FloatArray | None = None
    ) -> SolvedSituations:
        """Solve with controls acting, every situation from where the one before ended.

        Args:
            p_kw: Active power of every connection, [time, connection]. [kW]
            q_kvar: Reactive power, positive absorbs. [kvar]
            start_tap_ratios: Before the first situation, [1, regulator]. [pu]
        """
        p_kw, q_kvar = self._powers.checked(p_kw, q_kvar)
        taps = self._taps(start_tap_ratios, n=1)[0]
        rows = []
        with self._state.borrowed(_CONTROL_STATIC):
            for p, q in zip(p_kw, q_kvar, strict=True):
                rows.append(self._solve_one(p, q, taps=taps))
                taps = rows[-1].tap_ratios if rows[-1].status == SolveStatus.OK else taps
            return self._collect(iter(rows))

    # ------------------------------------------------------------------ one situation

    def _solve_one(
        self,
        p_kw: FloatArray,
        q_kvar: FloatArray,
        *,
        taps: FloatArray,
        start_v_pu: ComplexArray | None = None,
    ) -> _Row:
        """Solve one situation as if it were the first.

        From the voltages of another situation OpenDSS may find another of several solutions.
        """
        self._state.set_tap_ratios(taps)
        self._powers.set(p_kw, q_kvar)
        mode = self._dss.Solution.ControlMode()
        self._state.start_cold(mode)
        if start_v_pu is not None:
            self._engine.solve()  # builds the matrix and the list of nodes
            write_node_voltages(
                self._dss,
                node_ids=self._engine.node_ids,
                v_v=1e3 * self._engine.node_kv_base * start_v_pu,
            )
        outcome = self._engine.solve()
        if outcome.status is not SolveStatus.OK:  # the engine has gone back to its own mode
            self._dss.Solution.ControlMode(mode)
        read = self._reader
        return _Row(
            status=int(outcome.status),
            node_v_pu=self._engine.node_v_pu(),
            branch_i_a=read.branch_currents_a(),
            loading=read.loading(),
            losses_kva=complex(*self._engine.losses()),
            head_kva=read.head_power_kva(),
            tap_ratios=self._state.tap_ratios(),
        )

    def _collect(self, rows: Iterator[_Row]) -> SolvedSituations:
        """Stack the situations; what did not solve is not a number."""
        found = list(rows)
        status = np.array([row.status for row in found], dtype=np.int64)
        failed = status != int(SolveStatus.OK)

        def stacked(name: str) -> FloatArray:
            values = np.array([getattr(row, name) for row in found])
            values[failed] = np.nan
            return values

        losses_kva, head_kva = stacked("losses_kva"), stacked("head_kva")
        return SolvedSituations(
            status=status,
            node_v_pu=stacked("node_v_pu").astype(np.complex128),
            branch_i_a=stacked("branch_i_a").astype(np.complex128),
            loading=stacked("loading"),
            losses_kw=losses_kva.real,
            losses_kvar=losses_kva.imag,
            head_p_kw=head_kva.real,
            head_q_kvar=head_kva.imag,
            tap_ratios=stacked("tap_ratios").reshape(len(found), len(self._feeder.regulators)),
        )

    # ------------------------------------------------------------------ input

    def _taps(self, ratios: FloatArray | None, *, n: int) -> FloatArray:
        """Return one row of ratios per situation, the file's by default."""
        regulators = self._feeder.regulators
        if ratios is None:
            return np.tile(self._feeder.tap_ratios, (n, 1))
        taps = np.asarray(ratios, dtype=np.float64)
        if taps.shape != (n, len(regulators)):
            raise FeederError(
                f"Tap ratios have shape {taps.shape}, expected ({n}, {len(regulators)}): a row per "
                f"situation, a column per regulator."
            )
        for k, r in enumerate(regulators):
            inside = (r.tap_ratio_min <= taps[:, k]) & (taps[:, k] <= r.tap_ratio_max)
            if not inside.all():
                raise FeederError(
                    f"Regulator {r.regulator_id!r}: tap ratio {taps[~inside, k][0]}, expected in "
                    f"[{r.tap_ratio_min}, {r.tap_ratio_max}]; OpenDSS would cut it silently."
                )
        return taps
