"""Equations shared by the program and the simulation: dynamics, worth of stores, wishes, fuel.

Every store is one linear recurrence over the plan's steps of length h,

    s[t] = d s[t-1] + g+[t] u+[t] - g- u-[t] + c[t]

with the power drawn u+ and returned u-. Batteries and vehicles store energy (d = 1, g+ = h eta_c,
g- = h / eta_d), buildings and tanks hold a temperature:

    C dT/dt = UA (T_around - T) + COP u + gains,   d = exp(-UA h / C),
    g+ = COP (1 - d) / UA,   c = (1 - d) (T_around + gains / UA)

which is exact for inputs constant over the step (zero-order hold), as in
`gradmap.devices.heat_pump`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from federates.hems.optimiser.checks import FloatArray
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import Battery, Generator, HeatPump, HotWater, Vehicle
from federates.hems.optimiser.weights import Penalties

KELVIN_AT_0_C = 273.15
COP_MIN, COP_MAX, LIFT_MIN_K = 1.0, 6.0, 1.0
"""Limits of the Carnot COP, those of `gradmap.devices.heat_pump`."""
W_PER_KW = 1000.0
FUEL_SEGMENTS = 8
"""Straight pieces that stand for a quadratic fuel cost."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Store:
    """Recurrence, limits, wishes and final worth of one store; see the module.

    The wishes cost `below` (low - s)+ + `above` (s - high)+ in every step.
    """

    decay: float
    """d. [-]"""
    gain: FloatArray
    """g+, [step]. [unit/kW]"""
    loss: float
    """g-, 0 where nothing can be returned. [unit/kW]"""
    drift: FloatArray
    """c, [step]. [unit]"""
    low: FloatArray
    """Wished at least, [step]. [unit]"""
    high: FloatArray
    """Wished at most, [step]. [unit]"""
    below: FloatArray
    """Cost of less, [step]. [cur/unit]"""
    above: FloatArray
    """Cost of more, [step]. [cur/unit]"""
    reference: float
    """State that leaves no debt at the end. [unit]"""
    missing_worth: float
    """Cost per unit below `reference` at the end. [cur/unit]"""
    surplus_worth: float
    """Gain per unit above `reference` at the end. [cur/unit]"""

    def next_state(self, state: float, step: int, *, drawn_kw: float, returned_kw: float) -> float:
        """Return the state at the end of a step."""
        moved = float(self.gain[step]) * drawn_kw - self.loss * returned_kw
        return self.decay * state + moved + float(self.drift[step])

    def terminal_cost(self, state: float) -> float:
        """Return what the last state owes to the next day; negative where more is left [cur]."""
        missing = self.reference - state
        return missing * (self.missing_worth if missing > 0.0 else self.surplus_worth)


def cop(
    temp_out_c: FloatArray, *, carnot_fraction: float | None, supply_temp_c: float
) -> FloatArray:
    """Return the coefficient of performance, 1 for a resistive heater, [step] [-].

    The formula and its limits are those of `gradmap.devices.heat_pump.cop`.
    """
    if carnot_fraction is None:
        return np.ones_like(temp_out_c)
    lift_k = np.maximum(supply_temp_c - temp_out_c, LIFT_MIN_K)
    ideal = (supply_temp_c + KELVIN_AT_0_C) / lift_k
    return np.clip(carnot_fraction * ideal, COP_MIN, COP_MAX)


def battery_store(battery: Battery, forecast: Forecast, *, start_kwh: float) -> Store:
    """Return a battery's stored energy [kWh].

    A start outside the limits widens them: the battery may stay there, and is never infeasible.
    """
    n, dt_h, price = forecast.n_steps, forecast.dt_h, forecast.terminal_price_per_kwh
    return Store(
        decay=1.0,
        gain=np.full(n, dt_h * battery.eta_charge),
        loss=dt_h / battery.eta_discharge,
        drift=np.zeros(n),
        low=np.full(n, min(battery.soc_min * battery.capacity_kwh, start_kwh)),
        high=np.full(n, max(battery.soc_max * battery.capacity_kwh, start_kwh)),
        below=np.full(n, np.inf),
        above=np.full(n, np.inf),
        reference=battery.soc_init * battery.capacity_kwh,
        missing_worth=price / battery.eta_charge,
        surplus_worth=price * battery.eta_discharge,
    )


def vehicle_store(
    vehicle: Vehicle, forecast: Forecast, *, start_kwh: float, penalties: Penalties
) -> Store:
    """Return a vehicle's stored energy [kWh]; trips are in `drift`, see `trip_cost_per_kwh`."""
    n, dt_h = forecast.n_steps, forecast.dt_h
    low = np.full(n, vehicle.soc_floor * vehicle.capacity_kwh)
    below = np.full(n, penalties.vehicle_floor_per_kwh_h * dt_h)
    unmet = penalties.departure_per_kwh if vehicle.firm else penalties.best_effort_per_kwh
    for step, target_kwh in vehicle.departures:
        if target_kwh >= low[step]:
            low[step], below[step] = target_kwh, unmet
    worth = forecast.terminal_price_per_kwh / vehicle.eta_charge
    return Store(
        decay=1.0,
        gain=np.full(n, dt_h * vehicle.eta_charge),
        loss=dt_h / vehicle.eta_discharge if vehicle.v2g_kw > 0.0 else 0.0,
        drift=-np.asarray(vehicle.trip_kwh),
        low=low,
        high=np.full(n, max(vehicle.soc_max * vehicle.capacity_kwh, start_kwh)),
        below=below,
        above=np.full(n, np.inf),
        reference=vehicle.soc_init * vehicle.capacity_kwh,
        missing_worth=worth,
        surplus_worth=worth,
    )


