"""All parameters of one home, as closed, immutable, bounded records.

A value exists exactly where its slot applies: a home without a battery has `battery=None`, a flat
tariff has no peak price. So nothing that nobody asked for hides in a home.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, model_validator

from federates.hems.parameters.choices import (
    DEVICES,
    MAX_EVS,
    ApplianceKind,
    DeviceKind,
    Emitter,
    HouseType,
    Priority,
)
from federates.hems.parameters.devices import (
    Appliance,
    Battery,
    Clock,
    Ev,
    Generator,
    Intervals,
    Pv,
    Section,
    bounded,
)
from federates.hems.parameters.slot import SlotKind, Span, Value
from federates.hems.parameters.slots import SLOTS, applicable_slots
from federates.hems.parameters.stored import checked_all
from federates.time_zone import TimeZoneName


def _in_order(devices: tuple[DeviceKind, ...]) -> tuple[DeviceKind, ...]:
    """Return a set in the order of the slot."""
    if len(set(devices)) != len(devices):
        raise ValueError(f"{', '.join(devices)} names one twice")
    return tuple(kind for kind in DEVICES if kind in devices)


DeviceSet = Annotated[tuple[DeviceKind, ...], AfterValidator(_in_order)]


class Household(Section):
    """Who lives there, what they own, and the grid connection."""

    occupants: int = bounded("household.occupants")
    house_type: HouseType = bounded("household.house_type")
    built_year: int = bounded("household.built_year")
    floor_area_m2: float = bounded("household.floor_area_m2")
    devices: DeviceSet = bounded("household.devices")
    n_evs: int | None = bounded("household.n_evs", optional=True)
    home_weekday: Intervals = bounded("household.home_weekday")
    home_weekend: Intervals = bounded("household.home_weekend")
    import_limit_kw: float = bounded("household.import_limit_kw")
    export_limit_kw: float = bounded("household.export_limit_kw")
    base_load_kwh_day: float = bounded("household.base_load_kwh_day")


class FlatTariff(Section):
    """One price at all times. [currency/kWh]"""

    kind: Literal["flat"]
    import_price_per_kwh: float = bounded("tariff.import_price_per_kwh")
    export_price_per_kwh: float | None = bounded("tariff.export_price_per_kwh", optional=True)


class TimeOfUseTariff(Section):
    """A high price in the peak hours, a low one in all others. [currency/kWh]"""

    kind: Literal["time_of_use"]
    peak_price_per_kwh: float = bounded("tariff.peak_price_per_kwh")
    off_peak_price_per_kwh: float = bounded("tariff.off_peak_price_per_kwh")
    peak_hours: Intervals = bounded("tariff.peak_hours")
    export_price_per_kwh: float | None = bounded("tariff.export_price_per_kwh", optional=True)


class DynamicTariff(Section):
    """Prices that change from hour to hour; they come with the day, not with the home."""

    kind: Literal["dynamic"]
    export_price_per_kwh: float | None = bounded("tariff.export_price_per_kwh", optional=True)


class Comfort(Section):
    """Indoor temperatures: wanted by day and night, and the limits that always hold. [degC]"""

    temp_day_c: float = bounded("comfort.temp_day_c")
    temp_night_c: float = bounded("comfort.temp_night_c")
    temp_min_c: float = bounded("comfort.temp_min_c")
    temp_max_c: float = bounded("comfort.temp_max_c")
    day_hours: Intervals | None = bounded("comfort.day_hours", optional=True)


class HeatPumpHeating(Section):
    """A heat pump; its COP is carnot_fraction T_supply / (T_supply - T_out), in kelvin."""

    kind: Literal["heat_pump"]
    emitter: Emitter = bounded("heating.emitter")
    rated_electric_kw: float = bounded("heating.rated_electric_kw")
    cop_nominal: float = bounded("heating.cop_nominal")
    supply_temp_c: float = bounded("heating.supply_temp_c")
    carnot_fraction: float = bounded("heating.carnot_fraction")


class ResistiveHeating(Section):
    """Electric heaters; a kWh of electricity is a kWh of heat."""

    kind: Literal["resistive"]
    rated_electric_kw: float = bounded("heating.rated_electric_kw")


class OtherHeating(Section):
    """Heating that draws no controllable electricity."""

    kind: Literal["gas", "other", "none"]


class Building(Section):
    """C dT/dt = UA (T_out - T) + heat + solar_gain ghi + internal_gain; all derived."""

    ua_kw_per_k: float = bounded("building.ua_kw_per_k")
    c_kwh_per_k: float = bounded("building.c_kwh_per_k")
    solar_gain_m2: float = bounded("building.solar_gain_m2")
    internal_gain_kw: float = bounded("building.internal_gain_kw")


class ElectricWater(Section):
    """A hot-water tank heated by electricity."""

    kind: Literal["resistive", "heat_pump"]
    volume_l: float = bounded("hot_water.volume_l")
    power_kw: float = bounded("hot_water.power_kw")
    showers_per_day: int = bounded("hot_water.showers_per_day")
    ready_by: Clock = bounded("hot_water.ready_by")
    temp_set_c: float = bounded("hot_water.temp_set_c")
    temp_max_c: float = bounded("hot_water.temp_max_c")


class OtherWater(Section):
    """Hot water that draws no controllable electricity."""

    kind: Literal["gas", "none"]


class Flexibility(Section):
    """What the home offers to the network, and what must be left alone."""

    priority: Priority = bounded("flexibility.priority")
    never_touch: DeviceSet = bounded("flexibility.never_touch")
    participate: StrictBool = bounded("flexibility.participate")
    max_events_per_week: int | None = bounded("flexibility.max_events_per_week", optional=True)
    notice_min: float | None = bounded("flexibility.notice_min", optional=True)
    comfort_slack_k: float | None = bounded("flexibility.comfort_slack_k", optional=True)
    data_consent: StrictBool = bounded("flexibility.data_consent")


Tariff = Annotated[FlatTariff | TimeOfUseTariff | DynamicTariff, Field(discriminator="kind")]
Heating = Annotated[HeatPumpHeating | ResistiveHeating | OtherHeating, Field(discriminator="kind")]
HotWater = Annotated[ElectricWater | OtherWater, Field(discriminator="kind")]


class HomeParameters(Section):
    """Everything an energy management system needs to know about one home."""

    timezone: TimeZoneName = Field("Europe/London", description="IANA time zone of all clocks.")
    currency: str = Field("GBP", pattern=r"^[A-Z]{3}$", description="ISO 4217 code of all prices.")
    household: Household
    heating: Heating
    building: Building
    comfort: Comfort
    hot_water: HotWater
    tariff: Tariff
    battery: Battery | None = None
    pv: Pv | None = None
    evs: tuple[Ev, ...] = Field((), max_length=MAX_EVS)
    appliances: dict[ApplianceKind, Appliance] = Field(default_factory=dict)
    generator: Generator | None = None
    flexibility: Flexibility

    @model_validator(mode="after")
    def _holds_what_applies(self) -> Self:
        """Refuse parameters of devices that are not owned, and owned devices without any."""
        values = values_of(self)
        checked_all(values)
        expected = {item.key for item in applicable_slots(values)}
        missing, surplus = sorted(expected - set(values)), sorted(set(values) - expected)
        if missing:
            raise ValueError(f"{', '.join(missing)} missing, though the home has it; add it")
        if surplus:
            raise ValueError(
                f"{', '.join(surplus)} set, though the home has no such thing; drop it"
            )
        return self


def values_of(home: HomeParameters) -> dict[str, Value]:
    """Return every value of a home by slot key, in stored form and agenda order."""
    data = home.model_dump(mode="json", exclude_none=True)
    values: dict[str, Value] = {}
    for item in SLOTS:
        section: Any = data
        for part in item.section.split("."):
            section = _inner(section, part)
        if item.name in section:
            value = section[item.name]
            if item.kind is SlotKind.INTERVALS:
                value = tuple(Span(start=one["start"], end=one["end"]) for one in value)
            values[item.key] = tuple(value) if isinstance(value, list) else value
    return values


def nested(values: dict[str, Value]) -> dict[str, Any]:
    """Return values by slot key as the nested mapping that `HomeParameters` reads."""
    data: dict[str, Any] = {}
    for key, value in values.items():
        *parts, name = key.split(".")
        section = data
        for part in parts:
            section = section.setdefault(part, {})
        section[name] = value
    if "evs" in data:
        data["evs"] = [data["evs"][number] for number in sorted(data["evs"])]
    return data


def _inner(section: Any, part: str) -> Any:
    """Return a part of a dumped home; cars are numbered from 1; empty if it is not there."""
    if isinstance(section, list):
        index = int(part) - 1
        return section[index] if index < len(section) else {}
    return section.get(part, {})
