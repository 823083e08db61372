"""The power flow as one differentiable function: solved forward, differentiated implicitly.

The function maps powers, taps and source voltages to the *state* (i; source; d): the currents of
all connections, the source voltages and the regulator terms, from which every other result follows
linearly. Its backward
solves the adjoint equations at the solution, with the same matrices and without unrolling, and
touches neither the iterations nor their number. Samples are processed in chunks that fit the cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gradmap.power_flow.fixed_point import SINGLE_ROUNDING, converge
from gradmap.power_flow.fused_currents import Slopes, slopes
from gradmap.power_flow.newton import newton
from gradmap.power_flow.regulator_terms import RegulatorTerms
from gradmap.power_flow.sweeps import AdjointSweep, ForwardSweep, Level, Loading, per_sample

ADJOINT_ITERATIONS = 4
"""How many times the sweeps of a solve its adjoint may take, which has no rescue."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Everything of a solve that is not an input."""

    levels: tuple[Level, ...]
    """Roughest dtype first; the last is the dtype of the results."""
    rescue: Level
    """float64, for Newton's method."""
    regulators: RegulatorTerms
    nominal_source: Tensor
    """Source voltages where none are given, [source, 1]. [pu]"""
    u_start: Tensor
    """Where iterations start, [2 connection, 1]."""
    tolerance: float
    max_iterations: int
    chunk: int

    @property
    def gradient_levels(self) -> tuple[Level, ...]:
        """Return the levels of gradients: float32 alone where its rounding is well below."""
        return self.levels[:1] if self.tolerance >= 2.0 * SINGLE_ROUNDING else self.levels


class Outcome(NamedTuple):
    """What `solve_state` returns; only the first is differentiable."""

    state: Tensor
    """Currents [kVA], sources [pu], regulator terms [A, V],
    [2 connection + source + 4 R, batch]."""
    u: Tensor
    """Connection voltages, [2 connection, batch]. [pu of rated]"""
    error: Tensor
    """Estimated error of `u`, [batch]. [pu]"""
    n_iterations: Tensor
    """Sweeps, -1 where Newton's method had to finish, [batch]."""


def solve_state(
    p: Tensor,
    q: Tensor,
    *,
    taps: Tensor | None,
    source: Tensor | None,
    start: Tensor | None,
    problem: Problem,
) -> Outcome:
    """Solve a batch.

    Args:
        p: Nominal active power, [batch, connection]. [kW]
        q: Nominal reactive power. [kvar]
        taps: Tap ratios, [batch, regulator], or None at the base taps.
        source: Source voltages, [batch, source], or None. [pu]
        start: Voltages to start from, [2 connection, batch], or None.
        problem: The rest.
    """
    results: tuple[Tensor, ...] = _PowerFlowFunction.apply(  # type: ignore[no-untyped-call]
        p, q, taps, source, start, problem
    )
    return Outcome(*results)


