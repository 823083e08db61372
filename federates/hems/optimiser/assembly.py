"""Columns, rows and entries of a mixed-integer program, collected as whole arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from federates.hems.optimiser.checks import BoolArray, FloatArray

IndexArray = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Arrays:
    """A mixed-integer program: min cost x, low <= x <= high, row_low <= A x <= row_high."""

    cost: FloatArray
    low: FloatArray
    high: FloatArray
    integer: BoolArray
    row_low: FloatArray
    row_high: FloatArray
    start: NDArray[np.int32]
    """First entry of each column of A."""
    index: NDArray[np.int32]
    """Row of each entry."""
    value: FloatArray
    offset: float
    """Added to the objective."""

    def same_pattern(self, other: Arrays) -> bool:
        """Return whether rows, columns and places of entries are the same."""
        return (
            self.row_low.shape == other.row_low.shape
            and np.array_equal(self.start, other.start)
            and np.array_equal(self.index, other.index)
        )


class Assembly:
    """Collects blocks; numbers of columns and rows come back as arrays."""

    def __init__(self) -> None:
        self.offset = 0.0
        self._n_columns = self._n_rows = 0
        self._columns: list[tuple[FloatArray, FloatArray, FloatArray, BoolArray]] = []
        self._rows: list[tuple[FloatArray, FloatArray]] = []
        self._entries: list[tuple[IndexArray, IndexArray, FloatArray]] = []

    def columns(
        self,
        n: int,
        *,
        cost: ArrayLike = 0.0,
        low: ArrayLike = 0.0,
        high: ArrayLike = np.inf,
        integer: ArrayLike = False,
    ) -> IndexArray:
        """Add `n` columns and return their numbers."""
        cost_, low_, high_ = (_filled(part, n) for part in (cost, low, high))
        self._columns.append((cost_, low_, high_, np.broadcast_to(np.asarray(integer), n)))
        self._n_columns += n
        return np.arange(self._n_columns - n, self._n_columns)

    def rows(self, n: int, *, low: ArrayLike, high: ArrayLike) -> IndexArray:
        """Add `n` rows and return their numbers."""
        self._rows.append((_filled(low, n), _filled(high, n)))
        self._n_rows += n
        return np.arange(self._n_rows - n, self._n_rows)

    def put(self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        """Add entries; the three are broadcast against each other."""
        row, column, value = np.broadcast_arrays(rows, columns, values)
        self._entries.append(
            (row.ravel(), column.ravel(), np.asarray(value, dtype=np.float64).ravel())
        )

    def arrays(self) -> Arrays:
        """Return the finished program."""
        cost, low, high, integer = (
            np.concatenate(part) for part in zip(*self._columns, strict=True)
        )
        row_low, row_high = (np.concatenate(part) for part in zip(*self._rows, strict=True))
        row, column, value = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        shape = (self._n_rows, self._n_columns)
        matrix = sparse.coo_matrix((value, (row, column)), shape=shape).tocsc()
        return Arrays(
            cost=cost,
            low=low,
            high=high,
            integer=integer,
            row_low=row_low,
            row_high=row_high,
            start=matrix.indptr.astype(np.int32),
            index=matrix.indices.astype(np.int32),
            value=matrix.data,
            offset=self.offset,
        )


def _filled(part: ArrayLike, n: int) -> FloatArray:
    return np.broadcast_to(np.asarray(part, dtype=np.float64), n)
