"""What homes do without a plan: habits (`no_control`) and an installer's timers (`rule_based`).

The single-home counterparts of `gradmap.baselines`. Both look at the present step only, apart from
the departures that drivers set, and neither watches the import limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from federates.hems.optimiser.checks import BoolArray, FloatArray
from federates.hems.optimiser.forecast import HOURS_PER_DAY, Forecast
from federates.hems.optimiser.home_model import PV, Battery, Generator, Home, Shiftable, Vehicle
from federates.hems.optimiser.physics import Store
from federates.hems.optimiser.state import State, all_stores, initial_state, start_mask, window_mask
from federates.hems.optimiser.weights import Weights


@dataclass(frozen=True, kw_only=True)
class RuleSettings:
    """Settings an installer leaves behind."""

    night_start_h: float = 0.0
    """When the cheap hours of timers begin. [h]"""
    night_end_h: float = 6.0
    """When they end. [h]"""
    cheap_share: float = 0.25
    """Batteries charge at night where the price is among this share of the day's lowest. [-]"""
    ev_margin_h: float = 0.5
    """Vehicles that would miss their departure by waiting keep this much spare time. [h]"""

    def is_night(self, forecast: Forecast) -> BoolArray:
        """Return the steps that begin inside the timers' hours, [step]."""
        hour = np.array([forecast.hour(step) for step in range(forecast.n_steps)])
        length_h = (self.night_end_h - self.night_start_h) % HOURS_PER_DAY
        return np.asarray((hour - self.night_start_h) % HOURS_PER_DAY < length_h)


def no_control(
    home: Home, forecast: Forecast, *, state: State | None = None
) -> dict[str, FloatArray]:
    """Return powers of habits: thermostats, charging on arrival, appliances at once, no battery.

    Generators run at their least output if they cannot stop, and solar modules deliver all.

    Args:
        home: Devices and wishes.
        forecast: Prices, weather, base load and sun.
        state: Where it begins.

    Returns:
        Power of every device by name, load convention, [step]. [kW]
    """
    state = state or initial_state(home)
    anytime = np.ones(forecast.n_steps, dtype=np.bool_)
    found = _demand(home, forecast, state=state, charges=anytime, margin_h=0.0)
    found |= {x.name: np.zeros(forecast.n_steps) for x in home.batteries}
    found |= {x.name: _generator_kw(x, forecast, pays=~anytime) for x in home.generators}
    return found


def rule_based(
    home: Home,
    forecast: Forecast,
    *,
    state: State | None = None,
    settings: RuleSettings | None = None,
) -> dict[str, FloatArray]:
    """Return powers of timers: night charging, self-consumption batteries, generators that pay.

    Batteries charge from surplus, cover the home's own load and, where they may, fill up in cheap
    night hours. Arguments and result as in `no_control`.
    """
    state, rules = state or initial_state(home), settings or RuleSettings()
    night = rules.is_night(forecast)
    found = _demand(home, forecast, state=state, charges=night, margin_h=rules.ev_margin_h)
    price = forecast.price_import_per_kwh
    for x in home.generators:
        marginal = x.fuel_per_kwh + 2.0 * x.fuel_quadratic_per_kw2h * x.p_max_kw
        found[x.name] = _generator_kw(x, forecast, pays=price > marginal)
    net_kw = forecast.base_load_kw + sum(found.values())
    fills = night & (price <= np.quantile(price, rules.cheap_share))
    stores = _stores(home, forecast, state)
    for battery in home.batteries:
        own_kw = _battery_kw(
            battery,
            stores[battery.name],
            start_kwh=state.stored[battery.name],
            net_kw=net_kw,
            fills=fills & battery.charge_from_grid,
        )
        found[battery.name] = own_kw
        # What one battery takes from the grid is no load that the next one covers.
        net_kw = net_kw + np.where(net_kw > 0.0, np.minimum(own_kw, 0.0), own_kw)
    return found


def _stores(home: Home, forecast: Forecast, state: State) -> Mapping[str, Store]:
    """Return the stores; weights play no role in rules."""
    penalties = Weights().penalties(forecast.reference_price_per_kwh)
    return all_stores(home, forecast, state=state, penalties=penalties)


def _demand(
    home: Home, forecast: Forecast, *, state: State, charges: BoolArray, margin_h: float
) -> dict[str, FloatArray]:
    """Return powers of heat, vehicles, appliances and solar modules."""
    stores = _stores(home, forecast, state)
    found = {}
    for vehicle in home.vehicles:
        found[vehicle.name] = _vehicle_kw(
            vehicle,
            stores[vehicle.name],
            start_kwh=state.stored[vehicle.name],
            charges=charges,
            margin_steps=round(margin_h / forecast.dt_h),
        )
    for x in home.thermal:
        found[x.name] = _thermostat_kw(
            stores[x.name], start_c=state.stored[x.name], p_max_kw=x.p_max_kw
        )
    found |= _appliances_kw(home, state=state, n_steps=forecast.n_steps)
    if home.pv is not None:
        found[PV] = -forecast.pv_available_kw
    return found


