"""Settings of the OpenDSS engine; the defaults of a scenario's feeder section come from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


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
