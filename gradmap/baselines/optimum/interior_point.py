"""A primal-dual interior-point method for a day's convex program, agents eliminated exactly.

Mehrotra's predictor-corrector method with Gondzio's correctors. In a step the unknowns of every
agent follow from scalar recursions (`agent_systems`), and what is left is one dense system in the
multipliers of the network rows, a few hundred. A thousand agents and 96 steps, 300,000 unknowns,
take about 0.1 s an iteration, and fuel costs stay quadratic.

References:
    Mehrotra, "On the implementation of a primal-dual interior point method", SIAM J. Optim. 2(4),
    1992. Gondzio, "Multiple centrality corrections in a primal-dual method for linear programming",
    Comput. Optim. Appl. 6, 1996. Wright, "Primal-Dual Interior-Point Methods", SIAM, 1997.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gradmap.baselines.optimum.newton import Newton
from gradmap.baselines.optimum.program import BOUNDS, Point, Program, lower_bound
from gradmap.feeder import FloatArray

INSIDE = 0.1
"""How far inside their bounds controls start, over the range."""
ROOM = 0.5
"""Slack of rows that are new to a start. [unit]"""
SOLVED = 1e-3
"""Relative gap, and largest residual, up to which a program counts as solved."""


@dataclass(frozen=True, kw_only=True)
class SolverLimits:
    """When to stop."""

    tolerance: float = 1e-8
    """Mean product of a slack and its multiplier, in prices and powers of order 1."""
    residual: float = 1e-5
    """Largest residual, in the same."""
    max_iterations: int = 80
    patience: int = 4
    """Iterations at the tolerance after which rounding is believed to hold the residual up."""
    keep_central: float = 0.1
    """The first iterate with a smaller mean product is kept as a start for other rows."""
    keep_below: float = 1e-4
    """The first iterate with a smaller mean product is kept for warm starts."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Optimum:
    """What the method found."""

    p_kw: FloatArray
    """[time, agent]."""
    plus: FloatArray
    minus: FloatArray
    cost: float
    """Of the program, with the network's penalty left out. [cur]"""
    bound: float
    """Lower bound of the program's value by weak duality. [cur]"""
    duals: FloatArray
    """Of the network rows, [row]. [cur per unit of a row]"""
    give: FloatArray
    """By how much rows are exceeded, [row]."""
    n_iterations: int
    residual: float
    complementarity: float
    solved: bool
    central: Point = field(repr=False)
    """Where a program with other rows may start."""
    warm: Point = field(repr=False)
    """Where a program that differs little may start."""


def solve(
    program: Program, *, limits: SolverLimits | None = None, start: Point | None = None
) -> Optimum:
    """Solve a program.

    Args:
        program: What to solve.
        limits: When to stop.
        start: A point kept from a similar program; left out, the middle of the bounds.
    """
    limits = limits or SolverLimits()
    point = _starting_point(program) if start is None else _restored(program, start)
    central: Point | None = None
    kept: Point | None = None
    mu = residual = np.inf
    n_tight = n_iterations = 0
    while n_iterations < limits.max_iterations:
        newton = Newton(program, point)
        mu, residual = newton.mu, newton.residual
        if central is None and mu < limits.keep_central:
            central = point.copy()
        if kept is None and mu < limits.keep_below:
            kept = point.copy()
        n_tight += mu < limits.tolerance
        if n_tight and (residual < limits.residual or n_tight > limits.patience):
            break
        newton.advance()
        n_iterations += 1
    cost, bound = program.penalised_cost(point), lower_bound(program, point)
    solved = cost - bound <= SOLVED * max(abs(cost), 1.0) and residual < SOLVED
    return Optimum(
        p_kw=point.plus - point.minus,
        plus=point.plus,
        minus=point.minus,
        cost=program.cost(point.plus, point.minus),
        bound=bound,
        duals=point.z["row"] / program.scale,
        give=point.give,
        n_iterations=n_iterations,
        residual=residual,
        complementarity=mu,
        solved=solved,
        central=central or point,
        warm=kept or point,
    )


