"""What the charts need from the recorded series, gathered a part at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scenarios.metrics.homes import columns_of
from scenarios.metrics.network import energised, head_total_kw
from scenarios.metrics.voltage_points import PHASES, VoltagePoints, phase_of, voltage_points
from scenarios.results import Run

WEEK_DAYS = 7
PERCENTILES = (10, 50, 90)
STATE_KINDS = ("battery", "heat_pump", "ev_charger")  # kinds whose state says more than their power


@dataclass(frozen=True, kw_only=True)
class VoltageData:
    """Voltages of one controller at the points that are judged: nodes, or load connections."""

    points: VoltagePoints
    ids: tuple[str, ...]  # of the points
    min_pu: NDArray[np.float64]  # lowest of the run [point]
    max_pu: NDArray[np.float64]  # highest of the run [point]
    worst_s: float  # step furthest outside (or nearest to) a limit, since the start [s]
    worst_pu: NDArray[np.float64]  # voltages of that step [point]
    time_s: NDArray[np.float64]  # [time]
    phase_pu: dict[str, NDArray[np.float64]]  # phase -> lowest, median, highest [time, 3]


@dataclass(frozen=True, kw_only=True)
class HeadData:
    """Total power into the feeder."""

    time_s: NDArray[np.float64]  # [time]
    p_kw: NDArray[np.float64]  # [time]


@dataclass(frozen=True, kw_only=True)
class DeviceData:
    """One kind of device on one day: percentiles 10, 50 and 90 over the devices."""

    time_s: NDArray[np.float64]  # [time]
    p_kw: NDArray[np.float64]  # [time, percentile]
    state: NDArray[np.float64] | None  # end of the step: soc or indoor temperature


@dataclass(frozen=True, kw_only=True)
class Window:
    """A stretch of the run, in seconds since its start."""

    start_s: float
    stop_s: float

    def holds(self, time_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether steps start inside. [time]."""
        return np.asarray((time_s >= self.start_s) & (time_s < self.stop_s))


def voltage_data(run: Run, controller: str) -> VoltageData | None:
    """Gather the voltages of a controller; None if none were recorded."""
    points = voltage_points(run)
    if not run.has(controller, points.quantity):
        return None
    limits = run.scenario.limits
    times: list[NDArray[np.float64]] = []
    bands: dict[str, list[NDArray[np.float64]]] = {phase: [] for phase in PHASES}
    low = high = worst_pu = np.empty(0)
    worst_s, worst_excess = 0.0, -np.inf
    ids: tuple[str, ...] = ()
    for block in run.blocks(controller, points.quantity):
        columns = points.judged(block.ids)
        ids = tuple(block.ids[i] for i in columns)
        v_pu = energised(block.values[:, columns])
        block_low, block_high = np.fmin.reduce(v_pu, axis=0), np.fmax.reduce(v_pu, axis=0)
        low = block_low if low.size == 0 else np.fmin(low, block_low)
        high = block_high if high.size == 0 else np.fmax(high, block_high)
        excess = np.fmax.reduce(np.fmax(limits.v_min_pu - v_pu, v_pu - limits.v_max_pu), axis=1)
        row = int(np.where(np.isnan(excess), -np.inf, excess).argmax())
        if worst_pu.size == 0 or excess[row] > worst_excess:
            worst_s, worst_excess, worst_pu = float(block.time_s[row]), excess[row], v_pu[row]
        times.append(block.time_s)
        phases = np.array([phase_of(point) for point in ids])
        for phase in PHASES:
            bands[phase].append(_low_median_high(v_pu[:, phases == phase]))
    return VoltageData(
        points=points,
        ids=ids,
        min_pu=low,
        max_pu=high,
        worst_s=worst_s,
        worst_pu=worst_pu,
        time_s=np.concatenate(times),
        phase_pu={phase: np.concatenate(rows) for phase, rows in bands.items()},
    )


def head_data(run: Run, controller: str) -> HeadData | None:
    """Gather the total head power of a controller; None if it was not recorded."""
    if not run.has(controller, "head_power"):
        return None
    blocks = [(b.time_s, head_total_kw(b)) for b in run.blocks(controller, "head_power")]
    return HeadData(
        time_s=np.concatenate([time_s for time_s, _ in blocks]),
        p_kw=np.concatenate([p_kw for _, p_kw in blocks]),
    )


