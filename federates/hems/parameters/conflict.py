"""What a feasibility check hands back: two numbers that do not fit, and what to ask."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Values that cannot all hold. Nothing is clipped: the householder decides which one gives."""

    rule: str
    """Name of the check, for example `ev_window`."""
    keys: tuple[str, ...]
    """Slots whose values were compared."""
    needed: float
    """What the values ask for."""
    available: float
    """What they leave; less than `needed`."""
    unit: str
    """Unit of both numbers."""
    question: str
    """What to ask, in plain words, with both numbers."""
    resolve: tuple[str, ...]
    """Slots of which a new value would help, the likeliest first."""
