"""A day in a household: who is at home when, and which appliances run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.clock import MINUTES_PER_DAY
from scenarios.profiles.load_traits import HouseholdTraits
from scenarios.profiles.randomness import Draws
from scenarios.profiles.step_means import means_of_rectangles, means_of_switching

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Presence:
    """When the household is awake and at home [h] [household, 1]."""

    wake_h: Floats
    bed_h: Floats
    leave_h: Floats
    return_h: Floats
    away_share: Floats
    errand_h: Floats
    errand_end_h: Floats

    @classmethod
    def draw(cls, d: Draws, traits: HouseholdTraits, *, weekend: bool) -> Presence:
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

    def lit_share(self, darkness: Floats, *, step_min: int) -> Floats:
        """Return step means of `active_share` times darkness [household, step]."""
        minutes = [self.wake_h, self.bed_h, self.leave_h, self.return_h]
        wake, bed, leave, back, errand, errand_end = (
            np.clip(np.ceil(hour * 60.0), 0.0, MINUTES_PER_DAY)
            for hour in (*minutes, self.errand_h, self.errand_end_h)
        )
        one, away = np.ones_like(wake), self.away_share
        # The errand takes its part out of being up, and out of those who are away anyway.
        up_out, up_in = np.maximum(wake, errand), np.minimum(bed, errand_end)
        away_out, away_in = np.maximum(leave, errand), np.minimum(back, errand_end)
        switches = [wake, bed, leave, back, up_out, up_in, away_out, away_in]
        up, out = one * (up_in > up_out), away * (away_in > away_out)
        return means_of_switching(
            np.concatenate(switches, axis=1),
            np.concatenate([one, -one, -away, away, -up, up, out, -out], axis=1),
            cumulative=np.concatenate([[0.0], np.cumsum(darkness)]),
            step_min=step_min,
        )

    def at_home(self, start_h: Floats, *, spread: Floats) -> Floats:
        """Move activities that fall in an absence to after it; `spread` in [0, 1) [h]."""
        empty = (self.away_share > 0.99) & (start_h >= self.leave_h) & (start_h < self.return_h)
        start_h = np.where(empty, self.return_h + 1.5 * spread, start_h)
        out = (start_h >= self.errand_h) & (start_h < self.errand_end_h)
        return np.where(out, self.errand_end_h + 0.5 * spread, start_h)


class Events:
    """Rectangles of power in a day, added up at the end."""

    def __init__(self, people: Presence) -> None:
        self.people = people
        self._start: list[Floats] = []
        self._minutes: list[Floats] = []
        self._kw: list[Floats] = []

    def add(self, start_h: Floats, *, minutes: Floats, kw: Floats) -> None:
        """Add events as they are; kw = 0 where none happens [household, event]."""
        if not start_h.shape == minutes.shape == kw.shape:
            start_h, minutes, kw = np.broadcast_arrays(start_h, minutes, kw)
        self._start.append(start_h)
        self._minutes.append(minutes)
        self._kw.append(kw)

    def total_kw(self) -> Floats:
        """Return the summed power by minute, events wrapped at midnight [household, 1440]."""
        start, length, kw = self._whole_minutes()
        start, length = start.astype(np.int64), length.astype(np.int64)
        begin = start % MINUTES_PER_DAY
        end = begin + length
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

    def step_kw(self, step_min: int) -> Floats:
        """Return step means of the summed power, >= 0 but for rounding [household, step]."""
        start, length, kw = self._whole_minutes()
        return means_of_rectangles(start, length, kw, step_min=step_min)

    def _whole_minutes(self) -> tuple[Floats, Floats, Floats]:
        """Return start and length in whole minutes, and power [household, event]."""
        start = np.rint(np.concatenate(self._start, axis=1) * 60)
        length = np.rint(np.concatenate(self._minutes, axis=1))
        kw = np.concatenate(self._kw, axis=1)
        return start, np.clip(length, 1, MINUTES_PER_DAY - 1), kw


def draw_events(d: Draws, traits: HouseholdTraits, *, weekend: bool) -> Events:
    """Draw who is at home when and what runs; the order of the draws is part of the model."""
    events = Events(Presence.draw(d, traits, weekend=weekend))
    _kitchen(events, d, traits, weekend=weekend)
    _wet_appliances(events, d, traits, weekend=weekend)
    _water(events, d, traits)
    _screens_and_tools(events, d, traits, weekend=weekend)
    return events


def _kitchen(e: Events, d: Draws, t: HouseholdTraits, *, weekend: bool) -> None:
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


def _oven(e: Events, start_h: Floats, *, full_min: Floats, kw: Floats) -> None:
    """Add an oven: heating up, then three thermostat cycles."""
    e.add(start_h, minutes=full_min, kw=kw)
    for cycle in range(3):
        begin = start_h + (full_min + 5 + 10 * cycle) / 60
        e.add(begin, minutes=np.full_like(begin, 4.0), kw=kw)


def _wet_appliances(e: Events, d: Draws, t: HouseholdTraits, *, weekend: bool) -> None:
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


def _water(e: Events, d: Draws, t: HouseholdTraits) -> None:
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


def _screens_and_tools(e: Events, d: Draws, t: HouseholdTraits, *, weekend: bool) -> None:
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
