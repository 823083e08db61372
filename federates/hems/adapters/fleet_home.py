"""Agents of one household of a gradmap fleet as an optimiser's home, with the same physics.

| gradmap | optimiser |
|---|---|
| battery | battery, one rating both ways |
| heat pump | heating; the comfort band is a wish, thermostat floor and ceiling lie outside it |
| generator | generator that cannot stop, output from p_min_fraction to full |
| EV charger | vehicle; `soc_target`: charge limit and wish at departure; `soc_min`: reserve |
| rooftop solar | solar modules that cannot be curtailed |

There is no limit of the connection, as there is none in gradmap. A fuel cost's quadratic part is
made of chords (`optimiser.physics.fuel_segments`); everything else is exact. An interviewed home's
wishes replace those of the table: temperatures by hour, permissions of the battery, hours of the
generator, limits of the connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np

from federates.hems.adapters.hours import Steps
from federates.hems.adapters.wishes import comfort_band_c, generator_hours
from federates.hems.optimiser.checks import BoolArray, FloatArray
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import (
    Battery,
    Generator,
    HeatPump,
    Home,
    Pv,
    Vehicle,
)
from federates.hems.optimiser.state import State
from federates.hems.parameters.models import HomeParameters
from gradmap.days import Days
from gradmap.devices.fleet import Fleet


@dataclass(frozen=True, kw_only=True)
class AgentDevice:
    """One controllable device."""

    agent_id: str
    kind: str
    agent: int
    """Position among the fleet's agents."""
    params: Mapping[str, float]
    """Fields of the kind's parameters."""

    def stored(self, state: float) -> float:
        """Return gradmap's state in the optimiser's unit: kWh, or degC."""
        return state * self.params.get("e_max_kwh", 1.0)


