"""What a validation found, in words and as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from gradmap.feeder import Feeder
from scenarios.validation.cases import LOADING_RANGE, SETTABLE
from scenarios.validation.results import CaseResult, Validation

MAX_SHOWN = 20
"""Situations and nodes that are named one by one."""
RELAXED = (
    "that OpenDSS does not solve to 1e-11, because its rounding is larger there, compared with its "
    "solution to 1e-8"
)
RESTARTED = (
    "with several solutions, compared with that of OpenDSS started at ours, where it stays; from "
    "its own start it finds another"
)
OTHER_TAPS = "with other final taps, whose voltages are not compared"


def known_differences(feeder: Feeder, cases: tuple[CaseResult, ...]) -> tuple[str, ...]:
    """Say in words what the comparison leaves out and what one side could not solve."""
    found = [f"Not modelled, accepted by name: {name}." for name in feeder.accepted]
    kept = sorted(
        {name for name in feeder.connections.element_ids if not name.startswith(SETTABLE)}
    )
    if kept:
        found.append(
            f"{len(kept)} PV systems or storage units keep the power that the feeder gives them: "
            f"{_some(kept)}."
        )
    nodes = feeder.nodes
    dead = [nodes.node_ids[k] for k in np.flatnonzero(~nodes.energised)]
    if dead:
        found.append(f"{len(dead)} nodes that no source reaches are not compared: {_some(dead)}.")
    floating = [nodes.node_ids[k] for k in np.flatnonzero(nodes.energised & ~nodes.grounded)]
    if floating:
        found.append(
            f"{len(floating)} nodes float: only OpenDSS's anti-float admittances define their "
            f"voltage to ground. Errors between the phases of a bus and those to ground have rows "
            f"of their own: "
            f"{_some(floating)}."
        )
    for result in cases:
        found += [
            f"{result.case.title}: {_count(numbers)} {words}: {_some(list(map(str, numbers)))}."
            for numbers, words in (
                (result.both_failed, "without solution on either side, which counts as agreement"),
                (result.only_reference_failed, "without solution in OpenDSS only"),
                (result.only_ours_failed, "without solution in gradmap only"),
                (result.relaxed, RELAXED),
                (result.restarted, RESTARTED),
                (sorted({d.situation for d in result.tap_differences}), OTHER_TAPS),
            )
            if numbers
        ]
    return tuple(found)


def as_document(validation: Validation) -> dict[str, Any]:
    """Return the validation as JSON values."""
    settings, feeder = validation.settings, validation.feeder
    return {
        "feeder": feeder.name,
        "within_tolerance": validation.within,
        "settings": {**asdict(settings), "loading_range": list(LOADING_RANGE)},
        "n_nodes": feeder.n_nodes,
        "n_branches": len(feeder.branches),
        "n_connections": len(feeder.connections),
        "n_regulators": len(feeder.regulators),
        "facts": dict(validation.facts),
        "known_differences": list(validation.known_differences),
        "cases": [_case_document(result) for result in validation.cases],
    }


def _case_document(result: CaseResult) -> dict[str, Any]:
    """Return one set of situations as JSON values; JSON has no NaN."""
    rows = [{**asdict(row), "within": row.within} for row in result.rows]
    return {
        "name": result.case.name,
        "title": result.case.title,
        "within_tolerance": result.within,
        "n_situations": result.n_situations,
        "n_compared": int(result.compared.sum()),
        "n_equal_taps": result.n_equal_taps,
        "relaxed": list(result.relaxed),
        "restarted": list(result.restarted),
        "both_failed": list(result.both_failed),
        "only_ours_failed": list(result.only_ours_failed),
        "only_reference_failed": list(result.only_reference_failed),
        "tap_differences": [asdict(difference) for difference in result.tap_differences],
        "errors": [
            {k: v if not isinstance(v, float) or np.isfinite(v) else None for k, v in row.items()}
            for row in rows
        ],
    }


def _some(names: list[str]) -> str:
    """Return the first names as text."""
    more = len(names) - MAX_SHOWN
    return ", ".join(names[:MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _count(numbers: Sequence[int]) -> str:
    return f"{len(numbers)} situation{'s' if len(numbers) > 1 else ''}"
