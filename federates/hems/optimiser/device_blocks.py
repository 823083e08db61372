"""Columns and rows of each kind of device.

Every block returns the numbers of its columns and adds what it draws from and gives to the home's
bus; `problem` closes the balance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from federates.hems.optimiser.assembly import Assembly, IndexArray
from federates.hems.optimiser.bus import BATTERY, CONSUMED, GENERATED, Bus, Flow
from federates.hems.optimiser.checks import BoolArray, FloatArray
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import Battery, Generator, Vehicle
from federates.hems.optimiser.physics import (
    Store,
    fuel_segments,
    least_fuel_per_h,
    trip_cost_per_kwh,
)


class StoreColumns(NamedTuple):
    """Columns of a store's wished state, of less and of more."""

    inside: IndexArray
    less: IndexArray
    more: IndexArray


def add_store(
    asm: Assembly, store: Store, *, start: float, least: float = -np.inf
) -> tuple[StoreColumns, IndexArray]:
    """Add a store's states and its recurrence; return the columns and the rows, [step].

    The state is s = inside - less + more with low <= inside <= high. Where the wishes contradict
    each other (low > high), every state between them breaks both: `inside` moves between them at
    the difference of the costs, and what is broken anyway is added to the objective. A limit that
    is no wish (infinite cost) cuts a wish beyond it.

    Args:
        asm: Program to add to.
        store: What to add.
        start: State before the first step.
        least: Lowest possible state.
    """
    n = len(store.low)
    hard = np.isinf(store.above)
    crossed = (store.low > store.high) & ~hard
    capped = (store.low > store.high) & hard
    bottom = np.minimum(store.low, store.high)
    top = np.where(hard, store.high, np.maximum(store.low, store.high))
    below = np.where(np.isinf(store.below), 0.0, store.below)
    above = np.where(hard, 0.0, store.above)
    end = np.zeros(n)
    if store.missing_worth == store.surplus_worth:
        end[-1] = -store.missing_worth
        asm.offset += store.missing_worth * store.reference
    asm.offset += float((below * store.low - above * store.high)[crossed].sum())
    asm.offset += float((below * (store.low - store.high))[capped].sum())
    inside = asm.columns(n, cost=end + crossed * (above - below), low=bottom, high=top)
    room = np.where(np.isinf(store.below), 0.0, np.maximum(bottom - least, 0.0))
    less = asm.columns(n, cost=below - end, high=room)
    more = asm.columns(n, cost=above + end, high=np.where(hard, 0.0, np.inf))
    drift = store.drift.copy()
    drift[0] += store.decay * start
    rows = asm.rows(n, low=drift, high=drift)
    for columns, sign in ((inside, 1.0), (less, -1.0), (more, 1.0)):
        asm.put(rows, columns, sign)
        asm.put(rows[1:], columns[:-1], -sign * store.decay)
    if store.missing_worth != store.surplus_worth:
        _add_kinked_end(asm, store, inside[-1:])
    return StoreColumns(inside, less, more), rows


def _add_kinked_end(asm: Assembly, store: Store, last: IndexArray) -> None:
    """Add the worth of the last state: surplus counts less than what is missing costs."""
    split = asm.columns(2, cost=np.array([store.missing_worth, -store.surplus_worth]))
    row = asm.rows(1, low=store.reference, high=store.reference)
    asm.put(row, last, 1.0)
    asm.put(row, split, np.array([1.0, -1.0]))


class PairColumns(NamedTuple):
    """Columns of power drawn and given back."""

    drawn: IndexArray
    given: IndexArray


def add_battery(
    asm: Assembly, bus: Bus, battery: Battery, *, store: Store, start_kwh: float, modes: BoolArray
) -> PairColumns:
    """Add a battery; `modes` are the steps in which a binary keeps it from doing both at once."""
    n, wear = bus.n_steps, battery.wear_per_kwh * float(store.gain[0]) / battery.eta_charge
    drawn = asm.columns(n, cost=wear, high=battery.p_charge_max_kw)
    given = asm.columns(n, cost=wear, high=battery.p_discharge_max_kw)
    _, rows = add_store(asm, store, start=start_kwh)
    asm.put(rows, drawn, -store.gain)
    asm.put(rows, given, store.loss)
    bus.draws(BATTERY, drawn, battery.p_charge_max_kw)
    bus.gives(BATTERY, given, battery.p_discharge_max_kw)
    add_modes(
        asm,
        ((drawn, battery.p_charge_max_kw), (given, battery.p_discharge_max_kw)),
        modes=modes,
    )
    return PairColumns(drawn, given)


