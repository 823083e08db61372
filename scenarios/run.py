"""Run a scenario: prepare the inputs, then one federation per controller, then the summary.

from scenarios.run import run_scenario
run = run_scenario("quick_start")
run["rule_based"].v_pu.min().min()
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psutil

from federates.config import FederateConfig
from federates.controllers import HEMS, check_name, short_name
from federates.grid import open_engine
from federates.in_process import Member, run_in_process
from federates.registry import make_component
from federates.supervisor import FederationOutcome, Watchdogs, run_federation
from gradmap.baselines.registry import POLICY_PREFIX, make_controller
from gradmap.devices.fleet import Fleet
from gradmap.errors import FederationError, FeederError, ScenarioError
from scenarios.federation import PLANS_FOLDER, federate_configs, grid_settings
from scenarios.feeder_file import write_feeder_file
from scenarios.health import read_health
from scenarios.history import write_history
from scenarios.inputs import materialise
from scenarios.loading import config_hash, dump_scenario, find_scenario, load_scenario
from scenarios.policy_check import check_policies
from scenarios.population import Population
from scenarios.provenance import machine, versions
from scenarios.results import Run, open_run
from scenarios.run_folder import (
    INPUTS_FOLDER,
    SCENARIO_FILE,
    claimed,
    in_use,
    refuse_unless_free,
    staging,
)
from scenarios.schema import Scenario

FURTHER_PACKAGES = ("helics", "pandas", "pvlib")

Phase = Literal["prepare", "run"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One tick of progress: which part of the work, and its finished share."""

    phase: Phase
    controller: str
    share: float


@dataclass(frozen=True, kw_only=True)
class ControllerRun:
    """How one controller's run ended."""

    controller: str
    exit: str
    info: Mapping[str, Any]
    """The content of its run.json."""


