"""An interviewed home and a day's forecast as the optimiser's home.

Devices keep the householder's words as names: battery, ev_1, ev_2, heating, hot_water,
washing_machine, dishwasher, dryer, generator, pv. What they named as never to be touched is not
planned: it runs by habit (`optimiser.rules.no_control`), as load that nobody controls.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np

from federates.hems.adapters.hours import CarUse, Steps, clock_h, inside
from federates.hems.adapters.tariff import prices
from federates.hems.adapters.wishes import comfort_band_c, generator_hours
from federates.hems.optimiser.checks import BoolArray, FloatArray
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import (
    PV,
    Battery,
    Generator,
    HeatPump,
    Home,
    HotWater,
    Pv,
    Shiftable,
    Vehicle,
)
from federates.hems.optimiser.physics import W_PER_KW
from federates.hems.optimiser.rules import no_control
from federates.hems.optimiser.usual_start import with_usual_start
from federates.hems.parameters import building
from federates.hems.parameters.assumptions import EV_KWH_PER_KM
from federates.hems.parameters.devices import Ev, Interval
from federates.hems.parameters.feasibility_use import SHOWER_KWH
from federates.hems.parameters.models import (
    ElectricWater,
    HeatPumpHeating,
    HomeParameters,
    ResistiveHeating,
)

SHOWER_TIMES: Final = (0.5, 13.0)
"""Half of the showers so long after `hot_water.ready_by`, the rest so long. [h]"""
SOC_START: Final = 0.5
"""Batteries whose state nobody told start half full, or at their reserve. [-]"""
WEAR_PER_KWH: Final = 0.01
"""Cost of a battery's ageing; nobody is asked for it. Middle of the drawn ones. [currency/kWh]"""
PV_PERFORMANCE: Final = 0.85
"""Output over rating times irradiance, where no series is given: a flat roof's rough guess. [-]"""
NIGHT: Final = (Interval(start="23:00", end="06:00"),)
"""When machines stand still if nights are unwanted, as in `parameters.feasibility_use`."""
TANK_LOWEST_C: Final = 40.0
"""Least temperature of hot water at all times. [degC]"""
_NO_TIME: Final = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class DayAhead:
    """What is believed about the next hours, beside the home itself."""

    steps: Steps
    temp_out_c: FloatArray
    """[step] [degC]"""
    ghi_w_per_m2: FloatArray
    """[step] [W/m2]"""
    price_import_per_kwh: FloatArray | None = None
    """Published prices of a dynamic tariff, [step]. [currency/kWh]"""
    base_load_kw: FloatArray | None = None
    """Load that nobody controls, [step]; its daily mean if left out. [kW]"""
    pv_available_kw: FloatArray | None = None
    """[step]; a rough guess from rating and irradiance if left out. [kW]"""
    runs: Mapping[str, int] = field(default_factory=dict)
    """Appliance to runs wanted in these steps; a day's share of the week's, rounded up, if absent.
    """


class PlannedHome(NamedTuple):
    """What `Scheduler.plan` takes."""

    home: Home
    forecast: Forecast


def interview_home(said: HomeParameters, day: DayAhead) -> PlannedHome:
    """Return a home and its forecast.

    Buildings and tanks begin as a week of days like this one leaves them, run by habit. Whoever
    knows better plans with a `State`.

    Args:
        said: The parameters of a home file.
        day: What is believed about the next hours.

    Raises:
        ScenarioError: The tariff is dynamic and `day` has no prices.
    """
    forecast = _forecast(said, day)
    whole = with_usual_start(_whole_home(said, day), forecast)
    never: set[str] = set(said.flexibility.never_touch)
    left_alone = _restricted(whole, never, keep=True)
    load_kw = forecast.base_load_kw
    if left_alone.names:
        # A home without its modules: they stay in the forecast of the planned home.
        dark = replace(forecast, pv_available_kw=np.zeros(forecast.n_steps))
        habits = no_control(left_alone, dark)
        load_kw = np.maximum(load_kw + sum(habits.values()), 0.0)
    planned = _restricted(whole, never, keep=False)
    return PlannedHome(planned, replace(forecast, base_load_kw=load_kw))


