"""Scenario sections about time, weather, load profiles and prices."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from federates.time_zone import TimeZoneName
from scenarios.profiles.randomness import Split
from scenarios.schema_section import Fraction, Price, Section

SECONDS_PER_MINUTE = 60
# Time zone rules and calendars outside are guesses.
FIRST_YEAR, LAST_YEAR = 1950, 2150


class TimeSettings(Section):
    """When the scenario plays: wall clock with a time zone; HELICS counts seconds from it."""

    start: datetime = Field(
        datetime(2025, 3, 18),
        description="First step, local wall clock, for example 2025-03-18 00:00.",
    )
    timezone: TimeZoneName = Field("Europe/London", description="IANA time zone of the wall clock.")
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
    split: Split = Field(
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
