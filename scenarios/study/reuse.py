"""The reuse study: GradMAP uses every gradient of the environment several times, GradMA once.

Both are trained until the same validation target is reached, GradMA at several learning rates and
for several lengths, since rates and the network's weight follow schedules over a training's length.
It is compared at the choice that needs the fewest gradients. Every training is a file of its own,
so the study fills over time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Final

from gradmap.training.settings import TrainingSettings
from scenarios.case import Case
from scenarios.loading import config_hash
from scenarios.study.processes import run_in_turn, run_queue
from scenarios.study.results_folder import ResultsFolder, result_key
from scenarios.study.reuse_run import ReuseRun, ReuseTask, Target, train_to_target

STUDY: Final = "reuse"
GRADMAP, GRADMA = "GradMAP", "GradMA"

OnShare = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class Reuse:
    """What to train."""

    seeds: tuple[int, ...]
    rates: tuple[float, ...]
    """Learning rates of GradMA."""
    target: Target
    max_looks: int
    """Gradients of the environment after which GradMAP gives up; its schedules run over them."""
    gradma_looks: tuple[int, ...] = ()
    """The same of GradMA, each tried: it is compared at its best; as many as GradMAP if empty."""
    validate_every: int = 5
    n_validation_days: int = 25
    settings: TrainingSettings = field(default_factory=lambda: TrainingSettings(processes=1))
    """Of GradMAP; GradMA's but for method and learning rate."""

    def tasks(self) -> tuple[ReuseTask, ...]:
        """Return all trainings, seed by seed, so that an early look shows all methods."""
        found = []
        for seed in self.seeds:
            # Several trainings at a time are quicker than one in several parts.
            common = {"processes": 1, "seed": seed}
            ours = self.settings.updated({**common, "method": "proximal"})
            found.append(self._task(GRADMAP, ours, looks=self.max_looks))
            found += [
                self._task(
                    GRADMA,
                    ours.updated({"method": "backprop", "learning_rate": rate}),
                    looks=looks,
                )
                for rate in self.rates
                for looks in self.gradma_looks or (self.max_looks,)
            ]
        return tuple(found)

    def _task(self, method: str, settings: TrainingSettings, *, looks: int) -> ReuseTask:
        return ReuseTask(
            method=method,
            rate=settings.learning_rate,
            # The study validates itself; the trainer validates once, at the last iteration.
            settings=settings.updated({"iterations": looks, "validate_every": looks}),
            target=self.target,
            validate_every=self.validate_every,
            n_validation_days=self.n_validation_days,
        )


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A number over seeds."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, kw_only=True)
class ReuseRow:
    """One method at one learning rate and one length of its schedules."""

    method: str
    rate: float
    max_looks: int
    n_seeds: int
    n_reached: int
    calls: Spread | None
    """Gradients of the environment until the target, seeds that reached it; None if none did."""
    seconds: Spread | None
    """Processor time of training until then. [s]"""
    best: bool
    """The learning rate and length at which GradMA is compared."""


@dataclass(frozen=True, kw_only=True)
class ReuseResult:
    """The study."""

    scenario: str
    case: str
    target: Target
    rows: tuple[ReuseRow, ...]
    calls_ratio: Spread | None
    """GradMA over GradMAP, by seed; None where one of them never reached the target. [-]"""
    seconds_ratio: Spread | None
    n_pairs: int
    """Seeds at which both reached it."""
    runs: tuple[ReuseRun, ...]