def _starting_point(program: Program) -> Point:
    """Return the middle of the bounds with slacks and multipliers of order 1."""
    model, weight = program.model, program.weight
    plus, minus = _centred_controls(program)
    net = model.net_kw + plus - minus
    bill = (np.maximum(net, 0.0) + 0.1) * weight["bill"]
    x_end = model.states(plus, minus)[-1]
    end = (np.maximum(model.x_init - x_end, 0.0) + 0.1) * weight["end"]
    give = np.full(len(program.rows), 1.0 / program.penalty)
    point = Point(
        plus=plus, minus=minus, bill=bill, end=end, give=give, row_key=program.rows.key, s={}, z={}
    )
    for name, value in program.slack_values(point).items():
        mask = program.mask[name]
        least = 0.0 if name == "give" else 0.1
        point.s[name] = np.where(mask, np.maximum(value, least), 1.0)
        point.z[name] = np.where(mask, 1.0 / point.s[name], 0.0)
    point.z["row"] = np.minimum(point.z["row"], 0.5 * program.penalty)
    point.z["give"] = program.penalty - point.z["row"]
    return point


def _centred_controls(program: Program) -> tuple[FloatArray, FloatArray]:
    """Return controls inside their bounds that pull every state to the middle of its limits."""
    model, mask = program.model, program.mask
    middle = 0.5 * (model.x_min + model.x_max)
    plus, minus = program.plus_held.copy(), np.zeros_like(program.plus_held)
    x = model.x_init
    for t in range(model.n_steps):
        width = model.plus_max[t] - model.plus_min[t]
        low, high = model.plus_min[t] + INSIDE * width, model.plus_max[t] - INSIDE * width
        minus[t] = np.where(mask["minus_low"][t], 2.0 * INSIDE * model.minus_max[t], 0.0)
        still = model.decay * x + model.drift[t] - model.per_minus[t] * minus[t]
        gain = np.maximum(model.per_plus[t], 1e-12)
        wanted = np.where(model.has_state > 0.0, (middle[t] - still) / gain, 0.5 * (low + high))
        plus[t] = np.where(mask["plus_low"][t], np.clip(wanted, low, high), plus[t])
        x = still + model.per_plus[t] * plus[t]
    return plus, minus


def _restored(program: Program, start: Point) -> Point:
    """Return a kept point with the rows of another program."""
    point = start.copy()
    rows = program.rows
    position = {int(key): row for row, key in enumerate(start.row_key)}
    old = np.array([position.get(int(key), -1) for key in rows.key], dtype=np.int64)
    known = old >= 0
    mu = float(
        sum((start.s[name] * start.z[name]).sum() for name in BOUNDS)
        / max(sum(int(program.mask[name].sum()) for name in BOUNDS), 1)
    )
    point.give, point.row_key = np.zeros(len(rows)), rows.key
    values = program.slack_values(point)["row"]
    # New rows start kept, by yielding: a start outside many limits would block every step.
    give = np.maximum(ROOM - values, mu / program.penalty)
    slack = values + give
    dual = np.minimum(mu / slack, 0.5 * program.penalty)
    give[known], dual[known] = start.give[old[known]], start.z["row"][old[known]]
    slack[known] = start.s["row"][old[known]]
    point.give = give
    point.s["row"], point.z["row"] = slack, dual
    point.s["give"] = give.copy()
    point.z["give"] = np.maximum(program.penalty - dual, 1e-3 * program.penalty)
    for name, mask in program.mask.items():  # another program may hold what was free
        point.s[name] = np.where(mask, point.s[name], 1.0)
        point.z[name] = np.where(mask, point.z[name], 0.0)
    point.plus = np.where(program.mask["plus_low"], point.plus, program.plus_held)
    point.minus = point.minus * program.weight["minus_low"]
    return point
