"""Daily habits of an interviewed home as masks over the steps of a plan, by local wall clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from federates.hems.optimiser.checks import BoolArray, FloatArray
from federates.hems.parameters.devices import Ev, Interval
from federates.hems.parameters.stored import clock_min

HOURS_PER_DAY: Final = 24.0
DAYS_PER_WEEK: Final = 7
SATURDAY: Final = 5
_MINUTES_PER_HOUR = 60.0
_TINY_H = 1e-6  # wall-clock hours are multiples of the step up to rounding


@dataclass(frozen=True, kw_only=True, eq=False)
class Steps:
    """When the steps of a plan begin, by local wall clock."""

    hour: FloatArray
    """Hour of the day, [step]. [h]"""
    day_of_week: FloatArray
    """0 is Monday, [step]."""
    dt_h: float
    """Step length. [h]"""

    @property
    def n_steps(self) -> int:
        """Return the number of steps."""
        return len(self.hour)

    @property
    def weekend(self) -> BoolArray:
        """Return which steps begin on a Saturday or Sunday, [step]."""
        return np.asarray(self.day_of_week >= SATURDAY)


def clock_h(clock: str) -> float:
    """Return the hour of "HH:MM" [h]."""
    return clock_min(clock) / _MINUTES_PER_HOUR


def inside(spans: Sequence[Interval], hour: FloatArray) -> BoolArray:
    """Return which steps begin inside any of the daily spans, [step]."""
    minute = np.floor((hour + _TINY_H) * _MINUTES_PER_HOUR)
    mask = np.zeros(len(hour), dtype=np.bool_)
    for span in spans:
        start, end = clock_min(span.start), clock_min(span.end)
        within = (minute >= start), (minute < end)
        mask |= within[0] & within[1] if start < end else within[0] | within[1]
    return mask


@dataclass(frozen=True, kw_only=True)
class CarUse:
    """When an interviewed home's car is away, and what a day's driving takes."""

    departure_h: float
    arrival_h: float
    weekend: bool
    """Whether it is driven on Saturdays and Sundays, too."""
    trip_kwh: float

    @classmethod
    def of(cls, ev: Ev, *, kwh_per_km: float) -> CarUse:
        """Return the use of a car.

        Args:
            ev: The car.
            kwh_per_km: Its consumption. [kWh/km]
        """
        return cls(
            departure_h=clock_h(ev.departure),
            arrival_h=clock_h(ev.arrival),
            weekend=ev.weekend_use == "same",
            trip_kwh=kwh_per_km * ev.daily_distance_km,
        )

    @property
    def overnight(self) -> bool:
        """Return whether it comes home on the day after it left."""
        return self.arrival_h <= self.departure_h

    def driven(self, day_of_week: FloatArray) -> BoolArray:
        """Return whether it leaves on these days of the week."""
        return np.asarray((day_of_week < SATURDAY) | self.weekend)

    def away(self, steps: Steps) -> BoolArray:
        """Return the steps in which it is away, [step].

        It leaves with the step that holds the departure and is back with the one that holds the
        arrival, but is away for at least one.
        """
        leaves, back = (
            np.floor((at + _TINY_H) / steps.dt_h) * steps.dt_h
            for at in (self.departure_h, self.arrival_h)
        )
        hour, today = steps.hour + _TINY_H, self.driven(steps.day_of_week)
        if not self.overnight:
            back = max(back, leaves + steps.dt_h)
            return np.asarray(today & (hour >= leaves) & (hour < back))
        yesterday = self.driven((steps.day_of_week - 1) % DAYS_PER_WEEK)
        return np.asarray((today & (hour >= leaves)) | (yesterday & (hour < back)))
