"""What every tool is asked: snapshots of the bundled IEEE 123 in which all loads change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from gradmap.feeder import ComplexArray, Feeder, FloatArray
from gradmap.power_flow.solver import PowerFlow, SolverSettings
from opendss_models.engine import Engine, EngineSettings
from opendss_models.extract import extract_feeder
from opendss_models.feeders import feeder_path
from opendss_models.reference import REFERENCE_SETTINGS, OpenDSSReference

FEEDER = "ieee123"
MULTIPLIERS = (0.3, 1.5)
"""Every load of every snapshot draws its own random share of its nominal power. [-]"""
EXACT_PU = 1e-12
"""Tolerance of the solution that errors are measured against. [pu]"""
CHECKED = 50
"""Snapshots in which both engines' exact solutions are compared."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """Snapshots to solve, their exact voltages, and the gradient of a scalar of these."""

    feeder: Feeder
    elements: tuple[str, ...]
    """`load.<name>` of every load."""
    multiplier: FloatArray
    """Of active and reactive power, [snapshot, load]."""
    p_kw: FloatArray
    """[snapshot, connection]."""
    q_kvar: FloatArray
    node_v_pu: ComplexArray
    """To `EXACT_PU`, [snapshot, node]."""
    weights: ComplexArray
    """The scalar is the sum of Re(conj(weight) v), [snapshot, node]."""
    gradient: FloatArray
    """Of that scalar, [snapshot, connection of P then of Q]. [1/kW, 1/kvar]"""

    def __len__(self) -> int:
        return len(self.p_kw)

    def error_pu(self, node_v_pu: ComplexArray) -> float:
        """Return the largest |difference| from the exact voltages. [pu]"""
        return float(np.abs(node_v_pu - self.node_v_pu).max())


class Loadings(NamedTuple):
    """Random powers of a feeder."""

    elements: tuple[str, ...]
    multiplier: FloatArray
    p_kw: FloatArray
    q_kvar: FloatArray


def bundled_engine(settings: EngineSettings | None = None) -> Engine:
    """Return an engine with the IEEE 123, taps where OpenDSS's regulators put them at nominal load.

    Every tool gets these taps and leaves them there.
    """
    engine = Engine(feeder_path(FEEDER), settings=settings)
    engine.solve()
    return engine


def draw_loadings(feeder: Feeder, *, n_snapshots: int, seed: int) -> Loadings:
    """Draw every load of every snapshot independently."""
    element_ids = feeder.connections.element_ids
    elements = tuple(dict.fromkeys(element_ids))
    column = [elements.index(name) for name in element_ids]
    generator = np.random.default_rng(seed)
    multiplier = generator.uniform(*MULTIPLIERS, size=(n_snapshots, len(elements)))
    return Loadings(
        elements=elements,
        multiplier=multiplier,
        p_kw=multiplier[:, column] * feeder.connections.p_kw,
        q_kvar=multiplier[:, column] * feeder.connections.q_kvar,
    )


def make_task(*, n_snapshots: int, seed: int) -> Task:
    """Draw snapshots and solve them exactly."""
    feeder = extract_feeder(bundled_engine())
    drawn = draw_loadings(feeder, n_snapshots=n_snapshots, seed=seed)
    flow = PowerFlow(feeder, settings=SolverSettings(tolerance_pu=EXACT_PU))
    powers = [torch.tensor(x).requires_grad_() for x in (drawn.p_kw, drawn.q_kvar)]
    v = flow.solve(*powers).node_v_pu()
    parts = np.random.default_rng((seed, 1)).standard_normal((2, *v.shape))
    weights = parts[0] + 1j * parts[1]
    gradient = torch.autograd.grad(v, powers, grad_outputs=torch.tensor(weights))
    return Task(
        feeder=feeder,
        **drawn._asdict(),
        node_v_pu=v.detach().numpy(),
        weights=weights,
        gradient=torch.cat(gradient, dim=1).numpy(),
    )


def engines_differ_pu(task: Task) -> float:
    """Return how far OpenDSS at its finest is from the exact voltages. [pu]"""
    engine = bundled_engine(REFERENCE_SETTINGS)
    reference = OpenDSSReference(engine, task.feeder)
    solved = reference.solve(task.p_kw[:CHECKED], task.q_kvar[:CHECKED])
    return float(np.abs(solved.node_v_pu - task.node_v_pu[:CHECKED]).max())


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let torch use one thread, and put the number back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
