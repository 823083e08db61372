"""Iterates a fixed point until its estimated error is below a tolerance, on one chunk of samples.

`sweeps` has the two fixed points. Sweeps run in float32 as long as float32 resolves the step, then
in float64: the fixed point is the same, because every sweep starts anew from the iterate and not
from a residual.

Anderson's method of depth one mixes every two sweeps, per sample:

    u <- (1 - c) g(u_k) + c g(u_k-1)

with g the sweep and c such that the mixed step, of s_k = g(u_k) - u_k, is shortest. This removes
the slowest of a sample's error modes, that its loads are mostly above or below the reference, for a
fraction of the cost of a sweep.

References:
    Walker, Ni, "Anderson acceleration for fixed-point iterations", SIAM J. Numerical Analysis
    49(4), 2011.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

ROUGH_STEP = 2e-6
"""Steps below this are rounding in float32 and say nothing about the rate. [pu]"""
HEADROOM = 10.0
"""How far above the tolerance float32 hands over: one float64 sweep gains at least this much."""
EXACT_STEP = 1e-13
"""The same for float64. [pu]"""
SINGLE_ROUNDING = 5e-7
"""Largest error that rounding leaves after float32 sweeps. [pu]"""
ENOUGH = 3.0
"""Times that rounding, at which another float32 sweep gains little."""
DIVERGED = 1e6
NEARLY = 20.0
"""How far above the tolerance it pays to look ahead."""
N_WORST = 8
"""Samples of a chunk that are looked ahead at."""
SAFETY = 2.0
"""What is measured there counts so many times, for all others."""
UNKNOWN_RATE = 0.5
MIN_RATES = 2
"""Ratios of steps to have seen before one is believed."""
RATE_BOUNDS = (0.01, 0.95)
MAX_SHARE = 1.0
"""Largest share of the sweep before in a mix: more would amplify rounding."""
TINY = 1e-30
"""Keeps the share finite where nothing changes any more."""


class Sweep(Protocol):
    """One iteration of a fixed point in one dtype."""

    dtype: torch.dtype

    def __call__(self, x: Tensor, /) -> Tensor:
        """Return the next iterate."""

    def ahead(self, x: Tensor, *, samples: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return how one more sweep would move iterates, and what is computed from them.

        None where results are the iterates themselves.

        Args:
            x: Last iterates of some samples, [unknown, sample].
            samples: Which they are, int64.
        """


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
) -> Converged:
    """Iterate until the estimated error is below the tolerance, roughest sweep first.

    With the rate r at which steps shrink, the error after a step is r / (1 - r) times the step.
    Once the rate is known, sweeps are mixed; near the end, the samples that moved most say how much
    of a step still gets into the results.

    Args:
        x: Start, [unknown, batch].
        sweeps: One for each dtype.
        tolerance: Of the result.
        max_iterations: Sweeps of all dtypes together.
    """
    rates: list[float] = []
    n_iterations = 0
    for level, sweep in enumerate(sweeps):
        exact = level == len(sweeps) - 1
        single = sweep.dtype == torch.float32
        rounding = SINGLE_ROUNDING if single and not exact else 0.0
        x, last, before = x.to(sweep.dtype), None, 0.0
        while True:
            new = sweep(x)
            taken = _Taken(new, torch.sub(new, x))
            size = taken.step.abs().amax(dim=0)
            largest = size.max().item()
            n_iterations += 1
            resolved = largest > (ROUGH_STEP if single else EXACT_STEP)
            if before and resolved:
                rates.append(largest / before)
            rate = _rate(rates)
            mixed, fresh = taken, last is None
            if last is not None and resolved and len(rates) >= MIN_RATES:
                mixed = _mixed(taken, last)
            mixed_size = size if mixed is taken else mixed.step.abs().amax(dim=0)
            x, last, before = mixed.new, taken, mixed_size.max().item()
            error = before * rate / (1.0 - rate) + rounding
            if error <= NEARLY * tolerance:
                left, gain = _look_ahead(sweep, x, size=mixed_size, rate=rate)
                # The first step in a dtype is much the rounding of the one before.
                left = gain * rate if fresh else left
                bound = before * left / (1.0 - rate) + gain * rounding
                if bound <= tolerance:
                    own = size * (rate / (1.0 - rate)) + rounding
                    return Converged(x=x, error=own.clamp_(max=bound), n_iterations=n_iterations)
            if not (largest < DIVERGED and n_iterations < max_iterations):
                break
            within_reach = rounding <= tolerance
            enough = max(HEADROOM * tolerance, ENOUGH * rounding)
            if not (exact or within_reach) and (error <= enough or not resolved):
                break
    return Converged(x=x, error=size * (rate / (1.0 - rate)), n_iterations=n_iterations)


class _Ahead(NamedTuple):
    """What one more sweep would do."""

    left: float
    """How far it would move results, over the size of the last step."""
    gain: float
    """What errors of iterates are multiplied by on their way into results, at most 1."""


class _Taken(NamedTuple):
    """One sweep: where it leads and how far."""

    new: Tensor
    """[unknown, batch]."""
    step: Tensor
    """The sweep's result less what it was given."""


def _mixed(taken: _Taken, last: _Taken) -> _Taken:
    """Return the mix of two sweeps whose step is shortest, per sample (Anderson, depth one)."""
    change = torch.sub(taken.step, last.step)
    along = torch.mul(taken.step, change).sum(dim=0)
    length = torch.mul(change, change).sum(dim=0)
    share = along.div_(length.clamp_(min=TINY)).clamp_(-MAX_SHARE, MAX_SHARE)
    moved = torch.sub(taken.new, last.new)
    return _Taken(
        new=torch.addcmul(taken.new, moved, share, value=-1.0),
        step=torch.addcmul(taken.step, change, share, value=-1.0),
    )


def _rate(rates: Sequence[float]) -> float:
    """Return the rate to count with: the largest seen, because fast modes die out first."""
    if len(rates) < MIN_RATES:
        return UNKNOWN_RATE
    return min(max(*rates, RATE_BOUNDS[0]), RATE_BOUNDS[1])


def _look_ahead(sweep: Sweep, x: Tensor, *, size: Tensor, rate: float) -> _Ahead:
    """Return what one more sweep does to the samples that moved most."""
    worst = size.topk(min(N_WORST, len(size)))
    moved = sweep.ahead(x[:, worst.indices], samples=worst.indices)
    if moved is None:
        return _Ahead(rate, 1.0)
    iterate, result = (part.abs().max().clamp(min=TINY) for part in moved)
    left = SAFETY * (result / worst.values[0].clamp(min=TINY)).item()
    gain = SAFETY * (result / iterate).item()
    return _Ahead(left, min(1.0, gain)) if left >= 0.0 else _Ahead(rate, 1.0)  # NaN: no solution
