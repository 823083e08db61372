"""Cost and constraints of a batch of days in one number, and the multipliers of the constraints.

    l_b = c_b / c0 + sum_j w_j (multiplier_j h_bj + curvature / 2 h_bj^2)     h = max(g + margin, 0)
    L = mean_b l_b - sum_j w_j multiplier_j tolerance_j

(`ConstraintSettings`) so that L is a mean over days and can be made of parts of a batch. w is 1 for
the network and 1 / agents for devices: one agent's discomfort weighs against one agent's cost. The
multipliers of the network stand at (time, node) and (time, branch), of the devices at (agent):
averaged over days only, because a mean over steps would let a calm night pay for the evening.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gradmap.costs import controllable_cost
from gradmap.devices.fleet import Fleet
from gradmap.rollout import Trajectory
from gradmap.rollout_record import surroundings
from gradmap.training.settings import TrainingSettings
from gradmap.violations import Limits, violations

NETWORK = ("voltage_low", "voltage_high", "loading")
"""Constraints with a margin and a statistic; the others are amounts, never negative."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Valued:
    """The Lagrangian of some days."""

    value: Tensor
    """Sum of l_b over the days, without the constant; differentiable, scalar."""
    cost: Tensor
    """Controllable cost of each day, [day]. [cur]"""
    constraint: Mapping[str, Tensor]
    """Sum over days of h (or g, see `Statistic`), [time, node | branch] or [agent]."""
    violation: Mapping[str, Tensor]
    """Scaled violations g of the network, [day, time, node | branch]."""
    worst: Tensor
    """Largest of the network's scaled violations g of each day, [day]; -inf without any."""
    n_unsolved: int
    """Power flows without solution, which count nothing."""


class Lagrangian:
    """Judges trajectories; keeps no multipliers of its own."""

    def __init__(
        self, settings: TrainingSettings, *, fleet: Fleet, limits: Limits, cost_scale: float
    ) -> None:
        """Remember how.

        Args:
            settings: Weights of the constraints.
            fleet: Whose costs and device limits.
            limits: Of the network; loading counts if `settings.with_loading`.
            cost_scale: Nominal cost of a day of the whole fleet, > 0. [cur]
        """
        self._settings, self._fleet, self._limits = settings, fleet, limits
        self._cost_scale = cost_scale
        self._with_loading = settings.with_loading
        self.of = {
            "voltage_low": replace(settings.voltage, margin=settings.margin_low),
            "voltage_high": settings.voltage,
            "loading": settings.loading,
            "device": settings.device,
            "comfort": settings.comfort,
        }

    @property
    def hinged(self) -> bool:
        """Return whether the network's multipliers count beyond the margins only."""
        return self._settings.statistic == "hinge"

    def value(
        self,
        trajectory: Trajectory,
        *,
        multipliers: Mapping[str, Tensor],
        network_weight: float = 1.0,
    ) -> Valued:
        """Return the Lagrangian of a trajectory's days.

        Args:
            trajectory: From the rollout, with its graph.
            multipliers: Of the constraints; missing ones are at their start.
            network_weight: Factor of all the network's terms, below 1 early in training. [-]
        """
        costs = controllable_cost(
            self._fleet,
            trajectory.days,
            p_kw=trajectory.p_kw,
            state_end=trajectory.state[:, -1],
        )
        cost = costs.total.sum(dim=-1)
        value = cost.sum() / self._cost_scale
        constraint: dict[str, Tensor] = {}
        violation: dict[str, Tensor] = {}
        worst = torch.full_like(cost.detach(), -torch.inf)
        for name, series in self._violated(trajectory).items():
            weights = self.of[name]
            hinged = torch.relu(series + weights.margin)
            signed = hinged if self.hinged or name not in NETWORK else series
            # Devices' amounts are summed over the day, networks' violations stand at their step.
            summed = signed.sum(dim=0) if name in NETWORK else signed.sum(dim=(0, 1))
            multiplier = multipliers.get(name)
            priced = (weights.start if multiplier is None else multiplier) * summed
            term = priced.sum()
            if weights.curvature:
                term = term + 0.5 * weights.curvature * hinged.square().sum()
            weight = network_weight if name in NETWORK else 1.0 / self._fleet.n_agents
            value = value + weight * term
            constraint[name] = summed.detach()
            if name in NETWORK:
                violation[name] = series.detach()
            if name in NETWORK and series.numel():
                worst = torch.maximum(worst, violation[name].amax(dim=(1, 2)))
        status = trajectory.status
        return Valued(
            value=value,
            cost=cost.detach(),
            constraint=constraint,
            violation=violation,
            worst=worst,
            n_unsolved=0 if status is None else int((status != 0).sum()),
        )

    def ascended(
        self,
        multipliers: Mapping[str, Tensor],
        constraint: Mapping[str, Tensor],
        *,
        n_days: int,
        network_weight: float = 1.0,
    ) -> dict[str, Tensor]:
        """Return the multipliers after one step of dual ascent, none negative.

        Args:
            multipliers: Before; missing ones are at their start.
            constraint: Sums over days, `Valued.constraint` of all parts added.
            n_days: How many days that were.
            network_weight: As in `value`: the network's multipliers ascend as slowly as they weigh
                little, or they would wind up while nobody minds them. [-]
        """
        after = {}
        for name, summed in constraint.items():
            weights = self.of[name]
            before = multipliers.get(name)
            if before is None:
                before = torch.full_like(summed, weights.start)
            rate = weights.rate * (network_weight if name in NETWORK else 1.0)
            after[name] = torch.relu(before + rate * (summed / n_days - weights.tolerance))
        return after

    def _violated(self, trajectory: Trajectory) -> dict[str, Tensor]:
        """Return violations by name, [day, time, ...]; unsolved steps are far inside."""
        found = violations(
            trajectory, fleet=self._fleet, limits=self._limits, with_loading=self._with_loading
        )
        network = {"voltage_low": found.voltage_low, "voltage_high": found.voltage_high}
        if self._with_loading:
            network["loading"] = found.loading
        if trajectory.status is not None and bool((trajectory.status != 0).any()):
            unsolved = (trajectory.status != 0)[..., None]
            network = {
                name: torch.where(unsolved, -self.of[name].margin, series)
                for name, series in network.items()
            }
        return network | {"device": found.device, "comfort": self._discomfort(trajectory)}

    def _discomfort(self, trajectory: Trajectory) -> Tensor:
        """Return kelvin outside the comfort band plus kWh missing at departures, by agent."""
        fleet, days = self._fleet, trajectory.days
        amount = fleet.comfort_violation_k(trajectory.state)
        if "ev_charger" in fleet.kinds:
            feels = surroundings(days)
            amount = amount + fleet.departure_shortfall_kwh(trajectory.state, feels, days.dt_h)
        return amount
