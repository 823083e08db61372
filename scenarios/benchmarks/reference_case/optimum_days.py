"""The centralised optimum of test days drawn at random, checked by OpenDSS.

    optima = DayOptima(case=case, folder=Path("optima"))
    days = measure_optima(optima, numbers=draw_numbers(30, seed=1))

Of what the optimiser says only powers and bounds are believed: cost, comfort, voltages and loadings
are those of its powers, replayed through the devices, the exact power flow and OpenDSS. So a file
that is stale or spoiled shows. Optima are kept in a folder, and a series that was interrupted goes
on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from gradmap.baselines.centralised import OptimumSettings, optimise_day
from gradmap.baselines.optimum.results import OptimalDay, OptimumStore
from gradmap.costs import service, trajectory_cost
from gradmap.errors import ScenarioError
from gradmap.rollout import Rollout, Trajectory
from scenarios.benchmarks.reference_case.network_check import NetworkCheck, check_network
from scenarios.case import Case
from scenarios.day_sampler import SPLIT_SIZES

SPLIT = "test"
GAP_TOLERANCE = 1e-4
"""Largest distance, up or down, of the replayed cost to the optimiser's bound, relative. [-]"""


@dataclass(frozen=True, kw_only=True)
class CheckedDay:
    """One day's optimum and what the replays say of it."""

    number: int
    date: str
    status: str
    """See `OptimalDay.status`."""
    cost: float
    """Controllable cost of all agents, of the replayed powers. [cur]"""
    bound: float
    """Lower bound of the last convex program. [cur]"""
    gap: float
    """(cost - bound) / |cost|. [-]"""
    unconstrained_cost: float
    """Of the optimum without network limits. [cur]"""
    unconstrained_bound: float
    """Lower bound of any controller's cost. [cur]"""
    unconstrained_violation_pu: float
    """How far the optimum without network limits leaves the voltage limits. [pu]"""
    price_of_limits: float
    """(cost - unconstrained cost) / |unconstrained cost|. [-]"""
    n_iterations: int
    seconds: float
    network: NetworkCheck
    """What both power flows say of it."""
    comfort_k_h: float
    """Degree-hours outside the comfort bands, all homes. [K h]"""
    shortfall_kwh: float
    """Missing when vehicles left, all homes. [kWh]"""
    worst: str
    """Limit and step that the optimiser found hardest."""
    proven: bool
    """Optimal, its cost is the optimiser's, and OpenDSS sees the limits kept."""


@dataclass(frozen=True, kw_only=True)
class OptimumSummary:
    """Optima of several days in a few numbers."""

    n_days: int
    n_optimal: int
    n_proven: int
    cost_mean: float
    """[cur]"""
    cost_min: float
    cost_max: float
    price_of_limits: float
    """Of all days together: ratio of summed costs. [-]"""
    price_of_limits_mean: float
    """Mean of the days' own ratios. [-]"""
    violation_opendss_pu: float
    """Worst of all days, negative inside. [pu]"""
    voltage_difference_pu: float
    """Largest of all days. [pu]"""
    loading_opendss: float
    """Highest of all days. [-]"""
    seconds_per_day: float
    """Mean time that finding one optimum took. [s]"""


@dataclass(frozen=True, kw_only=True)
class DayOptima:
    """Optima of a case's test days: looked up, else computed and kept."""

    case: Case
    folder: Path | None = None
    """Where they are kept; None keeps nothing."""
    settings: OptimumSettings = field(default_factory=OptimumSettings)

    @cached_property
    def rollout(self) -> Rollout:
        """Return the exact rollout that optima are sought and replayed with."""
        return self.case.rollout()

    @cached_property
    def _store(self) -> OptimumStore | None:
        if self.folder is None:
            return None
        return OptimumStore(folder=self.folder, key=f"{self.case.key}-{self.settings.key}")

    def of(self, number: int) -> OptimalDay:
        """Return a day's optimum."""
        found = None if self._store is None else self._store.get(SPLIT, number)
        if found is None:
            found = optimise_day(
                self.rollout.fleet,
                self.case.homes(),
                self.rollout.flow,
                self.case.days.sample(SPLIT, [number]),
                limits=self.case.limits,
                control_regulators=self.rollout.control_regulators,
                settings=self.settings,
            )
            if self._store is not None:
                self._store.put(SPLIT, number, found)
        return found

    def replay(self, number: int, optimal: OptimalDay) -> Trajectory:
        """Return an optimum's powers through devices and exact power flow."""
        request_kw = torch.from_numpy(optimal.p_kw)[None]
        with torch.no_grad():
            return self.rollout.replay(request_kw, self.case.days.sample(SPLIT, [number]))


