"""A method's result on test days: measured once, kept as a file, looked up from then on.

result = evaluate_method(case, "policy:trained/policy", n_days=1000, folder=folder)
print(result.summary().violating, result.summary().violating.upper_bound)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gradmap.baselines.registry import POLICY_PREFIX, check_controller, policy_folder
from gradmap.errors import ScenarioError
from gradmap.policies.checkpoint import load_policy
from gradmap.training.validation import THRESHOLD_LOADING, THRESHOLD_PU
from gradmap.violation_summary import Share
from scenarios.case import Case
from scenarios.day_sampler import SPLIT_SIZES
from scenarios.loading import config_hash
from scenarios.policy_check import check_in_case
from scenarios.study.method_days import N_PROCESSES, SPLIT, DayFacts, roll_out_days
from scenarios.study.results_folder import ResultsFolder, result_key

STUDY: Final = "methods"
FORMAT: Final = 1
"""Raise when what is measured changes: old files are not found any more."""


@dataclass(frozen=True, kw_only=True)
class MethodSummary:
    """Days of a method in a few numbers."""

    violating: Share
    """Days further outside than `THRESHOLD_PU`, or with a step without solution."""
    upper_bound: float
    """One-sided Clopper-Pearson bound of the share of violating days. [-]"""
    violation_max_pu: float
    violation_mean_pu: float
    """Mean over days of the day's largest distance outside. [pu]"""
    cost: float
    """Mean of a day. [cur]"""
    comfort_k_h: float
    """Mean of a day, all homes. [K h]"""
    clipped_kwh: float
    """Mean of a day. [kWh]"""
    shortfall_kwh: float
    """Mean of a day. [kWh]"""
    difference_max_pu: float
    """Largest of any voltage between torch and OpenDSS. [pu]"""
    n_unsolved: int
    """Steps without solution."""
    n_overloaded: int | None
    """Days with a branch beyond its loading limit by more than `THRESHOLD_LOADING`; this and the
    next are None in results from before it was measured."""
    overload_max: float | None
    """Largest loading beyond the limit. [-]"""


@dataclass(frozen=True, kw_only=True, eq=False)
class MethodDays:
    """What a method did on test days."""

    controller: str
    identity: str
    """Its name; of a policy the hash of its tensors."""
    numbers: tuple[int, ...]
    """Of the test days, in the order of the arrays."""
    facts: DayFacts
    seconds: float
    """Wall time of rollouts and replays, when they were made. [s]"""

    @property
    def violating(self) -> NDArray[np.bool_]:
        """Return which days violate, [day]."""
        return self.facts.violating

    def summary(self) -> MethodSummary:
        """Return the days in a few numbers."""
        return summary_of(self.facts)

    def on(self, numbers: Sequence[int]) -> MethodDays:
        """Return the result on some of the days."""
        position = {number: k for k, number in enumerate(self.numbers)}
        chosen = [position[number] for number in numbers]
        facts = DayFacts(**{name: value[chosen] for name, value in self.facts.arrays().items()})
        return MethodDays(
            controller=self.controller,
            identity=self.identity,
            numbers=tuple(numbers),
            facts=facts,
            seconds=self.seconds,
        )


def summary_of(facts: DayFacts) -> MethodSummary:
    """Return days in a few numbers."""
    share = Share(n_days=len(facts.cost), n_violating=int(facts.violating.sum()))
    overload = None if np.isnan(facts.overload).any() else facts.overload
    return MethodSummary(
        violating=share,
        upper_bound=share.upper_bound,
        violation_max_pu=float(facts.violation_pu.max()),
        violation_mean_pu=float(facts.violation_pu.mean()),
        cost=float(facts.cost.mean()),
        comfort_k_h=float(facts.comfort_k_h.mean()),
        clipped_kwh=float(facts.clipped_kwh.mean()),
        shortfall_kwh=float(facts.shortfall_kwh.mean()),
        difference_max_pu=float(facts.difference_pu.max()),
        n_unsolved=int(facts.n_unsolved.sum()),
        n_overloaded=None if overload is None else int((overload > THRESHOLD_LOADING).sum()),
        overload_max=None if overload is None else float(overload.max()),
    )


