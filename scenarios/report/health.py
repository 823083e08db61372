"""Run health: what must be known before any number of a run is believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from scenarios.metrics.network import recorded_steps
from scenarios.report.tables import MISSING, Cell, Row, fixed
from scenarios.results import Run

Level = Literal["good", "attention", "bad"]
FEW = 0.01  # share of unsolved steps above which voltages of a run should not be used

COUNTS: Mapping[str, tuple[str, str]] = {
    "non_converged_steps": (
        "Power flow not converged",
        "Steps whose power flow did not converge; the last solved voltages stand in for them.",
    ),
    "implausible_steps": (
        "Implausible solution",
        "Steps that converged to voltages no feeder has, such as a collapsed one.",
    ),
    "control_limit_steps": (
        "Control iterations used up",
        "Steps in which regulators or capacitors were still acting when OpenDSS stopped.",
    ),
    "not_settled_steps": (
        "Homes and grid not settled",
        "Steps in which homes and grid still changed when the repeats were used up.",
    ),
    "held_steps": ("Voltages held", "Steps that show the voltages of an earlier step."),
    "missing_values": ("Missing values", "Recorded values that are not numbers."),
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One sentence a controller."""

    level: Level
    controller: str
    words: str


def health_rows(run: Run, controllers: tuple[str, ...]) -> list[Row]:
    """Return the health table: a row a check, a cell a controller."""
    infos = [run.run_info(c) for c in controllers]
    steps = [f"{recorded_steps(run, c):,} of {run.scenario.time.n_steps:,}" for c in controllers]
    rows = [
        _row("How it ended", "", [str(info.get("exit", MISSING)) for info in infos]),
        _row("Recorded", "steps", steps),
    ]
    for name, (label, definition) in COUNTS.items():
        values = [_count(info.get("health", {}).get(name)) for info in infos]
        unit = "values" if name == "missing_values" else "steps"
        rows.append(_row(label, unit, values, definition))
    timings = [info.get("timings", {}) for info in infos]
    rows.append(_row("Start-up", "s", [_seconds(t.get("start_up_s")) for t in timings]))
    rows.append(_row("Run time", "s", [_seconds(t.get("run_s")) for t in timings]))
    rows.append(_row("Time per step", "ms", [_seconds(t.get("ms_per_step")) for t in timings]))
    return rows + _plan_rows([plans(info) for info in infos])


@dataclass(frozen=True, kw_only=True)
class PlanCounts:
    """Plans of homes' energy managers over all their processes."""

    n_plans: int
    n_fallbacks: int
    """Made by rules, because the solver found none in time."""
    mean_s: float
    longest_s: float
    cpu_s: float


def plans(info: Mapping[str, Any]) -> PlanCounts | None:
    """Return the counts in a run.json; None if no energy manager took part."""
    parts = list(info.get("hems", {}).values())
    if not parts:
        return None
    n_plans = sum(part["plans"] for part in parts)
    return PlanCounts(
        n_plans=n_plans,
        n_fallbacks=sum(part["fallbacks"] for part in parts),
        mean_s=sum(part["plans"] * part["plan_s_mean"] for part in parts) / max(n_plans, 1),
        longest_s=max(part["plan_s_longest"] for part in parts),
        cpu_s=sum(part["cpu_s"] for part in parts),
    )


def _plan_rows(counts: list[PlanCounts | None]) -> list[Row]:
    """Return how planning went; no rows where nobody planned."""
    if not any(counts):
        return []

    def shown(text: Callable[[PlanCounts], str]) -> list[str]:
        return [MISSING if one is None else text(one) for one in counts]

    return [
        _row("Energy managers' plans", "plans", shown(lambda one: _count(one.n_plans))),
        _row(
            "Plans made by rules",
            "plans",
            shown(lambda one: _count(one.n_fallbacks)),
            "Plans for which the solver found nothing in time, or nothing cheaper than rules.",
        ),
        _row(
            "Time of a plan, mean and longest",
            "ms",
            shown(lambda one: f"{1e3 * one.mean_s:,.1f}, {1e3 * one.longest_s:,.1f}"),
        ),
        _row("Processor time of plans", "s", shown(lambda one: _seconds(one.cpu_s))),
    ]


def verdict(run: Run, controller: str, *, name: str) -> Verdict:
    """Judge whether the results of a controller can be used."""
    info = run.run_info(controller)
    wanted, recorded = run.scenario.time.n_steps, recorded_steps(run, controller)
    health = {k: v for k, v in info.get("health", {}).items() if k in COUNTS and v}
    unsolved = health.get("non_converged_steps", 0) + health.get("implausible_steps", 0)
    faults = [
        f"{COUNTS[k][0][0].lower()}{COUNTS[k][0][1:]}: {_count(v)}" for k, v in health.items()
    ]
    if recorded == 0:
        return Verdict(level="bad", controller=name, words="No results were recorded.")
    ending = str(info.get("exit", "unknown"))
    if recorded < wanted or ending != "finished":
        faults.insert(0, f"{recorded:,} of {wanted:,} steps recorded, the run ended as {ending!r}")
    if not info:
        faults.append("run.json is missing, so nothing is known about convergence")
    if not faults:
        return Verdict(
            level="good",
            controller=name,
            words=f"All {wanted:,} steps were solved and recorded; no value is missing.",
        )
    bad = ending == "failed" or unsolved > FEW * recorded
    advice = "Do not use these results before the cause is found." if bad else "Read with care."
    return Verdict(
        level="bad" if bad else "attention",
        controller=name,
        words=f"{_sentence('; '.join(faults))} {advice}",
    )


def _sentence(words: str) -> str:
    """Return words with a capital letter and a full stop."""
    return words[:1].upper() + words[1:] + "."


def _row(label: str, unit: str, values: list[str], definition: str = "") -> Row:
    """Return a row of plain cells."""
    return Row(
        label=label,
        unit=unit,
        cells=tuple(Cell(shown=value) for value in values),
        definition=definition,
    )


def _count(value: Any) -> str:
    """Return a count, a dash if it was not recorded."""
    return MISSING if value is None else f"{int(value):,}"


def _seconds(value: Any) -> str:
    """Return a duration with one decimal, a dash if it was not recorded."""
    return MISSING if value is None else fixed(float(value), digits=1)
