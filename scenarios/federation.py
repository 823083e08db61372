"""From a scenario to the configuration of every federate."""

from __future__ import annotations

from pathlib import Path

from federates.config import (
    AgentsSettings,
    BrokerAddress,
    EnvironmentSettings,
    FederateConfig,
    GridSettings,
    HemsSettings,
    HouseholdsSettings,
    RecorderSettings,
    ScheduleSettings,
    Settings,
)
from federates.controllers import HEMS
from federates.hems.controller.roles import Scope, roles_in
from federates.oedisi import PORTS
from federates.population_files import read_placement
from federates.topics import Port
from gradmap.baselines.registry import POLICY_PREFIX
from scenarios.clock import Clock
from scenarios.schema import Scenario

PLANS_FOLDER = "plans"
"""Beside the results of a controller: counts of energy managers' plans."""


def federate_configs(
    scenario: Scenario, *, controller: str, inputs_folder: Path, results_folder: Path
) -> tuple[FederateConfig, ...]:
    """Return the configuration of all federates of one controller's run.

    Args:
        scenario: The resolved scenario.
        controller: What the agents run.
        inputs_folder: Materialised population and series.
        results_folder: Where the recorder writes.
    """
    settings: dict[str, Settings] = {
        "environment": EnvironmentSettings(inputs_folder=inputs_folder),
        **_households(scenario, inputs_folder),
        **_controlling(scenario, controller, inputs_folder, results_folder),
        "grid": grid_settings(scenario, inputs_folder),
        "recorder": RecorderSettings(
            results_folder=results_folder, part_steps=scenario.federation.part_steps
        ),
    }
    topics = _topics(settings)
    schedule = ScheduleSettings(
        dt_s=scenario.time.dt_s,
        n_steps=scenario.time.n_steps,
        mode=scenario.coupling.mode,
        max_iterations=(
            scenario.coupling.max_iterations if scenario.coupling.mode == "iterate" else 1
        ),
        # In UTC: seconds added to a local time would cross clock changes wrongly.
        start=Clock.from_settings(scenario.time).start.tz_convert("UTC").to_pydatetime(),
    )
    return tuple(
        FederateConfig(
            name=name,
            broker=BrokerAddress(core_type=scenario.federation.core_type),
            schedule=schedule,
            subscriptions={
                port.name: topics[port.name]
                for port in PORTS[setting.kind][0]
                if port.name in topics
            },
            settings=setting,
        )
        for name, setting in settings.items()
    )


def _households(scenario: Scenario, inputs_folder: Path) -> dict[str, Settings]:
    """Split the homes evenly over the processes, in order."""
    n_processes = scenario.federation.household_processes
    n_homes = len(read_placement(inputs_folder / "households.csv"))  # a user's file has its own
    bounds = [n_homes * i // n_processes for i in range(n_processes + 1)]
    return {
        f"households_{i + 1}": HouseholdsSettings(
            inputs_folder=inputs_folder,
            first=bounds[i],
            count=bounds[i + 1] - bounds[i],
            inverter_mode=scenario.population.inverter_mode,
            relaxation=scenario.coupling.relaxation,
        )
        for i in range(n_processes)
    }


def hems_report_file(results_folder: Path, name: str) -> Path:
    """Return where a hems federate leaves its counts of plans."""
    return results_folder.parent / PLANS_FOLDER / f"{name}.json"


def _controlling(
    scenario: Scenario, controller: str, inputs_folder: Path, results_folder: Path
) -> dict[str, Settings]:
    """Return who decides: the agents, the homes' energy managers, or both.

    A learned policy leaves to the homes what interviewed householders keep to themselves.
    """
    agents = AgentsSettings(inputs_folder=inputs_folder, controller=controller)
    if controller == HEMS:
        return _hems(scenario, "all", inputs_folder, results_folder)
    if not controller.startswith(POLICY_PREFIX):
        return {"agents": agents}
    roles = roles_in(inputs_folder)
    if not roles.left_to_home:
        return {"agents": agents}
    found: dict[str, Settings] = {}
    if roles.in_policy:
        found["agents"] = agents.model_copy(update={"participating_only": True})
    return found | _hems(scenario, "not_participating", inputs_folder, results_folder)


def _hems(
    scenario: Scenario, scope: Scope, inputs_folder: Path, results_folder: Path
) -> dict[str, Settings]:
    """Split the homes evenly over the processes, in order."""
    n_homes = len(read_placement(inputs_folder / "households.csv"))
    n_processes = min(scenario.federation.hems_processes, n_homes) if scope == "all" else 1
    bounds = [n_homes * i // n_processes for i in range(n_processes + 1)]
    steps_per_h = 60 / scenario.time.step_min
    options = scenario.hems
    return {
        f"hems_{i + 1}": HemsSettings(
            inputs_folder=inputs_folder,
            scope=scope,
            first=bounds[i],
            count=bounds[i + 1] - bounds[i],
            replan_every_steps=round(options.replan_every_h * steps_per_h),
            horizon_steps=round(options.horizon_h * steps_per_h),
            history_steps=history_steps(scenario),
            weather=options.weather,
            time_limit_s=options.time_limit_s,
            report_file=hems_report_file(results_folder, f"hems_{i + 1}"),
        )
        for i in range(n_processes)
    }


def history_steps(scenario: Scenario) -> int:
    """Return the steps before the scenario that meters have seen; none of a user's loads."""
    if scenario.profiles.base_load_file is not None:
        return 0
    return scenario.hems.history_days * 24 * 60 // scenario.time.step_min


def grid_settings(scenario: Scenario, inputs_folder: Path | None = None) -> GridSettings:
    """Return how the grid federate of a scenario compiles and solves its feeder.

    Args:
        scenario: The scenario.
        inputs_folder: Where `households.csv` says which connection a home is at. None: there are
            no homes, for those who open the engine only, and powers come by connection.
    """
    feeder = scenario.feeder
    return GridSettings(
        feeder=feeder.source,
        regulators=feeder.regulators,
        source_v_pu=feeder.source_v_pu,
        tolerance=feeder.tolerance,
        trust=feeder.trust,
        on_failure=feeder.on_failure,
        settle_tolerance_pu=scenario.coupling.tolerance_pu,
        households_file=None if inputs_folder is None else inputs_folder / "households.csv",
    )


def _topics(settings: dict[str, Settings]) -> dict[str, tuple[str, ...]]:
    """Return the topics of every port, in the order of the federates that publish it."""
    topics: dict[str, tuple[str, ...]] = {}
    for name, setting in settings.items():
        outputs: tuple[Port, ...] = tuple(PORTS[setting.kind][1])
        for port in outputs:
            topics[port.name] = (*topics.get(port.name, ()), f"{name}/{port.name}")
    return topics
