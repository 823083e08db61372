"""What interviewed homes pay and feel: the metrics of homes, of these homes only."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from scenarios.metrics.homes import comfort, fuel_and_wear, home_bills, unmet_ev_energy
from scenarios.results import Run


@dataclass(frozen=True, kw_only=True)
class InterviewedSummary:
    """Sums over the interviewed homes under one controller; not-a-number if not recorded."""

    energy_cost: float
    """At the tariff, negative where they earn. [currency]"""
    fuel_and_wear: float
    """Of generators and batteries. [currency]"""
    comfort_k_h: float
    """Outside the comfort bands. [K h]"""
    ev_unmet_kwh: float
    """Missing when vehicles leave. [kWh]"""
    bills: dict[str, float]
    """Energy cost of each home. [currency]"""


def summarise_interviewed(
    run: Run, controller: str, *, households: Collection[str]
) -> InterviewedSummary:
    """Return the metrics of some households under a controller."""
    part = run.of_homes(households)
    bills = dict.fromkeys(households, math.nan)
    if run.has(controller, "p_kw"):
        bills |= {k: v for k, v in home_bills(run, controller).bills.items() if k in bills}
    running, felt = fuel_and_wear(part, controller), comfort(part, controller)
    return InterviewedSummary(
        energy_cost=sum(bills.values()),
        fuel_and_wear=running["fuel_cost"] + running["wear_cost"],
        comfort_k_h=felt["comfort_below_kelvin_hours"] + felt["comfort_above_kelvin_hours"],
        ev_unmet_kwh=unmet_ev_energy(part, controller)["ev_unmet_kwh"],
        bills=bills,
    )
