"""The recorder federate: final values of every port, as Parquet parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from federates.component import Component, Ids, Inbox, Schedule, Stage, StageResult
from federates.config import RecorderSettings
from federates.series import SeriesWriter
from federates.topics import (
    ALL_PORTS,
    CLOCK,
    INDOOR_TEMPERATURES,
    OBSERVATIONS,
    PORT_BY_NAME,
    SETPOINTS,
    STATES_OF_CHARGE,
    Port,
)
from gradmap.errors import FederationError

# The clock is the time column; the others repeat what `device_states`, `applied_requests` and
# their peers hold.
REPEATED: Final = (CLOCK, OBSERVATIONS, STATES_OF_CHARGE, INDOOR_TEMPERATURES, SETPOINTS)
RECORDED: Final = tuple(port for port in ALL_PORTS if port not in REPEATED)


class Recorder(Component):
    """Writes one row per quantity and step."""

    stages = (Stage.RECORD,)
    inputs = RECORDED

    def __init__(self, settings: RecorderSettings, *, schedule: Schedule) -> None:
        self._settings = settings
        self._dt_s = schedule.dt_s
        self._writers: dict[Port, SeriesWriter] = {}

    def output_ids(self) -> Mapping[Port, Ids]:
        """The recorder publishes nothing."""
        return {}

    def bind(self, input_ids: Mapping[str, Ids]) -> None:
        """Open one folder per subscribed quantity."""
        for name, ids in input_ids.items():
            port = PORT_BY_NAME[name]
            if ids:
                self._writers[port] = SeriesWriter(
                    self._settings.results_folder / port.quantity,
                    ids=ids,
                    part_steps=self._settings.part_steps,
                )

    def run_stage(self, stage: Stage, *, step: int, repeat: int, inbox: Inbox) -> StageResult:
        """Append the final values of the step."""
        for port, writer in self._writers.items():
            values = inbox.get(port)
            if values is None:
                raise FederationError(
                    f"Port {port.name!r} has no value at step {step}: its publisher skipped it. "
                    f"Look at the log of the federate that publishes it."
                )
            writer.append(float(step * self._dt_s), values)
        return StageResult()

    def close(self) -> None:
        """Write the last, shorter parts."""
        for writer in self._writers.values():
            writer.close()
