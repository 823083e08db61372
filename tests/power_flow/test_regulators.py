"""Taps end where OpenDSS's static control ends them, from neutral and along a warm series."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from gradmap.errors import FeederError
from gradmap.feeder import Feeder
from gradmap.power_flow.control_law import ControlLaw
from gradmap.power_flow.control_sensors import Sensors
from gradmap.power_flow.regulators import TapStatus, control_taps
from gradmap.power_flow.solver import PowerFlow
from opendss_models.engine import Engine
from opendss_models.extract import extract_feeder
from opendss_models.feeders import feeder_path
from opendss_models.reference import REFERENCE_SETTINGS, OpenDSSReference

CASES = {
    "123 as it is": ("ieee123", ()),
    "123 with delays, step by step": (
        "ieee123",
        ("batchedit regcontrol..* delay=30 maxtapchange=1", "regcontrol.creg1a.delay=15"),
    ),
    "123 with four delays": (
        "ieee123",
        (
            "batchedit regcontrol.creg4.* delay=60 maxtapchange=3",
            "regcontrol.creg3a.delay=45",
            "regcontrol.creg2a.delay=5",
        ),
    ),
    "123 with a band below a step": (
        "ieee123",
        ("batchedit regcontrol..* band=0.8 delay=30", "batchedit regcontrol.creg4.* delay=15"),
    ),
    "123 with taps at their ends": (
        "ieee123",
        (
            "regcontrol.creg1a.ptphase=min",
            "regcontrol.creg3a.maxtapchange=0",
            "regcontrol.creg4b.vreg=133",
            "regcontrol.creg4b.delay=5",
            "regcontrol.creg4a.vreg=108",
        ),
    ),
    "123 with coarse taps": (
        "ieee123",
        (
            "regcontrol.creg1a.ptphase=max",
            "transformer.reg4a.wdg=2 mintap=0.95 maxtap=1.05 numtaps=12",
            "regcontrol.creg4a.vreg=127",
        ),
    ),
    "123 with a limit on the voltage": (
        "ieee123",
        ("regcontrol.creg4a.vlimit=124.3", "regcontrol.creg4b.vlimit=125"),
    ),
    "13": ("13Bus/IEEE13Nodeckt.dss", ()),
    "34 Mod1": ("34Bus/ieee34Mod1.dss", ()),
    "34 Mod2": ("34Bus/ieee34Mod2.dss", ()),
}
N_NEUTRAL, N_WARM = 120, 60


@dataclass(frozen=True)
class Case:
    """A feeder in both engines, and random loadings of it."""

    feeder: Feeder
    reference: OpenDSSReference
    flow: PowerFlow
    p_kw: np.ndarray
    q_kvar: np.ndarray

    def neutral(self, n: int) -> torch.Tensor:
        return torch.ones(n, len(self.feeder.regulators), dtype=torch.float64)

    def control(self, first: int, last: int, **options):
        p_kw, q_kvar = torch.tensor(self.p_kw[first:last]), torch.tensor(self.q_kvar[first:last])
        options.setdefault("start_tap_ratios", self.neutral(last - first))
        return control_taps(options.pop("flow", self.flow), p_kw, q_kvar, **options)


def make_case(name: str, commands=(), *, n: int = N_NEUTRAL) -> Case:
    engine = Engine(feeder_path(name), settings=REFERENCE_SETTINGS)
    for command in commands:
        engine.context.Text.Command(command)
    feeder = extract_feeder(engine)
    connections = feeder.connections
    elements = {name: k for k, name in enumerate(dict.fromkeys(connections.element_ids))}
    rows = [elements[name] for name in connections.element_ids]
    factors = np.random.default_rng(5).uniform(0.2, 1.6, (n, len(elements)))[:, rows]
    return Case(
        feeder=feeder,
        reference=OpenDSSReference(engine, feeder),
        flow=PowerFlow(feeder),
        p_kw=connections.p_kw * factors,
        q_kvar=connections.q_kvar * factors,
    )


@pytest.fixture(scope="module", params=CASES)
def case(request):
    name, commands = CASES[request.param]
    if name != "ieee123":
        name = str(request.getfixturevalue("shared") / "feeders" / name)
    return make_case(name, commands)


@pytest.fixture(scope="module")
def ieee123():
    return make_case("ieee123", n=40)


def test_taps_from_neutral_are_opendss_s_to_the_bit(case):
    start = case.neutral(N_NEUTRAL)
    theirs = case.reference.control_taps(case.p_kw, case.q_kvar, start_tap_ratios=start.numpy())
    ours = case.control(0, N_NEUTRAL)
    assert np.array_equal(theirs.status, ours.status.numpy())
    solved = theirs.status == 0
    assert solved.sum() > 0.8 * N_NEUTRAL
    assert np.array_equal(theirs.tap_ratios[solved], ours.tap_ratios.numpy()[solved])
    error = np.abs(theirs.node_v_pu - ours.solution.node_v_pu().numpy())
    assert error[:, case.feeder.nodes.grounded][solved].max() < 1e-8


def test_a_warm_series_follows_opendss(case):
    p_kw, q_kvar = case.p_kw[:N_WARM], case.q_kvar[:N_WARM]
    theirs = case.reference.control_series(p_kw, q_kvar, start_tap_ratios=case.neutral(1).numpy())
    taps = case.neutral(1)
    moves = 0
    for k in range(N_WARM):
        ours = case.control(k, k + 1, start_tap_ratios=taps)
        assert int(ours.status[0]) == theirs.status[k]
        if theirs.status[k]:
            continue  # OpenDSS's series goes on from the taps before
        assert np.array_equal(ours.tap_ratios[0].numpy(), theirs.tap_ratios[k])
        moves += not torch.equal(ours.tap_ratios, taps)
        taps = ours.tap_ratios
    assert moves > N_WARM / 4


def test_samples_do_not_affect_each_other(ieee123):
    together = ieee123.control(0, 40)
    assert len(set(together.n_control_iterations.tolist())) > 1
    for k in (0, 7, 39):
        alone = ieee123.control(k, k + 1)
        assert torch.equal(alone.tap_ratios[0], together.tap_ratios[k])
        assert alone.n_control_iterations[0] == together.n_control_iterations[k]


def test_a_sample_at_rest_is_left_alone(ieee123):
    first = ieee123.control(0, 40)
    again = ieee123.control(0, 40, start_tap_ratios=first.tap_ratios)
    assert torch.equal(again.tap_ratios, first.tap_ratios)
    assert torch.equal(again.n_control_iterations, torch.ones(40, dtype=torch.int64))
    difference = again.solution.node_v_pu() - first.solution.node_v_pu()
    assert difference.abs().max() < 1e-8


def test_the_start_is_the_file_s_taps_and_is_not_overwritten(ieee123):
    file_taps = torch.tensor([[r.tap_ratio for r in ieee123.feeder.regulators]]).double()
    given = file_taps.clone()
    from_file = ieee123.control(0, 1, start_tap_ratios=None)
    from_given = ieee123.control(0, 1, start_tap_ratios=given)
    assert torch.equal(from_file.tap_ratios, from_given.tap_ratios)
    assert torch.equal(given, file_taps)
    assert not torch.equal(from_given.tap_ratios, file_taps)


def test_gradients_pass_with_the_taps_held(ieee123):
    def loss(solution):
        return solution.node_v_pu().abs().square().sum()

    p_kw = torch.tensor(ieee123.p_kw[:3], requires_grad=True)
    q_kvar = torch.tensor(ieee123.q_kvar[:3])
    found = control_taps(ieee123.flow, p_kw, q_kvar, start_tap_ratios=ieee123.neutral(3))
    (through,) = torch.autograd.grad(loss(found.solution), p_kw)
    held = ieee123.flow.solve(p_kw, q_kvar, tap_ratios=found.tap_ratios)
    (expected,) = torch.autograd.grad(loss(held), p_kw)
    torch.testing.assert_close(through, expected, rtol=1e-8, atol=0.0)
    assert not found.tap_ratios.requires_grad


def test_controls_that_hunt_are_told_from_those_at_rest():
    narrow = make_case("ieee123", ("batchedit regcontrol..* band=0.7",), n=40)
    ours = narrow.control(0, 40)
    theirs = narrow.reference.control_taps(
        narrow.p_kw, narrow.q_kvar, start_tap_ratios=narrow.neutral(40).numpy()
    )
    hunting = ours.status == int(TapStatus.CONTROL_LIMIT)
    assert 0 < hunting.sum() < 40
    assert np.array_equal(theirs.status, ours.status.numpy())
    assert (ours.n_control_iterations[hunting] == 100).all()
    short = narrow.control(0, 40, max_control_iterations=2)
    assert (short.n_control_iterations[short.status == int(TapStatus.CONTROL_LIMIT)] == 2).all()


def test_a_power_flow_without_solution_stops_its_sample_only(ieee123, monkeypatch):
    p_kw, q_kvar = torch.tensor(ieee123.p_kw[:3]), torch.tensor(ieee123.q_kvar[:3])
    solve = ieee123.flow.solve

    def failing(p_kw, q_kvar, **options):
        """Pretend that the second loading has no solution once taps have moved."""
        found = solve(p_kw, q_kvar, **options)
        second = p_kw[:, 0] == torch.tensor(ieee123.p_kw[1, 0])
        failed = second & (options["tap_ratios"] != 1.0).any(dim=1)
        return replace(found, status=torch.where(failed, 1, found.status))

    monkeypatch.setattr(ieee123.flow, "solve", failing)
    found = control_taps(ieee123.flow, p_kw, q_kvar, start_tap_ratios=ieee123.neutral(3))
    assert found.status.tolist() == [0, int(TapStatus.NOT_CONVERGED), 0]
    assert found.n_control_iterations[1] == 2
    monkeypatch.undo()
    unhindered = ieee123.control(0, 3)
    assert torch.equal(found.tap_ratios[::2], unhindered.tap_ratios[::2])
    assert not torch.equal(found.tap_ratios[1], unhindered.tap_ratios[1])


def test_float32_takes_the_same_steps_almost_always(ieee123):
    narrow = PowerFlow(ieee123.feeder, dtype=torch.float32)
    wide, rough = ieee123.control(0, 40), ieee123.control(0, 40, flow=narrow)
    assert rough.tap_ratios.dtype == torch.float64
    assert (wide.tap_ratios == rough.tap_ratios).all(dim=1).sum() >= 39


def test_a_feeder_without_regulators_is_only_solved(ieee123):
    # At neutral a regulator is a transformer like any other.
    feeder = replace(ieee123.feeder, regulators=())
    found = control_taps(
        PowerFlow(feeder), torch.tensor(ieee123.p_kw[:2]), torch.tensor(ieee123.q_kvar[:2])
    )
    assert found.tap_ratios.shape == (2, 0)
    assert found.status.tolist() == [0, 0]
    assert found.n_control_iterations.tolist() == [1, 1]


def test_a_start_outside_the_taps_is_named(ieee123):
    start = ieee123.neutral(2)
    start[1, 3] = 5.0
    with pytest.raises(FeederError, match=r"'creg3c' in sample 1 is 5\.0, expected .*0\.9, 1\.1"):
        ieee123.control(0, 2, start_tap_ratios=start)
    with pytest.raises(FeederError, match=r"tap_ratios.*shape"):
        ieee123.control(0, 2, start_tap_ratios=ieee123.neutral(3))


def test_a_phase_that_the_transformer_lacks_is_refused(ieee123):
    regulator = ieee123.feeder.regulators[1]
    odd = replace(regulator, control=replace(regulator.control, pt_phase=1))
    flow = PowerFlow(replace(ieee123.feeder, regulators=(odd,)))
    with pytest.raises(FeederError, match="'creg2a': `pt_phase` is 1, expected a position below 1"):
        Sensors(flow)


# ---------------------------------------------------------------------- the law by itself


def law(feeder, **settings) -> ControlLaw:
    """Return the law of three controls of 120 +- 1 V, without anything else."""
    first = feeder.regulators[1]
    plain = {"v_reg_v": 120.0, "band_v": 2.0, "v_limit_v": 0.0, "max_tap_change": 16}
    lists = {name: [value] * 3 for name, value in plain.items()} | settings
    regulators = tuple(
        replace(
            first,
            control=replace(first.control, **{name: lists[name][k] for name in lists}),
        )
        for k in range(3)
    )
    return ControlLaw(replace(feeder, regulators=regulators), device=torch.device("cpu"))


def look(controls, *volts, taps=(1.0, 1.0, 1.0), armed=(False, False, False)):
    v = torch.tensor([volts], dtype=torch.float64)
    return controls.step(
        v, v, taps=torch.tensor([taps], dtype=torch.float64), armed=torch.tensor([armed])
    )


def test_only_the_earliest_act_and_the_others_stay_queued(ieee123):
    controls = law(ieee123.feeder, delay_s=[30.0, 15.0, 15.0])
    step = look(controls, 117.0, 117.0, 120.5)
    assert step.taps[0].gt(1.0).tolist() == [False, True, False]
    assert step.armed.tolist() == [[True, False, False]]
    # Queued before or not, the one with the shorter delay goes first.
    step = look(controls, 117.0, 117.0, 120.5, armed=(True, False, False))
    assert step.taps[0].gt(1.0).tolist() == [False, True, False]
    assert step.armed.tolist() == [[True, False, False]]


def test_a_queued_control_back_in_band_leaves_the_queue(ieee123):
    controls = law(ieee123.feeder, delay_s=[30.0, 15.0, 15.0])
    step = look(controls, 119.5, 120.0, 120.5, armed=(True, False, False))
    assert step.at_rest.tolist() == [True]
    assert torch.equal(step.taps, torch.ones(1, 3, dtype=torch.float64))


def test_a_control_goes_70_percent_of_the_way_but_one_step_at_least(ieee123):
    feeder = ieee123.feeder
    step_v = feeder.regulators[1].tap_step * feeder.regulators[1].control.winding_kv * 1e3 / 20.0
    for n_steps in range(2, 17):
        moved = look(law(feeder), 120.0 - n_steps * step_v, 120.0, 120.0).taps[0, 0] - 1.0
        tap_step = feeder.regulators[1].tap_step
        # With OpenDSS's rounding 70 % of 10 steps are 7, not 6.
        assert round(moved.item() / tap_step) == math.floor(0.7 * (n_steps * tap_step) / tap_step)
    one = look(law(feeder), 120.0 + 1.4 * step_v, 120.0, 120.0).taps[0, 0]
    assert one.item() == 1.0 - feeder.regulators[1].tap_step
    slow = law(feeder, max_tap_change=[2, 0, 16])
    moved = look(slow, 110.0, 110.0, 110.0).taps[0] - 1.0
    assert (moved / feeder.regulators[1].tap_step).round().tolist() == [2.0, 0.0, 9.0]


def test_a_tap_at_its_end_does_not_queue_for_more(ieee123):
    step = look(law(ieee123.feeder), 100.0, 140.0, 100.0, taps=(1.1, 0.9, 1.08))
    assert step.taps.tolist() == [[1.1, 0.9, 1.1]]
    step = look(law(ieee123.feeder), 100.0, 140.0, 120.0, taps=(1.1, 0.9, 1.1))
    assert step.at_rest.tolist() == [True]


def test_the_voltage_limit_goes_before_the_band(ieee123):
    controls = law(ieee123.feeder, v_limit_v=[121.0, 0.0, 121.0])
    seen = torch.tensor([[118.0, 118.0, 118.0]], dtype=torch.float64)
    local = torch.tensor([[123.0, 123.0, 120.0]], dtype=torch.float64)
    taps, armed = torch.ones_like(seen), torch.zeros_like(seen, dtype=torch.bool)
    step = controls.step(seen, local, taps=taps, armed=armed)
    assert torch.sign(step.taps - 1.0).tolist() == [[-1.0, 1.0, 1.0]]
