"""The environment federate: clock, prices and weather that every home shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from federates.component import Component, Ids, Inbox, Outputs, Schedule, Stage, StageResult
from federates.config import EnvironmentSettings
from federates.series import SeriesReader
from federates.topics import (
    CLOCK,
    IRRADIANCE,
    OUTDOOR_TEMPERATURE,
    PRICE,
    STATUS,
    STATUS_IDS,
    Port,
    Values,
)

# Port to the columns of inputs/series/environment that it carries, in order.
COLUMNS: Final[Mapping[Port, Ids]] = {
    CLOCK: ("hour", "day_of_week"),
    PRICE: ("price_import_per_kwh", "price_export_per_kwh"),
    OUTDOOR_TEMPERATURE: ("temp_out_c",),
    IRRADIANCE: ("ghi_w_per_m2",),
}


class Environment(Component):
    """Plays back the materialised environment series."""

    stages = (Stage.ENVIRONMENT,)
    # Not read: without an input HELICS would let the environment run ahead to the end of the
    # scenario, and its messages would pile up in the memory of the others.
    inputs = (STATUS,)

    def __init__(self, settings: EnvironmentSettings, *, schedule: Schedule) -> None:
        self._dt_s = schedule.dt_s
        self._lag = schedule.mode == "lag"
        self._reader = SeriesReader(settings.inputs_folder / "series" / "environment")
        self._loaded_step = -1
        self._outputs: dict[Port, Values] = {}
        position = {name: index for index, name in enumerate(self._reader.ids)}
        self._columns = {
            port: np.array([position[name] for name in names]) for port, names in COLUMNS.items()
        }

    def expected_ids(self, port: Port) -> Ids | None:
        """A foreign grid need not publish a status."""
        return STATUS_IDS

    def output_ids(self) -> Mapping[Port, Ids]:
        """Return the ids of every port."""
        return COLUMNS

    def run_stage(self, stage: Stage, *, step: int, repeat: int, inbox: Inbox) -> StageResult:
        """Publish the values of step `step`."""
        return StageResult(outputs=self._values(step))

    def initial_outputs(self) -> Outputs:
        """In coupling `lag` the first step would otherwise have no weather and no price."""
        return self._values(0) if self._lag else {}

    def _values(self, step: int) -> Outputs:
        """Read the row of a step once."""
        if step != self._loaded_step:
            row = self._reader.next_row(float(step * self._dt_s))
            self._outputs = {port: row[columns] for port, columns in self._columns.items()}
            self._loaded_step = step
        return self._outputs
