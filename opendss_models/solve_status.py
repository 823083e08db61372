"""How a power-flow solution ended."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class SolveStatus(enum.IntEnum):
    """How a solve ended. Only `OK` voltages may be used without a second thought."""

    OK = 0
    DIVERGED = 1
    """The iterations did not reach the tolerance."""
    CONTROL_LIMIT = 2
    """The power flow converged, but regulators or capacitors were still moving at the limit."""
    NON_FINITE = 3
    """A voltage was NaN or infinite; the engine was put back into a usable state."""
    IMPLAUSIBLE = 4
    """Converged to voltages outside the plausible band: a collapsed or wrong solution."""
    NOT_SETTLED = 5
    """Set by the federation's iterating coupling only, never by the engine."""


@dataclass(frozen=True, kw_only=True)
class SolveOutcome:
    """Typed result of one solve; a numerical failure is a result, not an exception."""

    status: SolveStatus
    message: str
    """Empty if `status` is OK, else what happened and the first cause to look for."""
    n_iterations: int
    """Power-flow iterations, over all control iterations. [-]"""
    n_control_iterations: int
    """Rounds of regulator and capacitor actions. [-]"""
