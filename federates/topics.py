"""Every topic of the federation, and how its numbers travel.

A port is one quantity, published as one message for all its ids (households, agents, nodes): one
topic per household would be twenty times slower. The topic of a port is `<federate>/<port name>`;
federates get their names in `scenarios/federation.py`.
Two encodings: `vector` (a HELICS vector of doubles, ids announced once on `<federate>/ids`) and
`oedisi` (an OEDISI-typed JSON string that carries ids, units and time in every message).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np
import orjson
from numpy.typing import NDArray

from gradmap.errors import FederationError

Encoding = Literal["vector", "oedisi"]
Values = NDArray[np.float64]

IDS_TOPIC: Final = "ids"
# HELICS hands out about -1e49 for an input that nobody has published.
UNSET_BELOW: Final = -1e48


@dataclass(frozen=True, kw_only=True)
class Port:
    """One published quantity."""

    name: str
    """Topic suffix, after `<federate>/`."""
    quantity: str
    """Folder under `results/` in which the recorder keeps it, unit last."""
    units: str
    """Units of the numbers, stated in every OEDISI message because some differ from the defaults
    of its types (pu for V, fraction for percent, W/m^2 for kW/m^2); empty for codes, mixtures."""
    oedisi_type: str
    """Type in `oedisi.types.data_types`."""
    description: str


CLOCK = Port(
    name="clock",
    quantity="clock",
    units="",
    oedisi_type="MeasurementArray",
    description="Local wall clock: hour of day [0, 24) and day of week (0 = Monday).",
)
PRICE = Port(
    name="price",
    quantity="price_per_kwh",
    units="",
    oedisi_type="MeasurementArray",
    description="Import and export price. [currency/kWh]",
)
OUTDOOR_TEMPERATURE = Port(
    name="outdoor_temperature",
    quantity="temp_out_c",
    units="C",
    oedisi_type="Temperatures",
    description="Outdoor air temperature. [degC]",
)
IRRADIANCE = Port(
    name="irradiance",
    quantity="ghi_w_per_m2",
    units="W/m^2",
    oedisi_type="SolarIrradiances",
    description="Global horizontal irradiance. [W/m2]",
)
OBSERVATIONS = Port(
    name="observations",
    quantity="observations",
    units="",
    oedisi_type="MeasurementArray",
    description="Each agent's local observation, flattened [agent, feature].",
)
POWERS_REAL = Port(
    name="powers_real",
    quantity="p_kw",
    units="kW",
    oedisi_type="PowersReal",
    description="Net active power of each household, positive from the grid. [kW]",
)
POWERS_IMAG = Port(
    name="powers_imag",
    quantity="q_kvar",
    units="kVAR",
    oedisi_type="PowersImaginary",
    description="Net reactive power of each household, positive absorbs. [kvar]",
)
PV_POWER = Port(
    name="pv_power",
    quantity="pv_kw",
    units="kW",
    oedisi_type="PowersReal",
    description="Delivered rooftop solar power, positive generates. [kW]",
)
DEVICE_POWER = Port(
    name="device_power",
    quantity="agent_p_kw",
    units="kW",
    oedisi_type="PowersReal",
    description="Delivered power of each agent's device, positive from the grid. [kW]",
)
STATES_OF_CHARGE = Port(
    name="states_of_charge",
    quantity="soc",
    units="fraction",
    oedisi_type="StatesOfCharge",
    description="State of charge of batteries and vehicles at the end of the step. [fraction]",
)
INDOOR_TEMPERATURES = Port(
    name="indoor_temperatures",
    quantity="temp_in_c",
    units="C",
    oedisi_type="Temperatures",
    description="Indoor temperature of homes with a heat pump, end of step. [degC]",
)
DEVICE_STATES = Port(
    name="device_states",
    quantity="state",
    units="",
    oedisi_type="MeasurementArray",
    description="State of every agent's device, end of step: state of charge [fraction], indoor "
    "temperature [degC], or a generator's last power [kW].",
)
APPLIED_REQUESTS = Port(
    name="applied_requests",
    quantity="request_kw",
    units="kW",
    oedisi_type="PowersReal",
    description="Setpoint that each device was given in this step, before its limits. [kW]",
)
SETPOINTS = Port(
    name="setpoints",
    quantity="setpoint_kw",
    units="kW",
    oedisi_type="PowersReal",
    description="Power each agent asks of its device, positive from the grid. [kW]",
)
VOLTAGES = Port(
    name="voltages",
    quantity="v_pu",
    units="pu",
    oedisi_type="VoltagesMagnitude",
    description="Line-to-neutral voltage magnitude of every node. [pu]",
)
CONNECTION_VOLTAGES = Port(
    name="connection_voltages",
    quantity="connection_v_pu",
    units="pu",
    oedisi_type="MeasurementArray",
    description="Voltage magnitude across every load connection over its own base. [pu]",
)
HEAD_POWER = Port(
    name="head_power",
    quantity="head_power",
    units="",
    oedisi_type="MeasurementArray",
    description="Power from the source into the feeder by phase: p_kw_1.., q_kvar_1... [kW, kvar]",
)
LOSSES = Port(
    name="losses",
    quantity="losses",
    units="",
    oedisi_type="MeasurementArray",
    description="Losses of lines and transformers: p_kw, q_kvar. [kW, kvar]",
)
TAPS = Port(
    name="taps",
    quantity="taps",
    units="",
    oedisi_type="MeasurementArray",
    description="Tap position of every regulator (0 = neutral). [-]",
)
LOADINGS = Port(
    name="loadings",
    quantity="loading",
    units="fraction",
    oedisi_type="MeasurementArray",
    description="Highest phase current of every branch over its normal rating. [fraction]",
)
STATUS = Port(
    name="status",
    quantity="status",
    units="",
    oedisi_type="MeasurementArray",
    description="Outcome of the solve: code, iterations, control_iterations, settled, repeats.",
)

STATUS_IDS: Final = ("code", "iterations", "control_iterations", "settled", "repeats")
SETTLED: Final = STATUS_IDS.index("settled")

ALL_PORTS: Final = (
    CLOCK,
    PRICE,
    OUTDOOR_TEMPERATURE,
    IRRADIANCE,
    OBSERVATIONS,
    POWERS_REAL,
    POWERS_IMAG,
    PV_POWER,
    DEVICE_POWER,
    STATES_OF_CHARGE,
    INDOOR_TEMPERATURES,
    DEVICE_STATES,
    APPLIED_REQUESTS,
    SETPOINTS,
    VOLTAGES,
    CONNECTION_VOLTAGES,
    HEAD_POWER,
    LOSSES,
    TAPS,
    LOADINGS,
    STATUS,
)
PORT_BY_NAME: Final = {port.name: port for port in ALL_PORTS}


def encode_oedisi(
    port: Port, values: Values, *, ids: Sequence[str], time: datetime | None = None
) -> str:
    """Return `values` as the JSON of an OEDISI MeasurementArray (or a subclass of it).

    Args:
        port: What they are. Equipment powers also name their equipment, which the type demands.
        values: Numbers in the port's units.
        ids: One for each value.
        time: Wall clock of the values; None where HELICS seconds are all that is known.
    """
    message: dict[str, object] = {"values": values.tolist(), "ids": list(ids), "units": port.units}
    if port.oedisi_type in ("PowersReal", "PowersImaginary"):
        message["equipment_ids"] = list(ids)
    message["accuracy"] = None
    message["bad_data_threshold"] = None
    message["time"] = None if time is None else time.isoformat()
    return orjson.dumps(message).decode()


def decode_oedisi(text: str, *, topic: str) -> tuple[Values, tuple[str, ...]]:
    """Return values and ids of an OEDISI measurement message."""
    try:
        message = orjson.loads(text)
        return np.asarray(message["values"], dtype=np.float64), tuple(message["ids"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as exc:
        raise FederationError(
            f"Topic {topic!r}: the message is {text[:80]!r}, expected an OEDISI measurement with "
            f"`values` and `ids`. Publish JSON, or set `encoding: vector` for this federate."
        ) from exc


def check_values(values: Values, *, topic: str, n_expected: int) -> None:
    """Refuse a message of the wrong length or with values that nobody set."""
    if len(values) != n_expected:
        raise FederationError(
            f"Topic {topic!r} carries {len(values)} values, expected {n_expected}. "
            f"Publisher and subscriber must agree on the ids; see its `ids` topic."
        )
    bad = ~np.isfinite(values) | (values < UNSET_BELOW)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise FederationError(
            f"Topic {topic!r}: value {first} is {values[first]}, expected a finite number "
            f"({int(bad.sum())} of {n_expected} are not). Look at the log of its publisher."
        )
