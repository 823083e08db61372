"""Metrics of the grid: voltage, loading, losses, taps, head power. Definitions: `Summary`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.metrics.voltage_points import unbalance_percent, voltage_points
from scenarios.results import Block, Run

ENERGISED_PU = 0.1  # below, a node is not fed: floating or switched off [pu]
RANGE_B_PU = (110 / 120, 127 / 120)  # ANSI C84.1 Range B, service voltage, both limits [pu]

Values = dict[str, float | str]


def energised(v_pu: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the voltages with nodes that are not fed as not-a-number. [pu]."""
    return np.where(v_pu > ENERGISED_PU, v_pu, np.nan)


@dataclass
class Extreme:
    """The largest (sign = 1) or smallest (sign = -1) value so far, with its id and time."""

    sign: float
    value: float = math.nan
    name: str = ""
    time_s: float = math.nan

    def see(
        self,
        values: NDArray[np.float64],
        *,
        names: tuple[str, ...],
        time_s: NDArray[np.float64],
    ) -> None:
        """Take in values [time, id]; not-a-number is passed over."""
        signed = np.where(np.isnan(values), -np.inf, self.sign * values)
        if signed.size == 0:
            return
        row, column = np.unravel_index(int(signed.argmax()), signed.shape)
        best = float(signed[row, column])
        if best > -np.inf and not best <= self.sign * self.value:
            self.value = self.sign * best
            self.name = names[column]
            self.time_s = float(time_s[row])


def iso_time(run: Run, time_s: float) -> str:
    """Return a local time as ISO 8601 text, empty if there is none."""
    return "" if math.isnan(time_s) else run.local_time(time_s)[0].isoformat()


def recorded_steps(run: Run, controller: str) -> int:
    """Return the number of steps with a recorded power flow."""
    if not run.has(controller, "v_pu"):
        return 0
    return sum(len(block.time_s) for block in run.blocks(controller, "v_pu"))


def voltages(run: Run, controller: str) -> Values:
    """Return the voltage metrics, of nodes or of load connections (`voltage_points`)."""
    limits = run.scenario.limits
    lowest, highest, unbalance = Extreme(-1.0), Extreme(1.0), Extreme(1.0)
    below = above = outside_b = 0
    ever_fed = ever_outside = np.zeros(0, dtype=bool)
    points = voltage_points(run)
    if run.has(controller, points.quantity):
        for block in run.blocks(controller, points.quantity):
            columns = points.judged(block.ids)
            names = tuple(block.ids[i] for i in columns)
            v_pu = energised(block.values[:, columns])
            low, high = v_pu < limits.v_min_pu, v_pu > limits.v_max_pu
            below, above = below + int(low.sum()), above + int(high.sum())
            outside_b += int(((v_pu < RANGE_B_PU[0]) | (v_pu > RANGE_B_PU[1])).sum())
            if ever_fed.size == 0:
                ever_fed, ever_outside = np.zeros((2, len(columns)), dtype=bool)
            ever_fed = ever_fed | np.isfinite(v_pu).any(axis=0)
            ever_outside = ever_outside | (low | high).any(axis=0)
            lowest.see(v_pu, names=names, time_s=block.time_s)
            highest.see(v_pu, names=names, time_s=block.time_s)
            buses, percent = unbalance_percent(v_pu, names=names, three_phases=points.three_phases)
            unbalance.see(percent, names=buses, time_s=block.time_s)
    counted = bool(ever_fed.any())
    hours = run.dt_h if counted else math.nan
    return {
        "v_min_pu": lowest.value,
        "v_min_node": lowest.name,
        "v_min_time": iso_time(run, lowest.time_s),
        "v_max_pu": highest.value,
        "v_max_node": highest.name,
        "v_max_time": iso_time(run, highest.time_s),
        "node_hours_below": below * hours,
        "node_hours_above": above * hours,
        "node_hours_outside": (below + above) * hours,
        "nodes_ever_outside_fraction": (
            float(ever_outside.sum() / ever_fed.sum()) if counted else math.nan
        ),
        "node_hours_outside_range_b": outside_b * hours,
        "voltage_unbalance_max_percent": unbalance.value,
        "voltage_unbalance_bus": unbalance.name,
    }


def loading(run: Run, controller: str) -> Values:
    """Return the loading metrics."""
    highest = Extreme(1.0)
    over = 0
    if run.has(controller, "loading"):
        for block in run.blocks(controller, "loading"):
            highest.see(block.values, names=block.ids, time_s=block.time_s)
            over += int((block.values > run.scenario.limits.loading_max).sum())
    return {
        "max_loading_fraction": highest.value,
        "max_loading_branch": highest.name,
        "element_hours_overloaded": over * (run.dt_h if highest.name else math.nan),
    }


def losses(run: Run, controller: str, *, supplied_kwh: float) -> Values:
    """Return the losses; `supplied_kwh` is the energy that entered the feeder."""
    if not run.has(controller, "losses"):
        return {"losses_kwh": math.nan, "losses_percent": math.nan}
    lost_kwh = float(run.frame(controller, "losses")["p_kw"].sum()) * run.dt_h
    percent = 100 * lost_kwh / supplied_kwh if supplied_kwh > 0 else math.nan
    return {"losses_kwh": lost_kwh, "losses_percent": percent}


def taps(run: Run, controller: str) -> Values:
    """Return the tap operations; 0 on a feeder without regulators."""
    changes = 0.0
    last: NDArray[np.float64] | None = None
    if run.has(controller, "taps"):
        for block in run.blocks(controller, "taps"):
            positions = block.values if last is None else np.vstack([last, block.values])
            changes += float(np.nansum(np.abs(np.diff(positions, axis=0))))
            last = block.values[-1]
    return {"tap_operations": changes}


def head_total_kw(block: Block) -> NDArray[np.float64]:
    """Return the total active power into the feeder of head_power rows. [time] [kW]."""
    columns = [i for i, name in enumerate(block.ids) if name.startswith("p_kw")]
    return np.asarray(block.values[:, columns].sum(axis=1))


def head_power(run: Run, controller: str) -> Values:
    """Return the metrics of the total power at the feeder's head."""
    if not run.has(controller, "head_power"):
        nothing = ("min_kw", "reverse_flow_hours", "energy_import_kwh", "energy_export_kwh")
        missing: Values = dict.fromkeys(("peak_kw", *nothing, "load_factor"), math.nan)
        return {**missing, "peak_time": "", "min_time": ""}
    highest, lowest = Extreme(1.0), Extreme(-1.0)
    import_kwh = export_kwh = hours = reverse_hours = 0.0
    for block in run.blocks(controller, "head_power"):
        p_kw = head_total_kw(block)
        for extreme in (highest, lowest):
            extreme.see(p_kw[:, None], names=("head",), time_s=block.time_s)
        import_kwh += float(np.nansum(np.maximum(p_kw, 0))) * run.dt_h
        export_kwh += float(np.nansum(np.maximum(-p_kw, 0))) * run.dt_h
        reverse_hours += int((p_kw < 0).sum()) * run.dt_h
        hours += len(p_kw) * run.dt_h
    mean_kw = (import_kwh - export_kwh) / hours
    return {
        "peak_kw": highest.value,
        "peak_time": iso_time(run, highest.time_s),
        "min_kw": lowest.value,
        "min_time": iso_time(run, lowest.time_s),
        "reverse_flow_hours": reverse_hours,
        "energy_import_kwh": import_kwh,
        "energy_export_kwh": export_kwh,
        "load_factor": mean_kw / highest.value if highest.value > 0 else math.nan,
    }
