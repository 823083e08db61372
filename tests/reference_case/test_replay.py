"""The torch rollout and OpenDSS, through the grid federate, say the same of the same days."""

import dataclasses

import numpy as np
import pytest
import torch

from gradmap.errors import ScenarioError
from gradmap.violations import node_vm_pu
from scenarios.case import open_case
from scenarios.loading import find_scenario, load_scenario
from scenarios.replay import household_powers, replay_in_opendss


@pytest.fixture(scope="module")
def case():
    scenario = load_scenario(find_scenario("ieee123_1000_agents"))
    return open_case(scenario)


@pytest.fixture(scope="module")
def rolled(case):
    rollout = case.rollout()
    days = case.days.sample("validation", [3, 7])
    with torch.no_grad():
        trajectory = rollout.run(case.controller("rule_based", fleet=rollout.fleet), days)
    return rollout, trajectory


def _gap_pu(case, trajectory, replayed):
    known = case.feeder.nodes.grounded & case.feeder.nodes.energised
    return np.abs(replayed.vm_pu - node_vm_pu(trajectory).numpy())[..., known].max()


def test_voltages_agree_within_1e_6(case, rolled):
    rollout, trajectory = rolled
    p, q = household_powers(trajectory, fleet=rollout.fleet, homes=case.homes())
    replayed = replay_in_opendss(case, p_kw=p, q_kvar=q)
    assert (replayed.status == 0).all()
    assert _gap_pu(case, trajectory, replayed) <= 1e-6


@pytest.mark.parametrize("fault", ["sign", "place", "phase"])
def test_one_wrong_household_is_found(case, rolled, fault):
    rollout, trajectory = rolled
    p, q = household_powers(trajectory, fleet=rollout.fleet, homes=case.homes())
    table = case.population.households.copy()
    if fault == "sign":
        p[..., 41] *= -1.0
    elif fault == "place":
        p[..., [41, 600]] = p[..., [600, 41]]
        q[..., [41, 600]] = q[..., [600, 41]]
    else:
        ids = table["connection_id"].to_numpy(copy=True)
        ids[41] = next(name for name in ids if name.rsplit(".", 1)[0] != ids[41].rsplit(".", 1)[0])
        table["connection_id"] = ids
    population = dataclasses.replace(case.population, households=table)
    wrong = dataclasses.replace(case, population=population)
    replayed = replay_in_opendss(wrong, p_kw=p[:1], q_kvar=q[:1])
    known = case.feeder.nodes.grounded & case.feeder.nodes.energised
    gap = np.abs(replayed.vm_pu - node_vm_pu(trajectory).numpy()[:1])[..., known].max()
    assert gap > 2e-5


def test_powers_of_other_households_are_refused(case):
    with pytest.raises(ScenarioError, match="1000 households"):
        replay_in_opendss(case, p_kw=np.zeros((1, 2, 7)), q_kvar=np.zeros((1, 2, 7)))
