"""Whether what was said means the true value, within the slot's tolerance."""

from __future__ import annotations

from federates.hems.parameters.slots import Slot, SlotKind, Value
from federates.hems.users.dialogue import SlotValue
from federates.hems.users.realisers.clocks import MINUTES_PER_DAY, minutes_of

_QUARTERS = range(0, MINUTES_PER_DAY, 15)


def agrees(item: Slot, said: SlotValue, *, truth: Value, hedged: bool = False) -> bool:
    """Return whether a said value is right.

    Args:
        item: The slot; its tolerance decides.
        said: The value said, in stored form.
        truth: The true value, in stored form.
        hedged: The householder said it vaguely; percentages are then judged more mildly.
    """
    match item.kind:
        case SlotKind.BOOLEAN | SlotKind.CHOICE:
            return bool(said == truth)
        case SlotKind.TEXT:
            return _letters(str(said)) == _letters(str(truth))
        case SlotKind.CHOICES:
            return set(said) == set(truth)  # type: ignore[arg-type]
        case SlotKind.CLOCK:
            return _clocks_agree(item, said, str(truth))
        case SlotKind.INTERVALS:
            equal = sum(_covers(said, at) == _covers(truth, at) for at in _QUARTERS)
            return equal >= item.tolerance.agreement * len(_QUARTERS)
        case _:
            return _numbers_agree(item, said, float(truth), hedged=hedged)  # type: ignore[arg-type]


def _letters(text: str) -> str:
    """Return the letters and digits: speech recognition writes "vw id 4" for "VW ID.4"."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _clocks_agree(item: Slot, said: str, truth: str) -> bool:
    apart = abs(minutes_of(said) - minutes_of(truth)) % MINUTES_PER_DAY
    return min(apart, MINUTES_PER_DAY - apart) <= item.tolerance.absolute


def _numbers_agree(item: Slot, said: float, truth: float, *, hedged: bool) -> bool:
    tolerance = item.tolerance
    absolute = tolerance.absolute
    if hedged and tolerance.hedged is not None:
        absolute = tolerance.hedged
    return abs(said - truth) <= max(absolute, tolerance.relative * abs(truth)) + 1e-9


def _covers(spans: SlotValue, at_min: int) -> bool:
    """Whether a minute of the day lies inside one of the spans."""
    for span in spans:
        start, end = minutes_of(span["start"]), minutes_of(span["end"])
        length = (end - start) % MINUTES_PER_DAY or MINUTES_PER_DAY
        if (at_min - start) % MINUTES_PER_DAY < length:
            return True
    return False
