"""Wrong answers that people give: plausible, in range, and clearly not the truth."""

from __future__ import annotations

from typing import Final

import numpy as np

from federates.hems.parameters.slots import Slot, SlotKind, Value
from federates.hems.parameters.stored import checked
from federates.hems.users.agreement import agrees
from federates.hems.users.realisers.clocks import clock_of, minutes_of
from gradmap.errors import ScenarioError

_TRIES: Final = 20


def misstated(item: Slot, *, truth: Value, rng: np.random.Generator) -> Value | None:
    """Return a wrong value of the slot, or None where none comes to mind."""
    for _ in range(_TRIES):
        try:
            wrong = checked(item.key, _candidate(item, truth=truth, rng=rng))
        except ScenarioError:
            continue
        if not agrees(item, wrong, truth=truth, hedged=True):
            return wrong
    return None


def _candidate(  # noqa: PLR0911 - one line a kind
    item: Slot, *, truth: Value, rng: np.random.Generator
) -> object:
    match item.kind, truth:
        case SlotKind.BOOLEAN, bool():
            return not truth
        case SlotKind.CHOICE, _:
            return item.choices[int(rng.integers(len(item.choices)))]
        case SlotKind.CHOICES, tuple():
            return tuple(word for word in truth if rng.random() < 0.6)
        case SlotKind.CLOCK, str():
            return clock_of(minutes_of(truth) + int(rng.choice([-120, -60, 45, 60, 90])))
        case SlotKind.INTERVALS, tuple():
            shift = int(rng.choice([-120, 90, 180]))
            return tuple(_later(span, shift_min=shift) for span in truth)
        case SlotKind.INTEGER, int():
            return truth + int(rng.choice([-2, -1, 1, 2])) * (20 if truth > 100 else 1)
        case SlotKind.TEMPERATURE_C, float():
            return round(truth + int(rng.choice([-3, -2, 2, 3])), 2)
        case SlotKind.PERCENT, float():
            return round(truth + int(rng.choice([-20, -10, 10, 20])) / 100, 2)
        case SlotKind.PRICE_PER_KWH, float():
            return round(truth + int(rng.choice([-5, -3, 3, 6])) / 100, 4)
        case _, int() | float():
            return round(truth * float(rng.choice([0.5, 0.75, 1.5, 2.0])), 1)
    return None


def _later(span: object, *, shift_min: int) -> dict[str, str]:
    assert isinstance(span, dict)
    return {end: clock_of(minutes_of(clock) + shift_min) for end, clock in span.items()}
