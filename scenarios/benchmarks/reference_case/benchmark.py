"""The measurements of `gradmap bench reference-case`, as asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gradmap.baselines.centralised import OptimumSettings
from scenarios.benchmarks.reference_case.day_figure import check_figure_file, write_day_figure
from scenarios.benchmarks.reference_case.day_figure_data import day_picture, usual_trajectories
from scenarios.benchmarks.reference_case.environment_speed import EnvironmentSpeed, measure_speed
from scenarios.benchmarks.reference_case.hardness import Hardness, measure_hardness
from scenarios.benchmarks.reference_case.optimum_days import (
    CheckedDay,
    DayOptima,
    OptimumSummary,
    draw_numbers,
    measure_optima,
    summarise_optima,
)
from scenarios.case import open_case
from scenarios.schema import Scenario

SPEED_SIZES = (10, 100, 1000, 5000)
"""Homes whose environment is timed."""

OnShare = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What to measure."""

    controllers: tuple[str, ...]
    n_days: int
    """Test days of the controllers; 0 leaves them out."""
    n_optimum_days: int
    """Test days, drawn at random, whose optimum is found; 0 leaves it out."""
    optimum_seed: int
    with_loading: bool
    """Optima keep the limits of loadings, too."""
    figure: Path | None
    """Where a day is drawn, or None."""
    figure_day: int
    """Number of the test day that is drawn."""


@dataclass(frozen=True, kw_only=True)
class OptimumSeries:
    """Optima of days drawn at random."""

    seed: int
    """The days were drawn with."""
    with_loading: bool
    summary: OptimumSummary
    days: tuple[CheckedDay, ...]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """All that was measured; what was not asked for is empty."""

    scenario: str
    case: str
    """`Case.key`."""
    currency: str
    hardness: tuple[Hardness, ...]
    optimum: OptimumSeries | None
    speed: tuple[EnvironmentSpeed, ...] = ()


def measure_case(
    scenario: Scenario,
    asked: Asked,
    *,
    cache: Path | None = None,
    store: Path | None = None,
    on_share: OnShare | None = None,
) -> Measured:
    """Roll out simple controllers, find optima and draw a day; time is measured by `time_case`.

    Args:
        scenario: The case's.
        asked: What of it.
        cache: Folder of sampled days.
        store: Folder of optima, so that an interrupted series goes on where it was.
        on_share: Called with a part's name and its finished share.
    """
    if asked.figure is not None:
        check_figure_file(asked.figure)
    case = open_case(scenario, cache_folder=cache)
    settings = OptimumSettings(with_loading=asked.with_loading)
    optima = DayOptima(case=case, folder=store, settings=settings)
    hardness: tuple[Hardness, ...] = ()
    if asked.n_days:
        hardness = measure_hardness(
            case, controllers=asked.controllers, n_days=asked.n_days, on_share=on_share
        )
    optimum = _optimum_series(optima, asked, on_share=on_share) if asked.n_optimum_days else None
    if asked.figure is not None:
        _draw(optima, number=asked.figure_day, path=asked.figure)
    return Measured(
        scenario=scenario.name,
        case=case.key,
        currency=scenario.tariff.currency,
        hardness=hardness,
        optimum=optimum,
    )


def time_case(scenario: Scenario, *, n_processes: int) -> tuple[EnvironmentSpeed, ...]:
    """Return how fast the environment of several populations is."""
    return measure_speed(scenario, sizes=SPEED_SIZES, n_processes=n_processes)


def _optimum_series(optima: DayOptima, asked: Asked, *, on_share: OnShare | None) -> OptimumSeries:
    numbers = draw_numbers(asked.n_optimum_days, seed=asked.optimum_seed)
    n_done = 0

    def tell(_: CheckedDay) -> None:
        nonlocal n_done
        n_done += 1
        if on_share is not None:
            on_share(f"Optimum of {len(numbers)} days", n_done / len(numbers))

    days = measure_optima(optima, numbers=numbers, on_day=tell)
    return OptimumSeries(
        seed=asked.optimum_seed,
        with_loading=asked.with_loading,
        summary=summarise_optima(days),
        days=days,
    )


def _draw(optima: DayOptima, *, number: int, path: Path) -> None:
    trajectories = usual_trajectories(optima, number=number)
    fleet = optima.rollout.fleet
    picture = day_picture(optima.case, number=number, trajectories=trajectories, fleet=fleet)
    write_day_figure(picture, path)
