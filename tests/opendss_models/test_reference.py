"""The OpenDSS reference solves what it is asked, in the feeder's orders, and leaves no traces."""

import numpy as np
import pytest

from gradmap.errors import FeederError
from opendss_models.engine import Engine
from opendss_models.extract import extract_feeder
from opendss_models.feeders import feeder_path
from opendss_models.reference import REFERENCE_SETTINGS, OpenDSSReference

# Two phases of load, a generator, a PV system and an ungrounded delta load, all on one bus.
SMALL = """
Clear
New Circuit.small basekv=4.16 pu=1.02 phases=3 bus1=head
New Line.first bus1=head bus2=end phases=3 r1=0.3 x1=0.6 r0=0.8 x0=1.8 c1=0 c0=0 length=1 units=km
New Line.off bus1=head bus2=end phases=3 r1=0.3 x1=0.6 length=1 units=km enabled=no
New Load.wye bus1=end.1.2.3 phases=3 kv=4.16 kw=300 kvar=90 model=1 vminpu=0.7
New Load.leg bus1=end.3.1 phases=1 conn=delta kv=4.16 kw=50 kvar=-10 model=2
New Generator.gen bus1=end.2 phases=1 kv=2.4 kw=80 kvar=20 model=1 vminpu=0.7 vmaxpu=1.3
{more}
Set VoltageBases=[4.16]
CalcVoltageBases
"""


@pytest.fixture(scope="module")
def engine():
    return Engine(feeder_path("ieee123"), settings=REFERENCE_SETTINGS)


@pytest.fixture(scope="module")
def feeder(engine):
    return extract_feeder(engine)


@pytest.fixture(scope="module")
def reference(engine, feeder):
    return OpenDSSReference(engine, feeder)


@pytest.fixture
def small(tmp_path):
    def make(more=""):
        path = tmp_path / "small.dss"
        path.write_text(SMALL.format(more=more))
        engine = Engine(path, settings=REFERENCE_SETTINGS)
        return engine, extract_feeder(engine)

    return make


def loadings(feeder, *, n, seed=0, low=0.2, high=1.6):
    """Random powers, equal in the parts of an element."""
    rng = np.random.default_rng(seed)
    ids = feeder.connections.element_ids
    elements = list(dict.fromkeys(ids))
    rows = [elements.index(name) for name in ids]
    factor = rng.uniform(low, high, (n, len(elements)))[:, rows]
    return feeder.connections.p_kw * factor, feeder.connections.q_kvar * factor


def nominal(feeder):
    return feeder.connections.p_kw[None], feeder.connections.q_kvar[None]


def test_nominal_powers_give_the_engine_s_own_solution(engine, feeder, reference):
    engine.reset_taps()
    solved = reference.control_taps(*nominal(feeder))
    engine.reset_taps()
    assert engine.solve().status == 0
    np.testing.assert_allclose(solved.node_v_pu[0], engine.node_v_pu(), atol=1e-10)
    np.testing.assert_allclose(solved.loading[0], engine.loading()[_shared(engine, feeder)])
    assert solved.losses_kw[0] == pytest.approx(engine.losses()[0], rel=1e-8)
    assert solved.head_p_kw[0] == pytest.approx(engine.head_power()[0], rel=1e-8)
    assert solved.head_q_kvar[0] == pytest.approx(engine.head_power()[1], rel=1e-8)
    assert np.rint((solved.tap_ratios[0] - 1) / 0.00625).tolist() == engine.taps().tolist()
    engine.reset_taps()


def _shared(engine, feeder):
    return [engine.branch_ids.index(branch.branch_id) for branch in feeder.branches]


def test_branch_currents_are_those_of_each_element(engine, feeder, reference):
    p_kw, q_kvar = loadings(feeder, n=1)
    solved = reference.solve(p_kw, q_kvar)
    dss, found = engine.context, []
    dss.Solution.ControlMode(-1)
    reference._state.set_tap_ratios(solved.tap_ratios[0])
    reference._powers.set(p_kw[0], q_kvar[0])
    engine.solve()
    for branch in feeder.branches:
        dss.Circuit.SetActiveElement(branch.branch_id)
        found.append(np.array(dss.CktElement.Currents()).view(complex))
    reference._powers.set(feeder.connections.p_kw, feeder.connections.q_kvar)
    dss.Solution.ControlMode(0)
    np.testing.assert_allclose(solved.branch_i_a[0], np.concatenate(found), atol=1e-4)


