"""Proximal steps: what was learnt from one look at the environment is used several times.

With d = pi(o) - a, the change of a policy's output since the look, and g = G / rms_i the gradient
over the agent's own scale, every agent for itself minimises the mean over samples of

    quadratic    g d + d^2 / (2 radius)                          least at d = -radius g
    clip         max(g d, g clip(d, -radius, radius))            no gain beyond the radius
    none         g d

G is corrected for what all agents' steps together do to voltages (`network_response`), which is
nothing at d = 0. A harmful move is never clipped: there the gradient always pulls back. At d = 0
each has the gradient sum_s G_s dpi(o_s)/dtheta up to the agent's scale: over the whole kept set and
unscaled, that *is* backpropagation through time (a test says so).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gradmap.policies.independent import IndependentPolicies
from gradmap.training.action_gradients import ActionGradients
from gradmap.training.settings import TrustRegion
from gradmap.types import PerAgent

AGENTS_AT_ONCE = 50
"""Agents whose samples and networks fit a processor's cache together."""
RADIUS_CHANGES = (0.9, 1.1)
"""What an adaptive radius shrinks and grows by in an iteration. [-]"""
EDGE_SHARES = (0.1, 0.5)
"""With fewer samples at the edge it grows, with more it shrinks. [-]"""
RADIUS_RANGE = (0.1, 3.0)
"""Over the first radius. [-]"""
SCALE_DECAY = 0.9
SCALE_FLOOR = 0.01
"""Of the mean scale of all agents: who has next to no influence is not pushed about by noise."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Surrogate:
    """The surrogate's value is not needed, its gradient is."""

    trust_region: TrustRegion
    radius: float
    """[-]"""

    def slope(self, g: Tensor, d: Tensor) -> Tensor:
        """Return the derivative of the surrogate with respect to d.

        Args:
            g: Scaled gradients, any shape.
            d: Changes of outputs, same shape.
        """
        if self.trust_region == "quadratic":
            return g + d / self.radius
        if self.trust_region == "clip":
            # Beyond the radius on the useful side (g d < 0) nothing more is gained.
            return torch.where((g * d < 0.0) & (d.abs() >= self.radius), 0.0, g)
        return g

    def at_edge(self, g: Tensor, d: Tensor) -> Tensor:
        """Return which samples have used up their trust region."""
        if self.trust_region == "quadratic":
            # Past the minimum along d, or farther than the radius allows at all.
            return (g * d < 0.0) & (d.abs() >= self.radius * g.abs())
        return (g * d < 0.0) & (d.abs() >= self.radius)


def adapted_radius(radius: float, *, edge_share: float, first: float) -> float:
    """Return the next radius of an adaptive trust region.

    Args:
        radius: The present one. [-]
        edge_share: Of the last epoch's samples, how many had used up the trust region. [-]
        first: The first radius, whose multiples `RADIUS_RANGE` bound it. [-]
    """
    smaller, larger = RADIUS_CHANGES
    few, many = EDGE_SHARES
    factor = larger if edge_share < few else smaller if edge_share > many else 1.0
    low, high = RADIUS_RANGE
    return min(max(radius * factor, low * first), high * first)


def updated_scale(scale: PerAgent | None, square: PerAgent) -> PerAgent:
    """Return the moving root mean square of every agent's gradients, floored.

    Args:
        scale: Before, or None at first.
        square: Mean square of the new gradients.
    """
    if scale is not None:
        square = SCALE_DECAY * scale.square() + (1.0 - SCALE_DECAY) * square
    rms = square.sqrt()
    return torch.maximum(rms, SCALE_FLOOR * rms.mean()).clamp(min=torch.finfo(rms.dtype).tiny)


def surrogate_gradients(
    policy: IndependentPolicies,
    kept: ActionGradients,
    *,
    surrogate: Surrogate,
    scale: PerAgent,
    samples: Tensor | None = None,
    n_samples: int | None = None,
    log_std: Tensor | None = None,
) -> float:
    """Write the surrogate's gradient into the parameters' `grad`; return the share at the edge.

    Gradient and share are sums over `samples` divided by `n_samples`, so that those of parts add
    up.

    Agents in chunks: parameters, samples and activations of a chunk stay in the cache.

    Args:
        policy: Whose parameters; those that need no gradient are left alone.
        kept: From the last look.
        surrogate: Which.
        scale: What gradients are divided by, [agent].
        samples: Which of the kept samples, int64; all if left out.
        n_samples: How many are looked at in all processes; those here if left out.
        log_std: Logarithm of the exploring standard deviation, [agent], which gets a gradient too.
    """
    rows = slice(None) if samples is None else samples
    obs, action, gradient = kept.observation[rows], kept.action[rows], kept.gradient[rows]
    noise = None if kept.noise is None else kept.noise[rows]
    total = len(action) if n_samples is None else n_samples
    parameters = [p for p in policy.parameters() if p.requires_grad]
    for parameter in parameters:
        parameter.grad = torch.empty_like(parameter)
    evaluated = []
    for part in _parts(policy.n_agents):
        inputs, leaves = policy.inputs(obs[:, part], agents=part), policy.part(part)
        with torch.enable_grad():
            evaluated.append((part, leaves, policy.evaluate(inputs, leaves)))
    with torch.no_grad():
        spread = None
        change = torch.cat([output for _, _, output in evaluated]) - action.t()
        if log_std is not None and noise is not None:
            spread = log_std.exp()[:, None] * noise.t()
            change += spread
        if kept.network is not None:
            gradient = gradient + kept.network.added_gradient(change.t(), samples=samples)
        g = (gradient / scale).t()
        slope = surrogate.slope(g, change) / total
        n_edge = int(surrogate.at_edge(g, change).sum())
        if spread is not None and log_std is not None:
            log_std.grad = (slope * spread).sum(dim=1)  # dd/dlog(std) = std noise
    for part, leaves, output in evaluated:
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        found: Sequence[Tensor] = torch.autograd.grad(output, wanted, grad_outputs=slope[part])
        for parameter, piece in zip(parameters, found, strict=True):
            if parameter.grad is not None:
                parameter.grad[part] = piece
    return n_edge / (total * policy.n_agents)


def _parts(n_agents: int) -> list[slice]:
    firsts = range(0, n_agents, AGENTS_AT_ONCE)
    return [slice(first, min(first + AGENTS_AT_ONCE, n_agents)) for first in firsts]
