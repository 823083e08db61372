"""What the readers of one kind of value are given and give back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from federates.hems.parameters.slots import Slot, Value, Values
from federates.hems.parameters.stored import checked
from gradmap.errors import ScenarioError

_NOTHING: Values = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Context:
    """What decides between readings besides the words."""

    locale: str = "en-GB"
    """BCP 47; "half six" is half past six only in British and Irish English."""
    currency: str = "GBP"
    """ISO 4217."""
    known: Values = field(default_factory=lambda: _NOTHING)
    """What is known of the home."""
    year: int | None = None
    """The current year, for "about 30 years old"."""

    @property
    def is_american(self) -> bool:
        """Whether degrees are Fahrenheit, gallons American and mains 240 V."""
        return self.locale == "en-US"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Values that some words may stand for; one without a question is sure enough to record."""

    values: tuple[Value, ...]
    """In stored form; none where no reading fits."""
    words: str
    """As written."""
    hedged: bool = False
    unit: str = ""
    question: str = ""
    """What to ask; empty where the one value is sure enough."""
    explicit: bool = True
    """Unit or half of the day were said, not assumed from the slot."""

    @property
    def is_sure(self) -> bool:
        """Whether the value can be recorded."""
        return not self.question and len(self.values) == 1


def stored(item: Slot, value: object) -> Value | None:
    """Return a value in stored form, or None if the slot cannot hold it."""
    try:
        return checked(item.key, value)
    except ScenarioError:
        return None


def distinct(values: Sequence[Value]) -> tuple[Value, ...]:
    """Return values without repetition, in order."""
    found: list[Value] = []
    for value in values:
        if not any(_same(value, other) for other in found):
            found.append(value)
    return tuple(found)


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-6 * max(1.0, abs(one))
    return type(one) is type(other) and one == other


def doubtful(
    item: Slot, values: Sequence[Value], *, words: str, question: str, unit: str = ""
) -> Answer:
    """Return readings to ask about; those the slot cannot hold are left out."""
    kept = [value for value in (stored(item, v) for v in values) if value is not None]
    return Answer(values=distinct(kept), words=words, question=question, unit=unit)
