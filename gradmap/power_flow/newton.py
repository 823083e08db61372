"""Newton's method per sample, for what the fixed point does not solve and for the reference.

Slow (one dense factorisation a sample and iteration) and robust: the step is halved until the
mismatch F(u) = u - f(i(u)) shrinks.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gradmap.power_flow.fused_currents import Slopes, slopes
from gradmap.power_flow.sweeps import ForwardSweep, Level, Loading

MAX_ITERATIONS = 30
MAX_HALVINGS = 8
MAX_BYTES = 2**27
"""Most memory that the Jacobians of one block of samples take."""


def newton(u: Tensor, *, level: Level, loading: Loading, tolerance: float) -> tuple[Tensor, Tensor]:
    """Solve u = f(i(u)) from a start.

    Args:
        u: Start, [2 connection, batch], float64. [pu]
        level: The network, float64.
        loading: What to solve, float64.
        tolerance: Largest mismatch to call solved. [pu]

    Returns:
        Voltages like `u`, and the largest mismatch of each sample, [batch]; NaN where it failed.
    """
    block = max(1, MAX_BYTES // (8 * len(u) ** 2))
    found, mismatch = torch.empty_like(u), u.new_empty(u.shape[1])
    for start in range(0, u.shape[1], block):
        part = slice(start, start + block)
        found[:, part], mismatch[part] = _solve(
            u[:, part], level=level, loading=loading.take(part), tolerance=tolerance
        )
    return found, mismatch


def _solve(u: Tensor, *, level: Level, loading: Loading, tolerance: float) -> tuple[Tensor, Tensor]:
    sweep = ForwardSweep(level=level, loading=loading)

    def mismatch_of(u: Tensor) -> Tensor:
        return u - sweep.voltages(sweep.currents(u))

    # The eliminated regulators change the network matrix of each sample by rank 4 R.
    operators = level.operators
    network = operators.zb.expand(u.shape[1], -1, -1)
    if loading.s is not None:
        network = network - operators.u_d @ loading.s.permute(2, 1, 0) @ operators.z_i
    mismatch = mismatch_of(u)
    size = mismatch.abs().amax(dim=0)
    for _ in range(MAX_ITERATIONS):
        if bool((size <= tolerance).all()):
            break
        at = slopes(u, loading.p, loading.q, table=level.table)
        direction = _direction(mismatch, network=network, slope=at)
        u, mismatch, size = _damped(u, direction, mismatch, size, mismatch_of=mismatch_of)
    return u, size


def _direction(mismatch: Tensor, *, network: Tensor, slope: Slopes) -> Tensor:
    """Return the Newton step, zero where the Jacobian is singular or not finite."""
    rr, ri, ir, ii = (torch.diag_embed(block.t()) for block in slope.blocks())
    j = torch.cat([torch.cat([rr, ri], dim=2), torch.cat([ir, ii], dim=2)], dim=1)
    jacobian = torch.eye(len(mismatch), dtype=j.dtype, device=j.device) + network @ j
    step, info = torch.linalg.solve_ex(jacobian, mismatch.t().unsqueeze(2))
    step = step.squeeze(2).t()
    usable = (info == 0) & torch.isfinite(step).all(dim=0)
    return torch.where(usable, step, torch.zeros_like(step))


def _damped(
    u: Tensor,
    direction: Tensor,
    mismatch: Tensor,
    size: Tensor,
    *,
    mismatch_of: Callable[[Tensor], Tensor],
) -> tuple[Tensor, Tensor, Tensor]:
    """Take the longest of the halved steps that shrinks each sample's mismatch."""
    scale = torch.ones_like(size)
    for _ in range(MAX_HALVINGS):
        trial = u - scale * direction
        trial_mismatch = mismatch_of(trial)
        trial_size = trial_mismatch.abs().amax(dim=0)
        worse = ~(trial_size < size)
        if not bool(worse.any()):
            break
        scale = torch.where(worse, 0.5 * scale, scale)
    better = trial_size < size
    return (
        torch.where(better, trial, u),
        torch.where(better, trial_mismatch, mismatch),
        torch.where(better, trial_size, size),
    )
