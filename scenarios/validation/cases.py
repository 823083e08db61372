"""The situations that a validation solves: random loadings with taps fixed, moved, controlled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gradmap.feeder import ComplexArray, Feeder, FloatArray
from gradmap.reference import ReferenceSolver, SolvedSituations

LOADING_RANGE = (0.2, 1.6)
"""Power of an element over its nominal power. [-]"""
TAP_RANGE = (0.95, 1.05)
"""Random tap ratios: continuous, where feeders work. [pu]"""
SETTABLE = ("load.", "generator.")
"""Elements whose power OpenDSS lets one simply set; others keep the feeder's."""


class SeriesSolver(ReferenceSolver, Protocol):
    """A reference that also starts where it is told, or where the situation before ended."""

    def solve(
        self,
        p_kw: FloatArray,
        q_kvar: FloatArray,
        *,
        tap_ratios: FloatArray | None = None,
        start_v_pu: ComplexArray | None = None,
        tolerance: float | None = None,
    ) -> SolvedSituations:
        """Solve with taps fixed, from given node voltages [batch, node], to a tolerance. [pu]."""

    def control_series(
        self, p_kw: FloatArray, q_kvar: FloatArray, *, start_tap_ratios: FloatArray | None = None
    ) -> SolvedSituations:
        """Solve with the regulators acting, each situation from where the one before ended."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SolvedCase:
    """One set of situations, solved twice."""

    name: str
    title: str
    controlled: bool
    """Whether the regulators acted, so that final taps are a result."""
    p_kw: FloatArray
    q_kvar: FloatArray
    ours: SolvedSituations
    reference: SolvedSituations


@dataclass(frozen=True, kw_only=True, eq=False)
class _Situations:
    """What both sides are asked."""

    p_kw: FloatArray
    q_kvar: FloatArray

    def solved(
        self,
        *,
        name: str,
        title: str,
        controlled: bool,
        ours: SolvedSituations,
        reference: SolvedSituations,
    ) -> SolvedCase:
        """Return the case that both sides' answers make."""
        return SolvedCase(
            name=name,
            title=title,
            controlled=controlled,
            p_kw=self.p_kw,
            q_kvar=self.q_kvar,
            ours=ours,
            reference=reference,
        )


def solve_cases(
    ours: ReferenceSolver,
    reference: SeriesSolver,
    *,
    p_kw: FloatArray,
    q_kvar: FloatArray,
    n_loadings: int,
    seed: int,
) -> Iterator[SolvedCase]:
    """Yield every set of situations, solved by both.

    Args:
        ours: Solver to check.
        reference: Solver to check it against, on the same feeder.
        p_kw: Nominal active power, [connection]. [kW]
        q_kvar: Nominal reactive power. [kvar]
        n_loadings: Situations in each set.
        seed: Of all draws; sets do not share random numbers.
    """
    feeder = reference.feeder
    rng = np.random.default_rng([seed, 0])
    draw = _draw(rng, feeder, p_kw=p_kw, q_kvar=q_kvar, n=n_loadings)
    yield _fixed(ours, reference, draw, name="fixed", title="Taps fixed as in the file", taps=None)
    if not feeder.regulators:
        return
    rng = np.random.default_rng([seed, 1])
    draw = _draw(rng, feeder, p_kw=p_kw, q_kvar=q_kvar, n=n_loadings)
    yield _fixed(
        ours,
        reference,
        draw,
        name="random_taps",
        title="Taps fixed at random ratios",
        taps=_random_taps(rng, feeder, n=n_loadings),
    )
    in_file = feeder.tap_ratios
    starts = {"controlled": ("Taps controlled, from those in the file", in_file)}
    if not np.all(in_file == 1.0):
        starts["controlled_neutral"] = ("Taps controlled, from neutral", np.ones_like(in_file))
    for number, (name, (title, start)) in enumerate(starts.items(), start=2):
        rng = np.random.default_rng([seed, number])
        draw = _draw(rng, feeder, p_kw=p_kw, q_kvar=q_kvar, n=n_loadings)
        taps = np.tile(start, (n_loadings, 1))
        yield draw.solved(
            name=name,
            title=title,
            controlled=True,
            reference=reference.control_taps(draw.p_kw, draw.q_kvar, start_tap_ratios=taps),
            ours=ours.control_taps(draw.p_kw, draw.q_kvar, start_tap_ratios=taps),
        )
    rng = np.random.default_rng([seed, 4])
    draw = _draw(rng, feeder, p_kw=p_kw, q_kvar=q_kvar, n=n_loadings)
    yield _series(ours, reference, draw, start=in_file)


def _fixed(
    ours: ReferenceSolver,
    reference: ReferenceSolver,
    draw: _Situations,
    *,
    name: str,
    title: str,
    taps: FloatArray | None,
) -> SolvedCase:
    """Solve with taps that nothing moves."""
    return draw.solved(
        name=name,
        title=title,
        controlled=False,
        reference=reference.solve(draw.p_kw, draw.q_kvar, tap_ratios=taps),
        ours=ours.solve(draw.p_kw, draw.q_kvar, tap_ratios=taps),
    )


def _series(
    ours: ReferenceSolver, reference: SeriesSolver, draw: _Situations, *, start: FloatArray
) -> SolvedCase:
    """Solve a warm series: every situation from the taps that the one before ended with.

    Ours starts each step from where the reference's step before ended. If all steps end equal, so
    does the whole series; and if one does not, the steps after it are still worth something.
    """
    found = reference.control_series(draw.p_kw, draw.q_kvar, start_tap_ratios=start[None])
    starts, now = [], start
    for taps, solved in zip(found.tap_ratios, found.solved, strict=True):
        starts.append(now)
        now = taps if solved else now
    return draw.solved(
        name="warm_series",
        title="Taps controlled, warm series",
        controlled=True,
        reference=found,
        ours=ours.control_taps(draw.p_kw, draw.q_kvar, start_tap_ratios=np.array(starts)),
    )


def _draw(
    rng: np.random.Generator, feeder: Feeder, *, p_kw: FloatArray, q_kvar: FloatArray, n: int
) -> _Situations:
    """Draw a factor for the P and one for the Q of every element in every situation."""
    element_ids = feeder.connections.element_ids
    elements = {name: k for k, name in enumerate(dict.fromkeys(element_ids))}
    of_row = np.array([elements[name] for name in element_ids])
    factors = rng.uniform(*LOADING_RANGE, size=(2, n, len(elements)))
    fixed = [k for name, k in elements.items() if not name.startswith(SETTABLE)]
    factors[:, :, fixed] = 1.0
    return _Situations(p_kw=p_kw * factors[0][:, of_row], q_kvar=q_kvar * factors[1][:, of_row])


def _random_taps(rng: np.random.Generator, feeder: Feeder, *, n: int) -> FloatArray:
    """Draw tap ratios within each regulator's range."""
    low = [max(r.tap_ratio_min, TAP_RANGE[0]) for r in feeder.regulators]
    high = [min(r.tap_ratio_max, TAP_RANGE[1]) for r in feeder.regulators]
    return rng.uniform(low, high, size=(n, len(low)))
