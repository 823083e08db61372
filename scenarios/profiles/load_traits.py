"""What a household owns and is used to: the persistent traits behind its base load."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.profiles.randomness import Draws, household_uniforms

Floats = NDArray[np.float64]

N_TRAIT_DRAWS = 48


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
