"""One sweep of the power flow and one of its adjoint, on one chunk of samples.

With f(i) = w - Zb i + U d(i) the connection voltages that currents i cause, J0 the slope of the
currents at a reference and G = inv(I + Zb J0), the power flow is

    u <- G w - G Zb (i(u) - J0 u) + G U d(i(u))

which is Newton's method with a fixed Jacobian: the usual Z-bus iteration (J0 = 0) at the same cost
per sweep and about half the sweeps. For the derivative x = dL/di of a scalar L and J = di/du at the
solution, the term m that the network feeds back solves m = f_i' J' (x + m):

    m <- -(G Zb)' (J' (x + m) - J0' m) + inv(I + Zb' J0') z_i' S' U' J' (x + m)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from gradmap.power_flow.fused_currents import FusedTable, admittances
from gradmap.power_flow.operators import Operators


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


class ForwardSweep:
    """One sweep of the power flow of a chunk."""

    def __init__(self, *, level: Level, loading: Loading) -> None:
        """Prepare buffers."""
        self.dtype = level.dtype
        self._level, self._operators, self._table = level, level.operators, level.table
        self._loading = loading.to(self.dtype)
        self._z0 = self._operators.z0 @ self._loading.source
        p = self._loading.p
        self._n = len(p)
        self._buffers = (torch.empty_like(p), torch.empty_like(p))
        # Sources stand below the currents, so that one product takes both.
        n_rows = 2 * self._n + len(self._loading.source)
        self._i_and_source = torch.empty((n_rows, p.shape[1]), dtype=self.dtype, device=p.device)
        self._i_and_source[2 * self._n :] = self._loading.source

    def currents(self, u: Tensor, *, out: Tensor | None = None) -> Tensor:
        """Return the currents at given voltages, stacked, [2 connection, batch]. [kVA]"""
        n = self._n
        if out is None:
            out = torch.empty_like(self._i_and_source[: 2 * n])
        u_re, u_im = u[:n], u[n:]
        p, q = self._loading.p, self._loading.q
        if u.shape[1] == 1 < p.shape[1]:  # all samples at one voltage: the factors are shared
            one = torch.ones_like(u_re)
            g_p, g_q = admittances(
                u_re, u_im, one, one, table=self._table, out=(one.clone(), one.clone())
            )
            a, b = torch.mul(p, g_p, out=self._buffers[0]), torch.mul(q, g_q, out=self._buffers[1])
        else:
            a, b = admittances(u_re, u_im, p, q, table=self._table, out=self._buffers)
        i_re, i_im = out[:n], out[n:]
        torch.mul(a, u_re, out=i_re).addcmul_(b, u_im)
        torch.mul(a, u_im, out=i_im).addcmul_(b, u_re, value=-1.0)
        return out

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
        """Return the next voltages; `u` may be one column for all samples."""
        i = self.currents(u, out=self._i_and_source[: 2 * self._n])
        d = None if self._loading.s is None else self.regulator_terms(i)
        _subtract_slope(i, u, self._operators.j0)
        new = self._operators.sweep.columns(self._i_and_source)
        return new if d is None else new.addmm_(self._operators.gu_d, d)

    def ahead(self, x: Tensor, *, samples: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return how one more sweep would move u, and f(i(u)), which voltages come from."""
        some = ForwardSweep(level=self._level, loading=self._loading.take(samples))
        new = some(x)
        change = some.currents(new) - some.currents(x)
        moved = self._operators.zb @ change
        if some._loading.s is not None:
            terms = per_sample(some._loading.s, self._operators.z_i @ change)
            moved -= self._operators.u_d @ terms
        return new - x, moved


class _AdjointTerms(NamedTuple):
    """What the adjoint of a chunk needs: J' (x + m) - J0' m = J' x + (J - J0)' m."""

    slope: Tensor
    """J, as rr, ri, ir, ii, [4, connection, batch]."""
    change: Tensor
    """J - J0."""
    constant: Tensor
    """J' x, [2 connection, batch]."""
    s_transposed: Tensor | None


class AdjointSweep:
    """One sweep of the adjoint of a chunk."""

    def __init__(self, *, level: Level, slope: Tensor, x: Tensor, s: Tensor | None) -> None:
        """Prepare.

        Args:
            level: The network.
            slope: Of the currents at the solution, as rr, ri, ir, ii, [4, connection, batch].
            x: Derivative of the scalar with respect to the currents, [2 connection, batch].
            s: As in `Loading`.
        """
        self.dtype = level.dtype
        self._operators, self._given = level.operators, (slope, x, s)

    @cached_property
    def _prepared(self) -> _AdjointTerms:
        """Made at the first sweep, because sweeps in float64 may not be needed."""
        slope, x, s = self._given
        slope, x = slope.to(self.dtype), x.to(self.dtype)
        return _AdjointTerms(
            slope=slope,
            change=slope - self._operators.j0,
            constant=_add_transposed(slope, x, to=torch.zeros_like(x)),
            s_transposed=None if s is None else s.to(self.dtype).transpose(0, 1).contiguous(),
        )

    def __call__(self, m: Tensor, /) -> Tensor:
        """Return the next feedback term."""
        operators, terms = self._operators, self._prepared
        y = _add_transposed(terms.change, m, to=terms.constant)
        new = operators.minus_gz_t.columns(y)
        if terms.s_transposed is None:
            return new
        into_u = _add_transposed(terms.slope, m, to=terms.constant)
        feedback = per_sample(terms.s_transposed, operators.u_d.t() @ into_u)
        return new.addmm_(operators.hz_i, feedback)

    def ahead(self, x: Tensor, *, samples: Tensor) -> None:
        """Return None: derivatives are read off the iterate itself."""


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


def _add_transposed(blocks: Tensor, x: Tensor, *, to: Tensor) -> Tensor:
    """Return `to` + B' x for the 2 x 2 blocks B of every connection, as rr, ri, ir, ii."""
    n = len(x) // 2
    rr, ri, ir, ii = blocks
    x_re, x_im, y = x[:n], x[n:], torch.empty_like(x)
    torch.addcmul(to[:n], rr, x_re, out=y[:n]).addcmul_(ir, x_im)
    torch.addcmul(to[n:], ri, x_re, out=y[n:]).addcmul_(ii, x_im)
    return y


def _subtract_slope(i: Tensor, u: Tensor, j0: Tensor) -> None:
    """Turn i into i - J0 u; `u` may be one column for all samples."""
    if u.shape[1] == 1:
        i.sub_(_times_slope(u, j0))
        return
    n = len(i) // 2
    rr, ri, ir, ii = j0
    u_re, u_im, i_re, i_im = u[:n], u[n:], i[:n], i[n:]
    i_re.addcmul_(rr, u_re, value=-1.0).addcmul_(ri, u_im, value=-1.0)
    i_im.addcmul_(ir, u_re, value=-1.0).addcmul_(ii, u_im, value=-1.0)


def _times_slope(u: Tensor, j0: Tensor) -> Tensor:
    """Return J0 u."""
    rr, ri, ir, ii = j0
    u_re, u_im = u.chunk(2)
    return torch.cat([rr * u_re + ri * u_im, ir * u_re + ii * u_im])
