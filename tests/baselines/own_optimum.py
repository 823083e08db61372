"""The least cost that one owner could have had with perfect foresight, as a small linear programme.

Written from the device equations, not from the code under test; energies in kWh per step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

Floats = NDArray[np.float64]
OUTSIDE_BAND_PER_K = 10.0


@dataclass(frozen=True)
class OwnDay:
    """What the owner's home meets, [time]."""

    price_import: Floats
    price_export: Floats
    net_kw: Floats
    """Base load - PV."""
    dt_h: float

    @property
    def bill_without(self) -> float:
        used, fed = np.maximum(self.net_kw, 0.0), np.maximum(-self.net_kw, 0.0)
        return float(self.dt_h * (self.price_import @ used - self.price_export @ fed))


class _Programme:
    """Columns and equality rows of: minimise c x with A x = b and bounds."""

    def __init__(self) -> None:
        self.cost: list[float] = []
        self.bounds: list[tuple[float, float | None]] = []
        self.rows_of: list[tuple[tuple[tuple[slice, sparse.spmatrix], ...], Floats]] = []

    def columns(
        self, n: int, *, cost: Floats | float, low: float = 0.0, high: float | None = None
    ) -> slice:
        own = slice(len(self.cost), len(self.cost) + n)
        self.cost += np.broadcast_to(np.asarray(cost, dtype=np.float64), n).tolist()
        self.bounds += [(low, high)] * n
        return own

    def rows(self, right: Floats, *parts: tuple[slice, sparse.spmatrix]) -> None:
        """Add sum of matrix @ columns = right."""
        self.rows_of.append((parts, right))

    def solve(self) -> float:
        blocks = []
        for parts, right in self.rows_of:
            block = sparse.lil_matrix((len(right), len(self.cost)))
            for own, matrix in parts:
                block[:, own] = matrix
            blocks.append(block)
        found = linprog(
            self.cost,
            A_eq=sparse.vstack(blocks).tocsr(),
            b_eq=np.concatenate([right for _, right in self.rows_of]),
            bounds=self.bounds,
            method="highs",
        )
        assert found.success, found.message
        return float(found.fun)


def _with_bill(day: OwnDay) -> tuple[_Programme, slice, slice]:
    n = len(day.net_kw)
    lp = _Programme()
    used = lp.columns(n, cost=day.dt_h * day.price_import)
    fed = lp.columns(n, cost=-day.dt_h * day.price_export)
    return lp, used, fed


def battery_optimum(day: OwnDay, pars: dict[str, float]) -> float:
    """Least controllable cost of one battery."""
    n, one = len(day.net_kw), sparse.identity(len(day.net_kw))
    lp, used, fed = _with_bill(day)
    wear, rating = day.dt_h * pars["wear_per_kwh"], pars["p_max_kw"]
    charge = lp.columns(n, cost=wear, high=rating)
    discharge = lp.columns(n, cost=wear, high=rating)
    capacity = pars["e_max_kwh"]
    stored = lp.columns(
        n, cost=0.0, low=pars["soc_min"] * capacity, high=pars["soc_max"] * capacity
    )
    mean_price = day.price_import.mean()
    lacking = lp.columns(1, cost=mean_price / pars["eta_charge"])
    spare = lp.columns(1, cost=-mean_price * pars["eta_discharge"])
    lp.rows(day.net_kw, (used, one), (fed, -one), (charge, -one), (discharge, one))
    start = np.zeros(n)
    start[0] = pars["soc_init"] * capacity
    lp.rows(
        start,
        (stored, one - sparse.eye(n, k=-1)),
        (charge, -day.dt_h * pars["eta_charge"] * one),
        (discharge, day.dt_h / pars["eta_discharge"] * one),
    )
    last = sparse.csr_matrix(([1.0], ([0], [n - 1])), shape=(1, n))
    unit = sparse.identity(1)
    initial = np.array([pars["soc_init"] * capacity])
    lp.rows(initial, (stored, last), (lacking, unit), (spare, -unit))
    return lp.solve() - day.bill_without


