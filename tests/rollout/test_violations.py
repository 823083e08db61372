"""Violations: the right nodes, signs and scales; and how sure a share of days is."""

import math

import numpy as np
import pytest
import torch

from gradmap.baselines.no_control import NoControl
from gradmap.errors import FeederError
from gradmap.power_flow.branch_flows import branch_loading
from gradmap.violation_summary import PERIODS, Period, Share, violating_days
from gradmap.violations import Limits, limited_nodes, node_vm_pu, rated_branches, violations
from tests.devices.populations import fleet_of
from tests.power_flow import circuits
from tests.rollout.homes_on_feeder import rollout_of, some_days

LIMITS = Limits(v_min_pu=1.02, v_max_pu=1.03, loading_max=0.5, exclude_buses=("610",))


@pytest.fixture(scope="module")
def fleet():
    return fleet_of(10)


@pytest.fixture(scope="module")
def trajectory(fleet):
    with torch.no_grad():
        rollout = rollout_of(fleet, circuits.ieee123())
        return rollout.run(NoControl(fleet), some_days(fleet, scale=150.0))


def test_violations_are_scaled_distances_to_the_limits(fleet, trajectory):
    found = violations(trajectory, fleet=fleet, limits=LIMITS)
    feeder = trajectory.solution.flow.feeder
    vm_pu = node_vm_pu(trajectory)[..., limited_nodes(feeder, exclude_buses=("610",))]
    torch.testing.assert_close(found.voltage_low, 100.0 * (1.02 - vm_pu))
    torch.testing.assert_close(found.voltage_high, 100.0 * (vm_pu - 1.03))
    assert (found.voltage_low > 1.0).any()
    assert found.loading.shape[-1] == len(rated_branches(feeder))
    loading = branch_loading(trajectory.solution).reshape(2, 96, -1)
    largest = loading.amax(dim=-1) - 0.5
    torch.testing.assert_close(found.loading.amax(dim=-1), largest)
    low_kw, high_kw = fleet.action_range_kw()
    torch.testing.assert_close(found.device, trajectory.violation_kw / (high_kw - low_kw))
    without = violations(trajectory, fleet=fleet, limits=LIMITS, with_loading=False)
    assert without.loading.shape == (2, 96, 0)


def test_nodes_without_a_defined_voltage_have_no_limits():
    feeder = circuits.ieee123()
    names = np.array(feeder.nodes.node_ids)
    kept = names[limited_nodes(feeder, exclude_buses=("610",)).numpy()]
    assert not [name for name in kept if name.startswith("610.")]
    assert set(names) - set(kept) == {
        name
        for row, name in enumerate(names)
        if name.startswith("610.")
        or not feeder.nodes.grounded[row]
        or not feeder.nodes.energised[row]
    }
    with pytest.raises(FeederError, match="no bus 'nowhere' to exclude"):
        limited_nodes(feeder, exclude_buses=("Nowhere",))


def test_trajectories_without_power_flow_are_refused(fleet):
    with torch.no_grad():
        rollout = rollout_of(fleet, circuits.ieee123())
        unsolved = rollout.run(NoControl(fleet), some_days(fleet), power_flow=False)
    with pytest.raises(ValueError, match="Roll out with `power_flow=True`"):
        violations(unsolved, fleet=fleet, limits=LIMITS)


@pytest.mark.parametrize(
    ("k", "n", "bound"), [(0, 300, 0.00994), (3, 300, 0.0256), (4, 1000, 0.0091)]
)
def test_bounds_of_shares_are_the_published_ones(k, n, bound):
    assert Share(n_days=n, n_violating=k).upper_bound == pytest.approx(bound, abs=5e-5)


def test_bounds_have_their_defining_probability():
    k, n = 3, 50
    rate = Share(n_days=n, n_violating=k).upper_bound
    seen = sum(math.comb(n, i) * rate**i * (1 - rate) ** (n - i) for i in range(k + 1))
    assert seen == pytest.approx(0.05, rel=1e-9)
    assert Share(n_days=5, n_violating=5).upper_bound == 1.0


def three_days() -> tuple[torch.Tensor, torch.Tensor]:
    """A good day; one low in the evening; one high at midday at one of two nodes."""
    hour = torch.arange(24, dtype=torch.float64).expand(3, -1)
    vm_pu = torch.ones(3, 24, 2, dtype=torch.float64)
    vm_pu[1, 18, 0] = 0.93
    vm_pu[2, 12, 1] = 1.075
    vm_pu[2, 3, 1] = 1.05005
    return vm_pu, hour


def test_days_with_a_step_without_solution_violate_in_its_period():
    vm_pu, hour = three_days()
    vm_pu[0, 20] = math.nan
    solved = torch.ones(3, 24, dtype=torch.bool)
    solved[0, 20] = False
    ask = {"hour": hour, "limits": Limits(), "threshold_pu": 1e-4, "solved": solved}
    found = {
        name: violating_days(vm_pu, period=period, **ask).tolist()
        for name, period in PERIODS.items()
    }
    assert found == {
        "day": [True, True, True],
        "midday": [False, False, True],
        "evening": [True, True, False],
    }


def test_days_beyond_a_threshold_can_be_combined():
    vm_pu, hour = three_days()
    ask = {"hour": hour, "limits": Limits(), "threshold_pu": 0.01}
    midday = violating_days(vm_pu, period=Period(start_h=10.0, end_h=16.0), **ask)
    evening = violating_days(vm_pu, period=Period(start_h=16.0, end_h=22.0), **ask)
    assert midday.tolist() == [False, False, True]
    assert evening.tolist() == [False, True, False]
    assert not (midday & evening).any()
