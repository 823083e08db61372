"""Linear results of a solution as one differentiable function, worked on in chunks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gradmap.power_flow.block_low_rank import BlockLowRank

CHUNK = 512
"""Samples a product is made for at a time on a CPU, so that its results stay in the cache."""


def apply_output(state: Tensor, *, output: BlockLowRank, chunk: int) -> Tensor:
    """Return the results that a map makes of every sample's state, complex [batch, row].

    Args:
        state: Currents, sources, regulator terms, [state, batch].
        output: The map, see `operators.make_output`.
        chunk: Most samples that a product is made for at a time.
    """
    if state.device.type == "cpu":
        chunk = min(chunk, CHUNK)
    rows: Tensor = _Apply.apply(state, output, chunk)  # type: ignore[no-untyped-call]
    return torch.view_as_complex(rows.reshape(len(rows), rows.shape[1] // 2, 2))


class _Apply(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, state: Tensor, output: BlockLowRank, chunk: int) -> Tensor:
        n_batch = state.shape[1]
        rows = torch.empty((n_batch, output.n_rows), dtype=state.dtype, device=state.device)
        for first in range(0, n_batch, chunk):
            part = slice(first, first + chunk)
            output.rows(state[:, part], out=rows[part])
        ctx.output, ctx.chunk = output, chunk
        return rows

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        n_batch, n_state = len(grad), ctx.output.n_columns
        grad = grad.contiguous()
        grad_state = torch.empty((n_state, n_batch), dtype=grad.dtype, device=grad.device)
        for first in range(0, n_batch, ctx.chunk):
            part = slice(first, first + ctx.chunk)
            ctx.output.rows_transposed(grad[part], out=grad_state[:, part])
        return grad_state, None, None
