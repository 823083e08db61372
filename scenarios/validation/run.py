"""Is the torch power flow the same as OpenDSS on a feeder: solve both, compare, report."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from gradmap.feeder import ComplexArray, Feeder, FloatArray
from gradmap.feeder_file import feeder_hash
from gradmap.reference import ReferenceSolver, SolvedSituations
from opendss_models.engine import Engine
from opendss_models.extract import extract_feeder
from opendss_models.feeders import feeder_path
from opendss_models.reference import REFERENCE_SETTINGS, OpenDSSReference
from scenarios.provenance import versions
from scenarios.validation.cases import SeriesSolver, SolvedCase, solve_cases
from scenarios.validation.distances import voltage_errors
from scenarios.validation.document import known_differences
from scenarios.validation.errors import Mask, Tolerances, error_rows
from scenarios.validation.results import CaseResult, TapDifference, Validation, ValidationSettings

__all__ = ["CaseResult", "Validation", "ValidationSettings", "compare_solvers", "validate"]

RELAXED_TOLERANCE_PU = 1e-8
"""Of OpenDSS where it does not reach its 1e-11. [pu]"""
SAME_TAP = 0.1
"""Tap ratios closer than this share of a step are the same. [-]"""


def validate(source: str, *, settings: ValidationSettings) -> Validation:
    """Solve random loadings of a feeder with OpenDSS and with `gradmap.power_flow`.

    Args:
        source: Master .dss file, or the name of a bundled feeder.
        settings: What to solve and what counts as agreement.

    Raises:
        FeederError: The feeder is missing, unsafe, too large, or has something not modelled that
            was not accepted by name.
    """
    from scenarios.validation.ours import TorchSolver  # noqa: PLC0415  imports torch

    engine = Engine(feeder_path(source), settings=replace(REFERENCE_SETTINGS, trust=settings.trust))
    feeder = extract_feeder(engine, accept=settings.accept)
    if settings.households:
        feeder = feeder.with_households()
    ours = TorchSolver(feeder, dtype=settings.dtype)
    p_kw, q_kvar = _nominal(engine, feeder)
    cases = compare_solvers(
        ours,
        OpenDSSReference(engine, feeder),
        p_kw=p_kw,
        q_kvar=q_kvar,
        settings=settings,
    )
    return Validation(
        feeder=feeder,
        settings=settings,
        cases=cases,
        known_differences=known_differences(feeder, cases),
        facts=_facts(engine, feeder),
    )


def compare_solvers(
    ours: ReferenceSolver,
    reference: SeriesSolver,
    *,
    p_kw: FloatArray,
    q_kvar: FloatArray,
    settings: ValidationSettings,
) -> tuple[CaseResult, ...]:
    """Compare two solvers of one feeder; powers are nominal, [connection]."""
    return tuple(
        _compare(case, reference=reference, tolerances=settings.tolerances)
        for case in solve_cases(
            ours,
            reference,
            p_kw=p_kw,
            q_kvar=q_kvar,
            n_loadings=settings.n_loadings,
            seed=settings.seed,
        )
    )


def _compare(case: SolvedCase, *, reference: SeriesSolver, tolerances: Tolerances) -> CaseResult:
    """Compare one set of situations."""
    feeder = reference.feeder
    case, relaxed, restarted = _asked_again(case, reference=reference, tolerances=tolerances)
    a, b = case.ours.solved, case.reference.solved
    both = a & b
    differences = _tap_differences(case, feeder=feeder, both=both) if case.controlled else ()
    compared = both.copy()
    compared[[d.situation for d in differences]] = False
    return CaseResult(
        case=case,
        compared=compared,
        rows=error_rows(
            case.ours, case.reference, feeder=feeder, situations=compared, tolerances=tolerances
        ),
        only_ours_failed=_numbers(~a & b),
        only_reference_failed=_numbers(a & ~b),
        both_failed=_numbers(~a & ~b),
        relaxed=_numbers(relaxed),
        restarted=_numbers(restarted),
        tap_differences=differences,
    )


def _asked_again(
    case: SolvedCase, *, reference: SeriesSolver, tolerances: Tolerances
) -> tuple[SolvedCase, Mask, Mask]:
    """Where the reference found nothing or something else, ask it once more.

    - Without solution: solve to `RELAXED_TOLERANCE_PU`. Voltages behind floating windings carry
      rounding noise above OpenDSS's 1e-11, and then it never says that it converged.
    - Another solution: start at ours. A load whose current jumps at its voltage limits gives a
      situation several solutions, and OpenDSS's answer then depends on the situation before.
      Started at ours it stays there if ours is a solution, and only then.

    Returns:
        The case with the new solutions, and which situations are relaxed and which restarted.
    """
    feeder, ours, first = reference.feeder, case.ours, case.reference
    lost = np.zeros_like(first.solved) if case.controlled else ~first.solved & ours.solved
    case = _solved_again(
        case, reference=reference, rows=np.flatnonzero(lost), tolerance=RELAXED_TOLERANCE_PU
    )
    relaxed = lost & case.reference.solved
    first = case.reference
    same_taps = np.isclose(ours.tap_ratios, first.tap_ratios, rtol=0.0, atol=1e-9).all(axis=1)
    far = ours.solved & first.solved & same_taps
    far &= ~(voltage_errors(ours, first, feeder=feeder).max(axis=1) <= tolerances.v_pu)
    again = _solved_again(
        case,
        reference=reference,
        rows=np.flatnonzero(far),
        start_v_pu=ours.node_v_pu[far],
        tolerance=RELAXED_TOLERANCE_PU if relaxed[far].any() else None,
    )
    near = voltage_errors(ours, again.reference, feeder=feeder).max(axis=1) <= tolerances.v_pu
    restarted = far & again.reference.solved & near
    merged = _replaced(first, np.flatnonzero(restarted), again.reference)
    return replace(case, reference=merged), relaxed, restarted


def _solved_again(
    case: SolvedCase,
    *,
    reference: SeriesSolver,
    rows: NDArray[np.intp],
    tolerance: float | None,
    start_v_pu: ComplexArray | None = None,
) -> SolvedCase:
    """Return the case with some situations solved again by the reference, at our taps."""
    if not len(rows):
        return case
    again = reference.solve(
        case.p_kw[rows],
        case.q_kvar[rows],
        tap_ratios=case.ours.tap_ratios[rows],
        start_v_pu=start_v_pu,
        tolerance=tolerance,
    )
    arrays = {}
    for field in fields(again):
        arrays[field.name] = getattr(case.reference, field.name).copy()
        arrays[field.name][rows] = getattr(again, field.name)
    return replace(case, reference=SolvedSituations(**arrays))


def _replaced(
    solved: SolvedSituations, rows: NDArray[np.intp], new: SolvedSituations
) -> SolvedSituations:
    """Return the situations with some of them taken from others."""
    arrays = {}
    for field in fields(solved):
        arrays[field.name] = getattr(solved, field.name).copy()
        arrays[field.name][rows] = getattr(new, field.name)[rows]
    return SolvedSituations(**arrays)


def _tap_differences(case: SolvedCase, *, feeder: Feeder, both: Mask) -> tuple[TapDifference, ...]:
    """List the regulators that ended elsewhere, of situations that both solved."""
    steps = np.array([r.tap_step for r in feeder.regulators])
    ours = (case.ours.tap_ratios - 1.0) / steps
    reference = (case.reference.tap_ratios - 1.0) / steps
    apart = both[:, None] & ~(np.abs(ours - reference) < SAME_TAP)
    return tuple(
        TapDifference(
            situation=int(i),
            regulator=feeder.regulators[k].regulator_id,
            ours=round(float(ours[i, k]), 3),
            reference=round(float(reference[i, k]), 3),
        )
        for i, k in np.argwhere(apart)
    )


def _nominal(engine: Engine, feeder: Feeder) -> tuple[FloatArray, FloatArray]:
    """Return nominal powers; places for households take the spot load that the feeder has there."""
    connections = feeder.connections
    p_kw, q_kvar = connections.p_kw.copy(), connections.q_kvar.copy()
    row = {name: k for k, name in enumerate(connections.element_ids)}
    for place, element_id in zip(engine.connections, feeder.places.element_ids, strict=True):
        if element_id in row:
            p_kw[row[element_id]] = place.p_nominal_kw
            q_kvar[row[element_id]] = place.q_nominal_kvar
    return p_kw, q_kvar


def _facts(engine: Engine, feeder: Feeder) -> dict[str, str]:
    """Return versions, and hashes of the feeder's files and of what was extracted from them."""
    digest = hashlib.sha256()
    for file in engine.scan.files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return {
        **versions(),
        "feeder_file": engine.feeder.name,
        "feeder_files_sha256": digest.hexdigest(),
        "feeder_sha256": feeder_hash(feeder),
    }


def _numbers(mask: Mask) -> tuple[int, ...]:
    return tuple(np.flatnonzero(mask).tolist())
