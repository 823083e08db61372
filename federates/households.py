"""The households federate: many homes in one process, vectorised.

A home is a base load, perhaps rooftop solar, and its controllable devices. `observe` publishes what
each agent can see at home; `apply` turns the agents' setpoints into delivered power, moves the
devices' states on, and publishes what the homes draw from the grid.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from federates.component import Component, Ids, Inbox, Outputs, Schedule, Stage, StageResult
from federates.config import HouseholdsSettings
from federates.population_files import read_households
from federates.series import HomeSeries
from federates.topics import (
    APPLIED_REQUESTS,
    CLOCK,
    CONNECTION_VOLTAGES,
    DEVICE_POWER,
    DEVICE_STATES,
    INDOOR_TEMPERATURES,
    IRRADIANCE,
    OBSERVATIONS,
    OUTDOOR_TEMPERATURE,
    POWERS_IMAG,
    POWERS_REAL,
    PRICE,
    PV_POWER,
    SETPOINTS,
    SETTLED,
    STATES_OF_CHARGE,
    STATUS,
    STATUS_IDS,
    Port,
    Values,
)
from gradmap.devices.base import Surroundings
from gradmap.devices.fleet import Fleet
from gradmap.devices.pv import PvInverters, VoltVarCurve, VoltWattCurve
from gradmap.errors import FederationError
from gradmap.observations import FEATURES, INDEX, N_FEATURES
from gradmap.units import SECONDS_PER_HOUR

SOC_KINDS = ("battery", "ev_charger")
# Series of vehicles, and what agents without one observe.
VEHICLE_SERIES = {"ev_plugged_in": 1.0, "ev_trip_kwh": 0.0, "ev_departure_h": 0.0}


class Households(Component):
    """Homes `first` to `first + count` of the population."""

    stages = (Stage.OBSERVE, Stage.APPLY)
    inputs = (
        CLOCK,
        PRICE,
        OUTDOOR_TEMPERATURE,
        IRRADIANCE,
        SETPOINTS,
        CONNECTION_VOLTAGES,
        STATUS,
    )

    def __init__(self, settings: HouseholdsSettings, *, schedule: Schedule) -> None:
        torch.set_num_threads(1)
        self._settings = settings
        self._schedule = schedule
        self._dt_h = schedule.dt_s / SECONDS_PER_HOUR
        homes = read_households(settings.inputs_folder)
        last = None if settings.count is None else settings.first + settings.count
        own = slice(settings.first, last)
        self._ids = homes.household_ids[own]
        self._connection_ids = homes.connection_ids[own]
        self._tan_phi = homes.tan_phi[own]
        mode = settings.inverter_mode
        self._inverters = PvInverters(
            household_ids=self._ids,
            s_rated_kva=torch.from_numpy(homes.pv_inverter_kva[own].copy()),
            volt_var=VoltVarCurve() if mode in ("volt_var", "volt_var_watt") else None,
            volt_watt=VoltWattCurve() if mode in ("volt_watt", "volt_var_watt") else None,
        )
        self._fleet = Fleet.from_folder(settings.inputs_folder).subset(self._ids)
        self._agent_home = self._fleet.household_index.numpy()
        self._state = self._fleet.initial_state()
        kinds = np.array(self._fleet.kinds)
        self._soc_agents = np.flatnonzero(np.isin(kinds, SOC_KINDS))
        self._heated_agents = np.flatnonzero(kinds == "heat_pump")
        self._p_kw = torch.zeros(self._fleet.n_agents, dtype=torch.float64)
        self._q_kvar = torch.zeros_like(self._p_kw)
        self._request_kw = np.zeros(self._fleet.n_agents)
        self._connection_index: NDArray[np.int64] | None = None
        self._setpoint_index = np.arange(self._fleet.n_agents)
        self._open_series()

    def _open_series(self) -> None:
        folder = self._settings.inputs_folder
        self._base_series = HomeSeries(folder, "base_load_kw", self._ids)
        has_pv = bool((self._inverters.s_rated_kva > 0).any())
        self._pv_series = HomeSeries(folder, "pv_available_kw", self._ids) if has_pv else None
        has_vehicle = "ev_charger" in self._fleet.kinds
        self._vehicle_series = (
            {
                name: HomeSeries(folder, name, tuple(self._fleet.agent_ids), absent=absent)
                for name, absent in VEHICLE_SERIES.items()
            }
            if has_vehicle
            else {}
        )
        self._loaded_step = -1
        self._base_kw = np.zeros(len(self._ids))
        self._pv_available_kw = np.zeros(len(self._ids))
        self._vehicle: dict[str, Values] = {}
        # Inverters start at unity power factor, uncurtailed, and follow their curves from there.
        self._pv_q_kvar = np.zeros(len(self._ids))
        self._curtailed_kw = np.zeros(len(self._ids))

    def output_ids(self) -> Mapping[Port, Ids]:
        """Ids of homes and agents."""
        agents = tuple(self._fleet.agent_ids)
        return {
            OBSERVATIONS: tuple(f"{agent}/{name}" for agent in agents for name in FEATURES),
            POWERS_REAL: self._ids,
            POWERS_IMAG: self._ids,
            PV_POWER: self._ids,
            DEVICE_POWER: agents,
            DEVICE_STATES: agents,
            APPLIED_REQUESTS: agents,
            STATES_OF_CHARGE: tuple(agents[index] for index in self._soc_agents),
            INDOOR_TEMPERATURES: tuple(agents[index] for index in self._heated_agents),
        }

    def expected_ids(self, port: Port) -> Ids | None:
        """The order assumed of foreign publishers that announce no ids."""
        assumed: dict[Port, Ids] = {
            CLOCK: ("hour", "day_of_week"),
            PRICE: ("price_import_per_kwh", "price_export_per_kwh"),
            OUTDOOR_TEMPERATURE: ("temp_out_c",),
            IRRADIANCE: ("ghi_w_per_m2",),
            SETPOINTS: tuple(self._fleet.agent_ids),
            CONNECTION_VOLTAGES: tuple(dict.fromkeys(self._connection_ids)),
            STATUS: STATUS_IDS,
        }
        return assumed.get(port)

    def bind(self, input_ids: Mapping[str, Ids]) -> None:
        """Find our connections among the grid's, and our agents among the setpoints."""
        for port, wanted in (
            (CONNECTION_VOLTAGES, self._connection_ids),
            (SETPOINTS, tuple(self._fleet.agent_ids)),
        ):
            if port.name not in input_ids:
                continue
            position = {name: index for index, name in enumerate(input_ids[port.name])}
            missing = [name for name in wanted if name not in position]
            if missing:
                raise FederationError(
                    f"Port {port.name!r} does not carry {missing[0]!r} ({len(missing)} missing). "
                    f"The grid's feeder and the placement in households.csv must agree."
                )
            index = np.array([position[name] for name in wanted], dtype=np.int64)
            if port is SETPOINTS:
                self._setpoint_index = index
            else:
                self._connection_index = index

    def initial_outputs(self) -> Outputs:
        """In coupling `lag` the grid's first solve has this to go by: homes without devices."""
        if self._schedule.mode != "lag":
            return {}
        self._load_step(0)
        return {
            POWERS_REAL: self._base_kw - self._pv_available_kw,
            POWERS_IMAG: self._base_kw * self._tan_phi,
        }

    def run_stage(self, stage: Stage, *, step: int, repeat: int, inbox: Inbox) -> StageResult:
        """Observe, or apply the setpoints."""
        self._load_step(step)
        if stage is Stage.OBSERVE:
            return StageResult(outputs={OBSERVATIONS: self._observe(inbox)})
        iterate = self._schedule.mode == "iterate"
        if iterate and repeat > 0 and self._settled(inbox):
            return StageResult()
        if repeat == 0:
            self._move_devices(inbox)
        return StageResult(outputs=self._draw(inbox), again=iterate)

    def _settled(self, inbox: Inbox) -> bool:
        status = inbox.get(STATUS)
        if status is None:
            raise FederationError(
                "Coupling `iterate` needs the grid's `status` to know when a step is settled, and "
                "nobody publishes it. Publish it from your grid, or use `mode: ordered`."
            )
        return bool(status[SETTLED])

    def _load_step(self, step: int) -> None:
        """Read the exogenous rows of a step once."""
        if step == self._loaded_step:
            return
        time_s = float(step * self._schedule.dt_s)
        self._base_kw = self._base_series.next(time_s)
        if self._pv_series is not None:
            self._pv_available_kw = self._pv_series.next(time_s)
        self._vehicle = {name: series.next(time_s) for name, series in self._vehicle_series.items()}
        self._loaded_step = step

    def _v_pu(self, inbox: Inbox) -> Values:
        """Return each home's last known connection voltage; 1.0 before the first solve. [pu]"""
        v_pu = inbox.get(CONNECTION_VOLTAGES)
        if v_pu is None or self._connection_index is None:
            return np.ones(len(self._ids))
        return v_pu[self._connection_index]

    def _observe(self, inbox: Inbox) -> Values:
        """Return every agent's local observation, flattened [agent, feature]."""
        clock = _or_zeros(inbox, CLOCK, 2)
        price = _or_zeros(inbox, PRICE, 2)
        temp_out_c = _or_zeros(inbox, OUTDOOR_TEMPERATURE, 1)
        home = self._agent_home
        n_agents = self._fleet.n_agents
        columns: dict[str, Values | float] = {
            "hour": clock[0],
            "day_of_week": clock[1],
            "price_import_per_kwh": price[0],
            "price_export_per_kwh": price[1],
            "temp_out_c": temp_out_c[0],
            "base_load_kw": self._base_kw[home],
            "pv_kw": self._pv_available_kw[home],
            "v_pu": self._v_pu(inbox)[home],
            "state": self._state.numpy(),
            "plugged_in": self._vehicle.get("ev_plugged_in", np.ones(n_agents)),
            "departure_h": self._vehicle.get("ev_departure_h", np.zeros(n_agents)),
        }
        observation = np.empty((n_agents, N_FEATURES))
        for name, values in columns.items():
            observation[:, INDEX[name]] = values
        return observation.ravel()

    def _surroundings(self, inbox: Inbox) -> Surroundings:
        n_agents = self._fleet.n_agents
        vehicle = self._vehicle
        return Surroundings(
            temp_out_c=torch.from_numpy(_or_zeros(inbox, OUTDOOR_TEMPERATURE, 1).copy()),
            ghi_w_per_m2=torch.from_numpy(_or_zeros(inbox, IRRADIANCE, 1).copy()),
            plugged_in=torch.from_numpy(vehicle.get("ev_plugged_in", np.ones(n_agents))),
            trip_kwh=torch.from_numpy(vehicle.get("ev_trip_kwh", np.zeros(n_agents))),
            departure_h=torch.from_numpy(vehicle.get("ev_departure_h", np.zeros(n_agents))),
        )

    def _move_devices(self, inbox: Inbox) -> None:
        """Deliver what the devices can of the setpoints and advance their states.

        Device power does not depend on voltage, so repeats of a step leave it alone and no state
        has to be restored.
        """
        setpoints = inbox.get(SETPOINTS)
        if setpoints is not None:
            self._request_kw = setpoints[self._setpoint_index]
        request_kw = torch.from_numpy(self._request_kw)
        surroundings = self._surroundings(inbox)
        with torch.inference_mode():
            self._p_kw = self._fleet.feasible_power(
                request_kw, state=self._state, surroundings=surroundings, dt_h=self._dt_h
            )
            self._q_kvar = self._fleet.reactive_kvar(self._p_kw)
            self._state = self._fleet.next_state(
                self._state, p_kw=self._p_kw, surroundings=surroundings, dt_h=self._dt_h
            )

    def _draw(self, inbox: Inbox) -> Outputs:
        """Return what the homes draw at the last known voltage."""
        n_homes = len(self._ids)
        pv_kw, pv_q_kvar = self._solar(self._v_pu(inbox))
        device_kw = self._p_kw.numpy()
        state = self._state.numpy()
        p_kw = self._base_kw - pv_kw
        p_kw = p_kw + np.bincount(self._agent_home, weights=device_kw, minlength=n_homes)
        q_kvar = self._base_kw * self._tan_phi + pv_q_kvar
        q_kvar = q_kvar + np.bincount(
            self._agent_home, weights=self._q_kvar.numpy(), minlength=n_homes
        )
        return {
            POWERS_REAL: p_kw,
            POWERS_IMAG: q_kvar,
            PV_POWER: pv_kw,
            DEVICE_POWER: device_kw,
            DEVICE_STATES: state,
            APPLIED_REQUESTS: self._request_kw,
            STATES_OF_CHARGE: state[self._soc_agents],
            INDOOR_TEMPERATURES: state[self._heated_agents],
        }

    def _solar(self, v_pu: Values) -> tuple[Values, Values]:
        """Return delivered PV power [kW] and its reactive power [kvar].

        In coupling `iterate` both move only a share of the way to the curve, which keeps homes
        and grid from overshooting each other when they answer in turn.
        """
        if self._pv_series is None:
            return self._pv_available_kw, self._pv_q_kvar
        with torch.inference_mode():
            wanted = self._inverters.output(
                torch.from_numpy(self._pv_available_kw), v_pu=torch.from_numpy(v_pu)
            )
        # Only where homes and grid answer each other within the step; a step of minutes is long
        # enough for an inverter to reach its curve.
        share = self._settings.relaxation if self._schedule.mode == "iterate" else 1.0
        self._pv_q_kvar = self._pv_q_kvar + share * (wanted.q_kvar.numpy() - self._pv_q_kvar)
        step_kw = share * (wanted.curtailed_kw.numpy() - self._curtailed_kw)
        self._curtailed_kw = self._curtailed_kw + step_kw
        pv_kw = np.clip(self._pv_available_kw - self._curtailed_kw, 0.0, self._pv_available_kw)
        return pv_kw, self._pv_q_kvar


def _or_zeros(inbox: Inbox, port: Port, n: int) -> Values:
    """In coupling `lag` the first step may come before any environment value."""
    values = inbox.get(port)
    return np.zeros(n) if values is None else values
