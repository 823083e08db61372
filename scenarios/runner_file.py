"""A runner JSON for plain `helics run`, for people who launch with HELICS's own tools."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from federates.broker import free_ports
from federates.config import BrokerAddress
from scenarios.federation import federate_configs
from scenarios.run import Progress, controller_folder, prepare
from scenarios.run_folder import claimed
from scenarios.schema import Scenario


def write_runner_files(
    scenario: Scenario,
    *,
    out: Path | None = None,
    overwrite: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[Path]:
    """Prepare a run folder and write one `runner.json` per controller.

    The runner carries its own broker on a port that was free when it was written. `helics run`
    does not watch processes as our supervisor does; see docs/joining.md.
    """
    with claimed(out, scenario=scenario) as folder:
        prepare(scenario, folder=folder, overwrite=overwrite, on_progress=on_progress)
        ports: list[int] = []
        runners = []
        for controller in scenario.controllers:
            runner, port = _write_runner(scenario, controller, folder, taken=ports)
            runners.append(runner)
            ports.append(port)  # nothing listens there yet: a second draw would find it free
        return runners


def _write_runner(
    scenario: Scenario, controller: str, folder: Path, *, taken: Collection[int]
) -> tuple[Path, int]:
    own = folder / controller_folder(controller)
    for name in ("federates", "logs", "results"):
        (own / name).mkdir(parents=True, exist_ok=True)
    configs = federate_configs(
        scenario,
        controller=controller,
        inputs_folder=folder / "inputs",
        results_folder=own / "results",
    )
    port = free_ports(len(configs), taken=taken)
    address = BrokerAddress(port=port, core_type=scenario.federation.core_type)
    federates = []
    for config in configs:
        complete = config.model_copy(update={"broker": address, "log_folder": own / "logs"})
        path = own / "federates" / f"{config.name}.json"
        path.write_text(complete.model_dump_json(indent=1))
        federates.append(_process(config.name, own, f'-P -m federates --config "{path}"'))
    broker = {
        "directory": str(own / "logs"),
        "exec": f"helics_broker -f {len(configs)} --coretype={address.core_type} "
        f"--port={address.port} --loglevel=warning",
        "name": "broker",
        "host": "localhost",
    }
    runner = {
        "name": f"{scenario.name}_{controller_folder(controller)}",
        "broker": False,  # it is among the federates, with its own port
        "logging_path": str(own / "logs"),
        "federates": [broker, *federates],
    }
    target = own / "runner.json"
    target.write_text(json.dumps(runner, indent=1))
    return target, port


def _process(name: str, own: Path, arguments: str) -> dict[str, object]:
    return {
        "directory": str(own / "logs"),
        "exec": f'"{sys.executable}" {arguments}',
        "name": name,
        "host": "localhost",
        "env": {"OMP_NUM_THREADS": "1"},
    }
