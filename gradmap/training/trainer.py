"""The outer loop of GradMAP: look, step proximally, raise the multipliers; see docs/method.md.

    trainer = Trainer(rollout, settings=..., limits=..., pool=..., validation=..., cost_scale=...)
    for report in trainer.run():
        print(report.value, report.validation)
    trainer.best

Everything random is drawn from (seed, iteration), and `Progress` holds all that changes: training
goes on from a saved progress bit for bit as if it had never stopped.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import numpy as np
import torch

from gradmap.days import Days
from gradmap.errors import ScenarioError
from gradmap.policies.independent import IndependentPolicies, PolicyController
from gradmap.rollout import Rollout
from gradmap.training.batches import drawn_days
from gradmap.training.day_pool import Batch, DayPool, Draw, refuse_not_finite
from gradmap.training.environment import Environment, Look
from gradmap.training.fine_tuning import FineTuning
from gradmap.training.lagrangian import NETWORK, Lagrangian
from gradmap.training.network_response import Sensitivity, measured_sensitivity
from gradmap.training.peers import Alone, Peers
from gradmap.training.progress import Report, averaged, begin
from gradmap.training.proximal import Taken, backprop_step, proximal_steps
from gradmap.training.settings import TrainingSettings
from gradmap.training.surrogate import adapted_radius
from gradmap.training.validation import Validation, validate
from gradmap.violations import Limits

MAX_UNSOLVED_SHARE: Final = 0.5
"""With more power flows unsolved there is nothing to learn from. [-]"""


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
        draw: Draw | None = None,
        fine_tuning: FineTuning | None = None,
        peers: Peers | None = None,
    ) -> None:
        """Prepare policies.

        Args:
            rollout: Population, feeder and power flow; its dtype is the policies'.
            settings: How to train.
            limits: Of the network.
            pool: The first training days, which untrained policies normalise observations by.
            validation: Days of the validation split, which select the policy.
            cost_scale: Nominal cost of a day of the whole fleet, > 0. [cur]
            draw: Draws further training days, so that batches are of `settings.pool_days` days;
                None if they are of `pool` alone.
            fine_tuning: Policies to start from and which of them to train; None trains everybody
                from the beginning.
            peers: Processes that train together, each with a trainer made alike; nobody else by
                default.

        Raises:
            ScenarioError: The cost scale is no positive number, a series holds NaN or infinity, or
                the policies to start from are another fleet's.
        """
        fleet = rollout.fleet
        if not 0.0 < cost_scale < float("inf"):
            raise ScenarioError(f"Training: cost scale is {cost_scale}, expected a number > 0.")
        for split, days in (("training", pool), ("validation", validation)):
            refuse_not_finite(days, split=split)
        dtype, device = fleet.initial_state().dtype, fleet.household_index.device
        self.settings, self.rollout = settings, rollout
        self._limits = limits
        self.pool = pool.to(device=device, dtype=dtype)
        n_days = pool.n_days if draw is None else settings.pool_days
        self._days = DayPool(kept=self.pool, n_days=n_days, draw=draw)
        self._validation = validation.to(device=device, dtype=dtype)
        lagrangian = Lagrangian(settings, fleet=fleet, limits=limits, cost_scale=cost_scale)
        self._peers: Peers = Alone() if peers is None else peers
        self.environment = Environment(
            rollout,
            lagrangian,
            peers=self._peers,
            closed_loop=settings.closed_loop,
            sensitivity=self._sensitivity(limits),
        )
        self.progress = begin(
            fleet,
            settings=settings,
            senses_voltage=rollout.observe_voltage,
            pool=self.pool,
            n_days=n_days,
            fine_tuning=fine_tuning,
        )
        PolicyController(self.progress.policy, fleet=fleet)  # refuses another fleet's

    def run(self) -> Iterator[Report]:
        """Yield a report after every iteration until all are done; may be left at any time."""
        while self.progress.iteration < self.settings.iterations:
            yield self.step()

    @property
    def best(self) -> IndependentPolicies:
        """Return the best policy on the validation days, or the present one before any."""
        chosen = self.present
        if self.progress.best:
            chosen.load_state_dict(self.progress.best)
        return chosen

    @property
    def present(self) -> IndependentPolicies:
        """Return a copy of the policy as it would be used now: averaged, if iterates are."""
        learners = self.progress.learners
        return learners.in_place_of(self.progress.average or [*learners.networks.parameters()])

    def step(self) -> Report:
        """Do one iteration: look, step, raise the multipliers, perhaps validate."""
        began = time.perf_counter()
        progress, settings = self.progress, self.settings
        draw = self._generator(progress.iteration)
        radius = self._radius()
        share = progress.iteration / settings.iterations
        for group in progress.optimiser.param_groups:
            group["lr"] = settings.learning_rate * _falling(share, settings.learning_rate_end)
        numbers = drawn_days(
            progress.worst, size=settings.batch_days, hard_share=settings.hard_share, draw=draw
        )
        days = self._days.batch(numbers)
        weight = network_weight(settings, iteration=progress.iteration)
        taken = self._taken(days, weight=weight, radius=radius, draw=draw)
        look = taken.look
        self._refuse_unsolved(look)
        progress.worst[numbers] = look.worst.to(progress.worst)
        progress.learners.write_back()
        progress.average = averaged(progress, decay=settings.average_decay)
        progress.radius = adapted_radius(
            progress.radius, edge_share=taken.edge_share, first=settings.trust_radius
        )
        lagrangian = self.environment.lagrangian
        progress.multipliers = lagrangian.ascended(
            progress.multipliers,
            look.constraint,
            n_days=look.n_days,
            network_weight=weight,
        )
        progress.iteration += 1
        trained = time.perf_counter()
        validation = self._validated()
        ended = time.perf_counter()
        names = [name for name in NETWORK if name in look.constraint]
        network = [progress.multipliers[name] for name in names]
        return Report(
            iteration=progress.iteration,
            value=look.value,
            cost=look.cost,
            violation=sum(float(look.constraint[name].sum()) for name in names) / look.n_days,
            multiplier_sum=sum(float(value.sum()) for value in network),
            multiplier_max=max(float(value.max()) for value in network),
            n_epochs=taken.n_epochs,
            edge_share=taken.edge_share,
            radius=radius,
            n_unsolved=look.n_unsolved,
            validation=validation,
            seconds=ended - began,
            validation_s=ended - trained,
        )

    def _sensitivity(self, limits: Limits) -> Sensitivity | None:
        """Return what proximal steps foresee voltages by, if they do."""
        if self.settings.method != "proximal" or not self.settings.network_response:
            return None
        return measured_sensitivity(self.rollout, days=self.pool, limits=limits)

    def _radius(self) -> float:
        """Return the trust region's radius in the iteration to come."""
        progress, settings = self.progress, self.settings
        if settings.trust_adapt:
            return progress.radius
        share = progress.iteration / settings.iterations
        return settings.trust_radius * _falling(share, settings.trust_radius_end)

    def _taken(self, days: Batch, *, weight: float, radius: float, draw: torch.Generator) -> Taken:
        """Look at the environment, and step."""
        settings, progress = self.settings, self.progress
        if settings.method == "backprop":
            return backprop_step(self.environment, progress, days, network_weight=weight)
        return proximal_steps(
            self.environment,
            progress,
            days,
            settings=settings,
            peers=self._peers,
            network_weight=weight,
            radius=radius,
            draw=draw,
        )

    def _validated(self) -> Validation | None:
        """Validate when it is time, and keep the policy if it is the best so far."""
        progress = self.progress
        last = progress.iteration == self.settings.iterations
        if progress.iteration % self.settings.validate_every and not last:
            return None
        policy = self.present
        found = validate(
            self.rollout,
            PolicyController(policy, fleet=self.rollout.fleet),
            self._validation,
            limits=self._limits,
            with_loading=self.settings.with_loading,
            peers=self._peers,
        )
        share, before = self.settings.outside_share, progress.best_validation
        if (
            before is None
            or self._is_first_in_full()
            or found.score(outside_share=share) < before.score(outside_share=share)
        ):
            progress.best_validation, progress.best = found, policy.state_dict()
        return found

    def _is_first_in_full(self) -> bool:
        """Return whether this validation is the first since the network weighs in full.

        Policies from before it may be inside the limits by luck and cheaper than any that holds.
        """
        settings, iteration = self.settings, self.progress.iteration
        before = (iteration - 1) // settings.validate_every * settings.validate_every
        return (
            network_weight(settings, iteration=before)
            < network_weight(settings, iteration=iteration)
            == 1.0
        )

    def _generator(self, iteration: int) -> torch.Generator:
        """Return the randomness of one iteration."""
        words = np.random.SeedSequence([self.settings.seed, iteration]).generate_state(2)
        return torch.Generator().manual_seed(int(words[0]) << 31 ^ int(words[1]))

    def _refuse_unsolved(self, look: Look) -> None:
        n_flows = look.n_days * self.pool.n_steps
        if look.n_unsolved > MAX_UNSOLVED_SHARE * n_flows:
            raise ScenarioError(
                f"Training: {look.n_unsolved} of {n_flows} power flows have no solution in "
                f"iteration {self.progress.iteration + 1}; the feeder collapses under these "
                f"loads. Lower `population.base_load_scale`, `pv_kwp_mean` or the device sizes."
            )


def network_weight(settings: TrainingSettings, *, iteration: int) -> float:
    """Return the factor of the network's terms: it rises geometrically to 1, see the settings."""
    share = iteration / settings.iterations
    if share >= settings.network_weight_by:
        return 1.0
    return float(settings.network_weight_start ** (1.0 - share / settings.network_weight_by))


def _falling(share: float, end: float) -> float:
    """Return 1 at share 0 and `end` at share 1, linear between."""
    return 1.0 + (end - 1.0) * share
