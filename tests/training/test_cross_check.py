"""OpenDSS's word on what is trained on."""

import pytest
import torch

from scenarios.case import open_case
from scenarios.loading import load_scenario
from scenarios.training.cross_check import cross_check
from tests.small_case import write_small_scenario
from tests.training.small import N_HOMES


@pytest.mark.parametrize("regulators", ["locked", "as_defined"])
def test_random_steps_agree_with_opendss_though_taps_have_a_history(tmp_path, regulators):
    path = write_small_scenario(tmp_path, n_homes=N_HOMES, regulators=regulators)
    case = open_case(load_scenario(path))
    rollout = case.rollout(dtype=torch.float64)
    assert rollout.control_regulators == (regulators == "as_defined")
    controller = case.controller("no_control", fleet=rollout.fleet)
    found = cross_check(case, rollout, controller, day=3, n_situations=8, seed=0)
    assert found.n_situations == 8
    assert found.max_pu < 1e-6
    assert found.passed