class _PowerFlowFunction(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917  autograd functions take their arguments by position
        ctx: Any,
        p: Tensor,
        q: Tensor,
        taps: Tensor | None,
        source: Tensor | None,
        start: Tensor | None,
        problem: Problem,
    ) -> tuple[Tensor, ...]:
        n_batch, n_u = len(p), 2 * p.shape[1]
        exact = problem.levels[-1]
        n_source = len(problem.nominal_source)
        n_rows = n_u + n_source + (0 if taps is None else problem.regulators.n_terms)
        state = torch.empty((n_rows, n_batch), dtype=exact.dtype, device=p.device)
        u = torch.empty((n_u, n_batch), dtype=exact.dtype, device=p.device)
        error = torch.empty(n_batch, dtype=exact.dtype, device=p.device)
        n_iterations = torch.empty(n_batch, dtype=torch.int64, device=p.device)
        given = _Given(p=p, q=q, taps=taps, source=source)
        for part in _chunks(n_batch, problem.chunk):
            loading = given.loading(part, problem, dtype=exact.dtype)
            first = problem.u_start if start is None else start[:, part]
            sweeps = [ForwardSweep(level=level, loading=loading) for level in problem.levels]
            solved = _solve_chunk(first, loading, sweeps, problem)
            u[:, part], error[part], n_iterations[part] = solved
            i = sweeps[-1].currents(u[:, part], out=state[:n_u, part])
            state[n_u : n_u + n_source, part] = loading.source
            if taps is not None:
                state[n_u + n_source :, part] = sweeps[-1].regulator_terms(i)
        ctx.save_for_backward(p, q, taps, source, u)
        ctx.problem = problem
        ctx.mark_non_differentiable(u, error, n_iterations)
        return state, u, error, n_iterations

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_state: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        *inputs, u = ctx.saved_tensors
        problem: Problem = ctx.problem
        dtype = problem.gradient_levels[-1].dtype
        given = _Given(*inputs)
        needs = ctx.needs_input_grad[: len(inputs)]
        grads = [
            torch.empty_like(x) if needed else None for x, needed in zip(inputs, needs, strict=True)
        ]
        for part in _chunks(len(given.p), problem.chunk):
            loading = given.loading(part, problem, dtype=dtype)
            taps = None if given.taps is None else given.taps[part]
            adjoint = _solve_adjoint(
                loading, u[:, part].to(dtype), grad_state[:, part].to(dtype), problem
            )
            found = [adjoint.grad_p.t(), adjoint.grad_q.t(), None, None]
            if any(needs[2:]):
                found[2:] = _through_network(taps, loading, adjoint, problem)
            for grad, value in zip(grads, found, strict=True):
                if grad is not None and value is not None:
                    grad[part] = value
        return (*grads, None, None)


class _Given(NamedTuple):
    """The inputs of a solve, sample-major."""

    p: Tensor
    q: Tensor
    taps: Tensor | None
    source: Tensor | None

    def loading(self, part: slice, problem: Problem, *, dtype: torch.dtype) -> Loading:
        """Return one chunk."""
        source = problem.nominal_source if self.source is None else self.source[part].t()
        return Loading(
            p=self.p[part].t().to(dtype).contiguous(),
            q=self.q[part].t().to(dtype).contiguous(),
            source=source.to(dtype),
            s=self._regulator_terms(part, problem),
        )

    def _regulator_terms(self, part: slice, problem: Problem) -> Tensor | None:
        if self.taps is None:
            return None
        return problem.regulators.matrices(self.taps[part]).permute(2, 1, 0).contiguous()


def _chunks(n_batch: int, size: int) -> Iterator[slice]:
    return (slice(first, min(first + size, n_batch)) for first in range(0, n_batch, size))


def _solve_chunk(
    start: Tensor, loading: Loading, sweeps: Sequence[ForwardSweep], problem: Problem
) -> tuple[Tensor, Tensor, Tensor]:
    """Return voltages, error estimates and sweeps of a chunk."""
    found = converge(
        start,
        sweeps=sweeps,
        tolerance=problem.tolerance,
        max_iterations=problem.max_iterations,
    )
    n_iterations = torch.full_like(found.error, found.n_iterations, dtype=torch.int64)
    failed = torch.nonzero(~(found.error <= problem.tolerance))[:, 0]
    if not len(failed):
        return found.x, found.error, n_iterations
    last = found.x[:, failed].double()
    rescued, mismatch = _rescue(last, loading.take(failed).to(torch.float64), problem)
    dtype = problem.levels[-1].dtype
    u, error = found.x.to(dtype, copy=True), found.error.to(dtype, copy=True)
    u[:, failed], error[failed], n_iterations[failed] = rescued.to(dtype), mismatch.to(dtype), -1
    return u, error, n_iterations


