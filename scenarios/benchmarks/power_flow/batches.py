"""Time and memory by batch size, each size in a process of its own.

What grows with the batch on purpose is inputs and results. The rest, `working_mb`, must not.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psutil
import torch

from gradmap.power_flow.solver import PowerFlow, Solution, SolverSettings
from opendss_models.extract import extract_feeder
from scenarios.benchmarks.cores import idlest_cores
from scenarios.benchmarks.power_flow.ours import FORWARD, GRADIENT, VARIANTS
from scenarios.benchmarks.power_flow.task import bundled_engine, draw_loadings, one_torch_thread
from scenarios.benchmarks.workers import run_in_processes

LONG_ENOUGH_S = 0.3
"""Runs of small batches are repeated for so long. [s]"""
PATIENCE_S = 600.0
"""How long one batch size may take. [s]"""


@dataclass(frozen=True, kw_only=True)
class BatchTiming:
    """One batch size."""

    batch: int
    kind: str
    dtype: str
    tolerance_pu: float
    us: float
    """Best CPU time per snapshot. [us]"""
    peak_mb: float
    """Largest memory during the first run of this size beyond that before it. [MB]"""
    results_mb: float
    """Node voltages, what a `Solution` keeps, and gradients. [MB]"""
    working_mb: float
    """The difference: buffers of the solver. [MB]"""


def time_batches(batches: Sequence[int], *, seed: int) -> tuple[BatchTiming, ...]:
    """Measure every batch size, dtype and tolerance, forward and with gradient."""
    cores = idlest_cores(1)
    found: list[BatchTiming] = []
    for batch in batches:
        work = partial(_measure_all, batch=batch, seed=seed)
        found += run_in_processes([work], cores=cores, patience_s=PATIENCE_S)[0]
    return tuple(found)


def _measure_all(_: Barrier, *, batch: int, seed: int) -> list[BatchTiming]:
    """Measure one batch size in this process."""
    feeder = extract_feeder(bundled_engine())
    drawn = draw_loadings(feeder, n_snapshots=batch, seed=seed)
    found = []
    with one_torch_thread():
        for dtype, tolerance_pu in VARIANTS:
            own: torch.dtype = getattr(torch, dtype)
            powers = [torch.tensor(x, dtype=own) for x in (drawn.p_kw, drawn.q_kvar)]
            flow = PowerFlow(feeder, dtype=own, settings=SolverSettings(tolerance_pu=tolerance_pu))
            for kind in (FORWARD, GRADIENT):
                weights = None
                if kind == GRADIENT:
                    weights = torch.ones((batch, feeder.n_nodes), dtype=own.to_complex())
                peak_mb, results_mb, us = _measure(flow, powers, weights)
                found.append(
                    BatchTiming(
                        batch=batch,
                        kind=kind,
                        dtype=dtype,
                        tolerance_pu=tolerance_pu,
                        us=us,
                        peak_mb=peak_mb,
                        results_mb=results_mb,
                        working_mb=peak_mb - results_mb,
                    )
                )
    return found


def _measure(
    flow: PowerFlow, powers: list[torch.Tensor], weights: torch.Tensor | None
) -> tuple[float, float, float]:
    """Return peak memory, the part of it that is results [MB], and time per snapshot [us]."""
    _solve(flow, [x[:1] for x in powers], None if weights is None else weights[:1])
    _reset_peak()
    before = psutil.Process().memory_info().rss / 1e6
    results_mb = _solve(flow, powers, weights)
    peak_mb = _peak_mb() - before
    best, end = math.inf, time.perf_counter() + LONG_ENOUGH_S
    while best == math.inf or time.perf_counter() < end:
        start = time.process_time()
        _solve(flow, powers, weights)
        best = min(best, time.process_time() - start)
    return peak_mb, results_mb, 1e6 * best / len(powers[0])


def _solve(flow: PowerFlow, powers: list[torch.Tensor], weights: torch.Tensor | None) -> float:
    """Solve and return the size of all results. [MB]"""
    if weights is None:
        with torch.no_grad():
            solution = flow.solve(*powers)
            return _size_mb([*_kept(solution), solution.node_v_pu()])
    leaves = [x.detach().requires_grad_() for x in powers]
    solution = flow.solve(*leaves)
    v = solution.node_v_pu()
    gradient = torch.autograd.grad(v, leaves, grad_outputs=weights)
    return _size_mb([*_kept(solution), v, *gradient])


def _kept(solution: Solution) -> list[torch.Tensor]:
    return [
        solution.state,
        solution.u,
        solution.status,
        solution.error_pu,
        solution.n_iterations,
    ]


def _size_mb(tensors: Sequence[torch.Tensor]) -> float:
    return sum(x.element_size() * x.numel() for x in tensors) / 1e6


def _reset_peak() -> None:
    """Give back freed memory and forget the largest so far; only Linux can."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_mb() -> float:
    """Return the largest memory of this process since the reset. [MB]"""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
