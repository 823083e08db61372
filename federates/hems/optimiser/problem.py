"""The mixed-integer program of one home and plan, as arrays; see `docs/hems/optimiser.md`.

Power at the grid is split into import and export, each up to its limit and, at a high price,
beyond:

    i + i' - e - e' = base load + sum of draws - sum of gives

As long as import costs at least what export earns, no plan does both at once. Only in steps in
which export earns more a binary forbids it. Likewise a store charges and discharges at once only to
waste energy, which pays only where a price is negative or generation that cannot be curtailed
exceeds the export limit; only there it gets a binary (`waste_pays`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from federates.hems.optimiser.appliance_blocks import add_appliance, add_precedence
from federates.hems.optimiser.assembly import Arrays, Assembly, IndexArray
from federates.hems.optimiser.bus import CONSUMED, GENERATED, Bus, Flow
from federates.hems.optimiser.checks import BoolArray, FloatArray
from federates.hems.optimiser.device_blocks import (
    PairColumns,
    add_battery,
    add_generator,
    add_heating,
    add_vehicle,
)
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import Home, Shiftable
from federates.hems.optimiser.state import State, all_stores
from federates.hems.optimiser.weights import Penalties


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """Where the powers of each device are among the columns."""

    pairs: dict[str, PairColumns]
    """Batteries and vehicles."""
    heating: dict[str, IndexArray]
    """Heaters and tanks."""
    generators: dict[str, tuple[IndexArray, IndexArray]]
    """On/off and pieces."""
    appliances: dict[str, IndexArray]
    """Starts, or on/off."""
    pv: IndexArray | None
    imports: IndexArray
    """Power from the grid, up to its limit."""


class Program(NamedTuple):
    """What HiGHS gets, and how to read its answer."""

    arrays: Arrays
    places: Places


def running_load_kw(home: Home, state: State, n_steps: int) -> FloatArray:
    """Return the power of appliances begun before the plan, [step] [kW]."""
    total = np.zeros(n_steps)
    for appliance in home.appliances:
        total[: state.running.get(appliance.name, 0)] += appliance.power_kw
    return total


def waste_pays(home: Home, forecast: Forecast) -> BoolArray:
    """Return the steps in which charging and discharging at once could pay, [step]."""
    negative = (forecast.price_import_per_kwh < 0.0) | (forecast.price_export_per_kwh < 0.0)
    forced_kw = -forecast.base_load_kw
    if home.pv is not None and not home.pv.curtailable:
        forced_kw = forced_kw + forecast.pv_available_kw
    for generator in home.generators:
        if not generator.can_stop:
            forced_kw = forced_kw + generator.p_min_kw
    return np.asarray(negative | (forced_kw > home.export_limit_kw))


def build(
    home: Home,
    forecast: Forecast,
    *,
    state: State,
    penalties: Penalties,
    all_modes: bool = False,
) -> Program:
    """Return the program of a home.

    Args:
        home: Devices and wishes.
        forecast: Prices, weather, base load and sun.
        state: Where it begins.
        penalties: Costs of broken wishes.
        all_modes: Give stores a binary in every step, whether waste could pay or not.
    """
    asm, bus = Assembly(), Bus(n_steps=forecast.n_steps)
    stores = all_stores(home, forecast, state=state, penalties=penalties)
    modes = waste_pays(home, forecast) | all_modes
    # A vehicle doing both would look like a consumer that a bound battery may serve.
    bound = any(not x.discharge_to_grid or not x.charge_from_grid for x in home.batteries)
    pairs = {
        x.name: add_battery(
            asm, bus, x, store=stores[x.name], start_kwh=state.stored[x.name], modes=modes
        )
        for x in home.batteries
    }
    for vehicle in home.vehicles:
        pairs[vehicle.name] = add_vehicle(
            asm,
            bus,
            vehicle,
            store=stores[vehicle.name],
            start_kwh=state.stored[vehicle.name],
            modes=modes | bound,
            forecast=forecast,
        )
    heating = {
        x.name: add_heating(
            asm, bus, store=stores[x.name], start_c=state.stored[x.name], p_max_kw=x.p_max_kw
        )
        for x in home.thermal
    }
    generators = {x.name: add_generator(asm, bus, x, dt_h=forecast.dt_h) for x in home.generators}
    appliances = _appliances(asm, bus, home, forecast, state=state, penalties=penalties)
    pv = _add_pv(asm, bus, home, forecast)
    load_kw = forecast.base_load_kw + running_load_kw(home, state, forecast.n_steps)
    imports = _add_grid(asm, bus, home, forecast, load_kw=load_kw, penalties=penalties)
    _add_permissions(asm, bus, home, pairs, load_kw=load_kw)
    places = Places(
        pairs=pairs,
        heating=heating,
        generators=generators,
        appliances=appliances,
        pv=pv,
        imports=imports,
    )
    return Program(asm.arrays(), places)


def _appliances(
    asm: Assembly,
    bus: Bus,
    home: Home,
    forecast: Forecast,
    *,
    state: State,
    penalties: Penalties,
) -> dict[str, IndexArray]:
    """Add all appliances and their order."""
    by_name: dict[str, tuple[Shiftable, IndexArray]] = {}
    for x in home.appliances:
        begin = add_appliance(asm, bus, x, state=state, forecast=forecast, penalties=penalties)
        by_name[x.name] = (x, begin)
    for x, begin in by_name.values():
        if x.after is not None:
            add_precedence(asm, later=(x, begin), earlier=by_name[x.after], state=state)
    return {name: begin for name, (_, begin) in by_name.items()}


def _add_pv(asm: Assembly, bus: Bus, home: Home, forecast: Forecast) -> IndexArray | None:
    """Add what the modules deliver."""
    if home.pv is None:
        return None
    available_kw = forecast.pv_available_kw
    lowest_kw = 0.0 if home.pv.curtailable else available_kw
    pv = asm.columns(bus.n_steps, low=lowest_kw, high=available_kw)
    bus.gives(GENERATED, pv, available_kw)
    return pv


def _add_grid(
    asm: Assembly,
    bus: Bus,
    home: Home,
    forecast: Forecast,
    *,
    load_kw: FloatArray,
    penalties: Penalties,
) -> IndexArray:
    """Add import, export, what exceeds their limits, the balance and where needed the binary.

    Return the columns of import.
    """
    n, dt_h = forecast.n_steps, forecast.dt_h
    buys, sells = dt_h * forecast.price_import_per_kwh, dt_h * forecast.price_export_per_kwh
    fuse = dt_h * penalties.grid_limit_per_kwh
    imports = asm.columns(n, cost=buys, high=home.import_limit_kw)
    imports_over = asm.columns(n, cost=buys + fuse)
    exports = asm.columns(n, cost=-sells, high=home.export_limit_kw)
    exports_over = asm.columns(n, cost=-sells + fuse)
    balance = asm.rows(n, low=load_kw, high=load_kw)
    asm.put(balance, np.array([imports, imports_over]), 1.0)
    asm.put(balance, np.array([exports, exports_over]), -1.0)
    for flow in bus.flows:
        asm.put(balance[flow.step], flow.column, -np.asarray(flow.value))
    both_pay = forecast.price_export_per_kwh > forecast.price_import_per_kwh
    if not both_pay.any():
        return imports
    import_max_kw, export_max_kw = load_kw + bus.drawn_max_kw, bus.given_max_kw
    direction = asm.columns(n, high=1.0, integer=both_pay)
    rows = asm.rows(n, low=-np.inf, high=np.where(both_pay, 0.0, np.inf))
    asm.put(rows, np.array([imports, imports_over]), 1.0)
    asm.put(rows, direction, -import_max_kw)
    rows = asm.rows(n, low=-np.inf, high=np.where(both_pay, export_max_kw, np.inf))
    asm.put(rows, np.array([exports, exports_over]), 1.0)
    asm.put(rows, direction, export_max_kw)
    return imports


def _add_permissions(
    asm: Assembly, bus: Bus, home: Home, pairs: dict[str, PairColumns], *, load_kw: FloatArray
) -> None:
    """Bound batteries that may not charge from, or discharge to, the grid."""
    n = bus.n_steps
    draws = [x for x in bus.flows if x.kind == CONSUMED]
    gives = [x for x in bus.flows if x.kind == GENERATED]
    discharging = [pairs[x.name].given for x in home.batteries if not x.discharge_to_grid]
    charging = [pairs[x.name].drawn for x in home.batteries if not x.charge_from_grid]
    if discharging:
        _put_below(asm, asm.rows(n, low=-np.inf, high=load_kw), discharging, draws, sign=-1.0)
    if charging:
        _put_below(asm, asm.rows(n, low=-np.inf, high=0.0), charging, gives, sign=1.0)


def _put_below(
    asm: Assembly,
    rows: IndexArray,
    batteries: list[IndexArray],
    flows: list[Flow],
    *,
    sign: float,
) -> None:
    """Fill rows `sum of batteries <= sum of flows + constant`."""
    asm.put(rows, np.array(batteries), 1.0)
    for flow in flows:
        asm.put(rows[flow.step], flow.column, sign * np.asarray(flow.value))
