"""A rollout is the federation's run, OpenDSS included, to the accuracy of the power flows."""

import dataclasses

import pytest
import torch

from federates import agents
from gradmap.baselines.no_control import NoControl
from gradmap.baselines.registry import make_controller
from gradmap.observations import INDEX
from gradmap.policies.checkpoint import Provenance, load_policy, save_policy
from gradmap.policies.independent import IndependentPolicies, PolicyController
from gradmap.power_flow.regulators import TapStatus
from gradmap.power_flow.solver import PowerFlow
from gradmap.rollout import Rollout

SAME_POWER = 1e-9
SAME_VOLTAGE_PU = 1e-6


def rollout_of(recorded, **settings):
    flow = PowerFlow(recorded.feeder.with_households())
    return Rollout(fleet=recorded.fleet, homes=recorded.homes, flow=flow, **settings)


def voltage_gap_pu(recorded, controller, trajectory):
    """Largest difference of a recorded node voltage, over nodes with a defined voltage."""
    nodes = recorded.feeder.nodes
    ours = trajectory.by_day(trajectory.solution.node_v_pu().abs())
    theirs = recorded.values(controller, "v_pu", ids=nodes.node_ids)
    known = torch.from_numpy(nodes.grounded & nodes.energised)
    return (ours - theirs)[..., known].abs().max().item()


def assert_same_devices(recorded, controller, trajectory, *, atol):
    ids = recorded.fleet.agent_ids
    for quantity, ours in (
        ("request_kw", trajectory.request_kw),
        ("agent_p_kw", trajectory.p_kw),
        ("state", trajectory.state),
    ):
        theirs = recorded.values(controller, quantity, ids=ids)
        torch.testing.assert_close(ours, theirs, rtol=0, atol=atol, msg=quantity)


@pytest.mark.parametrize("name", ["no_control", "rule_based"])
def test_rollout_is_the_federated_run(day, name):
    controller = make_controller(name, fleet=day.fleet)
    trajectory = rollout_of(day).run(controller, day.days)
    assert_same_devices(day, name, trajectory, atol=SAME_POWER)
    assert (trajectory.status == 0).all()
    assert voltage_gap_pu(day, name, trajectory) < SAME_VOLTAGE_PU


def test_replaying_recorded_requests_is_the_federated_run(day):
    ids = day.fleet.agent_ids
    requests = day.values("rule_based", "request_kw", ids=ids)
    trajectory = rollout_of(day).replay(requests, day.days)
    assert_same_devices(day, "rule_based", trajectory, atol=SAME_POWER)
    assert voltage_gap_pu(day, "rule_based", trajectory) < SAME_VOLTAGE_PU


def test_a_household_in_the_wrong_place_is_found(day):
    moved = day.homes.connection_index.clone()
    moved[7] = (moved[7] + 1) % len(day.feeder.places)
    homes = dataclasses.replace(day.homes, connection_index=moved)
    wrong = dataclasses.replace(day, homes=homes)
    trajectory = rollout_of(wrong).run(NoControl(day.fleet), day.days)
    assert voltage_gap_pu(day, "no_control", trajectory) > 100 * SAME_VOLTAGE_PU


@pytest.mark.parametrize("field", ["base_load_kw", "pv_available_kw"])
def test_a_household_with_the_wrong_sign_is_found(day, field):
    series = getattr(day.days, field).clone()
    home = int(series.abs().sum(dim=(0, 1)).argmax())
    series[..., home] *= -1
    days = dataclasses.replace(day.days, **{field: series})
    trajectory = rollout_of(day).run(NoControl(day.fleet), days)
    assert voltage_gap_pu(day, "no_control", trajectory) > 100 * SAME_VOLTAGE_PU


@pytest.fixture(scope="module")
def policy_day(day, record, tmp_path_factory):
    """The same day under networks of float32, as a training writes them; and the networks."""
    folder = tmp_path_factory.mktemp("policy")
    fleet = day.fleet.to(dtype=torch.float32)
    trained = IndependentPolicies.for_fleet(fleet, seed=3)
    with torch.no_grad():
        trained.weights[-1].mul_(20.0)  # untrained networks hardly act
    origin = Provenance(feeder_hash="f", scenario_hash="s", seed=3, version="0")
    save_policy(folder, policy=trained, provenance=origin)
    return record(controllers=[f"policy:{folder}"]), load_policy(folder).policy, trained


def test_a_policys_federated_actions_are_the_rollouts(policy_day):
    recorded, deployed, trained = policy_day
    (name,) = recorded.run.controllers
    trajectory = rollout_of(recorded, observe_voltage=True).run(
        PolicyController(deployed, fleet=recorded.fleet),
        recorded.days,
        keep_observations=True,
    )
    # Voltages agree to about 1e-7 and are observed, with weights of order 1.
    assert_same_devices(recorded, name, trajectory, atol=1e-5)
    assert voltage_gap_pu(recorded, name, trajectory) < SAME_VOLTAGE_PU
    low_kw, high_kw = recorded.fleet.action_range_kw()
    assert ((trajectory.request_kw.std(dim=1) / (high_kw - low_kw)).amax() > 0.1).item()
    # What the training's own networks would have asked for, where the federation was.
    with torch.no_grad():
        asked = PolicyController(trained, fleet=recorded.fleet.to(dtype=torch.float32)).act(
            trajectory.observation.float()
        )
    federated = recorded.values(name, "request_kw", ids=recorded.fleet.agent_ids)
    assert ((asked.double() - federated).abs() / (high_kw - low_kw)).max() < 1e-5


class Droop:
    """Asks for more where the last voltage was high: the only controller here that senses it."""

    def __init__(self, fleet):
        self.fleet = fleet

    def act(self, obs):
        low_kw, high_kw = self.fleet.action_range_kw()
        share = ((obs[..., INDEX["v_pu"]] - 0.97) / 0.06).clamp(0.0, 1.0)
        return low_kw + share * (high_kw - low_kw)


def test_observed_voltages_are_those_of_the_step_before(record, monkeypatch):
    monkeypatch.setattr(agents, "make_controller", lambda _name, *, fleet: Droop(fleet))
    recorded = record(controllers=["no_control"])
    trajectory = rollout_of(recorded, observe_voltage=True).run(
        Droop(recorded.fleet), recorded.days, keep_observations=True
    )
    # Requests follow voltages with up to 250 kW/pu, and voltages agree to about 1e-7.
    assert_same_devices(recorded, "no_control", trajectory, atol=1e-4)
    assert voltage_gap_pu(recorded, "no_control", trajectory) < SAME_VOLTAGE_PU
    seen = trajectory.observation[..., INDEX["v_pu"]]
    assert (seen[:, 0] == 1.0).all()
    assert seen[:, 1:].std() > 1e-3
    insensitive = rollout_of(recorded).run(Droop(recorded.fleet), recorded.days)
    assert (insensitive.p_kw - trajectory.p_kw).abs().max() > 0.1


def test_acting_regulators_are_the_federated_run(record):
    recorded = record(
        controllers=["no_control"],
        feeder={"regulators": "as_defined", "source_v_pu": None},
        population={"n_households": 120, "base_load_scale": 8.0},
    )
    trajectory = rollout_of(recorded, control_regulators=True).run(
        NoControl(recorded.fleet), recorded.days
    )
    assert (trajectory.status == int(TapStatus.OK)).all()
    assert trajectory.solution.tap_ratios.std(dim=0).max() > 0.001
    assert voltage_gap_pu(recorded, "no_control", trajectory) < SAME_VOLTAGE_PU
