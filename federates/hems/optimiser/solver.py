"""HiGHS behind one class: a program is passed once and afterwards changed where it differs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from federates.hems.optimiser.assembly import Arrays
from federates.hems.optimiser.checks import FloatArray, check_range
from gradmap.extras import import_extra

CHANGES_MAX = 400
"""Entries of the matrix that are changed one by one; with more, the program is passed anew."""
OPTIMAL, TIME_LIMIT = "optimal", "time limit"
NO_HEURISTICS: dict[str, Any] = {
    "mip_heuristic_effort": 0.0,
    "mip_heuristic_run_feasibility_jump": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_root_reduced_cost": False,
}
"""Homes have few binaries and tight relaxations: HiGHS branches its way to a plan sooner than its
sub-programs find one (23 instead of 69 ms a home with one run, 53 instead of 96 with three)."""


@dataclass(frozen=True, kw_only=True)
class SolverSettings:
    """How long and how exactly to search."""

    mip_rel_gap: float = 1e-4
    """Search ends when cost and its bound differ by this share. [-]"""
    time_limit_s: float = 20.0
    """Search ends then, with the best plan so far if there is one. [s]"""
    fresh: bool = False
    """Forget the last plan's basis: of equally good plans the one chosen then depends on its own
    program only, not on what was planned before. About 1 ms a plan."""
    tidy: bool = False
    """Of equally good plans, search for the one with the lowest peak, and then the earliest. For
    people who read plans; takes some 9 ms a home."""

    def __post_init__(self) -> None:
        """Refuse negative values."""
        check_range("Solver settings", "mip_rel_gap", self.mip_rel_gap, high=1.0)
        check_range("Solver settings", "time_limit_s", self.time_limit_s)


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """What HiGHS found."""

    status: str
    """`optimal`, `time limit` or HiGHS's own words."""
    values: FloatArray | None
    """Of all columns; None if no plan was found."""
    objective: float
    bound: float
    """No plan costs less, by the search so far. [cur]"""
    seconds: float

    @property
    def gap(self) -> float:
        """Return (objective - bound) / |objective| [-]."""
        return max(self.objective - self.bound, 0.0) / max(abs(self.objective), 1e-9)


def import_highspy() -> Any:
    """Return the module.

    Raises:
        MissingExtraError: It is not installed.
    """
    return import_extra("highspy", extra="optimum", needed_by="the home's optimiser")


class Solver:
    """One program in HiGHS, kept between solves."""

    def __init__(self, settings: SolverSettings) -> None:
        """Start HiGHS.

        Raises:
            MissingExtraError: highspy is not installed.
        """
        self.settings = settings
        self._highspy = import_highspy()
        self._highs = self._highspy.Highs()
        self._arrays: Arrays | None = None
        self._set(output_flag=False, threads=1, random_seed=1)
        known = {name: value for name, value in NO_HEURISTICS.items() if self._has(name)}
        self._set(**known)

    def load(self, arrays: Arrays) -> bool:
        """Make `arrays` the program; return whether it had to be passed as a whole."""
        old, self._arrays = self._arrays, arrays
        if old is None or not old.same_pattern(arrays):
            self._pass(arrays)
            return True
        changed = np.flatnonzero(old.value != arrays.value)
        if len(changed) > CHANGES_MAX:
            self._pass(arrays)
            return True
        self._change(old, arrays, changed)
        return False

    def solve(self, *, gap_abs: float) -> Solution:
        """Search.

        Args:
            gap_abs: Search ends when cost and its bound differ by this amount, too. [cur]
        """
        highs, began = self._highs, time.perf_counter()
        if self.settings.fresh:
            highs.clearSolver()
        whole = self._arrays is not None and bool(self._arrays.integer.any())
        # HiGHS counts the time of linear programs over all solves, that of others from each start.
        spent_s = 0.0 if whole else highs.getRunTime()
        self._set(
            mip_rel_gap=self.settings.mip_rel_gap,
            mip_abs_gap=gap_abs,
            time_limit=spent_s + self.settings.time_limit_s,
        )
        highs.run()
        info, status = highs.getInfo(), highs.getModelStatus()
        found = info.primal_solution_status == 2  # feasible, in HiGHS's numbers
        values = np.array(highs.getSolution().col_value) if found else None
        objective = float(info.objective_function_value)
        names = self._highspy.HighsModelStatus
        words = {names.kOptimal: OPTIMAL, names.kTimeLimit: TIME_LIMIT}
        return Solution(
            status=words.get(status, highs.modelStatusToString(status)),
            values=values,
            objective=objective,
            bound=float(info.mip_dual_bound) if whole else objective,
            seconds=time.perf_counter() - began,
        )

    def _pass(self, arrays: Arrays) -> None:
        lp = self._highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(arrays.cost), len(arrays.row_low)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = arrays.cost, arrays.low, arrays.high
        lp.row_lower_, lp.row_upper_ = arrays.row_low, arrays.row_high
        lp.offset_ = arrays.offset
        lp.a_matrix_.format_ = self._highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = arrays.start
        lp.a_matrix_.index_ = arrays.index
        lp.a_matrix_.value_ = arrays.value
        if arrays.integer.any():
            lp.integrality_ = self._types(arrays)
        self._highs.passModel(lp)

    def _types(self, arrays: Arrays) -> list[Any]:
        kinds = self._highspy.HighsVarType
        return [kinds.kInteger if whole else kinds.kContinuous for whole in arrays.integer]

    def _change(self, old: Arrays, new: Arrays, changed: Any) -> None:
        """Change costs, bounds, right-hand sides and single entries where they differ."""
        highs, n, m = self._highs, len(new.cost), len(new.row_low)
        columns, rows = np.arange(n, dtype=np.int32), np.arange(m, dtype=np.int32)
        highs.changeColsCost(n, columns, new.cost)
        highs.changeColsBounds(n, columns, new.low, new.high)
        highs.changeRowsBounds(m, rows, new.row_low, new.row_high)
        highs.changeObjectiveOffset(new.offset)
        if not np.array_equal(old.integer, new.integer):
            highs.changeColsIntegrality(n, columns, new.integer.astype(np.uint8))
        column_of = np.searchsorted(new.start, changed, side="right") - 1
        for place, column in zip(changed.tolist(), column_of.tolist(), strict=True):
            highs.changeCoeff(int(new.index[place]), column, float(new.value[place]))

    def _has(self, option: str) -> bool:
        """Return whether this version of HiGHS knows an option."""
        status, _ = self._highs.getOptionValue(option)
        return bool(status == self._highspy.HighsStatus.kOk)

    def _set(self, **options: Any) -> None:
        for name, value in options.items():
            self._highs.setOptionValue(name, value)
