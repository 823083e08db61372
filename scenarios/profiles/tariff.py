"""What a kilowatt-hour costs and earns: flat, time of use, dynamic, or from a file."""

from __future__ import annotations

import math
from typing import Protocol, assert_never

import numpy as np
from numpy.typing import NDArray

from gradmap.errors import ScenarioError
from scenarios.clock import Clock, DayBlock
from scenarios.profiles.files import (
    align,
    check_values,
    find_time_column,
    nearest,
    numbers,
    read_columns,
    read_header,
    read_time_s,
)
from scenarios.profiles.randomness import Year, generator
from scenarios.schema_series import TariffSettings

Floats = NDArray[np.float64]

PEAK_H = (16.0, 19.0)
NIGHT_H = (0.0, 6.0)
IMPORT, EXPORT = "price_import_per_kwh", "price_export_per_kwh"
DAY_LEVEL_STD = 0.12
HOUR_NOISE_STD = 0.06
DYNAMIC_RANGE = (-0.2, 2.5)  # of the flat price


class Tariff(Protocol):
    """Gives the prices of any block of the scenario."""

    def block(self, block: DayBlock) -> tuple[Floats, Floats]:
        """Return import and export price of the block's steps [currency/kWh] [step]."""


def tariff_source(
    settings: TariffSettings, *, clock: Clock, seed: int, split: Year, latitude_deg: float
) -> Tariff:
    """Return the scenario's prices.

    Raises:
        ScenarioError: If the price file is missing, wrong or too short.
    """
    if settings.file is not None:
        return FileTariff(settings, clock=clock)
    match settings.kind:
        case "flat" | "tou":
            return FixedTariff(settings)
        case "dynamic":
            return DynamicTariff(settings, seed=seed, split=split, latitude_deg=latitude_deg)
        case unknown:
            assert_never(unknown)


class FixedTariff:
    """The same prices every day; wall-clock windows with `tou`."""

    def __init__(self, settings: TariffSettings) -> None:
        self._settings = settings

    def block(self, block: DayBlock) -> tuple[Floats, Floats]:
        """Return import and export price; a step has the price of its start."""
        s = self._settings
        price = np.full(len(block), s.import_price_per_kwh)
        if s.kind == "tou":
            hour = block.hour
            price[(hour >= PEAK_H[0]) & (hour < PEAK_H[1])] = s.peak_price_per_kwh
            price[(hour >= NIGHT_H[0]) & (hour < NIGHT_H[1])] = s.night_price_per_kwh
        return price, _export_price(s, price_import=price, otherwise=s.export_price_per_kwh)


class DynamicTariff:
    """Hourly prices around the flat price: morning and evening peaks, a solar valley, and noise.

    Synthetic: the shape is that of European day-ahead prices with much solar power, the level
    varies from day to day, and nothing forecasts any market. The export price is in proportion.
    """

    def __init__(
        self, settings: TariffSettings, *, seed: int, split: Year, latitude_deg: float
    ) -> None:
        self._settings = settings
        self._seed = seed
        self._split: Year = split
        self._latitude_rad = math.radians(latitude_deg)

    def block(self, block: DayBlock) -> tuple[Floats, Floats]:
        """Return import and export price; hours are wall-clock hours."""
        factor = self._factor(block)[block.hour.astype(np.int64)]
        s = self._settings
        price = s.import_price_per_kwh * factor
        otherwise = s.export_price_per_kwh * factor
        return price, _export_price(s, price_import=price, otherwise=otherwise)

    def _factor(self, block: DayBlock) -> Floats:
        """Return price over flat price by wall-clock hour [24]."""
        hour = np.arange(24) + 0.5
        source = generator("price", seed=self._seed, split=self._split, day=block.date)
        level = 1.0 + DAY_LEVEL_STD * source.standard_normal()
        noise = HOUR_NOISE_STD * source.standard_normal(24)
        season = math.cos(2 * math.pi * (block.date.timetuple().tm_yday - 172) / 365.25)
        tilt = math.radians(23.45) * season
        noon_sun = max(math.cos(self._latitude_rad - tilt), 0.0)  # sine of the noon elevation
        demand = 0.25 * _bell(hour, 8.0, 1.5) + 0.65 * _bell(hour, 18.0, 1.9)
        night = 0.30 * (_bell(hour, 3.0, 2.5) + _bell(hour, 27.0, 2.5))
        solar = 0.55 * noon_sun * _bell(hour, 13.0, 2.3)
        return np.clip(level + demand - night - solar + noise, *DYNAMIC_RANGE)


class FileTariff:
    """Prices of a CSV or Parquet file; a longer step than the scenario's holds its price."""

    def __init__(self, settings: TariffSettings, *, clock: Clock) -> None:
        path = settings.file
        if path is None:
            raise ValueError("FileTariff needs `tariff.file`")
        subject = f"Tariff file {path}"
        header = read_header(path, subject="Tariff file")
        time_column = find_time_column(header, subject=subject)
        unknown = [name for name in header if name not in (time_column, IMPORT, EXPORT)]
        if IMPORT not in header or unknown:
            hint = (
                f"; column {unknown[0]!r} is not{nearest(unknown[0], [IMPORT])}" if unknown else ""
            )
            raise ScenarioError(
                f"{subject}: has columns {header}{hint}. Expected `time_s` or `time`, `{IMPORT}` "
                f"and perhaps `{EXPORT}`."
            )
        columns = [name for name in (IMPORT, EXPORT) if name in header]
        time_s = read_time_s(path, subject="Tariff file", column=time_column, clock=clock)
        place = align(time_s, subject=subject, clock=clock, longer_steps=True)
        values = numbers(read_columns(path, subject=subject, columns=columns))
        check_values(values, subject=subject, columns=columns, minimum=None)
        span = np.arange(place.rows_per_step)
        prices = values[place.row_of_step[:, None] + span].mean(axis=1)
        self._import = prices[:, 0]
        self._export = (
            prices[:, 1]
            if EXPORT in columns
            else _export_price(
                settings, price_import=self._import, otherwise=settings.export_price_per_kwh
            )
        )

    def block(self, block: DayBlock) -> tuple[Floats, Floats]:
        """Return import and export price."""
        steps = slice(block.first, block.stop)
        return self._import[steps], self._export[steps]


def _export_price(
    settings: TariffSettings, *, price_import: Floats, otherwise: Floats | float
) -> Floats:
    """Return the price of export: below the import price with net metering, else `otherwise`."""
    if settings.export_discount_per_kwh is not None:
        return price_import - settings.export_discount_per_kwh
    return np.broadcast_to(otherwise, price_import.shape).copy()


def _bell(hour: NDArray[np.floating], centre: float, width: float) -> Floats:
    """Return a bell curve of height 1."""
    return np.asarray(np.exp(-0.5 * ((hour - centre) / width) ** 2))
