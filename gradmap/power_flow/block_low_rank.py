"""Maps that are dense within areas of a feeder and of low rank between them.

What loads far away do to the voltages of an area passes through the few conductors that lead there:
with the feeder cut into areas, the blocks of the voltage map between areas have a rank near
the number of these conductors. So, for every area with its rows R and its columns N,

    y[R] = weights' (d[R]; x[N]),    d = far' x

with a few directions d for every area costs half of the dense product. They come from a singular
value decomposition that leaves out less than rounding; where little would be saved, the map stays
dense.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradmap.feeder import FloatArray, IndexArray

EVERYWHERE, NOWHERE = -1, -2
"""The area of columns that every area counts as its own, or none."""
DROPPED = 1e-15
"""Singular values that are left out, over the largest effect of each column. [-]"""
WORTHWHILE = 0.67
"""Share of the dense multiplications up to which blocks are used. [-]"""
SMALL = 2**15
"""Multiplications up to which the calls for blocks take longer than what they save."""
MOVING = 16
"""Multiplications that take as long as bringing one result to its place."""


@dataclass(frozen=True, kw_only=True)
class _Block:
    """The rows of one area."""

    rows: slice
    """Within the rows sorted by area."""
    inputs: slice
    """Within the inputs collected by area."""
    weights: Tensor
    """[input, row]."""


@dataclass(frozen=True, kw_only=True)
class BlockLowRank:
    """A map y = A' x of batches."""

    dense: Tensor | None
    """A, [column, row], where blocks do not pay; the other fields are empty then."""
    far: Tensor
    """Directions that pass from area to area, [column, direction]."""
    blocks: tuple[_Block, ...]
    inputs: Tensor
    """Of every area, one after another: its directions, counted on from all columns, and its
    columns."""
    places: Tensor
    """Where every row stands among the rows sorted by area."""
    words: Tensor
    """The same in units of 8 bytes, for rows side by side: a complex64 moves as one."""
    words_back: Tensor
    """The inverse."""

    @property
    def n_rows(self) -> int:
        """Return how many results there are."""
        return self.dense.shape[1] if self.dense is not None else len(self.places)

    @property
    def n_columns(self) -> int:
        """Return how many inputs there are."""
        return len(self.far if self.dense is None else self.dense)

    def columns(self, x: Tensor) -> Tensor:
        """Return y, [row, batch].

        Args:
            x: [column, batch].
        """
        if self.dense is not None:
            return torch.mm(self.dense.t(), x)
        collected = self._collected(x)
        by_area = x.new_empty((self.n_rows, x.shape[1]))
        for block in self.blocks:
            torch.mm(block.weights.t(), collected[block.inputs], out=by_area[block.rows])
        return by_area.index_select(0, self.places)

    def rows(self, x: Tensor, *, out: Tensor) -> None:
        """Write y, [batch, row], into `out`, which is contiguous.

        Args:
            x: [column, batch].
            out: Results.
        """
        if self.dense is not None:
            torch.mm(x.t(), self.dense, out=out)
            return
        collected = self._collected(x)
        by_area = torch.empty_like(out)
        for block in self.blocks:
            torch.mm(collected[block.inputs].t(), block.weights, out=by_area[:, block.rows])
        _moved(by_area, self.words, out=out)

    def rows_transposed(self, y: Tensor, *, out: Tensor) -> None:
        """Write A y, [column, batch], into `out`: the adjoint of `rows`.

        Args:
            y: [batch, row], contiguous.
            out: Results.
        """
        if self.dense is not None:
            torch.mm(self.dense, y.t(), out=out)
            return
        by_area = _moved(y, self.words_back, out=torch.empty_like(y))
        collected = y.new_empty((len(self.inputs), len(y)))
        for block in self.blocks:
            torch.mm(block.weights, by_area[:, block.rows].t(), out=collected[block.inputs])
        both = y.new_zeros((sum(self.far.shape), len(y))).index_add_(0, self.inputs, collected)
        n = self.n_columns
        torch.addmm(both[:n], self.far, both[n:], out=out)

    def _collected(self, x: Tensor) -> Tensor:
        """Return the inputs of all areas, [input, batch]."""
        n = self.n_columns
        both = x.new_empty((sum(self.far.shape), x.shape[1]))
        both[:n] = x
        torch.mm(self.far.t(), x, out=both[n:])
        return both.index_select(0, self.inputs)


