"""What the people of an interviewed home want of its devices, over the steps of a plan."""

from __future__ import annotations

import numpy as np

from federates.hems.adapters.hours import Steps, inside
from federates.hems.optimiser.checks import BoolArray, FloatArray
from federates.hems.parameters.models import HomeParameters

KIND_OF_DEVICE = {
    "battery": "battery",
    "heat_pump": "heat_pump",
    "generator": "generator",
    "ev": "ev_charger",
}
"""The householder's word to gradmap's device kind, where there is one."""


def comfort_band_c(home: HomeParameters, steps: Steps) -> tuple[FloatArray, FloatArray]:
    """Return lowest and highest wished indoor temperature at the ends of steps, [step] [degC].

    At home, the temperature wanted by day or by night; away, the coldest allowed. The warmest
    allowed always holds. A step's end is the start of the next one, whose wish it has to meet.
    """
    comfort = home.comfort
    hour = (steps.hour + steps.dt_h) % 24.0
    by_day = np.ones(steps.n_steps, dtype=np.bool_)
    if comfort.day_hours is not None:
        by_day = inside(comfort.day_hours, hour)
    wanted = np.where(by_day, comfort.temp_day_c, comfort.temp_night_c)
    low = np.where(at_home(home, steps), wanted, comfort.temp_min_c)
    return np.maximum(low, comfort.temp_min_c), np.full(steps.n_steps, comfort.temp_max_c)


def at_home(home: HomeParameters, steps: Steps) -> BoolArray:
    """Return whether somebody is at home at the ends of steps, [step]."""
    hour = (steps.hour + steps.dt_h) % 24.0
    next_day = hour < steps.hour
    weekday = (steps.day_of_week + next_day) % 7 < 5
    household = home.household
    usual, weekend = inside(household.home_weekday, hour), inside(household.home_weekend, hour)
    return np.where(weekday, usual, weekend)


def generator_hours(home: HomeParameters, steps: Steps) -> BoolArray | None:
    """Return when the generator may run, [step]; None without one."""
    if home.generator is None:
        return None
    return inside(home.generator.allowed_hours, steps.hour)


def untouched_kinds(home: HomeParameters) -> frozenset[str]:
    """Return gradmap's kinds of the devices that nobody may control."""
    named = home.flexibility.never_touch
    kinds = {KIND_OF_DEVICE[name] for name in named if name in KIND_OF_DEVICE}
    return frozenset(kinds)
