"""How far two solutions of the same situations are apart, by quantity and phase."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradmap.feeder import Feeder, FloatArray
from gradmap.reference import SolvedSituations
from scenarios.validation.distances import (
    RATING_SHARE,
    current_errors,
    floating_means,
    voltage_errors,
)

Mask = NDArray[np.bool_]

PHASE_NAMES = {"1": "A", "2": "B", "3": "C"}
OTHER = "other"
"""Nodes that are no phase: neutral wires."""
GROUND = "ground"
FLOATING_FACTOR = 100.0
"""Tolerance of what only OpenDSS's anti-float admittances define, over that of other voltages: its
own rounding is 7e-8 pu there (4-bus YYD). [-]"""
LEAST_LOSS_SHARE = 1e-6
"""Losses below this share of the head's power are compared with it. [-]"""


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """Largest error that still counts as agreement."""

    v_pu: float
    """Complex node voltage. [pu]"""
    current: float
    """Complex branch current over max(|i|, 1 % of the rating); also loading and head power. [-]"""
    losses: float
    """Relative. [-]"""


TOLERANCES = {
    "float64": Tolerances(v_pu=1e-8, current=1e-6, losses=1e-6),
    "float32": Tolerances(v_pu=1e-6, current=1e-5, losses=1e-5),
}
"""By the numbers that the solver computes with."""


@dataclass(frozen=True, kw_only=True)
class ErrorRow:
    """Errors of one quantity on one phase over all situations."""

    quantity: str
    phase: str
    unit: str
    n: int
    max: float
    p99: float
    mean: float
    tolerance: float
    worst: str
    """Where the largest error is."""

    @property
    def within(self) -> bool:
        """Tell whether every value agrees; a missing number never does."""
        return bool(self.max <= self.tolerance)


@dataclass(frozen=True, kw_only=True)
class _Errors:
    """Errors of one quantity, [situation, item], with a name and a phase per item."""

    quantity: str
    unit: str
    values: FloatArray
    names: tuple[str, ...]
    phases: tuple[str, ...]
    tolerance: float


def error_rows(
    ours: SolvedSituations,
    reference: SolvedSituations,
    *,
    feeder: Feeder,
    situations: Mask,
    tolerances: Tolerances,
) -> tuple[ErrorRow, ...]:
    """Return a row per quantity and phase.

    Args:
        ours: Solutions to judge.
        reference: Solutions to judge them by.
        feeder: Gives the orders.
        situations: Those to compare, [batch].
        tolerances: What counts as agreement.
    """
    if not situations.any():
        return ()
    numbers = np.flatnonzero(situations)
    found = []
    for part in _all_errors(ours, reference, feeder=feeder, rows=numbers, tolerances=tolerances):
        phases = np.array(part.phases)
        for phase in dict.fromkeys(part.phases):
            items = np.flatnonzero(phases == phase)
            found.append(_row(part, items=items, phase=phase, numbers=numbers))
    return tuple(found)


def _all_errors(
    ours: SolvedSituations,
    reference: SolvedSituations,
    *,
    feeder: Feeder,
    rows: NDArray[np.intp],
    tolerances: Tolerances,
) -> Iterator[_Errors]:
    """Yield the errors of every quantity."""
    yield from _node_errors(ours, reference, feeder=feeder, rows=rows, limit=tolerances.v_pu)
    names = tuple(
        f"{branch.branch_id} terminal {k // branch.n_conductors + 1}"
        for branch in feeder.branches
        for k in range(len(branch.nodes))
    )
    yield _Errors(
        quantity="branch current",
        unit="of max(|i|, 1 % of rating)",
        values=current_errors(ours, reference, feeder=feeder)[rows],
        names=names,
        phases=tuple(
            _phase_of(int(node), feeder) for branch in feeder.branches for node in branch.nodes
        ),
        tolerance=tolerances.current,
    )
    loading = reference.loading[rows]
    yield _Errors(
        quantity="branch loading",
        unit="of max(loading, 1 %)",
        values=np.abs(ours.loading[rows] - loading) / np.maximum(loading, RATING_SHARE),
        names=tuple(branch.branch_id for branch in feeder.branches),
        phases=("all",) * len(feeder.branches),
        tolerance=tolerances.current,
    )
    yield from _power_errors(ours, reference, feeder=feeder, rows=rows, tolerances=tolerances)


