"""Who lives on the feeder and what they own: drawn from shares, or read from the user's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from federates.hems.controller.roles import (
    INTERVIEWS_FOLDER,
    parameters_of,
    read_interviews,
    split_tables,
)
from federates.hems.parameters.home_file import HomeFile, write
from gradmap.devices.registry import KINDS, groups_from_tables
from scenarios.device_draws import draw_devices
from scenarios.interviews import interviewed, without_words
from scenarios.population_files import read_devices, read_households
from scenarios.profiles.randomness import Draws, generator, household_uniforms
from scenarios.schema import Scenario
from scenarios.schema_homes import PopulationSettings

if TYPE_CHECKING:
    from opendss_models.connections import LoadConnection

Floats = NDArray[np.float64]

HOUSEHOLDS_FILE = "households.csv"
DEVICES_FOLDER = "devices"
# People in a household: Great Britain, census 2021, rounded.
OCCUPANT_SHARES = (0.30, 0.34, 0.16, 0.13, 0.07)
POWER_FACTOR_SPREAD = 0.015  # half of the range over homes
ROOF_TILTS_DEG = (20.0, 25.0, 30.0, 35.0, 40.0, 45.0)
INVERTER_SHARE_RANGE = (0.85, 1.0)  # inverter rating over array rating


@dataclass(frozen=True, kw_only=True)
class Population:
    """Households and their devices, in the columns of a run folder's tables."""

    households: pd.DataFrame
    """One row a household: household_id, connection_id, base_scale, power_factor, occupants,
    pv_kwp, pv_tilt_deg, pv_azimuth_deg, pv_inverter_kva, tariff."""
    devices: Mapping[str, pd.DataFrame]
    """Device kind to table of its agents; only kinds that occur."""
    interviews: Mapping[str, HomeFile] = field(default_factory=dict)
    """Home files of households whose people were asked."""

    def __post_init__(self) -> None:
        """Refuse impossible devices, naming agent and value."""
        groups_from_tables(
            self.devices,
            household_ids=self.households["household_id"].tolist(),
            dtype=torch.float64,
        )

    @property
    def n_agents(self) -> int:
        """Number of controllable devices."""
        return sum(len(table) for table in self.devices.values())

    def write(self, folder: Path) -> None:
        """Write households.csv, devices/<kind>.csv, interviews/<household_id>.yaml.

        Numbers keep every digit. Home files are without the words of their people.
        """
        (folder / DEVICES_FOLDER).mkdir(parents=True, exist_ok=True)
        self.households.to_csv(folder / HOUSEHOLDS_FILE, index=False)
        for kind in KINDS:
            target = folder / DEVICES_FOLDER / f"{kind}.csv"
            if kind in self.devices:
                self.devices[kind].to_csv(target, index=False)
            else:
                target.unlink(missing_ok=True)
        for stale in (folder / INTERVIEWS_FOLDER).glob("*.yaml"):
            stale.unlink()
        for household, home in self.interviews.items():
            (folder / INTERVIEWS_FOLDER).mkdir(exist_ok=True)
            write(without_words(home), path=folder / INTERVIEWS_FOLDER / f"{household}.yaml")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote.

        Raises:
            ScenarioError: If a table is missing or wrong.
        """
        households = read_households(folder / HOUSEHOLDS_FILE, connection_ids=None)
        devices = read_devices(folder / DEVICES_FOLDER)
        return cls(households=households, devices=devices, interviews=read_interviews(folder))

    def in_policy(self) -> Population:
        """Return the same households with the devices that a learned policy may control."""
        homes = parameters_of(self.interviews)
        devices = split_tables(self.devices, homes, left_to_home=False)
        return Population(households=self.households, devices=devices, interviews=self.interviews)


def draw_population(scenario: Scenario, connections: Sequence[LoadConnection]) -> Population:
    """Return the scenario's population on a feeder's load connections.

    Args:
        scenario: Seed, shares and files.
        connections: Where households can sit, with their nominal load.

    Raises:
        ScenarioError: If a user's table is missing or wrong, naming the row.
    """
    settings = scenario.population
    ids = [connection.connection_id for connection in connections]
    if settings.households_file is not None:
        households = read_households(settings.households_file, connection_ids=ids)
        scale = households["base_scale"] * settings.base_load_scale
        households = households.assign(base_scale=scale)
    else:
        nominal_kw = np.array([connection.p_nominal_kw for connection in connections])
        households = _draw_households(scenario, connection_ids=ids, nominal_kw=nominal_kw)
    if settings.devices_folder is not None:
        devices = read_devices(settings.devices_folder)
    else:
        owners = draw_owners(settings, n_households=len(households), seed=scenario.seed)
        devices = draw_devices(owners, households=households, scenario=scenario)
    if settings.interviews is None:
        return Population(households=households, devices=devices)
    households, devices, homes = interviewed(
        households, devices, scenario=scenario, folder=settings.interviews
    )
    return Population(households=households, devices=devices, interviews=homes)


def largest_remainder(weights: Floats, *, total: int) -> NDArray[np.int64]:
    """Return whole numbers that add up to `total`, in proportion to `weights` (Hare quota).

    Negative weights count as zero; all zero means equal weights. Equal remainders go to the first.
    """
    weights = np.maximum(weights, 0.0)
    if weights.sum() == 0.0:
        weights = np.ones_like(weights)
    exact = total * weights / weights.sum()
    counts: NDArray[np.int64] = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(-(exact - counts), kind="stable")
    counts[order[: total - counts.sum()]] += 1
    return counts


def draw_occupants(n_households: int, *, seed: int) -> NDArray[np.int64]:
    """Return the number of people of each household [household]."""
    uniforms = household_uniforms(
        "occupants", seed=seed, n_draws=1, households=np.arange(n_households)
    )
    people = 1 + np.searchsorted(np.cumsum(OCCUPANT_SHARES)[:-1], uniforms[:, 0], side="right")
    return np.asarray(people, dtype=np.int64)


def draw_owners(
    settings: PopulationSettings, *, n_households: int, seed: int
) -> dict[str, NDArray[np.int64]]:
    """Return the household numbers that own each kind of device, ascending.

    `one_each`: exact numbers, shuffled over the households. `independent`: exact numbers for each
    kind on its own, so a household may own several kinds, or none.
    """
    shares = settings.devices.model_dump()
    wanted = np.array([shares[kind] for kind in KINDS]) * n_households
    source = generator("owners", seed=seed)
    if settings.allocation == "one_each":
        counts = largest_remainder(wanted, total=round(wanted.sum())) if wanted.any() else wanted
        shuffled = source.permutation(n_households)
        ends = np.cumsum(counts).astype(np.int64)
        owned = np.split(shuffled, ends)[: len(KINDS)]
    else:
        owned = [source.permutation(n_households)[: round(count)] for count in wanted]
    return {kind: np.sort(rows) for kind, rows in zip(KINDS, owned, strict=True)}


def _draw_households(
    scenario: Scenario, *, connection_ids: list[str], nominal_kw: Floats
) -> pd.DataFrame:
    """Place households on the connections and draw their roofs."""
    settings, seed = scenario.population, scenario.seed
    n = settings.n_households
    counts = largest_remainder(nominal_kw, total=n)
    place = generator("placement", seed=seed).permutation(np.repeat(np.arange(len(counts)), counts))
    d = Draws(household_uniforms("house", seed=seed, n_draws=16, households=np.arange(n)))
    spread = d.uniform(-POWER_FACTOR_SPREAD, POWER_FACTOR_SPREAD)[:, 0]
    power_factor = np.minimum(settings.power_factor_mean + spread, 1.0)
    has_pv = np.zeros(n, dtype=bool)
    has_pv[generator("pv owners", seed=seed).permutation(n)[: round(n * settings.pv_share)]] = True
    kwp = settings.pv_kwp_mean * np.clip(np.exp(d.normal(-0.045, 0.3)[:, 0]), 0.4, 2.0)
    kwp = np.round(kwp, 2)
    tilt = np.asarray(ROOF_TILTS_DEG)[(d.uniform()[:, 0] * len(ROOF_TILTS_DEG)).astype(int)]
    # Roofs with panels mostly look to the equator, some east or west; classes of 15 degrees.
    turn = 15.0 * np.rint(np.clip(d.normal(0.0, 45.0)[:, 0], -105, 105) / 15)
    equator = 180.0 if scenario.profiles.weather.latitude_deg >= 0 else 0.0
    inverter = np.round(kwp * d.uniform(*INVERTER_SHARE_RANGE)[:, 0], 2)
    width = max(4, len(str(n)))
    return pd.DataFrame(
        {
            "household_id": [f"h{i + 1:0{width}d}" for i in range(n)],
            "connection_id": [connection_ids[i] for i in place],
            "base_scale": settings.base_load_scale,
            "power_factor": np.round(power_factor, 4),
            "occupants": draw_occupants(n, seed=seed),
            "pv_kwp": np.where(has_pv, kwp, 0.0),
            "pv_tilt_deg": np.where(has_pv, tilt, 0.0),
            "pv_azimuth_deg": np.where(has_pv, (equator + turn) % 360.0, 0.0),
            "pv_inverter_kva": np.where(has_pv, inverter, 0.0),
            "tariff": scenario.tariff.kind,
        }
    )
