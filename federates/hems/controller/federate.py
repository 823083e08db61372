"""The hems federate: every home plans its devices against the tariff, for itself.

Each home plans some hours ahead and again every few hours, from the states that its devices
report, the tariff as published, a weather forecast, and what it usually draws. Homes know nothing
of each other and of the network.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from federates.component import Component, Ids, Inbox, Schedule, Stage, StageResult
from federates.config import HemsSettings
from federates.hems.adapters.fleet_home import (
    HouseholdDevices,
    Situation,
    VehicleOutlook,
    households_of,
)
from federates.hems.controller.knowledge import Knowledge, Known
from federates.hems.controller.plan_log import PlanLog
from federates.hems.controller.planning import BatteryRule, Plans, Schedulers, plan_home
from federates.hems.controller.roles import (
    left_alone,
    parameters_of,
    read_interviews,
    scoped_fleet,
)
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.solver import SolverSettings
from federates.hems.parameters.models import HomeParameters
from federates.observed import rows_of_agents
from federates.topics import OBSERVATIONS, SETPOINTS, Port, Values
from gradmap.baselines.no_control import NoControl
from gradmap.devices.fleet import Fleet
from gradmap.observations import INDEX, N_FEATURES
from gradmap.units import SECONDS_PER_HOUR


class Hems(Component):
    """The energy managers of homes `first` to `first + count` of the population."""

    stages = (Stage.ACT,)
    inputs = (OBSERVATIONS,)

    def __init__(self, settings: HemsSettings, *, schedule: Schedule) -> None:
        torch.set_num_threads(1)
        self._settings, self._schedule = settings, schedule
        self._dt_h = schedule.dt_s / SECONDS_PER_HOUR
        interviews = parameters_of(read_interviews(settings.inputs_folder))
        self._fleet = _own_fleet(settings)
        self._habits = NoControl(self._fleet)
        alone = left_alone(self._fleet, interviews)
        self._alone = np.array([alone(a) for a in range(self._fleet.n_agents)], dtype=np.bool_)
        self._homes = _with_devices(self._fleet, alone=self._alone)
        ids = [one.household_id for one in self._homes]
        self._interviews = [interviews.get(household_id) for household_id in ids]
        self._batteries = _battery_rules(self._homes, self._interviews)
        self._cars = [
            (home, device.agent)
            for home, one in enumerate(self._homes)
            for device in one.agents
            if device.kind == "ev_charger"
        ]
        # Any agent of a home sees the home's load and sun; homes of devices left alone have one.
        self._meter = np.array([_first_agent(self._fleet, name) for name in ids], dtype=np.int64)
        self._knowledge = Knowledge(settings, schedule=schedule, household_ids=ids)
        self._plans = Plans(
            self._homes, n_agents=self._fleet.n_agents, n_steps=settings.horizon_steps
        )
        self._schedulers = Schedulers(
            SolverSettings(time_limit_s=settings.time_limit_s, fresh=True)
        )
        self._log = PlanLog(settings.report_file, n_homes=len(self._homes))
        self._was_plugged = np.zeros(self._fleet.n_agents, dtype=np.bool_)
        self._order = np.arange(self._fleet.n_agents)

    def output_ids(self) -> Mapping[Port, Ids]:
        """One setpoint per agent."""
        return {SETPOINTS: tuple(self._fleet.agent_ids)}

    def bind(self, input_ids: Mapping[str, Ids]) -> None:
        """Find every agent's row among the observations; the homes may come in any order."""
        observed = input_ids[OBSERVATIONS.name]
        self._order = rows_of_agents(self._fleet.agent_ids, observed=observed)

    def run_stage(self, stage: Stage, *, step: int, repeat: int, inbox: Inbox) -> StageResult:
        """Plan where it is time to, and ask for what the plans say."""
        observations = inbox.get(OBSERVATIONS)
        if observations is None:  # coupling `lag`, first step: nobody has observed anything yet
            return StageResult(outputs={SETPOINTS: np.zeros(self._fleet.n_agents)})
        table = observations.reshape(-1, N_FEATURES)[self._order]
        return StageResult(outputs={SETPOINTS: self._act(step, table)})

    def close(self) -> None:
        """Leave the counts of plans."""
        self._log.write()

    def _act(self, step: int, table: Values) -> Values:
        with torch.inference_mode():
            habits_kw: Values = self._habits.act(torch.from_numpy(table)).numpy()
        load_kw = table[self._meter, INDEX["base_load_kw"]] + self._alone_kw(habits_kw)
        sun_kw = table[self._meter, INDEX["pv_kw"]]
        self._knowledge.see(step, load_kw)
        due = self._due(step, table)
        if due.size:
            began_s = time.process_time()
            self._plan(due, step=step, table=table, load_kw=load_kw, sun_kw=sun_kw)
            self._log.add_cpu(time.process_time() - began_s)
        request_kw = self._plans.requests(
            step, load_kw=load_kw, sun_kw=sun_kw, batteries=self._batteries
        )
        return np.where(self._alone, habits_kw, request_kw)

    def _alone_kw(self, habits_kw: Values) -> Values:
        """Return the power of devices that nobody may control, which is load to the home, [home].

        A generator left alone is taken as negative load.
        """
        position = {one.household_id: home for home, one in enumerate(self._homes)}
        total = np.zeros(len(self._homes))
        home_of = self._fleet.household_index.tolist()
        for agent in np.flatnonzero(self._alone):
            home = position.get(self._fleet.household_ids[home_of[agent]])
            if home is not None:
                total[home] += habits_kw[agent]
        return total

    def _due(self, step: int, table: Values) -> NDArray[np.int64]:
        """Return the homes that plan now: by the clock, and where a car came home."""
        begun = self._plans.begun
        wanted = (begun < 0) | (step - begun >= self._settings.replan_every_steps)
        if step % self._settings.replan_every_steps == 0:
            wanted[:] = True
        plugged_in = table[:, INDEX["plugged_in"]] > 0.5
        for home, agent in self._cars:
            wanted[home] |= bool(plugged_in[agent] and not self._was_plugged[agent])
        self._was_plugged = plugged_in
        return np.flatnonzero(wanted)

    def _plan(
        self,
        due: NDArray[np.int64],
        *,
        step: int,
        table: Values,
        load_kw: Values,
        sun_kw: Values,
    ) -> None:
        known = self._knowledge.ahead(step)
        states = table[:, INDEX["state"]]
        for home in due.tolist():
            devices = self._homes[home]
            forecast = self._forecast(known, home, load_kw=load_kw[home], sun_kw=sun_kw[home])
            situation = Situation(
                steps=known.steps,
                vehicles=self._vehicles(devices, table),
                interview=self._interviews[home],
            )
            plan = plan_home(
                self._schedulers, devices, situation, forecast, state=devices.state(states)
            )
            self._plans.put(home, plan, forecast, step=step)
            self._log.add(plan, household_id=devices.household_id, step=step)

    def _forecast(self, known: Known, home: int, *, load_kw: float, sun_kw: float) -> Forecast:
        """Return what a home expects; the present step is at hand."""
        base_kw = np.maximum(known.load_kw[:, home], 0.0)
        pv_kw = known.pv_kw[:, home].copy()
        base_kw[0], pv_kw[0] = max(load_kw, 0.0), sun_kw
        return Forecast(
            dt_h=self._dt_h,
            price_import_per_kwh=known.price_import_per_kwh,
            price_export_per_kwh=known.price_export_per_kwh,
            temp_out_c=known.temp_out_c,
            ghi_w_per_m2=known.ghi_w_per_m2,
            base_load_kw=base_kw,
            pv_available_kw=pv_kw,
            start_hour=float(known.steps.hour[0]),
        )

    def _vehicles(self, devices: HouseholdDevices, table: Values) -> dict[str, VehicleOutlook]:
        return {
            device.agent_id: VehicleOutlook.until_departure(
                n_steps=self._settings.horizon_steps,
                plugged_in=table[device.agent, INDEX["plugged_in"]] > 0.5,
                departure_h=float(table[device.agent, INDEX["departure_h"]]),
                dt_h=self._dt_h,
            )
            for device in devices.agents
            if device.kind == "ev_charger"
        }


