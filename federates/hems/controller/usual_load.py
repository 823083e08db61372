"""What homes usually draw at an hour of the day: the mean of the days that their meters saw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from federates.hems.adapters.hours import HOURS_PER_DAY

Floats = NDArray[np.float64]


class UsualLoad:
    """Running means by time of day and home; knows nothing of what is still to come."""

    def __init__(self, n_homes: int, *, dt_h: float) -> None:
        """Start without any reading.

        Args:
            n_homes: Homes with a meter.
            dt_h: Step length; must divide a day. [h]
        """
        self._dt_h = dt_h
        n_slots = round(HOURS_PER_DAY / dt_h)
        self._sum_kw = np.zeros((n_slots, n_homes))
        self._count = np.zeros(n_slots)
        self._latest_kw = np.zeros(n_homes)

    def _slot(self, hour: Floats | float) -> NDArray[np.int64]:
        return np.floor(np.asarray(hour) / self._dt_h + 1e-6).astype(np.int64) % len(self._count)

    def see(self, hour: float, load_kw: Floats) -> None:
        """Take a reading.

        Args:
            hour: Wall clock at the start of the step. [h]
            load_kw: Mean power of the step, [home]. [kW]
        """
        slot = self._slot(hour)
        self._sum_kw[slot] += load_kw
        self._count[slot] += 1.0
        self._latest_kw = load_kw

    def ahead(self, hour: Floats) -> Floats:
        """Return what is usual at these hours, [step, home] [kW].

        Where no day was seen at an hour, the latest reading stands in.
        """
        slot = self._slot(hour)
        count = self._count[slot][:, None]
        mean_kw = self._sum_kw[slot] / np.maximum(count, 1.0)
        return np.where(count > 0.0, mean_kw, self._latest_kw)
