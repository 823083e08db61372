"""The day at the end of the page: the plan's figure, what it costs, and what each device does."""

from __future__ import annotations

from typing import Any, Final

from federates.hems.evaluation.typical_day import SEASONS, day_of
from federates.hems.parameters.home_file import HomeFile
from gradmap.errors import MissingExtraError, ScenarioError
from scenarios.hems_day import METHODS, PlannedDay, device_lines, money, planned_day, way_costs
from scenarios.hems_day_words import comparison
from scenarios.report.hems_day_figure import day_figure
from scenarios.report.standalone import standalone_svg

SEASON_NAMES: Final = tuple(SEASONS)


def day_content(home: HomeFile, *, season: str) -> dict[str, Any]:
    """Return what the page shows of a day: all of it, or `sentence`, which says why there is none.

    Args:
        home: The interviewed home.
        season: One of `SEASON_NAMES`.
    """
    try:
        day = planned_day(home, day_of(season))
    except (MissingExtraError, ScenarioError) as exc:
        return {"season": season, "sentence": f"No day could be planned: {exc}"}
    return {"season": season, "sentence": "", **_shown(day)}


def _shown(day: PlannedDay) -> dict[str, Any]:
    plan, habits, timers = (f"{money(day.ways[name]):.2f} {day.currency}" for name in METHODS)
    lines = device_lines(day)
    return {
        "title": day.title,
        "headline": f"With what is owed to the next day, a day like {day.title} comes to {plan} as "
        f"planned, {habits} with no control (habits), {timers} rule-based (timers)."
        + "".join(f" {text}" for text in comparison(day)),
        "svg": standalone_svg(day_figure(day)),
        "described": " ".join(f"{line.name.replace('_', ' ')}: {line.when}." for line in lines),
        "devices": [
            [line.name.replace("_", " "), f"{line.energy_kwh:.1f}", line.when] for line in lines
        ],
        "ways": list(METHODS.values()),
        "costs": [
            [label, *(f"{value:z.{decimals}f}" for value in values)]
            for label, decimals, values in way_costs(day)
        ],
        "conflicts": list(day.conflicts),
        "notes": list(day.notes),
    }
