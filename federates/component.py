"""What a federate computes, without HELICS: stages with inputs and outputs.

A component runs the same under HELICS (`life_cycle.run_federate`) and in one process
(`in_process.run_in_process`), so a federated run equals an in-process run to the last bit.

Order of the stages inside a step, by coupling:

    ordered   environment -> observe -> act -> apply -> solve -> record
    iterate   the same, with apply and solve repeated until voltages settle
    lag       every stage reads what was published in the step before, all publish together
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from federates.topics import Port, Values

CouplingMode = Literal["ordered", "lag", "iterate"]
Outputs = Mapping[Port, Values]
Ids = tuple[str, ...]


class Stage(enum.IntEnum):
    """What happens in a step, in this order; the value is the offset of its grant. [s]"""

    ENVIRONMENT = 0
    OBSERVE = 1
    ACT = 2
    APPLY = 3
    SOLVE = 4
    RECORD = 5


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Which HELICS time belongs to which stage of which step."""

    dt_s: int
    """Step length. [s]"""
    n_steps: int
    mode: CouplingMode = "ordered"
    max_iterations: int = 1
    """Most repeats of apply and solve in a step; 1 unless the mode is `iterate`."""

    def offset_s(self, stage: Stage, *, repeat: int = 0) -> int:
        """Return the grant of `stage` after the start of its step. [s]"""
        if self.mode == "lag":
            return 2 if stage is Stage.RECORD else 0
        if stage is Stage.RECORD:
            # After the last possible repeat and the read of its outcome.
            return Stage.APPLY + 2 * self.max_iterations
        return stage + 2 * repeat

    @property
    def publish_offset_s(self) -> int:
        """When everybody publishes in `lag`. [s]"""
        return 1

    @property
    def span_s(self) -> int:
        """Seconds of a step that the stages take; must be less than `dt_s`."""
        return self.offset_s(Stage.RECORD) + 1


@dataclass(frozen=True, kw_only=True)
class StageResult:
    """What a stage publishes, and whether it wants to be repeated (coupling `iterate`)."""

    outputs: Outputs = field(default_factory=dict)
    again: bool = False


class Inbox:
    """The newest values of every subscribed port, concatenated over its publishers."""

    def __init__(self) -> None:
        self._values: dict[str, Values] = {}

    def put(self, port_name: str, values: Values) -> None:
        """Replace the values of a port."""
        self._values[port_name] = values

    def get(self, port: Port) -> Values | None:
        """Return the newest values, or None while nobody has published."""
        return self._values.get(port.name)


class Component(ABC):
    """One federate's model."""

    stages: Sequence[Stage]
    inputs: Sequence[Port]

    @abstractmethod
    def output_ids(self) -> Mapping[Port, Ids]:
        """Return the ids of every published port, in the order of its values."""

    def expected_ids(self, port: Port) -> Ids | None:
        """Return the ids assumed for a publisher that announces none; None if there are none."""
        return None

    def bind(self, input_ids: Mapping[str, Ids]) -> None:  # noqa: B027  most need not know
        """Learn the order of the values in every input. Raises if an id is missing."""

    def initial_outputs(self) -> Outputs:
        """Return what is known before the first step."""
        return {}

    @abstractmethod
    def run_stage(self, stage: Stage, *, step: int, repeat: int, inbox: Inbox) -> StageResult:
        """Compute one stage of step `step`."""

    def close(self) -> None:  # noqa: B027  only the recorder writes
        """Write what is still in memory."""
