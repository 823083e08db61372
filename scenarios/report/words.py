"""What each controller does to the feeder and to bills, in words beside the tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from federates.controllers import HEMS
from scenarios.metrics import METRICS, Summary
from scenarios.report.tables import fixed, shown_value
from scenarios.results import Run

REFERENCE: Final = "no_control"
"""What others are compared with, where it was run; else the first controller."""
SELFISH: Final = (HEMS, "price_only")
"""Controllers with which every home follows the tariff for itself."""
HOW: Final[Mapping[str, str]] = {
    "no_control": "Devices run by habit: thermostats, chargers as cars come home, idle batteries.",
    "rule_based": "Timers and self-consumption as installers set them up, every home for itself.",
    "price_only": "Every home follows prices for itself and knows nothing of the network.",
    HEMS: "Every home's energy manager plans its devices against the tariff; it knows nothing of "
    "the network or of other homes.",
    "policy": "Every device follows a policy that was trained for the whole feeder and sees its "
    "own home only.",
}
_NEEDED: Final = ("v_min_pu", "v_max_pu", "node_hours_outside", "peak_kw", "total_cost")
_SAME: Final = 0.005
"""Relative differences below this are called about the same."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """A controller in words."""

    controller: str
    """As shown."""
    how: str
    what: str


def in_words(
    run: Run, summaries: Mapping[str, Summary], *, names: Mapping[str, str]
) -> tuple[Words, ...]:
    """Return a paragraph for each controller of which all was recorded.

    Args:
        run: The run.
        summaries: Metrics by controller, over the same steps.
        names: Controllers as shown.
    """
    whole = {
        controller: summary
        for controller, summary in summaries.items()
        if all(math.isfinite(getattr(summary, name)) for name in _NEEDED)
    }
    reference = REFERENCE if REFERENCE in whole else next(iter(whole), "")
    found = []
    for controller, summary in whole.items():
        kind = str(run.run_info(controller).get("controller", controller)).partition(":")[0]
        against = whole[reference] if controller != reference else None
        name = names[reference][:1].lower() + names[reference][1:]
        what = _what(run, summary, against=against, name=name)
        if against is not None and kind in SELFISH:
            what += _selfish(summary, against, name=name)
        found.append(Words(controller=names[controller], how=HOW.get(kind, ""), what=what))
    return tuple(found)


def _what(run: Run, summary: Summary, *, against: Summary | None, name: str) -> str:
    """Return voltages, peak and cost in words, compared with another controller's."""
    limits, currency = run.scenario.limits, run.scenario.tariff.currency
    band = f"{limits.v_min_pu:g} to {limits.v_max_pu:g} pu"
    shown = {key: shown_value(METRICS[key], getattr(summary, key)) for key in _NEEDED}
    outside = (
        f"are outside {band} for {shown['node_hours_outside']} node-hours"
        if summary.node_hours_outside > 0
        else f"stay within {band}"
    )
    more = {"node_hours_outside": "", "peak_kw": "", "total_cost": ""}
    if against is not None:
        for key in more:
            more[key] = _more(getattr(summary, key), getattr(against, key))
        first = next((key for key, words in more.items() if words), None)
        if first is not None:
            more[first] += f" than under {name}"
    return (
        f"Voltages go from {shown['v_min_pu']} to {shown['v_max_pu']} pu and {outside}"
        f"{more['node_hours_outside']}. The peak at the head is {shown['peak_kw']} kW, at "
        f"{summary.peak_time[11:16]}{more['peak_kw']}. Energy, fuel and wear cost all homes "
        f"{shown['total_cost']} {currency}{more['total_cost']}."
    )


def _more(value: float, reference: float) -> str:
    """Return how much more or less a value is, as the end of a clause; empty if that says nothing.

    Values of both signs have no share worth reading.
    """
    if value <= 0.0 or reference <= 0.0:
        return ""
    share = value / reference - 1.0
    if abs(share) < _SAME:
        return ", about the same"
    percent = fixed(100.0 * abs(share), digits=0)
    return f", {percent} % {'more' if share > 0 else 'less'}"


def _selfish(summary: Summary, against: Summary, *, name: str) -> str:
    """Say so where homes that look after themselves harm the feeder."""
    if summary.node_hours_outside <= against.node_hours_outside:
        return ""
    also = " and raises its peak" if summary.peak_kw > against.peak_kw else ""
    cheap = "What is cheapest for each home" if summary.total_cost < against.total_cost else "This"
    return (
        f" {cheap} is worse for the feeder than {name}: it takes more voltages out of their "
        f"limits{also}, as all homes act on the same tariff at the same time."
    )
