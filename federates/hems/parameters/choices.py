"""The words a householder can choose from; slots and models both take them from here."""

from __future__ import annotations

from typing import Literal, get_args

HouseType = Literal["detached", "semi_detached", "terraced", "flat"]
DeviceKind = Literal[
    "heat_pump",
    "battery",
    "pv",
    "ev",
    "hot_water_tank",
    "washing_machine",
    "dryer",
    "dishwasher",
    "generator",
]
ApplianceKind = Literal["washing_machine", "dryer", "dishwasher"]
TariffKind = Literal["flat", "time_of_use", "dynamic"]
HeatingKind = Literal["heat_pump", "resistive", "gas", "other", "none"]
Emitter = Literal["radiators", "underfloor"]
HotWaterKind = Literal["resistive", "heat_pump", "gas", "none"]
Azimuth = Literal[
    "north", "north_east", "east", "south_east", "south", "south_west", "west", "north_west"
]
WeekendUse = Literal["same", "none"]
Priority = Literal["cost", "comfort", "convenience", "carbon"]

HOUSE_TYPES: tuple[HouseType, ...] = get_args(HouseType)
DEVICES: tuple[DeviceKind, ...] = get_args(DeviceKind)
APPLIANCES: tuple[ApplianceKind, ...] = get_args(ApplianceKind)
TARIFF_KINDS: tuple[TariffKind, ...] = get_args(TariffKind)
HEATING_KINDS: tuple[HeatingKind, ...] = get_args(HeatingKind)
EMITTERS: tuple[Emitter, ...] = get_args(Emitter)
HOT_WATER_KINDS: tuple[HotWaterKind, ...] = get_args(HotWaterKind)
AZIMUTHS: tuple[Azimuth, ...] = get_args(Azimuth)
WEEKEND_USES: tuple[WeekendUse, ...] = get_args(WeekendUse)
PRIORITIES: tuple[Priority, ...] = get_args(Priority)

MAX_EVS = 2

AZIMUTH_DEG: dict[Azimuth, float] = {word: 45.0 * n for n, word in enumerate(AZIMUTHS)}
"""Clockwise from north. [deg]"""
