"""One iteration of the interior-point method: residuals, factors, directions, step lengths."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from gradmap.baselines.optimum.agent_systems import AgentSystems, Gradient
from gradmap.baselines.optimum.program import GROUPS, Arrays, Mask, Point, Program, dual_residuals
from gradmap.feeder import FloatArray

PROXIMAL = 1e-7
"""Curvature added to the controls of a step, around where it starts: keeps indifferent ones from
running away, and does not move the solution."""
STEP_SHARE = 0.95
"""Of the way to the nearest bound; longer steps end with products of very different size."""
LEAST_SHRINKING = 0.3
"""Largest target over the mean product, because centred directions allow long steps."""
CORRECTORS = 4
REACH = 0.2
"""By how much a corrector tries to lengthen both steps."""
SMALLEST, LARGEST = 0.1, 10.0
"""Products that a corrector leaves alone, over their target."""
Direction = tuple[Arrays, Arrays, Arrays]
"""Moves of slacks, multipliers, unknowns."""


class Newton:
    """One iteration: residuals at a point, factors, directions.

    Attributes:
        mu: Mean product of slacks and multipliers.
        residual: Largest residual of slacks and of the Lagrangian's derivatives.
    """

    def __init__(self, program: Program, point: Point) -> None:
        """Evaluate the point, which `advance` moves."""
        self.program, self.point = program, point
        weight = program.weight
        self.w = {name: point.z[name] / point.s[name] for name in GROUPS}
        values = program.slack_values(point)
        self.rp = {name: (values[name] - point.s[name]) * weight[name] for name in GROUPS}
        self.mu = self._mean_product(point.s, point.z)
        self.residual = max(self._dual_residual(), *(largest(r) for r in self.rp.values()))

    def _mean_product(self, s: dict[str, FloatArray], z: dict[str, FloatArray]) -> float:
        total = sum(float(np.vdot(s[name], z[name])) for name in GROUPS)
        return total / max(self.program.n_pairs, 1)

    def _dual_residual(self) -> float:
        """Return the largest derivative of the Lagrangian, the proximal term included."""
        plus, minus, *rest = dual_residuals(self.program, self.point)
        pull_plus, pull_minus = self.program.pull(self.point)
        weight = self.program.weight
        own = [plus + pull_plus * weight["plus_low"], minus + pull_minus * weight["minus_low"]]
        return max(largest(part) for part in [*own, *rest])

    def advance(self) -> None:
        """Factorise, predict, correct and move the point."""
        self._factorise()
        point, weight = self.point, self.program.weight
        ds, dz, _ = self._direction(0.0, None)
        alpha_s, alpha_z = _longest(point.s, ds), _longest(point.z, dz)
        ahead = self._mean_product(
            {name: point.s[name] + alpha_s * ds[name] for name in GROUPS},
            {name: point.z[name] + alpha_z * dz[name] for name in GROUPS},
        )
        target = min((ahead / self.mu) ** 3, LEAST_SHRINKING) * self.mu
        # The second-order term of the whole step would overshoot what a short one can use.
        used = alpha_s * alpha_z
        corrections = {name: used * ds[name] * dz[name] * weight[name] for name in GROUPS}
        ds, dz, moves = self._direction(target, corrections)
        ds, dz, moves = self._centred(target, corrections, (ds, dz, moves))
        share = STEP_SHARE
        alpha_s = min(1.0, share * _longest(point.s, ds))
        alpha_z = min(1.0, share * _longest(point.z, dz))
        for name in GROUPS:
            point.s[name] = point.s[name] + alpha_s * ds[name]
            point.z[name] = point.z[name] + alpha_z * dz[name]
        for name, move in moves.items():
            setattr(point, name, getattr(point, name) + alpha_s * move)

    def _centred(self, target: float, corrections: Arrays, direction: Direction) -> Direction:
        """Bend a direction towards products that are neither small nor large, for longer steps.

        Gondzio's multiple centrality correctors; each costs a fifth of a factorisation.
        """
        point, weight = self.point, self.program.weight
        ds, dz, _ = direction
        alpha_s, alpha_z = _longest(point.s, ds), _longest(point.z, dz)
        for _ in range(CORRECTORS):
            aim_s, aim_z = min(1.0, alpha_s + REACH), min(1.0, alpha_z + REACH)
            if alpha_s + alpha_z > 1.9:
                break
            trial = {}
            for name in GROUPS:
                product = (point.s[name] + aim_s * ds[name]) * (point.z[name] + aim_z * dz[name])
                wanted = np.clip(product, SMALLEST * target, LARGEST * target)
                missing = np.maximum(wanted - product, -LARGEST * target)
                trial[name] = corrections[name] - missing * weight[name]
            candidate = self._direction(target, trial)
            longer_s = _longest(point.s, candidate[0])
            longer_z = _longest(point.z, candidate[1])
            if longer_s + longer_z < alpha_s + alpha_z + 0.1 * REACH:
                break
            corrections, direction = trial, candidate
            ds, dz, _ = candidate
            alpha_s, alpha_z = longer_s, longer_z
        return direction

    def _factorise(self) -> None:
        program, model, w, mask = self.program, self.program.model, self.w, self.program.mask
        weak = PROXIMAL + program.proximal
        curvature = 2.0 * program.scale * model.quadratic + weak
        self._bill = w["bill"] + w["bill_net"] + ~mask["bill"]
        self._end = w["end"] + w["end_short"] + ~mask["end"]
        x = w["x_low"] + w["x_high"]
        x[-1] += w["end"] * w["end_short"] / self._end
        self._systems = AgentSystems(
            model,
            plus=_inverse(w["plus_low"] + w["plus_high"] + curvature, mask["plus_low"]),
            minus=_inverse(w["minus_low"] + w["minus_high"] + weak, mask["minus_low"]),
            net=w["bill"] * w["bill_net"] / self._bill,
            x=x,
        )
        self._factor = None
        if len(program.rows):
            schur = program.rows.schur(self._systems.responses(program.rows.steps))
            at = np.arange(len(schur))
            schur[at, at] += 1.0 / w["row"] + 1.0 / w["give"]
            self._factor = _factor(schur)

    def _direction(self, target: float, corrections: dict[str, FloatArray] | None) -> Direction:
        """Return the moves of slacks, multipliers and unknowns towards products `target`."""
        program, model, point, w = self.program, self.program.model, self.point, self.w
        rows, weight, scale = program.rows, program.weight, program.scale
        g = {}
        for name in GROUPS:
            product = target if corrections is None else target - corrections[name]
            g[name] = (product / point.s[name] - w[name] * self.rp[name]) * weight[name]
        bill = g["bill"] + g["bill_net"] - scale * model.kink
        end = g["end"] + g["end_short"] - scale * model.end_kink * weight["end"]
        into_x = g["x_low"] - g["x_high"]
        into_x[-1] += g["end_short"] - w["end_short"] * end / self._end - scale * model.end_price
        into_net = w["bill_net"] * bill / self._bill - g["bill_net"] - scale * model.price
        into_net -= rows.prices(model, point.z["row"])
        marginal = model.cost_plus + 2.0 * model.quadratic * point.plus
        pull_plus, pull_minus = program.pull(point)
        gradient = Gradient(
            plus=g["plus_low"] - g["plus_high"] - scale * marginal - pull_plus,
            minus=g["minus_low"] - g["minus_high"] - scale * model.cost_minus - pull_minus,
            net=into_net,
            x=into_x,
        )
        step = self._systems.solve(gradient)
        d_dual = np.zeros(len(rows))
        if self._factor is not None:
            yielding = (program.penalty - point.z["row"] - g["give"]) / w["give"]
            wanted = point.s["row"] - g["row"] / w["row"] - yielding
            d_dual = cho_solve(self._factor, rows.values(model, step.net) - wanted)
            into_net = into_net - rows.prices(model, d_dual)
            gradient = Gradient(
                plus=gradient.plus, minus=gradient.minus, net=into_net, x=gradient.x
            )
            step = self._systems.solve(gradient)
        give = (g["give"] - program.penalty + point.z["row"] + d_dual) / w["give"]
        moves = {
            "plus": step.plus,
            "minus": step.minus,
            "bill": (bill + w["bill_net"] * step.net) / self._bill * weight["bill"],
            "end": (end - w["end_short"] * step.x[-1]) / self._end * weight["end"],
            "give": give,
        }
        df = program.slack_moves(
            step,
            bill=moves["bill"],
            end=moves["end"],
            give=give,
            row=give - rows.values(model, step.net),
        )
        ds = {name: (df[name] * weight[name]) + self.rp[name] for name in GROUPS}
        dz = {
            name: (g[name] - point.z[name] - w[name] * df[name]) * weight[name] for name in GROUPS
        }
        dz["row"] = d_dual
        return ds, dz, moves


def _inverse(weights: FloatArray, free: Mask) -> FloatArray:
    """Return 1 / weights where a control is free, else 0."""
    return np.divide(1.0, weights, out=np.zeros_like(weights), where=free)


def largest(values: FloatArray) -> float:
    """Return the largest magnitude, 0 of nothing."""
    return float(np.abs(values).max()) if values.size else 0.0


def _longest(values: dict[str, FloatArray], moves: dict[str, FloatArray]) -> float:
    """Return the largest share of a move, at most 1, that keeps all values >= 0."""
    longest = 1.0
    for name, move in moves.items():
        if move.size:
            ratio = float(np.min(move / np.maximum(values[name], 1e-300)))
            if ratio < 0.0:
                longest = min(longest, -1.0 / ratio)
    return longest


def _factor(matrix: FloatArray) -> tuple[FloatArray, bool]:
    """Return the Cholesky factor, of a matrix slightly moved where rounding made it indefinite."""
    shift = 0.0
    size = float(np.trace(matrix)) / len(matrix)
    for _ in range(8):
        try:
            found: tuple[FloatArray, bool] = cho_factor(
                matrix + shift * np.eye(len(matrix)), lower=True
            )
            return found
        except LinAlgError:
            shift = max(10.0 * shift, 1e-14 * size)
    raise LinAlgError("the network's system is not positive definite")
