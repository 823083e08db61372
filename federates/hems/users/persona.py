"""Who is being interviewed: a home, a way of talking, and what they know and will tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final, Literal, get_args

import numpy as np

from federates.hems.parameters.slots import Value
from federates.hems.users.chance import Chance
from federates.hems.users.home_draw import draw_truth
from gradmap.errors import ScenarioError

Level = Literal["expert", "ordinary", "novice"]
Trait = Literal[
    "terse",
    "rambling",
    "hedging",
    "over_answering",
    "contradicting",
    "mixed_units",
    "privacy_minded",
    "adversarial",
]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
_LEVEL_SHARES: Final[tuple[tuple[Level, float], ...]] = (
    ("expert", 0.2),
    ("ordinary", 0.5),
    ("novice", 0.3),
)
_PLACES: Final = (
    (("en-GB", "GBP"), 0.5),
    (("en-IE", "EUR"), 0.22),
    (("en-US", "USD"), 0.28),
)
_TRAIT_SHARES: Final[tuple[tuple[Trait, float], ...]] = (
    ("over_answering", 0.2),
    ("contradicting", 0.15),
    ("mixed_units", 0.18),
    ("privacy_minded", 0.12),
    ("adversarial", 0.05),
)
_HEDGING: Final = {"expert": 0.08, "ordinary": 0.25, "novice": 0.45}

# Share of people who cannot say, by slot pattern: (expert, ordinary, novice). First match counts.
_UNKNOWN: Final[tuple[tuple[str, tuple[float, float, float]], ...]] = (
    ("heating.rated_electric_kw", (0.10, 0.75, 0.98)),
    ("heating.cop_nominal", (0.10, 0.90, 1.00)),
    ("battery.eta_*", (0.15, 0.95, 1.00)),
    ("battery.capacity_kwh", (0.00, 0.12, 0.55)),
    ("battery.power_kw", (0.02, 0.50, 0.95)),
    ("pv.peak_kw", (0.00, 0.15, 0.60)),
    ("pv.tilt_deg", (0.05, 0.60, 0.95)),
    ("pv.azimuth", (0.00, 0.05, 0.20)),
    ("household.*_limit_kw", (0.15, 0.85, 1.00)),
    ("household.built_year", (0.03, 0.10, 0.25)),
    ("household.floor_area_m2", (0.03, 0.25, 0.60)),
    ("tariff.kind", (0.00, 0.03, 0.12)),
    ("tariff.peak_hours", (0.00, 0.10, 0.35)),
    ("tariff.*", (0.02, 0.30, 0.75)),
    ("hot_water.volume_l", (0.05, 0.40, 0.80)),
    ("hot_water.power_kw", (0.03, 0.45, 0.95)),
    ("hot_water.temp_*", (0.05, 0.45, 0.85)),
    ("evs.*.capacity_kwh", (0.00, 0.25, 0.65)),
    ("evs.*.charger_kw", (0.00, 0.20, 0.75)),
    ("evs.*.v2g", (0.00, 0.10, 0.45)),
    ("appliances.*.power_kw", (0.15, 0.85, 1.00)),
    ("appliances.*.duration_min", (0.02, 0.15, 0.30)),
    ("generator.rated_kw", (0.00, 0.15, 0.50)),
    ("generator.fuel_cost_per_kwh", (0.15, 0.70, 0.97)),
    ("comfort.temp_m*", (0.00, 0.05, 0.15)),
    ("heating.emitter", (0.00, 0.00, 0.05)),
)
_PRIVATE: Final = (
    "household.occupants",
    "household.home_weekday",
    "household.home_weekend",
    "household.floor_area_m2",
    "evs.*.model",
    "evs.*.arrival",
    "evs.*.departure",
    "hot_water.showers_per_day",
    "tariff.*_price_per_kwh",
)


@dataclass(frozen=True, kw_only=True)
class Persona:
    """One householder. `truth` holds every slot that applies, known to them or not."""

    id: str
    level: Level
    traits: frozenset[Trait]
    locale: Literal["en-GB", "en-IE", "en-US"]
    currency: Literal["GBP", "EUR", "USD"]
    truth: Mapping[str, Value]
    """True values in stored form. Prices in `currency`."""
    refuses: frozenset[str]
    """Slots they will not tell."""
    unknown: frozenset[str]
    """Slots they cannot tell, whatever they are asked."""

    def knows(self, key: str) -> bool:
        """Whether the householder can and will tell a slot."""
        return key in self.truth and key not in self.unknown and key not in self.refuses


def draw_persona(seed: int, index: int, *, level: Level | None = None) -> Persona:
    """Return the householder of a number; the same seed and number give the same one.

    Args:
        seed: Root of the random draws, not negative.
        index: Number of the householder, not negative.
        level: Fixes the level; None draws it. The home does not depend on it.

    Raises:
        ScenarioError: An unknown level, or a negative seed or index.
    """
    if level is not None and level not in LEVELS:
        raise ScenarioError(f"level {level!r} of persona {index}; use one of {', '.join(LEVELS)}")
    if seed < 0 or index < 0:
        raise ScenarioError(f"seed {seed} and index {index} of a persona must not be negative")
    streams = np.random.SeedSequence([seed, index]).spawn(2)
    at_home, in_person = (Chance(np.random.default_rng(stream)) for stream in streams)
    locale, currency = at_home.weighted(_PLACES)
    truth = draw_truth(at_home, locale=locale, currency=currency)
    drawn = in_person.weighted(_LEVEL_SHARES)
    level = level or drawn
    traits = _traits(in_person, level=level)
    if "privacy_minded" in traits:
        truth["flexibility.data_consent"] = False
    refuses = _refused(in_person, truth=truth) if "privacy_minded" in traits else frozenset()
    return Persona(
        id=f"p{seed}-{index}-{level}",
        level=level,
        traits=traits,
        locale=locale,  # type: ignore[arg-type]
        currency=currency,  # type: ignore[arg-type]
        truth=MappingProxyType(truth),
        refuses=refuses,
        unknown=_unknown(in_person, truth=truth, level=level) - refuses,
    )


def _traits(chance: Chance, *, level: Level) -> frozenset[Trait]:
    traits = {trait for trait, share in _TRAIT_SHARES if chance.happens(share)}
    manner = chance.weighted((("terse", 0.18), ("rambling", 0.18), ("plain", 0.64)))
    if manner in {"terse", "rambling"}:
        traits.add(manner)  # type: ignore[arg-type]
    if chance.happens(_HEDGING[level]):
        traits.add("hedging")
    return frozenset(traits)


def _refused(chance: Chance, *, truth: Mapping[str, Value]) -> frozenset[str]:
    """Some of the private slots, at least one."""
    private = [key for key in truth if any(fnmatchcase(key, pattern) for pattern in _PRIVATE)]
    some = {key for key in private if chance.happens(0.35)}
    return frozenset(some or {"household.occupants"})


def _unknown(chance: Chance, *, truth: Mapping[str, Value], level: Level) -> frozenset[str]:
    """Slots they cannot say; one draw for each slot, whatever the level."""
    found = set()
    for key in truth:
        luck = float(chance.rng.random())
        share = next((shares for pattern, shares in _UNKNOWN if fnmatchcase(key, pattern)), None)
        if share is not None and luck < share[LEVELS.index(level)]:
            found.add(key)
    return frozenset(found)
