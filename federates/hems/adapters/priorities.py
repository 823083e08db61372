"""What matters most to a household, as weights of its wishes.

Weights decide only where wishes stand against each other: all are far above what energy costs, so
a wish that can be kept is kept, whatever matters most. Comfort makes a cold home and cold water
weigh double, convenience a car or a machine that is not ready. Low cost is what every plan is
after, and plans know no emissions: with low cost and low carbon the weights stay as they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from federates.hems.optimiser.weights import Weights
from federates.hems.parameters.models import HomeParameters

TIMES: Final = 2.0
"""How much more the wishes weigh that matter most. [-]"""
_FIRST: Final[dict[str, tuple[str, ...]]] = {
    "comfort": ("comfort_per_k_h", "hot_water_per_k_h", "ready_per_k"),
    "convenience": ("departure", "best_effort", "vehicle_floor_per_h", "appliance"),
}


def weights_of(said: HomeParameters) -> Weights:
    """Return what broken wishes cost in an interviewed home."""
    usual = Weights()
    first = _FIRST.get(said.flexibility.priority, ())
    return replace(usual, **{name: TIMES * getattr(usual, name) for name in first})
