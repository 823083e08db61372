"""Each kind of device as part of the day's program: bounds, dynamics and costs of its own."""

from __future__ import annotations

from typing import assert_never

import numpy as np
import torch

from gradmap.devices.base import Surroundings
from gradmap.devices.battery import Battery
from gradmap.devices.ev_charger import EvCharger
from gradmap.devices.generator import Generator
from gradmap.devices.heat_pump import HeatPump
from gradmap.devices.parameters import DeviceParams
from gradmap.devices.registry import AnyDevice
from gradmap.feeder import FloatArray

COMFORT_SLACK_K = 0.01
"""By how much temperature limits yield where no power keeps the band, so that the set of feasible
trajectories keeps an inside. [K]"""
CHARGE_SLACK = 1e-4
"""The same for an electric vehicle's charge, over its capacity. [-]"""
Part = dict[str, FloatArray | float]
"""Fields of `DayModel`, for the agents of one kind; what is left out stays 0."""


def array(values: torch.Tensor) -> FloatArray:
    """Return float64 numbers."""
    found: FloatArray = values.detach().cpu().double().numpy()
    return found


def device_part(
    device: AnyDevice, surroundings: Surroundings, *, dt_h: float, price_end: float
) -> Part:
    """Return what the program knows of the devices of one kind.

    Args:
        device: All devices of the kind.
        surroundings: What they feel, [time, agent] or [time, 1].
        dt_h: Step length. [h]
        price_end: Value of the energy that restores the first state. [cur/kWh]
    """
    match device:
        case Battery():
            return _battery(device, dt_h=dt_h, price_end=price_end)
        case Generator():
            return _generator(device, dt_h=dt_h)
        case HeatPump():
            return _heat_pump(device, surroundings, dt_h=dt_h, price_end=price_end)
        case EvCharger():
            return _ev_charger(device, surroundings, dt_h=dt_h, price_end=price_end)
        case unknown:
            assert_never(unknown)


def _numbers(params: DeviceParams) -> dict[str, FloatArray]:
    return {name: array(getattr(params, name)) for name in params.ranges}


def _battery(device: Battery, *, dt_h: float, price_end: float) -> Part:
    """Return the part of batteries; the state is the stored energy. [kWh]"""
    pars = _numbers(device.params)
    capacity, wear = pars["e_max_kwh"], pars["wear_per_kwh"] * dt_h
    surplus_value = pars["eta_discharge"] * price_end
    return {
        "plus_max": pars["p_max_kw"],
        "minus_max": pars["p_max_kw"],
        "has_state": 1.0,
        "decay": 1.0,
        "per_plus": pars["eta_charge"] * dt_h,
        "per_minus": dt_h / pars["eta_discharge"],
        "x_init": pars["soc_init"] * capacity,
        "x_min": pars["soc_min"] * capacity,
        "x_max": pars["soc_max"] * capacity,
        "cost_plus": wear,
        "cost_minus": wear,
        "end_price": -surplus_value,
        "end_kink": price_end / pars["eta_charge"] - surplus_value,
    }


def _generator(device: Generator, *, dt_h: float) -> Part:
    """Return the part of generators: u+ is their power, which is negative; no state."""
    linear, quadratic = (array(rate) * dt_h for rate in device.cost_rates())
    low, high = (array(limit) for limit in device.action_range_kw())
    return {"plus_min": low, "plus_max": high, "cost_plus": -linear, "quadratic": quadratic}


def _heat_pump(device: HeatPump, own: Surroundings, *, dt_h: float, price_end: float) -> Part:
    """Return the part of heat pumps; the state is the indoor temperature. [degC]"""
    zero = torch.zeros_like(device.params.p_max_kw)
    still = device.next_state(zero, p_kw=zero, surroundings=own, dt_h=dt_h)
    warming = device.next_state(zero, p_kw=zero + 1.0, surroundings=own, dt_h=dt_h) - still
    decay = torch.exp(-device.params.ua_kw_per_k * dt_h / device.params.c_kwh_per_k)
    last = Surroundings(temp_out_c=own.temp_out_c[-1], ghi_w_per_m2=own.ghi_w_per_m2[-1])
    missing_kwh = device.restore_kwh(zero, surroundings=last)
    more_kwh = device.restore_kwh(zero + 1.0, surroundings=last)
    pars = _numbers(device.params)
    drift, per_plus = array(still), array(warming)
    limits = reachable_band(
        pars["temp_init_c"],
        low=np.broadcast_to(pars["temp_min_c"], drift.shape),
        high=np.broadcast_to(pars["temp_max_c"], drift.shape),
        decay=array(decay),
        drift=drift,
        gain=per_plus * pars["p_max_kw"],
        slack=COMFORT_SLACK_K,
    )
    return {
        "plus_max": pars["p_max_kw"],
        "has_state": 1.0,
        "decay": array(decay),
        "per_plus": per_plus,
        "drift": drift,
        "x_init": pars["temp_init_c"],
        "x_min": limits[0],
        "x_max": limits[1],
        "end_price": price_end * array(more_kwh - missing_kwh),
    }


