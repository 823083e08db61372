"""The maps of a `Network` as real torch matrices of one dtype on one device.

A complex vector is stacked as [real parts; imaginary parts], so that a complex product is one real
matrix product; eager complex arithmetic in torch is several times slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradmap.feeder import ComplexArray, FloatArray, IndexArray
from gradmap.power_flow.block_low_rank import EVERYWHERE, NOWHERE, BlockLowRank, block_low_rank
from gradmap.power_flow.network import AffineMap, Network


def stacked(matrix: ComplexArray) -> FloatArray:
    """Return the real form [[re, -im], [im, re]] of a complex matrix."""
    return np.block([[matrix.real, -matrix.imag], [matrix.imag, matrix.real]])


def interleaved(matrix: ComplexArray) -> FloatArray:
    """Return the real form whose rows are re, im of one result after another."""
    rows = stacked(matrix)
    return rows.reshape(2, len(matrix), -1).swapaxes(0, 1).reshape(2 * len(matrix), -1)


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
    sweep: BlockLowRank
    """[-g Zb, g w] with g = inv(I + Zb J0): voltages from connection currents and sources."""
    minus_gz_t: BlockLowRank
    """(-g Zb)', from voltages to feedback terms."""
    gu_d: Tensor
    """g u_d."""
    hz_i: Tensor
    """inv(I + Zb' J0') z_i', the adjoint's counterpart of `gu_d`, [2 connection, 4 R]."""


def make_operators(
    network: Network,
    *,
    slope: FloatArray,
    dtype: torch.dtype,
    device: torch.device,
    areas: Sequence[IndexArray] = (),
) -> Operators:
    """Return the operators of a network for currents linearised with a given slope.

    Args:
        network: The linear part.
        slope: d(i_re, i_im)/d(u_re, u_im) of every connection, [4, connection] as rr, ri, ir, ii.
        dtype: Of the matrices; they are computed in float64.
        device: Where they go.
        areas: Ways to cut the feeder: the area of every connection.
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

    def tensor(array: FloatArray) -> Tensor:
        return torch.as_tensor(array.copy(), dtype=dtype, device=device)

    def blocks(matrix: FloatArray) -> BlockLowRank:
        of_sources = np.full(matrix.shape[1] - 2 * n, EVERYWHERE)
        cuts = [(np.concatenate([own, own, of_sources]), np.tile(own, 2)) for own in areas]
        return block_low_rank(matrix.T, areas=cuts, dtype=dtype, device=device)

    return Operators(
        w=tensor(w),
        zb=tensor(zb),
        u_d=tensor(u_d),
        z0=tensor(z0),
        z_i=tensor(z_i),
        j0=tensor(slope[:, :, None]),
        sweep=blocks(np.hstack([-g @ zb, g @ w])),
        minus_gz_t=blocks(-(g @ zb).T),
        gu_d=tensor(g @ u_d),
        hz_i=tensor(h @ z_i.T),
    )


def make_output(
    part: AffineMap,
    *,
    with_regulators: bool,
    dtype: torch.dtype,
    device: torch.device,
    areas: Sequence[tuple[IndexArray, IndexArray]] = (),
) -> BlockLowRank:
    """Return an affine map for `outputs.apply_output`, from states to rows of re, im interleaved.

    The columns of the state are connection currents, sources, and regulator terms if there are any.

    Args:
        part: The map.
        with_regulators: Whether the state holds regulator terms.
        dtype: Of the matrices.
        device: Where they go.
        areas: Ways to cut the feeder: the area of every connection and of every row of the map.
    """
    parts = [interleaved(part.at_current), interleaved_real(part.at_source)]
    if with_regulators:
        parts.append(interleaved(part.at_regulator))
    n_sources, n_terms = parts[1].shape[1], sum(matrix.shape[1] for matrix in parts[2:])
    rest = np.repeat([EVERYWHERE, NOWHERE], [n_sources, n_terms])
    cuts = [
        (np.concatenate([of_connections, of_connections, rest]), np.repeat(of_rows, 2))
        for of_connections, of_rows in areas
    ]
    return block_low_rank(np.hstack(parts).T, areas=cuts, dtype=dtype, device=device)


def interleaved_real(matrix: ComplexArray) -> FloatArray:
    """Return the same where what is multiplied is real."""
    return interleaved(matrix)[:, : matrix.shape[1]]


def _halves(matrix: ComplexArray) -> FloatArray:
    """Return [re; im]: the real form where what is multiplied is real."""
    return np.vstack([matrix.real, matrix.imag])
