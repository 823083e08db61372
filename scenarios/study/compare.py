"""All methods on the same test days, and against the optimum where it is known.

compared = compare(case, asked, folder=folder)
for row in compared.rows:
print(row.name, row.all_days.violating, row.gap)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from gradmap.baselines.registry import POLICY_PREFIX
from gradmap.errors import ScenarioError
from gradmap.training.validation import THRESHOLD_PU
from gradmap.violation_summary import Share
from scenarios.benchmarks.reference_case.optimum_days import (
    CheckedDay,
    DayOptima,
    draw_numbers,
    measure_optima,
)
from scenarios.case import Case
from scenarios.study.method_days import SPLIT
from scenarios.study.methods import (
    MethodDays,
    MethodSummary,
    evaluate_method,
    refuse_elsewhere,
)
from scenarios.study.results_folder import ResultsFolder

SIMPLE: Final = ("no_control", "rule_based", "price_only")
RULE: Final = "rule_based"
"""The method from which recovered shares are counted."""
OPTIMUM: Final = "optimum"

OnShare = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class NamedPolicy:
    """A trained policy under the name it goes by; several of a name are seeds of one method."""

    name: str
    folder: Path


@dataclass(frozen=True, kw_only=True)
class Compare:
    """What to compare."""

    policies: tuple[NamedPolicy, ...]
    n_days: int
    split: str = SPLIT
    """Of the days: `test`, or `fresh`, that no setting was chosen by. Optima are of test days."""
    n_optimum_days: int = 0
    """Test days, drawn at random, whose optimum is found; 0 leaves it out."""
    optimum_seed: int = 1
    again: bool = False
    """Measure even what is there."""
    n_processes: int = 2


@dataclass(frozen=True, kw_only=True)
class Row:
    """One method."""

    name: str
    """Of the method; shared by its seeds."""
    label: str
    """Of this row."""
    controller: str
    all_days: MethodSummary
    optimum_days: MethodSummary | None
    """On the days whose optimum is known."""
    gap: float | None
    """(J - J*) / |J*| on these days, J* the optimum's cost. [-]"""
    recovered: float | None
    """(J_rule - J) / (J_rule - J*) on these days. [-]"""
    dominated_by: str | None
    """Label of a method that is nowhere worse and somewhere better, see `dominating`."""


@dataclass(frozen=True, kw_only=True)
class OptimumRow:
    """The centralised optimum with perfect foresight."""

    n_days: int
    n_proven: int
    violating: Share
    violation_max_pu: float
    violation_mean_pu: float
    cost: float
    """Mean of a day. [cur]"""
    comfort_k_h: float
    """Mean of a day, all homes. [K h]"""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """All methods."""

    scenario: str
    case: str
    """`Case.key`."""
    currency: str
    n_days: int
    split: str
    rows: tuple[Row, ...]
    optimum: OptimumRow | None


def compare(
    case: Case,
    asked: Compare,
    *,
    folder: ResultsFolder,
    store: Path | None = None,
    on_share: OnShare | None = None,
) -> Compared:
    """Measure or look up every method.

    Args:
        case: Feeder, population, days and limits.
        asked: Which methods and days.
        folder: Where results are kept.
        store: Folder of optima, or None.
        on_share: Called with a part's name and its finished share.

    Raises:
        ScenarioError: A policy that cannot be used on this case, or optima of other than test days.
    """
    if asked.n_optimum_days and asked.split != SPLIT:
        raise ScenarioError(
            f"Compare: optima are known of {SPLIT} days only, the days asked for are "
            f"{asked.split}. Leave out the optimum, or take {SPLIT} days."
        )
    methods = _methods(asked)
    for _, controller in methods[len(SIMPLE) :]:  # refuse what does not fit, before hours of work
        case.controller(controller, fleet=case.fleet())
        refuse_elsewhere(case, controller)
    numbers: tuple[int, ...] = ()
    checked: tuple[CheckedDay, ...] = ()
    if asked.n_optimum_days:
        numbers = draw_numbers(asked.n_optimum_days, seed=asked.optimum_seed)
        checked = _optima(DayOptima(case=case, folder=store), numbers, on_share=on_share)
    found = {}
    for label, controller in methods:

        def tell(share: float, label: str = label) -> None:
            if on_share is not None:
                on_share(label, share)

        def measured(days: Sequence[int], controller: str = controller) -> MethodDays:
            return evaluate_method(
                case, controller, numbers=days, split=asked.split, folder=folder,
                again=asked.again, n_processes=asked.n_processes, on_progress=tell,
            )  # fmt: skip

        everywhere = measured(range(asked.n_days))
        among = not numbers or max(numbers) < asked.n_days
        found[label] = (everywhere, (everywhere if among else measured(numbers)).on(numbers))
    optimum = _optimum_row(checked) if checked else None
    return Compared(
        scenario=case.scenario.name,
        case=case.key,
        currency=case.scenario.tariff.currency,
        n_days=asked.n_days,
        split=asked.split,
        rows=_rows(asked, methods, found, optimum=optimum),
        optimum=optimum,
    )