def _node_errors(
    ours: SolvedSituations,
    reference: SolvedSituations,
    *,
    feeder: Feeder,
    rows: NDArray[np.intp],
    limit: float,
) -> Iterator[_Errors]:
    """Yield errors of energised nodes, those with a floating reference apart."""
    nodes = feeder.nodes
    grounded, floating = nodes.energised & nodes.grounded, nodes.energised & ~nodes.grounded
    values = voltage_errors(ours, reference, feeder=feeder)[rows]
    common = np.zeros_like(values)
    apart = ours.node_v_pu[rows] - reference.node_v_pu[rows]
    common[:, floating] = np.abs(floating_means(apart, feeder=feeder))
    for quantity, mask, errors, tolerance in (
        ("node voltage", grounded, values, limit),
        ("floating bus, between phases", floating, values, limit),
        ("floating bus, to ground", floating, common, FLOATING_FACTOR * limit),
    ):
        items = np.flatnonzero(mask)
        yield _Errors(
            quantity=quantity,
            unit="pu",
            values=errors[:, items],
            names=tuple(nodes.node_ids[k] for k in items),
            phases=tuple(_phase_of(int(k), feeder) for k in items),
            tolerance=tolerance,
        )


def _power_errors(
    ours: SolvedSituations,
    reference: SolvedSituations,
    *,
    feeder: Feeder,
    rows: NDArray[np.intp],
    tolerances: Tolerances,
) -> Iterator[_Errors]:
    """Yield errors of losses and of the power at the head."""
    head = (reference.head_p_kw + 1j * reference.head_q_kvar)[rows]
    total = np.abs(head).sum(axis=1, keepdims=True)
    losses = (reference.losses_kw + 1j * reference.losses_kvar)[rows]
    differences = (ours.losses_kw[rows] - losses.real, ours.losses_kvar[rows] - losses.imag)
    least = LEAST_LOSS_SHARE * total[:, 0]
    bases = (np.abs(losses.real), np.abs(losses))
    scaled = [
        np.abs(difference) / np.maximum(base, least)
        for difference, base in zip(differences, bases, strict=True)
    ]
    yield _Errors(
        quantity="losses",
        unit="relative",
        values=np.stack(scaled, axis=1),
        names=("losses", "losses"),
        phases=("kW", "kvar"),
        tolerance=tolerances.losses,
    )
    head_ours = (ours.head_p_kw + 1j * ours.head_q_kvar)[rows]
    pairs = [(source.source_id, int(node)) for source in feeder.sources for node in source.nodes]
    yield _Errors(
        quantity="head power",
        unit="of max(|S|, 1 % of total)",
        values=np.abs(head_ours - head) / np.maximum(np.abs(head), RATING_SHARE * total),
        names=tuple(name for name, _ in pairs),
        phases=tuple(_phase_of(node, feeder) for _, node in pairs),
        tolerance=tolerances.current,
    )


def _row(
    part: _Errors, *, items: NDArray[np.intp], phase: str, numbers: NDArray[np.intp]
) -> ErrorRow:
    """Summarise one phase of a quantity."""
    values = part.values[:, items]
    # A missing number is the worst error there is.
    situation, item = np.unravel_index(
        int(np.argmax(np.where(np.isnan(values), np.inf, values))), values.shape
    )
    return ErrorRow(
        quantity=part.quantity,
        phase=phase,
        unit=part.unit,
        n=values.size,
        max=float(values.max()),
        p99=float(np.quantile(values, 0.99)),
        mean=float(values.mean()),
        tolerance=part.tolerance,
        worst=f"{part.names[items[item]]}, situation {numbers[situation]}",
    )


def _phase_of(node: int, feeder: Feeder) -> str:
    """Return the phase of a node by OpenDSS's numbering."""
    if node == feeder.n_nodes:
        return GROUND
    return PHASE_NAMES.get(feeder.nodes.node_ids[node].rpartition(".")[2], OTHER)
