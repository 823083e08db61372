"""What given powers cost and which wishes they break, by simulation with the program's equations.

The objective is that of the program, term by term, so that plans, rules and habits compare:

    bill + fuel and wear + terminal worth of stores + cost of broken wishes

The schedule of a plan is evaluated here, too: what it reports is what its powers do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from federates.hems.optimiser.checks import FloatArray
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import Home, Shiftable, Vehicle
from federates.hems.optimiser.limits import check_powers, check_states
from federates.hems.optimiser.physics import Store, fuel_per_h, trip_cost_per_kwh
from federates.hems.optimiser.state import (
    State,
    all_stores,
    check_state,
    initial_state,
    is_deferrable,
    missing_cost_per_step,
)
from federates.hems.optimiser.weights import Weights

NOISE = 1e-6
"""Wishes broken by less are kept: that much is rounding. [unit of the wish]"""
BELOW, ABOVE, TRIP, MISSING = "below", "above", "trip", "missing"
IMPORT, EXPORT = "import", "export"


@dataclass(frozen=True, kw_only=True)
class Broken:
    """One wish that was not kept at one step, or over the whole plan."""

    device: str
    """Name of a device; `import` and `export` are the grid limits."""
    kind: str
    """`below` or `above` what was wished, `trip` energy from elsewhere, `missing` steps of runs."""
    step: int
    """At whose end; for runs, the step by which they had to be done."""
    wished: float
    """In the unit of the state; steps of runs; kW at the grid."""
    got: float
    cost: float
    """[cur]"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """Powers of a home and all that follows from them."""

    p_kw: Mapping[str, FloatArray]
    """Power of each device, load convention, [step]. [kW]"""
    states: Mapping[str, FloatArray]
    """Stores at the end of each step: kWh of batteries and vehicles, degC of heat, [step]."""
    net_kw: FloatArray
    """Power at the grid, import positive, [step]. [kW]"""
    bill: float
    """Import paid less export earned. [cur]"""
    device_cost: float
    """Fuel and wear. [cur]"""
    terminal_cost: float
    """What stores owe to the next day, see `gradmap.costs`; negative where more is left. [cur]"""
    wish_cost: float
    """Of broken wishes. [cur]"""
    deferred_cost: float
    """Energy of runs left for after the plan. [cur]"""
    comfort_k_h: float
    """Indoor temperature outside its band, at the ends of steps. [K h]"""
    unmet_kwh: float
    """Charge missing at departures, and on trips. [kWh]"""
    broken: tuple[Broken, ...]
    """Every broken wish."""

    @property
    def objective(self) -> float:
        """Return the sum of all costs [cur]."""
        money = self.bill + self.device_cost + self.terminal_cost
        return money + self.wish_cost + self.deferred_cost

    @property
    def import_kw(self) -> FloatArray:
        """Return the power drawn from the grid, [step] [kW]."""
        return np.maximum(self.net_kw, 0.0)

    @property
    def export_kw(self) -> FloatArray:
        """Return the power injected into the grid, [step] [kW]."""
        return np.maximum(-self.net_kw, 0.0)


def evaluate(
    home: Home,
    forecast: Forecast,
    p_kw: Mapping[str, FloatArray],
    *,
    state: State | None = None,
    weights: Weights | None = None,
) -> Evaluation:
    """Return what powers cost and break.

    Args:
        home: Devices and wishes.
        forecast: Prices, weather, base load and sun.
        p_kw: Power of every device by name, load convention, [step]; solar modules are `pv`. [kW]
        state: Where it begins; the devices' initial values if left out.
        weights: Costs of broken wishes.

    Raises:
        ScenarioError: A device is missing, or cannot do what is asked of it.
    """
    state = state or initial_state(home)
    check_state(home, state)
    home.check_steps(forecast.n_steps)
    check_powers(home, forecast, p_kw)
    penalties = (weights or Weights()).penalties(forecast.reference_price_per_kwh)
    stores = all_stores(home, forecast, state=state, penalties=penalties)
    states: dict[str, FloatArray] = {}
    broken: list[Broken] = []
    vehicles = {x.name: x for x in home.vehicles}
    for name, store in stores.items():
        states[name], elsewhere_kwh = _simulate(
            store, p_kw[name], start=state.stored[name], vehicle=vehicles.get(name)
        )
        check_states(name, store, states[name])
        broken += _broken_limits(name, store, states[name])
        if name in vehicles:
            price = trip_cost_per_kwh(store, forecast)
            broken += _broken_trips(vehicles[name], elsewhere_kwh, price)
    left_steps = {x.name: _left_steps(x, p_kw[x.name], state) for x in home.appliances}
    deferred = 0.0
    for appliance in home.appliances:
        cost = left_steps[appliance.name] * missing_cost_per_step(
            appliance, forecast, penalties=penalties
        )
        if is_deferrable(appliance, forecast.n_steps):
            deferred += cost
        elif left_steps[appliance.name]:
            broken.append(_broken_runs(appliance, left_steps[appliance.name], state, cost))
    net_kw = forecast.base_load_kw + sum(p_kw[name] for name in home.names)
    broken += _broken_grid(home, net_kw, price=forecast.dt_h * penalties.grid_limit_per_kwh)
    return Evaluation(
        p_kw=dict(p_kw),
        states=states,
        net_kw=net_kw,
        bill=_bill(forecast, net_kw),
        device_cost=_device_cost(home, forecast, p_kw),
        terminal_cost=sum(stores[x].terminal_cost(float(states[x][-1])) for x in stores),
        wish_cost=sum(x.cost for x in broken),
        deferred_cost=deferred,
        comfort_k_h=_comfort_k_h(home, stores, states, forecast.dt_h),
        unmet_kwh=_unmet_kwh(home, broken),
        broken=tuple(broken),
    )


def _simulate(
    store: Store, p_kw: FloatArray, *, start: float, vehicle: Vehicle | None
) -> tuple[FloatArray, FloatArray]:
    """Return the states at the ends of steps and, for vehicles, trip energy from elsewhere."""
    moved = store.gain * np.maximum(p_kw, 0.0) - store.loss * np.maximum(-p_kw, 0.0)
    states, elsewhere = np.empty(len(p_kw)), np.zeros(len(p_kw))
    value = start
    for step, (change, drift) in enumerate(zip(moved.tolist(), store.drift.tolist(), strict=True)):
        value = store.decay * value + drift
        if vehicle is not None and value < 0.0:
            elsewhere[step], value = -value, 0.0
        value += change
        states[step] = value
    return states, elsewhere


def _bill(forecast: Forecast, net_kw: FloatArray) -> float:
    buys = forecast.price_import_per_kwh * np.maximum(net_kw, 0.0)
    sells = forecast.price_export_per_kwh * np.maximum(-net_kw, 0.0)
    return float(forecast.dt_h * (buys - sells).sum())


def _device_cost(home: Home, forecast: Forecast, p_kw: Mapping[str, FloatArray]) -> float:
    """Return fuel and wear [cur]."""
    per_h = sum(x.wear_per_kwh * np.abs(p_kw[x.name]).sum() for x in home.batteries)
    for generator in home.generators:
        allowed = True if generator.allowed is None else generator.allowed
        per_h += (fuel_per_h(generator, -p_kw[generator.name]) * allowed).sum()
    return float(forecast.dt_h * per_h)


def _broken_limits(name: str, store: Store, states: FloatArray) -> list[Broken]:
    """Return the steps in which a store's wishes are broken."""
    found = []
    for kind, limit, gone, price in (
        (BELOW, store.low, store.low - states, store.below),
        (ABOVE, store.high, states - store.high, store.above),
    ):
        for step in np.flatnonzero((gone > NOISE) & np.isfinite(price)).tolist():
            found.append(
                Broken(
                    device=name,
                    kind=kind,
                    step=step,
                    wished=float(limit[step]),
                    got=float(states[step]),
                    cost=float(price[step] * gone[step]),
                )
            )
    return found