def test_what_enters_at_the_head_is_drawn_or_lost(small):
    engine, feeder = small()
    p_kw, q_kvar = loadings(feeder, n=4)
    generator = [name.startswith("gen") for name in feeder.connections.element_ids]
    constant = [not name.startswith("load.leg") for name in feeder.connections.element_ids]
    p_kw[:, ~np.array(constant)] = q_kvar[:, ~np.array(constant)] = 0.0
    solved = OpenDSSReference(engine, feeder).solve(p_kw, q_kvar)
    drawn = p_kw.sum(axis=1) + solved.losses_kw
    np.testing.assert_allclose(solved.head_p_kw.sum(axis=1), drawn, rtol=1e-7)
    reactive = q_kvar.sum(axis=1) + solved.losses_kvar
    np.testing.assert_allclose(solved.head_q_kvar.sum(axis=1), reactive, rtol=1e-7)
    assert p_kw[:, generator].max() < 0


def test_the_order_of_writing_leaves_no_reactive_power_behind(small):
    engine, feeder = small()
    p_kw, q_kvar = (np.tile(x, (4, 1)) for x in nominal(feeder))
    p_kw[0] = 0.0
    p_kw[2], q_kvar[2] = -p_kw[2], -q_kvar[2]
    together = OpenDSSReference(engine, feeder).solve(p_kw, q_kvar)
    assert together.solved.all()
    for k in range(4):
        alone_engine, _ = small()
        alone = OpenDSSReference(alone_engine, feeder).solve(p_kw[[k]], q_kvar[[k]])
        np.testing.assert_allclose(together.node_v_pu[k], alone.node_v_pu[0], atol=1e-10)


def test_parts_of_one_element_must_be_equal(feeder, reference):
    p_kw, q_kvar = nominal(feeder)
    ids = feeder.connections.element_ids
    row = max(k for k, name in enumerate(ids) if ids.count(name) > 1)
    wrong = p_kw.copy()
    wrong[0, row] += 1.0
    with pytest.raises(FeederError, match=rf"'{feeder.connections.connection_ids[row]}'.*equal"):
        reference.solve(wrong, q_kvar)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e6])
def test_impossible_powers_are_named(feeder, reference, bad):
    p_kw, q_kvar = (x.copy() for x in nominal(feeder))
    q_kvar[0, 3] = bad
    name = feeder.connections.connection_ids[3]
    with pytest.raises(FeederError, match=rf"'{name}': `q_kvar` is {bad}"):
        reference.solve(p_kw, q_kvar)


def test_wrong_shapes_are_refused(feeder, reference):
    p_kw, q_kvar = nominal(feeder)
    with pytest.raises(FeederError, match=r"`p_kw` has shape \(1, 94\), expected \(batch, 95\)"):
        reference.solve(p_kw[:, 1:], q_kvar)
    with pytest.raises(FeederError, match="1 situations and `q_kvar` 2"):
        reference.solve(p_kw, np.tile(q_kvar, (2, 1)))
    with pytest.raises(FeederError, match=r"shape \(1, 3\), expected \(1, 7\)"):
        reference.solve(p_kw, q_kvar, tap_ratios=np.ones((1, 3)))


def test_tap_ratios_may_lie_between_positions_but_not_beyond_the_last(engine, feeder, reference):
    p_kw, q_kvar = (np.tile(x, (3, 1)) for x in nominal(feeder))
    taps = np.ones((3, 7))
    taps[:, 0] = 1.0125, 1.015625, 1.01875
    solved = reference.solve(p_kw, q_kvar, tap_ratios=taps)
    assert (solved.tap_ratios == taps).all()
    node = feeder.nodes.node_ids.index("1.1")
    vm_pu = np.abs(solved.node_v_pu[:, node])
    assert vm_pu[0] < vm_pu[1] < vm_pu[2]
    assert vm_pu[1] == pytest.approx((vm_pu[0] + vm_pu[2]) / 2, abs=1e-4)
    taps[1, 2] = 1.2
    with pytest.raises(FeederError, match=r"'creg3a': tap ratio 1\.2, expected in \[0\.9, 1\.1\]"):
        reference.solve(p_kw, q_kvar, tap_ratios=taps)


