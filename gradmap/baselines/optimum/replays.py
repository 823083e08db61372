"""One day's trajectories through devices and power flow, with taps that act or are held.

Taps are integers: around a trajectory whose voltage is at the edge of a regulator's band, the least
change of power moves currents by half a percent, and no linearisation foresees that. So a search
holds the taps of a trajectory, and lets the regulators act again on what it finds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from gradmap.days import Days
from gradmap.feeder import FloatArray
from gradmap.rollout import Rollout, Trajectory
from gradmap.violations import solved_flows


@dataclass(kw_only=True, eq=False)
class Replays:
    """Trajectories of one day."""

    rollout: Rollout
    days: Days
    """One day."""
    _taps: Tensor | None = field(default=None, init=False)
    """Held ratios, [time, regulator]; None where regulators act, or none do. [pu]"""

    @property
    def taps_held(self) -> bool:
        """Return whether taps are held that would act in reality."""
        return self._taps is not None

    def hold_taps(self, trajectory: Trajectory) -> None:
        """Hold the taps of a trajectory from now on, if regulators act at all."""
        if self.rollout.control_regulators:
            self._taps = solved_flows(trajectory).tap_ratios

    def of(self, p_kw: FloatArray) -> Trajectory:
        """Return the trajectory of powers [time, agent], with held taps if they are. [kW]"""
        if self._taps is None:
            return self.acting(p_kw)
        with torch.no_grad():
            plain = self.rollout.replay(self._batch(p_kw), self.days, power_flow=False)
            solution = self.rollout.flow.solve(
                plain.connection_p_kw[0], plain.connection_q_kvar[0], tap_ratios=self._taps
            )
        return replace(plain, solution=solution, status=solution.status[None])

    def acting(self, p_kw: FloatArray) -> Trajectory:
        """Return the trajectory of powers [time, agent] as it really is. [kW]"""
        with torch.no_grad():
            return self.rollout.replay(self._batch(p_kw), self.days)

    def really(self, trajectory: Trajectory) -> Trajectory:
        """Return a trajectory as it is when regulators act."""
        return self.acting(trajectory.request_kw[0].cpu().numpy()) if self.taps_held else trajectory

    def _batch(self, p_kw: FloatArray) -> Tensor:
        return torch.from_numpy(p_kw)[None]