def _broken_trips(vehicle: Vehicle, elsewhere_kwh: FloatArray, price: float) -> list[Broken]:
    trip_kwh = np.asarray(vehicle.trip_kwh)
    return [
        Broken(
            device=vehicle.name,
            kind=TRIP,
            step=step,
            wished=float(trip_kwh[step]),
            got=float(trip_kwh[step] - elsewhere_kwh[step]),
            cost=float(price * elsewhere_kwh[step]),
        )
        for step in np.flatnonzero(elsewhere_kwh > NOISE).tolist()
    ]


def _left_steps(appliance: Shiftable, p_kw: FloatArray, state: State) -> int:
    """Return how many steps an appliance still owes at the end of the plan."""
    ran = int(np.count_nonzero(p_kw > 0.5 * appliance.power_kw))
    return max(state.owed_steps(appliance) - ran, 0)


def _broken_runs(appliance: Shiftable, left: int, state: State, cost: float) -> Broken:
    owed = state.owed_steps(appliance)
    return Broken(
        device=appliance.name,
        kind=MISSING,
        step=appliance.latest,
        wished=float(owed),
        got=float(owed - left),
        cost=cost,
    )


def _broken_grid(home: Home, net_kw: FloatArray, *, price: float) -> list[Broken]:
    found = []
    for name, limit_kw, power_kw in (
        (IMPORT, home.import_limit_kw, net_kw),
        (EXPORT, home.export_limit_kw, -net_kw),
    ):
        for step in np.flatnonzero(power_kw > limit_kw + NOISE).tolist():
            over_kw = float(power_kw[step]) - limit_kw
            found.append(
                Broken(
                    device=name,
                    kind=ABOVE,
                    step=step,
                    wished=limit_kw,
                    got=float(power_kw[step]),
                    cost=price * over_kw,
                )
            )
    return found


def _comfort_k_h(
    home: Home, stores: Mapping[str, Store], states: Mapping[str, FloatArray], dt_h: float
) -> float:
    total = 0.0
    for heater in home.heaters:
        store, temp_c = stores[heater.name], states[heater.name]
        total += np.maximum(store.low - temp_c, 0.0).sum()
        total += np.maximum(temp_c - store.high, 0.0).sum()
    return float(dt_h * total)


def _unmet_kwh(home: Home, broken: list[Broken]) -> float:
    leaves = {(x.name, step) for x in home.vehicles for step, _ in x.departures}
    return sum(x.wished - x.got for x in broken if x.kind == TRIP or (x.device, x.step) in leaves)
