"""What a validation counts."""

import pytest
import torch

from gradmap.rollout import Rollout
from gradmap.training.validation import validate
from gradmap.violations import Limits, violations
from scenarios.case import open_case

EASY = Limits(v_min_pu=0.5, v_max_pu=1.5, loading_max=0.2)


@pytest.fixture(scope="module")
def left_alone(scenario):
    """A rollout, its controller, days, and their violations."""
    case = open_case(scenario)
    rollout: Rollout = case.rollout(dtype=torch.float64)
    controller = case.controller("no_control", fleet=rollout.fleet)
    days = case.days.sample("validation", range(3))
    with torch.no_grad():
        trajectory = rollout.run(controller, days)
    found = violations(trajectory, fleet=rollout.fleet, limits=EASY)
    return rollout, controller, days, found.loading.amax(dim=(1, 2))


def test_loadings_count_where_they_are_limited(left_alone):
    rollout, controller, days, over = left_alone
    found = validate(rollout, controller, days, limits=EASY, with_loading=True)
    assert over.max() > 0.01
    assert found.n_overloaded == (over > 0.01).sum()
    assert found.overload_max == pytest.approx(over.max().item())
    assert found.overload_mean == pytest.approx(over.relu().mean().item())
    assert found.n_outside == (over > 0.0).sum()
    assert found.days.n_violating == 0


def test_loadings_do_not_count_where_they_are_not(left_alone):
    rollout, controller, days, _ = left_alone
    found = validate(rollout, controller, days, limits=EASY)
    assert (found.n_overloaded, found.overload_max, found.n_outside) == (0, 0.0, 0)
