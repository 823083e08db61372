"""The scenario file: every setting of a run, with its unit, range and meaning.

Unknown keys, wrong types, NaN and impossible values are refused before anything starts. The field
descriptions are the single source of the commented file of `gradmap init` and of the JSON Schema.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from federates.component import Schedule
from opendss_models.settings import EngineSettings

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Price = Annotated[float, Field(ge=-10, le=10)]

SECONDS_PER_MINUTE = 60
# Time zone rules and calendars outside are guesses.
FIRST_YEAR, LAST_YEAR = 1950, 2150


class Section(BaseModel):
    """A part of the scenario: closed, immutable, finite."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, strict=False, validate_default=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse `true`, "2" and 0123 for a number: pydantic would take 1, 2 and 123."""
        annotation = cls.model_fields[str(info.field_name)].annotation
        kinds = {annotation, *get_args(annotation)}
        if kinds & {int, float} and isinstance(value, bool | str):
            raise ValueError("expected a number, without quotes and leading zeros")
        return value


class TimeSettings(Section):
    """When the scenario plays: wall clock with a time zone; HELICS counts seconds from it."""

    start: datetime = Field(
        datetime(2025, 3, 18),
        description="First step, local wall clock, for example 2025-03-18 00:00.",
    )
    timezone: str = Field("Europe/London", description="IANA time zone of the wall clock.")
    days: int = Field(1, ge=1, le=3660, description="Length. [days of 24 h]")
    step_min: int = Field(15, ge=1, le=60, description="Step length; must divide an hour. [min]")

    @field_validator("start", mode="before")
    @classmethod
    def _text(cls, start: Any) -> Any:
        """Refuse 20250318, which would be read as seconds since 1970."""
        if not isinstance(start, str | datetime):
            raise ValueError("expected a date such as 2025-03-18 00:00")
        return start

    @field_validator("start")
    @classmethod
    def _naive(cls, start: datetime) -> datetime:
        if start.tzinfo is not None:
            raise ValueError("must be wall clock without an offset; the zone stands in `timezone`")
        if not FIRST_YEAR <= start.year <= LAST_YEAR:
            raise ValueError(f"expected a year from {FIRST_YEAR} to {LAST_YEAR}")
        return start

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise ValueError(f"{name!r} is not an IANA time zone such as Europe/London") from exc
        return name

    @field_validator("step_min")
    @classmethod
    def _divides_hour(cls, step_min: int) -> int:
        if 60 % step_min:
            raise ValueError(f"{step_min} does not divide 60; use 1, 2, 5, 10, 15, 30 or 60")
        return step_min

    @property
    def dt_s(self) -> int:
        """Step length. [s]"""
        return self.step_min * SECONDS_PER_MINUTE

    @property
    def n_steps(self) -> int:
        """Number of steps."""
        return self.days * 24 * 60 // self.step_min


class FeederSettings(Section):
    """The distribution feeder, solved by OpenDSS."""

    source: str = Field(
        "ieee123",
        description="`ieee123` (bundled) or the path of a .dss file, relative to this file.",
    )
    regulators: Literal["as_defined", "locked"] = Field(
        "as_defined",
        description="`as_defined`: OpenDSS operates the regulators; `locked`: held at neutral.",
    )
    source_v_pu: float | None = Field(
        None, gt=0.5, lt=1.5, description="Source voltage; empty keeps the feeder's own. [pu]"
    )
    tolerance: float = Field(
        EngineSettings().tolerance,
        ge=1e-12,
        le=1e-3,
        description="Convergence tolerance of OpenDSS. [pu]",
    )
    on_failure: Literal["hold", "fail"] = Field(
        "hold",
        description="A step that does not solve: `hold` the last voltages and count it, or `fail`.",
    )
    trust: bool = Field(
        False,
        description="Accept .dss commands that run code or write files. Only for files you wrote.",
    )