def heat_pump_optimum(
    day: OwnDay, pars: dict[str, float], *, temp_out_c: Floats, ghi: Floats, cop: Floats
) -> float:
    """Least controllable cost of one heat pump that stays in its comfort band where it can."""
    n, one = len(day.net_kw), sparse.identity(len(day.net_kw))
    lp, used, fed = _with_bill(day)
    p_kw = lp.columns(n, cost=0.0, high=pars["p_max_kw"])
    temp = lp.columns(n, cost=0.0, low=pars["temp_min_c"], high=pars["temp_max_c"])
    cold = lp.columns(n, cost=OUTSIDE_BAND_PER_K)
    hot = lp.columns(n, cost=OUTSIDE_BAND_PER_K)
    decay = np.exp(-pars["ua_kw_per_k"] * day.dt_h / pars["c_kwh_per_k"])
    free_kw = pars["solar_gain_m2"] * ghi / 1000.0 + pars["internal_gain_kw"]
    steady_c = temp_out_c + free_kw / pars["ua_kw_per_k"]
    warming = (1.0 - decay) * cop / pars["ua_kw_per_k"]
    before = sparse.eye(n, k=-1) * decay
    right = (1.0 - decay) * steady_c
    right[0] += decay * pars["temp_init_c"]
    lp.rows(day.net_kw, (used, one), (fed, -one), (p_kw, -one))
    drift = one - before
    heated = -sparse.diags(warming)
    lp.rows(right, (temp, drift), (cold, -drift), (hot, drift), (p_kw, heated))
    # Heat owed for the next day: (initial - final temperature) C / COP at the mean price.
    worth = day.price_import.mean() * pars["c_kwh_per_k"] / cop[-1]
    for own, sign in ((temp, -1.0), (cold, 1.0), (hot, -1.0)):
        lp.cost[own.stop - 1] += sign * worth
    return lp.solve() - day.bill_without + worth * pars["temp_init_c"]


def vehicle_optimum(
    day: OwnDay,
    pars: dict[str, float],
    *,
    plugged_in: Floats,
    trip_kwh: Floats,
    departure_h: Floats,
) -> float:
    """Least controllable cost of one vehicle that leaves as full as charging at once allows."""
    n = len(day.net_kw)
    capacity, gain = pars["e_max_kwh"], day.dt_h * pars["eta_charge"]
    at_once, stored = np.zeros(n), pars["soc_init"] * capacity
    for k in range(n):
        stored = max(stored - trip_kwh[k], 0.0)
        room = max(pars["soc_target"] * capacity - stored, 0.0)
        stored += min(gain * pars["p_max_kw"] * plugged_in[k], room)
        at_once[k] = stored
    leaves = (plugged_in > 0) & (departure_h <= day.dt_h)
    one = sparse.identity(n)
    lp, used, fed = _with_bill(day)
    p_kw = lp.columns(n, cost=0.0, high=pars["p_max_kw"])
    away = np.flatnonzero(plugged_in == 0)
    for k in away:
        lp.bounds[p_kw.start + k] = (0.0, 0.0)
    energy = lp.columns(n, cost=0.0)
    for k in range(n):
        low = at_once[k] if leaves[k] else min(pars["soc_min"] * capacity, at_once[k])
        # A driver's wish is met up to a hair, so that rounding does not make it infeasible.
        high = max(pars["soc_target"] * capacity, at_once[k])
        lp.bounds[energy.start + k] = (low - 1e-9, high)
    lp.rows(day.net_kw, (used, one), (fed, -one), (p_kw, -one))
    right = -trip_kwh.copy()
    right[0] += pars["soc_init"] * capacity
    lp.rows(right, (energy, one - sparse.eye(n, k=-1)), (p_kw, -gain * one))
    worth = day.price_import.mean() / pars["eta_charge"]
    lp.cost[energy.stop - 1] -= worth
    return lp.solve() - day.bill_without + worth * pars["soc_init"] * capacity
