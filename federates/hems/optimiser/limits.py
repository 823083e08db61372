"""What devices can do: powers and states that a trajectory must not exceed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from federates.hems.optimiser.checks import FloatArray
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import PV, Home
from federates.hems.optimiser.physics import Store
from gradmap.errors import ScenarioError

TOLERANCE = 1e-5
"""Powers [kW] and energies [kWh] may be beyond a device's limits by this much."""


def check_powers(home: Home, forecast: Forecast, p_kw: Mapping[str, FloatArray]) -> None:
    """Refuse powers that a device cannot have."""
    for name, (low, high) in power_limits_kw(home, forecast).items():
        if name not in p_kw or np.shape(p_kw[name]) != (forecast.n_steps,):
            raise ScenarioError(
                f"Device {name!r}: its powers are missing or not {forecast.n_steps} values, "
                f"expected one a step. Give a series for each of {home.names}."
            )
        beyond = np.maximum(low - p_kw[name], p_kw[name] - high)
        step = int(np.argmax(beyond))
        if not beyond[step] <= TOLERANCE:
            raise ScenarioError(
                f"Device {name!r}: {p_kw[name][step]:g} kW at step {step}, expected a power in "
                f"[{low[step] + 0.0:g}, {high[step]:g}] kW. Generation is negative."
            )


def power_limits_kw(home: Home, forecast: Forecast) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return the lowest and highest power of each device, load convention, [step] [kW]."""
    one = np.ones(forecast.n_steps)
    found = {x.name: (-x.p_discharge_max_kw * one, x.p_charge_max_kw * one) for x in home.batteries}
    for x in home.vehicles:
        found[x.name] = (
            np.where(x.plugged_in, -x.v2g_kw, 0.0),
            np.where(x.plugged_in, x.charger_kw, 0.0),
        )
    found |= {x.name: (0.0 * one, x.p_max_kw * one) for x in home.thermal}
    found |= {x.name: (0.0 * one, x.power_kw * one) for x in home.appliances}
    for generator in home.generators:
        allowed = one if generator.allowed is None else one * generator.allowed
        least_kw = 0.0 if generator.can_stop else generator.p_min_kw
        found[generator.name] = (-generator.p_max_kw * allowed, -least_kw * allowed)
    if home.pv is not None:
        available_kw = forecast.pv_available_kw
        found[PV] = (-available_kw, (0.0 if home.pv.curtailable else -1.0) * available_kw)
    return found


def check_states(name: str, store: Store, states: FloatArray) -> None:
    """Refuse states beyond limits that are no wishes: those of batteries and vehicles."""
    for limit, beyond, price in (
        (store.low, store.low - states, store.below),
        (store.high, states - store.high, store.above),
    ):
        hard = np.where(np.isinf(price), beyond, 0.0)
        step = int(np.argmax(hard))
        if hard[step] > TOLERANCE:
            raise ScenarioError(
                f"Device {name!r}: these powers bring it to {states[step]:g} kWh at step {step}, "
                f"its limit is {limit[step]:g} kWh. Request less."
            )
