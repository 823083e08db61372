"""Columns and rows of appliances: starts of runs, what is left undone, and their order.

A run that may not pause is one binary for each possible start, rather than on/off in every step:
its power is then a sum of starts, and the relaxation is as tight as the balance allows.
"""

from __future__ import annotations

import numpy as np

from federates.hems.optimiser.assembly import Assembly, IndexArray
from federates.hems.optimiser.bus import CONSUMED, Bus, Flow
from federates.hems.optimiser.checks import BoolArray
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import Shiftable
from federates.hems.optimiser.state import State, missing_cost_per_step, start_mask, window_mask
from federates.hems.optimiser.weights import Penalties


def add_appliance(
    asm: Assembly,
    bus: Bus,
    appliance: Shiftable,
    *,
    state: State,
    forecast: Forecast,
    penalties: Penalties,
) -> IndexArray:
    """Add an appliance; return the columns of starts, or of on/off if it may pause, [step]."""
    n = bus.n_steps
    running = min(state.running.get(appliance.name, 0), n)
    owed = state.owed_steps(appliance) - state.running.get(appliance.name, 0)
    cost = missing_cost_per_step(appliance, forecast, penalties=penalties)
    if appliance.interruptible:
        length, wanted = 1, owed
        may = window_mask(appliance, n)
        may[:running] = False
    else:
        length, wanted = appliance.duration, owed // appliance.duration
        may = start_mask(appliance, n, running=running)
    wanted = max(wanted, 0)
    begin = asm.columns(n, high=may & (wanted > 0), integer=may & (wanted > 0))
    # Runs not done cost a wish; runs that may be done after the plan cost their energy.
    missing = asm.columns(1, cost=cost * length, high=wanted)
    row = asm.rows(1, low=wanted, high=wanted)
    asm.put(row, begin, 1.0)
    asm.put(row, missing, 1.0)
    step, column = _covered(begin, length)
    bus.flows.append(Flow(CONSUMED, step, column, appliance.power_kw))
    bus.drawn_max_kw += appliance.power_kw * may_run(may, length)
    if appliance.runs > 1 and length > 1:  # never two at once
        rows = asm.rows(n, low=-np.inf, high=1.0)
        asm.put(rows[step], column, 1.0)
    return begin


def _covered(begin: IndexArray, length: int) -> tuple[IndexArray, IndexArray]:
    """Return (step, column of the start) for every step that a run of each start covers."""
    n = len(begin)
    starts = np.arange(max(n - length + 1, 0))
    steps = starts[:, None] + np.arange(length)
    return steps.ravel(), np.repeat(begin[starts], length)


def may_run(may_begin: BoolArray, length: int) -> BoolArray:
    """Return the steps that some run may cover, [step]."""
    n = len(may_begin)
    count = np.concatenate([[0], np.cumsum(may_begin)])
    first = np.maximum(np.arange(n) - length + 1, 0)
    return np.asarray(count[np.arange(n) + 1] > count[first])


def add_precedence(
    asm: Assembly,
    *,
    later: tuple[Shiftable, IndexArray],
    earlier: tuple[Shiftable, IndexArray],
    state: State,
) -> None:
    """Let the k-th run of one appliance begin only after the k-th run of another has ended.

    Through a stock that ended runs fill and begun runs empty; in sums over time that is the
    tightest form: runs of `later` begun up to t <= runs of `earlier` ended before t.
    """
    after, begin = later
    before, other = earlier
    n = len(begin)
    ended = state.started_runs(before) - (np.arange(n) < state.running.get(before.name, 0))
    ready = ended - state.started_runs(after)
    stock = asm.columns(n)
    delta = np.diff(ready, prepend=0)
    rows = asm.rows(n, low=delta, high=delta)
    asm.put(rows, stock, 1.0)
    asm.put(rows[1:], stock[:-1], -1.0)
    asm.put(rows, begin, 1.0)
    asm.put(rows[before.duration :], other[: max(n - before.duration, 0)], -1.0)
