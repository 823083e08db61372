"""What a power-flow solution comes back with, and the settings it runs under."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal


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


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """How the engine solves; the feeder file says everything else."""

    regulators: Literal["as_defined", "locked"] = "as_defined"
    """`locked`: all controls off, regulator taps at neutral, capacitors as the file leaves them."""
    tolerance: float = 1e-8
    """Largest voltage change between the last two iterations. [pu]"""
    max_iterations: int = 100
    max_control_iterations: int = 100
    source_v_pu: float | None = None
    """Voltage of the source; None keeps the file's. [pu]"""
    trust: bool = False
    """Run the file although the scan found commands that write files or load libraries."""
    v_plausible_pu: tuple[float, float] = (0.5, 1.5)
    """Band that every energised node must stay in. [pu]"""

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if self.regulators not in ("as_defined", "locked"):
            raise ValueError(
                f"Engine: `regulators` is {self.regulators!r}, expected 'as_defined' or 'locked'."
            )
        for name in ("tolerance", "max_iterations", "max_control_iterations"):
            if not getattr(self, name) > 0:
                raise ValueError(
                    f"Engine: `{name}` is {getattr(self, name)}, expected a positive number."
                )
        if self.source_v_pu is not None and not 0.5 <= self.source_v_pu <= 1.5:
            raise ValueError(
                f"Engine: `source_v_pu` is {self.source_v_pu}, expected per unit in [0.5, 1.5]. "
                f"If you have volts, divide by the nominal voltage."
            )
        low, high = self.v_plausible_pu
        if not 0.0 <= low < 1.0 < high:
            raise ValueError(
                f"Engine: `v_plausible_pu` is ({low}, {high}), expected 0 <= low < 1 < high."
            )
