"""The outer loop of GradMAP: look, step proximally, raise the multipliers; see docs/method.md.

    trainer = Trainer(rollout, settings=..., limits=..., pool=..., validation=..., cost_scale=...)
    for report in trainer.run():
        print(report.value, report.validation)
    trainer.best

Everything random is drawn from (seed, iteration), and `Progress` holds all that changes: training
goes on from a saved progress bit for bit as if it had never stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from gradmap.days import Days
from gradmap.errors import ScenarioError
from gradmap.policies.independent import Architecture, IndependentPolicies, PolicyController
from gradmap.rollout import Rollout
from gradmap.training.environment import ActionGradients, Environment, Look
from gradmap.training.lagrangian import NETWORK, Lagrangian
from gradmap.training.settings import TrainingSettings
from gradmap.training.surrogate import Surrogate, surrogate_gradients, updated_scale
from gradmap.training.validation import Validation, validate
from gradmap.violations import Limits

STD_SMALLEST: Final = 1e-3
MAX_UNSOLVED_SHARE: Final = 0.5
"""With more power flows unsolved there is nothing to learn from. [-]"""


@dataclass(kw_only=True, eq=False)
class Progress:
    """All that training changes; what a checkpoint holds."""

    iteration: int
    """How many are done."""
    policy: IndependentPolicies
    optimiser: torch.optim.Adam
    multipliers: dict[str, Tensor]
    scale: Tensor | None
    """Moving rms of every agent's gradients, [agent]."""
    log_std: Tensor | None
    """Of exploring actions, [agent]; None for deterministic policies."""
    best: dict[str, Tensor]
    """Parameters and normalisation of the best policy on the validation days so far."""
    best_validation: Validation | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one iteration did."""

    iteration: int
    """Counted from 1."""
    value: float
    """The Lagrangian of the batch, without its constant part."""
    cost: float
    """Mean controllable cost of the batch's days. [cur]"""
    violation: float
    """Mean over days of all network constraints' h, summed. [scaled]"""
    multiplier_sum: float
    multiplier_max: float
    n_epochs: int
    edge_share: float
    """Of the last epoch's samples, how many had used up the trust region. [-]"""
    n_unsolved: int
    validation: Validation | None
    """After this iteration, every `validate_every`."""


