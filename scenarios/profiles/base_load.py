"""Household base load: what people do, and what their appliances then draw.

A stochastic activity model on the 1-minute wall clock. Each household has persistent traits (what
it owns, when it rises, whether it is at home on weekdays); each day draws who is at home when, and
which appliances run. The load is the sum of

    standby + refrigeration cycles + lighting(active occupants, darkness) + appliance events

Events are rectangles in time that begin and end at whole minutes. An event that runs past midnight
continues at the start of the same day, so that no day needs another. Step means follow from the
switching times (`step_means`); the minutes themselves are there for irregular days and for
comparing profiles.

The appliance ratings, run times and ownership are typical European values (of the size in
Richardson et al., "Domestic electricity use: a high-resolution energy demand model", Energy and
Buildings 42, 2010, doi:10.1016/j.enbuild.2010.05.023); frequencies are tuned to 100 one-minute
profiles of the IEEE European low-voltage test feeder. `docs/profiles.md` shows how close that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from scenarios.clock import MINUTES_PER_DAY, DayBlock
from scenarios.profiles.activities import Events, draw_events
from scenarios.profiles.load_traits import HouseholdTraits
from scenarios.profiles.randomness import Draws, Year, household_uniforms
from scenarios.profiles.step_means import LONGEST_CYCLE_STEP_MIN, means_of_cycles

Floats = NDArray[np.float64]

N_DAY_DRAWS = 256
CHUNK_HOUSEHOLDS = 500  # 500 homes x 256 draws = 1 MB: about the size of the cache
SATURDAY = 5


def base_load_kw(
    block: DayBlock, traits: HouseholdTraits, *, seed: int, split: Year, darkness: Floats
) -> Floats:
    """Return the base load of a day's steps.

    Args:
        block: Steps of one local day.
        traits: The households.
        seed: The scenario's seed.
        split: Which random days.
        darkness: Need of artificial light in [0, 1] by wall-clock minute. [1440]

    Returns:
        Mean power of each step, >= 0. [kW] [step, household]
    """
    n = len(traits.number)
    out = np.empty((len(block), n))
    for first in range(0, n, CHUNK_HOUSEHOLDS):
        rows = slice(first, min(first + CHUNK_HOUSEHOLDS, n))
        homes = traits.select(rows)
        drawn = _HomesDay.draw(block.date, homes, seed=seed, split=split)
        step_min = block.dt_s // 60
        if block.is_whole_day and step_min <= LONGEST_CYCLE_STEP_MIN:
            load = drawn.step_load_kw(homes, darkness=darkness, step_min=step_min)
        else:
            load = block.mean_of_minutes(drawn.minute_load_kw(homes, darkness=darkness))
        out[:, rows] = load.T
    return out


def minute_load_kw(
    day: date, traits: HouseholdTraits, *, seed: int, split: Year, darkness: Floats
) -> Floats:
    """Return the load of every wall-clock minute of a day [kW] [household, 1440]."""
    drawn = _HomesDay.draw(day, traits, seed=seed, split=split)
    return drawn.minute_load_kw(traits, darkness=darkness)


@dataclass(frozen=True, kw_only=True)
class _HomesDay:
    """What happens on one day."""

    events: Events
    fridge_phase: Floats
    """Of each compressor's cycle at midnight. [-] [household, 2]"""

    @classmethod
    def draw(cls, day: date, traits: HouseholdTraits, *, seed: int, split: Year) -> _HomesDay:
        """Draw a day of all homes."""
        draws = Draws(
            household_uniforms(
                "base load",
                seed=seed,
                split=split,
                day=day,
                n_draws=N_DAY_DRAWS,
                households=traits.number,
            )
        )
        events = draw_events(draws, traits, weekend=day.weekday() >= SATURDAY)
        return cls(events=events, fridge_phase=draws.uniform(columns=2))

    def minute_load_kw(self, traits: HouseholdTraits, *, darkness: Floats) -> Floats:
        """Return the load of every minute [kW] [household, 1440]."""
        load = self.events.total_kw()
        load += self.events.people.active_share() * darkness * _light_kw(traits)
        load += _refrigeration_kw(self.fridge_phase, traits) + traits.standby_kw
        return load * traits.scale

    def step_load_kw(self, traits: HouseholdTraits, *, darkness: Floats, step_min: int) -> Floats:
        """Return the same as step means [kW] [household, step]."""
        load = self.events.step_kw(step_min)
        load += self.events.people.lit_share(darkness, step_min=step_min) * _light_kw(traits)
        for unit in range(2):
            column = slice(unit, unit + 1)
            on = means_of_cycles(
                period_min=traits.fridge_period_min[:, column],
                phase=self.fridge_phase[:, column],
                duty=traits.fridge_duty[:, column],
                step_min=step_min,
            )
            load += traits.fridge_kw[:, column] * on
        return (load + traits.standby_kw) * traits.scale


def _light_kw(traits: HouseholdTraits) -> Floats:
    """Return the lighting of a household that is up and at home in the dark [kW]."""
    return traits.light_kw * np.sqrt(traits.occupants)


def _refrigeration_kw(phase: Floats, t: HouseholdTraits) -> Floats:
    """Return the compressors' power by minute [household, 1440]."""
    minute = np.arange(MINUTES_PER_DAY, dtype=np.float64)
    total = np.zeros((len(t.number), MINUTES_PER_DAY))
    for unit in range(2):
        column = slice(unit, unit + 1)
        cycles = minute / t.fridge_period_min[:, column] + phase[:, column]
        cycles -= np.floor(cycles)
        total += t.fridge_kw[:, column] * (cycles < t.fridge_duty[:, column])
    return total
