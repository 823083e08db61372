"""What the figure of a day shows, as plain arrays: one column for each way to act on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from gradmap.costs import trajectory_cost
from gradmap.devices.fleet import Fleet
from gradmap.feeder import FloatArray
from gradmap.rollout import Trajectory
from gradmap.violations import limited_nodes, node_vm_pu
from scenarios.benchmarks.reference_case.optimum_days import SPLIT, DayOptima
from scenarios.case import Case
from scenarios.report.time_axis import day_text
from scenarios.schema import LimitSettings

KW_PER_MW = 1e3


@dataclass(frozen=True, kw_only=True, eq=False)
class DayColumn:
    """One way to act on the day. Positive power draws from the grid."""

    name: str
    device_mw: Mapping[str, FloatArray]
    """Device kind to the power of all its devices, [time]. [MW]"""
    net_mw: FloatArray
    """Power of all homes, [time]. [MW]"""
    band_pu: Mapping[str, tuple[FloatArray, FloatArray]]
    """Phase to the lowest and the highest voltage of its limited nodes, each [time]. [pu]"""
    cost: float
    """Controllable cost of all agents. [cur]"""


@dataclass(frozen=True, kw_only=True, eq=False)
class DayPicture:
    """A day as several ways to act on it make it."""

    title: str
    hour: FloatArray
    """Wall clock at the start of each step, [time]. [h]"""
    dt_h: float
    uncontrolled_mw: FloatArray
    """Power of all homes without their devices, [time]. [MW]"""
    limits: LimitSettings
    currency: str
    columns: tuple[DayColumn, ...]


@torch.no_grad()
def usual_trajectories(
    optima: DayOptima, *, number: int, controllers: Sequence[str] = ("no_control", "price_only")
) -> dict[str, Trajectory]:
    """Return name to trajectory of a test day: simple controllers, and last the optimum.

    Args:
        optima: Of the case.
        number: Which test day.
        controllers: Names, as in scenario files.
    """
    rollout = optima.rollout
    days = optima.case.days.sample(SPLIT, [number])
    found = {
        name.replace("_", " ").capitalize(): rollout.run(
            optima.case.controller(name, fleet=rollout.fleet), days
        )
        for name in controllers
    }
    return {**found, "Optimum": optima.replay(number, optima.of(number))}


def day_picture(
    case: Case, *, number: int, trajectories: Mapping[str, Trajectory], fleet: Fleet
) -> DayPicture:
    """Return a test day under several trajectories.

    Args:
        case: The case.
        number: Which test day.
        trajectories: Name to trajectory of this day, with its power flows; a trained policy's is
            one more.
        fleet: Whose devices.
    """
    days = case.days.sample(SPLIT, [number])
    net_kw = (days.base_load_kw - days.pv_available_kw)[0].sum(dim=1)
    date = pd.Timestamp(case.days.calendar_date(SPLIT, number))
    return DayPicture(
        title=f"{case.scenario.name}, test day {number} ({day_text(date)})",
        hour=days.hour[0].numpy(),
        dt_h=days.dt_h,
        uncontrolled_mw=net_kw.numpy() / KW_PER_MW,
        limits=case.scenario.limits,
        currency=case.scenario.tariff.currency,
        columns=tuple(
            _column(name, item, case=case, fleet=fleet) for name, item in trajectories.items()
        ),
    )


@torch.no_grad()
def _column(name: str, trajectory: Trajectory, *, case: Case, fleet: Fleet) -> DayColumn:
    nodes = limited_nodes(case.feeder, exclude_buses=case.limits.exclude_buses).numpy()
    vm_pu = node_vm_pu(trajectory)[0].double().numpy()[:, nodes]
    ids = case.feeder.nodes.node_ids
    phases = np.array([ids[node].rpartition(".")[2] for node in nodes])
    device_mw = {
        group.kind: trajectory.p_kw[0, :, group.index].double().sum(dim=1).numpy() / KW_PER_MW
        for group in fleet.groups
    }
    band_pu = {}
    for phase in np.unique(phases).tolist():
        own = vm_pu[:, phases == phase]
        band_pu[phase] = (own.min(axis=1), own.max(axis=1))
    return DayColumn(
        name=name,
        device_mw=device_mw,
        net_mw=trajectory.connection_p_kw[0].double().sum(dim=1).numpy() / KW_PER_MW,
        band_pu=band_pu,
        cost=trajectory_cost(fleet, trajectory).total.sum().item(),
    )
