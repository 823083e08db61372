"""The trainer on a problem whose primal and dual optimum are known in closed form.

Three generators, two steps, one constraint a step: together they feed in at most `MOST_KW`. Real
are the trainer with its proximal steps, the Lagrangian and its dual ascent, policies, devices and
costs; only the violation is the toy's, in place of a power flow's.

With generation x = -p_kw, import price c_t, fuel a_i x + b_i x^2 and step h, an agent's cost of a
step is h (b_i x^2 - (c_t - a_i) x). The constraint of a step, with g = sum_i x_i - MOST_KW, is
E[max(g, 0)] <= tolerance (statistic `hinge`, margin 0) or E[g] <= tolerance (`mean`); there is one
day. Where it binds, g = tolerance in both, and the curvature's slope adds to the multiplier's:

    x_i = (c_t - a_i - mu c0 / h) / (2 b_i)        mu = multiplier + curvature tolerance
    sum_i x_i = MOST_KW + tolerance                gives mu

and where it does not bind, mu = 0 = multiplier.
"""

from dataclasses import replace

import pytest
import torch

from gradmap.devices.fleet import Fleet
from gradmap.power_flow.solver import PowerFlow
from gradmap.rollout import Rollout
from gradmap.training.environment import Environment
from gradmap.training.lagrangian import Lagrangian
from gradmap.training.settings import ConstraintSettings, TrainingSettings
from gradmap.training.trainer import Trainer
from gradmap.violations import Limits
from tests.devices.populations import DT_H, device_tables, household_ids
from tests.power_flow import circuits
from tests.rollout.homes_on_feeder import homes_of, some_days

PRICE = torch.tensor([[0.15], [0.08]], dtype=torch.float64)
"""c_t: in the first step the limit binds, in the second it does not. [cur/kWh]"""
LINEAR = torch.tensor([0.05, 0.06, 0.07], dtype=torch.float64)
"""a_i. [cur/kWh]"""
QUADRATIC = torch.tensor([0.020, 0.025, 0.030], dtype=torch.float64)
"""b_i. [cur/(kW2 h)]"""
MOST_KW = 3.0
COST_SCALE = 0.025
"""c0. [cur]"""
LIMIT = ConstraintSettings(margin=0.0, tolerance=0.05, rate=1.0, curvature=4.0, start=0.1)
N_ITERATIONS = 400


class WithoutGrid(Rollout):
    """Homes that no power flow joins."""

    def run(self, controller, days, **options):
        return super().run(controller, days, **options, power_flow=False)


class FedInAtMost(Lagrangian):
    """Limits what all agents feed in, as if it were a voltage."""

    def _violated(self, trajectory):
        return {"voltage_high": -trajectory.p_kw.sum(dim=-1, keepdim=True) - MOST_KW}


def toy_trainer(statistic: str) -> Trainer:
    """One day of two steps, looked at as a whole in every iteration."""
    table = device_tables(3, kinds=("generator",))["generator"].assign(
        p_max_kw=4.0,
        p_min_fraction=0.0,
        fuel_per_kwh=LINEAR.numpy(),
        fuel_quadratic_per_kw2h=QUADRATIC.numpy(),
    )
    fleet = Fleet.from_tables({"generator": table}, household_ids=household_ids(3))
    feeder = circuits.ieee123()
    rollout = WithoutGrid(
        fleet=fleet, homes=homes_of(fleet, feeder), flow=PowerFlow(feeder.with_households())
    )
    days = some_days(fleet, n_days=1, n_steps=2, scale=10.0)  # loads exceed what is generated
    days = replace(days, price_import_per_kwh=PRICE.T)
    settings = TrainingSettings(
        statistic=statistic,
        voltage=LIMIT,
        iterations=N_ITERATIONS + 1,  # the last one would validate, for which there is no grid
        validate_every=2 * N_ITERATIONS,
        batch_days=1,
        pool_days=1,
        processes=1,
        sample_share=1.0,
        learning_rate=0.01,
        learning_rate_end=0.005,
        trust_radius=0.1,
        trust_radius_end=0.005,
        network_response=False,
        network_weight_start=1.0,
        average_decay=0.0,
        senses_voltage=False,
    )
    shared = {"settings": settings, "limits": Limits(), "cost_scale": COST_SCALE}
    trainer = Trainer(rollout, pool=days, validation=days, **shared)
    trainer.environment = Environment(rollout, FedInAtMost(fleet=fleet, **shared))
    return trainer


def optimum() -> tuple[torch.Tensor, torch.Tensor]:
    """Powers [step, agent] [kW] and multipliers [step] in closed form."""
    gain, steepness = PRICE - LINEAR, 2.0 * QUADRATIC
    per_mu = COST_SCALE / DT_H
    excess_kw = (gain / steepness).sum(dim=1) - (MOST_KW + LIMIT.tolerance)
    mu = torch.relu(excess_kw) / (per_mu / steepness).sum()
    generated_kw = (gain - per_mu * mu[:, None]) / steepness
    return -generated_kw, torch.relu(mu - LIMIT.curvature * LIMIT.tolerance)


@pytest.mark.parametrize("statistic", ["hinge", "mean"])
def test_training_reaches_the_exact_primal_and_dual_optimum(statistic):
    """For the statistics `hinge` (E[max(g, 0)] <= 0.05) and `mean` (E[g] <= 0.05), see above.

    Within 2e-3 kW of powers up to 1.5 kW, and 1e-3 of multipliers 0.218 and 0.
    """
    trainer = toy_trainer(statistic)
    for _ in range(N_ITERATIONS):
        trainer.step()
    progress, fleet = trainer.progress, trainer.rollout.fleet
    multipliers = progress.multipliers["voltage_high"]
    look = trainer.environment.action_gradients(progress.policy, trainer.pool, multipliers={})
    p_kw, multiplier = optimum()
    assert multiplier.tolist() == pytest.approx([0.218, 0.0], abs=1e-3)
    found_kw = fleet.request_from_action(look.kept.action)
    torch.testing.assert_close(found_kw, p_kw, rtol=0, atol=2e-3)
    torch.testing.assert_close(multipliers.flatten(), multiplier, rtol=0, atol=1e-3)
