"""What OpenDSS's regulator controls do, in one control iteration, about the voltages they see.

Controls that see a voltage out of band are put in a queue with their delay, those back in band are
taken out; then all with the shortest delay in the queue act together, and the others stay queued. A
control that acts goes 70 % of the way, at least one step, at most `max_tap_change`, computed from
its latest look and not from when it was queued.

The arithmetic of the steps is OpenDSS's, in float64, so that taps are equal to the last bit.

Sources: `Sample`, `DoPendingAction`, `AtLeastOneTap` of RegControl.pas, `DoNearestActions` of
ControlQueue.pas in DSS C-API 0.14.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from gradmap.feeder import Feeder, Regulator

_PART_OF_THE_WAY = 0.7
"""How much of the change that it needs a control makes at once."""


@dataclass(frozen=True, kw_only=True)
class ControlStep:
    """What one control iteration does."""

    taps: Tensor
    """After it, [batch, regulator]. [pu]"""
    armed: Tensor
    """Which controls stay in the queue, bool [batch, regulator]."""
    at_rest: Tensor
    """Whether the queue was empty, so that nothing moved, bool [batch]."""


class ControlLaw:
    """What the controls of a feeder do about the voltages they see."""

    def __init__(self, feeder: Feeder, *, device: torch.device) -> None:
        """Collect the settings, each [regulator]."""
        regulators = feeder.regulators
        controls = [r.control for r in regulators]

        def row(values: ArrayLike) -> Tensor:
            return torch.as_tensor(np.array(values, dtype=np.float64), device=device)

        self._v_reg = row([c.v_reg_v for c in controls])
        self._half_band = row([c.band_v / 2.0 for c in controls])
        self._v_limit = row([c.v_limit_v if c.v_limit_v > 0 else np.inf for c in controls])
        self._pt_ratio = row([c.pt_ratio for c in controls])
        self._winding_v = row([c.winding_kv * 1e3 for c in controls])
        self._delay = row([c.delay_s for c in controls])
        self._max_steps = row([c.max_tap_change for c in controls])
        self._step = row([r.tap_step for r in regulators])
        self._low = row([r.tap_ratio_min for r in regulators])
        self._high = row([r.tap_ratio_max for r in regulators])
        self._direction = row([_direction(r) for r in regulators])

    def step(self, v: Tensor, v_local: Tensor, *, taps: Tensor, armed: Tensor) -> ControlStep:
        """Return what follows from one look.

        Args:
            v: Voltage that each control sees, compensated, [batch, regulator]. [V]
            v_local: The same without line-drop compensation. [V]
            taps: Before, [batch, regulator], float64. [pu]
            armed: Which controls are in the queue.
        """
        over = v_local > self._v_limit
        acts = ((self._v_reg - v).abs() > self._half_band) | over
        acts &= self._max_steps > 0
        boost = torch.where(over, self._v_limit - v_local, self._v_reg - v)
        per_unit = boost * self._pt_ratio / self._winding_v
        # Python's and torch's round, like Pascal's, take halves to the even number.
        wanted = self._direction * torch.round(per_unit / self._step) * self._step
        possible = torch.where(wanted > 0, taps < self._high, (wanted < 0) & (taps > self._low))
        armed = acts & (armed | possible)
        delay = torch.where(armed, self._delay, torch.inf)
        due = armed & (delay <= delay.amin(dim=1, keepdim=True))
        steps = torch.trunc(_PART_OF_THE_WAY * wanted.abs() / self._step).clamp_min(1.0)
        change = torch.minimum(steps, self._max_steps) * self._step
        # A queued control may find that no change is left to make, and then only leaves the queue.
        moved = taps + torch.sign(wanted) * change
        moved = torch.minimum(torch.maximum(moved, self._low), self._high)
        return ControlStep(
            taps=torch.where(due & (wanted != 0), moved, taps),
            armed=armed & ~due,
            at_rest=~armed.any(dim=1),
        )


def _direction(regulator: Regulator) -> float:
    """Return 1 where the winding that moves is the one that is watched, -1 where it is the other.

    A higher ratio raises the voltage of its own winding and lowers that of the other.
    """
    watched = list(regulator.control.monitored_conductors)
    own = not watched or bool(np.any(regulator.winding_incidence[watched]))
    return 1.0 if own else -1.0
