"""Feasibility of machines, tank and battery, see `feasibility`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from federates.hems.parameters.building import HOT_WATER_COP
from federates.hems.parameters.choices import APPLIANCES
from federates.hems.parameters.conflict import Conflict
from federates.hems.parameters.slot import Span, Values
from federates.hems.parameters.stored import (
    MINUTES_PER_DAY,
    clock_min,
    number,
    text,
    window_min,
)

NIGHT: Final = Span(start="23:00", end="06:00")
"""When machines that may not run at night are silent. [J]"""
SHOWER_KWH: Final = 2.1
"""Heat of a shower: 8 minutes of 8 L/min at 38 degC from 10 degC. [kWh]"""
COLD_WATER_C: Final = 10.0
"""Mains water; SAP 2012 has 8 to 18 over the year. [degC]"""
REHEAT_H: Final = 8.0
"""From the last shower of a day until `ready_by`. [J] [h]"""
MOST_C_RATE: Final = 3.0
"""Highest power over capacity of home batteries on the market; above it, kW and kWh are swapped."""
_WATER_KWH_PER_L_K: Final = 1.163e-3
_HOURS_PER_DAY: Final = 24.0
_ROUNDING: Final = 1e-9


def appliance_conflicts(known: Values) -> Iterator[Conflict]:
    """Every programme fits between earliest start and latest finish, quiet nights left out."""
    for kind in APPLIANCES:
        at = f"appliances.{kind}"
        start, finish = text(known, f"{at}.earliest_start"), text(known, f"{at}.latest_finish")
        needed = number(known, f"{at}.duration_min")
        if start is None or finish is None or needed is None:
            continue
        quiet = known.get(f"{at}.night_ok") is False
        available = longest_run_min(start, finish, quiet=NIGHT if quiet else None)
        if needed <= available:
            continue
        at_night = f" outside {NIGHT['start']} to {NIGHT['end']}" if quiet else ""
        name = kind.replace("_", " ")
        yield Conflict(
            rule="appliance_window",
            keys=(f"{at}.earliest_start", f"{at}.latest_finish", f"{at}.duration_min"),
            needed=needed,
            available=float(available),
            unit="min",
            question=f"The {name} needs {needed:g} minutes, but from {start} to {finish}{at_night} "
            f"there are only {available:g} in one go. When may it run?",
            resolve=(
                f"{at}.latest_finish",
                f"{at}.earliest_start",
                *((f"{at}.night_ok",) if quiet else ()),
                f"{at}.duration_min",
            ),
        )


def longest_run_min(start: str, finish: str, *, quiet: Span | None = None) -> int:
    """Return the longest stretch from a start to a finish without quiet hours. [min]

    Args:
        start: Earliest start.
        finish: Latest finish; the same clock is a day later.
        quiet: Hours in which nothing may run.
    """
    length = window_min(start, finish)
    if quiet is None:
        return length
    first, silent = clock_min(quiet["start"]), window_min(quiet["start"], quiet["end"])
    longest = run = 0
    for minute in range(clock_min(start), clock_min(start) + length):
        run = 0 if (minute - first) % MINUTES_PER_DAY < silent else run + 1
        longest = max(longest, run)
    return longest


def hot_water_conflicts(known: Values) -> Iterator[Conflict]:
    """The tank is hot when it should be, a day's showers can be heated, and limits are in order."""
    set_c, most_c = number(known, "hot_water.temp_set_c"), number(known, "hot_water.temp_max_c")
    electric = known.get("hot_water.kind") in ("resistive", "heat_pump")
    if not electric or set_c is None or most_c is None:
        return
    if set_c > most_c:
        yield Conflict(
            rule="hot_water_limits",
            keys=("hot_water.temp_set_c", "hot_water.temp_max_c"),
            needed=set_c,
            available=most_c,
            unit="degC",
            question=f"The tank is set to {set_c:g} degrees, but may get no hotter than {most_c:g} "
            f"degrees. Which is right?",
            resolve=("hot_water.temp_max_c", "hot_water.temp_set_c"),
        )
    yield from _hot_water_in_time(known, set_c=set_c)


def _hot_water_in_time(known: Values, *, set_c: float) -> Iterator[Conflict]:
    """The heater warms what a day's showers take, from the tank overnight and in all in a day."""
    volume, power = number(known, "hot_water.volume_l"), number(known, "hot_water.power_kw")
    showers, ready = number(known, "hot_water.showers_per_day"), text(known, "hot_water.ready_by")
    if volume is None or power is None or showers is None or ready is None:
        return
    heat_kw = power * (HOT_WATER_COP if known["hot_water.kind"] == "heat_pump" else 1.0)
    day_kwh = showers * SHOWER_KWH
    tank_kwh = volume * _WATER_KWH_PER_L_K * (set_c - COLD_WATER_C)
    for needed, hours, until in (
        (min(day_kwh, tank_kwh), REHEAT_H, f"the {REHEAT_H:g} hours before {ready}"),
        (day_kwh, _HOURS_PER_DAY, "a whole day"),
    ):
        available = heat_kw * hours
        if needed > available + _ROUNDING:
            yield Conflict(
                rule="hot_water_in_time",
                keys=(
                    "hot_water.power_kw",
                    "hot_water.showers_per_day",
                    "hot_water.volume_l",
                    "hot_water.ready_by",
                ),
                needed=needed,
                available=available,
                unit="kWh",
                question=f"{showers:g} showers a day take {needed:.0f} kWh of hot water, but in "
                f"{until} your heater makes only {available:.0f} kWh. Is its power right?",
                resolve=(
                    "hot_water.power_kw",
                    "hot_water.showers_per_day",
                    "hot_water.volume_l",
                ),
            )
            return


def battery_conflicts(known: Values) -> Iterator[Conflict]:
    """Power and capacity are plausible together; swapped units are the usual slip."""
    capacity, power = number(known, "battery.capacity_kwh"), number(known, "battery.power_kw")
    if capacity is None or power is None or power <= MOST_C_RATE * capacity:
        return
    yield Conflict(
        rule="battery_power",
        keys=("battery.power_kw", "battery.capacity_kwh"),
        needed=power,
        available=MOST_C_RATE * capacity,
        unit="kW",
        question=f"A battery of {capacity:g} kWh cannot give {power:g} kW. Which is the capacity "
        f"in kWh, and which the power in kW?",
        resolve=("battery.capacity_kwh", "battery.power_kw"),
    )
