"""Trajectories through OpenDSS: the grid federate's own code, compiled from the .dss files.

What torch computed enters only as household powers, summed up here by home; placement, signs and
the power flow are the federation's. So a household that is misplaced or mis-signed on the torch
side shows as a difference of voltages.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from federates.component import Inbox, Schedule, Stage
from federates.grid import Grid
from federates.topics import LOADINGS, POWERS_IMAG, POWERS_REAL, STATUS, TAPS, VOLTAGES, Port
from gradmap.devices.fleet import Fleet
from gradmap.errors import ScenarioError
from gradmap.homes import Homes
from gradmap.rollout import Trajectory
from scenarios.case import Case
from scenarios.federation import grid_settings

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Replayed:
    """What OpenDSS says of a trajectory."""

    vm_pu: Floats
    """Voltage magnitudes in the feeder's node order, [day, time, node]. [pu]"""
    taps: Floats
    """[day, time, regulator]."""
    loading: Floats
    """Of the normal rating, in the feeder's order of branches, [day, time, branch]; NaN for series
    reactors, which OpenDSS is not asked for. [-]"""
    status: NDArray[np.int64]
    """`opendss_models.solve_status.SolveStatus`, 0 is OK, [day, time]."""


def household_powers(
    trajectory: Trajectory, *, fleet: Fleet, homes: Homes
) -> tuple[Floats, Floats]:
    """Return what every home draws, active and reactive, each [day, time, household] [kW, kvar].

    Args:
        trajectory: With delivered device powers.
        fleet: Whose devices.
        homes: Power factors of the base loads.
    """
    with torch.no_grad():
        days = trajectory.days
        p_kw = trajectory.p_kw.detach()
        p = days.base_load_kw - days.pv_available_kw + fleet.household_sum(p_kw)
        q = days.base_load_kw * homes.tan_phi + fleet.household_sum(fleet.reactive_kvar(p_kw))
    return p.double().cpu().numpy(), q.double().cpu().numpy()


def replay_in_opendss(
    case: Case,
    *,
    p_kw: Floats,
    q_kvar: Floats,
    tolerance: float = 1e-9,
    on_day: Callable[[int], None] | None = None,
) -> Replayed:
    """Solve the days of a trajectory with OpenDSS, one after the other.

    Args:
        case: Feeder, placement and settings.
        p_kw: Drawn by every household, [day, time, household]. [kW]
        q_kvar: Reactive power, positive absorbs. [kvar]
        tolerance: Of OpenDSS. [pu]
        on_day: Called with the number of finished days.

    Raises:
        ScenarioError: The powers are not those of the case's households.
    """
    ids = tuple(case.population.households["household_id"])
    if p_kw.shape != q_kvar.shape or p_kw.shape[2:] != (len(ids),):
        raise ScenarioError(
            f"Replay: `p_kw` has shape {p_kw.shape} and `q_kvar` {q_kvar.shape}, expected [day, "
            f"time, household] with the case's {len(ids)} households for both."
        )
    n_days, n_steps = p_kw.shape[:2]
    with tempfile.TemporaryDirectory(prefix="gradmap-replay-") as folder:
        case.population.write(Path(folder))
        settings = grid_settings(case.scenario, Path(folder))
        settings = settings.model_copy(update={"tolerance": tolerance})
        grid = Grid(settings, schedule=Schedule(dt_s=case.scenario.time.dt_s, n_steps=n_steps))
    grid.bind({POWERS_REAL.name: ids, POWERS_IMAG.name: ids})
    days = []
    for day in range(n_days):
        grid.restart()
        days.append([_solve(grid, p_kw[day, k], q_kvar[day, k], step=k) for k in range(n_steps)])
        if on_day is not None:
            on_day(day + 1)

    def joined(port: Port) -> Floats:
        return np.array([[step[port] for step in steps] for steps in days])

    ids_of = grid.output_ids()
    branches = [branch.branch_id for branch in case.feeder.branches]
    return Replayed(
        vm_pu=_in_order(joined(VOLTAGES), ids_of[VOLTAGES], wanted=case.feeder.nodes.node_ids),
        taps=joined(TAPS),
        loading=_in_order(joined(LOADINGS), ids_of[LOADINGS], wanted=branches),
        status=joined(STATUS)[..., 0].astype(np.int64),
    )


def replay_trajectory(
    case: Case, trajectory: Trajectory, *, fleet: Fleet, steps: Sequence[int] | None = None
) -> Replayed:
    """Solve what a trajectory draws with OpenDSS.

    Args:
        case: Feeder, placement and settings.
        trajectory: With delivered device powers.
        fleet: Whose devices.
        steps: Which steps of every day, in this order; all if left out.

    Raises:
        ScenarioError: The trajectory is not one of the case's households.
    """
    p_kw, q_kvar = household_powers(trajectory, fleet=fleet, homes=case.homes())
    if steps is not None:
        p_kw, q_kvar = p_kw[:, list(steps)], q_kvar[:, list(steps)]
    return replay_in_opendss(case, p_kw=p_kw, q_kvar=q_kvar)


def _solve(grid: Grid, p_kw: Floats, q_kvar: Floats, *, step: int) -> dict[Port, Floats]:
    inbox = Inbox()
    inbox.put(POWERS_REAL.name, p_kw)
    inbox.put(POWERS_IMAG.name, q_kvar)
    return dict(grid.run_stage(Stage.SOLVE, step=step, repeat=0, inbox=inbox).outputs)


def _in_order(values: Floats, ids: Sequence[str], *, wanted: Sequence[str]) -> Floats:
    """Return columns in another order, NaN for those that are not there."""
    column = {name: number for number, name in enumerate(ids)}
    missing = np.full((*values.shape[:-1], 1), np.nan)
    padded = np.concatenate([values, missing], axis=-1)
    return padded[..., [column.get(name, -1) for name in wanted]]
