"""Metrics of households and devices: bills, comfort, vehicles, solar. Definitions: `Summary`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gradmap.errors import ScenarioError
from scenarios.results import Block, Run, aligned

OVERRIDE_KW = 1e-6  # request and delivered power differ when further apart than rounding [kW]


def columns_of(block: Block, agents: Iterable[str]) -> NDArray[np.intp]:
    """Return the positions of agents or households in a block."""
    position = {name: i for i, name in enumerate(block.ids)}
    missing = [name for name in agents if name not in position]
    if missing:
        raise ScenarioError(
            f"{len(missing)} ids are in the tables but not in the recorded series, the first is "
            f"{missing[0]!r}; expected every one. The run folder mixes two runs; run again."
        )
    return np.array([position[name] for name in agents], dtype=np.intp)


def environment_blocks(run: Run, controller: str) -> Iterator[Block]:
    """Yield prices and weather as recorded, or the inputs where they were not."""
    if run.has(controller, "environment"):
        return run.blocks(controller, "environment")
    return run.input_blocks("environment")


@dataclass(frozen=True, kw_only=True)
class HomeBills:
    """What every home pays for energy, and what all of them export."""

    bills: dict[str, float]
    """By household. [currency]"""
    export_kwh: float


def home_bills(run: Run, controller: str) -> HomeBills:
    """Return the energy bills of all homes; their powers were recorded."""
    bills: NDArray[np.float64] = np.zeros(0)
    ids: tuple[str, ...] = ()
    export_kwh = 0.0
    for power, environment in aligned(
        run.blocks(controller, "p_kw"), environment_blocks(run, controller)
    ):
        if not ids:
            ids, bills = power.ids, np.zeros(len(power.ids))
        net_kwh = power.values * run.dt_h
        price = environment.values[:, environment.ids.index("price_import_per_kwh")]
        paid = environment.values[:, environment.ids.index("price_export_per_kwh")]
        bills = bills + np.nansum(net_kwh * np.where(net_kwh > 0, price[:, None], paid[:, None]), 0)
        export_kwh += float(np.nansum(np.maximum(-net_kwh, 0)))
    return HomeBills(bills=dict(zip(ids, bills.tolist(), strict=True)), export_kwh=export_kwh)


def energy_bills(run: Run, controller: str) -> dict[str, float]:
    """Return energy cost, bill percentiles and the energy households export. [currency, kWh]."""
    names = ("energy_cost", "bill_p5", "bill_p50", "bill_p95", "households_export_kwh")
    if not run.has(controller, "p_kw"):
        return dict.fromkeys(names, math.nan)
    found = home_bills(run, controller)
    bills = np.array(list(found.bills.values()) or [0.0])
    p5, p50, p95 = np.percentile(bills, (5, 50, 95))
    values = (float(bills.sum()), float(p5), float(p50), float(p95), found.export_kwh)
    return dict(zip(names, values, strict=True))


def fuel_and_wear(run: Run, controller: str) -> dict[str, float]:
    """Return the running costs of generators and batteries. [currency]."""
    tables = {kind: run.devices.get(kind) for kind in ("generator", "battery")}
    if all(table is None for table in tables.values()):
        return {"fuel_cost": 0.0, "wear_cost": 0.0}
    if not run.has(controller, "agent_p_kw"):
        return {"fuel_cost": math.nan, "wear_cost": math.nan}
    fuel = wear = 0.0
    for block in run.blocks(controller, "agent_p_kw"):
        generators, batteries = tables["generator"], tables["battery"]
        if generators is not None:
            p_kw = np.abs(block.values[:, columns_of(block, generators.index)])
            a, b = (_column(generators, x) for x in ("fuel_per_kwh", "fuel_quadratic_per_kw2h"))
            fuel += float(np.nansum(a * p_kw + b * p_kw**2)) * run.dt_h
        if batteries is not None:
            p_kw = np.abs(block.values[:, columns_of(block, batteries.index)])
            wear += float(np.nansum(_column(batteries, "wear_per_kwh") * p_kw)) * run.dt_h
    return {"fuel_cost": fuel, "wear_cost": wear}


def comfort(run: Run, controller: str) -> dict[str, float]:
    """Return the kelvin-hours outside the comfort bands and the homes concerned."""
    names = ("comfort_below_kelvin_hours", "comfort_above_kelvin_hours", "comfort_homes_affected")
    homes = run.devices.get("heat_pump")
    if homes is None:
        return dict.fromkeys(names, 0.0)
    if not run.has(controller, "state"):
        return dict.fromkeys(names, math.nan)
    below = above = 0.0
    affected = np.zeros(len(homes), dtype=bool)
    for block in run.blocks(controller, "state"):
        temp_in_c = block.values[:, columns_of(block, homes.index)]
        cold_k = np.maximum(_column(homes, "temp_min_c") - temp_in_c, 0)
        warm_k = np.maximum(temp_in_c - _column(homes, "temp_max_c"), 0)
        below += float(np.nansum(cold_k)) * run.dt_h
        above += float(np.nansum(warm_k)) * run.dt_h
        affected |= ((cold_k > 0) | (warm_k > 0)).any(axis=0)
    return dict(zip(names, (below, above, float(affected.sum())), strict=True))


def limit_overrides(run: Run, controller: str) -> dict[str, float]:
    """Return the agent-hours in which delivered and requested power differ."""
    if not (run.has(controller, "request_kw") and run.has(controller, "agent_p_kw")):
        return {"limit_override_agent_hours": 0.0 if not run.devices else math.nan}
    count = 0
    for request, delivered in aligned(
        run.blocks(controller, "request_kw"), run.blocks(controller, "agent_p_kw")
    ):
        delivered_kw = delivered.values[:, columns_of(delivered, request.ids)]
        count += int((np.abs(request.values - delivered_kw) > OVERRIDE_KW).sum())
    return {"limit_override_agent_hours": count * run.dt_h}


def unmet_ev_energy(run: Run, controller: str) -> dict[str, float]:
    """Return the energy that vehicles lack when they leave. [kWh]."""
    vehicles = run.devices.get("ev_charger")
    if vehicles is None:
        return {"ev_unmet_kwh": 0.0}
    if not run.has(controller, "state"):
        return {"ev_unmet_kwh": math.nan}
    target, e_max_kwh = _column(vehicles, "soc_target"), _column(vehicles, "e_max_kwh")
    unmet_kwh = 0.0
    was_home = was_soc = np.empty((0, len(vehicles)))
    for state, plugged in aligned(
        run.blocks(controller, "state"), run.input_blocks("ev_plugged_in")
    ):
        soc = np.vstack([was_soc, state.values[:, columns_of(state, vehicles.index)]])
        home = np.vstack([was_home, plugged.values[:, columns_of(plugged, vehicles.index)]])
        leaves = (home[:-1] > 0.5) & (home[1:] < 0.5)
        missing_kwh = np.maximum(target - soc[:-1], 0) * e_max_kwh
        unmet_kwh += float(np.nansum(missing_kwh[leaves]))
        was_home, was_soc = home[-1:], soc[-1:]
    return {"ev_unmet_kwh": unmet_kwh}


def curtailed_solar(run: Run, controller: str) -> dict[str, float]:
    """Return the solar energy available but not delivered. [kWh]."""
    if not run.has_input("pv_available_kw"):
        return {"pv_curtailed_kwh": 0.0}
    if not run.has(controller, "pv_kw"):
        return {"pv_curtailed_kwh": math.nan}
    curtailed_kwh = 0.0
    for available, delivered in aligned(
        run.input_blocks("pv_available_kw"), run.blocks(controller, "pv_kw")
    ):
        delivered_kw = delivered.values[:, columns_of(delivered, available.ids)]
        curtailed_kwh += float(np.nansum(np.maximum(available.values - delivered_kw, 0)))
    return {"pv_curtailed_kwh": curtailed_kwh * run.dt_h}


def _column(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return a column of a device table, in the order of its agents."""
    return table[name].to_numpy(dtype=np.float64)
