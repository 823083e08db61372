"""Load currents in few passes over memory, for the inner loop of the solver.

For shares z, c, p of constant impedance, current and power, OpenDSS's load current is
i = conj(S) g(V) u with u per unit of the rated voltage, V = |u|, and

    g(V) = min( max(z + c/V + p/V^2, ceiling), max(alpha + beta/V, 1) )

where `ceiling` is the value at v_max (above it the load is an impedance), alpha + beta/V makes |i|
linear in V between v_low and v_min, and 1 is the nominal impedance below v_low. The one expression
covers all regions of models 1, 2 and 5 because the curves cross only at the limits; the other
models come from `load_models`. Tests compare both.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gradmap.feeder import Connections
from gradmap.power_flow.load_models import LoadTable, factor_slopes, factors

TINY = 1e-20
"""Added to V^2, so that a dead connection gives a finite 1/V. [pu^2]"""


@dataclass(frozen=True, kw_only=True)
class FusedTable:
    """Constants of every connection, each [connection, 1]."""

    impedance: Tensor
    current: Tensor
    power: Tensor
    ceiling: Tensor
    alpha: Tensor
    beta: Tensor
    v2_min: Tensor
    """v_min^2, below which the straight line holds. [pu^2]"""
    v2_max: Tensor
    tiny: Tensor
    """`TINY`, [1, 1]."""
    other_rows: Tensor
    """Rows of other models, which `load_models` computes, [other]."""
    other: LoadTable


@dataclass(frozen=True, kw_only=True)
class Slopes:
    """Derivatives of the currents at one solution, each [connection, batch].

    With a = P g_p and b = Q g_q the currents are i_re = a u_re + b u_im, i_im = a u_im - b u_re.
    """

    u_re: Tensor
    u_im: Tensor
    g_p: Tensor
    g_q: Tensor
    a: Tensor
    b: Tensor
    t: Tensor
    """(a' u_re + b' u_im) / V."""
    s: Tensor
    """(a' u_im - b' u_re) / V."""

    def transposed(self, x_re: Tensor, x_im: Tensor, *, out: tuple[Tensor, Tensor]) -> None:
        """Write (d i / d u)' x into `out`."""
        y_re, y_im = out
        common = torch.mul(self.t, x_re).addcmul_(self.s, x_im)
        torch.mul(self.a, x_re, out=y_re).addcmul_(self.b, x_im, value=-1.0)
        torch.mul(self.b, x_re, out=y_im).addcmul_(self.a, x_im)
        y_re.addcmul_(self.u_re, common)
        y_im.addcmul_(self.u_im, common)

    def blocks(self) -> Tensor:
        """Return d i / d u as rr, ri, ir, ii, [4, connection, batch]."""
        blocks = self.a.new_empty((4, *self.a.shape))
        rr, ri, ir, ii = blocks
        torch.addcmul(self.a, self.t, self.u_re, out=rr)
        torch.addcmul(self.b, self.t, self.u_im, out=ri)
        torch.mul(self.s, self.u_re, out=ir).sub_(self.b)
        torch.addcmul(self.a, self.s, self.u_im, out=ii)
        return blocks


def fused_table(
    connections: Connections, *, dtype: torch.dtype, device: torch.device
) -> FusedTable:
    """Return the constants of a feeder's connections."""
    table = LoadTable.build(connections, dtype=dtype, device=device)
    z, c, p = table.active.impedance, table.active.current, table.active.power
    limited = c + p
    at_current, at_power = table.current_limits, table.power_limits
    other_rows = torch.nonzero(~table.fusable[:, 0])[:, 0]
    return FusedTable(
        impedance=z,
        current=c,
        power=p,
        ceiling=c * at_current.above + p * at_power.above,
        alpha=c * at_current.alpha + p * at_power.alpha,
        # Constant impedance has no line: 1/V would stay above 1 below, max(1/V, 1) above.
        beta=torch.where(limited > 0.0, c * at_current.beta + p * at_power.beta, 1.0),
        v2_min=torch.where(limited > 0.0, table.v_min**2, -1.0),
        v2_max=torch.where(limited > 0.0, table.v_max**2, torch.inf),
        tiny=torch.full((1, 1), TINY, dtype=dtype, device=device),
        other_rows=other_rows,
        other=LoadTable.build(
            connections.take(other_rows.cpu().numpy()), dtype=dtype, device=device
        ),
    )


