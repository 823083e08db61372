"""How good policies are on days that training does not learn from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gradmap.controller import Controller
from gradmap.costs import service, trajectory_cost
from gradmap.days import Days
from gradmap.rollout import Rollout, Trajectory
from gradmap.training.peers import Alone, Peers, rows_of
from gradmap.violation_summary import Share, outside_pu
from gradmap.violations import VOLTAGE_SCALE_PU, Limits, excess_loading, limited_nodes, node_vm_pu

THRESHOLD_PU = 1e-3
"""From here a day counts as violating. [pu]"""
THRESHOLD_LOADING = 0.01
"""Beyond its limit by more than this a branch counts as overloaded. [-]"""
DAYS_AT_ONCE = 25
N_FACTS = 8


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Closed loop, deterministic policies."""

    cost: float
    """Mean controllable cost of a day. [cur]"""
    days: Share
    """Days with any limited node outside by more than `THRESHOLD_PU` at any step."""
    n_outside: int
    """Days with any limited node outside at all, or a branch where loadings are limited. Several
    times as many as violate, they tell more about how often days do: of 200 days, no one may
    violate by luck."""
    violation_mean_pu: float
    """Mean over days of the day's largest distance outside. [pu]"""
    violation_max_pu: float
    """Largest distance outside of all. [pu]"""
    margin_high_pu: float
    """Median over days of the upper limit less the day's highest voltage. [pu]"""
    margin_low_pu: float
    comfort_k_h: float
    """Mean kelvin-hours outside the comfort bands a day, all homes. [K h]"""
    clipped_kwh: float
    """Mean energy a day of requests that devices could not follow. [kWh]"""
    shortfall_kwh: float
    """Mean energy a day missing when vehicles left. [kWh]"""
    n_overloaded: int = 0
    """Days with a branch beyond its limit by more than `THRESHOLD_LOADING`; this and what follows
    is 0 where loadings are not limited."""
    overload_mean: float = 0.0
    """Mean over days of the day's largest loading beyond the limit. [-]"""
    overload_max: float = 0.0
    """Largest loading beyond the limit of all. [-]"""

    def score(self, *, outside_share: float) -> tuple[float, float, float]:
        """Return a key by which less is better: fewer days too many, less violation, less cost.

        Among policies that are outside on few enough days only cost counts.

        Args:
            outside_share: Of the days that may be outside, by however little. [-]
        """
        too_many = max(0.0, self.n_outside - outside_share * self.days.n_days)
        violation = self.violation_mean_pu / VOLTAGE_SCALE_PU + self.overload_mean
        return (too_many, violation if too_many else 0.0, self.cost)


@torch.no_grad()
def validate(
    rollout: Rollout,
    controller: Controller,
    days: Days,
    *,
    limits: Limits,
    with_loading: bool = False,
    peers: Peers | None = None,
) -> Validation:
    """Return what a controller does on some days.

    Args:
        rollout: Population, feeder and power flow.
        controller: Whose policies.
        days: Of the validation split.
        limits: Of the network.
        with_loading: Whether loadings are limited too.
        peers: Processes that share the days; nobody else by default.
    """
    peers = Alone() if peers is None else peers
    nodes = limited_nodes(rollout.flow.feeder, exclude_buses=limits.exclude_buses)
    facts = days.hour.new_zeros(N_FACTS, days.n_days, dtype=torch.float64)
    mine = rows_of(days.n_days, peers=peers)
    for first in range(mine.start, mine.stop, DAYS_AT_ONCE):
        rows = slice(first, min(first + DAYS_AT_ONCE, mine.stop))
        part = days.take(rows)
        trajectory = rollout.run(controller, part)
        vm_pu = node_vm_pu(trajectory).index_select(-1, nodes.to(rollout.flow.device)).double()
        outside = torch.maximum(*outside_pu(vm_pu, limits=limits)).amax(dim=(1, 2))
        if trajectory.status is not None:
            unsolved = (trajectory.status != 0).any(dim=1)
            outside = torch.where(unsolved, float("inf"), outside)
        served = service(rollout.fleet, trajectory)
        facts[:, rows] = torch.stack(
            [
                outside,
                limits.v_max_pu - vm_pu.amax(dim=(1, 2)),
                vm_pu.amin(dim=(1, 2)) - limits.v_min_pu,
                trajectory_cost(rollout.fleet, trajectory).total.double().sum(dim=1),
                served.comfort_k_h.double().sum(dim=1),
                served.clipped_kwh.double().sum(dim=1),
                served.departure_shortfall_kwh.double().sum(dim=1),
                _overload(trajectory, limits=limits) if with_loading else torch.zeros_like(outside),
            ]
        )
    peers.add(facts)
    outside, high, low, cost, comfort, clipped, shortfall, overload = facts
    return Validation(
        cost=cost.mean().item(),
        days=Share(n_days=days.n_days, n_violating=int((outside > THRESHOLD_PU).sum())),
        n_outside=int(((outside > 0.0) | (overload > 0.0)).sum()),
        violation_mean_pu=outside.mean().item(),
        violation_max_pu=outside.max().item(),
        margin_high_pu=high.median().item(),
        margin_low_pu=low.median().item(),
        comfort_k_h=comfort.mean().item(),
        clipped_kwh=clipped.mean().item(),
        shortfall_kwh=shortfall.mean().item(),
        n_overloaded=int((overload > THRESHOLD_LOADING).sum()),
        overload_mean=overload.mean().item(),
        overload_max=overload.max().item(),
    )


def _overload(trajectory: Trajectory, *, limits: Limits) -> Tensor:
    """Return the largest loading of a rated branch beyond the limit, [day] [-].

    A step without solution counts as 0: it is outside by voltage already.
    """
    excess = excess_loading(trajectory, limits=limits).double()
    if trajectory.status is not None:
        excess = torch.where((trajectory.status == 0)[..., None], excess, 0.0)
    # A feeder may have no rated branch.
    return torch.nn.functional.pad(excess.flatten(1), (1, 0)).amax(dim=1).relu()
