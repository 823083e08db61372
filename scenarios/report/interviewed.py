"""Tables of the homes whose people were asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from federates.hems.controller.roles import is_left_to_home, read_interviews
from federates.hems.parameters.home_file import HomeFile
from scenarios.metrics.interviewed import InterviewedSummary, summarise_interviewed
from scenarios.report.svg import clean
from scenarios.report.tables import MISSING, Cell, Row, fixed
from scenarios.results import INPUTS_FOLDER, Run

MOST_SHOWN: Final = 40
"""Homes with a line of their own."""
_WORDS: Final = {"heat_pump": "heat pump", "ev_charger": "car"}


@dataclass(frozen=True, kw_only=True)
class InterviewedTables:
    """What the report shows of them."""

    note: str
    sums: list[Row]
    homes: list[Row]


def interviewed_tables(run: Run, controllers: tuple[str, ...]) -> InterviewedTables | None:
    """Return the tables of a run's interviewed homes; None if it has none."""
    homes = read_interviews(run.folder / INPUTS_FOLDER)
    if not homes:
        return None
    found = [summarise_interviewed(run, c, households=homes) for c in controllers]
    more = len(homes) - MOST_SHOWN
    return InterviewedTables(
        note=(
            f"Homes that are as their people described them in interviews: {len(homes)}. Energy "
            f"costs are at the scenario's tariff, negative where a home earns"
            f"{f'; {more} more homes are not listed' if more > 0 else ''}."
        ),
        sums=_sums(found, currency=run.scenario.tariff.currency),
        homes=[
            Row(
                label=clean(household),
                unit=_devices(run, household, home),
                cells=tuple(Cell(shown=fixed(one.bills[household], digits=2)) for one in found),
            )
            for household, home in list(homes.items())[:MOST_SHOWN]
        ],
    )


def _sums(found: list[InterviewedSummary], *, currency: str) -> list[Row]:
    values: Mapping[str, tuple[str, Callable[[InterviewedSummary], float]]] = {
        "Energy": (currency, lambda one: one.energy_cost),
        "Fuel and wear": (currency, lambda one: one.fuel_and_wear),
        "Outside the comfort bands": ("K h", lambda one: one.comfort_k_h),
        "Missing when cars leave": ("kWh", lambda one: one.ev_unmet_kwh),
    }
    return [
        Row(
            label=label,
            unit=unit,
            cells=tuple(Cell(shown=fixed(of(one), digits=1)) for one in found),
        )
        for label, (unit, of) in values.items()
    ]


def _devices(run: Run, household: str, home: HomeFile) -> str:
    """Return a home's devices in words, and which a policy must leave to the home."""
    kinds = [k for k, table in run.devices.items() if (table["household_id"] == household).any()]
    words = ", ".join(_WORDS.get(kind, kind) for kind in kinds) or MISSING
    left = [kind for kind in kinds if is_left_to_home(home.parameters, kind)]
    if not left:
        return words
    return f"{words} ({'all' if len(left) == len(kinds) else len(left)} left to the home)"
