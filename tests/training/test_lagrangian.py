"""Multipliers: signs, statistics, and an exact optimum."""

import pytest
import torch

from gradmap.errors import ScenarioError
from gradmap.training.lagrangian import Lagrangian
from gradmap.training.settings import ConstraintSettings, TrainingSettings
from gradmap.violations import Limits
from tests.devices.populations import fleet_of
from tests.training.test_network_response import with_response


def lagrangian(**settings):
    return Lagrangian(
        TrainingSettings(**settings), fleet=fleet_of(2), limits=Limits(), cost_scale=1.0
    )


def test_multipliers_rise_with_violation_fall_with_slack_and_are_never_negative():
    weights = ConstraintSettings(rate=0.5, tolerance=0.1)
    judge = lagrangian(voltage=weights)
    before = {"voltage_low": torch.tensor([0.0, 0.01, 1.0])}
    sums = {"voltage_low": torch.tensor([0.0, 0.0, 6.0])}
    after = judge.ascended(before, sums, n_days=2)["voltage_low"]
    assert after.tolist() == pytest.approx([0.0, 0.0, 1.0 + 0.5 * (3.0 - 0.1)])


def test_first_multipliers_stand_at_their_start():
    judge = lagrangian(device=ConstraintSettings(start=0.2, rate=1.0))
    after = judge.ascended({}, {"device": torch.tensor([4.0])}, n_days=4)["device"]
    assert after.tolist() == pytest.approx([1.2])


def test_no_rate_is_a_penalty_method():
    judge = lagrangian(voltage=ConstraintSettings(start=0.3))
    after = judge.ascended({}, {"voltage_high": torch.tensor([9.0])}, n_days=1)
    assert after["voltage_high"].tolist() == pytest.approx([0.3])


def test_dual_ascent_finds_the_exact_primal_and_dual_optimum():
    """Minimise E[(x - w)^2] with C = E[x - limit] <= 0 (statistic: mean), w in {0, 4}.

    Lagrange: 2 (x - 2) + lambda = 0 and x = limit = 1, hence lambda = 2.
    """
    judge = lagrangian(voltage=ConstraintSettings(rate=0.2), statistic="mean")
    w, x = torch.tensor([0.0, 4.0], dtype=torch.float64), torch.tensor(3.0, dtype=torch.float64)
    multipliers = {"voltage_high": torch.zeros(1, dtype=torch.float64)}
    for _ in range(400):
        slope = 2.0 * (x - w).mean() + multipliers["voltage_high"][0]
        x = x - 0.2 * slope
        sums = {"voltage_high": (x - 1.0).expand(2).sum()[None]}
        multipliers = judge.ascended(multipliers, sums, n_days=2)
        assert multipliers["voltage_high"] >= 0.0
    assert float(x) == pytest.approx(1.0, abs=1e-9)
    assert multipliers["voltage_high"].item() == pytest.approx(2.0, abs=1e-8)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"iterations": 0}, "iterations"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"trust_region": "round"}, "trust_region"),
        ({"voltage.margin": -0.1}, "margin"),
        ({"margin_low": -0.1}, "margin_low"),
        ({"voltage": 3.0}, "voltage"),
        ({"nonsense": 1}, "nonsense"),
        ({"voltage.nonsense": 1}, "nonsense"),
        ({"epochs": 2.5}, "epochs"),
        ({"batch_days": 8000}, "pool_days"),
        ({"processes": 17}, "batch_days"),
        ({"betas": [0.8]}, "betas"),
        ({"betas": [0.8, "much"]}, "betas"),
        ({"hidden": ["a"]}, "hidden"),
        ({"hidden": [1.5]}, "hidden"),
        ({"hidden": [[16]]}, "hidden"),
        ({"hidden": [16, 0]}, "hidden"),
        ({"clock_harmonics": -1}, "clock_harmonics"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"learning_rate": float("inf")}, "learning_rate"),
        ({"trust_radius": float("inf")}, "trust_radius"),
    ],
)
def test_wrong_settings_are_named(changes, name):
    with pytest.raises(ScenarioError, match=name):
        TrainingSettings().updated(changes)


def test_the_largest_seed_is_one_that_torch_takes():
    largest = TrainingSettings(seed=2**64 - 1).seed
    assert torch.Generator().manual_seed(largest).initial_seed() == largest


def test_settings_change_by_dotted_names_and_have_a_key_of_their_own():
    settings = TrainingSettings()
    changed = settings.updated({"voltage.margin": 0.3, "hidden": [8, 8], "voltage": {"rate": 1}})
    assert changed.voltage.margin == 0.3
    assert changed.voltage.rate == 1.0
    assert changed.voltage.curvature == settings.voltage.curvature
    assert changed.hidden == (8, 8)
    assert changed.key != settings.key
    assert settings.updated({}).key == settings.key


def test_network_multipliers_ascend_as_slowly_as_they_weigh():
    judge = lagrangian(voltage=ConstraintSettings(rate=0.5, tolerance=0.1))
    sums = {"voltage_high": torch.tensor([0.3]), "device": torch.tensor([4.0])}
    whole = judge.ascended({}, sums, n_days=1)
    part = judge.ascended({}, sums, n_days=1, network_weight=0.1)
    assert part["voltage_high"].item() == pytest.approx(0.1 * whole["voltage_high"].item())
    assert part["device"].item() == whole["device"].item()


@pytest.mark.parametrize("with_loading", [False, True])
def test_loadings_are_limited_when_asked(with_loading):
    _, policy, days, environment, _ = with_response(with_loading=with_loading)
    look = environment.action_gradients(policy, days, multipliers={})
    assert ("loading" in look.constraint) is with_loading


def test_each_side_of_the_voltage_has_its_margin():
    _, policy, days, environment, _ = with_response(**{"voltage.margin": 0.0, "margin_low": 30.0})
    look = environment.action_gradients(policy, days, multipliers={})
    assert look.constraint["voltage_high"].min() == 0.0
    assert look.constraint["voltage_low"].min() > 20.0
