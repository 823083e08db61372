"""The tangent-preconditioned fixed point and its adjoint, on one chunk of samples.

Forward, with f(i) = w - Zb i + U d(i) the connection voltages that currents i cause, J0 the slope
of the currents at a reference and G = inv(I + Zb J0):

    u <- G w - G Zb (i(u) - J0 u) + G U d(i(u))

which is Newton's method with a fixed Jacobian: the usual Z-bus iteration (J0 = 0) at the same cost
per sweep and about half the sweeps. Adjoint, for the derivative x = dL/di of a scalar L and
J = di/du at the solution, the term m that the network feeds back solves m = f_i' J' (x + m):

    m <- -(G Zb)' (J' (x + m) - J0' m) + inv(I + Zb' J0') z_i' S' U' J' (x + m)

Sweeps run in float32 as long as float32 resolves the step, then in float64: the fixed point is
the same, because every sweep starts anew from u and not from a residual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gradmap.power_flow.fused_currents import FusedTable, Slopes, admittances
from gradmap.power_flow.operators import Operators

ROUGH_STEP = 2e-6
"""Steps below this are rounding in float32 and say nothing about the rate. [pu]"""
HEADROOM = 10.0
"""How far above the tolerance float32 hands over: one float64 sweep gains at least this much."""
EXACT_STEP = 1e-13
"""The same for float64. [pu]"""
SINGLE_ROUNDING = 5e-7
"""Largest error that rounding leaves after float32 sweeps. [pu]"""
DIVERGED = 1e6
RATE_BOUNDS = (0.01, 0.95)


@dataclass(frozen=True, kw_only=True)
class Level:
    """The network and the load constants in one dtype."""

    operators: Operators
    table: FusedTable

    @property
    def dtype(self) -> torch.dtype:
        """Return the dtype."""
        return self.operators.w.dtype


@dataclass(frozen=True, kw_only=True)
class Loading:
    """What one chunk of samples asks of the network, connection-major."""

    p: Tensor
    """Nominal active power, [connection, batch]. [kW]"""
    q: Tensor
    """Nominal reactive power. [kvar]"""
    source: Tensor
    """Source voltages, [source, batch or 1]. [pu]"""
    s: Tensor | None
    """S of the regulators off their base taps, [column, row, batch], or None."""

    def to(self, dtype: torch.dtype) -> Loading:
        """Return the same in another dtype."""
        return Loading(
            p=self.p.to(dtype),
            q=self.q.to(dtype),
            source=self.source.to(dtype),
            s=None if self.s is None else self.s.to(dtype),
        )

    def take(self, samples: Tensor | slice) -> Loading:
        """Return some of the samples."""
        return Loading(
            p=self.p[:, samples],
            q=self.q[:, samples],
            source=self.source if self.source.shape[1] == 1 else self.source[:, samples],
            s=None if self.s is None else self.s[..., samples],
        )


class Sweep(Protocol):
    """One iteration of a fixed point in one dtype."""

    dtype: torch.dtype

    def __call__(self, x: Tensor, /) -> Tensor:
        """Return the next iterate."""


@dataclass(frozen=True, kw_only=True)
class Converged:
    """Where a chunk ended."""

    x: Tensor
    """Last iterate, [unknown, batch]."""
    error: Tensor
    """Estimated distance to the fixed point, [batch]."""
    n_iterations: int


def converge(
    x: Tensor,
    *,
    sweeps: Sequence[Sweep],
    tolerance: float,
    max_iterations: int,
    plain_gain: float | None = None,
) -> Converged:
    """Iterate until the estimated error is below the tolerance, roughest sweep first.

    With the rate r at which steps shrink, the error after a step is r / (1 - r) times the step.

    Args:
        x: Start, [unknown, batch].
        sweeps: One for each dtype.
        tolerance: Of the result.
        max_iterations: Sweeps of all dtypes together.
        plain_gain: Norm of Zb J0 if the result is evaluated once more, without preconditioning, as
            voltages are from the currents at `x`. It multiplies errors by norm(Zb J), which is at
            most gain + (1 + gain) r.
    """
    rate, n_iterations = 0.5, 0
    for level, sweep in enumerate(sweeps):
        exact = level == len(sweeps) - 1
        rounding = SINGLE_ROUNDING if sweep.dtype == torch.float32 and len(sweeps) > 1 else 0.0
        x, before = x.to(sweep.dtype), None
        while True:
            new = sweep(x)
            step = torch.sub(new, x).abs_()
            largest = step.max().item()
            x = new
            n_iterations += 1
            resolved = largest > (ROUGH_STEP if sweep.dtype == torch.float32 else EXACT_STEP)
            if before and resolved:
                rate = min(max(largest / before, RATE_BOUNDS[0]), RATE_BOUNDS[1])
            before = largest
            gain = _gain(rate, plain_gain)
            error = largest * rate / (1.0 - rate) + rounding
            if gain * error <= tolerance:
                sample_error = gain * (step.amax(dim=0) * (rate / (1.0 - rate)) + rounding)
                return Converged(x=x, error=sample_error, n_iterations=n_iterations)
            if not (largest < DIVERGED and n_iterations < max_iterations):
                break
            within_reach = gain * rounding <= 0.5 * tolerance
            if not (exact or within_reach) and (error <= HEADROOM * tolerance or not resolved):
                break
    return Converged(
        x=x, error=gain * step.amax(dim=0) * (rate / (1.0 - rate)), n_iterations=n_iterations
    )


def _gain(rate: float, plain_gain: float | None) -> float:
    """Return what one evaluation without preconditioning multiplies errors by, at most 1."""
    return 1.0 if plain_gain is None else min(1.0, plain_gain + (1.0 + plain_gain) * rate)


class ForwardSweep:
    """One sweep of the power flow of a chunk."""

    def __init__(self, *, level: Level, loading: Loading) -> None:
        """Prepare buffers."""
        self.dtype = level.dtype
        self._operators, self._table = level.operators, level.table
        self._loading = loading.to(self.dtype)
        self._offset = self._operators.gw @ self._loading.source
        self._z0 = self._operators.z0 @ self._loading.source
        self._buffers = (torch.empty_like(self._loading.p), torch.empty_like(self._loading.p))
        self._minus_gz = -self._operators.gz

    def currents(self, u: Tensor) -> Tensor:
        """Return the currents at given voltages, stacked, [2 connection, batch]. [kVA]"""
        u_re, u_im = u.chunk(2)
        p, q = self._loading.p, self._loading.q
        a, b = admittances(u_re, u_im, p, q, table=self._table, out=self._buffers)
        i = torch.empty((2 * len(a), a.shape[1]), dtype=self.dtype, device=a.device)
        i_re, i_im = i.chunk(2)
        torch.mul(a, u_re, out=i_re).addcmul_(b, u_im)
        torch.mul(a, u_im, out=i_im).addcmul_(b, u_re, value=-1.0)
        return i

    def regulator_terms(self, i: Tensor) -> Tensor:
        """Return d = S (z0 + z_i i), [4 R, batch]; no rows at the base taps."""
        if self._loading.s is None:
            return i.new_empty((0, i.shape[1]))
        return per_sample(self._loading.s, self._z0 + self._operators.z_i @ i)

    def voltages(self, i: Tensor) -> Tensor:
        """Return f(i), what the network makes of the currents, [2 connection, batch]. [pu]"""
        operators = self._operators
        u = operators.w @ self._loading.source - operators.zb @ i
        return u if self._loading.s is None else u + operators.u_d @ self.regulator_terms(i)

    def __call__(self, u: Tensor, /) -> Tensor:
        """Return the next voltages."""
        i = self.currents(u)
        d = None if self._loading.s is None else self.regulator_terms(i)
        _subtract_slope(i, u, self._operators.j0)
        new = torch.addmm(self._offset, self._minus_gz, i)
        return new if d is None else new.addmm_(self._operators.gu_d, d)


class AdjointSweep:
    """One sweep of the adjoint of a chunk."""

    def __init__(self, *, level: Level, slopes: Slopes, x: Tensor, s: Tensor | None) -> None:
        """Prepare.

        Args:
            level: The network.
            slopes: Of the currents at the solution.
            x: Derivative of the scalar with respect to the currents, [2 connection, batch].
            s: As in `Loading`.
        """
        self.dtype = level.dtype
        self._operators, self._slopes = level.operators, slopes.to(self.dtype)
        self._x = x.to(self.dtype)
        self._s_transposed = None if s is None else s.to(self.dtype).transpose(0, 1).contiguous()
        self._minus_gz_t = -level.operators.gz.t()

    def into_voltages(self, m: Tensor) -> Tensor:
        """Return J' (x + m), the derivative with respect to the connection voltages."""
        total_re, total_im = (self._x + m).chunk(2)
        return torch.cat(self._slopes.transposed(total_re, total_im))

    def __call__(self, m: Tensor, /) -> Tensor:
        """Return the next feedback term."""
        y = self.into_voltages(m)
        operators = self._operators
        feedback = None
        if self._s_transposed is not None:
            feedback = operators.hz_i @ per_sample(self._s_transposed, operators.u_d.t() @ y)
        rr, ri, ir, ii = operators.j0
        m_re, m_im = m.chunk(2)
        y_re, y_im = y.chunk(2)
        y_re.addcmul_(rr, m_re, value=-1.0).addcmul_(ir, m_im, value=-1.0)
        y_im.addcmul_(ri, m_re, value=-1.0).addcmul_(ii, m_im, value=-1.0)
        new = self._minus_gz_t @ y
        return new if feedback is None else new.add_(feedback)


def per_sample(matrices: Tensor, columns: Tensor) -> Tensor:
    """Return each sample's matrix times its column, [row, batch].

    A loop over columns, because `torch.bmm` takes three times as long for one column a sample.

    Args:
        matrices: [column, row, batch].
        columns: [column, batch].
    """
    total = torch.zeros_like(matrices[0])
    for matrix, column in zip(matrices, columns, strict=True):
        total.addcmul_(matrix, column)
    return total


def _subtract_slope(i: Tensor, u: Tensor, j0: Tensor) -> None:
    """Turn i into i - J0 u."""
    rr, ri, ir, ii = j0
    u_re, u_im = u.chunk(2)
    i_re, i_im = i.chunk(2)
    i_re.addcmul_(rr, u_re, value=-1.0).addcmul_(ri, u_im, value=-1.0)
    i_im.addcmul_(ir, u_re, value=-1.0).addcmul_(ii, u_im, value=-1.0)
