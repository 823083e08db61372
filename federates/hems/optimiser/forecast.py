"""What a plan assumes about prices, weather and what nobody controls, step by step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from federates.hems.optimiser.checks import FloatArray, as_series, check_range
from gradmap.errors import ScenarioError

HOURS_PER_DAY = 24.0
MINUTES_PER_HOUR = 60.0
_SERIES = (
    "price_import_per_kwh",
    "price_export_per_kwh",
    "temp_out_c",
    "ghi_w_per_m2",
    "base_load_kw",
    "pv_available_kw",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecast:
    """Series of equal length, [step], constant over each step.

    A single number in place of a series is repeated, except for the import price, which sets the
    length.
    """

    dt_h: float
    """Step length. [h]"""
    price_import_per_kwh: FloatArray
    """Paid for drawn energy; may be negative. [cur/kWh]"""
    price_export_per_kwh: FloatArray
    """Received for injected energy; may be negative, and above the import price. [cur/kWh]"""
    temp_out_c: FloatArray
    """Outdoor temperature. [degC]"""
    ghi_w_per_m2: FloatArray
    """Global horizontal irradiance. [W/m2]"""
    base_load_kw: FloatArray
    """Load that nobody controls, >= 0. [kW]"""
    pv_available_kw: FloatArray
    """What the home's solar modules could deliver, >= 0. [kW]"""
    stored_price_per_kwh: float | None = None
    """What energy in stores is worth at the end; the mean import price if left out. [cur/kWh]"""
    start_hour: float = 0.0
    """Wall-clock hour at which the first step begins; for rules by the clock and for texts. [h]"""

    def __post_init__(self) -> None:
        """Turn everything into read-only arrays of one length and refuse impossible values."""
        check_range("Forecast", "dt_h", self.dt_h, high=HOURS_PER_DAY, open_low=True)
        if self.stored_price_per_kwh is not None:
            check_range("Forecast", "stored_price_per_kwh", self.stored_price_per_kwh)
        check_range("Forecast", "start_hour", self.start_hour, high=HOURS_PER_DAY)
        n_steps = len(as_series("Forecast", _SERIES[0], self.price_import_per_kwh))
        for name in _SERIES:
            series = as_series("Forecast", name, getattr(self, name), n_steps=n_steps)
            object.__setattr__(self, name, series)
        for name in ("ghi_w_per_m2", "base_load_kw", "pv_available_kw"):
            lowest = float(getattr(self, name).min())
            if lowest < 0.0:
                raise ScenarioError(
                    f"Forecast: `{name}` falls to {lowest:g}, expected values >= 0. Generation has "
                    f"its own series; loads and available power are positive."
                )

    @property
    def n_steps(self) -> int:
        """Return the number of steps."""
        return len(self.price_import_per_kwh)

    @property
    def terminal_price_per_kwh(self) -> float:
        """Return what stored energy is worth, never below 0 [cur/kWh].

        By default the mean import price, as in `gradmap.costs`; a negative mean would reward empty
        stores and is taken as 0.
        """
        if self.stored_price_per_kwh is not None:
            return self.stored_price_per_kwh
        return max(float(self.price_import_per_kwh.mean()), 0.0)

    @property
    def reference_price_per_kwh(self) -> float:
        """Return the largest price by magnitude, the unit of what broken wishes cost [cur/kWh]."""
        both = np.concatenate([self.price_import_per_kwh, self.price_export_per_kwh])
        largest = float(np.abs(both).max())
        return largest if largest > 0.0 else 1.0

    def hour(self, step: int) -> float:
        """Return the wall-clock hour at which a step begins [h]."""
        return (self.start_hour + step * self.dt_h) % HOURS_PER_DAY

    def clock(self, step: int) -> str:
        """Return the wall-clock time at which a step begins, "HH:MM"."""
        minutes = round(self.hour(step) * MINUTES_PER_HOUR) % round(HOURS_PER_DAY * 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}"

    def window(self, start: int, n_steps: int) -> Forecast:
        """Return the part of `n_steps` steps from step `start` on.

        Stored energy keeps its worth: it does not depend on where a window ends.
        """
        parts = {name: getattr(self, name)[start : start + n_steps] for name in _SERIES}
        worth = self.terminal_price_per_kwh
        hour = self.hour(start)
        return replace(self, **parts, stored_price_per_kwh=worth, start_hour=hour)
