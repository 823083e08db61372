"""What a reader of a planned day's sums has to know, in words."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from federates.hems.optimiser.evaluate import EXPORT, IMPORT, Evaluation
from scenarios.hems_day import METHODS, PlannedDay, money

WORTH_SAYING: Final = 0.01
"""Smaller differences of sums are left unsaid. [currency]"""
LEAST: Final = 0.05
"""Smaller differences of comfort and charge are left unsaid. [K h], [kWh]"""
_NOISE: Final = 1e-6


def comparison(day: PlannedDay) -> tuple[str, ...]:
    """Return sentences that keep the sums of a day's ways from misleading.

    They say what the plan leaves in stores, if that is another amount than habits leave, and, where
    the plan's sum is above another way's, which wishes that way does not keep.
    """
    found = []
    more = owed(day.ways["no_control"]) - owed(day.ways["plan"])
    if abs(more) >= WORTH_SAYING:
        found.append(
            f"Sums count what is stored for the next day: the plan leaves {abs(more):.2f} "
            f"{day.currency} {'more' if more > 0.0 else 'less'} than no control."
        )
    cheaper: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, label in METHODS.items():
        above = money(day.ways["plan"]) - money(day.ways[name])
        wishes = _kept_worse(day, day.ways[name])
        if above >= WORTH_SAYING and wishes:
            cheaper[f"{above:.2f}", "; ".join(wishes)].append(label)
    for (by, kept), labels in cheaper.items():
        found.append(
            f"The plan's sum is {by} {day.currency} above {' and '.join(labels)}, because it "
            f"keeps more wishes: {kept}."
        )
    return tuple(found)


def owed(one: Evaluation) -> float:
    """Return what stores and machines owe to the next day; negative where more is left. [cur]"""
    return one.terminal_cost + one.deferred_cost


def _kept_worse(day: PlannedDay, other: Evaluation) -> list[str]:
    """Return the wishes that a way keeps worse than the plan."""
    plan, found = day.ways["plan"], []
    if other.comfort_k_h > plan.comfort_k_h + LEAST:
        hours = f"{plan.comfort_k_h:.1f} instead of {other.comfort_k_h:.1f} K h"
        found.append(f"{hours} outside the comfort band")
    if other.unmet_kwh > plan.unmet_kwh + LEAST:
        found.append(f"{plan.unmet_kwh:.1f} instead of {other.unmet_kwh:.1f} kWh missing in cars")
    words = {IMPORT: "the limit of the connection", EXPORT: "the limit of the connection"}
    words |= {x.name: "hot water in time and warm enough" for x in day.home.tanks}
    words |= {x.name: f"{x.name.replace('_', ' ')} in its hours" for x in day.home.appliances}
    ours, theirs = _wish_costs(plan), _wish_costs(other)
    worse = {words[x] for x in theirs if x in words and theirs[x] > ours.get(x, 0.0) + _NOISE}
    return found + sorted(worse)


def _wish_costs(one: Evaluation) -> dict[str, float]:
    """Return the cost of broken wishes by device [cur]."""
    found: dict[str, float] = defaultdict(float)
    for broken in one.broken:
        found[broken.device] += broken.cost
    return found
