"""The home's bus: what all devices draw and give, collected for its balance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from federates.hems.optimiser.assembly import IndexArray
from federates.hems.optimiser.checks import FloatArray

CONSUMED, GENERATED, BATTERY = "consumed", "generated", "battery"


class Flow(NamedTuple):
    """Power at the bus: `value` times columns, in steps; positive is drawn."""

    kind: str
    """CONSUMED by or GENERATED in the home, or moved by a BATTERY."""
    step: IndexArray
    column: IndexArray
    value: FloatArray | float


@dataclass(kw_only=True)
class Bus:
    """What all blocks draw and give, and how large it can become."""

    n_steps: int
    flows: list[Flow] = field(default_factory=list)
    drawn_max_kw: FloatArray = field(init=False)
    given_max_kw: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.drawn_max_kw = np.zeros(self.n_steps)
        self.given_max_kw = np.zeros(self.n_steps)

    def draws(self, kind: str, columns: IndexArray, p_max_kw: FloatArray | float) -> None:
        """Add one drawing column a step."""
        self.flows.append(Flow(kind, np.arange(self.n_steps), columns, 1.0))
        self.drawn_max_kw += p_max_kw

    def gives(self, kind: str, columns: IndexArray, p_max_kw: FloatArray | float) -> None:
        """Add one giving column a step."""
        self.flows.append(Flow(kind, np.arange(self.n_steps), columns, -1.0))
        self.given_max_kw += p_max_kw
