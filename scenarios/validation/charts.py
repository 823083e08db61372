"""Pictures of a validation: both solvers' values against each other, and how errors spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from gradmap.feeder import Feeder, FloatArray
from scenarios.report.figures import LEFT, RIGHT, TOP, WIDTH, Figure, LegendEntry, controller_class
from scenarios.report.svg import Axis, Panel, figure_svg, label_at, number_axis, y_title
from scenarios.validation.distances import current_errors, voltage_errors
from scenarios.validation.errors import PHASE_NAMES
from scenarios.validation.results import CaseResult, Validation

MAX_POINTS = 1500
"""Points of a parity panel per phase; the worst are always among them."""
N_QUANTILES = 240
LEAST_ERROR = 1e-16
"""Errors below are drawn here: a logarithm has no zero."""
HEIGHT = 400.0
GAP = 84.0
TURNS = 50
MINUS = "\u2212"


@dataclass(frozen=True, kw_only=True)
class _Pairs:
    """Values of both solvers on one phase."""

    ours: FloatArray
    reference: FloatArray
    class_: str


def parity_figure(validation: Validation) -> Figure:
    """Return voltages and currents of both solvers against each other, a dot per value."""
    columns = (
        ("Node voltage, magnitude [pu]", _voltage_pairs(validation)),
        ("Branch current over rating [-]", _current_pairs(validation)),
    )
    width = (WIDTH - LEFT - RIGHT - GAP) / 2
    drawn: list[Markup] = []
    for k, (title, pairs) in enumerate(columns):
        axis = _shared_axis(pairs)
        left = LEFT + k * (width + GAP)
        panel = Panel(left=left, top=TOP, width=width, height=HEIGHT, x=axis, y=axis)
        drawn += [
            panel.frame(title=title, note=_largest_gap(pairs)),
            panel.line([axis.low, axis.high], [axis.low, axis.high], class_="line zero"),
            *_mixed_dots(panel, pairs),
            y_title("gradmap", x=left - 46, y=TOP + HEIGHT / 2),
            label_at("OpenDSS", x=left + width / 2, y=TOP + HEIGHT + 36, anchor="middle"),
        ]
    legend = [
        LegendEntry(mark="dot", class_=f"ph-{number}", label=f"phase {name}")
        for number, name in PHASE_NAMES.items()
    ]
    return Figure(
        title="Parity",
        image=figure_svg(
            *drawn,
            width=WIDTH,
            height=TOP + HEIGHT + 46,
            alt="Node voltages and branch currents of gradmap against those of OpenDSS",
        ),
        legend=(*legend, LegendEntry(mark="line", class_="zero", label="equal")),
        caption=f"Up to {MAX_POINTS:,} values a phase, drawn at random over all situations that "
        f"were compared, and the largest differences. The picture shows what range was tested; the "
        f"differences are too small to see, the next one shows them.",
    )


def error_figure(validation: Validation) -> Figure:
    """Return which share of values is further apart than an error, on logarithmic axes."""
    columns = (
        ("Node voltage, complex [pu]", _voltage_distributions, validation.settings.tolerances.v_pu),
        (
            "Branch current, complex, over max(|i|, 1 % of rating) [-]",
            _current_distributions,
            validation.settings.tolerances.current,
        ),
    )
    compared = [result for result in validation.cases if result.compared.any()]
    x, y = _power_axis(-16, 0, first=-15, step=3), _power_axis(-6, 0, first=-6, step=1)
    width = (WIDTH - LEFT - RIGHT - GAP) / 2
    drawn: list[Markup] = []
    for k, (title, errors_of, tolerance) in enumerate(columns):
        left = LEFT + k * (width + GAP)
        panel = Panel(left=left, top=TOP, width=width, height=HEIGHT * 0.7, x=x, y=y)
        limit = np.log10(tolerance)
        drawn += [
            panel.frame(title=title),
            panel.line([limit, limit], [y.low, y.high], class_="limit"),
        ]
        for result in compared:
            errors = errors_of(result, validation.feeder)
            position = validation.cases.index(result)
            drawn.append(_exceedance(panel, errors, class_=f"line {controller_class(position)}"))
        bottom = panel.top + panel.height
        drawn += [
            y_title("share of values above", x=left - 46, y=panel.top + panel.height / 2),
            label_at("error", x=left + width / 2, y=bottom + 36, anchor="middle"),
        ]
    legend = [
        LegendEntry(
            mark="line",
            class_=controller_class(validation.cases.index(result)),
            label=result.case.title,
        )
        for result in compared
    ]
    return Figure(
        title="Errors",
        image=figure_svg(
            *drawn,
            width=WIDTH,
            height=TOP + HEIGHT * 0.7 + 46,
            alt="Share of values whose error is larger than a given error, and the tolerances",
        ),
        legend=(*legend, LegendEntry(mark="limit", class_="limit", label="tolerance")),
        caption="A line that ends left of the dashed tolerance has no value beyond it.",
    )


# ---------------------------------------------------------------------- data


def _voltage_pairs(validation: Validation) -> list[_Pairs]:
    nodes = validation.feeder.nodes
    usable = nodes.energised
    phases = np.array([name.rpartition(".")[2] for name in nodes.node_ids])
    return [
        _pairs(
            [
                (
                    np.abs(r.case.ours.node_v_pu[r.compared][:, usable & (phases == number)]),
                    np.abs(r.case.reference.node_v_pu[r.compared][:, usable & (phases == number)]),
                )
                for r in validation.cases
            ],
            class_=f"ph-{number}",
        )
        for number in PHASE_NAMES
    ]


def _current_pairs(validation: Validation) -> list[_Pairs]:
    feeder = validation.feeder
    rating = np.concatenate([np.full(len(b.nodes), b.normal_amps) for b in feeder.branches])
    # The first terminal only: the other end of a line has the same current.
    first = np.concatenate([np.arange(len(b.nodes)) < b.n_conductors for b in feeder.branches])
    ids = [*(name.rpartition(".")[2] for name in feeder.nodes.node_ids), ""]
    phases = np.array([ids[node] for b in feeder.branches for node in b.nodes])
    found = []
    for number in PHASE_NAMES:
        columns = np.flatnonzero(first & (phases == number) & (rating > 0))
        parts = [
            (
                np.abs(r.case.ours.branch_i_a[r.compared][:, columns]) / rating[columns],
                np.abs(r.case.reference.branch_i_a[r.compared][:, columns]) / rating[columns],
            )
            for r in validation.cases
        ]
        found.append(_pairs(parts, class_=f"ph-{number}"))
    return found


def _pairs(parts: Sequence[tuple[FloatArray, FloatArray]], *, class_: str) -> _Pairs:
    """Put cases together and keep some values at random and those furthest apart."""
    ours = np.concatenate([a.ravel() for a, _ in parts])
    reference = np.concatenate([b.ravel() for _, b in parts])
    if len(ours) > MAX_POINTS:
        apart = np.argsort(np.abs(ours - reference))[-MAX_POINTS // 10 :]
        random = np.random.default_rng(0).choice(len(ours), MAX_POINTS - len(apart), replace=False)
        keep = np.concatenate([random, apart])
        ours, reference = ours[keep], reference[keep]
    return _Pairs(ours=ours, reference=reference, class_=class_)


def _voltage_distributions(result: CaseResult, feeder: Feeder) -> FloatArray:
    errors = voltage_errors(result.case.ours, result.case.reference, feeder=feeder)
    return np.asarray(errors[result.compared][:, feeder.nodes.energised].ravel())


def _current_distributions(result: CaseResult, feeder: Feeder) -> FloatArray:
    errors = current_errors(result.case.ours, result.case.reference, feeder=feeder)
    return np.asarray(errors[result.compared].ravel())


# ---------------------------------------------------------------------- drawing


def _exceedance(panel: Panel, errors: FloatArray, *, class_: str) -> Markup:
    """Draw the share of values above an error, from the most to the single largest."""
    values = np.sort(errors[np.isfinite(errors)])
    if not len(values):
        return Markup("")
    shares = np.geomspace(1.0, max(1.0 / len(values), 10.0**panel.y.low), N_QUANTILES)
    rank = np.clip(len(values) - np.ceil(shares * len(values)), 0, len(values) - 1)
    x = np.log10(np.clip(values[rank.astype(np.intp)], LEAST_ERROR, 10.0**panel.x.high))
    return panel.line(x, np.log10(shares), class_=class_)


def _shared_axis(pairs: Sequence[_Pairs]) -> Axis:
    """Return one axis for both directions, so that equality is the diagonal."""
    values: NDArray[np.float64] = np.concatenate([np.r_[p.ours, p.reference] for p in pairs])
    values = values[np.isfinite(values)]
    if not len(values):
        return number_axis(0.0, 1.0)
    return number_axis(float(values.min()), float(values.max()), pad=0.04)


def _largest_gap(pairs: Sequence[_Pairs]) -> str:
    gaps = [float(np.max(np.abs(p.ours - p.reference))) for p in pairs if len(p.ours)]
    return f"largest difference {max(gaps):.1e}".replace("-", MINUS) if gaps else "nothing compared"


def _mixed_dots(panel: Panel, pairs: Sequence[_Pairs]) -> list[Markup]:
    """Draw the phases in turns, so that the last one does not hide the others."""
    return [
        panel.dots(p.reference[turn::TURNS], p.ours[turn::TURNS], class_=p.class_)
        for turn in range(TURNS)
        for p in pairs
    ]


def _power_axis(low: int, high: int, *, first: int, step: int) -> Axis:
    """Return an axis of powers of ten; data are logarithms."""
    ticks = tuple((float(k), f"1e{k}".replace("-", MINUS)) for k in range(first, high + 1, step))
    return Axis(low=float(low), high=float(high), ticks=ticks)
