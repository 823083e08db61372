"""Household base load: what people do, and what their appliances then draw.

A stochastic activity model on the 1-minute wall clock. Each household has persistent traits (what
it owns, when it rises, whether it is at home on weekdays); each day draws who is at home when, and
which appliances run. The load is the sum of

    standby + refrigeration cycles + lighting(active occupants, darkness) + appliance events

Events are rectangles in time, added up as difference arrays and one cumulative sum. An event that
runs past midnight continues at the start of the same day, so that no day needs another.

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
from scenarios.profiles.randomness import Draws, Split, household_uniforms

Floats = NDArray[np.float64]

N_TRAIT_DRAWS = 48
N_DAY_DRAWS = 256
CHUNK_HOUSEHOLDS = 250  # 250 x 1440 float64 = 2.9 MB: stays in the cache
SATURDAY = 5


@dataclass(frozen=True, kw_only=True)
class HouseholdTraits:
    """What a household owns and is used to; all of shape [household, 1]."""

    number: NDArray[np.int64]
    """Row in the households table: the key of every draw. [household]"""
    occupants: Floats
    """People."""
    scale: Floats
    """Multiplies the load. [-]"""
    habit: Floats
    """Multiplies how often appliances run, around 1. [-]"""
    standby_kw: Floats
    """Always on. [kW]"""
    fridge_kw: Floats
    """Compressor power of each cold appliance, 0 if not owned. [kW] [household, 2]"""
    fridge_duty: Floats
    """Share of time the compressor runs. [-] [household, 2]"""
    fridge_period_min: Floats
    """Compressor cycle. [min] [household, 2]"""
    light_kw: Floats
    """Lighting per active household member to the power 0.5. [kW]"""
    screen_kw: Floats
    """Television and its boxes. [kW]"""
    cooks_electric: Floats
    """1 with an electric hob and oven."""
    shower_kw: Floats
    """Electric shower, 0 if none. [kW]"""
    has_dryer: Floats
    """1 with a tumble dryer."""
    has_dishwasher: Floats
    """1 with a dishwasher."""
    immersion_kw: Floats
    """Electric water heater, 0 if none. [kW]"""
    away_share: Floats
    """Share of the household out on working days. [-]"""
    wake_h: Floats
    """Usual time of rising on working days. [h]"""
    bed_h: Floats
    """Usual bedtime. [h]"""
    dinner_h: Floats
    """Usual time of cooking dinner. [h]"""

    def select(self, rows: slice) -> HouseholdTraits:
        """Return some of the households."""
        return HouseholdTraits(**{name: value[rows] for name, value in vars(self).items()})


def draw_traits(
    *, seed: int, number: NDArray[np.int64], occupants: Floats, scale: Floats
) -> HouseholdTraits:
    """Draw what belongs to each household for good.

    Args:
        seed: The scenario's seed.
        number: Household numbers, the key of the draws. [household]
        occupants: People in each household. [household]
        scale: Multiplies each household's load. [household]
    """
    d = Draws(
        household_uniforms("load traits", seed=seed, n_draws=N_TRAIT_DRAWS, households=number)
    )
    people = occupants[:, None]
    owns_freezer = np.concatenate([np.ones_like(people, dtype=bool), d.chance(0.45)], axis=1)
    works = d.uniform()
    away_share = np.where(works < 0.24, 1.0, np.where(works < 0.56, (people - 1) / people, 0.0))
    return HouseholdTraits(
        number=number,
        occupants=people,
        scale=scale[:, None],
        habit=np.exp(d.normal(-0.05, 0.38)),
        standby_kw=np.clip(0.042 * np.exp(d.normal(0.0, 0.35)), 0.015, 0.15),
        fridge_kw=d.uniform(0.08, 0.15, columns=2) * owns_freezer,
        fridge_duty=d.uniform(0.28, 0.45, columns=2),
        fridge_period_min=d.uniform(35, 75, columns=2),
        light_kw=d.uniform(0.08, 0.24),
        screen_kw=d.uniform(0.08, 0.22),
        cooks_electric=d.chance(0.62).astype(np.float64),
        shower_kw=d.uniform(7.2, 10.8) * d.chance(0.17),
        has_dryer=d.chance(0.4).astype(np.float64),
        has_dishwasher=d.chance(0.4).astype(np.float64),
        immersion_kw=3.0 * d.chance(0.13).astype(np.float64),
        away_share=away_share,
        wake_h=np.clip(d.normal(7.1, 0.8), 5.0, 9.5),
        bed_h=np.clip(d.normal(22.9, 0.7), 21.0, 24.0),
        dinner_h=np.clip(d.normal(18.5, 1.6), 15.0, 21.5),
    )


def base_load_kw(
    block: DayBlock, traits: HouseholdTraits, *, seed: int, split: Split, darkness: Floats
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
        minutes = minute_load_kw(
            block.date, traits.select(rows), seed=seed, split=split, darkness=darkness
        )
        out[:, rows] = block.mean_of_minutes(minutes).T
    return out


def minute_load_kw(
    day: date, traits: HouseholdTraits, *, seed: int, split: Split, darkness: Floats
) -> Floats:
    """Return the load of every wall-clock minute of a day [kW] [household, 1440]."""
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
    weekend = day.weekday() >= SATURDAY
    people = _Day.draw(draws, traits, weekend=weekend)
    events = _Events(people)
    _kitchen(events, draws, traits, weekend=weekend)
    _wet_appliances(events, draws, traits, weekend=weekend)
    _water(events, draws, traits)
    _screens_and_tools(events, draws, traits, weekend=weekend)
    load = events.total_kw()
    load += people.active_share() * (darkness * traits.light_kw * np.sqrt(traits.occupants))
    load += _refrigeration_kw(draws, traits) + traits.standby_kw
    return load * traits.scale


@dataclass(frozen=True, kw_only=True)
class _Day:
    """When the household is awake and at home [h] [household, 1]."""

    wake_h: Floats
    bed_h: Floats
    leave_h: Floats
    return_h: Floats
    away_share: Floats
    errand_h: Floats
    errand_end_h: Floats

    @classmethod
    def draw(cls, d: Draws, traits: HouseholdTraits, *, weekend: bool) -> _Day:
        """Draw one day of presence."""
        wake = np.clip(traits.wake_h + d.normal(1.0 if weekend else 0.0, 0.35), 4.5, 11.5)
        bed = np.clip(traits.bed_h + d.normal(0.3 if weekend else 0.0, 0.4), 20.5, 24.0)
        leave = np.maximum(d.normal(8.4, 0.5), wake + 0.4)
        back = np.clip(d.normal(16.8, 1.4), leave + 3, bed - 0.5)
        errand_chance = 0.5 if weekend else 0.35
        errand = np.maximum(d.uniform(9.5, 20.0), wake + 0.5)
        errand_end = errand + d.uniform(0.7, 3.0) * d.chance(errand_chance)
        return cls(
            wake_h=wake,
            bed_h=bed,
            leave_h=leave,
            return_h=back,
            away_share=np.zeros_like(wake) if weekend else traits.away_share,
            errand_h=errand,
            errand_end_h=np.minimum(errand_end, bed),
        )

    def active_share(self) -> Floats:
        """Return the share of the household awake and at home, by minute [household, 1440]."""
        hour = np.arange(MINUTES_PER_DAY) / 60.0
        share = ((hour >= self.wake_h) & (hour < self.bed_h)).astype(np.float64)
        share -= self.away_share * ((hour >= self.leave_h) & (hour < self.return_h))
        share *= ~((hour >= self.errand_h) & (hour < self.errand_end_h))
        return np.maximum(share, 0.0)

    def at_home(self, start_h: Floats, *, spread: Floats) -> Floats:
        """Move activities that fall in an absence to after it; `spread` in [0, 1) [h]."""
        empty = (self.away_share > 0.99) & (start_h >= self.leave_h) & (start_h < self.return_h)
        start_h = np.where(empty, self.return_h + 1.5 * spread, start_h)
        out = (start_h >= self.errand_h) & (start_h < self.errand_end_h)
        return np.where(out, self.errand_end_h + 0.5 * spread, start_h)


class _Events:
    """Rectangles of power in a day, added up at the end."""

    def __init__(self, people: _Day) -> None:
        self.people = people
        self._start: list[Floats] = []
        self._minutes: list[Floats] = []
        self._kw: list[Floats] = []

    def add(self, start_h: Floats, *, minutes: Floats, kw: Floats) -> None:
        """Add events as they are; kw = 0 where none happens [household, event]."""
        shape = np.broadcast_shapes(start_h.shape, minutes.shape, kw.shape)
        self._start.append(np.broadcast_to(start_h, shape))
        self._minutes.append(np.broadcast_to(minutes, shape))
        self._kw.append(np.broadcast_to(kw, shape))

    def total_kw(self) -> Floats:
        """Return the summed power by minute, events wrapped at midnight [household, 1440]."""
        start = np.rint(np.concatenate(self._start, axis=1) * 60).astype(np.int64)
        length = np.rint(np.concatenate(self._minutes, axis=1)).astype(np.int64)
        kw = np.concatenate(self._kw, axis=1)
        begin = start % MINUTES_PER_DAY
        end = begin + np.clip(length, 1, MINUTES_PER_DAY - 1)
        wrapped = end >= MINUTES_PER_DAY
        n = len(kw)
        row = np.arange(n)[:, None] * MINUTES_PER_DAY
        steps = np.bincount(
            np.concatenate([row + begin, row + end % MINUTES_PER_DAY, row + 0 * begin]).ravel(),
            weights=np.concatenate([kw, -kw, kw * wrapped]).ravel(),
            minlength=n * MINUTES_PER_DAY,
        )
        total = np.cumsum(steps.reshape(n, MINUTES_PER_DAY), axis=1)
        return np.asarray(np.maximum(total, 0.0), dtype=np.float64)


def _kitchen(e: _Events, d: Draws, t: HouseholdTraits, *, weekend: bool) -> None:
    """Add hot drinks, breakfast, lunch and dinner."""
    size = t.habit * (t.occupants / 2.4) ** 0.5
    morning = e.people.wake_h + d.uniform(0.1, 1.4, columns=3)
    day = d.uniform(10.0, 16.0, columns=3)
    evening = d.uniform(16.5, 23.0, columns=4)
    drinks = np.concatenate([morning, day, evening], axis=1)
    drinks = e.people.at_home(drinks, spread=d.uniform(columns=10))
    kettle_kw = d.uniform(1.8, 2.8)
    e.add(
        drinks,
        minutes=d.uniform(2, 4.5, columns=10),
        kw=kettle_kw * d.chance(0.5 * size, columns=10),
    )
    snack = np.concatenate(
        [e.people.wake_h + d.uniform(0.2, 1.1), d.normal(12.7, 0.6), t.dinner_h + d.normal(0, 1.2)],
        axis=1,
    )
    e.add(
        e.people.at_home(snack, spread=d.uniform(columns=3)),
        minutes=d.uniform(3, 8, columns=3),
        kw=d.uniform(0.9, 1.5, columns=3) * d.chance(0.55 * size, columns=3),
    )
    lunch = e.people.at_home(d.normal(12.6, 0.6), spread=d.uniform())
    lunch_kw = d.uniform(0.9, 1.9) * d.chance((0.55 if weekend else 0.45) * size)
    e.add(lunch, minutes=d.uniform(10, 30), kw=t.cooks_electric * lunch_kw)
    dinner = e.people.at_home(t.dinner_h + d.normal(0.0, 1.0), spread=d.uniform())
    hob_kw = d.uniform(0.9, 2.0) * d.chance(0.50 * size)
    e.add(dinner, minutes=d.uniform(15, 40), kw=t.cooks_electric * hob_kw)
    oven_kw = d.uniform(1.8, 2.4) * d.chance((0.35 if weekend else 0.25) * size)
    _oven(
        e, dinner + d.uniform(-0.4, 0.1), full_min=d.uniform(10, 18), kw=t.cooks_electric * oven_kw
    )


def _oven(e: _Events, start_h: Floats, *, full_min: Floats, kw: Floats) -> None:
    """Add an oven: heating up, then three thermostat cycles."""
    e.add(start_h, minutes=full_min, kw=kw)
    for cycle in range(3):
        begin = start_h + (full_min + 5 + 10 * cycle) / 60
        e.add(begin, minutes=np.full_like(begin, 4.0), kw=kw)


def _wet_appliances(e: _Events, d: Draws, t: HouseholdTraits, *, weekend: bool) -> None:
    """Add washing machine, tumble dryer and dishwasher."""
    chance = t.habit * (0.20 + 0.13 * t.occupants) * (1.25 if weekend else 0.9)
    runs = d.chance(chance)
    start = e.people.at_home(d.uniform(6.8, 17.0), spread=d.uniform())
    heating_min = d.uniform(12, 26)
    e.add(start, minutes=heating_min, kw=d.uniform(1.8, 2.2) * runs)
    spinning_min = d.uniform(45, 75)
    e.add(start + heating_min / 60, minutes=spinning_min, kw=d.uniform(0.12, 0.3) * runs)
    dries = t.has_dryer * runs * d.chance(0.55)
    end = start + (heating_min + spinning_min) / 60
    e.add(end + d.uniform(0.1, 0.6), minutes=d.uniform(35, 70), kw=d.uniform(1.9, 2.5) * dries)
    dishes = t.has_dishwasher * d.chance(np.minimum(0.9, 0.22 * t.occupants * t.habit))
    start = t.dinner_h + d.uniform(0.7, 4.0)
    kw = d.uniform(1.7, 2.1) * dishes
    e.add(start, minutes=d.uniform(12, 20), kw=kw)
    e.add(start + 0.8, minutes=d.uniform(8, 14), kw=kw)


def _water(e: _Events, d: Draws, t: HouseholdTraits) -> None:
    """Add electric showers and the immersion heater."""
    morning = e.people.wake_h + d.uniform(0.05, 1.2, columns=3)
    evening = d.uniform(18.5, 22.0, columns=2)
    start = np.concatenate([morning, evening], axis=1)
    who = np.arange(5) < np.minimum(np.concatenate([t.occupants] * 5, axis=1) + 1, 5)
    taken = d.chance(0.42 * t.habit, columns=5) & who
    e.add(start, minutes=d.uniform(3.5, 8, columns=5), kw=t.shower_kw * taken)
    tank = np.concatenate([e.people.wake_h - 1.0, t.dinner_h - 0.5], axis=1)
    e.add(
        tank + d.uniform(-0.3, 0.3, columns=2),
        minutes=d.uniform(14, 26, columns=2) * t.occupants**0.5,
        kw=t.immersion_kw * d.chance(0.9, columns=2),
    )


def _screens_and_tools(e: _Events, d: Draws, t: HouseholdTraits, *, weekend: bool) -> None:
    """Add television, computers, and cleaning or care appliances."""
    evening = e.people.at_home(d.normal(17.6, 1.9), spread=d.uniform())
    until_bed_min = np.maximum(e.people.bed_h - evening - d.uniform(0, 1.0), 0.3) * 60
    crowd = (t.occupants / 2.4) ** 0.4
    e.add(evening, minutes=until_bed_min, kw=crowd * t.screen_kw * d.chance(0.92))
    day = e.people.at_home(d.uniform(8.0, 16.0, columns=2), spread=d.uniform(columns=2))
    watched = d.chance(0.6 if weekend else 0.55, columns=2)
    e.add(day, minutes=d.uniform(40, 180, columns=2), kw=t.screen_kw * watched)
    desk = e.people.at_home(d.uniform(8.0, 21.0, columns=2), spread=d.uniform(columns=2))
    used = d.chance(0.5 * crowd * t.habit, columns=2)
    e.add(desk, minutes=d.uniform(30, 240, columns=2), kw=d.uniform(0.04, 0.16, columns=2) * used)
    tools = e.people.at_home(d.uniform(6.8, 17.5, columns=4), spread=d.uniform(columns=4))
    used = d.chance((0.34 if weekend else 0.30) * crowd * t.habit, columns=4)
    e.add(tools, minutes=d.uniform(4, 25, columns=4), kw=d.uniform(0.7, 2.4, columns=4) * used)


def _refrigeration_kw(d: Draws, t: HouseholdTraits) -> Floats:
    """Return the compressors' power by minute [household, 1440]."""
    minute = np.arange(MINUTES_PER_DAY, dtype=np.float64)
    phase = d.uniform(columns=2)
    total = np.zeros((len(t.number), MINUTES_PER_DAY))
    for unit in range(2):
        column = slice(unit, unit + 1)
        cycles = minute / t.fridge_period_min[:, column] + phase[:, column]
        cycles -= np.floor(cycles)
        total += t.fridge_kw[:, column] * (cycles < t.fridge_duty[:, column])
    return total
