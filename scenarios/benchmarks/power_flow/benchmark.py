"""Ours, OpenDSS and power-grid-model side by side on one core, and where they stand."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gradmap.errors import MissingExtraError
from gradmap.feeder import FloatArray
from scenarios.benchmarks.cores import pinned, usable_cores
from scenarios.benchmarks.power_flow.opendss import opendss_contenders, shaped_engine
from scenarios.benchmarks.power_flow.ours import our_contenders
from scenarios.benchmarks.power_flow.pgm import TOOL as PGM
from scenarios.benchmarks.power_flow.pgm import pgm_contenders
from scenarios.benchmarks.power_flow.results import Ratio, Row, gradient_factors, ratios
from scenarios.benchmarks.power_flow.task import (
    Task,
    engines_differ_pu,
    make_task,
    one_torch_thread,
)
from scenarios.benchmarks.power_flow.timing import Contender, time_in_turn


@dataclass(frozen=True, kw_only=True)
class PowerFlowTiming:
    """Everything one benchmark found."""

    machine: dict[str, Any]
    n_snapshots: int
    repeats: int
    seed: int
    n_nodes: int
    n_connections: int
    engines_differ_pu: float
    """Between the exact solutions of both engines, in a sample of the snapshots. [pu]"""
    rows: tuple[Row, ...]
    ratios: tuple[Ratio, ...]
    gradient_factors: dict[str, float]
    """Forward and gradient over forward, by our rows. [-]"""
    missing: tuple[str, ...]
    """Tools that are not installed, with what to do."""


def time_power_flow(
    *,
    n_snapshots: int,
    repeats: int,
    seed: int,
    on_round: Callable[[int], None] | None = None,
) -> PowerFlowTiming:
    """Solve the same snapshots with every tool in turn, on one pinned core."""
    with pinned() as core, one_torch_thread():
        task = make_task(n_snapshots=n_snapshots, seed=seed)
        engine = shaped_engine(task)
        contenders = [
            *our_contenders(task),
            *opendss_contenders(task, engine=engine, plain=shaped_engine(task, shaped=False)),
        ]
        missing: tuple[str, ...] = ()
        try:
            contenders += pgm_contenders(task)
        except MissingExtraError as exc:
            missing = (str(exc),)
        machine = describe_machine(core=core, opendss_version=engine.version)
        times, errors = time_in_turn(
            contenders,
            repeats=repeats,
            n_snapshots=n_snapshots,
            look=lambda contender: _errors(contender, task),
            on_round=on_round,
        )
        rows = tuple(_rows(contenders, times, errors, batch=n_snapshots))
        return PowerFlowTiming(
            machine=machine,
            n_snapshots=n_snapshots,
            repeats=repeats,
            seed=seed,
            n_nodes=task.feeder.n_nodes,
            n_connections=len(task.feeder.connections),
            engines_differ_pu=engines_differ_pu(task),
            rows=rows,
            ratios=ratios(rows),
            gradient_factors=gradient_factors(rows),
            missing=missing,
        )


def describe_machine(*, core: int | None, opendss_version: str) -> dict[str, Any]:
    """Return what a reader needs to judge the figures."""
    return {
        "cpu": _cpu_model(),
        "cores": len(usable_cores()) if core is None else os.cpu_count(),
        "pinned_core": core,
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torch_vectors": torch.backends.cpu.get_cpu_capability(),
        "opendss": opendss_version,
        "power_grid_model": _version(PGM),
    }


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    models = (line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line)
    return next(models, platform.machine())


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _errors(contender: Contender, task: Task) -> tuple[float | None, float | None]:
    """Return the true errors of voltages and gradient of a contender's last run."""
    if contender.error_pu is not None:
        return contender.error_pu(), None
    outcome = contender.outcome()
    v = None if outcome.node_v_pu is None else task.error_pu(outcome.node_v_pu)
    gradient = None if outcome.gradient is None else _relative(outcome.gradient, task.gradient)
    return v, gradient


def _relative(found: FloatArray, exact: FloatArray) -> float:
    return float(np.abs(found - exact).max() / np.abs(exact).max())


def _rows(
    contenders: Sequence[Contender],
    times: Sequence[list[float]],
    errors: Sequence[tuple[float | None, float | None]],
    *,
    batch: int,
) -> Iterator[Row]:
    for contender, us, (error_pu, gradient_error) in zip(contenders, times, errors, strict=True):
        yield Row(
            tool=contender.tool,
            kind=contender.kind,
            dtype=contender.dtype,
            tolerance_pu=contender.tolerance_pu,
            reference=contender.reference,
            batch=batch,
            us=tuple(us),
            error_pu=error_pu,
            gradient_error=gradient_error,
            note=contender.note,
        )
