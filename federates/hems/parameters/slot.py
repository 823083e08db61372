"""What a slot is: one thing about a home that can be asked, recorded, checked and scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict


class Span(TypedDict):
    """A daily stretch of local wall clock, "HH:MM"; it may run over midnight.

    The end is not included. A whole day is 00:00 to 24:00; equal ends are refused.
    """

    start: str
    end: str


Value = bool | int | float | str | Sequence[str] | Sequence[Span]
"""A value in stored form: fractions, "HH:MM", kW, kWh, degC; sets and spans are tuples."""
Values = Mapping[str, Value]
"""Known values by slot key."""


class SlotKind(StrEnum):
    """How a slot's value is stored."""

    BOOLEAN = "boolean"
    CHOICE = "choice"
    CHOICES = "choices"
    """A set: a tuple in the order of `Slot.choices`, possibly empty."""
    INTEGER = "integer"
    NUMBER = "number"
    POWER_KW = "power_kw"
    ENERGY_KWH = "energy_kwh"
    PERCENT = "percent"
    """Asked in percent, stored as a fraction."""
    TEMPERATURE_C = "temperature_c"
    PRICE_PER_KWH = "price_per_kwh"
    CLOCK = "clock"
    """ "HH:MM" from 00:00 to 23:59."""
    DURATION_MIN = "duration_min"
    INTERVALS = "intervals"
    """A tuple of `Span`."""
    LENGTH_KM = "length_km"
    VOLUME_L = "volume_l"
    AREA_M2 = "area_m2"
    TEXT = "text"


NUMERIC_KINDS = frozenset(SlotKind) - {
    SlotKind.BOOLEAN,
    SlotKind.CHOICE,
    SlotKind.CHOICES,
    SlotKind.CLOCK,
    SlotKind.INTERVALS,
    SlotKind.TEXT,
}
"""Kinds whose values are numbers between `Slot.low` and `Slot.high`."""


class Who(StrEnum):
    """Who is asked for a slot; `Slot.needs` says when it exists at all."""

    ALWAYS = "always"
    DEVICE = "device"
    """Owners of the device, or those it otherwise concerns."""
    EXPERT = "expert"
    """Only on demand: its default is good for most homes."""
    DERIVED = "derived"
    """Nobody: it follows from other slots."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """A condition for a slot: the value of `key` is, or a set contains, one of `any_of`."""

    key: str
    any_of: tuple[str | int | bool, ...]


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far a recorded value may be from the truth and still count as right.

    Numbers are right within max(absolute, relative |truth|). Clocks are compared round the clock in
    minutes. All zero means exact.
    """

    absolute: float = 0.0
    """In the unit of the stored value; minutes for clocks."""
    relative: float = 0.0
    """Fraction of the true value."""
    hedged: float | None = None
    """Replaces `absolute` where the householder hedged ("about 80 percent")."""
    agreement: float = 1.0
    """Intervals: least share of the day's quarter-hours that agree."""


EXACT = Tolerance()
TOLERANCES: Mapping[SlotKind, Tolerance] = {
    SlotKind.BOOLEAN: EXACT,
    SlotKind.CHOICE: EXACT,
    SlotKind.CHOICES: EXACT,
    SlotKind.INTEGER: EXACT,
    SlotKind.TEXT: EXACT,
    SlotKind.NUMBER: Tolerance(relative=0.05),
    SlotKind.POWER_KW: Tolerance(relative=0.05),
    SlotKind.ENERGY_KWH: Tolerance(relative=0.05),
    SlotKind.LENGTH_KM: Tolerance(relative=0.05),
    SlotKind.VOLUME_L: Tolerance(relative=0.05),
    SlotKind.AREA_M2: Tolerance(relative=0.05),
    SlotKind.PRICE_PER_KWH: Tolerance(relative=0.01),
    SlotKind.PERCENT: Tolerance(absolute=0.02, hedged=0.05),
    SlotKind.TEMPERATURE_C: Tolerance(absolute=0.5),
    SlotKind.CLOCK: Tolerance(absolute=15.0),
    SlotKind.DURATION_MIN: Tolerance(absolute=10.0, relative=0.10),
    SlotKind.INTERVALS: Tolerance(agreement=0.90),
}
"""Tolerance of a kind; a slot may have its own."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One thing about a home that can be asked, recorded, checked and scored."""

    key: str
    """Dotted name, for example `battery.capacity_kwh` or `evs.1.arrival`."""
    kind: SlotKind
    """How the value is stored."""
    who: Who
    """Who is asked."""
    question: str = ""
    """What a householder is asked; empty for derived slots."""
    help: str = ""
    """For somebody who does not know: what it is and where to find it."""
    unit: str = ""
    """Unit of the stored value; empty where there is none. Prices are in the home's currency."""
    low: float | None = None
    """Least value; for intervals the least number of spans."""
    high: float | None = None
    """Greatest value; for text the greatest length."""
    choices: tuple[str, ...] = ()
    """Allowed words of a choice or a set."""
    needs: tuple[Need, ...] = ()
    """All must hold, else the slot has no value and is not asked."""
    default: Value | None = None
    """Used when nobody said; None: derived from other slots by `completion.completed`."""
    tolerance: Tolerance = EXACT
    """For scoring."""
    order: int = 0
    """Place in the agenda, from 0."""

    @property
    def section(self) -> str:
        """Return the key without its last part, for example `evs.1`."""
        return self.key.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Return the last part of the key, the field name in the model."""
        return self.key.rpartition(".")[2]
