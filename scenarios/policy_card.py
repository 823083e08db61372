"""The model card of policies that were trained in a case, and what is compared with a card."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from gradmap.days import Days
from gradmap.devices.fleet import Fleet
from gradmap.devices.parameters import DeviceParams
from gradmap.feeder import Feeder
from gradmap.feeder_file import feeder_fingerprint
from gradmap.policies.card import (
    AgentFacts,
    GridFacts,
    ModelCard,
    Range,
    Result,
    TrainingDays,
    TrainingFacts,
)
from gradmap.training.validation import THRESHOLD_PU, Validation
from scenarios.loading import config_hash
from scenarios.population import Population
from scenarios.provenance import machine, versions
from scenarios.schema import Scenario

if TYPE_CHECKING:
    from gradmap.policies.independent import IndependentPolicies
    from gradmap.training.settings import TrainingSettings
    from scenarios.case import Case

_COMMON: Final = (
    "hour",
    "day_of_week",
    "price_import_per_kwh",
    "price_export_per_kwh",
    "temp_out_c",
)
_BY_HOUSEHOLD: Final = {"base_load_kw": "base_load_kw", "pv_kw": "pv_available_kw"}
_BY_AGENT: Final = {"plugged_in": 1.0, "departure_h": 0.0}
"""With what is observed without vehicles."""
_MINUTES_PER_HOUR: Final = 60.0


def describe_policy(
    case: Case,
    *,
    policy: IndependentPolicies,
    pool: Days,
    settings: TrainingSettings,
    iterations: int,
    seconds: float,
    validation: Validation | None,
    hardware: str | None = None,
) -> ModelCard:
    """Return the card of policies trained in a case; the hash of their tensors is yet to come.

    Args:
        case: Feeder, population and limits of training.
        policy: The networks.
        pool: The first training days, 0 to n - 1 of split `train`, in any dtype.
        settings: How it was trained.
        iterations: So many were done.
        seconds: So long they took. [s]
        validation: Of these networks, or None.
        hardware: What they were trained on; by default this machine.
    """
    scenario = case.scenario
    known = agent_facts(case.population)
    return ModelCard(
        scenario_name=scenario.name,
        scenario_hash=config_hash(scenario),
        version=versions()["gradmap"],
        architecture=policy.architecture,
        grid=grid_facts(scenario, feeder=case.feeder),
        days=_training_days(case, pool=pool),
        agents={agent_id: known[agent_id] for agent_id in policy.agent_ids},
        training=TrainingFacts(
            iterations=iterations,
            seed=settings.seed,
            seconds=seconds,
            hardware=hardware or "{machine}, {cores} cores".format(**machine()),
            settings_hash=settings.key,
            with_loading=settings.with_loading,
        ),
        validation=None
        if validation is None
        else _result(validation, with_loading=settings.with_loading),
    )


def grid_facts(scenario: Scenario, *, feeder: Feeder) -> GridFacts:
    """Return what a policy must find unchanged in the network.

    Args:
        scenario: With limits and the regulators' mode.
        feeder: Its feeder, with households.
    """
    limits = scenario.limits
    return GridFacts(
        feeder_name=feeder.name,
        feeder_hash=feeder_fingerprint(feeder),
        source_v_pu=tuple(float(source.v_pu) for source in feeder.sources),
        regulators=scenario.feeder.regulators,
        v_min_pu=limits.v_min_pu,
        v_max_pu=limits.v_max_pu,
        loading_max=limits.loading_max,
        exclude_buses=tuple(sorted(name.lower() for name in limits.exclude_buses)),
    )


def agent_facts(population: Population) -> dict[str, AgentFacts]:
    """Return every agent's device and connection."""
    homes = population.households
    fleet = Fleet.from_tables(population.devices, household_ids=homes["household_id"].tolist())
    connections = homes["connection_id"].astype(str).tolist()
    facts = {}
    for group in fleet.groups:
        hashes = _device_hashes(group.device.params)
        home = fleet.household_index[group.index].tolist()
        ends_kw = torch.stack(group.device.action_range_kw(), dim=-1).tolist()
        for agent_id, row, digest, (low_kw, high_kw) in zip(
            group.device.params.agent_ids, home, hashes, ends_kw, strict=True
        ):
            facts[agent_id] = AgentFacts(
                kind=group.kind,
                connection_id=connections[row],
                device_hash=digest,
                p_min_kw=float(f"{low_kw:.6g}"),
                p_max_kw=float(f"{high_kw:.6g}"),
            )
    return facts


def _device_hashes(params: DeviceParams) -> list[str]:
    """Return a short hash of each agent's parameters.

    Of six digits, so that a table which was written and read again has the same.
    """
    columns = {name: getattr(params, name).double().tolist() for name in sorted(params.ranges)}
    return [
        hashlib.sha256(
            " ".join(f"{name}={values[row]:.6g}" for name, values in columns.items()).encode()
        ).hexdigest()[:12]
        for row in range(len(params.agent_ids))
    ]


def _training_days(case: Case, *, pool: Days) -> TrainingDays:
    dates = [case.days.calendar_date("train", number) for number in range(pool.n_days)]
    tariff = case.scenario.tariff
    return TrainingDays(
        n_days=pool.n_days,
        step_min=pool.dt_h * _MINUTES_PER_HOUR,
        first_day_of_year=min(dates).timetuple().tm_yday,
        last_day_of_year=max(dates).timetuple().tm_yday,
        tariff_kind=tariff.kind if tariff.file is None else "file",
        currency=tariff.currency,
        common={name: _range(getattr(pool, name)) for name in _COMMON},
        by_kind=_ranges_by_kind(case.fleet(), pool),
    )


def _ranges_by_kind(fleet: Fleet, pool: Days) -> Mapping[str, Mapping[str, Range]]:
    """Return the ranges of features that agents do not share."""
    # Over days and steps first, once for all kinds: copies of the pool's columns are large.
    by_household = {
        name: torch.stack(torch.aminmax(getattr(pool, field).flatten(0, 1), dim=0))
        for name, field in _BY_HOUSEHOLD.items()
    }
    found = {}
    for group in fleet.groups:
        home = fleet.household_index[group.index]
        ranges = {name: _range(ends.cpu()[:, home]) for name, ends in by_household.items()}
        for name, absent in _BY_AGENT.items():
            series = getattr(pool, name)
            ranges[name] = (
                Range(low=absent, high=absent)
                if series is None
                else _range(series[..., group.index.to(series.device)])
            )
        found[group.kind] = ranges
    return found


def _range(values: Tensor) -> Range:
    low, high = torch.aminmax(values)
    return Range(low=float(low), high=float(high))


def _result(validation: Validation, *, with_loading: bool) -> Result:
    worst = validation.violation_max_pu
    return Result(
        n_days=validation.days.n_days,
        n_violating=validation.days.n_violating,
        upper_bound=validation.days.upper_bound,
        cost_mean=validation.cost,
        violation_max_pu=worst if math.isfinite(worst) else None,
        judged_by="own power flow",
        threshold_pu=THRESHOLD_PU,
        n_outside=validation.n_outside,
        n_overloaded=validation.n_overloaded if with_loading else None,
    )
