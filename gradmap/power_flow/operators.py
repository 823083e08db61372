"""The maps of a `Network` as real torch matrices of one dtype on one device.

A complex vector is stacked as [real parts; imaginary parts], so that a complex product is one real
matrix product; eager complex arithmetic in torch is several times slower.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradmap.feeder import ComplexArray, FloatArray
from gradmap.power_flow.network import AffineMap, Network


def stacked(matrix: ComplexArray) -> FloatArray:
    """Return the real form [[re, -im], [im, re]] of a complex matrix."""
    return np.block([[matrix.real, -matrix.imag], [matrix.imag, matrix.real]])


def interleaved(matrix: ComplexArray) -> FloatArray:
    """Return the real form whose rows are re, im of one result after another."""
    rows = stacked(matrix)
    return rows.reshape(2, len(matrix), -1).swapaxes(0, 1).reshape(2 * len(matrix), -1)


@dataclass(frozen=True, kw_only=True)
class OutputMap:
    """An affine map to results that are read as complex numbers, re and im interleaved."""

    at_source: Tensor
    """[source, 2 row]."""
    at_state: Tensor
    """[2 connection + 4 R, 2 row]: connection currents, then regulator terms."""


@dataclass(frozen=True, kw_only=True)
class Operators:
    """What one fixed-point sweep needs: u = w source - Zb i + U d, d = S (z0 source + z_i i)."""

    w: Tensor
    """Voltages without currents, [2 connection, source]."""
    zb: Tensor
    """Connection voltages per connection current, [2 connection, 2 connection]."""
    u_d: Tensor
    """Connection voltages per regulator term, [2 connection, 4 R]."""
    z0: Tensor
    """Regulator unknowns without currents, [4 R, source]."""
    z_i: Tensor
    """Regulator unknowns per connection current, [4 R, 2 connection]."""
    j0: Tensor
    """Slope of the currents where they were linearised, as rr, ri, ir, ii, [4, connection, 1]."""
    g: Tensor
    """inv(I + Zb J0), [2 connection, 2 connection]."""
    gw: Tensor
    """g w."""
    gz: Tensor
    """g Zb."""
    gu_d: Tensor
    """g u_d."""
    hz_i: Tensor
    """inv(I + Zb' J0') z_i', the adjoint's counterpart of `gu_d`, [2 connection, 4 R]."""


def make_operators(
    network: Network, *, slope: FloatArray, dtype: torch.dtype, device: torch.device
) -> Operators:
    """Return the operators of a network for currents linearised with a given slope.

    Args:
        network: The linear part.
        slope: d(i_re, i_im)/d(u_re, u_im) of every connection, [4, connection] as rr, ri, ir, ii.
        dtype: Of the matrices; they are computed in float64.
        device: Where they go.
    """
    to_u, to_z = network.connection_voltages, network.regulator_unknowns
    w, u_d = _halves(to_u.at_source), stacked(to_u.at_regulator)
    z0, z_i = _halves(to_z.at_source), stacked(to_z.at_current)
    zb = -stacked(to_u.at_current)
    n = slope.shape[1]
    rr, ri, ir, ii = (np.diag(row) for row in slope)
    j0 = np.block([[rr, ri], [ir, ii]])
    g = np.linalg.inv(np.eye(2 * n) + zb @ j0)
    h = np.linalg.inv(np.eye(2 * n) + zb.T @ j0.T)
    arrays = {
        "w": w,
        "zb": zb,
        "u_d": u_d,
        "z0": z0,
        "z_i": z_i,
        "j0": slope[:, :, None],
        "g": g,
        "gw": g @ w,
        "gz": g @ zb,
        "gu_d": g @ u_d,
        "hz_i": h @ z_i.T,
    }
    return Operators(
        **{
            name: torch.as_tensor(array.copy(), dtype=dtype, device=device)
            for name, array in arrays.items()
        }
    )


def plain_gain(operators: Operators) -> float:
    """Return the largest row sum of |Zb J0|: how fast the plain Z-bus iteration converges."""
    rr, ri, ir, ii = operators.j0.abs()
    gain = operators.zb.abs() @ torch.cat([rr + ir, ri + ii])
    return gain.max().item()


def make_output(
    part: AffineMap, *, with_regulators: bool, dtype: torch.dtype, device: torch.device
) -> OutputMap:
    """Return an affine map as torch matrices.

    Args:
        part: The map.
        with_regulators: Whether the state holds regulator terms after the currents.
        dtype: Of the matrices.
        device: Where they go.
    """
    at_state = interleaved(part.at_current)
    if with_regulators:
        at_state = np.hstack([at_state, interleaved(part.at_regulator)])
    at_source = interleaved(part.at_source)[:, : part.at_source.shape[1]]
    return OutputMap(
        at_source=torch.as_tensor(at_source.T.copy(), dtype=dtype, device=device),
        at_state=torch.as_tensor(at_state.T.copy(), dtype=dtype, device=device),
    )


def _halves(matrix: ComplexArray) -> FloatArray:
    """Return [re; im]: the real form where what is multiplied is real."""
    return np.vstack([matrix.real, matrix.imag])
