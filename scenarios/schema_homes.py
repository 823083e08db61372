"""Scenario sections about who lives on the feeder and how homes manage their energy."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from scenarios.schema_section import Fraction, Positive, Section


class DeviceShares(Section):
    """Share of households that own each controllable device."""

    battery: Fraction = Field(1 / 3, description="Home batteries. [fraction of households]")
    heat_pump: Fraction = Field(1 / 3, description="Heat pumps. [fraction of households]")
    generator: Fraction = Field(
        1 / 3, description="Controllable generators. [fraction of households]"
    )
    ev_charger: Fraction = Field(0.0, description="Electric vehicles. [fraction of households]")


class PopulationSettings(Section):
    """Who lives on the feeder and what they own."""

    n_households: int = Field(
        1000,
        ge=1,
        le=200_000,
        description="Number of households; your `households_file` has its own.",
    )
    allocation: Literal["one_each", "independent"] = Field(
        "one_each",
        description="`one_each`: a household owns exactly one device; `independent`: 0..4 of them.",
    )
    devices: DeviceShares = Field(DeviceShares(), description="Ownership by device.")
    pv_share: Fraction = Field(0.5, description="Rooftop solar. [fraction of households]")
    inverter_mode: Literal["unity", "volt_var", "volt_watt", "volt_var_watt"] = Field(
        "unity", description="PV inverters: unity power factor or IEEE 1547-2018 category B curves."
    )
    base_load_scale: Positive = Field(
        1.0, description="Multiplies every household's base load. [-]"
    )
    power_factor_mean: float = Field(
        0.965,
        ge=0.8,
        le=1,
        description="Mean lagging power factor of base loads; homes spread by 0.015. [-]",
    )
    pv_kwp_mean: Positive = Field(
        4.5, le=100, description="Mean size of rooftop solar, where there is one. [kWp]"
    )
    floor_area_mean_m2: Positive = Field(
        97.0, le=1000, description="Mean floor area; sizes heat demand and heat pumps. [m2]"
    )
    battery_scale: Positive = Field(
        1.0, le=10, description="Multiplies rating and capacity of drawn home batteries. [-]"
    )
    households_file: Path | None = Field(
        None, description="Your households.csv (placement, PV, base load); replaces the drawn one."
    )
    devices_folder: Path | None = Field(
        None, description="Your folder of battery.csv, heat_pump.csv, ...; replaces the drawn ones."
    )
    interviews: Path | None = Field(
        None,
        description="Folder of home files (*.yaml) from interviews, each in place of one home: "
        "the household of the file's name (h0007.yaml), others by seed.",
    )

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        total = sum(self.devices.model_dump().values())
        if self.allocation == "one_each" and total > 1 + 1e-9:
            raise ValueError(
                f"`devices` shares add up to {total:.3f}, expected at most 1 with "
                f"`allocation: one_each`; lower them or use `allocation: independent`"
            )
        return self


class HemsOptions(Section):
    """Energy managers of homes: controller `hems`, and homes that a policy must leave alone."""

    replan_every_h: float = Field(
        4.0, gt=0, le=24, description="Time between plans; a whole number of steps. [h]"
    )
    horizon_h: float = Field(24.0, ge=1, le=48, description="How far plans reach. [h]")
    weather: Literal["perfect", "persistence"] = Field(
        "perfect",
        description="Forecast of temperature and sun: `perfect`, the scenario's own series, or "
        "`persistence`, the day before over again.",
    )
    history_days: int = Field(
        7,
        ge=0,
        le=28,
        description="Days before the start whose base load a home's meter has seen. [days]",
    )
    time_limit_s: Positive = Field(
        2.0,
        description="For one plan of one home; then the best one found counts, or rules make it. "
        "[s]",
    )

    @model_validator(mode="after")
    def _covers(self) -> Self:
        if self.replan_every_h > self.horizon_h:
            raise ValueError(
                f"`replan_every_h` is {self.replan_every_h:g}, but plans reach only "
                f"`horizon_h` = {self.horizon_h:g} h; plan more often or further"
            )
        return self