def add_modes(
    asm: Assembly,
    sides: tuple[tuple[IndexArray, FloatArray | float], tuple[IndexArray, FloatArray | float]],
    *,
    modes: BoolArray,
) -> None:
    """Keep two sides of a pair from being used at once in the steps `modes`, by a binary.

    Without any such step nothing is added; else in the other steps the rows are open.
    """
    if not modes.any():
        return
    n = len(modes)
    mode = asm.columns(n, high=1.0, integer=modes)
    (first, first_kw), (second, second_kw) = sides
    rows = asm.rows(n, low=-np.inf, high=np.where(modes, 0.0, np.inf))
    asm.put(rows, first, 1.0)
    asm.put(rows, mode, -np.asarray(first_kw))
    rows = asm.rows(n, low=-np.inf, high=np.where(modes, second_kw, np.inf))
    asm.put(rows, second, 1.0)
    asm.put(rows, mode, np.asarray(second_kw))


def add_vehicle(
    asm: Assembly,
    bus: Bus,
    vehicle: Vehicle,
    *,
    store: Store,
    start_kwh: float,
    modes: BoolArray,
    forecast: Forecast,
) -> PairColumns:
    """Add a vehicle; a trip beyond its charge takes the rest from elsewhere, at a high price."""
    n = bus.n_steps
    drawn_kw = np.where(vehicle.plugged_in, vehicle.charger_kw, 0.0)
    given_kw = np.where(vehicle.plugged_in, vehicle.v2g_kw, 0.0)
    drawn = asm.columns(n, high=drawn_kw)
    energy, rows = add_store(asm, store, start=start_kwh, least=0.0)
    asm.put(rows, drawn, -store.gain)
    bus.draws(CONSUMED, drawn, drawn_kw)
    trip_kwh = np.asarray(vehicle.trip_kwh)
    elsewhere = asm.columns(n, cost=trip_cost_per_kwh(store, forecast), high=trip_kwh)
    asm.put(rows, elsewhere, -1.0)
    # A trip is over before the vehicle charges: energy before + elsewhere >= trip.
    needed = np.where(trip_kwh > 0.0, trip_kwh, -np.inf)
    needed[0] -= start_kwh
    rows_trip = asm.rows(n, low=needed, high=np.inf)
    asm.put(rows_trip, elsewhere, 1.0)
    asm.put(rows_trip[1:], energy.inside[:-1], 1.0)
    asm.put(rows_trip[1:], energy.less[:-1], -1.0)
    if vehicle.v2g_kw <= 0.0:
        return PairColumns(drawn, drawn[:0])
    given = asm.columns(n, high=given_kw)
    asm.put(rows, given, store.loss)
    bus.gives(GENERATED, given, given_kw)
    add_modes(asm, ((drawn, drawn_kw), (given, given_kw)), modes=modes)
    return PairColumns(drawn, given)


def add_heating(
    asm: Assembly, bus: Bus, *, store: Store, start_c: float, p_max_kw: float
) -> IndexArray:
    """Add a heater or a tank; return its power."""
    drawn = asm.columns(bus.n_steps, high=p_max_kw)
    _, rows = add_store(asm, store, start=start_c)
    asm.put(rows, drawn, -store.gain)
    bus.draws(CONSUMED, drawn, p_max_kw)
    return drawn


def add_generator(
    asm: Assembly, bus: Bus, generator: Generator, *, dt_h: float
) -> tuple[IndexArray, IndexArray]:
    """Add a generator; return its on/off columns [step] and those of pieces [piece, step].

    Pieces open in proportion to on/off, which makes the relaxation as tight as it can be. On/off is
    a binary only where standing still and least output differ.
    """
    n = bus.n_steps
    allowed = np.ones(n, np.bool_) if generator.allowed is None else generator.allowed
    switched = generator.can_stop and generator.p_min_kw > 0.0
    on = asm.columns(
        n,
        cost=dt_h * least_fuel_per_h(generator),
        low=allowed * (0.0 if switched else 1.0),
        high=allowed * 1.0,
        integer=allowed & switched,
    )
    widths, slopes = fuel_segments(generator)
    pieces = []
    for width_kw, slope in zip(widths, slopes, strict=True):
        piece = asm.columns(n, cost=dt_h * slope, high=allowed * width_kw)
        bus.gives(GENERATED, piece, allowed * width_kw)
        pieces.append(piece)
    found = np.array(pieces)
    if switched:
        rows = asm.rows(n, low=-np.inf, high=0.0)
        asm.put(rows[None, :], found, 1.0)
        asm.put(rows, on, -float(widths.sum()))
    bus.flows.append(Flow(GENERATED, np.arange(n), on, -generator.p_min_kw))
    bus.given_max_kw += allowed * generator.p_min_kw
    return on, found
