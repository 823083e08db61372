"""Rows of the benchmark and the two meanings of "equal accuracy"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from scenarios.benchmarks.power_flow.opendss import PLAIN, STEPPED, YEARLY
from scenarios.benchmarks.power_flow.opendss import TOOL as OPENDSS
from scenarios.benchmarks.power_flow.ours import FORWARD, GRADIENT
from scenarios.benchmarks.power_flow.ours import TOOL as OURS

SAME_TOLERANCE, SAME_ERROR = "same tolerance", "same error"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One way to solve the snapshots and what it cost."""

    tool: str
    kind: str
    dtype: str
    tolerance_pu: float
    reference: str
    batch: int
    """Snapshots of one call; for a loop, of the loop."""
    us: tuple[float, ...]
    """CPU time per snapshot of every round. [us]"""
    error_pu: float | None
    """Largest true error of a node voltage; None where none was read. [pu]"""
    gradient_error: float | None = None
    """Largest error of a derivative over the largest derivative. [-]"""
    note: str = ""

    @property
    def best_us(self) -> float:
        """Return the fastest round. [us]"""
        return min(self.us)

    @property
    def median_us(self) -> float:
        """Return the median round. [us]"""
        return median(self.us)


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """How many times faster a row of ours is than one of OpenDSS."""

    ours: str
    """dtype, tolerance and reference."""
    kind: str
    """How OpenDSS is driven."""
    meaning: str
    """`same tolerance`, or `same error`: see `opendss_peer`."""
    opendss_tolerance_pu: float
    opendss_error_pu: float | None
    best: float
    """Of the fastest rounds. [-]"""
    median: float
    """Of the ratio in every round. [-]"""


def opendss_peer(row: Row, rows: Sequence[Row], *, kind: str, meaning: str) -> Row | None:
    """Return the OpenDSS row that a row of ours is compared with.

    Args:
        row: Of ours.
        rows: All.
        kind: How OpenDSS is driven; rows that read no voltages are never peers.
        meaning: `same tolerance`: the same number is set in both. `same error`: OpenDSS's fastest
            row whose true error is at most ours; if none is as exact, the one of the same
            tolerance.
    """
    peers = [x for x in rows if x.tool == OPENDSS and x.kind == kind and x.error_pu is not None]
    same = [x for x in peers if x.tolerance_pu == row.tolerance_pu]
    if meaning == SAME_ERROR and row.error_pu is not None:
        exact = [x for x in peers if x.error_pu is not None and x.error_pu <= row.error_pu]
        same = exact or same
    return min(same, key=lambda x: x.best_us) if same else None


def ratios(rows: Sequence[Row]) -> tuple[Ratio, ...]:
    """Return our forward rows over OpenDSS's: fastest way, documented way, what users write."""
    pairs = ((STEPPED, SAME_TOLERANCE), (STEPPED, SAME_ERROR), (YEARLY, SAME_TOLERANCE))
    found = []
    for row in rows:
        if (row.tool, row.kind) != (OURS, FORWARD):
            continue
        for kind, meaning in (*pairs, (PLAIN, SAME_TOLERANCE)):
            peer = opendss_peer(row, rows, kind=kind, meaning=meaning)
            if peer is not None:
                found.append(
                    Ratio(
                        ours=label(row),
                        kind=kind,
                        meaning=meaning,
                        opendss_tolerance_pu=peer.tolerance_pu,
                        opendss_error_pu=peer.error_pu,
                        best=peer.best_us / row.best_us,
                        median=median(a / b for a, b in zip(peer.us, row.us, strict=True)),
                    )
                )
    return tuple(found)


def gradient_factors(rows: Sequence[Row]) -> dict[str, float]:
    """Return how many times a forward solve one with gradient costs, by our rows."""
    forward = {label(row): row for row in rows if (row.tool, row.kind) == (OURS, FORWARD)}
    return {
        label(row): row.best_us / forward[label(row)].best_us
        for row in rows
        if (row.tool, row.kind) == (OURS, GRADIENT)
    }


def label(row: Row) -> str:
    """Return dtype, tolerance and reference of a row of ours."""
    return f"{row.dtype}, {row.tolerance_pu:g}, {row.reference}"
