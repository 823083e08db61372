"""The study of `gradmap hems evaluate`: arms measured in processes, results kept by hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from importlib import resources
from time import perf_counter
from typing import Any, Final

import numpy as np

from federates.hems.chat.model import ChatModel
from federates.hems.chat.openai_server import OpenAiServer
from federates.hems.chat.settings import ServerSettings
from federates.hems.evaluation.adversarial import CaseResult, by_category, run_cases
from federates.hems.evaluation.arms import Arm
from federates.hems.evaluation.bootstrap import Bootstrap
from federates.hems.evaluation.dialogue import Dialogue
from federates.hems.evaluation.measuring import Plan, measured_dialogues
from federates.hems.evaluation.metrics import GROUPINGS, accuracy_of, metrics, table
from federates.hems.evaluation.regret import DAYS, DayCost, Regret, RegretMeter
from federates.hems.evaluation.scoring import DialogueScore
from gradmap.errors import GradmapError
from scenarios.study.processes import Tell, run_in_turn, run_queue
from scenarios.study.results_folder import ResultsFolder, result_key

STUDY: Final = "hems_interviews"
FORMAT: Final = 1
"""Rises when definitions change: older results are then measured again."""
PACKAGES: Final = ("parameters", "understanding", "interview", "users", "chat", "evaluation")
"""Sources that an interview's result depends on."""
OPTIMISER_PACKAGES: Final = ("optimiser", "adapters")
ADDRESS: Final = {"base_url", "key_variable", "timeout_s", "retries", "first_wait_s"} | {
    "longest_wait_s"
}
"""Fields of a server that do not change what it answers."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is asked of every arm."""

    plan: Plan
    n_regret: int
    """Householders whose homes are also scheduled."""
    jobs: int
    again: bool = False
    """Measure even what is kept."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one process has measured."""

    scores: list[DialogueScore]
    regrets: list[Regret]
    cases: list[CaseResult]


def kept_result(arm: Arm, study: Study, folder: ResultsFolder) -> dict[str, Any] | None:
    """Return what is kept of an arm, measured with these sources or earlier ones."""
    return folder.get(result_key(asked_of(arm, study)))


