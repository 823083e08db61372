"""What a home does under an energy manager that believes in another home.

Every two hours the manager reads the true state of charge and temperatures, plans with the home it
believes in, and sends powers. The true home follows as far as it can:

| device | true home |
|---|---|
| the manager knows and may control it | follows the plan within its own limits |
| the manager does not know it, or leaves it alone | goes by habit (`optimiser.rules.no_control`) |
| only the manager believes in it | nothing happens |
| machine | started by the plan, even outside its window; its programme takes what it takes |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from federates.hems.adapters.interview_home import PlannedHome
from federates.hems.optimiser.checks import FloatArray
from federates.hems.optimiser.evaluate import Evaluation, evaluate
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import PV, Home, Shiftable
from federates.hems.optimiser.planner import Scheduler
from federates.hems.optimiser.rolling import act, home_window
from federates.hems.optimiser.rules import no_control
from federates.hems.optimiser.state import State, initial_state, window_mask
from federates.hems.optimiser.weights import Weights

EVERY = 8
"""Steps between plans."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Executed:
    """What the true home did in the end."""

    result: Evaluation
    outside_h: float
    """How long machines ran outside the hours that their people want. [h]"""


def execute(
    true: PlannedHome,
    believed: PlannedHome,
    *,
    scheduler: Scheduler,
    weights: Weights | None = None,
) -> Executed:
    """Return what the true home does under plans for the believed one.

    Args:
        true: The home as it is, with what really happens.
        believed: The home as the manager has it, with what it expects.
        scheduler: Plans.
        weights: What the manager believes that broken wishes cost; the usual ones if left out.
    """
    home, actual = _any_time(true.home), true.forecast
    first = state = initial_state(home)
    done = {name: np.zeros(actual.n_steps) for name in home.names}
    for start in range(0, actual.n_steps, EVERY):
        left = actual.n_steps - start
        planned = scheduler.plan(
            home_window(believed.home, start, left),
            believed.forecast.window(start, left),
            state=_believed_state(home, believed.home, state),
            weights=weights,
        ).result.p_kw
        habits = no_control(
            home_window(true.home, start, left), actual.window(start, left), state=state
        )
        asked = _followed(home, believed.home, planned, habits=habits, state=state)
        n_act = min(EVERY, left)
        now = actual.window(start, n_act)
        p_kw, state = act(
            home_window(home, start, n_act),
            now,
            {name: kw[:n_act] for name, kw in asked.items()},
            believed=_expected_sun(now, believed, start=start),
            state=state,
        )
        for name, own in p_kw.items():
            done[name][start : start + n_act] = own
    result = evaluate(home, actual, done, state=first)
    return Executed(result=result, outside_h=_outside_h(true.home, done, dt_h=actual.dt_h))


def _any_time(home: Home) -> Home:
    """Return the home with machines that can be started at any time: windows are wishes."""
    free = tuple(replace(one, allowed=None, after=None) for one in home.appliances)
    return replace(home, appliances=free)


def _believed_state(home: Home, believed: Home, state: State) -> State:
    """Return the true state in the manager's units: meters tell percent and degrees."""
    stored = dict(initial_state(believed).stored)
    share = {x.name: state.stored[x.name] / x.capacity_kwh for x in home.electric}
    for device in believed.electric:
        if device.name in share:
            kwh = share[device.name] * device.capacity_kwh
            stored[device.name] = min(kwh, device.soc_max * device.capacity_kwh)
    for heat in believed.thermal:
        stored[heat.name] = state.stored.get(heat.name, stored[heat.name])
    done, running = {}, {}
    true_machines = {x.name: x for x in home.appliances}
    for machine in believed.appliances:
        own = true_machines.get(machine.name)
        if own is None:
            continue
        runs, partly = divmod(state.done_steps.get(machine.name, 0), own.duration)
        done[machine.name] = runs * machine.duration
        if partly:
            left = min(own.duration - partly, machine.duration)
            running[machine.name] = left
            done[machine.name] += machine.duration - left
    return State(stored=stored, done_steps=done, running=running)


def _followed(
    home: Home,
    believed: Home,
    planned: Mapping[str, FloatArray],
    *,
    habits: Mapping[str, FloatArray],
    state: State,
) -> dict[str, FloatArray]:
    """Return what each true device is asked to do: the plan if it is in there, else habits."""
    asked = {name: planned.get(name, habits[name]) for name in home.names}
    machines = {x.name: x for x in believed.appliances}
    for own in home.appliances:
        if own.name in machines:
            asked[own.name] = _started(own, machines[own.name], planned[own.name], state=state)
    if home.pv is not None and not home.pv.curtailable:
        asked[PV] = habits[PV]
    return asked


def _started(own: Shiftable, machine: Shiftable, p_kw: FloatArray, *, state: State) -> FloatArray:
    """Return the power of a machine that is started where the plan starts it."""
    on, n_steps = p_kw > 0.5 * machine.power_kw, len(p_kw)
    _, partly = divmod(state.done_steps.get(own.name, 0), own.duration)
    busy = own.duration - partly if partly else 0
    runs_left = own.runs - state.started_runs(own)
    found = np.zeros(n_steps)
    found[:busy] = own.power_kw
    step = min(machine.duration, busy) if busy else 0
    while step < n_steps:
        if not on[step] or runs_left <= 0:
            step += 1
            continue
        begin = max(step, busy)
        busy = begin + own.duration
        found[begin:busy] = own.power_kw
        runs_left -= 1
        step += machine.duration
    return found


def _expected_sun(now: Forecast, believed: PlannedHome, *, start: int) -> Forecast:
    """Return what tells curtailment from less sun: the manager's expectation, if it has one."""
    if believed.home.pv is None:
        return now
    expected = believed.forecast.window(start, now.n_steps)
    return replace(now, pv_available_kw=expected.pv_available_kw)


def _outside_h(home: Home, done: Mapping[str, FloatArray], *, dt_h: float) -> float:
    total = 0
    for machine in home.appliances:
        on = done[machine.name] > 0.5 * machine.power_kw
        total += int(np.count_nonzero(on & ~window_mask(machine, len(on))))
    return dt_h * total
