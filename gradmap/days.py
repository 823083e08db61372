"""Exogenous series of a batch of days, and who provides them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Protocol

import torch
from torch import Tensor

COMMON: Final = (
    "hour",
    "day_of_week",
    "price_import_per_kwh",
    "price_export_per_kwh",
    "temp_out_c",
    "ghi_w_per_m2",
)
HOUSEHOLD: Final = ("base_load_kw", "pv_available_kw")
VEHICLE: Final = ("plugged_in", "trip_kwh", "departure_h")


@dataclass(frozen=True, kw_only=True, eq=False)
class Days:
    """What happens to homes whatever anybody decides, [day, time, ...].

    A value is constant over its step. The last three fields are None without electric vehicles.
    """

    hour: Tensor
    """Wall clock at the start of the step, [day, time]. [h]"""
    day_of_week: Tensor
    """0 is Monday, [day, time]. [-]"""
    price_import_per_kwh: Tensor
    """Price of energy drawn from the grid, [day, time]. [cur/kWh]"""
    price_export_per_kwh: Tensor
    """Price paid for energy fed in, [day, time]. [cur/kWh]"""
    temp_out_c: Tensor
    """Outdoor temperature, [day, time]. [degC]"""
    ghi_w_per_m2: Tensor
    """Global horizontal irradiance, [day, time]. [W/m2]"""
    base_load_kw: Tensor
    """Load that nobody controls, [day, time, household]. [kW]"""
    pv_available_kw: Tensor
    """Output of rooftop solar, positive, 0 without, [day, time, household]. [kW]"""
    plugged_in: Tensor | None = None
    """1 while a vehicle is connected, else 0; 1 for other agents, [day, time, agent]. [-]"""
    trip_kwh: Tensor | None = None
    """Energy of the trip that ends at the start of the step, [day, time, agent]. [kWh]"""
    departure_h: Tensor | None = None
    """Time from the start of the step to the next departure, [day, time, agent]. [h]"""
    dt_h: float
    """Step length. [h]"""

    def __post_init__(self) -> None:
        """Refuse series of different lengths, naming the field."""
        wanted = self.hour.shape
        if len(wanted) != 2:
            raise ValueError(f"Days: `hour` has shape {tuple(wanted)}, expected [day, time].")
        if not self.dt_h > 0.0:
            raise ValueError(f"Days: `dt_h` is {self.dt_h}, expected hours > 0.")
        for name, value in self._series().items():
            n_axes = 2 if name in COMMON else 3
            if value.ndim != n_axes or value.shape[:2] != wanted:
                raise ValueError(
                    f"Days: `{name}` has shape {tuple(value.shape)}, expected "
                    f"{tuple(wanted)}{'' if n_axes == 2 else ' and one more axis'}."
                )
        if self.base_load_kw.shape != self.pv_available_kw.shape:
            raise ValueError(
                f"Days: `pv_available_kw` has shape {tuple(self.pv_available_kw.shape)}, expected "
                f"that of `base_load_kw`, {tuple(self.base_load_kw.shape)}."
            )
        given = [name for name in VEHICLE if getattr(self, name) is not None]
        if given and len(given) != len(VEHICLE):
            raise ValueError(f"Days: only {given} of {list(VEHICLE)}; give all of them or none.")

    def first_not_finite(self) -> tuple[str, int] | None:
        """Return a series that holds NaN or infinity and the position of its day, or None."""
        for name, series in self._series().items():
            broken = ~torch.isfinite(series).flatten(1).all(dim=1)
            if bool(broken.any()):
                return name, int(broken.nonzero()[0])
        return None

    @property
    def n_days(self) -> int:
        """Return the number of days."""
        return self.hour.shape[0]

    @property
    def n_steps(self) -> int:
        """Return the steps of a day."""
        return self.hour.shape[1]

    def _series(self) -> dict[str, Tensor]:
        """Return the fields that are there."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> Days:
        """Return the days on another torch device or in another floating-point type."""
        return self._replaced(lambda series: series.to(device=device, dtype=dtype))

    def take(self, index: Tensor | slice | Sequence[int]) -> Days:
        """Return some of the days, in the order of `index` (positions, a mask or a slice)."""
        if not isinstance(index, Tensor | slice):
            index = torch.as_tensor(list(index), dtype=torch.int64, device=self.hour.device)
        return self._replaced(lambda series: series[index])

    def _replaced(self, change: Callable[[Tensor], Tensor]) -> Days:
        changed: dict[str, Any] = {name: change(v) for name, v in self._series().items()}
        return replace(self, **changed)


def join_days(parts: Sequence[Days]) -> Days:
    """Return days one after the other.

    Args:
        parts: At least one, all of the same homes, step and length of the day.
    """
    series: dict[str, Any] = {
        name: torch.cat([getattr(part, name) for part in parts]) for name in parts[0]._series()
    }
    return replace(parts[0], **series)


class DaySampler(Protocol):
    """Provides days by split and number; what it is made of is its own affair.

    The same number of a split is the same day on every machine, whatever was asked before, and no
    two splits share randomness or a weather year.
    """

    def sample(self, split: str, numbers: Sequence[int]) -> Days:
        """Return the days called `numbers` of a split, in that order.

        Args:
            split: For example "train", "validation" or "test".
            numbers: Which days, each >= 0.
        """