@dataclass(frozen=True, kw_only=True)
class HouseholdDevices:
    """A household and what can be controlled in it."""

    household_id: str
    agents: tuple[AgentDevice, ...]

    def state(self, states: FloatArray) -> State:
        """Return where its stores stand.

        Args:
            states: Of all the fleet's agents, [agent].
        """
        return State(
            stored={
                one.agent_id: one.stored(float(states[one.agent]))
                for one in self.agents
                if one.kind != "generator"
            }
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class VehicleOutlook:
    """What is known of a vehicle's next hours."""

    plugged_in: BoolArray
    """[step]"""
    departures: tuple[int, ...]
    """Last steps before it leaves."""
    trip_kwh: FloatArray | float = 0.0
    """In the step in which it comes home, [step]. [kWh]"""

    @classmethod
    def until_departure(
        cls, *, n_steps: int, plugged_in: bool, departure_h: float, dt_h: float
    ) -> VehicleOutlook:
        """Return what a driver tells the home: when the car leaves; nothing of its return."""
        steps = np.arange(n_steps)
        if not plugged_in:
            return cls(plugged_in=np.zeros(n_steps, dtype=np.bool_), departures=())
        leaves = max(round(departure_h / dt_h), 1)
        departures = (leaves - 1,) if leaves <= n_steps else ()
        return cls(plugged_in=steps < leaves, departures=departures)


@dataclass(frozen=True, kw_only=True, eq=False)
class Situation:
    """What is known of a home's next hours, beside the forecast."""

    steps: Steps
    vehicles: Mapping[str, VehicleOutlook] = field(default_factory=dict)
    """By agent id."""
    interview: HomeParameters | None = None
    """What its people said, if they were asked."""


def households_of(fleet: Fleet) -> tuple[HouseholdDevices, ...]:
    """Return every household of a fleet, in its order, also those without devices."""
    agents: dict[int, list[AgentDevice]] = {home: [] for home in range(fleet.n_households)}
    home_of = fleet.household_index.tolist()
    for group in fleet.groups:
        names = [item.name for item in fields(group.device.params) if item.name != "agent_ids"]
        columns = {name: getattr(group.device.params, name).tolist() for name in names}
        for row, agent in enumerate(group.index.tolist()):
            device = AgentDevice(
                agent_id=fleet.agent_ids[agent],
                kind=group.kind,
                agent=agent,
                params={name: float(values[row]) for name, values in columns.items()},
            )
            agents[home_of[agent]].append(device)
    return tuple(
        HouseholdDevices(
            household_id=household_id,
            agents=tuple(sorted(agents[home], key=lambda one: one.agent)),
        )
        for home, household_id in enumerate(fleet.household_ids)
    )


def fleet_home(devices: HouseholdDevices, situation: Situation) -> Home:
    """Return a household as the optimiser sees it; devices are named by their agents."""
    of: dict[str, list[AgentDevice]] = {}
    for one in devices.agents:
        of.setdefault(one.kind, []).append(one)
    interview = situation.interview
    limits = (np.inf, np.inf)
    if interview is not None:
        limits = (interview.household.import_limit_kw, interview.household.export_limit_kw)
    return Home(
        batteries=tuple(_battery(one, interview) for one in of.get("battery", ())),
        vehicles=tuple(_vehicle(one, situation) for one in of.get("ev_charger", ())),
        heaters=tuple(_heater(one, situation) for one in of.get("heat_pump", ())),
        generators=tuple(_generator(one, situation) for one in of.get("generator", ())),
        pv=Pv(curtailable=False),
        import_limit_kw=limits[0],
        export_limit_kw=limits[1],
    )


def day_forecast(days: Days, *, day: int, household: int) -> Forecast:
    """Return one of gradmap's days as one household's perfect forecast."""

    def common(name: str) -> FloatArray:
        return np.asarray(getattr(days, name)[day].double().cpu().numpy())

    return Forecast(
        dt_h=days.dt_h,
        price_import_per_kwh=common("price_import_per_kwh"),
        price_export_per_kwh=common("price_export_per_kwh"),
        temp_out_c=common("temp_out_c"),
        ghi_w_per_m2=common("ghi_w_per_m2"),
        base_load_kw=common("base_load_kw")[:, household],
        pv_available_kw=common("pv_available_kw")[:, household],
        start_hour=float(days.hour[day, 0]),
    )


def day_situation(days: Days, *, day: int, devices: HouseholdDevices) -> Situation:
    """Return one of gradmap's days, its vehicles' trips included, as a home's next hours."""
    vehicles = {}
    for one in devices.agents:
        if one.kind != "ev_charger" or days.plugged_in is None or days.trip_kwh is None:
            continue
        plugged_in = days.plugged_in[day, :, one.agent].cpu().numpy() > 0.5
        leaves = np.flatnonzero(plugged_in[:-1] & ~plugged_in[1:])
        vehicles[one.agent_id] = VehicleOutlook(
            plugged_in=plugged_in,
            departures=tuple(leaves.tolist()),
            trip_kwh=days.trip_kwh[day, :, one.agent].double().cpu().numpy(),
        )
    steps = Steps(
        hour=days.hour[day].double().cpu().numpy(),
        day_of_week=days.day_of_week[day].double().cpu().numpy(),
        dt_h=days.dt_h,
    )
    return Situation(steps=steps, vehicles=vehicles)


def _battery(one: AgentDevice, interview: HomeParameters | None) -> Battery:
    own = one.params
    said = None if interview is None else interview.battery
    return Battery(
        name=one.agent_id,
        capacity_kwh=own["e_max_kwh"],
        p_charge_max_kw=own["p_max_kw"],
        p_discharge_max_kw=own["p_max_kw"],
        soc_init=own["soc_init"],
        eta_charge=own["eta_charge"],
        eta_discharge=own["eta_discharge"],
        soc_min=own["soc_min"],
        soc_max=own["soc_max"],
        wear_per_kwh=own["wear_per_kwh"],
        charge_from_grid=said is None or said.charge_from_grid,
        discharge_to_grid=said is None or said.discharge_to_grid,
    )


def _vehicle(one: AgentDevice, situation: Situation) -> Vehicle:
    own, known = one.params, situation.vehicles[one.agent_id]
    target_kwh = own["soc_target"] * own["e_max_kwh"]
    return Vehicle(
        name=one.agent_id,
        capacity_kwh=own["e_max_kwh"],
        charger_kw=own["p_max_kw"],
        plugged_in=known.plugged_in,
        soc_init=own["soc_init"],
        departures=tuple((step, target_kwh) for step in known.departures),
        trip_kwh=known.trip_kwh,
        eta_charge=own["eta_charge"],
        soc_floor=own["soc_min"],
        soc_max=own["soc_target"],
    )


def _heater(one: AgentDevice, situation: Situation) -> HeatPump:
    own, n_steps = one.params, situation.steps.n_steps
    low, high = np.full(n_steps, own["temp_min_c"]), np.full(n_steps, own["temp_max_c"])
    if situation.interview is not None:
        low, high = comfort_band_c(situation.interview, situation.steps)
    return HeatPump(
        name=one.agent_id,
        p_max_kw=own["p_max_kw"],
        ua_kw_per_k=own["ua_kw_per_k"],
        c_kwh_per_k=own["c_kwh_per_k"],
        temp_init_c=own["temp_init_c"],
        temp_min_c=low,
        temp_max_c=high,
        solar_gain_m2=own["solar_gain_m2"],
        internal_gain_kw=own["internal_gain_kw"],
        carnot_fraction=own["carnot_fraction"],
        supply_temp_c=own["supply_temp_c"],
    )


def _generator(one: AgentDevice, situation: Situation) -> Generator:
    own = one.params
    allowed = None
    if situation.interview is not None:
        allowed = generator_hours(situation.interview, situation.steps)
    return Generator(
        name=one.agent_id,
        p_max_kw=own["p_max_kw"],
        p_min_kw=own["p_min_fraction"] * own["p_max_kw"],
        fuel_per_kwh=own["fuel_per_kwh"],
        fuel_quadratic_per_kw2h=own["fuel_quadratic_per_kw2h"],
        can_stop=False,
        allowed=allowed,
    )