def study_reuse(
    case: Case,
    asked: Reuse,
    *,
    folder: ResultsFolder,
    n_jobs: int = 1,
    again: bool = False,
    on_share: OnShare | None = None,
) -> ReuseResult:
    """Train what is missing and summarise.

    Args:
        case: What is trained on.
        asked: Which trainings.
        folder: Where they are kept.
        n_jobs: Trainings at a time with one thread each; 1 trains in this process.
        again: Train even what is there.
        on_share: Called with the study's name and its finished share.

    Raises:
        GradmapError: A training failed.
    """
    tasks = asked.tasks()
    hashed = config_hash(case.scenario)
    plain = [task.asked(case_key=case.key, scenario_hash=hashed) for task in tasks]
    keys = [result_key(item) for item in plain]
    runs: dict[int, ReuseRun] = {}
    for number, key in enumerate(keys):
        kept = None if again else folder.get(key)
        run = None if kept is None else ReuseRun.from_document(kept)
        ended = run and run.towards(asked.target)
        if ended:
            runs[number] = ended
    missing = [number for number in range(len(tasks)) if number not in runs]
    shares = [0.0] * len(missing)

    def tell(position: int, share: float) -> None:
        shares[position] = share
        if on_share is not None:
            on_share("Training", (len(tasks) - len(missing) + sum(shares)) / len(tasks))

    def keep(position: int, run: ReuseRun) -> None:
        number = missing[position]
        runs[number] = run
        scenario = {"scenario": case.scenario.name, "asked": plain[number], "n_jobs": n_jobs}
        folder.put(keys[number], {**scenario, **run.document()})
        tell(position, 1.0)

    works = [partial(train_to_target, case, tasks[number]) for number in missing]
    if n_jobs == 1:
        run_in_turn(works, on_share=tell, on_result=keep)
    else:
        run_queue(works, n_at_once=n_jobs, on_share=tell, on_result=keep)
    return summarise(case, asked, [runs[number] for number in range(len(tasks))])


def summarise(case: Case, asked: Reuse, runs: Sequence[ReuseRun]) -> ReuseResult:
    """Return the study's table and ratios."""
    groups: dict[tuple[str, float, int], list[ReuseRun]] = {}
    for run in runs:
        groups.setdefault((run.method, run.rate, run.max_looks), []).append(run)
    best = best_choice(runs)
    rows = tuple(
        ReuseRow(
            method=method,
            rate=rate,
            max_looks=max_looks,
            n_seeds=len(own),
            n_reached=sum(run.reached for run in own),
            calls=_spread([float(run.last.calls) for run in own if run.reached]),
            seconds=_spread([run.last.processor_s for run in own if run.reached]),
            best=method == GRADMA and (rate, max_looks) == best,
        )
        for (method, rate, max_looks), own in groups.items()
    )
    ours = {run.seed: run.last for run in runs if run.method == GRADMAP and run.reached}
    other = {
        run.seed: run.last
        for run in runs
        if run.method == GRADMA and (run.rate, run.max_looks) == best and run.reached
    }
    pairs = [(other[seed], ours[seed]) for seed in asked.seeds if seed in ours and seed in other]
    return ReuseResult(
        scenario=case.scenario.name,
        case=case.key,
        target=asked.target,
        rows=rows,
        calls_ratio=_spread([a.calls / b.calls for a, b in pairs]),
        seconds_ratio=_spread([a.processor_s / b.processor_s for a, b in pairs]),
        n_pairs=len(pairs),
        runs=tuple(runs),
    )


def best_choice(runs: Sequence[ReuseRun]) -> tuple[float, int] | None:
    """Return GradMA's learning rate and length with the fewest gradients, median over seeds.

    A seed that does not reach the target counts as infinitely many. None if every median is.
    """
    calls: dict[tuple[float, int], list[float]] = {}
    for run in runs:
        if run.method == GRADMA:
            own = float(run.last.calls) if run.reached else float("inf")
            calls.setdefault((run.rate, run.max_looks), []).append(own)
    medians = {choice: median(values) for choice, values in calls.items()}
    if not medians or min(medians.values()) == float("inf"):
        return None
    return min(medians, key=lambda choice: (medians[choice], choice))


def _spread(values: Sequence[float]) -> Spread | None:
    if not values:
        return None
    return Spread(median=median(values), least=min(values), most=max(values))
