"""Our federates as OEDISI components: read what `oedisi build` writes, describe our ports.

`oedisi build` puts `static_inputs.json` (parameters, broker) and `input_mapping.json` (port to
topic) into a component's folder and runs it there. Our parameters are the fields of
`FederateConfig` that are not names or wires: `schedule` and `settings`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from federates.child_environment import KEY_VARIABLE
from federates.config import FederateConfig, describe
from federates.recorder import RECORDED
from federates.topics import (
    APPLIED_REQUESTS,
    CLOCK,
    CONNECTION_VOLTAGES,
    DEVICE_POWER,
    DEVICE_STATES,
    HEAD_POWER,
    INDOOR_TEMPERATURES,
    IRRADIANCE,
    LOADINGS,
    LOSSES,
    OBSERVATIONS,
    OUTDOOR_TEMPERATURE,
    POWERS_IMAG,
    POWERS_REAL,
    PRICE,
    PV_POWER,
    SETPOINTS,
    STATES_OF_CHARGE,
    STATUS,
    TAPS,
    VOLTAGES,
    Port,
)
from gradmap.errors import ScenarioError

ENVIRONMENT_PORTS = (CLOCK, PRICE, OUTDOOR_TEMPERATURE, IRRADIANCE)
HOUSEHOLD_OUT = (
    OBSERVATIONS,
    POWERS_REAL,
    POWERS_IMAG,
    PV_POWER,
    DEVICE_POWER,
    DEVICE_STATES,
    APPLIED_REQUESTS,
    STATES_OF_CHARGE,
    INDOOR_TEMPERATURES,
)
GRID_OUT = (VOLTAGES, CONNECTION_VOLTAGES, HEAD_POWER, LOSSES, TAPS, LOADINGS, STATUS)

# Kind of federate to (inputs, outputs); a test compares this with the components themselves.
PORTS: Mapping[str, tuple[Sequence[Port], Sequence[Port]]] = {
    "environment": ((STATUS,), ENVIRONMENT_PORTS),
    "households": ((*ENVIRONMENT_PORTS, SETPOINTS, CONNECTION_VOLTAGES, STATUS), HOUSEHOLD_OUT),
    "agents": ((OBSERVATIONS,), (SETPOINTS,)),
    "hems": ((OBSERVATIONS,), (SETPOINTS,)),
    "grid": ((POWERS_REAL, POWERS_IMAG), GRID_OUT),
    "recorder": (RECORDED, ()),
}


def component_definition(kind: str) -> dict[str, Any]:
    """Return the OEDISI `component_definition.json` of a federate."""
    inputs, outputs = PORTS[kind]
    return {
        "directory": ".",
        "execute_function": "python -m federates",
        "static_inputs": [
            {"type": "", "port_id": "schedule", "description": "dt_s, n_steps, mode"},
            {"type": "", "port_id": "settings", "description": f"`kind: {kind}` and its fields"},
        ],
        "dynamic_inputs": [_annotated(port) for port in inputs],
        "dynamic_outputs": [_annotated(port) for port in outputs],
        "capabilities": {"version": "1.0", "broker_config": True},
    }


def _annotated(port: Port) -> dict[str, str]:
    return {
        "type": port.oedisi_type,
        "port_id": port.name,
        "unit": port.units,
        "description": port.description,
    }


def read_component_config(folder: Path) -> FederateConfig:
    """Translate `static_inputs.json` and `input_mapping.json` of an OEDISI build."""
    static = _read_json(folder / "static_inputs.json")
    mapping = _read_json(folder / "input_mapping.json")
    broker = static.get("broker") or {}
    if broker.get("key"):
        os.environ.setdefault(KEY_VARIABLE, str(broker["key"]))
    address = {
        "host": broker.get("host", "127.0.0.1"),
        "port": broker.get("port"),
        "core_type": static.get("coreType", "zmq"),
    }
    try:
        return FederateConfig.model_validate(
            {
                "name": static.get("name"),
                "broker": address,
                "encoding": "oedisi",
                "schedule": static.get("schedule"),
                "settings": static.get("settings"),
                "subscriptions": {port: (topic,) for port, topic in mapping.items()},
                "log_folder": folder,
            }
        )
    except ValidationError as exc:
        raise ScenarioError(f"OEDISI static_inputs.json in {folder}: {describe(exc)}") from exc


def _read_json(path: Path) -> dict[str, Any]:
    try:
        loaded = orjson.loads(path.read_bytes())
    except OSError as exc:
        raise ScenarioError(
            f"No --config given and {path.name} is not in the working directory. Pass a "
            f"federate configuration, or run inside a folder made by `oedisi build`."
        ) from exc
    except orjson.JSONDecodeError as exc:
        raise ScenarioError(f"{path} is not JSON: {exc}.") from exc
    if not isinstance(loaded, dict):
        raise ScenarioError(f"{path} holds a {type(loaded).__name__}, expected an object.")
    return loaded
