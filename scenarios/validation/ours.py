"""The torch power flow behind the same face as the OpenDSS reference."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from gradmap.feeder import Feeder, FloatArray
from gradmap.power_flow.branch_flows import branch_currents_a, branch_loading, head_power, losses
from gradmap.power_flow.regulators import control_taps
from gradmap.power_flow.solver import PowerFlow, Solution
from gradmap.reference import SolvedSituations


class TorchSolver:
    """`gradmap.power_flow` as a `ReferenceSolver`."""

    def __init__(self, feeder: Feeder, *, dtype: str) -> None:
        """Prepare the solver with its default settings; `dtype` is float64 or float32.

        Raises:
            FeederError: The feeder is too large or lacks what a solve needs.
        """
        self._feeder = feeder
        self._dtype: torch.dtype = getattr(torch, dtype)
        self._flow = PowerFlow(feeder, dtype=self._dtype)

    @property
    def feeder(self) -> Feeder:
        """The feeder whose orders all arrays follow."""
        return self._feeder

    def solve(
        self, p_kw: FloatArray, q_kvar: FloatArray, *, tap_ratios: FloatArray | None = None
    ) -> SolvedSituations:
        """Solve with taps fixed; see `gradmap.reference.ReferenceSolver`."""
        solution = self._flow.solve(
            self._tensor(p_kw),
            self._tensor(q_kvar),
            tap_ratios=None if tap_ratios is None else torch.tensor(tap_ratios),
        )
        taps = self._taps(tap_ratios, n=len(p_kw))
        return self._numpy(solution, tap_ratios=taps, status=solution.status)

    def control_taps(
        self, p_kw: FloatArray, q_kvar: FloatArray, *, start_tap_ratios: FloatArray | None = None
    ) -> SolvedSituations:
        """Solve with the regulators acting; see `gradmap.reference.ReferenceSolver`."""
        start = torch.tensor(self._taps(start_tap_ratios, n=len(p_kw)))
        found = control_taps(
            self._flow, self._tensor(p_kw), self._tensor(q_kvar), start_tap_ratios=start
        )
        status = torch.where(found.status != 0, found.status, found.solution.status)
        return self._numpy(found.solution, tap_ratios=_array(found.tap_ratios), status=status)

    def _taps(self, ratios: FloatArray | None, *, n: int) -> FloatArray:
        """Return one row of ratios per situation, the file's by default."""
        if ratios is not None:
            return ratios
        return np.tile(self._feeder.tap_ratios, (n, 1))

    def _tensor(self, values: FloatArray) -> torch.Tensor:
        return torch.tensor(values, dtype=self._dtype)

    def _numpy(
        self, solution: Solution, *, tap_ratios: FloatArray, status: torch.Tensor
    ) -> SolvedSituations:
        """Return everything that is compared; what did not solve is not a number."""
        failed = status.numpy() != 0

        def array(values: torch.Tensor) -> NDArray[np.float64]:
            found = _array(values)
            found[failed] = np.nan
            return found

        p_kw, q_kvar = losses(solution)
        head_p_kw, head_q_kvar = head_power(solution)
        return SolvedSituations(
            status=status.numpy().astype(np.int64),
            node_v_pu=array(solution.node_v_pu()).astype(np.complex128),
            branch_i_a=array(branch_currents_a(solution)).astype(np.complex128),
            loading=array(branch_loading(solution)),
            losses_kw=array(p_kw),
            losses_kvar=array(q_kvar),
            head_p_kw=array(head_p_kw),
            head_q_kvar=array(head_q_kvar),
            tap_ratios=tap_ratios,
        )


def _array(values: torch.Tensor) -> NDArray[np.float64]:
    """Return double-precision numpy values of their own."""
    found = values.detach().cpu().numpy()
    wide = np.complex128 if np.iscomplexobj(found) else np.float64
    return found.astype(wide)
