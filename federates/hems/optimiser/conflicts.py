"""Broken wishes as sentences: which wish, against what, with both numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from federates.hems.optimiser.evaluate import (
    ABOVE,
    BELOW,
    EXPORT,
    IMPORT,
    MISSING,
    TRIP,
    Broken,
    Evaluation,
)
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import Home, HotWater, Shiftable, Vehicle
from federates.hems.optimiser.physics import Store, building_store, tank_store
from federates.hems.optimiser.state import State, initial_state, start_mask, window_mask
from federates.hems.optimiser.weights import Weights

WORTH_SAYING = {"kWh": 0.01, "degC": 0.05, "kW": 0.01, "steps": 0.5}
"""Smaller misses are left unsaid."""
MINUTES_PER_HOUR = 60.0


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """One wish that a plan could not keep."""

    device: str
    """Name of the device; `import` or `export` for a grid limit."""
    text: str
    """One or two sentences for the householder, with both numbers."""
    wished: float
    """At the worst step. [kWh, degC, kW or runs, as in `text`]"""
    got: float
    """The same of the plan."""
    cost: float
    """What all misses of this wish cost in the objective. [cur]"""


def find_conflicts(
    home: Home, forecast: Forecast, result: Evaluation, *, state: State | None = None
) -> tuple[Conflict, ...]:
    """Return one conflict for each wish that a plan did not keep, the costliest first.

    Args:
        home: Devices and wishes.
        forecast: That of the plan.
        result: The plan's evaluation.
        state: Where the plan began; the devices' initial values if left out.
    """
    teller = _Teller(home, forecast, result, state=state or initial_state(home))
    departs = {(x.name, step) for x in home.vehicles for step, _ in x.departures}
    groups: dict[tuple[str, str, bool], list[Broken]] = defaultdict(list)
    for broken in result.broken:
        at_departure = (broken.device, broken.step) in departs
        groups[broken.device, broken.kind, at_departure].append(broken)
    found = [teller.tell(group) for group in groups.values()]
    told = [conflict for conflict in found if conflict is not None]
    return tuple(sorted(told, key=lambda conflict: -conflict.cost))


class _Teller:
    """Finds for one plan what stood against a wish."""

    def __init__(self, home: Home, forecast: Forecast, result: Evaluation, *, state: State) -> None:
        self._home, self._forecast, self._result = home, forecast, result
        self._state = state
        self._vehicles = {x.name: x for x in home.vehicles}
        self._heaters = {x.name: x for x in home.heaters}
        self._tanks = {x.name: x for x in home.tanks}
        self._appliances = {x.name: x for x in home.appliances}

    def tell(self, group: Sequence[Broken]) -> Conflict | None:
        """Return what a group of misses of the same wish is about, by its largest miss."""
        worst = max(group, key=lambda broken: abs(broken.wished - broken.got))
        if worst.device in (IMPORT, EXPORT):
            unit, text = "kW", self._grid(worst, group)
        elif worst.kind == MISSING:
            unit, text = "steps", self._runs(self._appliances[worst.device], worst)
        elif worst.device in self._vehicles:
            unit, text = "kWh", self._charge(self._vehicles[worst.device], worst, group)
        else:
            unit, text = "degC", self._temperature(worst, group)
        if abs(worst.wished - worst.got) < WORTH_SAYING[unit]:
            return None
        per = 1.0
        if worst.kind == MISSING:
            per = float(self._appliances[worst.device].duration)
        return Conflict(
            device=worst.device,
            text=text,
            wished=worst.wished / per,
            got=worst.got / per,
            cost=sum(broken.cost for broken in group),
        )

    def _grid(self, worst: Broken, group: Sequence[Broken]) -> str:
        when, hours = self._forecast.clock(worst.step), len(group) * self._forecast.dt_h
        base_kw = float(self._forecast.base_load_kw[worst.step])
        if worst.device == EXPORT:
            return (
                f"Export limit {worst.wished:.1f} kW: the home injects {worst.got:.1f} kW at "
                f"{when}, and more than the limit for {hours:.2g} h in all, because generation "
                f"that cannot be reduced exceeds what the home can use or store."
            )
        why = (
            f"the base load alone is {base_kw:.1f} kW"
            if base_kw > worst.wished
            else f"the base load of {base_kw:.1f} kW and what must run need more"
        )
        return (
            f"Import limit {worst.wished:.1f} kW: the home draws {worst.got:.1f} kW at {when}, and "
            f"more than the limit for {hours:.2g} h in all, because {why}."
        )

    def _runs(self, appliance: Shiftable, worst: Broken) -> str:
        minutes = MINUTES_PER_HOUR * self._forecast.dt_h
        done, wished = (x / appliance.duration for x in (worst.got, worst.wished))
        said = f"{appliance.name}: {done:.2g} of {wished:.2g} runs are done by {self._by(worst)}"
        window = window_mask(appliance, self._forecast.n_steps)
        longest = int(np.count_nonzero(window)) if appliance.interruptible else _longest(window)
        if longest < appliance.duration:
            return (
                f"{said}. A run takes {appliance.duration * minutes:.0f} min, but at most "
                f"{longest * minutes:.0f} min of its window are left in one piece."
            )
        needed, room = worst.wished * minutes, np.count_nonzero(window) * minutes
        if needed > room:
            return f"{said}. All runs take {needed:.0f} min, but its window has {room:.0f} min."
        if appliance.after is not None:
            return (
                f"{said}. It has to wait for {appliance.after}, which ends too late or not at all."
            )
        starts = start_mask(appliance, self._forecast.n_steps, running=0)
        return (
            f"{said}. Its window has {np.count_nonzero(starts)} possible starts, but other wishes "
            f"or the import limit of {self._home.import_limit_kw:.1f} kW count more."
        )

    def _by(self, worst: Broken) -> str:
        return self._forecast.clock(worst.step)

    def _charge(self, vehicle: Vehicle, worst: Broken, group: Sequence[Broken]) -> str:
        when = self._forecast.clock(worst.step + 1)
        if worst.kind == TRIP:
            return (
                f"{vehicle.name}: the trip that ends at {self._forecast.clock(worst.step)} takes "
                f"{worst.wished:.1f} kWh, but {worst.got:.1f} kWh were stored. The rest has to be "
                f"charged on the way, or more before leaving."
            )
        if worst.step not in {step for step, _ in vehicle.departures}:
            hours = len(group) * self._forecast.dt_h
            return (
                f"{vehicle.name}: the reserve of {worst.wished:.1f} kWh is missed for {hours:.2g} "
                f"h, with {worst.got:.1f} kWh at {when}, although it charges with up to "
                f"{vehicle.charger_kw:.1f} kW once plugged in."
            )
        said = (
            f"{vehicle.name}: {worst.wished:.1f} kWh are wished at {when}, "
            f"{worst.got:.1f} kWh are reached"
        )
        top_kwh = vehicle.soc_max * vehicle.capacity_kwh
        if worst.wished > top_kwh:
            return f"{said}. Its charge limit is {top_kwh:.1f} kWh."
        hours, possible_kwh, charged_kwh = self._charging(vehicle, worst.step)
        needed_kwh = charged_kwh + worst.wished - worst.got
        if needed_kwh > possible_kwh + WORTH_SAYING["kWh"]:
            return (
                f"{said}. That needs {needed_kwh:.1f} kWh more in the battery, but "
                f"{vehicle.charger_kw:.1f} kW for {hours:.2g} h plugged in charge at most "
                f"{possible_kwh:.1f} kWh."
            )
        return (
            f"{said}. The charger could do it ({possible_kwh:.1f} kWh until then), but the import "
            f"limit of {self._home.import_limit_kw:.1f} kW or dearer wishes stand against it."
        )

    def _charging(self, vehicle: Vehicle, step: int) -> tuple[float, float, float]:
        """Return since the last trip, or the start: hours plugged in, what could and did charge."""
        trips = np.flatnonzero(np.asarray(vehicle.trip_kwh)[: step + 1])
        past = slice(int(trips[-1]) if trips.size else 0, step + 1)
        dt_h = self._forecast.dt_h
        hours = dt_h * float(np.count_nonzero(vehicle.plugged_in[past]))
        p_kw = np.maximum(self._result.p_kw[vehicle.name][past], 0.0)
        charged_kwh = dt_h * vehicle.eta_charge * float(p_kw.sum())
        return hours, hours * vehicle.charger_kw * vehicle.eta_charge, charged_kwh

    def _temperature(self, worst: Broken, group: Sequence[Broken]) -> str:
        name, hours = worst.device, len(group) * self._forecast.dt_h
        side = "at least" if worst.kind == BELOW else "at most"
        said = (
            f"{name}: {side} {worst.wished:.1f} degC is wished, but it is {worst.got:.1f} degC at "
            f"{self._forecast.clock(worst.step + 1)}, and the wish is missed for {hours:.2g} h"
        )
        store, p_max_kw, start_c = self._thermal(name)
        if store.low[worst.step] > store.high[worst.step]:
            low, high = float(store.low[worst.step]), float(store.high[worst.step])
            return f"{said}. At least {low:.1f} and at most {high:.1f} degC contradict each other."
        if worst.kind == ABOVE:
            cold_c = _coast(store, start_c, worst.step, p_kw=0.0)
            if cold_c > worst.wished:
                return f"{said}. Without any heating it would still be {cold_c:.1f} degC."
            return f"{said}. Other wishes, such as heat needed soon after, count more."
        full_c = _coast(store, start_c, worst.step, p_kw=p_max_kw)
        outside = self._outside(name, worst.step)
        if full_c < worst.wished:
            return (
                f"{said}. With {p_max_kw:.1f} kW from the start on, it would reach {full_c:.1f} "
                f"degC{outside}."
            )
        limit_kw = self._home.import_limit_kw
        return (
            f"{said}. Its {p_max_kw:.1f} kW could do it, but the upper wish of "
            f"{float(store.high.min()):.1f} degC or the import limit of {limit_kw:.1f} kW stands "
            f"against it{outside}."
        )

    def _outside(self, name: str, step: int) -> str:
        if name not in self._heaters:
            return ""
        return f", at {float(self._forecast.temp_out_c[step]):.0f} degC outside"

    def _thermal(self, name: str) -> tuple[Store, float, float]:
        """Return a temperature's store, its heater's rating and where it began."""
        penalties = Weights().penalties(1.0)
        start_c = self._state.stored[name]
        if name in self._heaters:
            heater = self._heaters[name]
            store = building_store(heater, self._forecast, penalties=penalties)
            return store, heater.p_max_kw, start_c
        tank: HotWater = self._tanks[name]
        return tank_store(tank, self._forecast, penalties=penalties), tank.p_max_kw, start_c


def _coast(store: Store, start: float, step: int, *, p_kw: float) -> float:
    """Return the state at the end of a step under constant power."""
    value = start
    for past in range(step + 1):
        value = store.next_state(value, past, drawn_kw=p_kw, returned_kw=0.0)
    return value


def _longest(window: np.ndarray) -> int:
    """Return the length of the longest unbroken part of a window [steps]."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], window.astype(np.int8), [0]])))
    return int(max(np.diff(edges)[::2], default=0))