def trip_cost_per_kwh(store: Store, forecast: Forecast) -> float:
    """Return the cost of trip energy that a vehicle did not have [cur/kWh].

    It exceeds everything that a stored kWh could ever save, so that a plan never takes energy for
    a trip from elsewhere to please another wish; then it is (trip - stored)+ exactly.
    """
    prices = forecast.reference_price_per_kwh / max(float(store.gain[0]) / forecast.dt_h, 1e-9)
    return float(store.below.sum()) + 4.0 * (prices + store.missing_worth)


def building_store(heater: HeatPump, forecast: Forecast, *, penalties: Penalties) -> Store:
    """Return a building's indoor temperature [degC]."""
    performance = cop(
        forecast.temp_out_c,
        carnot_fraction=heater.carnot_fraction,
        supply_temp_c=heater.supply_temp_c,
    )
    sun_kw = heater.solar_gain_m2 * forecast.ghi_w_per_m2 / W_PER_KW
    weight = np.full(forecast.n_steps, penalties.comfort_per_k_h * forecast.dt_h)
    return _thermal_store(
        forecast,
        ua_kw_per_k=heater.ua_kw_per_k,
        c_kwh_per_k=heater.c_kwh_per_k,
        performance=performance,
        around_c=forecast.temp_out_c,
        gains_kw=sun_kw + heater.internal_gain_kw,
        low=heater.temp_min_c,
        high=heater.temp_max_c,
        below=weight,
        above=weight,
        reference=heater.temp_init_c,
    )


def tank_store(tank: HotWater, forecast: Forecast, *, penalties: Penalties) -> Store:
    """Return a hot-water tank's temperature [degC]."""
    n, dt_h = forecast.n_steps, forecast.dt_h
    low = np.full(n, tank.temp_min_c)
    weight = np.full(n, penalties.hot_water_per_k_h * dt_h)
    below = weight.copy()
    for step, temp_c in tank.ready:
        if temp_c >= low[step]:
            low[step], below[step] = temp_c, penalties.ready_per_k
    performance = cop(
        forecast.temp_out_c,
        carnot_fraction=tank.carnot_fraction,
        supply_temp_c=tank.supply_temp_c,
    )
    return _thermal_store(
        forecast,
        ua_kw_per_k=tank.loss_kw_per_k,
        c_kwh_per_k=tank.c_kwh_per_k,
        performance=performance,
        around_c=np.full(n, tank.temp_room_c),
        gains_kw=-np.asarray(tank.draw_kwh) / dt_h,
        low=low,
        high=np.full(n, tank.temp_max_c),
        below=below,
        above=weight,
        reference=tank.temp_init_c,
    )


def _thermal_store(
    forecast: Forecast,
    *,
    ua_kw_per_k: float,
    c_kwh_per_k: float,
    performance: FloatArray,
    around_c: FloatArray,
    gains_kw: FloatArray,
    low: FloatArray,
    high: FloatArray,
    below: FloatArray,
    above: FloatArray,
    reference: float,
) -> Store:
    """Return the zero-order hold of a node; without losses, its limit for UA -> 0."""
    exponent = ua_kw_per_k * forecast.dt_h / c_kwh_per_k
    share = -math.expm1(-exponent)
    held = share / exponent if exponent > 0.0 else 1.0
    k_per_kw = held * forecast.dt_h / c_kwh_per_k
    # As in `gradmap.costs`: missing heat is made at the COP of the last step.
    worth = forecast.terminal_price_per_kwh * c_kwh_per_k / float(performance[-1])
    return Store(
        decay=math.exp(-exponent),
        gain=k_per_kw * performance,
        loss=0.0,
        drift=share * around_c + k_per_kw * gains_kw,
        low=low,
        high=high,
        below=below,
        above=above,
        reference=reference,
        missing_worth=worth,
        surplus_worth=worth,
    )


def fuel_segments(generator: Generator) -> tuple[FloatArray, FloatArray]:
    """Return widths [kW] and slopes [cur/kWh] of the pieces of the fuel cost above `p_min_kw`.

    HiGHS solves no mixed-integer quadratic programs, so b p^2 is replaced by the chords of
    `FUEL_SEGMENTS` equal pieces. They are exact at the ends of pieces and elsewhere above the
    quadratic by at most b (width / 2)^2; program and evaluation use the same pieces.
    """
    room_kw = generator.p_max_kw - generator.p_min_kw
    pieces = FUEL_SEGMENTS if generator.fuel_quadratic_per_kw2h > 0.0 else 1
    ends = generator.p_min_kw + room_kw * np.arange(pieces + 1) / pieces
    slopes = generator.fuel_per_kwh + generator.fuel_quadratic_per_kw2h * (ends[:-1] + ends[1:])
    return np.diff(ends), slopes


def least_fuel_per_h(generator: Generator) -> float:
    """Return the cost of an hour at `p_min_kw` [cur/h]."""
    least_kw = generator.p_min_kw
    return least_kw * (generator.fuel_per_kwh + generator.fuel_quadratic_per_kw2h * least_kw)


def fuel_per_h(generator: Generator, output_kw: FloatArray) -> FloatArray:
    """Return the fuel cost of outputs >= 0; 0 where it stands still [cur/h]."""
    widths, slopes = fuel_segments(generator)
    starts = np.concatenate([[0.0], np.cumsum(widths)[:-1]])
    above_kw = np.maximum(output_kw - generator.p_min_kw, 0.0)[:, None]
    pieces = np.clip(above_kw - starts, 0.0, widths) @ slopes
    running = output_kw > (0.5 * generator.p_min_kw if generator.can_stop else -1.0)
    return np.where(running, least_fuel_per_h(generator) + pieces, 0.0)
