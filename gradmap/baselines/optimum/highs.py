"""The day's convex program as one linear program for HiGHS: a second opinion on its optimum.

The only curvature, fuel cost, is replaced by its tangent at a given solution. Tangents of a convex
cost are below it, so the linear program's value is a lower bound of the convex program's, found by
another method in another implementation. And if the given solution is optimal, the two values are
the same: the first-order conditions of both programs are.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gradmap.baselines.optimum.interior_point import Optimum
from gradmap.baselines.optimum.program import Program
from gradmap.extras import import_extra
from gradmap.feeder import FloatArray, IndexArray


@dataclass(frozen=True, kw_only=True)
class HighsResult:
    """What HiGHS found."""

    value: float
    """Of the linear program, in the units of `Optimum.cost`, penalty included. [cur]"""
    optimal: bool
    n_columns: int
    n_rows: int
    seconds: float


def import_highspy() -> Any:
    """Return the module.

    Raises:
        MissingExtraError: It is not installed.
    """
    return import_extra(
        "highspy", extra="optimum", needed_by="the second opinion on a centralised optimum"
    )


def highs_value(program: Program, *, at: Optimum, solver: str = "ipm") -> HighsResult:
    """Return the value of a program with fuel cost linearised at a solution.

    Args:
        program: Whose value; a proximal term is left out.
        at: Where fuel cost is linearised.
        solver: HiGHS's method: "ipm", "simplex" or "pdlp".
    """
    highspy = import_highspy()
    began = time.perf_counter()
    lp = _LinearProgram(program, at)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("solver", solver)
    highs.setOptionValue("run_crossover", "off")
    highs.setOptionValue("threads", 1)
    highs.passModel(_highs_lp(highspy, lp))
    highs.run()
    return HighsResult(
        value=highs.getInfo().objective_function_value + lp.constant,
        optimal=highs.getModelStatus() == highspy.HighsModelStatus.kOptimal,
        n_columns=lp.n_columns,
        n_rows=lp.n_rows,
        seconds=time.perf_counter() - began,
    )


def _highs_lp(highspy: Any, lp: _LinearProgram) -> Any:
    matrix = lp.matrix()
    made = highspy.HighsLp()
    made.num_col_, made.num_row_ = lp.n_columns, lp.n_rows
    made.col_cost_ = np.concatenate(lp.costs)
    made.col_lower_, made.col_upper_ = np.concatenate(lp.low), np.concatenate(lp.high)
    made.row_lower_, made.row_upper_ = np.concatenate(lp.row_low), np.concatenate(lp.row_high)
    made.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    made.a_matrix_.start_ = matrix.indptr
    made.a_matrix_.index_ = matrix.indices
    made.a_matrix_.value_ = matrix.data
    return made


class _LinearProgram:
    """Columns, rows and entries, collected block by block."""

    def __init__(self, program: Program, at: Optimum) -> None:
        self.n_columns = self.n_rows = 0
        self.costs: list[FloatArray] = []
        self.low: list[FloatArray] = []
        self.high: list[FloatArray] = []
        self.row_low: list[FloatArray] = []
        self.row_high: list[FloatArray] = []
        self._entries: list[tuple[IndexArray, IndexArray, FloatArray]] = []
        self._program, self._model = program, program.model
        self._add_controls(at)
        self._add_states()
        self._add_bill()
        self._add_network()

    def matrix(self) -> sparse.csc_matrix:
        """Return the constraint matrix."""
        rows, columns, values = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        shape = (self.n_rows, self.n_columns)
        return sparse.coo_matrix((values, (rows, columns)), shape=shape).tocsc()

    def _columns(self, cost: FloatArray, *, low: FloatArray, high: FloatArray) -> NDArray[np.int64]:
        """Add one column for each entry and return their numbers."""
        found = self.n_columns + np.arange(cost.size).reshape(cost.shape)
        self.costs.append(cost.ravel())
        self.low.append(np.broadcast_to(low, cost.shape).ravel())
        self.high.append(np.broadcast_to(high, cost.shape).ravel())
        self.n_columns += cost.size
        return found

    def _rows(self, low: FloatArray, high: FloatArray) -> NDArray[np.int64]:
        found = self.n_rows + np.arange(low.size).reshape(low.shape)
        self.row_low.append(low.ravel())
        self.row_high.append(high.ravel())
        self.n_rows += low.size
        return found

    def _put(self, rows: IndexArray, columns: IndexArray, values: FloatArray | float) -> None:
        shape = np.broadcast_shapes(rows.shape, columns.shape)
        parts = (np.broadcast_to(part, shape).ravel() for part in (rows, columns, values))
        row, column, value = parts
        self._entries.append((row, column, np.asarray(value, dtype=np.float64)))

    def _add_controls(self, at: Optimum) -> None:
        """Add u+ and u- with the linear part of the bill, and the tangent of fuel cost."""
        model, mask = self._model, self._program.mask
        held = self._program.plus_held
        tangent = model.cost_plus + 2.0 * model.quadratic * at.plus
        self._plus = self._columns(
            model.price + tangent,
            low=np.where(mask["plus_low"], model.plus_min, held),
            high=np.where(mask["plus_low"], model.plus_max, held),
        )
        self._minus = self._columns(
            model.cost_minus - model.price,
            low=np.zeros_like(model.price),
            high=np.where(mask["minus_low"], model.minus_max, 0.0),
        )
        self.constant = float((model.price * model.net_kw - model.quadratic * at.plus**2).sum())

    def _add_states(self) -> None:
        """Add the states of agents that have one, their dynamics and the value of the last."""
        model = self._model
        own = np.flatnonzero(model.has_state)
        cost = np.zeros((model.n_steps, len(own)))
        cost[-1] = model.end_price[own]
        x = self._columns(cost, low=model.x_min[:, own], high=model.x_max[:, own])
        drift = model.drift[:, own].copy()
        drift[0] += model.decay[own] * model.x_init[own]
        rows = self._rows(drift, drift)
        self._put(rows, x, 1.0)
        self._put(rows[1:], x[:-1], -model.decay[own])
        self._put(rows, self._plus[:, own], -model.per_plus[:, own])
        self._put(rows, self._minus[:, own], model.per_minus[:, own])
        self.constant -= float((model.end_price * model.x_init)[own].sum())
        short = np.flatnonzero(model.end_kink[own] > 0.0)
        end = self._columns(model.end_kink[own][short], low=np.array(0.0), high=np.array(np.inf))
        first = model.x_init[own][short]
        rows = self._rows(first, np.full_like(first, np.inf))
        self._put(rows, end, 1.0)
        self._put(rows, x[-1, short], 1.0)

    def _add_bill(self) -> None:
        """Add the imported part of each household's power where the bill has a kink."""
        model = self._model
        kinked = model.kink > 0.0
        bill = self._columns(model.kink[kinked], low=np.array(0.0), high=np.array(np.inf))
        net = model.net_kw[kinked]
        rows = self._rows(net, np.full_like(net, np.inf))
        self._put(rows, bill, 1.0)
        self._put(rows, self._plus[kinked], -1.0)
        self._put(rows, self._minus[kinked], 1.0)

    def _add_network(self) -> None:
        """Add the power of all agents at each connection, and the limits on it."""
        model, limits = self._model, self._program.rows
        if not len(limits):
            return
        n_connections = limits.to_p.shape[1]
        shape = (2, len(limits.steps), n_connections)
        free = np.array(np.inf)
        total = self._columns(np.zeros(shape), low=-free, high=free)
        rows = self._rows(np.zeros(shape), np.zeros(shape))
        self._put(rows, total, -1.0)
        for weight, sums in zip((np.ones(model.n_agents), model.kvar_per_kw), rows, strict=True):
            self._put(sums[:, model.connection], self._plus[limits.steps], weight)
            self._put(sums[:, model.connection], self._minus[limits.steps], -weight)
        cost = np.full(len(limits), self._program.penalty / self._program.scale)
        give = self._columns(cost, low=np.array(0.0), high=free)
        rows = self._rows(np.full(len(limits), -np.inf), limits.limit)
        at = np.searchsorted(limits.steps, limits.step)
        self._put(rows[:, None], total[0, at], limits.to_p)
        self._put(rows[:, None], total[1, at], limits.to_q)
        self._put(rows, give, -1.0)
