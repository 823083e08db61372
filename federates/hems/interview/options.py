"""Menus: a few values to choose from where words did not help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from federates.hems.parameters.slot import Slot, SlotKind, Value
from federates.hems.parameters.slots_home import WHOLE_DAY
from federates.hems.parameters.stored import MINUTES_PER_DAY, checked, clock_min
from gradmap.errors import ScenarioError

_MAX_COUNT: Final = 7
_MOST_COUNTED: Final = 24
_FACTORS: Final = (0.5, 0.75, 1.0, 1.5, 2.0)
_UP_TO_SEVEN: Final = tuple(range(8))
_BY_KEY: Final[Mapping[str, tuple[float, ...]]] = {
    "household.built_year": (1890, 1915, 1940, 1960, 1975, 1990, 2005, 2018),
    "household.floor_area_m2": (45, 65, 90, 120, 160, 220),
    "household.import_limit_kw": (9, 14, 18, 23),
    "household.export_limit_kw": (3.68, 5, 7.4, 11, 14),
    "heating.cop_nominal": (2.5, 3, 3.5, 4, 4.5),
    "hot_water.volume_l": (100, 120, 150, 180, 210, 250, 300),
    "hot_water.power_kw": (1.5, 2, 3, 4.5, 6),
    "hot_water.showers_per_day": _UP_TO_SEVEN,
    "battery.capacity_kwh": (5, 7, 10, 13.5, 20),
    "battery.power_kw": (2.5, 3.6, 5, 7, 10),
    "battery.reserve": (0, 0.05, 0.1, 0.2, 0.3),
    "pv.peak_kw": (2, 3, 4, 5, 6, 8),
    "pv.tilt_deg": (10, 20, 30, 35, 45, 60),
    "flexibility.max_events_per_week": _UP_TO_SEVEN,
    "flexibility.notice_min": (0, 30, 60, 120, 720, 1440),
    "flexibility.comfort_slack_k": (0, 0.5, 1, 1.5, 2, 3),
}
_BY_NAME: Final[Mapping[str, tuple[float, ...]]] = {
    "capacity_kwh": (30, 40, 50, 60, 77, 100),
    "charger_kw": (2.3, 3.7, 7.4, 11, 22),
    "target": (0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    "daily_distance_km": (10, 20, 30, 40, 60, 80, 120),
    "runs_per_week": _UP_TO_SEVEN,
    "eta_charge": (0.85, 0.9, 0.95, 0.98),
    "eta_discharge": (0.85, 0.9, 0.95, 0.98),
}
"""What is on the market or common; other numbers lie around the default. By key, then by name."""


def options_of(item: Slot, *, default: Value | None) -> tuple[Value, ...]:
    """Return values to choose from; none where a menu makes no sense, such as a car's model.

    Args:
        item: The slot.
        default: What will be taken if nothing is chosen.
    """
    values: tuple[object, ...] = _BY_KEY.get(item.key) or _BY_NAME.get(item.name) or ()
    if values:
        return _fitting(item, values)
    match item.kind:
        case SlotKind.BOOLEAN:
            values = (True, False)
        case SlotKind.CHOICE:
            values = item.choices
        case SlotKind.INTEGER if (item.high or 0) <= _MOST_COUNTED:
            values = tuple(range(1, min(_MAX_COUNT, int(item.high or 0)) + 1))
        case SlotKind.CHOICES | SlotKind.TEXT:
            pass
        case _ if default is None:
            pass
        case SlotKind.INTERVALS:
            values = (default, WHOLE_DAY)
        case SlotKind.CLOCK:
            values = _clocks(str(default))
        case _:
            values = _numbers(item, default)
    return _fitting(item, values)


def _clocks(default: str) -> tuple[str, ...]:
    around = [(clock_min(default) + shift) % MINUTES_PER_DAY for shift in range(-180, 181, 60)]
    return tuple(f"{minute // 60:02d}:{minute % 60:02d}" for minute in around)


def _numbers(item: Slot, default: Value) -> tuple[float, ...]:
    """Return numbers around the default, temperatures by steps of a degree."""
    middle = float(cast(float, default))
    if item.kind is SlotKind.TEMPERATURE_C:
        return tuple(middle + shift for shift in (-2, -1, 0, 1, 2))
    if middle == 0:
        return ()
    return tuple(float(f"{middle * factor:.2g}") for factor in _FACTORS)


def _fitting(item: Slot, values: Sequence[object]) -> tuple[Value, ...]:
    """Return the values that the slot accepts, each once."""
    kept: list[Value] = []
    for value in values:
        try:
            stored = checked(item.key, value)
        except ScenarioError:
            continue
        if stored not in kept:
            kept.append(stored)
    return tuple(kept)
