"""Battery sizes of common electric cars, for householders who only know the model.

Usable kWh as the makers published them, from memory and rounded: good enough to start from, read
back to the householder, never recorded as stated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

EV_CAPACITY_KWH: Final[Mapping[str, float]] = {
    "audi q4 e-tron": 77.0,
    "bmw i3": 38.0,
    "bmw i4": 81.0,
    "fiat 500e": 37.0,
    "honda e": 29.0,
    "hyundai ioniq 5": 74.0,
    "hyundai kona": 64.0,
    "jaguar i-pace": 85.0,
    "kia ev6": 74.0,
    "kia e-niro": 64.0,
    "kia niro": 64.0,
    "mg zs": 68.0,
    "mg4": 62.0,
    "mini electric": 29.0,
    "nissan leaf 24": 22.0,
    "nissan leaf 30": 28.0,
    "nissan leaf 40": 39.0,
    "nissan leaf 62": 59.0,
    "peugeot e-208": 46.0,
    "polestar 2": 75.0,
    "renault zoe": 52.0,
    "tesla model 3": 58.0,
    "tesla model s": 95.0,
    "tesla model x": 95.0,
    "tesla model y": 75.0,
    "vauxhall corsa": 46.0,
    "volkswagen id.3": 58.0,
    "volkswagen id.4": 77.0,
}
_WORD: Final = re.compile(r"[a-z0-9.\-]+")


def ev_capacity_kwh(model: str) -> float | None:
    """Return the battery of a car, or None where the words name none or several. [kWh]

    Args:
        model: The householder's words, such as "a Nissan Leaf, the 40 kWh one".
    """
    said = set(_WORD.findall(model.lower().replace("vw", "volkswagen")))
    said |= {word.strip(".-") for word in said}
    sizes = {size for name, size in EV_CAPACITY_KWH.items() if set(name.split()) <= said}
    return sizes.pop() if len(sizes) == 1 else None
