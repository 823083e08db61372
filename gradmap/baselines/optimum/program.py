"""A day's convex program with its network rows: groups of slacks, derivatives, lower bound.

Slacks s >= 0 and their multipliers z >= 0 come in groups, each s = f(unknowns) with f affine:
bounds of both controls and of the state, the bill's positive part e >= 0, e >= net, the shortfall
of the last state r >= 0, r >= x_init - x, and the network rows, which yield at a price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradmap.baselines.optimum.agent_systems import Step
from gradmap.baselines.optimum.model import DayModel
from gradmap.baselines.optimum.rows import NetworkRows
from gradmap.feeder import FloatArray, IndexArray

BOUNDS = ("plus_low", "plus_high", "minus_low", "minus_high", "x_low", "x_high")
GROUPS = (*BOUNDS, "bill", "bill_net", "end", "end_short", "row", "give")
Arrays = dict[str, FloatArray]
Mask = NDArray[np.bool_]


@dataclass(kw_only=True, eq=False)
class Point:
    """An iterate."""

    plus: FloatArray
    minus: FloatArray
    bill: FloatArray
    """Positive part of the household's power, where the bill has a kink."""
    end: FloatArray
    """Shortfall of the last state, [agent]."""
    give: FloatArray
    """By how much rows yield, [row]."""
    row_key: IndexArray
    """`NetworkRows.key` of the rows it is for, [row]."""
    s: dict[str, FloatArray]
    z: dict[str, FloatArray]

    def copy(self) -> Point:
        """Return an independent copy."""
        return Point(
            plus=self.plus.copy(),
            minus=self.minus.copy(),
            bill=self.bill.copy(),
            end=self.end.copy(),
            give=self.give.copy(),
            row_key=self.row_key,
            s={name: value.copy() for name, value in self.s.items()},
            z={name: value.copy() for name, value in self.z.items()},
        )


class Program:
    """A day's program with its network rows."""

    def __init__(
        self,
        model: DayModel,
        rows: NetworkRows,
        *,
        penalty: float,
        plus_off: Mask | None = None,
        minus_off: Mask | None = None,
        centre: tuple[FloatArray, FloatArray] | None = None,
        proximal: float = 0.0,
    ) -> None:
        """Scale costs to order 1 and find what is free.

        Args:
            model: Agents.
            rows: Network limits.
            penalty: Price of exceeding a row by 1. [cur]
            plus_off: Where u+ is held at 0, [time, agent].
            minus_off: Where u- is held at 0.
            centre: Controls that leaving costs, u+ and u-, each [time, agent].
            proximal: Half of it is the price of the squared distance, in mean prices. [1/kW]
        """
        self.model, self.rows = model, rows
        self.scale = 1.0 / max(float(np.mean(np.abs(model.price))), 1e-12)
        self.penalty = penalty * self.scale
        self._centre, self.proximal = centre, 0.0 if centre is None else proximal
        nowhere: Mask = np.zeros(model.plus_max.shape, dtype=bool)
        plus_off = nowhere if plus_off is None else plus_off
        minus_off = nowhere if minus_off is None else minus_off
        plus_free: Mask = (model.plus_max > model.plus_min) & ~plus_off
        minus_free: Mask = (model.minus_max > 0.0) & ~minus_off
        self.plus_held = np.where(plus_free | plus_off, 0.0, model.plus_min)
        stateful = np.broadcast_to(model.has_state > 0.0, plus_free.shape)
        kinked = model.kink > 0.0
        short = model.end_kink > 0.0
        every_row = np.ones(len(rows), dtype=bool)
        self.mask: dict[str, Mask] = {
            "plus_low": plus_free,
            "plus_high": plus_free,
            "minus_low": minus_free,
            "minus_high": minus_free,
            "x_low": stateful,
            "x_high": stateful,
            "bill": kinked,
            "bill_net": kinked,
            "end": short,
            "end_short": short,
            "row": every_row,
            "give": every_row,
        }
        self.weight = {name: mask.astype(np.float64) for name, mask in self.mask.items()}
        self.n_pairs = int(sum(mask.sum() for mask in self.mask.values()))

    def pull(self, point: Point) -> tuple[FloatArray, FloatArray]:
        """Return the derivatives of the proximal term."""
        if self._centre is None:
            return np.zeros_like(point.plus), np.zeros_like(point.minus)
        plus, minus = self._centre
        return self.proximal * (point.plus - plus), self.proximal * (point.minus - minus)

    def slack_values(self, point: Point) -> dict[str, FloatArray]:
        """Return f of every group at a point; anything where a group does not apply."""
        model = self.model
        x = model.states(point.plus, point.minus)
        p = point.plus - point.minus
        return {
            "plus_low": point.plus - model.plus_min,
            "plus_high": model.plus_max - point.plus,
            "minus_low": point.minus,
            "minus_high": model.minus_max - point.minus,
            "x_low": x - model.x_min,
            "x_high": model.x_max - x,
            "bill": point.bill,
            "bill_net": point.bill - (model.net_kw + p),
            "end": point.end,
            "end_short": point.end - (model.x_init - x[-1]),
            "row": self.rows.limit - self.rows.values(model, p) + point.give,
            "give": point.give,
        }

    def slack_moves(
        self, step: Step, *, bill: FloatArray, end: FloatArray, give: FloatArray, row: FloatArray
    ) -> dict[str, FloatArray]:
        """Return how f of every group changes along a step."""
        return {
            "plus_low": step.plus,
            "plus_high": -step.plus,
            "minus_low": step.minus,
            "minus_high": -step.minus,
            "x_low": step.x,
            "x_high": -step.x,
            "bill": bill,
            "bill_net": bill - step.net,
            "end": end,
            "end_short": end + step.x[-1],
            "row": row,
            "give": give,
        }

    def cost(self, plus: FloatArray, minus: FloatArray) -> float:
        """Return the program's cost at controls, in currency."""
        model = self.model
        net = model.net_kw + plus - minus
        x_end = model.states(plus, minus)[-1]
        per_step = (
            model.price * net
            + model.kink * np.maximum(net, 0.0)
            + model.cost_plus * plus
            + model.cost_minus * minus
            + model.quadratic * plus**2
        )
        end = model.end_price * (x_end - model.x_init) + model.end_kink * np.maximum(
            model.x_init - x_end, 0.0
        )
        return float(per_step.sum() + (end * model.has_state).sum())

    def penalised_cost(self, point: Point) -> float:
        """Return cost and penalty at a point, in currency."""
        give = float(np.maximum(point.give, 0.0).sum())
        return self.cost(point.plus, point.minus) + self.penalty / self.scale * give


