"""Shape aliases: every tensor axis in one place.

All names are plain `torch.Tensor`; the alias says which axes a function expects. `...` stands for
any leading axes (usually batch, or batch and time), over which `gradmap` broadcasts.
"""

from __future__ import annotations

from typing import TypeAlias

from torch import Tensor

PerAgent: TypeAlias = Tensor
"""Parameter or quantity of shape [agent]."""

AgentValues: TypeAlias = Tensor
"""Quantity of shape [..., agent]."""

AgentSeries: TypeAlias = Tensor
"""Quantity of shape [batch, time, agent]."""

AgentIndex: TypeAlias = Tensor
"""int64 positions of shape [agent]."""

Observation: TypeAlias = Tensor
"""Local observations of shape [..., agent, feature], physical units, see `gradmap.observations`."""

Action: TypeAlias = Tensor
"""Normalised policy output of shape [..., agent], in [-1, 1] unless noise was added."""

PerHousehold: TypeAlias = Tensor
"""Parameter or quantity of shape [household]."""

HouseholdValues: TypeAlias = Tensor
"""Quantity of shape [..., household]."""
