"""The reader of each kind of slot, behind one function."""

from __future__ import annotations

from federates.hems.parameters.slots import Slot, SlotKind
from federates.hems.understanding.answer import Answer, Context
from federates.hems.understanding.booleans import yes_or_no
from federates.hems.understanding.cars import capacity_of_model, car_model
from federates.hems.understanding.choices import choice
from federates.hems.understanding.compared import compared
from federates.hems.understanding.counts import count
from federates.hems.understanding.devices import device_set
from federates.hems.understanding.heat_pump_size import heat_or_electricity
from federates.hems.understanding.intervals import stretches
from federates.hems.understanding.never_touch import never_touch
from federates.hems.understanding.quantities import quantity
from federates.hems.understanding.reading import Reading
from federates.hems.understanding.times import time_of_day
from federates.hems.understanding.years import year_built


def read_slot(  # noqa: PLR0911 - one line a kind
    reading: Reading, *, item: Slot, context: Context
) -> Answer | None:
    """Return what a text says about a slot, or None where it says nothing.

    Args:
        reading: The part of a reply that is about the slot.
        item: The slot.
        context: Locale, currency, year, and what is known of the home.
    """
    if not reading.tokens:
        return None
    like_another = compared(reading, item=item, context=context)
    if like_another is not None:
        return like_another
    match item.kind:
        case SlotKind.BOOLEAN:
            return yes_or_no(reading, item=item)
        case SlotKind.CHOICE:
            return choice(reading, item=item)
        case SlotKind.CHOICES if item.name == "never_touch":
            return never_touch(reading, item=item, context=context)
        case SlotKind.CHOICES:
            return device_set(reading, item=item, context=context)
        case SlotKind.CLOCK:
            return time_of_day(reading, item=item, context=context)
        case SlotKind.INTERVALS:
            return stretches(reading, item=item, context=context)
        case SlotKind.TEXT:
            return car_model(reading, item=item)
        case SlotKind.INTEGER if item.name == "built_year":
            return year_built(reading, item=item, context=context)
        case SlotKind.INTEGER:
            return count(reading, item=item)
    return _measured(reading, item=item, context=context)


def _measured(reading: Reading, *, item: Slot, context: Context) -> Answer | None:
    """Return a number with a unit, of a model where only its name is said."""
    found = quantity(reading, item=item, context=context)
    if found is None and item.name == "capacity_kwh" and item.key.startswith("evs."):
        return capacity_of_model(reading, item=item)
    return heat_or_electricity(found, reading, item=item, known=context.known)
