"""Rolling horizon: plan, act for some steps, look again, plan anew with the state reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from federates.hems.optimiser.checks import FloatArray, check_range
from federates.hems.optimiser.evaluate import Evaluation, evaluate
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import PV, Home
from federates.hems.optimiser.limits import TOLERANCE, power_limits_kw
from federates.hems.optimiser.physics import Store
from federates.hems.optimiser.planner import Scheduler
from federates.hems.optimiser.schedule import Schedule
from federates.hems.optimiser.state import State, all_stores, initial_state
from federates.hems.optimiser.weights import Weights

Forecaster = Callable[[int, int], Forecast]
"""Returns what is believed at a step about the next steps: (first step, how many)."""


@dataclass(frozen=True, kw_only=True)
class RollingSettings:
    """When to plan, and how far."""

    every: int = 4
    """Steps between plans."""
    horizon: int = 96
    """Steps that a plan covers; fewer near the end."""

    def __post_init__(self) -> None:
        """Refuse an interval that a plan does not cover."""
        check_range("Rolling settings", "every", self.every, low=1)
        check_range("Rolling settings", "horizon", self.horizon, low=self.every)


@dataclass(frozen=True, kw_only=True, eq=False)
class RollingResult:
    """What was done, and the plans behind it."""

    result: Evaluation
    """Of the powers as they were, at the actual prices, weather, load and sun."""
    plans: tuple[Schedule, ...]
    """One for each re-plan."""

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """Return why rules made a plan, once for each such plan."""
        return tuple(plan.source for plan in self.plans if not plan.optimised)


def home_window(home: Home, start: int, n_steps: int) -> Home:
    """Return the home as seen from step `start` for `n_steps` steps.

    Wishes before the window are dropped; those behind it, too, except that appliances may wait
    for it.
    """
    part = slice(start, start + n_steps)

    def inside(wishes: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
        shifted = ((step - start, value) for step, value in wishes)
        return tuple(wish for wish in shifted if 0 <= wish[0] < n_steps)

    return replace(
        home,
        vehicles=tuple(
            replace(
                x,
                plugged_in=x.plugged_in[part],
                trip_kwh=np.asarray(x.trip_kwh)[part],
                departures=inside(x.departures),
            )
            for x in home.vehicles
        ),
        heaters=tuple(
            replace(x, temp_min_c=x.temp_min_c[part], temp_max_c=x.temp_max_c[part])
            for x in home.heaters
        ),
        tanks=tuple(
            replace(x, draw_kwh=x.draw_kwh[part], ready=inside(x.ready)) for x in home.tanks
        ),
        appliances=tuple(
            replace(
                x,
                earliest=x.earliest - start,
                latest=x.latest - start,
                allowed=None if x.allowed is None else x.allowed[part],
            )
            for x in home.appliances
        ),
        generators=tuple(
            replace(x, allowed=None if x.allowed is None else x.allowed[part])
            for x in home.generators
        ),
    )


def run_rolling(
    home: Home,
    actual: Forecast,
    *,
    forecaster: Forecaster | None = None,
    scheduler: Scheduler | None = None,
    settings: RollingSettings | None = None,
    state: State | None = None,
) -> RollingResult:
    """Return what a home does that plans anew every few steps.

    Between plans the powers of the last plan are kept, except that solar modules deliver what there
    is unless the plan curtailed them, and that stores stop at their limits. What plan and reality
    differ by flows over the grid.

    Args:
        home: Devices and wishes, for all steps of `actual`.
        actual: What happens.
        forecaster: What is believed, see `Forecaster`; the truth if left out.
        scheduler: Plans; a new one if left out.
        settings: When to plan, and how far.
        state: Where it begins; the devices' initial values if left out.
    """
    home.check_steps(actual.n_steps)
    first = state = state or initial_state(home)
    settings, scheduler = settings or RollingSettings(), scheduler or Scheduler()
    forecaster = forecaster or actual.window
    done = {name: np.zeros(actual.n_steps) for name in home.names}
    plans = []
    for start in range(0, actual.n_steps, settings.every):
        n_plan = min(settings.horizon, actual.n_steps - start)
        n_act = min(settings.every, n_plan)
        believed = forecaster(start, n_plan)
        plan = scheduler.plan(home_window(home, start, n_plan), believed, state=state)
        plans.append(plan)
        asked = {name: p_kw[:n_act] for name, p_kw in plan.result.p_kw.items()}
        near, now = home_window(home, start, n_act), actual.window(start, n_act)
        p_kw, state = act(near, now, asked, believed=believed.window(0, n_act), state=state)
        for name, own in p_kw.items():
            done[name][start : start + n_act] = own
    result = evaluate(home, actual, done, state=first)
    return RollingResult(result=result, plans=tuple(plans))


def act(
    home: Home,
    actual: Forecast,
    p_kw: Mapping[str, FloatArray],
    *,
    believed: Forecast,
    state: State,
) -> tuple[dict[str, FloatArray], State]:
    """Return delivered powers and the state after a few steps.

    Args:
        home: Devices and wishes of these steps.
        actual: What happens in these steps.
        p_kw: What the plan asks of each device, load convention, [step]. [kW]
        believed: What the plan assumed, to tell curtailment from less sun.
        state: Before the first step.
    """
    limits = power_limits_kw(home, actual)
    penalties = Weights().penalties(actual.reference_price_per_kwh)  # no wish limits a power
    stores = all_stores(home, actual, state=state, penalties=penalties)
    given = {name: np.clip(p_kw[name], *limits[name]) for name in home.names if name != PV}
    if home.pv is not None:
        curtailed = -p_kw[PV] < believed.pv_available_kw - TOLERANCE
        available_kw = actual.pv_available_kw
        given[PV] = np.where(curtailed, np.maximum(p_kw[PV], -available_kw), -available_kw)
    stored = {}
    for name, store in stores.items():
        electric = name not in {x.name for x in home.thermal}
        given[name], stored[name] = _deliver(
            store, given[name], start=state.stored[name], within_limits=electric
        )
    return given, _after(home, given, state=state, stored=stored)


def _deliver(
    store: Store, p_kw: FloatArray, *, start: float, within_limits: bool
) -> tuple[FloatArray, float]:
    """Return the powers that a store takes and its last state."""
    given, value = p_kw.copy(), start
    for step in range(len(given)):
        at_rest = store.next_state(value, step, drawn_kw=0.0, returned_kw=0.0)
        if within_limits:
            at_rest = max(at_rest, 0.0)
            room_kw = max(float(store.high[step]) - at_rest, 0.0) / float(store.gain[step])
            least = float(store.low[step]) if np.isinf(store.below[step]) else 0.0
            stock = max(at_rest - least, 0.0)
            stock_kw = stock / store.loss if store.loss > 0.0 else 0.0
            given[step] = min(max(given[step], -stock_kw), room_kw)
        moved = max(given[step], 0.0) * float(store.gain[step])
        value = at_rest + moved - max(-given[step], 0.0) * store.loss
    return given, value


def _after(
    home: Home, p_kw: Mapping[str, FloatArray], *, state: State, stored: Mapping[str, float]
) -> State:
    """Return the state after some steps: stores, and what appliances have run."""
    done, running = dict(state.done_steps), {}
    for appliance in home.appliances:
        on = p_kw[appliance.name] > 0.5 * appliance.power_kw
        total = done.get(appliance.name, 0) + int(np.count_nonzero(on))
        done[appliance.name] = total
        begun = total % appliance.duration
        if begun and not appliance.interruptible:
            running[appliance.name] = appliance.duration - begun
    return State(stored=stored, done_steps=done, running=running)