class LimitSettings(Section):
    """Limits that the metrics and the report count against."""

    v_min_pu: float = Field(0.95, gt=0.5, lt=1, description="Lower voltage limit. [pu]")
    v_max_pu: float = Field(1.05, gt=1, lt=1.5, description="Upper voltage limit. [pu]")
    loading_max: Positive = Field(
        1.0, description="Highest loading of lines and transformers. [fraction of normal rating]"
    )
    exclude_buses: tuple[str, ...] = Field(
        (),
        description="Further buses left out of the voltage limits; floating ones always are.",
    )


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


class WeatherSettings(Section):
    """Outdoor temperature and irradiance."""

    file: Path | None = Field(
        None,
        description="EPW, TMY3 or CSV/Parquet (time, temp_out_c, ghi_w_per_m2[, dni, dhi]); "
        "empty draws a synthetic year.",
    )
    latitude_deg: float = Field(51.5, ge=-66, le=66, description="Site, north positive. [deg]")
    longitude_deg: float = Field(-0.1, ge=-180, le=180, description="Site, east positive. [deg]")
    altitude_m: float = Field(20.0, ge=-500, le=5000, description="Site. [m]")
    temp_mean_c: float = Field(
        11.0, ge=-20, le=35, description="Yearly mean outdoor temperature (synthetic). [degC]"
    )
    temp_season_c: float = Field(
        7.0, ge=0, le=30, description="Summer mean minus yearly mean (synthetic). [K]"
    )
    cloudiness: Fraction = Field(
        0.5, description="0 = always clear, 1 = overcast most of the time (synthetic). [-]"
    )


class ProfileSettings(Section):
    """Where the time series come from."""

    base_load_file: Path | None = Field(
        None,
        description="CSV/Parquet of household base load (time_s or time, one column a household) "
        "[kW]; empty draws it.",
    )
    pv_file: Path | None = Field(
        None, description="CSV/Parquet of available PV power, one column a household [kW]."
    )
    weather: WeatherSettings = Field(WeatherSettings(), description="Weather source.")
    split: Literal["scenario", "train", "validation", "test"] = Field(
        "scenario", description="Which random days: no two splits share any randomness."
    )
    season_days: int = Field(
        28,
        ge=1,
        le=366,
        description="Days sampled for training and tests fall into this many calendar days around "
        "`time.start`. [days]",
    )


class TariffSettings(Section):
    """What households pay for import and earn for export."""

    kind: Literal["flat", "tou", "dynamic"] = Field(
        "tou", description="`flat`, `tou` (peak 16-19 h, night), or `dynamic` (hourly wholesale)."
    )
    currency: str = Field("GBP", pattern=r"^[A-Z]{3}$", description="ISO 4217 code.")
    import_price_per_kwh: Price = Field(0.25, description="Flat or day price. [currency/kWh]")
    peak_price_per_kwh: Price = Field(0.40, description="16-19 h price of `tou`. [currency/kWh]")
    night_price_per_kwh: Price = Field(0.15, description="0-6 h price of `tou`. [currency/kWh]")
    export_price_per_kwh: Price = Field(0.10, description="Paid for export. [currency/kWh]")
    export_discount_per_kwh: float | None = Field(
        None,
        ge=0,
        le=10,
        description="Net metering: export earns the step's import price less this; replaces "
        "`export_price_per_kwh`. [currency/kWh]",
    )
    file: Path | None = Field(
        None,
        description="CSV/Parquet with price_import_per_kwh[, price_export_per_kwh]; replaces all.",
    )


class PolicySettings(Section):
    """When learned policies may be used; see their model card."""

    outside_range: Literal["refuse", "warn"] = Field(
        "refuse",
        description="Prices, outdoor temperature, loads or solar power outside the range that a "
        "policy was trained in: `refuse` the run, or `warn` and run all the same.",
    )


