"""What an iteration of training takes, by agents and days: seconds and memory.

Every cell is measured in a process of its own, so that its peak memory is its own. Populations of
other sizes than the scenario's are those of the environment's speed: more homes are smaller, or the
feeder collapses.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median
from typing import Any, Final

from gradmap.training.settings import TrainingSettings
from scenarios.benchmarks.reference_case.environment_speed import of_size
from scenarios.case import open_case
from scenarios.loading import config_hash
from scenarios.schema import Scenario
from scenarios.study.preparation import prepare
from scenarios.study.processes import Tell, run_queue
from scenarios.study.results_folder import ResultsFolder, result_key

STUDY: Final = "scale"
FORMAT: Final = 1
N_WARM_UP, N_TIMED = 1, 3
"""Iterations before and while time is taken."""

OnShare = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class ScaleRow:
    """One population with one number of days."""

    n_agents: int
    batch_days: int
    method: str
    iteration_s: float
    """Median wall time of an iteration. [s]"""
    look_s: float
    """Of these, rollout, power flows and the reverse sweep. [s]"""
    peak_memory_mb: float
    """Largest resident memory of the process. [MB]"""

    @property
    def rest_s(self) -> float:
        """Return what the epochs and the dual ascent take. [s]"""
        return max(0.0, self.iteration_s - self.look_s)


def study_scale(
    scenario: Scenario,
    *,
    sizes: Sequence[int],
    batches: Sequence[int],
    folder: ResultsFolder,
    settings: TrainingSettings | None = None,
    again: bool = False,
    on_share: OnShare | None = None,
) -> tuple[ScaleRow, ...]:
    """Measure every population with every number of days, one cell at a time.

    Args:
        scenario: Feeder, season and shares; the number of households is replaced.
        sizes: Numbers of households, one agent each.
        batches: Days of one look.
        folder: Where results are kept.
        settings: How to train.
        again: Measure even what is there.
        on_share: Called with the study's name and its finished share.

    Raises:
        GradmapError: A process failed, for instance for lack of memory.
    """
    base = settings or TrainingSettings(processes=1)
    cells = [(size, batch) for size in sizes for batch in batches]
    rows = []
    for done, (size, batch) in enumerate(cells):
        own = base.updated(
            {
                "processes": 1,
                "batch_days": batch,
                "pool_days": batch,
                "iterations": N_WARM_UP + N_TIMED + 1,
            }
        )
        changed = of_size(scenario, size=size)
        plain = {"format": FORMAT, "scenario_hash": config_hash(changed), "settings": asdict(own)}
        key = result_key(plain)
        kept = None if again else folder.get(key)
        if kept is None:
            row = run_queue([partial(_measure, changed, own)], n_at_once=1)[0]
            folder.put(key, {"asked": plain, "scenario": scenario.name, "row": asdict(row)})
        else:
            row = ScaleRow(**kept["row"])
        rows.append(row)
        if on_share is not None:
            on_share("Training", (done + 1) / len(cells))
    return tuple(rows)


def _measure(scenario: Scenario, settings: TrainingSettings, tell: Tell) -> ScaleRow:
    """Be a process: train for a few iterations."""
    case = open_case(scenario)
    trainer = prepare(case, settings=settings, n_validation_days=1).trainer
    looks_s: list[float] = []
    environment: Any = trainer.environment
    for name in ("action_gradients", "parameter_gradients"):
        setattr(environment, name, _timed(getattr(environment, name), into=looks_s))
    iterations_s = []
    for done in range(N_WARM_UP + N_TIMED):
        report = trainer.step()
        iterations_s.append(report.seconds - report.validation_s)
        tell((done + 1) / (N_WARM_UP + N_TIMED))
    # Linux counts kilobytes, macOS bytes.
    unit = 1.0 if sys.platform == "darwin" else 1e3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    return ScaleRow(
        n_agents=trainer.rollout.fleet.n_agents,
        batch_days=settings.batch_days,
        method=settings.method,
        iteration_s=round(median(iterations_s[N_WARM_UP:]), 4),
        look_s=round(median(looks_s[N_WARM_UP:]), 4),
        peak_memory_mb=round(peak, 1),
    )


def _timed(look: Callable[..., Any], *, into: list[float]) -> Callable[..., Any]:
    """Return a function that notes how long it takes."""

    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        result = look(*args, **kwargs)
        into.append(time.perf_counter() - began)
        return result

    return timed
