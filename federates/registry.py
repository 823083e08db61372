"""Which component stands behind which kind of federate.

A new federate also needs its settings (`config.py`), its ports (`oedisi.py`) and its place in a run
(`scenarios/federation.py`).
"""

from __future__ import annotations

from federates.component import Component
from federates.config import (
    AgentsSettings,
    EnvironmentSettings,
    FederateConfig,
    GridSettings,
    HemsSettings,
    HouseholdsSettings,
    RecorderSettings,
)


def make_component(config: FederateConfig) -> Component:
    """Build the component of a federate; each is imported only where it runs."""
    settings = config.settings
    schedule = config.schedule.schedule()
    if isinstance(settings, EnvironmentSettings):
        from federates.environment import Environment  # noqa: PLC0415

        return Environment(settings, schedule=schedule)
    if isinstance(settings, HouseholdsSettings):
        from federates.households import Households  # noqa: PLC0415

        return Households(settings, schedule=schedule)
    if isinstance(settings, AgentsSettings):
        from federates.agents import Agents  # noqa: PLC0415

        return Agents(settings, schedule=schedule)
    if isinstance(settings, HemsSettings):
        from federates.hems.controller.federate import Hems  # noqa: PLC0415

        return Hems(settings, schedule=schedule)
    if isinstance(settings, GridSettings):
        from federates.grid import Grid  # noqa: PLC0415

        return Grid(settings, schedule=schedule)
    if isinstance(settings, RecorderSettings):
        from federates.recorder import Recorder  # noqa: PLC0415

        return Recorder(settings, schedule=schedule)
    raise TypeError(f"no component for {type(settings).__name__}")
