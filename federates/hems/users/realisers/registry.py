"""All realisers by name."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType

from federates.hems.users.realisers.base import Realiser
from federates.hems.users.realisers.choices import CHOICE_REALISERS
from federates.hems.users.realisers.clocks import CLOCK_REALISERS
from federates.hems.users.realisers.intervals import INTERVAL_REALISERS
from federates.hems.users.realisers.numbers import NUMBER_REALISERS
from federates.hems.users.realisers.power import POWER_REALISERS
from federates.hems.users.realisers.prices import PRICE_REALISERS
from federates.hems.users.realisers.quantities import QUANTITY_REALISERS

REALISERS: Mapping[str, Realiser] = MappingProxyType(
    {
        realiser.name: realiser
        for realiser in (
            *CHOICE_REALISERS,
            *CLOCK_REALISERS,
            *INTERVAL_REALISERS,
            *NUMBER_REALISERS,
            *POWER_REALISERS,
            *PRICE_REALISERS,
            *QUANTITY_REALISERS,
        )
    }
)
"""Every realiser by the name that templates use."""


def serves(realiser: Realiser, *, slot: str, kind: str) -> bool:
    """Whether the realiser can say values of this slot."""
    if kind not in realiser.kinds:
        return False
    return not realiser.slots or any(fnmatchcase(slot, pattern) for pattern in realiser.slots)
