"""How long a co-simulated period takes, by federate, and whether memory stays flat.

The figure is wall time per step of a whole federation (five processes) after start-up. State the
machine beside it; other programs on it make it worse.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios.loading import find_scenario, load_scenario
from scenarios.run import Progress, prepare, run_controller
from scenarios.schema import Scenario

# The first samples of memory still see buffers and caches fill.
WARM_UP_SHARE = 0.2


@dataclass(frozen=True, kw_only=True)
class FederationTiming:
    """What one run cost."""

    n_households: int
    n_steps: int
    start_up_s: float
    run_s: float
    ms_per_step: float
    busy_ms_per_step: Mapping[str, float]
    """Computing and coding by federate; the rest of a step is waiting and HELICS. [ms]"""
    memory_mb: Mapping[str, tuple[float, float]]
    """Resident memory by federate: after warming up, and the largest from then on. [MB]"""


def time_federation(
    *,
    days: int,
    controller: str = "no_control",
    scenario: str = "quick_start",
    on_progress: Callable[[Progress], None] | None = None,
) -> FederationTiming:
    """Run `days` of a scenario in a temporary folder and return what it cost."""
    settings = load_scenario(find_scenario(scenario))
    longer = settings.time.model_copy(update={"days": days})
    settings = settings.model_copy(update={"time": longer})
    with tempfile.TemporaryDirectory(prefix="gradmap-bench-") as folder:
        return _time(settings, controller, Path(folder) / "run", on_progress)


def _time(
    scenario: Scenario,
    controller: str,
    folder: Path,
    on_progress: Callable[[Progress], None] | None,
) -> FederationTiming:
    prepare(scenario, folder=folder, on_progress=on_progress)
    info = run_controller(
        scenario, controller=controller, folder=folder, on_progress=on_progress
    ).info
    timings: Mapping[str, Any] = info["timings"]
    return FederationTiming(
        n_households=scenario.population.n_households,
        n_steps=scenario.time.n_steps,
        start_up_s=timings["start_up_s"],
        run_s=timings["run_s"],
        ms_per_step=timings["ms_per_step"],
        busy_ms_per_step={
            name: seen["busy_ms_per_step"] for name, seen in timings["by_federate"].items()
        },
        memory_mb={name: _span(samples) for name, samples in info["memory_mb"].items() if samples},
    )


def _span(samples: list[float]) -> tuple[float, float]:
    warm = samples[int(len(samples) * WARM_UP_SHARE) :]
    return warm[0], max(warm)
