"""Small scenarios that run in seconds, and a look at what a federation leaves behind."""

import dataclasses
import os
import shutil
from pathlib import Path
from typing import Any

import psutil

from scenarios.loading import parse_scenario
from scenarios.run import run_controller
from scenarios.schema import Scenario

SMALL: dict[str, Any] = {
    "name": "small",
    "seed": 7,
    "time": {"step_min": 60},
    "feeder": {"regulators": "locked", "source_v_pu": 1.0},
    "limits": {"exclude_buses": ["610"]},
    "population": {
        "n_households": 30,
        "allocation": "independent",
        "devices": {"battery": 0.5, "heat_pump": 0.5, "generator": 0.3, "ev_charger": 0.4},
        "pv_share": 0.6,
    },
    "controllers": ["rule_based"],
}


def make_scenario(**changes: Any) -> Scenario:
    """The small scenario with some sections updated."""
    data = {
        key: {**SMALL.get(key, {}), **value} if isinstance(value, dict) else value
        for key, value in changes.items()
    }
    return parse_scenario({**SMALL, **data}, origin=Path("small.yaml"))


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A scenario with its materialised inputs."""

    scenario: Scenario
    folder: Path


def run_twin(run: Prepared, *, name: str, in_process: bool, **federation: Any) -> Path:
    """Run the first controller on a copy of the prepared inputs; return the copy."""
    twin = run.folder.parent / name
    shutil.copytree(run.folder, twin)
    scenario = run.scenario
    if federation:
        changed = scenario.federation.model_copy(update=federation)
        scenario = scenario.model_copy(update={"federation": changed})
    run_controller(scenario, controller=scenario.controllers[0], folder=twin, in_process=in_process)
    return twin


def federate_processes() -> list[psutil.Process]:
    """Federates and brokers that this test process started and that are still alive."""
    children = psutil.Process(os.getpid()).children(recursive=True)
    alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "federates" in " ".join(child.cmdline())]