def _rescue(last: Tensor, loading: Loading, problem: Problem) -> tuple[Tensor, Tensor]:
    """Solve what the fixed point left with Newton's method, from the start and from its end."""
    level, tolerance = problem.rescue, 0.1 * problem.tolerance
    start = problem.u_start.double().expand_as(last)
    u, mismatch = newton(start, level=level, loading=loading, tolerance=tolerance)
    second = torch.where(torch.isfinite(last).all(dim=0), last, start)
    again, again_mismatch = newton(second, level=level, loading=loading, tolerance=tolerance)
    better = again_mismatch < mismatch
    return torch.where(better, again, u), torch.where(better, again_mismatch, mismatch)


class _Adjoint(NamedTuple):
    """Derivatives of the scalar at one chunk, connection-major."""

    grad_p: Tensor
    grad_q: Tensor
    total: Tensor
    """With respect to the currents, with all feedback, stacked."""
    into_source: Tensor
    """With respect to the source voltages, at fixed everything else."""
    into_terms: Tensor
    """With respect to the regulator terms, at fixed everything else."""
    at: Slopes
    """Of the currents at the solution."""


def _solve_adjoint(loading: Loading, u: Tensor, grad_state: Tensor, problem: Problem) -> _Adjoint:
    """Return the derivatives at one chunk."""
    levels = problem.gradient_levels
    exact, n_source = levels[-1], len(problem.nominal_source)
    x, into_source, into_terms = grad_state.tensor_split((len(u), len(u) + n_source))
    if loading.s is not None:  # what comes in through the regulator terms d = S (z0 + z_i i)
        s_transposed = loading.s.to(exact.dtype).transpose(0, 1)
        x = x + exact.operators.z_i.t() @ per_sample(s_transposed, into_terms)
    scale = x.abs().amax(dim=0).clamp_(min=torch.finfo(x.dtype).tiny)
    x = x / scale
    at = slopes(u, loading.p, loading.q, table=exact.table)
    slope = at.blocks()
    found = converge(
        torch.zeros_like(x),
        sweeps=[AdjointSweep(level=level, slope=slope, x=x, s=loading.s) for level in levels],
        tolerance=problem.tolerance,
        max_iterations=ADJOINT_ITERATIONS * problem.max_iterations,
    )
    total = torch.add(found.x, x).mul_(scale)
    n = len(total) // 2
    re, im = total[:n], total[n:]
    return _Adjoint(
        grad_p=torch.mul(at.u_re, re).addcmul_(at.u_im, im).mul_(at.g_p),
        grad_q=torch.mul(at.u_im, re).addcmul_(at.u_re, im, value=-1.0).mul_(at.g_q),
        total=total,
        into_source=into_source,
        into_terms=into_terms,
        at=at,
    )


def _through_network(
    taps: Tensor | None, loading: Loading, adjoint: _Adjoint, problem: Problem
) -> list[Tensor | None]:
    """Return the derivatives with respect to taps and sources of one chunk, sample-major."""
    operators, at = problem.gradient_levels[-1].operators, adjoint.at
    into_u, n = torch.empty_like(adjoint.total), len(at.a)
    at.transposed(adjoint.total[:n], adjoint.total[n:], out=(into_u[:n], into_u[n:]))
    grad_source = operators.w.t() @ into_u + adjoint.into_source
    if taps is None:
        return [None, grad_source.t()]
    into_terms = operators.u_d.t() @ into_u + adjoint.into_terms
    i = torch.cat([at.a * at.u_re + at.b * at.u_im, at.a * at.u_im - at.b * at.u_re])
    with torch.enable_grad():
        ratios = taps.detach().double().requires_grad_()
        source = loading.source.detach().expand_as(grad_source).requires_grad_()
        z = operators.z0 @ source + operators.z_i @ i
        s = problem.regulators.matrices(ratios).to(z.dtype)
        terms = torch.bmm(s, z.t().unsqueeze(2)).squeeze(2).t()
        grad_taps, through = torch.autograd.grad(terms, (ratios, source), into_terms)
    return [grad_taps.to(taps.dtype), (grad_source + through).t()]