def _thermostat_kw(store: Store, *, start_c: float, p_max_kw: float) -> FloatArray:
    """Return the power that brings the end of each step to the lower wish, as far as possible."""
    p_kw, temp_c = np.empty(len(store.low)), start_c
    for step in range(len(p_kw)):
        off_c = store.next_state(temp_c, step, drawn_kw=0.0, returned_kw=0.0)
        needed_kw = (float(store.low[step]) - off_c) / float(store.gain[step])
        p_kw[step] = min(max(needed_kw, 0.0), p_max_kw)
        temp_c = off_c + float(store.gain[step]) * p_kw[step]
    return p_kw


def _vehicle_kw(
    vehicle: Vehicle, store: Store, *, start_kwh: float, charges: BoolArray, margin_steps: int
) -> FloatArray:
    """Return full power where the timer allows it, or where waiting would miss the departure."""
    targets = [target for _, target in vehicle.departures]
    full_kwh = min(max(targets, default=float(store.high[0])), float(store.high[0]))
    p_kw, kwh = np.zeros(len(charges)), start_kwh
    per_kw = float(store.gain[0])
    for step in range(len(p_kw)):
        kwh = max(kwh + float(store.drift[step]), 0.0)
        missing_kwh = full_kwh - kwh
        if not vehicle.plugged_in[step] or missing_kwh <= 0.0 or vehicle.charger_kw <= 0.0:
            continue
        needed = int(np.ceil(missing_kwh / (per_kw * vehicle.charger_kw))) + margin_steps
        leaves = min((x for x, _ in vehicle.departures if x >= step), default=None)
        usable = 0 if leaves is None else np.count_nonzero(charges[step + 1 : leaves + 1])
        if charges[step] or (leaves is not None and usable < needed):
            p_kw[step] = min(vehicle.charger_kw, missing_kwh / per_kw)
            kwh += per_kw * p_kw[step]
    return p_kw


def _appliances_kw(home: Home, *, state: State, n_steps: int) -> dict[str, FloatArray]:
    """Return appliances that run as soon as they may, predecessors first."""
    on: dict[str, BoolArray] = {}
    waiting = list(home.appliances)
    while waiting:
        ready = [x for x in waiting if x.after is None or x.after in on] or waiting
        for x in ready:
            before = next((y for y in home.appliances if y.name == x.after), None)
            ends = None if before is None else _run_ends(before, on.get(before.name), state=state)
            on[x.name] = _as_soon_as_possible(x, state=state, n_steps=n_steps, ends=ends)
            waiting.remove(x)
    return {x.name: np.where(on[x.name], x.power_kw, 0.0) for x in home.appliances}


def _run_ends(appliance: Shiftable, on: BoolArray | None, *, state: State) -> list[int]:
    """Return the steps at whose beginning an appliance's runs are over, earlier runs included."""
    done = state.done_steps.get(appliance.name, 0)
    ran = np.flatnonzero(on) if on is not None else np.zeros(0, dtype=np.int64)
    ends = [0] * (done // appliance.duration)
    first = appliance.duration - done % appliance.duration - 1
    return ends + [int(step) + 1 for step in ran[first :: appliance.duration]]


def _as_soon_as_possible(
    appliance: Shiftable, *, state: State, n_steps: int, ends: list[int] | None
) -> BoolArray:
    """Return when an appliance is on that runs as early as it may, [step]."""
    running = min(state.running.get(appliance.name, 0), n_steps)
    on = np.zeros(n_steps, dtype=np.bool_)
    on[:running] = True
    owed = state.owed_steps(appliance) - state.running.get(appliance.name, 0)
    if appliance.interruptible:
        on[np.flatnonzero(window_mask(appliance, n_steps))[: max(owed, 0)]] = True
        return on
    may, free_from = start_mask(appliance, n_steps, running=running), running
    begun = state.started_runs(appliance)
    for number in range(begun, begun + max(owed, 0) // appliance.duration):
        if ends is not None and number >= len(ends):
            break
        after = free_from if ends is None else max(free_from, ends[number])
        starts = np.flatnonzero(may[after:])
        if not starts.size:
            break
        begin = after + int(starts[0])
        free_from = begin + appliance.duration
        on[begin:free_from] = True
    return on


def _battery_kw(
    battery: Battery, store: Store, *, start_kwh: float, net_kw: FloatArray, fills: BoolArray
) -> FloatArray:
    """Return charging from surplus and at night, else covering the load, within the limits."""
    p_kw, kwh = np.zeros(len(net_kw)), start_kwh
    per_kw = float(store.gain[0])
    for step, net in enumerate(net_kw.tolist()):
        room_kw = max(float(store.high[step]) - kwh, 0.0) / per_kw
        stock_kw = max(kwh - float(store.low[step]), 0.0) / store.loss
        wanted_kw = battery.p_charge_max_kw if fills[step] and net >= 0.0 else -net
        if wanted_kw >= 0.0:
            p_kw[step] = min(wanted_kw, battery.p_charge_max_kw, room_kw)
            kwh += per_kw * p_kw[step]
        else:
            p_kw[step] = -min(-wanted_kw, battery.p_discharge_max_kw, stock_kw)
            kwh += store.loss * p_kw[step]
    return p_kw


def _generator_kw(generator: Generator, forecast: Forecast, *, pays: BoolArray) -> FloatArray:
    """Return full output where it pays, else the least, load convention."""
    allowed = True if generator.allowed is None else generator.allowed
    least_kw = 0.0 if generator.can_stop else generator.p_min_kw
    return -np.where(pays, generator.p_max_kw, least_kw) * np.where(allowed, 1.0, 0.0)