def test_controlled_situations_do_not_know_each_other_and_series_do(feeder, reference):
    p_kw, q_kvar = loadings(feeder, n=12)
    cold = reference.control_taps(p_kw, q_kvar)
    backwards = reference.control_taps(p_kw[::-1], q_kvar[::-1])
    assert (cold.tap_ratios == backwards.tap_ratios[::-1]).all()
    np.testing.assert_allclose(cold.node_v_pu, backwards.node_v_pu[::-1], atol=1e-10)
    warm = reference.control_series(p_kw, q_kvar)
    assert (warm.tap_ratios[0] == cold.tap_ratios[0]).all()
    assert (warm.tap_ratios != cold.tap_ratios).any()
    starts = np.concatenate([cold.tap_ratios[:1] * 0 + 1, warm.tap_ratios[:-1]])
    stepped = reference.control_taps(p_kw, q_kvar, start_tap_ratios=starts)
    assert (stepped.tap_ratios == warm.tap_ratios).all()


def test_the_engine_is_left_as_it_was(engine, feeder, reference):
    engine.reset_taps()
    engine.set_load_multiplier(0.8)
    state = engine.control_state()
    assert engine.solve().status == 0
    before, taps = engine.node_v_pu(), engine.taps()
    engine.restore_control_state(state)
    reference.solve(*loadings(feeder, n=3), tap_ratios=np.full((3, 7), 1.03))
    reference.control_taps(*loadings(feeder, n=3))
    assert engine.control_state() == state
    assert engine.solve().status == 0
    assert (engine.taps() == taps).all()
    np.testing.assert_allclose(engine.node_v_pu(), before, atol=1e-10)
    engine.set_load_multiplier(1.0)
    engine.reset_taps()


def test_a_situation_without_solution_is_a_status_and_harms_no_other(small):
    engine, feeder = small()
    p_kw, q_kvar = (np.tile(x, (3, 1)) for x in nominal(feeder))
    p_kw[1] *= 90
    solved = OpenDSSReference(engine, feeder).solve(p_kw, q_kvar)
    assert solved.solved.tolist() == [True, False, True]
    assert np.isnan(solved.node_v_pu[1]).all()
    assert np.isnan(solved.losses_kw[1])
    np.testing.assert_allclose(solved.node_v_pu[0], solved.node_v_pu[2], atol=1e-10)


def test_households_and_injections_draw_what_they_are_told(small):
    engine, feeder = small()
    injected = feeder.with_injections(("end.2",))
    p_kw, q_kvar = nominal(injected)
    drawing = OpenDSSReference(engine, injected)
    before = drawing.solve(p_kw, q_kvar)
    p_kw = p_kw.copy()
    p_kw[0, -1] = -40.0
    after = drawing.solve(p_kw, q_kvar)
    gained = (before.head_p_kw - after.head_p_kw).sum()
    lost = (before.losses_kw - after.losses_kw)[0]
    assert gained == pytest.approx(40.0 + lost, abs=2.0)  # the leg is a constant impedance
    np.testing.assert_allclose(before.node_v_pu[0], engine_solution(small), atol=1e-9)
    places = feeder.with_households()
    p_kw, q_kvar = nominal(places)
    p_kw = p_kw + np.array([*(c.p_nominal_kw for c in engine.connections), 0.0])
    solved = OpenDSSReference(engine, places).solve(p_kw, q_kvar)
    head_kw = p_kw.sum() + solved.losses_kw[0]
    assert p_kw.sum() == pytest.approx(300 + 50 - 80)
    assert solved.head_p_kw.sum() == pytest.approx(head_kw, rel=1e-6)
    with pytest.raises(FeederError, match="households took the place of its own loads"):
        drawing.solve(*nominal(injected))


def engine_solution(small):
    engine, _ = small()
    assert engine.solve().status == 0
    return engine.node_v_pu()


def test_a_disabled_branch_shifts_no_other_branch_s_current(small):
    engine, feeder = small()
    solved = OpenDSSReference(engine, feeder).solve(*nominal(feeder))
    head = solved.head_p_kw[0] + 1j * solved.head_q_kvar[0]
    v_kv = solved.node_v_pu[0, [feeder.nodes.node_ids.index(f"head.{k}") for k in (1, 2, 3)]]
    v_kv = v_kv * 4.16 / np.sqrt(3)
    assert [branch.branch_id for branch in feeder.branches] == ["line.first"]
    np.testing.assert_allclose(v_kv * solved.branch_i_a[0, :3].conj(), head, rtol=1e-9)


def test_a_feeder_of_another_circuit_is_refused(feeder, small):
    engine, _ = small()
    with pytest.raises(FeederError, match="278 nodes which are not the 6"):
        OpenDSSReference(engine, feeder)
