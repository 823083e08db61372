"""What a validation is asked and what it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gradmap.feeder import Feeder
from scenarios.validation.cases import SolvedCase
from scenarios.validation.errors import TOLERANCES, ErrorRow, Mask, Tolerances


@dataclass(frozen=True, kw_only=True)
class ValidationSettings:
    """What to solve and what counts as agreement."""

    n_loadings: int = 500
    seed: int = 1
    accept: tuple[str, ...] = ()
    """Elements that may be left out of the model, by name."""
    trust: bool = False
    dtype: str = "float64"
    households: bool = False
    """Households at the feeder's places, as constant power, instead of its own loads."""
    tolerances: Tolerances = TOLERANCES["float64"]


@dataclass(frozen=True, kw_only=True)
class TapDifference:
    """A regulator that ended elsewhere."""

    situation: int
    regulator: str
    ours: float
    """Tap position, 0 at neutral. [-]"""
    reference: float


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseResult:
    """How one set of situations compares."""

    case: SolvedCase
    compared: Mask
    """Situations solved by both and, if controlled, with equal final taps, [situation]."""
    rows: tuple[ErrorRow, ...]
    only_ours_failed: tuple[int, ...]
    only_reference_failed: tuple[int, ...]
    both_failed: tuple[int, ...]
    relaxed: tuple[int, ...]
    """Situations that OpenDSS solves to 1e-8, but not to 1e-11 because of its own rounding."""
    restarted: tuple[int, ...]
    """Situations in which OpenDSS, started at our solution, stayed there, and found another from
    its own start: they have several solutions."""
    tap_differences: tuple[TapDifference, ...]

    @property
    def n_situations(self) -> int:
        """Return how many situations were solved."""
        return len(self.compared)

    @property
    def n_equal_taps(self) -> int | None:
        """Return how many situations that both solved ended with equal taps; None if fixed."""
        return int(self.compared.sum()) if self.case.controlled else None

    @property
    def within(self) -> bool:
        """Tell whether all agrees; what OpenDSS alone cannot solve is not held against us."""
        return (
            bool(self.rows)
            and all(row.within for row in self.rows)
            and not self.only_ours_failed
            and not self.tap_differences
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Validation:
    """A whole validation."""

    feeder: Feeder
    settings: ValidationSettings
    cases: tuple[CaseResult, ...]
    known_differences: tuple[str, ...]
    facts: Mapping[str, str]
    """Versions and hashes."""

    @property
    def within(self) -> bool:
        """Tell whether all cases agree within the tolerances."""
        return all(case.within for case in self.cases)