def dominating(label: str, *, among: dict[str, MethodSummary], names: dict[str, str]) -> str | None:
    """Return the label of the cheapest method that dominates one, or None.

    It has no more violating days, no larger mean violation and no higher mean cost, and less of at
    least one of them. Comfort is not weighed.

    Args:
        label: Of the method that may be dominated.
        among: All methods by label, over the same days.
        names: Method of every label; seeds of a method are no rivals.
    """
    own = _goals(among[label])
    rivals = {other: _goals(among[other]) for other in among if names[other] != names[label]}
    better = [
        (goals, other)
        for other, goals in rivals.items()
        if goals != own and all(a <= b for a, b in zip(goals, own, strict=True))
    ]
    return min(better)[1] if better else None


def _goals(summary: MethodSummary) -> tuple[float, float, float]:
    return (summary.cost, summary.violation_mean_pu, float(summary.violating.n_violating))


def _methods(asked: Compare) -> list[tuple[str, str]]:
    """Return label and controller of all methods; seeds of a name are numbered."""
    methods = [(name, name) for name in SIMPLE]
    names = [policy.name for policy in asked.policies]
    for k, policy in enumerate(asked.policies):
        label = policy.name
        if names.count(policy.name) > 1:
            label = f"{policy.name} {names[: k + 1].count(policy.name)}"
        methods.append((label, f"{POLICY_PREFIX}{policy.folder}"))
    return methods


def _rows(
    asked: Compare,
    methods: list[tuple[str, str]],
    found: dict[str, tuple[MethodDays, MethodDays]],
    *,
    optimum: OptimumRow | None,
) -> tuple[Row, ...]:
    summaries = {label: everywhere.summary() for label, (everywhere, _) in found.items()}
    names = [*SIMPLE, *(policy.name for policy in asked.policies)]
    rule = found[RULE][1].summary().cost if optimum is not None else 0.0
    rows = []
    name_of = dict(zip(summaries, names, strict=True))
    for name, (label, controller) in zip(names, methods, strict=True):
        few = gap = recovered = None
        if optimum is not None:
            few = found[label][1].summary()
            gap = (few.cost - optimum.cost) / abs(optimum.cost)
            if rule != optimum.cost:
                recovered = (rule - few.cost) / (rule - optimum.cost)
        rows.append(
            Row(
                name=name,
                label=label,
                controller=controller,
                all_days=summaries[label],
                optimum_days=few,
                gap=gap,
                recovered=recovered,
                dominated_by=dominating(label, among=summaries, names=name_of),
            )
        )
    return tuple(rows)


def _optima(
    optima: DayOptima, numbers: tuple[int, ...], *, on_share: OnShare | None
) -> tuple[CheckedDay, ...]:
    n_done = 0

    def tell(_: CheckedDay) -> None:
        nonlocal n_done
        n_done += 1
        if on_share is not None:
            on_share(f"Optimum of {len(numbers)} days", n_done / len(numbers))

    return measure_optima(optima, numbers=numbers, on_day=tell)


def _optimum_row(days: Sequence[CheckedDay]) -> OptimumRow:
    outside = np.maximum([day.network.violation_opendss_pu for day in days], 0.0)
    return OptimumRow(
        n_days=len(days),
        n_proven=sum(day.proven for day in days),
        violating=Share(n_days=len(days), n_violating=int((outside > THRESHOLD_PU).sum())),
        violation_max_pu=float(outside.max()),
        violation_mean_pu=float(outside.mean()),
        cost=float(np.mean([day.cost for day in days])),
        comfort_k_h=float(np.mean([day.comfort_k_h for day in days])),
    )
