"""A scenario as training and studies need it: population, feeder, days and limits in one object."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from federates.grid import open_engine
from gradmap.baselines.registry import make_controller
from gradmap.controller import Controller
from gradmap.days import Days
from gradmap.devices.fleet import Fleet
from gradmap.feeder import Feeder
from gradmap.feeder_file import feeder_fingerprint
from gradmap.homes import Homes
from gradmap.power_flow.solver import PowerFlow, SolverSettings
from gradmap.rollout import Rollout
from gradmap.violations import Limits
from opendss_models.extract import extract_feeder
from scenarios.day_cache import days_hash
from scenarios.day_sampler import ScenarioDays
from scenarios.federation import grid_settings
from scenarios.population import Population, draw_population
from scenarios.schema import Scenario

HISTORY_DAYS = 8
"""Training days that `price_only` and reference loadings are made from."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """One population on one feeder, with all the days that can happen to it."""

    scenario: Scenario
    population: Population
    feeder: Feeder
    """With households in place of the feeder's own loads."""
    days: ScenarioDays
    limits: Limits

    @property
    def key(self) -> str:
        """Return a short hash of everything results depend on: days, population, feeder, limits."""
        feeder = feeder_fingerprint(self.feeder)[:16]
        days = days_hash(self.scenario, population=self.population)
        # A feeder is the same whether its regulators act or not.
        rest = f"{self.limits!r} regulators {self.scenario.feeder.regulators}"
        return f"{days}-{feeder}-{hashlib.sha256(rest.encode()).hexdigest()[:8]}"

    @cached_property
    def history(self) -> Days:
        """Usual days, from the training split."""
        return self.days.sample("train", range(HISTORY_DAYS))

    def fleet(self, *, dtype: torch.dtype = torch.float64) -> Fleet:
        """Return the devices."""
        ids = self.population.households["household_id"].tolist()
        return Fleet.from_tables(self.population.devices, household_ids=ids, dtype=dtype)

    def homes(self, *, dtype: torch.dtype = torch.float64) -> Homes:
        """Return where the households sit."""
        table = self.population.households
        return Homes.on_feeder(
            self.feeder,
            connection_ids=table["connection_id"].tolist(),
            power_factor=table["power_factor"].tolist(),
            dtype=dtype,
        )

    def rollout(
        self,
        *,
        dtype: torch.dtype = torch.float64,
        device: str = "cpu",
        settings: SolverSettings | None = None,
        observe_voltage: bool = False,
    ) -> Rollout:
        """Return a rollout of the case; its power flow is linearised at a usual evening.

        Args:
            dtype: Of devices and power flow.
            device: Torch device that they are on.
            settings: Of the power flow.
            observe_voltage: Whether agents see their own connection's last voltage.
        """
        homes = self.homes()
        base_kw = self.history.base_load_kw.mean(dim=(0, 1))
        p = torch.zeros(len(self.feeder.connections), dtype=torch.float64)
        p.index_add_(0, homes.connection_index, base_kw)
        q = torch.zeros_like(p).index_add_(0, homes.connection_index, base_kw * homes.tan_phi)
        flow = PowerFlow(
            self.feeder,
            settings=settings,
            dtype=dtype,
            device=device,
            p_reference_kw=p.numpy(),
            q_reference_kvar=q.numpy(),
        )
        return Rollout(
            fleet=self.fleet(dtype=dtype).to(device=device),
            homes=self.homes(dtype=dtype).to(device=device),
            flow=flow,
            observe_voltage=observe_voltage,
            control_regulators=self.scenario.feeder.regulators == "as_defined"
            and bool(self.feeder.regulators),
        )

    def controller(self, name: str, *, fleet: Fleet) -> Controller:
        """Return a controller by name; `price_only` plans for this case's usual days."""
        return make_controller(name, fleet=fleet, history=self.history)


def open_case(scenario: Scenario, *, cache_folder: Path | None = None) -> Case:
    """Compile the feeder, extract it, draw the population, and prepare its days.

    Args:
        scenario: With drawn series.
        cache_folder: Where sampled days are kept, or None.

    Raises:
        FeederError: The feeder does not compile or has something that is not modelled.
        ScenarioError: The scenario takes series from files.
    """
    engine = open_engine(grid_settings(scenario))
    population = draw_population(scenario, engine.connections)
    limits = scenario.limits
    return Case(
        scenario=scenario,
        population=population,
        feeder=extract_feeder(engine).with_households(),
        days=ScenarioDays(scenario, population=population, cache_folder=cache_folder),
        limits=Limits(
            v_min_pu=limits.v_min_pu,
            v_max_pu=limits.v_max_pu,
            loading_max=limits.loading_max,
            exclude_buses=limits.exclude_buses,
        ),
    )
