"""Feeders that others published work as they are, or are refused with the reason."""

from pathlib import Path

import numpy as np
import pytest

from gradmap.errors import FeederError
from opendss_models.engine import Engine, SolveStatus

FEEDERS = Path(__file__).parents[3] / "shared" / "feeders"

pytestmark = pytest.mark.skipif(
    not FEEDERS.is_dir(), reason="the collection of feeders is not beside this checkout"
)

# nodes, connections, head active power and losses as OpenDSS's own tools report them [kW]
SOLVED = {
    "13Bus/IEEE13Nodeckt.dss": (41, 17, 3567.1, 112.4),
    "34Bus/ieee34Mod1.dss": (95, 64, 2047.0, 273.5),
    "34Bus/ieee34Mod2.dss": (138, 48, 2047.0, 273.6),
    "37Bus/ieee37.dss": (117, 32, 2588.4, 152.3),
    "4Bus-DY-Bal/4Bus-DY-Bal.DSS": (12, 3, 5969, 569),
    "4Bus-GrdYD-Bal/4Bus-GrdYD-Bal.DSS": (12, 3, 5968, 568),
    "4Bus-OYOD-UnBal/4bus-OYOD-UnBal.dss": (12, 3, 4021, 388),
    "4Bus-YD-Bal/4Bus-YD-Bal.DSS": (13, 3, 5968, 568),
    "4Bus-YY-Bal/4Bus-YY-Bal.DSS": (12, 3, 5969, 569),
    "4Bus-YYD/YYD-Master-step1.DSS": (18, 6, 5851, 76),
    "LVTestCase/Master.dss": (2721, 55, 58.99, 0.88),
    "8500-Node/Master.dss": (8531, 2354, 11983.7, 1210.3),
    "8500-Node/Master-unbal.dss": (8531, 2354, 12047.6, 1274.5),
}


@pytest.mark.parametrize("name", SOLVED)
def test_a_published_feeder_solves_with_its_loads_and_with_households(name):
    n_nodes, n_connections, head_kw, loss_kw = SOLVED[name]
    engine = Engine(FEEDERS / name)
    assert len(engine.node_ids) == n_nodes
    assert len(engine.connections) == n_connections
    assert engine.solve().status is SolveStatus.OK
    p_kw = engine.head_power()[0].sum()
    assert p_kw == pytest.approx(head_kw, rel=3e-4)
    assert engine.losses()[0] == pytest.approx(loss_kw, rel=7e-3)
    parts = (engine.total_load_power(), engine.losses(), engine.capacitor_power())
    assert p_kw == pytest.approx(sum(part[0] for part in parts), abs=1e-3)
    engine.attach_households()
    wanted_kw = 0.5 * np.array([c.p_nominal_kw for c in engine.connections])
    engine.set_connection_power(p_kw=wanted_kw, q_kvar=0.3 * wanted_kw)
    assert engine.solve().status is SolveStatus.OK
    assert engine.total_load_power()[0] == pytest.approx(wanted_kw.sum(), rel=1e-6)
    v_pu = engine.connection_v_pu()
    assert v_pu.min() > 0.85
    assert v_pu.max() < 1.1
    assert np.isfinite(engine.loading()).all()
    if name.startswith(("13Bus", "34Bus", "8500", "LVTest")):
        assert engine.grounded.all()
    assert not any(np.isnan(bus.distance_km) for bus in engine.feeder_map().buses)


def test_the_delta_feeder_has_connections_between_phases_only():
    engine = Engine(FEEDERS / "37Bus/ieee37.dss")
    assert {c.nodes for c in engine.connections} == {(1, 2), (2, 3), (3, 1)}
    assert all(c.kv_base == pytest.approx(4.8, rel=1e-3) for c in engine.connections)
    tied = {
        node.split(".")[0] for node, on in zip(engine.node_ids, engine.grounded, strict=True) if on
    }
    assert tied == {"sourcebus"}


def test_loads_rated_for_another_voltage_than_they_get_are_noted():
    engine = Engine(FEEDERS / "34Bus/ieee34Mod1.dss")
    assert any("'d832_858sa' is rated for 24.9 kV" in note for note in engine.notes)


def test_switched_capacitors_of_the_8500_node_feeder_are_restored():
    engine = Engine(FEEDERS / "8500-Node/Master.dss")
    engine.solve()
    state, v_pu = engine.control_state(), engine.node_v_pu()
    engine.set_load_multiplier(0.3)
    engine.solve()
    assert engine.control_state().capacitor_open != state.capacitor_open
    engine.restore_control_state(state)
    engine.set_load_multiplier(1.0)
    assert engine.solve().status is SolveStatus.OK
    assert engine.control_state() == state
    np.testing.assert_allclose(engine.node_v_pu(), v_pu, atol=1e-6)


def test_a_bus_that_got_the_wrong_base_is_refused():
    with pytest.raises(FeederError, match=r"base of bus 'n4' is 7\.2 kV.*SetkVBase bus=n4"):
        Engine(FEEDERS / "4Bus-OYOD-Bal/4Bus-OYOD-Bal.DSS")


def test_a_script_that_exports_results_is_refused():
    with pytest.raises(FeederError, match=r"YYD-Master\.DSS:81: `Export Voltages`"):
        Engine(FEEDERS / "4Bus-YYD/YYD-Master.DSS")


def test_a_script_written_for_windows_file_names_is_told_the_real_name():
    with pytest.raises(FeederError, match=r"'master\.dss' does not exist.*'Master\.dss'"):
        Engine(FEEDERS / "8500-Node/Run_8500Node.dss")