def _whole_home(said: HomeParameters, day: DayAhead) -> Home:
    return Home(
        batteries=_batteries(said),
        vehicles=tuple(
            _vehicle(ev, name=f"ev_{number}", steps=day.steps)
            for number, ev in enumerate(said.evs, start=1)
        ),
        heaters=_heaters(said, day.steps),
        tanks=_tanks(said, day.steps),
        appliances=_appliances(said, day),
        generators=_generators(said, day.steps),
        pv=None if said.pv is None else Pv(),
        import_limit_kw=said.household.import_limit_kw,
        export_limit_kw=said.household.export_limit_kw,
    )


def _restricted(home: Home, never: set[str], *, keep: bool) -> Home:
    """Return the home with only, or without, the devices that nobody may control."""

    def wanted(device: str) -> bool:
        return (device in never) == keep

    appliances = tuple(x for x in home.appliances if wanted(x.name))
    names = {x.name for x in appliances}
    pv = home.pv
    if pv is not None:
        pv = None if keep else Pv(curtailable=PV not in never)
    return replace(
        home,
        batteries=home.batteries if wanted("battery") else (),
        vehicles=home.vehicles if wanted("ev") else (),
        heaters=home.heaters if wanted("heat_pump") else (),
        tanks=home.tanks if wanted("hot_water_tank") else (),
        appliances=tuple(x if x.after in names else replace(x, after=None) for x in appliances),
        generators=home.generators if wanted("generator") else (),
        pv=pv,
    )


def _forecast(said: HomeParameters, day: DayAhead) -> Forecast:
    steps = day.steps
    bought, sold = prices(said, steps, dynamic_per_kwh=day.price_import_per_kwh)
    base_kw = day.base_load_kw
    if base_kw is None:
        base_kw = np.full(steps.n_steps, said.household.base_load_kwh_day / 24.0)
    pv_kw = np.zeros(steps.n_steps)
    if said.pv is not None:
        guess = PV_PERFORMANCE * said.pv.peak_kw * np.asarray(day.ghi_w_per_m2) / W_PER_KW
        pv_kw = guess if day.pv_available_kw is None else day.pv_available_kw
    return Forecast(
        dt_h=steps.dt_h,
        price_import_per_kwh=bought,
        price_export_per_kwh=sold,
        temp_out_c=day.temp_out_c,
        ghi_w_per_m2=day.ghi_w_per_m2,
        base_load_kw=base_kw,
        pv_available_kw=pv_kw,
        start_hour=float(steps.hour[0]),
    )


def _batteries(said: HomeParameters) -> tuple[Battery, ...]:
    if said.battery is None:
        return ()
    own = said.battery
    battery = Battery(
        capacity_kwh=own.capacity_kwh,
        p_charge_max_kw=own.power_kw,
        p_discharge_max_kw=own.power_kw,
        soc_init=max(SOC_START, own.reserve),
        eta_charge=own.eta_charge,
        eta_discharge=own.eta_discharge,
        soc_min=own.reserve,
        wear_per_kwh=WEAR_PER_KWH,
        charge_from_grid=own.charge_from_grid,
        discharge_to_grid=own.discharge_to_grid,
    )
    return (battery,)


def _vehicle(ev: Ev, *, name: str, steps: Steps) -> Vehicle:
    use = CarUse.of(ev, kwh_per_km=EV_KWH_PER_KM)
    away = use.away(steps)
    before = Steps(
        hour=(steps.hour[:1] - steps.dt_h) % 24.0,
        day_of_week=(steps.day_of_week[:1] - (steps.hour[:1] < steps.dt_h)) % 7,
        dt_h=steps.dt_h,
    )
    was_away = np.concatenate([use.away(before), away[:-1]])
    target_kwh = ev.target * ev.capacity_kwh
    leaves = np.flatnonzero(~away[:-1] & away[1:])
    return Vehicle(
        name=name,
        capacity_kwh=ev.capacity_kwh,
        charger_kw=ev.charger_kw,
        plugged_in=~away,
        # Away, it carries the charge that it left with: its trip is booked when it comes home.
        soc_init=ev.target if away[0] or was_away[0] else ev.soc_arrival,
        departures=tuple((step, target_kwh) for step in leaves.tolist()),
        trip_kwh=np.where(was_away & ~away, use.trip_kwh, 0.0),
        v2g_kw=ev.charger_kw if ev.v2g else 0.0,
        soc_max=ev.target,
    )