def _ev_charger(device: EvCharger, own: Surroundings, *, dt_h: float, price_end: float) -> Part:
    """Return the part of chargers; the state is the vehicle's charge. [kWh]

    Vehicles leave with what the driver wants, as far as the charger can. A trip takes what the
    fullest vehicle would have.
    """
    pars = _numbers(device.params)
    plugged, trip, departure = (
        array(value) for value in (own.plugged_in, own.trip_kwh, own.departure_h)
    )
    capacity, gain = pars["e_max_kwh"], pars["eta_charge"] * dt_h * pars["p_max_kw"]
    full = pars["soc_target"] * capacity
    fullest, x_max, drift = np.empty_like(plugged), np.empty_like(plugged), np.empty_like(plugged)
    x = idle = pars["soc_init"] * capacity
    slack = CHARGE_SLACK * capacity
    blocked = np.zeros(plugged.shape, dtype=bool)
    for t in range(len(plugged)):
        drift[t] = -np.minimum(trip[t], x)
        x, idle = x + drift[t], np.maximum(idle + drift[t], 0.0)
        # A vehicle that came fuller than its charge limit does not charge.
        blocked[t] = idle >= full
        x_max[t] = np.where(blocked[t], idle + slack, full)
        x = np.maximum(x, np.minimum(x + gain * plugged[t], full))
        fullest[t] = x
    leaves = (plugged > 0) & (departure <= dt_h)
    reserve = np.minimum(pars["soc_min"] * capacity, fullest) * (plugged > 0)
    x_min = np.where(leaves, np.minimum(full, fullest), reserve) - slack
    return {
        "plus_max": pars["p_max_kw"] * plugged * ~blocked,
        "has_state": 1.0,
        "decay": 1.0,
        "per_plus": pars["eta_charge"] * dt_h,
        "drift": drift,
        "x_init": pars["soc_init"] * capacity,
        "x_min": x_min,
        "x_max": x_max,
        "end_price": -price_end / pars["eta_charge"],
    }


def reachable_band(
    x_init: FloatArray,
    *,
    low: FloatArray,
    high: FloatArray,
    decay: FloatArray,
    drift: FloatArray,
    gain: FloatArray,
    slack: float,
) -> tuple[FloatArray, FloatArray]:
    """Return the limits [low, high] of a state, widened where no control can keep them.

    The upper limit becomes the lowest trajectory that keeps the lower one, and that the highest one
    where full power is not enough.

    Args:
        x_init: State before the first step, [agent].
        low: Limits of the state, [time, agent].
        high: Upper limits.
        decay: Share of the state that is left after a step, [agent].
        drift: What is added in a step without control, [time, agent].
        gain: What full power adds, [time, agent].
        slack: By how much limits that had to be widened yield beyond that.
    """
    x, highest = x_init, np.empty_like(drift)
    for t in range(len(drift)):
        unheated = decay * x + drift[t]
        x = np.minimum(unheated + gain[t], np.maximum(unheated, high[t]))
        highest[t] = x
    lower = np.minimum(low, highest - slack)
    # What is needed earlier, so that full power is enough later.
    needed = lower.copy()
    for t in range(len(drift) - 2, -1, -1):
        before = (needed[t + 1] - drift[t + 1] - gain[t + 1]) / decay
        needed[t] = np.maximum(needed[t], before)
    x, lowest = x_init, np.empty_like(drift)
    for t in range(len(drift)):
        unheated = decay * x + drift[t]
        x = np.maximum(unheated, np.minimum(needed[t], unheated + gain[t]))
        lowest[t] = x
    return lower, np.maximum(high, lowest + slack)
