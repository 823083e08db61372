"""Affine results of a solution as one differentiable function, worked on in chunks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gradmap.power_flow.operators import OutputMap


def apply_output(
    state: Tensor,
    source: Tensor | None,
    *,
    output: OutputMap,
    nominal_source: Tensor,
    chunk: int,
) -> Tensor:
    """Return `at_source source + at_state state` of every sample, complex [batch, row].

    Args:
        state: Currents and regulator terms, [2 connection + 4 R, batch].
        source: Source voltages, [batch, source], or None for the nominal ones. [pu]
        output: The map.
        nominal_source: [source, 1]. [pu]
        chunk: Samples a product is made for at a time.
    """
    rows: Tensor = _Apply.apply(  # type: ignore[no-untyped-call]
        state, source, output, nominal_source, chunk
    )
    return torch.view_as_complex(rows.reshape(len(rows), rows.shape[1] // 2, 2))


class _Apply(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917  autograd functions take their arguments by position
        ctx: Any,
        state: Tensor,
        source: Tensor | None,
        output: OutputMap,
        nominal_source: Tensor,
        chunk: int,
    ) -> Tensor:
        n_batch, n_rows = state.shape[1], output.at_state.shape[1]
        rows = torch.empty((n_batch, n_rows), dtype=state.dtype, device=state.device)
        constant = nominal_source.t() @ output.at_source
        for first in range(0, n_batch, chunk):
            part = slice(first, first + chunk)
            offset = constant if source is None else source[part].to(state.dtype) @ output.at_source
            torch.addmm(offset, state[:, part].t(), output.at_state, out=rows[part])
        ctx.output, ctx.chunk, ctx.n_state = output, chunk, len(state)
        ctx.source_dtype = None if source is None else source.dtype
        return rows

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        n_batch = len(grad)
        grad_state = torch.empty((ctx.n_state, n_batch), dtype=grad.dtype, device=grad.device)
        for first in range(0, n_batch, ctx.chunk):
            part = slice(first, first + ctx.chunk)
            grad_state[:, part] = ctx.output.at_state @ grad[part].t()
        grad_source = None
        if ctx.source_dtype is not None and ctx.needs_input_grad[1]:
            grad_source = (grad @ ctx.output.at_source.t()).to(ctx.source_dtype)
        return grad_state, grad_source, None, None, None