def _heaters(said: HomeParameters, steps: Steps) -> tuple[HeatPump, ...]:
    own = said.heating
    if not isinstance(own, HeatPumpHeating | ResistiveHeating):
        return ()
    low, high = comfort_band_c(said, steps)
    pump = own if isinstance(own, HeatPumpHeating) else None
    heater = HeatPump(
        p_max_kw=own.rated_electric_kw,
        ua_kw_per_k=said.building.ua_kw_per_k,
        c_kwh_per_k=said.building.c_kwh_per_k,
        temp_init_c=float(min(low[0], high[0])),
        temp_min_c=low,
        temp_max_c=high,
        solar_gain_m2=said.building.solar_gain_m2,
        internal_gain_kw=said.building.internal_gain_kw,
        carnot_fraction=None if pump is None else pump.carnot_fraction,
        supply_temp_c=45.0 if pump is None else pump.supply_temp_c,
    )
    return (heater,)


def _tanks(said: HomeParameters, steps: Steps) -> tuple[HotWater, ...]:
    own = said.hot_water
    if not isinstance(own, ElectricWater):
        return ()
    ready_h = clock_h(own.ready_by)
    draw_kwh = np.zeros(steps.n_steps)
    for after_h in SHOWER_TIMES:
        heat_kwh = SHOWER_KWH * own.showers_per_day / len(SHOWER_TIMES)
        draw_kwh += heat_kwh * _holds(steps, (ready_h + after_h) % 24.0)
    ready = np.flatnonzero(_holds(steps, (ready_h - steps.dt_h) % 24.0))
    supply_c = own.temp_max_c
    pump = own.kind == "heat_pump"
    tank = HotWater(
        volume_l=own.volume_l,
        p_max_kw=own.power_kw,
        draw_kwh=draw_kwh,
        temp_init_c=own.temp_set_c,
        temp_min_c=min(TANK_LOWEST_C, own.temp_set_c),
        temp_max_c=own.temp_max_c,
        ready=tuple((step, own.temp_set_c) for step in ready.tolist()),
        carnot_fraction=(
            building.carnot_fraction(building.HOT_WATER_COP, supply_temp_c=supply_c)
            if pump
            else None
        ),
        supply_temp_c=supply_c,
    )
    return (tank,)


def _holds(steps: Steps, hour: float) -> BoolArray:
    """Return the steps that hold an hour of the day, [step]."""
    return np.asarray((hour - steps.hour + _NO_TIME) % 24.0 < steps.dt_h)


def _appliances(said: HomeParameters, day: DayAhead) -> tuple[Shiftable, ...]:
    """Return the machines; a dryer waits for the washing machine."""
    steps, found = day.steps, []
    days = max(steps.n_steps * steps.dt_h / 24.0, 1.0)
    runs_of = {
        name: day.runs.get(name, math.ceil(own.runs_per_week * days / 7.0))
        for name, own in said.appliances.items()
    }
    for name, own in said.appliances.items():
        if runs_of[name] == 0:
            continue
        window = (Interval(start=own.earliest_start, end=own.latest_finish),)
        if own.earliest_start == own.latest_finish:
            window = (Interval(start="00:00", end="24:00"),)
        allowed = inside(window, steps.hour)
        if not own.night_ok:
            allowed &= ~inside(NIGHT, steps.hour)
        waits = name == "dryer" and 0 < runs_of[name] <= runs_of.get("washing_machine", 0)
        found.append(
            Shiftable(
                name=name,
                power_kw=own.power_kw,
                duration=max(math.ceil(own.duration_min / (60.0 * steps.dt_h) - _NO_TIME), 1),
                earliest=0,
                latest=steps.n_steps,
                runs=runs_of[name],
                after="washing_machine" if waits else None,
                allowed=allowed,
            )
        )
    return tuple(found)


def _generators(said: HomeParameters, steps: Steps) -> tuple[Generator, ...]:
    if said.generator is None:
        return ()
    generator = Generator(
        p_max_kw=said.generator.rated_kw,
        fuel_per_kwh=said.generator.fuel_cost_per_kwh,
        allowed=generator_hours(said, steps),
    )
    return (generator,)
