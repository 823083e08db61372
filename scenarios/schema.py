"""The scenario file: every setting of a run, with its unit, range and meaning.

Unknown keys, wrong types, NaN and impossible values are refused before anything starts. The field
descriptions are the single source of the commented file of `gradmap init` and of the JSON Schema.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from federates.component import Schedule
from opendss_models.settings import EngineSettings
from scenarios.schema_homes import HemsOptions, PopulationSettings
from scenarios.schema_section import Positive, Section
from scenarios.schema_series import ProfileSettings, TariffSettings, TimeSettings


class FeederSettings(Section):
    """The distribution feeder, solved by OpenDSS."""

    source: str = Field(
        "ieee123",
        description="`ieee123` (bundled) or the path of a .dss file, relative to this file.",
    )
    regulators: Literal["as_defined", "locked"] = Field(
        "as_defined",
        description="`as_defined`: OpenDSS operates the regulators; `locked`: held at neutral.",
    )
    source_v_pu: float | None = Field(
        None, gt=0.5, lt=1.5, description="Source voltage; empty keeps the feeder's own. [pu]"
    )
    tolerance: float = Field(
        EngineSettings().tolerance,
        ge=1e-12,
        le=1e-3,
        description="Convergence tolerance of OpenDSS. [pu]",
    )
    on_failure: Literal["hold", "fail"] = Field(
        "hold",
        description="A step that does not solve: `hold` the last voltages and count it, or `fail`.",
    )
    trust: bool = Field(
        False,
        description="Accept .dss commands that run code or write files. Only for files you wrote.",
    )


class LimitSettings(Section):
    """Limits that the metrics and the report count against."""

    v_min_pu: float = Field(0.95, gt=0.5, lt=1, description="Lower voltage limit. [pu]")
    v_max_pu: float = Field(1.05, gt=1, lt=1.5, description="Upper voltage limit. [pu]")
    loading_max: Positive = Field(
        1.0, description="Highest loading of lines and transformers. [fraction of normal rating]"
    )
    exclude_buses: tuple[str, ...] = Field(
        (),
        description="Further buses left out of the voltage limits; floating ones always are.",
    )


class PolicySettings(Section):
    """When learned policies may be used; see their model card."""

    outside_range: Literal["refuse", "warn"] = Field(
        "refuse",
        description="Prices, outdoor temperature, loads or solar power outside the range that a "
        "policy was trained in: `refuse` the run, or `warn` and run all the same.",
    )


class CouplingSettings(Section):
    """How the federates of one step depend on each other."""

    mode: Literal["ordered", "lag", "iterate"] = Field(
        "ordered",
        description="`ordered`: observe, act, apply, solve within a step; `lag`: everything one "
        "step late; `iterate`: homes and grid repeat until voltages settle.",
    )
    max_iterations: int = Field(20, ge=1, le=60, description="Most repeats a step in `iterate`.")
    tolerance_pu: Positive = Field(
        1e-6, description="Settled when no connection voltage moves more. [pu]"
    )
    relaxation: float = Field(
        0.6, gt=0, le=1, description="Share of the inverter's step taken per repeat. [-]"
    )


class FederationSettings(Section):
    """HELICS processes and their watchdogs."""

    household_processes: int = Field(
        1, ge=1, le=64, description="Processes the households are split over."
    )
    core_type: Literal["zmq", "zmq_ss"] = Field(
        "zmq", description="HELICS core; both stay on loopback."
    )
    join_quiet_s: Positive = Field(
        8.0,
        description="A federate that has not joined and shows no sign of life for so long has "
        "failed. [s]",
    )
    stall_timeout_s: Positive = Field(
        300.0, description="No granted time moves for this long: the run is failed. [s]"
    )
    hems_processes: int = Field(
        1, ge=1, le=64, description="Processes the homes' energy managers are split over."
    )
    part_steps: int = Field(
        672, ge=1, le=100_000, description="Steps per recorded Parquet part file."
    )


class Scenario(Section):
    """A whole scenario file."""

    name: str = Field(
        "my_scenario",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,63}$",
        description="Short name: letters, digits, - and _.",
    )
    description: str = Field("", max_length=2000, description="Shown in the report.")
    seed: int = Field(1, ge=0, lt=2**63, description="Every random draw comes from it.")
    time: TimeSettings = Field(TimeSettings(), description="Period and step.")
    feeder: FeederSettings = Field(FeederSettings(), description="Network.")
    limits: LimitSettings = Field(LimitSettings(), description="What counts as a violation.")
    population: PopulationSettings = Field(
        PopulationSettings(), description="Households and devices."
    )
    profiles: ProfileSettings = Field(ProfileSettings(), description="Time series.")
    tariff: TariffSettings = Field(TariffSettings(), description="Prices.")
    controllers: tuple[str, ...] = Field(
        ("no_control", "rule_based"),
        min_length=1,
        description="Run one after the other: no_control, rule_based, price_only, hems, or "
        "policy:<folder>.",
    )
    policies: PolicySettings = Field(PolicySettings(), description="Use of learned policies.")
    hems: HemsOptions = Field(HemsOptions(), description="Energy managers of homes.")
    coupling: CouplingSettings = Field(CouplingSettings(), description="Order inside a step.")
    federation: FederationSettings = Field(FederationSettings(), description="Processes.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.controllers)) != len(self.controllers):
            raise ValueError(f"`controllers` names one twice: {list(self.controllers)}")
        drawn = self.population.households_file is None
        if drawn and self.federation.household_processes > self.population.n_households:
            raise ValueError("`federation.household_processes` exceeds `population.n_households`")
        if self.coupling.mode == "iterate":
            self._repeats_fit()
        for name in ("replan_every_h", "horizon_h"):
            steps = getattr(self.hems, name) * 60 / self.time.step_min
            if abs(steps - round(steps)) > 1e-9:
                raise ValueError(
                    f"`hems.{name}` is {getattr(self.hems, name):g} h, expected a whole number of "
                    f"steps of `time.step_min: {self.time.step_min}`"
                )
        return self

    def _repeats_fit(self) -> None:
        """Every repeat takes two seconds of HELICS time inside the step."""
        dt_s, most = self.time.dt_s, self.coupling.max_iterations
        span_s = Schedule(dt_s=dt_s, n_steps=1, mode="iterate", max_iterations=most).span_s
        if span_s >= dt_s:
            raise ValueError(
                f"`coupling.max_iterations: {most}` takes {span_s} s of HELICS time, but a step of "
                f"`time.step_min: {self.time.step_min}` has only {dt_s} s; lower the one or raise "
                f"the other"
            )
