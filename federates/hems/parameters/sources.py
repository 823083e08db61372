"""Where each value of a home came from."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from federates.hems.parameters.devices import Section


class Provenance(StrEnum):
    """How sure a value is, from the surest down."""

    STATED = "stated"
    """The householder said it."""
    CONFIRMED = "confirmed"
    """The householder agreed to it when it was read back."""
    INFERRED = "inferred"
    """It follows from other values."""
    DEFAULT = "default"
    """Nobody said anything; a common value stands in."""


class Source(Section):
    """The origin of one value."""

    provenance: Provenance = Field(description="How the value was found.")
    unit: str = Field("", max_length=40, description="Unit as the householder gave it.")
    words: str = Field("", max_length=2000, description="What the householder said.")
    turn: int | None = Field(
        None, ge=0, le=100_000, strict=True, description="Turn of the dialogue, from 0."
    )


DEFAULT = Source(provenance=Provenance.DEFAULT)
INFERRED = Source(provenance=Provenance.INFERRED)