def admittances(
    u_re: Tensor, u_im: Tensor, p: Tensor, q: Tensor, *, table: FusedTable, out: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor]:
    """Return a = P g_p and b = Q g_q of every connection, [connection, batch].

    Args:
        u_re: Voltage over the rated one, real part, [connection, batch]. [pu]
        u_im: Imaginary part.
        p: Active power at rated voltage. [kW]
        q: Reactive power at rated voltage. [kvar]
        table: Constants.
        out: Two buffers like `p`, overwritten and returned.
    """
    a, b = out
    torch.addcmul(table.tiny, u_re, u_re, out=a).addcmul_(u_im, u_im).rsqrt_()
    # Not `addcmul` with two columns of constants, for which torch has no vectorised loop.
    torch.mul(a, table.beta, out=b).add_(table.alpha).clamp_(min=1.0)
    other_v = a[table.other_rows].reciprocal_() if len(table.other_rows) else None
    share = torch.mul(a, table.power).add_(table.current)
    torch.addcmul(table.impedance, share, a, out=a)
    torch.maximum(a, table.ceiling, out=a)
    torch.minimum(a, b, out=a)
    torch.mul(q, a, out=b)
    a.mul_(p)
    if other_v is not None:
        rows = table.other_rows
        g_p, g_q = factors(other_v, table.other)
        a[rows] = p[rows] * g_p
        b[rows] = q[rows] * g_q
    return a, b


def slopes(u: Tensor, p: Tensor, q: Tensor, *, table: FusedTable) -> Slopes:
    """Return the derivatives of the currents, one-sided at the limits.

    Args:
        u: Voltages over the rated ones, stacked re and im, [2 connection, batch]. [pu]
        p: Active power at rated voltage, [connection, batch]. [kW]
        q: Reactive power. [kvar]
        table: Constants.
    """
    n = len(u) // 2
    u_re, u_im = u[:n], u[n:]
    v2 = torch.addcmul(table.tiny, u_re, u_re).addcmul_(u_im, u_im)
    inverse = torch.rsqrt(v2)
    line = torch.mul(inverse, table.beta).add_(table.alpha)
    share = torch.mul(inverse, table.power).add_(table.current)
    curve = torch.addcmul(table.impedance, share, inverse)
    low = v2 < table.v2_min
    flat = (line <= 1.0).logical_and_(low).logical_or_(v2 > table.v2_max)
    g = torch.where(low, line.clamp_(min=1.0), torch.maximum(curve, table.ceiling, out=curve))
    # dg/dV over V.
    dg = torch.where(low, table.beta, share.addcmul_(table.power, inverse))
    dg.mul_(inverse).div_(v2).neg_().masked_fill_(flat, 0.0)
    g_p, g_q, dg_p, dg_q = g, g, dg, dg
    rows = table.other_rows
    if len(rows):
        v = v2[rows].sqrt()
        g_p, g_q, dg_p, dg_q = g.clone(), g.clone(), dg.clone(), dg.clone()
        g_p[rows], g_q[rows] = factors(v, table.other)
        slope_p, slope_q = factor_slopes(v, table.other)
        dg_p[rows], dg_q[rows] = slope_p / v, slope_q / v
    da, db = p * dg_p, q * dg_q
    return Slopes(
        u_re=u_re,
        u_im=u_im,
        g_p=g_p,
        g_q=g_q,
        a=p * g_p,
        b=q * g_q,
        t=torch.mul(da, u_re).addcmul_(db, u_im),
        s=torch.mul(da, u_im).addcmul_(db, u_re, value=-1.0),
    )
