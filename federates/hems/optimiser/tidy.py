"""Of equally good plans the one with the lowest peak, and then the earliest: a second program.

At equal prices a car may charge in any pieces of a night and at any power, and HiGHS takes what it
meets first. Nobody would plan a day so. The second program keeps the first one's integers and its
cost, and makes the highest import as low, and powers as early, as these allow. It is linear.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import sparse

from federates.hems.optimiser.assembly import Arrays
from federates.hems.optimiser.checks import FloatArray
from federates.hems.optimiser.problem import Program

EARLY_PER_KWH_H: Final = 2e-4
"""Peak that a kWh drawn an hour earlier is worth: 10 kWh by five hours, 10 W. [kW/(kWh h)]"""


def tidied(program: Program, values: FloatArray, *, most: float, dt_h: float) -> Arrays:
    """Return the second program: the columns of the first, and the peak as the last.

    Args:
        program: The first program.
        values: Its solution.
        most: What the plan may cost. [cur]
        dt_h: Step length. [h]
    """
    first, places = program.arrays, program.places
    n_rows, n_columns = len(first.row_low), len(first.cost)
    n = len(places.imports)
    fixed = np.where(first.integer, np.round(values), 0.0)
    steps = np.arange(n)
    below_peak = sparse.csr_matrix((np.ones(n), (steps, places.imports)), shape=(n, n_columns))
    whole = sparse.csc_matrix((first.value, first.index, first.start), shape=(n_rows, n_columns))
    peak = np.concatenate([np.zeros(n_rows + 1), -np.ones(n)])
    matrix = sparse.hstack(
        [sparse.vstack([whole, first.cost[None, :], below_peak]), peak[:, None]], format="csc"
    )
    return Arrays(
        cost=np.append(_early(program, n=n, dt_h=dt_h), 1.0),
        low=np.append(np.where(first.integer, fixed, first.low), 0.0),
        high=np.append(np.where(first.integer, fixed, first.high), np.inf),
        integer=np.zeros(n_columns + 1, dtype=np.bool_),
        row_low=np.concatenate([first.row_low, np.full(n + 1, -np.inf)]),
        row_high=np.concatenate([first.row_high, [most - first.offset], np.zeros(n)]),
        start=matrix.indptr.astype(np.int32),
        index=matrix.indices.astype(np.int32),
        value=matrix.data,
        offset=0.0,
    )


def _early(program: Program, *, n: int, dt_h: float) -> FloatArray:
    """Return the price of late powers, of each column; the first device goes first."""
    places, cost = program.places, np.zeros(len(program.arrays.cost))
    powers = [columns for pair in places.pairs.values() for columns in pair if columns.size]
    powers += list(places.heating.values())
    late = EARLY_PER_KWH_H * dt_h * dt_h * np.arange(n)
    for rank, columns in enumerate(powers):
        cost[columns] = late * (1.0 - 0.1 * rank / len(powers))
    return cost