def measured_arm(
    arm: Arm,
    study: Study,
    folder: ResultsFolder,
    *,
    on_share: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Return the result of an arm: the kept one if nothing has changed, else a new one, kept.

    Args:
        arm: Who interviews.
        study: Whom, and how many.
        folder: Of results.
        on_share: Called with the share that is done.

    Raises:
        GradmapError: A process failed; a server cannot be reached.
        MissingExtraError: Regret is asked for and highspy is not installed.
    """
    asked, sources = asked_of(arm, study), source_digest()
    found = folder.get(result_key(asked))
    if found is not None and found["sources"] == sources and not study.again:
        return found
    began = perf_counter()
    part = _measured(arm, study, on_share=on_share)
    document = {
        "asked": asked,
        "sources": sources,
        "seed": study.plan.seed,
        "seconds": round(perf_counter() - began, 1),
        "processes": study.jobs,
        **summary(part, seed=study.plan.seed),
    }
    folder.put(result_key(asked), document)
    return {"key": result_key(asked), **document}


def asked_of(arm: Arm, study: Study) -> dict[str, Any]:
    """Return what is measured as plain values; its hash names the result."""
    plan = study.plan
    return {
        "study": STUDY,
        "format": FORMAT,
        "arm": asdict(arm),
        "seed": plan.seed,
        "dialogues": plan.n_dialogues,
        "repeats": plan.repeats,
        "users": plan.users,
        "templates": plan.templates if plan.users == "grammar" else "",
        "interviewer": _model_settings(plan.interviewer_server) if arm.chat else {},
        "householder": _model_settings(plan.user_server) if plan.users == "llm" else {},
        "regret": study.n_regret,
    }


def source_digest() -> str:
    """Return a hash of the sources, templates and prompts behind a result."""
    root = resources.files("federates.hems")
    digest = hashlib.sha256()
    for package in (*PACKAGES, *OPTIMISER_PACKAGES):
        for name, content in _files(root / package, at=package):
            digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:16]


def summary(part: Part, *, seed: int) -> dict[str, Any]:
    """Return metrics, tables and a line for each dialogue as plain values."""
    scores = part.scores
    groups = {
        name: {
            group: {column: asdict(cell) for column, cell in row.items()}
            for group, row in table(scores, by=by, seed=seed).items()
        }
        for name, by in GROUPINGS.items()
    }
    cases = by_category(part.cases)
    return {
        "metrics": {name: asdict(one) for name, one in metrics(scores, seed=seed).items()},
        "tables": groups,
        "adversarial": {name: asdict(one) for name, one in cases.items()},
        "adversarial_failed": [one.case for one in part.cases if not one.passed],
        "regret": regret_summary(part.regrets, seed=seed),
        "dialogues": _lines(scores),
    }


def regret_summary(regrets: Sequence[Regret], *, seed: int) -> dict[str, Any]:
    """Return means over homes and days with intervals over homes; empty without any."""
    numbers = sorted({one.number for one in regrets})
    if not numbers:
        return {}
    draws = Bootstrap(len(numbers), seed=seed)
    days = np.array([float(sum(x.number == n for x in regrets)) for n in numbers])

    def mean(value: Callable[[Regret], float]) -> dict[str, Any]:
        own = [sum(value(x) for x in regrets if x.number == n) for n in numbers]
        return asdict(draws.ratio(np.array(own), days))

    names = [item.name for item in fields(DayCost)]
    return {
        "days": [day.isoformat() for day in DAYS],
        "homes": len(numbers),
        "extra": {name: mean(partial(Regret.extra, name=name)) for name in names},
        "true": {name: mean(partial(_of_true_home, name=name)) for name in names},
    }


def _of_true_home(one: Regret, *, name: str) -> float:
    return float(getattr(one.true, name))


def accuracies(document: Mapping[str, Any], *, against: str = "said") -> dict[int, float]:
    """Return each householder's mean accuracy, by number, from a kept result."""
    lines = document["dialogues"]
    found: dict[int, list[float]] = {}
    for number, value in zip(lines["number"], lines[f"accuracy_{against}"], strict=True):
        if value is not None:
            found.setdefault(number, []).append(value)
    return {number: float(np.mean(values)) for number, values in found.items()}


def _measured(arm: Arm, study: Study, *, on_share: Callable[[float], None] | None) -> Part:
    """Return what all processes measure."""
    jobs = min(study.jobs, study.plan.n_dialogues)
    # Every jobs-th householder: each process then has its share of those that are scheduled.
    parts = [range(first, study.plan.n_dialogues, jobs) for first in range(jobs)]
    works = [
        partial(
            measure_part,
            arm=arm,
            plan=study.plan,
            numbers=tuple(numbers),
            n_regret=study.n_regret,
            with_cases=first == 0,
        )
        for first, numbers in enumerate(parts)
    ]
    shares = [0.0] * jobs

    def tell(number: int, share: float) -> None:
        shares[number] = share
        if on_share is not None:
            on_share(sum(shares) / jobs)

    if jobs == 1:
        ended = run_in_turn(works, on_share=tell, on_result=_check)
    else:
        ended = run_queue(works, n_at_once=jobs, on_share=tell, on_result=_check)
    found = [part for part in ended if isinstance(part, Part)]
    return Part(
        scores=sorted(_all(x.scores for x in found), key=lambda one: (one.number, one.repeat)),
        regrets=sorted(_all(x.regrets for x in found), key=lambda one: (one.number, one.day)),
        cases=_all(x.cases for x in found),
    )


def _check(_number: int, ended: Part | str) -> None:
    """Raise what went wrong in a process; this ends the others."""
    if isinstance(ended, str):
        raise GradmapError(ended)


def measure_part(
    tell: Tell,
    *,
    arm: Arm,
    plan: Plan,
    numbers: tuple[int, ...],
    n_regret: int,
    with_cases: bool,
) -> Part | str:
    """Return what one process measures, or the message of why it could not."""
    try:
        return _measured_part(
            tell, arm=arm, plan=plan, numbers=numbers, n_regret=n_regret, with_cases=with_cases
        )
    except GradmapError as exc:
        return str(exc)


def _measured_part(
    tell: Tell,
    *,
    arm: Arm,
    plan: Plan,
    numbers: tuple[int, ...],
    n_regret: int,
    with_cases: bool,
) -> Part:
    meter = RegretMeter() if any(number < n_regret for number in numbers) else None
    regrets: list[Regret] = []
    n_done = 0

    def after(dialogue: Dialogue, score: DialogueScore) -> None:
        nonlocal n_done
        n_done += 1
        if meter is not None and score.number < n_regret and score.repeat == 0:
            regrets.extend(meter.of(dialogue, number=score.number))
        tell(n_done / (len(numbers) * plan.repeats))

    scores = measured_dialogues(arm, plan, numbers=numbers, on_dialogue=after)
    cases = run_cases(arm, arm.interviewer(_chat_model(arm, plan))) if with_cases else []
    return Part(scores=scores, regrets=regrets, cases=cases)


def _chat_model(arm: Arm, plan: Plan) -> ChatModel | None:
    server = plan.interviewer_server
    return OpenAiServer(server) if arm.chat and server is not None else None


def _lines(scores: Sequence[DialogueScore]) -> dict[str, list[Any]]:
    """Return the dialogues as columns; no word of them."""
    plain = ("number", "repeat", "level", "ended", "turns", "tokens_in", "tokens_out")
    columns: dict[str, list[Any]] = {name: [getattr(one, name) for one in scores] for name in plain}
    for against in ("said", "truth", "file"):
        values = [accuracy_of(one, against=against) for one in scores]
        columns[f"accuracy_{against}"] = [x if x is None else round(x, 6) for x in values]
    columns["all_said_right"] = [one.all_said_right for one in scores]
    return columns


def _model_settings(server: ServerSettings | None) -> dict[str, Any]:
    return {} if server is None else server.model_dump(mode="json", exclude=ADDRESS)


def _files(folder: Any, *, at: str) -> list[tuple[str, bytes]]:
    """Return names and contents of a package's files, in order."""
    found: list[tuple[str, bytes]] = []
    for item in sorted(folder.iterdir(), key=lambda one: one.name):
        name = f"{at}/{item.name}"
        if item.is_dir() and item.name != "__pycache__":
            found += _files(item, at=name)
        elif item.name.endswith((".py", ".yaml", ".md")):
            found.append((name, item.read_bytes()))
    return found


def _all(lists: Iterable[list[Any]]) -> list[Any]:
    return [one for several in lists for one in several]
