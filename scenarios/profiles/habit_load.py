"""Tank and machines of interviewed homes: load at the same time of day, which nobody schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from federates.hems.adapters.population_rows import Pulse, daily_load
from federates.hems.parameters.home_file import HomeFile
from scenarios.clock import MINUTES_PER_DAY, DayBlock
from scenarios.profiles.randomness import Year, household_uniforms

Floats = NDArray[np.float64]


class HabitLoads:
    """Adds the loads of interviewed homes to drawn base loads."""

    def __init__(self, interviews: Mapping[str, HomeFile], *, household_ids: Sequence[str]) -> None:
        """Find what each home adds.

        Args:
            interviews: Home files by household.
            household_ids: All households, in the order of the loads' columns.
        """
        self._pulses: list[tuple[int, int, Pulse]] = []
        for row, name in enumerate(household_ids):
            if name in interviews:
                pulses = daily_load(interviews[name].parameters)
                self._pulses += [(row, slot, pulse) for slot, pulse in enumerate(pulses)]

    def add(self, block: DayBlock, out: Floats, *, seed: int, split: Year) -> None:
        """Add a day's loads.

        Args:
            block: Steps of one local day.
            out: Base loads, [step, household]. [kW]
            seed: The scenario's seed.
            split: Which random days.
        """
        if not self._pulses:
            return
        uniforms = household_uniforms(
            "habit load",
            seed=seed,
            split=split,
            day=block.date,
            n_draws=1,
            households=np.array([row for row, _, _ in self._pulses]),
            slots=np.array([slot for _, slot, _ in self._pulses]),
        )[:, 0]
        for (row, _, pulse), uniform in zip(self._pulses, uniforms.tolist(), strict=True):
            runs = int(pulse.share_of_days + uniform)  # its mean is the share
            out[:, row] += block.mean_of_minutes(_minutes_kw(pulse, runs=runs))


def _minutes_kw(pulse: Pulse, *, runs: int) -> Floats:
    """Return the power of each wall-clock minute; past midnight it goes on in the same day."""
    length_min = min(60.0 * runs * pulse.energy_kwh / pulse.power_kw, MINUTES_PER_DAY)
    whole = int(length_min)
    power_kw = np.zeros(MINUTES_PER_DAY)
    first = round(60.0 * pulse.start_h)
    power_kw[np.arange(first, first + whole) % MINUTES_PER_DAY] = pulse.power_kw
    power_kw[(first + whole) % MINUTES_PER_DAY] += pulse.power_kw * (length_min - whole)
    return power_kw
