"""Electric vehicles: when each is at home, and what its trips cost.

One round trip a day at most, out and back on the same local day. Times and energies are spread like
those of national travel surveys: about 80 % of cars move on a working day, most commute, and the
mean driven day is near 45 km at 0.18 kWh/km.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from federates.hems.adapters.hours import CarUse
from scenarios.clock import Clock, DayBlock
from scenarios.profiles.randomness import Draws, Year, household_uniforms

Floats = NDArray[np.float64]

N_DRAWS = 16
LOOKAHEAD_DAYS = 3
MAX_DEPARTURE_H = 48.0
USABLE_SHARE = 0.7  # a trip takes at most this share of the battery
SATURDAY = 5
LATEST_RETURN_H = 23.75


@dataclass(frozen=True, kw_only=True)
class EvFleet:
    """Electric vehicles; all of shape [agent]."""

    household: NDArray[np.int64]
    """Row of the owner in the households table."""
    slot: NDArray[np.int64]
    """Number of the vehicle within its household."""
    e_max_kwh: Floats
    """Battery."""
    habits: tuple[CarUse | None, ...] = ()
    """How cars of interviewed homes are used, instead of drawn trips; empty: all are drawn."""

    @property
    def any_overnight(self) -> bool:
        """Whether some car comes home on the day after it left."""
        return any(habit is not None and habit.overnight for habit in self.habits)


@dataclass(frozen=True, kw_only=True)
class EvDay:
    """Vehicles on the steps of a day [step, agent]."""

    plugged_in: Floats
    """1 at home, 0 away."""
    trip_kwh: Floats
    """Energy that the trip took from the battery, at the step of arrival. [kWh]"""
    departure_h: Floats
    """Time until the next departure, 0 while away, at most 48. [h]"""


@dataclass(frozen=True, kw_only=True)
class _Trips:
    """Trips of one local day [agent]."""

    leave_step: Floats
    """Number of the step of departure; inf without a trip."""
    back_step: Floats
    """Number of the step of arrival; inf without a trip."""
    kwh: Floats


def ev_day(block: DayBlock, fleet: EvFleet, *, clock: Clock, seed: int, split: Year) -> EvDay:
    """Return presence, trips and next departures of a day's steps."""
    days = [
        _trips(block.date + timedelta(days=ahead), fleet, clock=clock, seed=seed, split=split)
        for ahead in range(LOOKAHEAD_DAYS)
    ]
    begun = [days[0]]
    if fleet.any_overnight:
        yesterday = block.date - timedelta(days=1)
        begun.append(_trips(yesterday, fleet, clock=clock, seed=seed, split=split))
    step = np.arange(block.first, block.stop, dtype=np.float64)[:, None]
    away = np.zeros((len(step), len(fleet.e_max_kwh)), dtype=np.bool_)
    trip_kwh = np.zeros(away.shape)
    for trips in begun:
        away |= (step >= trips.leave_step) & (step < trips.back_step)
        trip_kwh += np.where(step == trips.back_step, trips.kwh, 0.0)
    next_step = np.full(away.shape, np.inf)
    for trips in days:
        ahead = np.where(trips.leave_step > step, trips.leave_step, np.inf)
        next_step = np.minimum(next_step, ahead)
    hours = np.minimum((next_step - step) * clock.dt_h, MAX_DEPARTURE_H)
    return EvDay(
        plugged_in=np.where(away, 0.0, 1.0),
        trip_kwh=trip_kwh,
        departure_h=np.where(away, 0.0, hours),
    )


def _trips(day: date, fleet: EvFleet, *, clock: Clock, seed: int, split: Year) -> _Trips:
    """Draw one day's trips."""
    d = Draws(
        household_uniforms(
            "ev trips",
            seed=seed,
            split=split,
            day=day,
            n_draws=N_DRAWS,
            households=fleet.household,
            slots=fleet.slot,
        )
    )
    if day.weekday() < SATURDAY:
        driven = d.chance(0.80)
        commutes = d.chance(0.70)
        leave = np.where(commutes, d.normal(8.0, 0.8), d.uniform(9.0, 18.0))
        back = leave + np.where(commutes, d.normal(9.6, 1.2), d.uniform(0.7, 4.0))
    else:
        driven = d.chance(0.65)
        leave = d.normal(11.5, 2.2)
        back = leave + d.uniform(1.0, 6.0)
    leave = np.clip(leave, 5.0, 20.0)
    back = np.clip(back, leave + 0.5, LATEST_RETURN_H)
    kwh = np.minimum(np.exp(d.normal(np.log(6.3), 0.7))[:, 0], USABLE_SHARE * fleet.e_max_kwh)
    leave_step = np.floor(clock.seconds_at(day, leave[:, 0]) / clock.dt_s)
    back_step = np.floor(clock.seconds_at(day, back[:, 0]) / clock.dt_s)
    back_step = np.maximum(back_step, leave_step + 1)
    return _with_habits(
        _Trips(
            leave_step=np.where(driven[:, 0], leave_step, np.inf),
            back_step=np.where(driven[:, 0], back_step, np.inf),
            kwh=kwh,
        ),
        fleet.habits,
        day=day,
        clock=clock,
    )


def _with_habits(
    trips: _Trips, habits: tuple[CarUse | None, ...], *, day: date, clock: Clock
) -> _Trips:
    """Return the trips with those of interviewed homes' cars in place of drawn ones."""
    rows = [row for row, habit in enumerate(habits) if habit is not None]
    if not rows:
        return trips
    leave_step, back_step, kwh = trips.leave_step, trips.back_step, trips.kwh
    for row in rows:
        habit = habits[row]
        assert habit is not None
        leave_step[row] = back_step[row] = np.inf
        kwh[row] = habit.trip_kwh
        if bool(habit.driven(np.array([day.weekday()]))[0]):
            home_day = day + timedelta(days=habit.overnight)
            leave_step[row] = _step_at(day, habit.departure_h, clock)
            back_step[row] = max(_step_at(home_day, habit.arrival_h, clock), leave_step[row] + 1.0)
    return _Trips(leave_step=leave_step, back_step=back_step, kwh=kwh)


def _step_at(day: date, hour: float, clock: Clock) -> float:
    """Return the step that holds an hour of a day."""
    return float(np.floor(clock.seconds_at(day, np.array([hour]))[0] / clock.dt_s))