class Trainer:
    """Trains one bank of policies on one population and feeder."""

    def __init__(
        self,
        rollout: Rollout,
        *,
        settings: TrainingSettings,
        limits: Limits,
        pool: Days,
        validation: Days,
        cost_scale: float,
    ) -> None:
        """Prepare untrained policies.

        Args:
            rollout: Population, feeder and power flow; its dtype is the policies'.
            settings: How to train.
            limits: Of the network.
            pool: Training days, from which batches are drawn.
            validation: Days of the validation split, which select the policy.
            cost_scale: Nominal cost of a day of the whole fleet, > 0. [cur]

        Raises:
            ScenarioError: The cost scale is no positive number.
        """
        fleet = rollout.fleet
        if not 0.0 < cost_scale < float("inf"):
            raise ScenarioError(f"Training: cost scale is {cost_scale}, expected a number > 0.")
        dtype, device = fleet.initial_state().dtype, fleet.household_index.device
        self.settings, self.rollout = settings, rollout
        self._limits, self._cost_scale = limits, cost_scale
        self._pool = pool.to(device=device, dtype=dtype)
        self._validation = validation.to(device=device, dtype=dtype)
        lagrangian = Lagrangian(settings, fleet=fleet, limits=limits, cost_scale=cost_scale)
        self.environment = Environment(
            rollout, lagrangian, shards=settings.shards, closed_loop=settings.closed_loop
        )
        self.progress = self._begin()

    def run(self) -> Iterator[Report]:
        """Yield a report after every iteration until all are done; may be left at any time."""
        while self.progress.iteration < self.settings.iterations:
            yield self.step()

    @property
    def best(self) -> IndependentPolicies:
        """Return the best policy on the validation days, or the present one before any."""
        policy = self.progress.policy
        chosen = IndependentPolicies(
            policy.agent_ids,
            architecture=policy.architecture,
            center=policy.center,
            scale=policy.scale,
            generator=torch.Generator(),
        )
        chosen.load_state_dict(self.progress.best or policy.state_dict())
        return chosen.requires_grad_(False)

    def step(self) -> Report:
        """Do one iteration: look, step, raise the multipliers, perhaps validate."""
        progress, settings = self.progress, self.settings
        draw = self._generator(progress.iteration)
        share = progress.iteration / settings.iterations
        for group in progress.optimiser.param_groups:
            group["lr"] = settings.learning_rate * _falling(share, settings.learning_rate_end)
        numbers = torch.randperm(self._pool.n_days, generator=draw)[: settings.batch_days]
        days = self._pool.take(numbers.to(self._pool.hour.device))
        if settings.method == "backprop":
            look, n_epochs, edge_share = self._backprop(days), 1, 0.0
        else:
            look, n_epochs, edge_share = self._proximal(days, share=share, draw=draw)
        self._refuse_unsolved(look)
        lagrangian = self.environment.lagrangian
        progress.multipliers = lagrangian.ascended(
            progress.multipliers, look.constraint, n_days=look.n_days
        )
        progress.iteration += 1
        names = [name for name in NETWORK if name in look.constraint]
        network = [progress.multipliers[name] for name in names]
        return Report(
            iteration=progress.iteration,
            value=look.value,
            cost=look.cost,
            violation=sum(float(look.constraint[name].sum()) for name in names) / look.n_days,
            multiplier_sum=sum(float(value.sum()) for value in network),
            multiplier_max=max(float(value.max()) for value in network),
            n_epochs=n_epochs,
            edge_share=edge_share,
            n_unsolved=look.n_unsolved,
            validation=self._validated(),
        )

    def _backprop(self, days: Days) -> Look:
        progress = self.progress
        progress.optimiser.zero_grad(set_to_none=True)
        look = self.environment.parameter_gradients(
            progress.policy, days, multipliers=progress.multipliers
        )
        progress.optimiser.step()
        return look

    def _proximal(
        self, days: Days, *, share: float, draw: torch.Generator
    ) -> tuple[Look, int, float]:
        progress, settings = self.progress, self.settings
        std = noise = None
        if progress.log_std is not None:
            std = progress.log_std.detach().exp()
            shape = (days.n_days, days.n_steps, len(std))
            noise = torch.randn(shape, generator=draw, dtype=torch.float64).to(std)
        look = self.environment.action_gradients(
            progress.policy, days, multipliers=progress.multipliers, std=std, noise=noise
        )
        kept = look.kept
        if kept is None:
            raise RuntimeError("Training: the environment kept no gradients.")
        progress.scale = updated_scale(progress.scale, kept.gradient)
        radius = settings.trust_radius * _falling(share, settings.trust_radius_end)
        surrogate = Surrogate(trust_region=settings.trust_region, radius=radius)
        n_epochs, edge_share = 0, 0.0
        for samples in self._epochs(kept, draw=draw):
            edge_share = surrogate_gradients(
                progress.policy,
                kept,
                surrogate=surrogate,
                scale=progress.scale,
                samples=samples,
                log_std=progress.log_std,
            )
            if settings.trust_region != "none" and edge_share > settings.stop_share:
                break
            progress.optimiser.step()
            n_epochs += 1
        if progress.log_std is not None:
            with torch.no_grad():
                progress.log_std.clamp_(min=float(np.log(STD_SMALLEST)))
        return look, n_epochs, edge_share

    def _epochs(self, kept: ActionGradients, *, draw: torch.Generator) -> Iterator[Tensor | None]:
        """Yield the samples of each epoch; None are all."""
        n_all = len(kept.action)
        n_some = max(1, round(self.settings.sample_share * n_all))
        for _ in range(self.settings.epochs):
            if n_some >= n_all:
                yield None
            else:
                chosen = torch.randperm(n_all, generator=draw)[:n_some]
                yield chosen.to(kept.action.device)

    def _validated(self) -> Validation | None:
        """Validate when it is time, and keep the policy if it is the best so far."""
        progress = self.progress
        last = progress.iteration == self.settings.iterations
        if progress.iteration % self.settings.validate_every and not last:
            return None
        controller = PolicyController(progress.policy, fleet=self.rollout.fleet)
        found = validate(self.rollout, controller, self._validation, limits=self._limits)
        scale, before = self._cost_scale, progress.best_validation
        if before is None or found.score(cost_scale=scale) < before.score(cost_scale=scale):
            progress.best_validation = found
            progress.best = {
                name: value.detach().clone() for name, value in progress.policy.state_dict().items()
            }
        return found

    def _begin(self) -> Progress:
        settings, fleet = self.settings, self.rollout.fleet
        policy = IndependentPolicies.for_fleet(
            fleet,
            seed=settings.seed,
            architecture=Architecture(
                hidden=settings.hidden,
                clock_harmonics=settings.clock_harmonics,
                senses_voltage=self.rollout.observe_voltage,
            ),
            days=self._pool,
        )
        log_std, extra = None, []
        if settings.std_start > 0.0 and settings.method == "proximal":
            start = torch.full_like(fleet.initial_state(), settings.std_start)
            log_std = start.log().requires_grad_()
            extra = [log_std]
        return Progress(
            iteration=0,
            policy=policy,
            optimiser=torch.optim.Adam(
                [*policy.parameters(), *extra],
                lr=settings.learning_rate,
                betas=settings.betas,
                fused=True,
            ),
            multipliers={},
            scale=None,
            log_std=log_std,
            best={},
            best_validation=None,
        )

    def _generator(self, iteration: int) -> torch.Generator:
        """Return the randomness of one iteration."""
        words = np.random.SeedSequence([self.settings.seed, iteration]).generate_state(2)
        return torch.Generator().manual_seed(int(words[0]) << 31 ^ int(words[1]))

    def _refuse_unsolved(self, look: Look) -> None:
        n_flows = look.n_days * self._pool.n_steps
        if look.n_unsolved > MAX_UNSOLVED_SHARE * n_flows:
            raise ScenarioError(
                f"Training: {look.n_unsolved} of {n_flows} power flows have no solution in "
                f"iteration {self.progress.iteration + 1}; the feeder collapses under these "
                f"loads. Lower `population.base_load_scale`, `pv_kwp_mean` or the device sizes."
            )


def _falling(share: float, end: float) -> float:
    """Return 1 at share 0 and `end` at share 1, linear between."""
    return 1.0 + (end - 1.0) * share
