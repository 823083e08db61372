"""What a home can own, as closed, immutable, bounded records; bounds come from the slots."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator

from federates.hems.parameters.choices import AZIMUTH_DEG, Azimuth, WeekendUse
from federates.hems.parameters.slot import NUMERIC_KINDS, SlotKind
from federates.hems.parameters.slots import slot
from federates.hems.parameters.stored import (
    CLOCK_PATTERN,
    END_PATTERN,
    MAX_SPANS,
    clock_min,
    window_min,
)

Clock = Annotated[str, StringConstraints(pattern=CLOCK_PATTERN)]
EndClock = Annotated[str, StringConstraints(pattern=END_PATTERN)]


def bounded(key: str, *, optional: bool = False) -> Any:
    """Return the field of a slot: its bounds and its question.

    Args:
        key: The slot; fields of the second car and of all appliances share those of the first.
        optional: None where the slot does not apply to a home.
    """
    item = slot(key)
    limits: dict[str, Any] = {}
    if item.kind in NUMERIC_KINDS:
        limits = {"ge": item.low, "le": item.high, "strict": True}
    elif item.kind is SlotKind.TEXT:
        limits = {"min_length": int(item.low or 0), "max_length": int(item.high or 0)}
    elif item.kind is SlotKind.INTERVALS:
        limits = {"min_length": int(item.low or 0), "max_length": MAX_SPANS}
    unit = f" [{item.unit}]" if item.unit else ""
    description = f"{item.question or 'Derived, never asked.'}{unit}"
    return Field(default=None if optional else ..., description=description, **limits)


class Section(BaseModel):
    """A part of a home: closed, immutable, finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Interval(Section):
    """A daily stretch of local wall clock, end not included; it may run over midnight."""

    start: Clock = Field(description="First minute.")
    end: EndClock = Field(description="First minute after it; 24:00 for midnight.")

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.start == self.end:
            raise ValueError("start and end are equal; a whole day is 00:00 to 24:00")
        return self

    @property
    def length_h(self) -> float:
        """Return the length. [h]"""
        return window_min(self.start, self.end) / 60

    def contains(self, minute: float) -> bool:
        """Return whether a minute of the day is inside.

        Args:
            minute: Minutes since local midnight, in [0, 1440). [min]
        """
        start, end = clock_min(self.start), clock_min(self.end)
        return start <= minute < end if start < end else minute >= start or minute < end


Intervals = tuple[Interval, ...]


class Battery(Section):
    """A home battery; the reserve is a fraction of the capacity."""

    capacity_kwh: float = bounded("battery.capacity_kwh")
    power_kw: float = bounded("battery.power_kw")
    reserve: float = bounded("battery.reserve")
    charge_from_grid: StrictBool = bounded("battery.charge_from_grid")
    discharge_to_grid: StrictBool = bounded("battery.discharge_to_grid")
    eta_charge: float = bounded("battery.eta_charge")
    eta_discharge: float = bounded("battery.eta_discharge")


class Pv(Section):
    """Solar panels on one roof plane."""

    peak_kw: float = bounded("pv.peak_kw")
    azimuth: Azimuth = bounded("pv.azimuth")
    tilt_deg: float = bounded("pv.tilt_deg")

    @property
    def azimuth_deg(self) -> float:
        """Return where the panels face, clockwise from north. [deg]"""
        return AZIMUTH_DEG[self.azimuth]


class Ev(Section):
    """An electric car that charges at home."""

    model: str = bounded("evs.1.model")
    capacity_kwh: float = bounded("evs.1.capacity_kwh")
    charger_kw: float = bounded("evs.1.charger_kw")
    arrival: Clock = bounded("evs.1.arrival")
    departure: Clock = bounded("evs.1.departure")
    weekend_use: WeekendUse = bounded("evs.1.weekend_use")
    target: float = bounded("evs.1.target")
    daily_distance_km: float = bounded("evs.1.daily_distance_km")
    v2g: StrictBool = bounded("evs.1.v2g")
    soc_arrival: float = bounded("evs.1.soc_arrival")


class Appliance(Section):
    """A machine that runs a fixed programme at a time that can be chosen."""

    runs_per_week: int = bounded("appliances.washing_machine.runs_per_week")
    earliest_start: Clock = bounded("appliances.washing_machine.earliest_start")
    latest_finish: Clock = bounded("appliances.washing_machine.latest_finish")
    night_ok: StrictBool = bounded("appliances.washing_machine.night_ok")
    power_kw: float = bounded("appliances.washing_machine.power_kw")
    duration_min: float = bounded("appliances.washing_machine.duration_min")


class Generator(Section):
    """A small generator; it never runs outside `allowed_hours`."""

    rated_kw: float = bounded("generator.rated_kw")
    fuel_cost_per_kwh: float = bounded("generator.fuel_cost_per_kwh")
    allowed_hours: Intervals = bounded("generator.allowed_hours")