class CouplingSettings(Section):
    """How the federates of one step depend on each other."""

    mode: Literal["ordered", "lag", "iterate"] = Field(
        "ordered",
        description="`ordered`: observe, act, apply, solve within a step; `lag`: everything one "
        "step late; `iterate`: homes and grid repeat until voltages settle.",
    )
    max_iterations: int = Field(20, ge=1, le=60, description="Most repeats a step in `iterate`.")
    tolerance_pu: Positive = Field(
        1e-6, description="Settled when no connection voltage moves more. [pu]"
    )
    relaxation: float = Field(
        0.6, gt=0, le=1, description="Share of the inverter's step taken per repeat. [-]"
    )


class FederationSettings(Section):
    """HELICS processes and their watchdogs."""

    household_processes: int = Field(
        1, ge=1, le=64, description="Processes the households are split over."
    )
    core_type: Literal["zmq", "zmq_ss"] = Field(
        "zmq", description="HELICS core; both stay on loopback."
    )
    join_quiet_s: Positive = Field(
        8.0,
        description="A federate that has not joined and shows no sign of life for so long has "
        "failed. [s]",
    )
    stall_timeout_s: Positive = Field(
        300.0, description="No granted time moves for this long: the run is failed. [s]"
    )
    hems_processes: int = Field(
        1, ge=1, le=64, description="Processes the homes' energy managers are split over."
    )
    part_steps: int = Field(
        672, ge=1, le=100_000, description="Steps per recorded Parquet part file."
    )


class Scenario(Section):
    """A whole scenario file."""

    name: str = Field(
        "my_scenario",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,63}$",
        description="Short name: letters, digits, - and _.",
    )
    description: str = Field("", max_length=2000, description="Shown in the report.")
    seed: int = Field(1, ge=0, lt=2**63, description="Every random draw comes from it.")
    time: TimeSettings = Field(TimeSettings(), description="Period and step.")
    feeder: FeederSettings = Field(FeederSettings(), description="Network.")
    limits: LimitSettings = Field(LimitSettings(), description="What counts as a violation.")
    population: PopulationSettings = Field(
        PopulationSettings(), description="Households and devices."
    )
    profiles: ProfileSettings = Field(ProfileSettings(), description="Time series.")
    tariff: TariffSettings = Field(TariffSettings(), description="Prices.")
    controllers: tuple[str, ...] = Field(
        ("no_control", "rule_based"),
        min_length=1,
        description="Run one after the other: no_control, rule_based, price_only, hems, or "
        "policy:<folder>.",
    )
    policies: PolicySettings = Field(PolicySettings(), description="Use of learned policies.")
    hems: HemsOptions = Field(HemsOptions(), description="Energy managers of homes.")
    coupling: CouplingSettings = Field(CouplingSettings(), description="Order inside a step.")
    federation: FederationSettings = Field(FederationSettings(), description="Processes.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.controllers)) != len(self.controllers):
            raise ValueError(f"`controllers` names one twice: {list(self.controllers)}")
        drawn = self.population.households_file is None
        if drawn and self.federation.household_processes > self.population.n_households:
            raise ValueError("`federation.household_processes` exceeds `population.n_households`")
        if self.coupling.mode == "iterate":
            self._repeats_fit()
        for name in ("replan_every_h", "horizon_h"):
            steps = getattr(self.hems, name) * 60 / self.time.step_min
            if abs(steps - round(steps)) > 1e-9:
                raise ValueError(
                    f"`hems.{name}` is {getattr(self.hems, name):g} h, expected a whole number of "
                    f"steps of `time.step_min: {self.time.step_min}`"
                )
        return self

    def _repeats_fit(self) -> None:
        """Every repeat takes two seconds of HELICS time inside the step."""
        dt_s, most = self.time.dt_s, self.coupling.max_iterations
        span_s = Schedule(dt_s=dt_s, n_steps=1, mode="iterate", max_iterations=most).span_s
        if span_s >= dt_s:
            raise ValueError(
                f"`coupling.max_iterations: {most}` takes {span_s} s of HELICS time, but a step of "
                f"`time.step_min: {self.time.step_min}` has only {dt_s} s; lower the one or raise "
                f"the other"
            )
