"""How the current of a connection depends on its voltage, exactly as OpenDSS has it.

A row draws `i = conj(S) u g(|u|)`, with u its voltage over its rated voltage, S its nominal power
and i in kVA per rated voltage; g has one value for P and one for Q. With V = |u|:

    V <= v_low            g = 1                             every model
    v_low < V <= v_min    g = z + c l1(V) + p l2(V)
    v_min < V <= v_max    g = z + c V^-1  + p V^(e-2)
    V > v_max             g = z + c v_max^-1 + p v_max^-2

z, c and p are the shares of constant impedance, current and power: one of them is 1 for models 1,
2 and 5, all three count for 8 (ZIPV). The lines l_k(V) = alpha_k + beta_k / V make the magnitude of
the current linear in V, from v_low at v_low to v_min^(1-k) at v_min. The exponent e is 0 but for
model 4 (CVR): outside the limits OpenDSS makes that constant power, so it jumps at v_min and v_max,
and a feeder can have two solutions. Above v_low, model 8 is multiplied by the cut-off
1 / (1 + exp(-1000 (V - v_cut))) if v_cut > 0.

A generating element is constant power with v_low = 0, because OpenDSS makes it a constant
impedance below v_min.

Sources: `DoConstantPQLoad`, `DoConstantILoad`, `DoCVRModel`, `DoZIPVModel` of Load.pas in DSS C-API
0.14; checked against OpenDSS in tests/power_flow/test_load_models.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gradmap.errors import FeederError
from gradmap.feeder import Connections, FloatArray, LoadModel

_CUT_OFF_STEEPNESS = 1000.0
"""Twice the 500 of OpenDSS's hyperbolic tangent. [1/pu]"""
_SIMPLE = (LoadModel.CONSTANT_POWER, LoadModel.CONSTANT_IMPEDANCE, LoadModel.CONSTANT_CURRENT)
_V_FLOOR = 1e-12
"""Keeps powers of the voltage finite, in float32 too; the current there is nothing. [pu]"""


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Make-up of the active or of the reactive power, each [connection, 1]."""

    impedance: Tensor
    current: Tensor
    power: Tensor
    exponent: Tensor
    """e of the power share inside the limits."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a constant-current or constant-power share is outside the limits, [connection, 1]."""

    alpha: Tensor
    beta: Tensor
    above: Tensor
    """Factor above v_max."""