def device_data(run: Run, controller: str, *, kind: str, day: Window) -> DeviceData | None:
    """Gather percentiles over all devices of a kind on one day; None if nothing was recorded."""
    agents = run.devices[kind].index
    read: dict[str, list[NDArray[np.float64]]] = {"agent_p_kw": [], "state": []}
    times: list[NDArray[np.float64]] = []
    for quantity, rows in read.items():
        if not run.has(controller, quantity):
            continue
        for block in run.blocks(controller, quantity, start_s=day.start_s, stop_s=day.stop_s):
            values = block.values[:, columns_of(block, agents)]
            rows.append(percentiles_over_ids(values, PERCENTILES))
            if quantity == "agent_p_kw":
                times.append(block.time_s)
    if not times:
        return None
    with_state = kind in STATE_KINDS and bool(read["state"])
    return DeviceData(
        time_s=np.concatenate(times),
        p_kw=np.concatenate(read["agent_p_kw"]),
        state=np.concatenate(read["state"]) if with_state else None,
    )


def worst_loadings(
    run: Run, controller: str
) -> tuple[tuple[str, ...], NDArray[np.float64], NDArray[np.float64]]:
    """Return branches, their highest loading [fraction] and hours above the limit [h]."""
    ids: tuple[str, ...] = ()
    highest = over = np.empty(0)
    if run.has(controller, "loading"):
        for block in run.blocks(controller, "loading"):
            ids = block.ids
            top = np.fmax.reduce(block.values, axis=0)
            count = (block.values > run.scenario.limits.loading_max).sum(axis=0)
            highest = top if highest.size == 0 else np.fmax(highest, top)
            over = count if over.size == 0 else over + count
    return ids, highest, over * run.dt_h


def focus_windows(run: Run, *, worst_s: float) -> tuple[Window, Window]:
    """Return the period that time charts show, and the day that device charts show.

    Runs of up to a week are shown whole; of longer ones the week around the worst step.
    """
    end_s = float(run.scenario.time.n_steps * run.scenario.time.dt_s)
    worst = run.local_time(worst_s)[0]
    day = Window(
        start_s=max(_midnight_s(run, worst, days=0), 0.0),
        stop_s=min(_midnight_s(run, worst, days=1), end_s),
    )
    if run.scenario.time.days <= WEEK_DAYS:
        return Window(start_s=0.0, stop_s=end_s), day
    before = WEEK_DAYS // 2
    start_s = max(_midnight_s(run, worst, days=-before), 0.0)
    stop_s = min(_midnight_s(run, worst, days=WEEK_DAYS - before), end_s)
    return Window(start_s=start_s, stop_s=stop_s), day


def _midnight_s(run: Run, moment: pd.Timestamp, *, days: int) -> float:
    """Return the local midnight some days after that of a moment, since the start. [s]."""
    date = pd.Timestamp(moment.date()) + pd.Timedelta(days=days)
    midnight = date.tz_localize(moment.tz, ambiguous=True, nonexistent="shift_forward")
    return float((midnight - run.local_time(0.0)[0]).total_seconds())


def _low_median_high(v_pu: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return lowest, median and highest of each step, missing where nothing is energised."""
    if v_pu.shape[1] == 0:
        return np.full((len(v_pu), 3), np.nan)
    return percentiles_over_ids(v_pu, (0, 50, 100))


def percentiles_over_ids(
    values: NDArray[np.float64], percentiles: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return percentiles over ids [time, percentile]; a step without values is missing.

    Interpolates linearly, as numpy.nanpercentile, which sorts row by row and takes minutes a year.
    """
    ordered = np.sort(values, axis=1)  # missing values last
    last = np.isfinite(values).sum(axis=1, keepdims=True) - 1
    rank = np.maximum(last, 0) * (np.array(percentiles) / 100)
    below = np.floor(rank).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(last, 0))
    low = np.take_along_axis(ordered, below, axis=1)
    high = np.take_along_axis(ordered, above, axis=1)
    return np.asarray(low + (rank - below) * (high - low))
