"""Configuration of one federate: the JSON behind `gradmap federate NAME --config FILE`.

`gradmap run` writes one file per federate; anyone can write one by hand to put a federate of ours
into a federation of theirs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from federates.component import Schedule
from federates.topics import Encoding
from gradmap.errors import ScenarioError
from opendss_models.settings import EngineSettings

CoreType = Literal["zmq", "zmq_ss", "tcp", "tcp_ss"]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class BrokerAddress(_Closed):
    """Where the HELICS broker listens. The key travels in HELICS_BROKER_KEY, never in a file."""

    host: str = "127.0.0.1"
    port: int | None = Field(None, ge=1, le=65_534, description="None: the HELICS default.")
    core_type: CoreType = "zmq"


class ScheduleSettings(_Closed):
    """Steps, and the coupling inside them."""

    dt_s: int = Field(900, ge=6, description="Step length. [s]")
    n_steps: int = Field(ge=1)
    mode: Literal["ordered", "lag", "iterate"] = "ordered"
    max_iterations: int = Field(1, ge=1)
    start: AwareDatetime | None = Field(
        None, description="Wall clock of HELICS time 0, stamped on OEDISI messages; None: no stamp."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        span_s = self.schedule().span_s
        if span_s >= self.dt_s:
            raise ValueError(
                f"the stages of a step take {span_s} s of HELICS time, but the step has only "
                f"{self.dt_s} s; lower `max_iterations` or lengthen the step"
            )
        return self

    def schedule(self) -> Schedule:
        """Return the schedule these settings describe."""
        return Schedule(
            dt_s=self.dt_s,
            n_steps=self.n_steps,
            mode=self.mode,
            max_iterations=self.max_iterations,
        )


class EnvironmentSettings(_Closed):
    """Prices and weather from a materialised series."""

    kind: Literal["environment"] = "environment"
    inputs_folder: Path


class HouseholdsSettings(_Closed):
    """Homes with their devices."""

    kind: Literal["households"] = "households"
    inputs_folder: Path
    first: int = Field(0, ge=0, description="Index of the first household of this process.")
    count: int | None = Field(None, ge=1, description="How many; None: all the rest.")
    inverter_mode: Literal["unity", "volt_var", "volt_watt", "volt_var_watt"] = "unity"
    relaxation: float = Field(1.0, gt=0, le=1)


class AgentsSettings(_Closed):
    """The controllers of all devices."""

    kind: Literal["agents"] = "agents"
    inputs_folder: Path
    controller: str = "no_control"
    participating_only: bool = Field(
        False,
        description="Leave what interviewed homes keep to themselves to a `hems` federate: all "
        "devices of homes that do not take part, and devices that nobody may control.",
    )


class HemsSettings(_Closed):
    """The energy managers of homes, each planning for itself."""

    kind: Literal["hems"] = "hems"
    inputs_folder: Path
    scope: Literal["all", "not_participating"] = Field(
        "all", description="All agents, or those that `agents` with `participating_only` leaves."
    )
    first: int = Field(0, ge=0, description="Index of the first household of this process.")
    count: int | None = Field(None, ge=1, description="How many; None: all the rest.")
    replan_every_steps: int = Field(16, ge=1)
    horizon_steps: int = Field(96, ge=1)
    history_steps: int = Field(0, ge=0, description="Length of inputs/history/base_load_kw.")
    weather: Literal["perfect", "persistence"] = "perfect"
    time_limit_s: float = Field(20.0, gt=0, description="For one plan. [s]")
    report_file: Path | None = Field(None, description="Where counts of plans are left, as JSON.")

    @model_validator(mode="after")
    def _covers(self) -> Self:
        if self.replan_every_steps > self.horizon_steps:
            raise ValueError(
                f"`replan_every_steps` is {self.replan_every_steps}, but plans cover only "
                f"{self.horizon_steps} steps; plan more often or further"
            )
        return self


class GridSettings(_Closed):
    """The feeder, solved by OpenDSS."""

    kind: Literal["grid"] = "grid"
    feeder: str = "ieee123"
    regulators: Literal["as_defined", "locked"] = "as_defined"
    source_v_pu: float | None = None
    tolerance: float = Field(EngineSettings().tolerance, gt=0)
    trust: bool = False
    on_failure: Literal["hold", "fail"] = "hold"
    settle_tolerance_pu: float = Field(1e-6, gt=0)
    households_file: Path | None = Field(
        None,
        description="CSV with household_id and connection_id; None: the powers come by connection.",
    )


class RecorderSettings(_Closed):
    """Everything that was published, final values only."""

    kind: Literal["recorder"] = "recorder"
    results_folder: Path
    part_steps: int = Field(672, ge=1)


Settings = Annotated[
    EnvironmentSettings
    | HouseholdsSettings
    | AgentsSettings
    | HemsSettings
    | GridSettings
    | RecorderSettings,
    Field(discriminator="kind"),
]


class FederateConfig(_Closed):
    """All that a federate process needs to know."""

    name: str = Field(pattern=r"^[A-Za-z0-9_]+$")
    broker: BrokerAddress = BrokerAddress()
    encoding: Encoding = "vector"
    schedule: ScheduleSettings
    subscriptions: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Port name to the topics that feed it, in order."
    )
    log_folder: Path | None = None
    settings: Settings


def read_federate_config(path: Path) -> FederateConfig:
    """Read and check a federate's configuration; ScenarioError says what is wrong with it."""
    try:
        return FederateConfig.model_validate(orjson.loads(path.read_bytes()))
    except OSError as exc:
        raise ScenarioError(f"Federate configuration {path}: {exc.strerror or exc}.") from exc
    except orjson.JSONDecodeError as exc:
        raise ScenarioError(f"Federate configuration {path} is not JSON: {exc}.") from exc
    except ValidationError as exc:
        raise ScenarioError(f"Federate configuration {path}: {describe(exc)}") from exc


def describe(error: ValidationError) -> str:
    """Return the findings of pydantic, one a line: where, what was given, what was expected."""
    lines = []
    for finding in error.errors(include_url=False):
        where = ".".join(str(part) for part in finding["loc"]) or "file"
        given = repr(finding["input"])
        shown = given if len(given) <= 60 else given[:57] + "..."
        lines.append(f"`{where}` is {shown}: {finding['msg']}")
    return "\n".join(lines)