@dataclass(frozen=True, kw_only=True)
class LoadTable:
    """Parameters of all rows, each [connection, 1] so that they broadcast over a batch."""

    v_low: Tensor
    v_min: Tensor
    v_max: Tensor
    v_cut: Tensor
    """Cut-off voltage, 0 if none. [pu]"""
    active: Shares
    reactive: Shares
    current_limits: Limits
    power_limits: Limits
    fusable: Tensor
    """Whether the row is of model 1, 2 or 5 with V^-k, limits and line meeting in order, so that
    g = min(max(V^-k, above), max(alpha + beta / V, 1)), bool [connection, 1]."""

    @classmethod
    def build(
        cls,
        connections: Connections,
        *,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> LoadTable:
        """Return the table of a feeder's connections.

        Raises:
            FeederError: A row has a model that is not one of `LoadModel`.
        """
        _check_models(connections)

        def column(values: FloatArray) -> Tensor:
            return torch.tensor(values[:, None], dtype=dtype, device=device)

        def shares(which: int) -> Shares:
            z, c, p, e = _shares(connections, which)
            return Shares(
                impedance=column(z), current=column(c), power=column(p), exponent=column(e)
            )

        def limits(order: int) -> Limits:
            alpha, beta, above = _limits(connections, order)
            return Limits(alpha=column(alpha), beta=column(beta), above=column(above))

        return cls(
            v_low=column(connections.v_low_pu),
            v_min=column(connections.v_min_pu),
            v_max=column(connections.v_max_pu),
            v_cut=column(_cut_off(connections)),
            active=shares(0),
            reactive=shares(1),
            current_limits=limits(1),
            power_limits=limits(2),
            fusable=torch.tensor(_fusable(connections)[:, None], device=device),
        )


def currents(
    u_re: Tensor, u_im: Tensor, p: Tensor, q: Tensor, table: LoadTable
) -> tuple[Tensor, Tensor]:
    """Return the current that every row draws.

    Args:
        u_re: Voltage across the row over its rated voltage, real part, [connection, batch]. [pu]
        u_im: Imaginary part.
        p: Nominal active power, positive draws, [connection, batch]. [kW]
        q: Nominal reactive power, positive absorbs. [kvar]
        table: Parameters of the rows.

    Returns:
        Real and imaginary part, [connection, batch]. [kVA per rated voltage]
    """
    g_p, g_q = factors(torch.hypot(u_re, u_im), table)
    conductance, susceptance = p * g_p, q * g_q
    return conductance * u_re + susceptance * u_im, conductance * u_im - susceptance * u_re


def factors(v: Tensor, table: LoadTable) -> tuple[Tensor, Tensor]:
    """Return g of P and of Q at voltage magnitudes over rated voltage, [connection, batch]."""
    v = v.clamp_min(_V_FLOOR)
    constant_current = _piecewise(v, 1 / v, table.current_limits, table)

    def factor(shares: Shares) -> Tensor:
        power = _piecewise(v, v ** (shares.exponent - 2), table.power_limits, table)
        g = shares.impedance + shares.current * constant_current + shares.power * power
        return torch.where(v <= table.v_low, 1.0, g * _remaining(v, table))

    return factor(table.active), factor(table.reactive)


def factor_slopes(v: Tensor, table: LoadTable) -> tuple[Tensor, Tensor]:
    """Return dg/dV of P and of Q, [connection, batch].

    Exact in every region. At a limit it is the slope of the region that OpenDSS counts the limit
    to: the one below.
    """
    v = v.clamp_min(_V_FLOOR)
    current = _piecewise(v, 1 / v, table.current_limits, table)
    current_slope = _piecewise_slope(v, -1 / v**2, table.current_limits, table)
    remaining = _remaining(v, table)
    remaining_slope = _CUT_OFF_STEEPNESS * remaining * (1 - remaining)

    def slope(shares: Shares) -> Tensor:
        inside = v ** (shares.exponent - 2)
        inside_slope = (shares.exponent - 2) * v ** (shares.exponent - 3)
        power = _piecewise(v, inside, table.power_limits, table)
        power_slope = _piecewise_slope(v, inside_slope, table.power_limits, table)
        g = shares.impedance + shares.current * current + shares.power * power
        dg = shares.current * current_slope + shares.power * power_slope
        return torch.where(v <= table.v_low, 0.0, dg * remaining + g * remaining_slope)

    return slope(table.active), slope(table.reactive)


def _piecewise(v: Tensor, inside: Tensor, limits: Limits, table: LoadTable) -> Tensor:
    """Return the factor of a share above v_low."""
    outside = torch.where(v > table.v_max, limits.above, inside)
    return torch.where(v <= table.v_min, limits.alpha + limits.beta / v, outside)


def _piecewise_slope(v: Tensor, inside: Tensor, limits: Limits, table: LoadTable) -> Tensor:
    """Return the derivative of `_piecewise` where that of the inside is `inside`."""
    outside = torch.where(v > table.v_max, 0.0, inside)
    return torch.where(v <= table.v_min, -limits.beta / v**2, outside)


def _remaining(v: Tensor, table: LoadTable) -> Tensor:
    """Return the part that low-voltage cut-off leaves."""
    kept = torch.sigmoid(_CUT_OFF_STEEPNESS * (v - table.v_cut))
    return torch.where(table.v_cut > 0, kept, 1.0)


# ---------------------------------------------------------------------- parameters, numpy


def _check_models(connections: Connections) -> None:
    known = [int(model) for model in LoadModel]
    unknown = np.flatnonzero(~np.isin(connections.model, known))
    if len(unknown):
        row = unknown[0]
        raise FeederError(
            f"Connection {connections.connection_ids[row]!r}: load model {connections.model[row]}, "
            f"expected one of {known}. Accept its element by name on extraction to leave it out."
        )


def _shares(
    connections: Connections, which: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return z, c, p and e of P (0) or Q (1)."""
    model = connections.model
    zipv = connections.zipv[:, 3 * which : 3 * which + 3].T * (model == LoadModel.ZIPV)
    z = zipv[0] + (model == LoadModel.CONSTANT_IMPEDANCE)
    c = zipv[1] + (model == LoadModel.CONSTANT_CURRENT)
    p = zipv[2] + ((model == LoadModel.CONSTANT_POWER) | (model == LoadModel.EXPONENTIAL))
    e = connections.exponents[:, which] * (model == LoadModel.EXPONENTIAL)
    return z, c, p, e


def _cut_off(connections: Connections) -> FloatArray:
    cut_off: FloatArray = connections.zipv[:, 6] * (connections.model == LoadModel.ZIPV)
    return np.maximum(cut_off, 0.0)


def _limits(connections: Connections, order: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return alpha, beta and the factor above v_max of constant current (1) or power (2)."""
    low, minimum, maximum = connections.v_low_pu, connections.v_min_pu, connections.v_max_pu
    ordered = low < minimum  # otherwise V <= v_low comes first and the line is never used
    span = np.where(ordered, minimum - low, 1.0)
    i_at_min = np.where(ordered, minimum, 1.0) ** (1 - order)
    alpha = (i_at_min - low) / span
    beta = low * (1 - alpha)
    # OpenDSS takes the nominal impedance where Vmaxpu is 0.
    above = np.where(maximum > 0, np.where(maximum > 0, maximum, 1.0) ** -float(order), 1.0)
    return alpha, beta, above


def _fusable(connections: Connections) -> NDArray[np.bool_]:
    ordered = (
        (connections.v_low_pu >= 0)
        & (connections.v_low_pu < connections.v_min_pu)
        & (connections.v_min_pu <= np.minimum(1.0, connections.v_max_pu))
    )
    no_limits = connections.model == LoadModel.CONSTANT_IMPEDANCE
    fusable: NDArray[np.bool_] = np.isin(connections.model, _SIMPLE) & (ordered | no_limits)
    return fusable