def run_scenario(
    scenario: Scenario | str | Path,
    *,
    out: Path | None = None,
    in_process: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> Run:
    """Run every controller of a scenario and return the results.

    Args:
        scenario: A scenario, the path of a scenario file, or the name of a bundled scenario.
        out: The run folder; by default `runs/<name>-<time>` in the working directory.
        in_process: Without HELICS, all components in this process; the numbers are the same.
        overwrite: Replace the run folder if it holds an earlier run.
        on_progress: Called about twice a second.

    Raises:
        ScenarioError, FeederError: Wrong input; nothing was started.
        FederationError: A federate failed; the results up to there are kept.
    """
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(find_scenario(str(scenario)))
    with claimed(out, scenario=scenario) as folder:
        prepare(scenario, folder=folder, overwrite=overwrite, on_progress=on_progress)
        for controller in scenario.controllers:
            ended = run_controller(
                scenario,
                controller=controller,
                folder=folder,
                in_process=in_process,
                on_progress=on_progress,
            )
            if ended.exit == "interrupted":
                break
        return open_run(folder, scenario=scenario)


def prepare(
    scenario: Scenario,
    *,
    folder: Path,
    overwrite: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> None:
    """Check everything and write all inputs of a run; if anything is wrong, leave no trace.

    An earlier run in the folder is deleted only when the inputs of the new one are complete.

    Raises:
        ScenarioError, FeederError: What is wrong; the folder is as it was before.
    """
    refuse_unless_free(folder, scenario=scenario, overwrite=overwrite)
    own_folders = [controller_folder(controller) for controller in scenario.controllers]

    def report(share: float) -> None:
        if on_progress is not None:
            on_progress(Progress(phase="prepare", controller="", share=share))

    with staging(folder, contents=own_folders) as place:
        _check_controllers(scenario.controllers)
        engine = open_engine(grid_settings(scenario))
        write_feeder_file(engine, scenario=scenario, path=place / INPUTS_FOLDER / "feeder.json")
        population = materialise(
            scenario, connections=engine.connections, folder=place, progress=report
        )
        _check_processes(scenario, n_households=len(population.households))
        write_history(scenario, population=population, inputs_folder=place / INPUTS_FOLDER)
        fleet = Fleet.from_folder(place / INPUTS_FOLDER)
        in_policy = population.in_policy() if population.interviews else population
        for controller in scenario.controllers:
            _check_agents(controller, fleet=fleet, in_policy=in_policy)
        check_policies(
            scenario, engine=engine, population=in_policy, inputs_folder=place / INPUTS_FOLDER
        )
    # Last, so that a folder with a scenario.yaml is a prepared one.
    dump_scenario(scenario, folder / SCENARIO_FILE)


def _check_agents(controller: str, *, fleet: Fleet, in_policy: Population) -> None:
    """Refuse a policy that was not trained for the agents that it is to control."""
    if controller == HEMS:
        return
    if controller.startswith(POLICY_PREFIX) and in_policy.interviews:
        fleet = Fleet.from_tables(in_policy.devices, household_ids=fleet.household_ids)
        if fleet.n_agents == 0:
            return  # every home keeps its devices to itself
    make_controller(controller, fleet=fleet)


def _check_processes(scenario: Scenario, *, n_households: int) -> None:
    """Refuse processes without a home, which a user's households file may lead to."""
    n_processes = scenario.federation.household_processes
    if n_processes > n_households:
        raise ScenarioError(
            f"`federation.household_processes` is {n_processes}, expected at most the "
            f"{n_households} households of {scenario.population.households_file}. Lower it."
        )


def _check_controllers(controllers: Sequence[str]) -> None:
    """Find what can be found before there is a population: names, files, shared folders."""
    for controller in controllers:
        check_name(controller)
    # Two policies in folders of the same name would write into the same results.
    names = [controller_folder(controller) for controller in controllers]
    for name in names:
        if names.count(name) > 1:
            raise ScenarioError(
                f"`controllers`: two policies have a folder called "
                f"{name.removeprefix('policy_')!r}, expected different names. Rename one."
            )


def run_controller(
    scenario: Scenario,
    *,
    controller: str,
    folder: Path,
    in_process: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> ControllerRun:
    """Run one controller on prepared inputs and write its run.json."""
    own = folder / controller_folder(controller)
    own.mkdir(exist_ok=True)
    configs = federate_configs(
        scenario,
        controller=controller,
        inputs_folder=folder / "inputs",
        results_folder=own / "results",
    )

    def report(share: float) -> None:
        if on_progress is not None:
            on_progress(Progress(phase="run", controller=controller, share=share))

    started = datetime.now(UTC)
    outcome: FederationOutcome | None = None
    exit_, error = "failed", None
    try:
        with in_use(folder):
            outcome = (
                _run_in_process(configs, report)
                if in_process
                else run_federation(
                    configs,
                    config_folder=own / "federates",
                    log_folder=own / "logs",
                    watchdogs=Watchdogs(
                        join_quiet_s=scenario.federation.join_quiet_s,
                        stall_timeout_s=scenario.federation.stall_timeout_s,
                    ),
                    on_progress=report,
                )
            )
        exit_ = outcome.exit
    except KeyboardInterrupt:
        exit_ = "interrupted"  # before there was a federation, or a second time while it ended
    except (ScenarioError, FeederError, OSError) as exc:
        # Wrong input is found in `prepare`; here something has been started.
        error = str(exc)
        raise FederationError(f"The run of {controller!r} failed: {error}") from exc
    except Exception as exc:
        error = str(exc)
        raise
    finally:
        info = _run_info(
            scenario, controller=controller, own=own, started=started, outcome=outcome
        ) | {"exit": exit_, "error": error, "in_process": in_process}
        (own / "run.json").write_text(json.dumps(info, indent=1, default=str))
    return ControllerRun(controller=controller, exit=exit_, info=info)


def controller_folder(controller: str) -> str:
    """Return the folder name of a controller."""
    return short_name(controller)


def _run_in_process(
    configs: Sequence[FederateConfig], report: Callable[[float], None]
) -> FederationOutcome:
    started_s = time.monotonic()
    members = tuple(Member(config=c, component=make_component(c)) for c in configs)
    schedule = configs[0].schedule.schedule()
    joined_s = time.monotonic()
    exit_: Literal["finished", "interrupted"] = "finished"
    try:
        run_in_process(
            members, schedule=schedule, on_step=lambda step: report(step / schedule.n_steps)
        )
    except KeyboardInterrupt:
        exit_ = "interrupted"
    return FederationOutcome(
        exit=exit_,
        start_up_s=joined_s - started_s,
        run_s=time.monotonic() - joined_s,
        federates={},
        memory_mb={"in_process": [round(psutil.Process().memory_info().rss / 1e6, 1)]},
    )


def _run_info(
    scenario: Scenario,
    *,
    controller: str,
    own: Path,
    started: datetime,
    outcome: FederationOutcome | None,
) -> dict[str, Any]:
    """Return everything needed to judge and to repeat a run."""
    health = read_health(own / "results", n_steps=scenario.time.n_steps)
    return {
        "controller": controller,
        "seed": scenario.seed,
        "config_hash": config_hash(scenario),
        "n_steps": scenario.time.n_steps,
        "n_steps_recorded": health.n_steps_recorded,
        "health": asdict(health) | {"healthy": health.healthy},
        "started": started.isoformat(timespec="seconds"),
        "timings": _timings(outcome, health.n_steps_recorded),
        **_plans(own / PLANS_FOLDER),
        "memory_mb": dict(outcome.memory_mb) if outcome else {},
        "versions": versions(*FURTHER_PACKAGES),
        "machine": machine(),
    }


def _plans(folder: Path) -> dict[str, Any]:
    """Return what the homes' energy managers counted, by process; nothing without any."""
    found = {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}
    return {"hems": found} if found else {}


def _timings(outcome: FederationOutcome | None, n_steps: int) -> dict[str, Any]:
    if outcome is None:
        return {}
    steps = max(1, n_steps)
    busy = {
        name: {"busy_ms_per_step": round(1e3 * float(str(seen["busy_s"])) / steps, 3)}
        for name, seen in outcome.federates.items()
        if "busy_s" in seen
    }
    return {
        "start_up_s": round(outcome.start_up_s, 3),
        "run_s": round(outcome.run_s, 3),
        "ms_per_step": round(1e3 * outcome.run_s / steps, 3),
        "by_federate": busy,
    }
