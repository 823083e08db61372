"""Small device tables for tests: every kind, plausible values, different per agent."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from hypothesis import settings

from gradmap.devices.base import Surroundings
from gradmap.devices.fleet import Fleet
from gradmap.devices.registry import KINDS

DT_H = 0.25

REPEATABLE = settings(deadline=None, derandomize=True, max_examples=60)
"""Property tests draw the same examples on every machine, however slow."""


def household_ids(n_households: int) -> list[str]:
    return [f"h{i:04d}" for i in range(n_households)]


def device_tables(n_households: int, *, kinds: tuple[str, ...] = KINDS) -> dict[str, pd.DataFrame]:
    """One device of every kind in every household."""
    rng = np.random.default_rng(np.random.SeedSequence((1, n_households)))
    ids = household_ids(n_households)

    def between(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, size=n_households)

    columns = {
        "battery": {
            "p_max_kw": between(3, 6),
            "e_max_kwh": between(6, 14),
            "eta_charge": between(0.92, 0.97),
            "eta_discharge": between(0.92, 0.97),
            "soc_min": 0.1,
            "soc_max": 0.95,
            "soc_init": between(0.3, 0.7),
            "wear_per_kwh": 0.02,
        },
        "heat_pump": {
            "p_max_kw": between(2, 4),
            "ua_kw_per_k": between(0.1, 0.3),
            "c_kwh_per_k": between(3, 8),
            "solar_gain_m2": between(1, 5),
            "internal_gain_kw": 0.3,
            "supply_temp_c": between(35, 50),
            "carnot_fraction": 0.45,
            "temp_set_c": 20.0,
            "temp_min_c": 18.0,
            "temp_max_c": 22.0,
            "temp_floor_c": 16.0,
            "temp_ceiling_c": 24.0,
            "temp_init_c": between(18.5, 21.5),
            "power_factor": 0.95,
        },
        "generator": {
            "p_max_kw": between(2, 5),
            "p_min_fraction": 0.2,
            "fuel_per_kwh": between(0.1, 0.3),
            "fuel_quadratic_per_kw2h": 0.01,
        },
        "ev_charger": {
            "p_max_kw": 7.4,
            "e_max_kwh": between(40, 70),
            "eta_charge": 0.9,
            "soc_init": between(0.3, 0.6),
            "soc_target": 0.8,
            "soc_min": 0.2,
        },
    }
    return {
        kind: pd.DataFrame(
            {"agent_id": [f"{i}.{kind}" for i in ids], "household_id": ids, **columns[kind]}
        )
        for kind in kinds
    }


def fleet_of(n_households: int, *, kinds: tuple[str, ...] = KINDS) -> Fleet:
    return Fleet.from_tables(
        device_tables(n_households, kinds=kinds), household_ids=household_ids(n_households)
    )


def surroundings(
    *,
    temp_out_c: float = 5.0,
    ghi_w_per_m2: float = 200.0,
    plugged_in: float = 1.0,
    trip_kwh: float = 0.0,
    departure_h: float = 8.0,
) -> Surroundings:
    def scalar(value: float) -> torch.Tensor:
        return torch.tensor(value, dtype=torch.float64)

    return Surroundings(
        temp_out_c=scalar(temp_out_c),
        ghi_w_per_m2=scalar(ghi_w_per_m2),
        plugged_in=scalar(plugged_in),
        trip_kwh=scalar(trip_kwh),
        departure_h=scalar(departure_h),
    )


def random_observations(
    fleet: Fleet, *, leading: tuple[int, ...] = (), seed: int = 0
) -> torch.Tensor:
    """Observations of plausible size, with every agent's own kind of state."""
    generator = torch.Generator().manual_seed(seed)

    def between(low: float, high: float) -> torch.Tensor:
        unit = torch.rand(*leading, fleet.n_agents, generator=generator, dtype=torch.float64)
        return low + (high - low) * unit

    state = between(0.0, 1.0)
    is_heat_pump = torch.tensor([kind == "heat_pump" for kind in fleet.kinds])
    state = torch.where(is_heat_pump, 16.0 + 8.0 * state, state)
    return torch.stack(
        [
            between(0, 24),
            between(0.1, 0.4),
            between(0.05, 0.15),
            between(-5, 20),
            between(0.1, 2.0),
            between(0.0, 3.0),
            between(0.95, 1.05),
            state,
            between(0, 1).round(),
            between(0, 12),
            between(0, 6).round(),
        ],
        dim=-1,
    )