def dual_residuals(program: Program, point: Point) -> list[FloatArray]:
    """Return the derivative of the Lagrangian to both controls, the bill, the end and the give.

    Of the program itself: without a proximal term.
    """
    model, z, scale, weight = program.model, point.z, program.scale, program.weight
    net = scale * model.price + z["bill_net"] + program.rows.prices(model, z["row"])
    into_x = z["x_high"] - z["x_low"]
    into_x[-1] += scale * model.end_price - z["end_short"]
    into_x = into_x * model.has_state
    costate = np.empty_like(into_x)
    later = np.zeros(model.n_agents)
    for t in range(len(into_x) - 1, -1, -1):
        later = into_x[t] + model.decay * later
        costate[t] = later
    marginal = model.cost_plus + 2.0 * model.quadratic * point.plus
    plus = scale * marginal - z["plus_low"] + z["plus_high"] + model.per_plus * costate + net
    minus = scale * model.cost_minus - z["minus_low"] + z["minus_high"]
    minus = minus - model.per_minus * costate - net
    return [
        plus * weight["plus_low"],
        minus * weight["minus_low"],
        (scale * model.kink - z["bill"] - z["bill_net"]) * weight["bill"],
        (scale * model.end_kink - z["end"] - z["end_short"]) * weight["end"],
        program.penalty - z["row"] - z["give"],
    ]


def lower_bound(program: Program, point: Point) -> float:
    """Return a lower bound of the program's value, in currency, whatever the point.

    With multipliers z >= 0 the Lagrangian L(u) = cost(u) - z f(u) is convex and below the cost
    wherever the limits hold, so cost >= min L >= L(point) + min over bounds of L' (u - point).
    """
    model, weight, scale = program.model, program.weight, program.scale
    values = program.slack_values(point)
    product = sum(float((point.z[name] * values[name] * weight[name]).sum()) for name in GROUPS)
    net = model.net_kw + point.plus - point.minus
    short = model.x_init - model.states(point.plus, point.minus)[-1]
    # The epigraph variables stand for what they bound; their own derivatives are in `slope`.
    cost = scale * (program.cost(point.plus, point.minus))
    cost += scale * float((model.kink * (point.bill - np.maximum(net, 0.0))).sum())
    cost += scale * float(
        (model.end_kink * (point.end - np.maximum(short, 0.0)) * weight["end"]).sum()
    )
    cost += program.penalty * float(point.give.sum())
    plus, minus, bill, end, _ = dual_residuals(program, point)
    room = np.where(plus > 0.0, point.plus - model.plus_min, model.plus_max - point.plus)
    lost = float((np.abs(plus) * room).sum())
    room = np.where(minus > 0.0, point.minus, model.minus_max - point.minus)
    lost += float((np.abs(minus) * room).sum())
    largest = np.maximum(model.net_kw + model.plus_max, 0.0)
    lost += float((np.abs(bill) * np.maximum(point.bill, largest)).sum())
    largest = model.x_init - model.x_min.min(axis=0)
    lost += float((np.abs(end) * np.maximum(point.end, largest)).sum())
    return (cost - product - lost) / scale