def evaluate_method(
    case: Case,
    controller: str,
    *,
    n_days: int | None = None,
    numbers: Sequence[int] | None = None,
    split: str = SPLIT,
    folder: ResultsFolder | None = None,
    again: bool = False,
    n_processes: int = N_PROCESSES,
    on_progress: Callable[[float], None] | None = None,
) -> MethodDays:
    """Return what a method does on days of a split, looked up or measured.

    Args:
        case: Feeder, population, days and limits.
        controller: A name as in scenario files: `no_control`, `policy:FOLDER`, ...
        n_days: The first so many days,
        numbers: or these.
        split: `test`, or `fresh`: days that no setting was chosen by.
        folder: Where results are kept; None keeps nothing.
        again: Measure even what is there.
        n_processes: That share the days; 1 works in this one.
        on_progress: Called with the finished share.

    Raises:
        ScenarioError: An unknown method, a policy of another case, or too many days.
        GradmapError: A process failed.
    """
    days = _checked_numbers(n_days, numbers, split=split)
    refuse_elsewhere(case, controller)
    identity = method_identity(controller)
    asked = _asked(case, identity=identity, numbers=days, split=split)
    key = result_key(asked)
    kept = None if folder is None or again else folder.get(key)
    if kept is not None:
        if on_progress is not None:
            on_progress(1.0)
        return _from_document(kept, controller=controller, numbers=days)
    facts, seconds = roll_out_days(
        case,
        controller,
        numbers=days,
        split=split,
        n_processes=n_processes,
        on_progress=on_progress,
    )
    if method_identity(controller) != identity:
        raise ScenarioError(
            f"Method {controller!r}: the policy was changed while it was measured. Wait until its "
            f"training has ended, or copy the folder first."
        )
    result = MethodDays(
        controller=controller, identity=identity, numbers=days, facts=facts, seconds=seconds
    )
    if folder is not None:
        keep(result, case=case, folder=folder, split=split)
    return result


def keep(result: MethodDays, *, case: Case, folder: ResultsFolder, split: str = SPLIT) -> None:
    """Write a result where `evaluate_method` looks it up."""
    asked = _asked(case, identity=result.identity, numbers=result.numbers, split=split)
    folder.put(result_key(asked), _document(result, case=case, asked=asked))


def refuse_elsewhere(case: Case, controller: str) -> None:
    """Refuse a policy that was trained for another network, limits or devices.

    Raises:
        ScenarioError: It was.
    """
    if controller.startswith(POLICY_PREFIX):
        check_in_case(
            policy_folder(controller),
            scenario=case.scenario,
            feeder=case.feeder,
            population=case.population,
        )


def method_identity(controller: str) -> str:
    """Return what a method is: its name, or the hash of a policy's tensors.

    Raises:
        ScenarioError: An unknown name, or a policy that is not whole.
    """
    check_controller(controller)
    if not controller.startswith(POLICY_PREFIX):
        return controller
    return load_policy(policy_folder(controller)).tensors_sha256


def _checked_numbers(
    n_days: int | None, numbers: Sequence[int] | None, *, split: str
) -> tuple[int, ...]:
    if (n_days is None) == (numbers is None):
        raise ValueError("evaluate_method: give `n_days` or `numbers`, one of both.")
    days = tuple(range(n_days or 0)) if numbers is None else tuple(numbers)
    size = SPLIT_SIZES[split]
    if not days or min(days) < 0 or max(days) >= size:
        raise ScenarioError(
            f"{len(days)} {split} days: expected 1 to {size} of the numbers 0 to {size - 1}."
        )
    return days


def _asked(case: Case, *, identity: str, numbers: tuple[int, ...], split: str) -> dict[str, Any]:
    """Return all that the result depends on, as plain values."""
    listed = ",".join(map(str, numbers)).encode()
    return {
        "format": FORMAT,
        "case": case.key,
        "scenario_hash": config_hash(case.scenario),
        "method": identity,
        "split": split,
        "n_days": len(numbers),
        "numbers_sha256": hashlib.sha256(listed).hexdigest()[:16],
    }


def _document(result: MethodDays, *, case: Case, asked: dict[str, Any]) -> dict[str, Any]:
    policy_seed = None
    if result.controller.startswith(POLICY_PREFIX):
        policy_seed = load_policy(policy_folder(result.controller)).provenance.seed
    return {
        "asked": asked,
        "scenario": case.scenario.name,
        # Of a policy without its folder: files are shared.
        "controller": result.controller.partition(":")[0],
        "seed": case.scenario.seed,
        "policy_seed": policy_seed,
        "threshold_pu": THRESHOLD_PU,
        "seconds": round(result.seconds, 1),
        "summary": asdict(result.summary()),
        "numbers": list(result.numbers),
        "days": result.facts.lists(),
    }


def _from_document(
    document: dict[str, Any], *, controller: str, numbers: tuple[int, ...]
) -> MethodDays:
    return MethodDays(
        controller=controller,  # the same policy may lie elsewhere now
        identity=document["asked"]["method"],
        numbers=numbers,
        facts=DayFacts.listed(document["days"]),
        seconds=document["seconds"],
    )
