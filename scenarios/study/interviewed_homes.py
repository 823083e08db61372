"""Interviewed homes among trained policies: what fine-tuning gives, what misunderstanding costs.

Homes of simulated householders take the place of drawn ones (`scenarios.householders`). Their
policies are fine-tuned, with all others frozen, once with the homes as they are and once as they
were understood. All are then judged in the homes as they are, on test days, by OpenDSS.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch

from gradmap.policies.checkpoint import SIDECAR_FILE, load_policy
from gradmap.training.fine_tuning import fine_tune as prepared
from gradmap.training.settings import TrainingSettings
from scenarios.case import Case, open_case
from scenarios.householders import AskedHome
from scenarios.interviews import without_words
from scenarios.loading import config_hash
from scenarios.schema import Scenario
from scenarios.study.interviewed_ways import Way, judged_ways
from scenarios.study.results_folder import ResultsFolder, result_key
from scenarios.training.days import kept_days
from scenarios.training.folder import POLICY_FOLDER, Step, read_run
from scenarios.training.parent import CHANGED, FineTune, open_parent
from scenarios.training.run import train

STUDY: Final = "interviewed_homes"
FORMAT: Final = 1
"""Raise when what is measured changes: old files are not found any more."""
FOUND, TRUE = "understood", "true"
"""Folders of a study: trainings with the homes as understood, and as they are."""
HOMES, TRUE_HOMES = "homes", "true_homes"
"""Folders of home files."""
DTYPE: Final = torch.float32
"""Of training."""
SETTINGS: Final = TrainingSettings().updated(
    {
        "iterations": 60,
        "batch_days": 8,
        "pool_days": 128,
        "validation_days": 50,
        "validate_every": 20,
        "outside_share": 0.05,
    }
)
"""Some minutes: few learners, in a network that the others keep within its limits already. A rare
day on which the others leave them must not decide which of the learners' policies is kept."""

OnShare = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class InterviewedHomes:
    """What to measure."""

    policy: Path
    """To start from, trained for the scenario with all homes as drawn."""
    homes: tuple[AskedHome, ...]
    n_days: int
    settings: TrainingSettings = SETTINGS
    again: bool = False
    """Measure even what is there."""


def measure_interviewed_homes(
    scenario: Scenario,
    asked: InterviewedHomes,
    *,
    out: Path,
    folder: ResultsFolder,
    cache_folder: Path | None = None,
    on_share: OnShare | None = None,
) -> dict[str, Any]:
    """Fine-tune and measure, or look up, and return the result as plain values.

    Args:
        scenario: With all homes as drawn.
        asked: Which homes, days and settings.
        out: Holds `homes/` and `true_homes/`, see `householders.write_asked`; trainings are written
            beside them, into `understood/` and `true/`.
        folder: Where results are kept.
        cache_folder: Where drawn days are kept, or None.
        on_share: Called with a part's name and its finished share.

    Raises:
        ScenarioError: The policy does not fit the scenario.
        GradmapError: A process failed.
    """
    wanted = _asked(scenario, asked)
    key = result_key(wanted)
    kept = None if asked.again else folder.get(key)
    if kept is not None:
        return kept
    scenarios = {
        FOUND: with_interviews(scenario, folder=out / HOMES),
        TRUE: with_interviews(scenario, folder=out / TRUE_HOMES),
    }
    cases = {name: open_case(one, cache_folder=cache_folder) for name, one in scenarios.items()}
    trained, ways = {}, []
    for name in (TRUE, FOUND):
        trained[name] = _trained(scenarios[name], asked, out=out / name, on_share=on_share)
        ways += _before_and_after(cases[name], asked, name=name, out=out / name)
    ways = [
        Way(name=rule, policy=ways[1].policy, understood=cases[TRUE], rule=rule)
        for rule in ("no_control", "rule_based")
    ] + ways
    began = time.perf_counter()
    found = judged_ways(
        cases[TRUE],
        ways,
        n_days=asked.n_days,
        n_processes=asked.settings.processes,
        on_share=None if on_share is None else partial(on_share, "Test days in OpenDSS"),
    )
    document = {
        "asked": wanted,
        "scenario": scenario.name,
        "currency": scenario.tariff.currency,
        "seed": asked.settings.seed,
        "homes": [home.described() for home in asked.homes],
        "fine_tuning": trained,
        "settings": asdict(asked.settings),
        "evaluation_s": round(time.perf_counter() - began, 1),
        "ways": {way.name: facts for way, facts in zip(ways, found, strict=True)},
    }
    folder.put(key, document)
    return {"key": key, **document}


def with_interviews(scenario: Scenario, *, folder: Path) -> Scenario:
    """Return a scenario with home files in the place of drawn homes."""
    population = scenario.population.model_copy(update={"interviews": folder.resolve()})
    return scenario.model_copy(update={"population": population})


def _asked(scenario: Scenario, asked: InterviewedHomes) -> dict[str, Any]:
    """Return all that the result depends on, as plain values."""
    digest = hashlib.sha256()
    for home in asked.homes:
        for one in (home.found, home.true):
            digest.update(f"{home.name}\n{without_words(one).model_dump_json()}\n".encode())
    load_policy(asked.policy)  # refuses what is damaged
    return {
        "format": FORMAT,
        "scenario_hash": config_hash(scenario),
        "policy_sha256": hashlib.sha256((asked.policy / SIDECAR_FILE).read_bytes()).hexdigest(),
        "homes_sha256": digest.hexdigest(),
        "settings_hash": asked.settings.key,
        "n_days": asked.n_days,
    }


def _trained(
    scenario: Scenario, asked: InterviewedHomes, *, out: Path, on_share: OnShare | None
) -> dict[str, Any]:
    """Fine-tune into a folder and return what it took."""
    steps_s = 0.0

    def stepped(step: Step) -> None:
        nonlocal steps_s
        steps_s += step.report.seconds
        if on_share is not None:
            on_share(f"Fine-tuning, {out.name}", step.report.iteration / asked.settings.iterations)

    began = time.perf_counter()
    start = FineTune(policy_folder=asked.policy, agents=(CHANGED,))
    train(scenario, out=out, settings=asked.settings, fine_tune=start, on_step=stepped)
    # What an interrupted training had done before counts, too.
    run = read_run(out)
    around_s = time.perf_counter() - began - steps_s
    parent = run["fine_tuning"]
    return {
        "retrained_agents": len(parent["retrained_agents"]),
        "new_agents": len(parent["new_agents"]),
        "iterations_s": round(run["training_s"], 1),
        "wall_s": round(run["training_s"] + around_s, 1),
        "validation": run["best_validation"],
    }


def _before_and_after(case: Case, asked: InterviewedHomes, *, name: str, out: Path) -> list[Way]:
    """Return what a fine-tuning began and ended with."""
    fleet = case.fleet(dtype=DTYPE)
    start = FineTune(policy_folder=asked.policy, agents=(CHANGED,))
    parent = open_parent(start, case=case, fleet=fleet, out=out / POLICY_FOLDER)
    pool = kept_days(case, pool_days=asked.settings.pool_days, dtype=DTYPE)
    before = prepared(
        parent.policy, fleet, trained=parent.trained, days=pool, seed=asked.settings.seed
    )
    after = load_policy(out / POLICY_FOLDER).policy
    return [
        Way(name=f"before, {name}", policy=before.policy.double(), understood=case),
        Way(name=f"after, {name}", policy=after, understood=case),
    ]