def _moved(rows: Tensor, words: Tensor, *, out: Tensor) -> Tensor:
    """Write the columns of `rows` in another order."""
    index = words.expand(len(rows), -1)
    torch.gather(rows.view(torch.float64), 1, index, out=out.view(torch.float64))
    return out


# ---------------------------------------------------------------------- making, numpy


def block_low_rank(
    matrix: FloatArray,
    *,
    areas: Sequence[tuple[IndexArray, IndexArray]],
    dtype: torch.dtype,
    device: torch.device,
) -> BlockLowRank:
    """Return a map in the cheapest form.

    Args:
        matrix: A, [column, row]: transposed, as results are batch-major.
        areas: Ways to cut: the area of every column, `EVERYWHERE` for all, and of every row; both
            rows of a complex number in the same one.
        dtype: Of the matrices; blocks are found in float64.
        device: Where they go.
    """
    best, least = None, WORTHWHILE * matrix.size
    if device.type == "cpu" and matrix.size > SMALL:
        for columns, rows in areas:
            cut = _Cut.of(matrix, columns, rows)
            if cut.cost < least:
                best, least = cut, cut.cost

    def tensor(array: FloatArray) -> Tensor:
        return torch.tensor(array, dtype=dtype, device=device)

    if best is None:
        nothing = torch.empty(0, dtype=torch.int64, device=device)
        return BlockLowRank(
            dense=tensor(matrix),
            far=tensor(matrix[:0]),
            blocks=(),
            inputs=nothing,
            places=nothing,
            words=nothing,
            words_back=nothing,
        )
    return best.map(tensor, pairs=dtype == torch.float32)


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """A map cut into areas, before it goes into tensors."""

    matrix: FloatArray
    near: list[tuple[IndexArray, IndexArray]]
    """Columns and rows of every area."""
    far: list[tuple[FloatArray, FloatArray]]
    """Directions, [column, direction], and what they do to the rows, [direction, row]."""

    @classmethod
    def of(cls, matrix: FloatArray, of_columns: IndexArray, of_rows: IndexArray) -> _Cut:
        scale = np.abs(matrix).max(axis=1)
        scale[scale == 0.0] = 1.0
        near, far = [], []
        for area in np.unique(of_rows):
            rows = np.flatnonzero(of_rows == area)
            is_near = (of_columns == area) | (of_columns == EVERYWHERE)
            others = np.flatnonzero(~is_near)
            block = matrix[np.ix_(others, rows)] / scale[others, None]
            u, s, vt = np.linalg.svd(block, full_matrices=False)
            kept = s > DROPPED * np.sqrt(matrix.size)
            directions = np.zeros((len(matrix), int(kept.sum())))
            directions[others] = scale[others, None] * u[:, kept] * s[kept]
            near.append((np.flatnonzero(is_near), rows))
            far.append((directions, vt[kept]))
        return cls(matrix=matrix, near=near, far=far)

    @property
    def cost(self) -> int:
        """What a sample costs, in multiplications."""
        near = sum(len(columns) * len(rows) for columns, rows in self.near)
        far = sum(gather.size + spread.size for gather, spread in self.far)
        return int(near + far + MOVING * self.matrix.shape[1])

    def map(self, tensor: Callable[[FloatArray], Tensor], *, pairs: bool) -> BlockLowRank:
        """Return the map; with `pairs`, two neighbouring results are one word."""
        blocks, inputs = [], []
        row = column = 0
        direction = len(self.matrix)
        for (columns, rows), (_, spread) in zip(self.near, self.far, strict=True):
            # Sources, the largest terms, are the last columns: added last, they round once.
            inputs += [direction + np.arange(len(spread)), columns]
            n_inputs = len(columns) + len(spread)
            blocks.append(
                _Block(
                    rows=slice(row, row + len(rows)),
                    inputs=slice(column, column + n_inputs),
                    weights=tensor(np.vstack([spread, self.matrix[np.ix_(columns, rows)]])),
                )
            )
            row, column = row + len(rows), column + n_inputs
            direction += len(spread)
        by_area = np.concatenate([rows for _, rows in self.near])
        words_back = by_area[::2] // 2 if pairs else by_area
        return BlockLowRank(
            dense=None,
            far=tensor(np.hstack([directions for directions, _ in self.far])),
            blocks=tuple(blocks),
            inputs=torch.as_tensor(np.concatenate(inputs)),
            places=torch.as_tensor(np.argsort(by_area)),
            words=torch.as_tensor(np.argsort(words_back)),
            words_back=torch.as_tensor(words_back),
        )