def _own_fleet(settings: HemsSettings) -> Fleet:
    """Return the agents of this process."""
    fleet = scoped_fleet(settings.inputs_folder, scope=settings.scope)
    last = None if settings.count is None else settings.first + settings.count
    return fleet.subset(fleet.household_ids[settings.first : last])


def _with_devices(fleet: Fleet, *, alone: NDArray[np.bool_]) -> tuple[HouseholdDevices, ...]:
    """Return the households that have something to plan."""
    found = []
    for one in households_of(fleet):
        kept = tuple(device for device in one.agents if not alone[device.agent])
        if kept:
            found.append(HouseholdDevices(household_id=one.household_id, agents=kept))
    return tuple(found)


def _first_agent(fleet: Fleet, household_id: str) -> int:
    home = fleet.household_ids.index(household_id)
    return int(np.flatnonzero(fleet.household_index.numpy() == home)[0])


def _battery_rules(
    homes: Sequence[HouseholdDevices], interviews: Sequence[HomeParameters | None]
) -> tuple[BatteryRule, ...]:
    """Return the homes with one battery; several would answer to the same difference twice."""
    rules = []
    for home, (one, interview) in enumerate(zip(homes, interviews, strict=True)):
        batteries = [device.agent for device in one.agents if device.kind == "battery"]
        if len(batteries) != 1:
            continue
        said = None if interview is None else interview.battery
        rules.append(
            BatteryRule(
                home=home,
                agent=batteries[0],
                charge_from_grid=said is None or said.charge_from_grid,
                discharge_to_grid=said is None or said.discharge_to_grid,
            )
        )
    return tuple(rules)
