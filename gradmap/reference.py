"""What any power-flow solver says about a batch of situations, in numpy, so two can be compared.

`opendss_models.reference` answers with OpenDSS itself, `scenarios.validation.ours` with
`gradmap.power_flow`. Signs follow `gradmap.units`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gradmap.feeder import ComplexArray, Feeder, FloatArray

__all__ = ["ReferenceSolver", "SolvedSituations"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SolvedSituations:
    """Solutions of a batch; rows whose `status` is not 0 hold no solution."""

    status: NDArray[np.int64]
    """0 solved, otherwise the solver's own code, [batch]."""
    node_v_pu: ComplexArray
    """Voltage to ground over `nodes.kv_base` (line to neutral), [batch, node]. [pu]"""
    branch_i_a: ComplexArray
    """Current into every conductor of `feeder.branches`, in their order, [batch, conductor]. [A]"""
    loading: FloatArray
    """Largest phase current at a branch's first terminal over its normal rating, [batch, branch];
    0 where the feeder gives no rating. [-]"""
    losses_kw: FloatArray
    """Losses of the branches, [batch]. [kW]"""
    losses_kvar: FloatArray
    head_p_kw: FloatArray
    """Power from the sources into the feeder, conductor after conductor of `feeder.sources`,
    [batch, source conductor]. [kW]"""
    head_q_kvar: FloatArray
    tap_ratios: FloatArray
    """[batch, regulator]. [pu]"""

    @property
    def solved(self) -> NDArray[np.bool_]:
        """Return which situations have a solution, [batch]."""
        return np.asarray(self.status == 0)


class ReferenceSolver(Protocol):
    """Solves batches of situations on one feeder; a failed solve is a status, not an exception."""

    @property
    def feeder(self) -> Feeder:
        """The feeder whose orders all arrays follow."""

    def solve(
        self, p_kw: FloatArray, q_kvar: FloatArray, *, tap_ratios: FloatArray | None = None
    ) -> SolvedSituations:
        """Solve with taps fixed.

        Args:
            p_kw: Active power of every connection at rated voltage, [batch, connection]. [kW]
            q_kvar: Reactive power, positive absorbs. [kvar]
            tap_ratios: [batch, regulator]; the feeder file's if None. [pu]
        """

    def control_taps(
        self, p_kw: FloatArray, q_kvar: FloatArray, *, start_tap_ratios: FloatArray | None = None
    ) -> SolvedSituations:
        """Solve with the regulators acting, every situation from its own start taps.

        Args:
            p_kw: Active power of every connection at rated voltage, [batch, connection]. [kW]
            q_kvar: Reactive power, positive absorbs. [kvar]
            start_tap_ratios: [batch, regulator]; the feeder file's if None. [pu]
        """