def draw_numbers(n_days: int, *, seed: int) -> tuple[int, ...]:
    """Return numbers of test days at random, ascending; more days of a seed include the fewer."""
    size = SPLIT_SIZES[SPLIT]
    if not 0 < n_days <= size:
        raise ScenarioError(f"{n_days} test days: expected 1 to {size}.")
    return tuple(sorted(np.random.default_rng(seed).permutation(size)[:n_days].tolist()))


def measure_optima(
    optima: DayOptima,
    *,
    numbers: Sequence[int],
    on_day: Callable[[CheckedDay], None] | None = None,
) -> tuple[CheckedDay, ...]:
    """Find and check the optimum of each day.

    Args:
        optima: Where they come from.
        numbers: Which test days.
        on_day: Called with each day when it is done.
    """
    checked = []
    for number in numbers:
        checked.append(_check(optima, number))
        if on_day is not None:
            on_day(checked[-1])
    return tuple(checked)


def summarise_optima(days: Sequence[CheckedDay]) -> OptimumSummary:
    """Return what the days have in common."""
    costs = [day.cost for day in days]
    free = sum(day.unconstrained_cost for day in days)
    return OptimumSummary(
        n_days=len(days),
        n_optimal=sum(day.status == "optimal" for day in days),
        n_proven=sum(day.proven for day in days),
        cost_mean=float(np.mean(costs)),
        cost_min=min(costs),
        cost_max=max(costs),
        price_of_limits=_rise(sum(costs), over=free),
        price_of_limits_mean=float(np.mean([day.price_of_limits for day in days])),
        violation_opendss_pu=max(day.network.violation_opendss_pu for day in days),
        voltage_difference_pu=max(day.network.voltage_difference_pu for day in days),
        loading_opendss=max(day.network.loading_opendss for day in days),
        seconds_per_day=float(np.mean([day.seconds for day in days])),
    )


def _check(optima: DayOptima, number: int) -> CheckedDay:
    """Return one day's optimum and what its powers do."""
    case, fleet = optima.case, optima.rollout.fleet
    optimal = optima.of(number)
    trajectory = optima.replay(number, optimal)
    network = check_network(case, trajectory, fleet=fleet)
    cost = trajectory_cost(fleet, trajectory).total.sum().item()
    gap = (cost - optimal.bound) / max(abs(cost), 1e-12)
    kept = network.keeps(case.limits, with_loading=optima.settings.with_loading)
    served = service(fleet, trajectory)
    return CheckedDay(
        number=number,
        date=case.days.calendar_date(SPLIT, number).isoformat(),
        status=optimal.status,
        cost=cost,
        bound=optimal.bound,
        gap=gap,
        unconstrained_cost=optimal.unconstrained_cost,
        unconstrained_bound=optimal.unconstrained_bound,
        unconstrained_violation_pu=optimal.unconstrained_violation_pu,
        price_of_limits=_rise(cost, over=optimal.unconstrained_cost),
        n_iterations=optimal.n_iterations,
        seconds=optimal.seconds,
        network=network,
        comfort_k_h=served.comfort_k_h.sum().item(),
        shortfall_kwh=served.departure_shortfall_kwh.sum().item(),
        worst=optimal.worst,
        proven=optimal.status == "optimal" and kept and abs(gap) <= GAP_TOLERANCE,
    )


def _rise(cost: float, *, over: float) -> float:
    """Return by how much a cost is above another, relative. [-]"""
    return (cost - over) / max(abs(over), 1e-12)
