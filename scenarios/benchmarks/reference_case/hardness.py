"""How hard a case is: how often and how far simple controllers leave the voltage limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from gradmap.costs import service, trajectory_cost
from gradmap.rollout import Rollout
from gradmap.violation_summary import PERIODS, Share, violating_days
from gradmap.violations import limited_nodes, node_vm_pu
from scenarios.case import Case

THRESHOLD_PU = 0.01
"""How far outside the limits a day must be to count as hard."""
BATCH = 50
"""Days rolled out at once."""
QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True, kw_only=True)
class Hardness:
    """What one controller does on many days."""

    controller: str
    midday: Share
    """Days with a violation of more than `THRESHOLD_PU` at midday."""
    evening: Share
    both: Share
    """Days with both."""
    v_min_pu: tuple[float, ...]
    """Lowest voltage of a day, `QUANTILES` over days."""
    v_max_pu: tuple[float, ...]
    cost_per_day: float
    """Mean controllable cost of all agents. [cur]"""
    comfort_k_h_per_day: float
    """Mean degree-hours outside the comfort bands, all homes. [K h]"""


def measure_hardness(
    case: Case,
    *,
    controllers: Sequence[str],
    n_days: int,
    split: str = "test",
    on_share: Callable[[str, float], None] | None = None,
) -> tuple[Hardness, ...]:
    """Roll out controllers on the first days of a split, in float32.

    Args:
        case: The case.
        controllers: Names, as in scenario files.
        n_days: How many days.
        split: Of which split.
        on_share: Called with controller and finished share.
    """
    rollout = case.rollout(dtype=torch.float32)
    found = []
    for name in controllers:
        parts = []
        for first in range(0, n_days, BATCH):
            numbers = range(first, min(first + BATCH, n_days))
            parts.append(_measure(case, rollout, name=name, numbers=numbers, split=split))
            if on_share is not None:
                on_share(name, numbers.stop / n_days)
        found.append(_summary(name, {key: torch.cat([p[key] for p in parts]) for key in parts[0]}))
    return tuple(found)


@torch.no_grad()
def _measure(
    case: Case, rollout: Rollout, *, name: str, numbers: range, split: str
) -> dict[str, torch.Tensor]:
    """Return facts of each day."""
    days = case.days.sample(split, numbers)
    trajectory = rollout.run(case.controller(name, fleet=rollout.fleet), days)
    nodes = limited_nodes(case.feeder, exclude_buses=case.limits.exclude_buses)
    vm_pu = node_vm_pu(trajectory).index_select(-1, nodes).double()
    solved = None if trajectory.status is None else trajectory.status == 0
    hard = {
        period: violating_days(
            vm_pu,
            hour=days.hour,
            limits=case.limits,
            threshold_pu=THRESHOLD_PU,
            period=PERIODS[period],
            solved=solved,
        )
        for period in ("midday", "evening")
    }
    return {
        **hard,
        "v_min_pu": vm_pu.amin(dim=(1, 2)),
        "v_max_pu": vm_pu.amax(dim=(1, 2)),
        "cost": trajectory_cost(rollout.fleet, trajectory).total.double().sum(dim=1),
        "comfort": service(rollout.fleet, trajectory).comfort_k_h.double().sum(dim=1),
    }


def _summary(name: str, facts: dict[str, torch.Tensor]) -> Hardness:
    def share(days: torch.Tensor) -> Share:
        return Share(n_days=len(days), n_violating=int(days.sum()))

    def quantiles(values: torch.Tensor) -> tuple[float, ...]:
        at = torch.tensor(QUANTILES, dtype=values.dtype)
        return tuple(torch.quantile(values, at).tolist())

    return Hardness(
        controller=name,
        midday=share(facts["midday"]),
        evening=share(facts["evening"]),
        both=share(facts["midday"] & facts["evening"]),
        v_min_pu=quantiles(facts["v_min_pu"]),
        v_max_pu=quantiles(facts["v_max_pu"]),
        cost_per_day=facts["cost"].mean().item(),
        comfort_k_h_per_day=facts["comfort"].mean().item(),
    )
