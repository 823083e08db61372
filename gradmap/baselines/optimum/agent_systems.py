"""The linear systems of an interior-point step, agent by agent, in time linear in the steps.

An agent's part of a Newton step is a linear-quadratic control problem with one state,

    min  sum_t  u' Q u / 2 - g_u u  +  D x^2 / 2 - g_x x        x[t+1] = a x[t] + b' u[t]

whose solution is a backward and a forward recursion of scalars (Riccati), without differences of
near-equal numbers however large or small the weights become. Its response to a price on power,
dp = -K dprice, is K = F - R S R with diagonal F, R and the semi-separable costate response S: one
diagonal and one ratio per step give all of it. The network's multipliers see the sum of K over the
agents of each connection.

References:
    Rao, Wright, Rawlings, "Application of interior-point methods to model predictive control",
    J. Optim. Theory Appl. 99(3), 1998: Riccati inside the step. Boyd, Vandenberghe, "Convex
    Optimization", Cambridge, 2004, Sec. 11.8.3: block elimination.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from gradmap.baselines.optimum.model import DayModel
from gradmap.feeder import FloatArray, IndexArray

TINY = 1e-300


@dataclass(frozen=True, kw_only=True, eq=False)
class Gradient:
    """Linear terms g of the step's problem, each [time, agent]."""

    plus: FloatArray
    minus: FloatArray
    net: FloatArray
    """Of the delivered power u+ - u-."""
    x: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """A solution of the step's problem, each [time, agent]."""

    plus: FloatArray
    minus: FloatArray
    x: FloatArray

    @property
    def net(self) -> FloatArray:
        """Return the change of power."""
        return self.plus - self.minus


class AgentSystems:
    """The systems of all agents for one set of weights."""

    def __init__(
        self,
        model: DayModel,
        *,
        plus: FloatArray,
        minus: FloatArray,
        net: FloatArray,
        x: FloatArray,
    ) -> None:
        """Eliminate.

        Args:
            model: Dynamics.
            plus: Inverse weights of u+, 0 where it is fixed, [time, agent].
            minus: Inverse weights of u-.
            net: Weights of u+ - u-.
            x: Weights D of the states.
        """
        self._model = model
        b_plus, b_minus = model.per_plus, model.per_minus
        self._rc, self._rd, self._beta_c, self._beta_d = plus, minus, b_plus, b_minus
        both = plus + minus
        self._shrink = 1.0 / (1.0 + net * both)
        self._couple = net * plus * minus
        self._f = both * self._shrink
        self._r = (plus * b_plus + minus * b_minus) * self._shrink
        lone = plus * b_plus**2 + minus * b_minus**2
        self._e = (lone + self._couple * (b_plus - b_minus) ** 2) * self._shrink
        self._d = x * model.has_state
        self._riccati()

    def _riccati(self) -> None:
        """Return curvature of the cost to go, before each step's control acts."""
        p, a2 = np.empty_like(self._d), self._model.decay**2
        p[-1] = self._d[-1]
        for t in range(len(p) - 2, -1, -1):
            p[t] = self._d[t] + a2 * p[t + 1] / (1.0 + p[t + 1] * self._e[t + 1])
        self._p = p
        self._pe = 1.0 / (1.0 + p * self._e)

    def _to_controls(
        self, plus: FloatArray, minus: FloatArray, net: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return inv(Q) (plus + net, minus - net), a sum of terms without cancellation."""
        common = self._couple * (plus + minus)
        return (
            self._shrink * (self._rc * (plus + net) + common),
            self._shrink * (self._rd * (minus - net) + common),
        )

    def solve(self, g: Gradient) -> Step:
        """Return the minimiser."""
        model = self._model
        a, has = model.decay, model.has_state
        u_plus, u_minus = self._to_controls(g.plus, g.minus, g.net)
        inflow = self._beta_c * u_plus - self._beta_d * u_minus
        gx = g.x * has
        pi, x = np.empty_like(gx), np.empty_like(gx)
        pi[-1] = -gx[-1]
        for t in range(len(pi) - 2, -1, -1):
            later = (self._p[t + 1] * inflow[t + 1] + pi[t + 1]) * self._pe[t + 1]
            pi[t] = a * later - gx[t]
        state = np.zeros(model.n_agents)
        for t in range(len(pi)):
            state = (a * state + inflow[t] - self._e[t] * pi[t]) * self._pe[t]
            x[t] = state
        y = self._p * x + pi
        u_plus, u_minus = self._to_controls(
            g.plus - self._beta_c * y, g.minus + self._beta_d * y, g.net
        )
        return Step(plus=u_plus, minus=u_minus, x=x)

    def responses(self, steps: IndexArray) -> FloatArray:
        """Return K summed over each connection's agents, [3, connection, step, step].

        The three are plain, weighted by kvar per kW, and by its square.

        Args:
            steps: Which steps, ascending.
        """
        model = self._model
        n_connections = int(model.connection.max()) + 1
        k = model.kvar_per_kw
        agent = np.arange(model.n_agents)
        columns = [model.connection + which * n_connections for which in range(3)]
        weights = [np.ones_like(k), k, k**2]
        collect = sparse.csr_matrix(
            (
                np.concatenate(weights),
                (np.tile(agent, 3), np.concatenate(columns)),
            ),
            shape=(model.n_agents, 3 * n_connections),
        )
        stateful = np.flatnonzero(model.has_state)
        own = collect[stateful]
        n = len(steps)
        found = np.zeros((n, n, 3 * n_connections))
        diagonal, ratio = self._costate_response(stateful)
        r = self._r[:, stateful]
        for column, s in enumerate(steps):
            # Along t >= s the response falls by the ratios.
            response = np.empty((len(r) - s, len(stateful)))
            response[0] = diagonal[s]
            np.cumprod(ratio[s:-1], axis=0, out=response[1:])
            response[1:] *= diagonal[s]
            later = steps[column:]
            rows = response[later - s] * r[later] * r[s]
            found[column, column:] = -(rows @ own)
            found[column + 1 :, column] = found[column, column + 1 :]
        found[np.arange(n), np.arange(n)] += self._f[steps] @ collect
        return np.ascontiguousarray(
            np.moveaxis(found.reshape(n, n, 3, n_connections), (2, 3), (0, 1))
        )

    def _costate_response(self, agents: IndexArray) -> tuple[FloatArray, FloatArray]:
        """Return S[t, t] and S[t+1, s] / S[t, s] for t >= s, each [time, agent]."""
        a, d = self._model.decay[agents], self._d[:, agents]
        e, p, pe = self._e[:, agents], self._p[:, agents], self._pe[:, agents]
        diagonal, ratio = np.empty_like(p), np.zeros_like(p)
        filtered = np.zeros_like(a)
        for t in range(len(p)):
            before = a**2 * filtered + e[t]
            diagonal[t] = p[t] / (1.0 + p[t] * before)
            filtered = before / (1.0 + d[t] * before)
        ratio[:-1] = a * p[1:] * pe[1:] / np.maximum(p[:-1], TINY)
        return diagonal, ratio
