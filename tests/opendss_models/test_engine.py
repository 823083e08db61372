"""The engine refuses wrong input, tells how a solve ended and recovers from bad ones."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gradmap.errors import FeederError
from opendss_models.engine import Engine, EngineSettings, SolveStatus

MASTER = Path(__file__).parents[2] / "opendss_models" / "ieee123" / "master.dss"

SMALL = """
clear
new circuit.small bus1=src basekv=4.16 pu=1.0 r1=0 x1=0.0001 r0=0 x0=0.0001
new line.one bus1=src bus2=mid phases=3 r1=0.1 x1=0.2 r0=0.3 x0=0.6 c1=0 c0=0 length=2 units=km
~ normamps=400
new line.two bus1=mid.2 bus2=end.2 phases=1 r1=0.1 x1=0.2 r0=0.1 x0=0.2 c1=0 c0=0 length=500 units=m
{extra}
new load.a bus1=mid phases=3 kv=4.16 kw=300 kvar=90
{load}
set voltagebases=[4.16]
calcvoltagebases
"""


def small_feeder(folder, *, extra="", load="", name="small.dss"):
    path = folder / name
    path.write_text(SMALL.format(extra=extra, load=load))
    return path


def household_engine(path=MASTER, **settings):
    engine = Engine(path, settings=EngineSettings(**settings))
    engine.attach_households()
    return engine


def nominal(engine):
    p_kw = np.array([c.p_nominal_kw for c in engine.connections])
    q_kvar = np.array([c.q_nominal_kvar for c in engine.connections])
    return p_kw, q_kvar


@pytest.fixture(scope="module")
def acting():
    return household_engine()


@pytest.fixture(scope="module")
def locked():
    return household_engine(regulators="locked", tolerance=1e-11)


@pytest.fixture
def at_nominal(locked):
    p_kw, q_kvar = nominal(locked)
    locked.set_connection_power(p_kw=p_kw, q_kvar=q_kvar)
    assert locked.solve().status is SolveStatus.OK
    return locked


# ---------------------------------------------------------------------- physics


def test_what_the_head_delivers_is_load_plus_losses_plus_capacitors(at_nominal):
    p_kw, q_kvar = at_nominal.head_power()
    load, loss, cap = (
        at_nominal.total_load_power(),
        at_nominal.losses(),
        at_nominal.capacitor_power(),
    )
    assert p_kw.sum() == pytest.approx(load[0] + loss[0] + cap[0], abs=1e-4)
    assert q_kvar.sum() == pytest.approx(load[1] + loss[1] + cap[1], abs=1e-4)
    assert loss[0] > 0
    assert cap[1] < 0


def test_households_draw_what_was_set_below_095_pu(at_nominal):
    p_kw, q_kvar = nominal(at_nominal)
    assert at_nominal.connection_v_pu().min() < 0.94
    assert at_nominal.total_load_power() == pytest.approx((p_kw.sum(), q_kvar.sum()), abs=1e-5)


def test_export_raises_voltages_and_flows_out_of_the_head(locked):
    p_kw, q_kvar = nominal(locked)
    locked.set_connection_power(p_kw=-0.5 * p_kw, q_kvar=0 * q_kvar)
    assert locked.solve().status is SolveStatus.OK
    assert locked.head_power()[0].sum() < -1500
    assert locked.connection_v_pu().max() > 1.03


def test_one_load_per_connection_equals_the_sum_of_its_households(tmp_path):
    single = household_engine(small_feeder(tmp_path), tolerance=1e-11)
    many = "\n".join(
        f"new load.h{k} bus1=mid.{1 + k % 3} phases=1 kv=2.4017771 kw={10 + k} kvar={k} "
        f"vminpu=0.7 vmaxpu=1.3"
        for k in range(30)
    )
    feeder = small_feeder(tmp_path, extra=many, name="many.dss")
    feeder.write_text(feeder.read_text().replace("kw=300 kvar=90", "kw=0 kvar=0"))
    separate = Engine(feeder, settings=EngineSettings(tolerance=1e-11))
    assert separate.solve().status is SolveStatus.OK
    p_kw = [sum(10.0 + k for k in range(30) if k % 3 == phase) for phase in range(3)]
    q_kvar = [sum(float(k) for k in range(30) if k % 3 == phase) for phase in range(3)]
    single.set_connection_power(p_kw=p_kw, q_kvar=q_kvar)
    assert single.solve().status is SolveStatus.OK
    assert single.node_ids == separate.node_ids
    np.testing.assert_allclose(single.node_v_pu(), separate.node_v_pu(), atol=1e-8)


def test_loading_is_the_largest_current_over_the_rating(tmp_path):
    engine = household_engine(small_feeder(tmp_path))
    engine.set_connection_power(p_kw=[100.0, 300.0, 0.0], q_kvar=[0.0, 0.0, 0.0])
    engine.solve()
    row = engine.branch_ids.index("line.one")
    amps = 300.0 / (2.4017771 * engine.connection_v_pu()[1])
    assert engine.loading()[row] == pytest.approx(amps / 400.0, rel=1e-6)


def test_the_source_voltage_can_be_set(tmp_path):
    engine = household_engine(small_feeder(tmp_path), source_v_pu=1.03)
    engine.solve()
    np.testing.assert_allclose(np.abs(engine.node_v_pu()), 1.03, atol=1e-4)


# ---------------------------------------------------------------------- setting powers


def test_kvar_survives_a_change_of_kw_from_zero_and_of_sign(locked):
    p_kw, q_kvar = nominal(locked)
    zero = np.zeros_like(p_kw)
    for p_set, q_set in [(zero, 0.5 * q_kvar), (2 + zero, 0.5 * q_kvar), (-p_kw, q_kvar)]:
        locked.set_connection_power(p_kw=p_set, q_kvar=q_set)
        assert locked.solve().status is SolveStatus.OK
        assert locked.total_load_power() == pytest.approx((p_set.sum(), q_set.sum()), abs=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -2e5])
def test_an_unbelievable_power_is_refused_and_names_the_connection(at_nominal, value):
    p_kw, q_kvar = nominal(at_nominal)
    before = at_nominal.node_v_pu()
    p_kw[7] = value
    with pytest.raises(FeederError, match=rf"'{at_nominal.connections[7].connection_id}'.*`p_kw`"):
        at_nominal.set_connection_power(p_kw=p_kw, q_kvar=q_kvar)
    at_nominal.solve()
    np.testing.assert_allclose(at_nominal.node_v_pu(), before, atol=1e-9)


def test_a_wrong_number_of_powers_is_refused(locked):
    with pytest.raises(FeederError, match=r"shape \(3,\), expected one value for each of the 95"):
        locked.set_connection_power(p_kw=np.zeros(3), q_kvar=np.zeros(95))


def test_powers_cannot_be_set_while_the_spot_loads_are_in(tmp_path):
    engine = Engine(small_feeder(tmp_path))
    with pytest.raises(FeederError, match="attach_households"):
        engine.set_connection_power(p_kw=np.zeros(3), q_kvar=np.zeros(3))


# ---------------------------------------------------------------------- outcomes


def test_too_few_iterations_are_reported_as_diverged_and_forgotten(tmp_path):
    engine = household_engine(small_feeder(tmp_path), max_iterations=2, tolerance=1e-9)
    engine.set_connection_power(p_kw=[500.0, 500.0, 500.0], q_kvar=[100.0, 100.0, 100.0])
    outcome = engine.solve()
    assert outcome.status is SolveStatus.DIVERGED
    assert "1e-09" in outcome.message


def test_after_divergence_the_next_solve_is_that_of_a_fresh_engine(locked):
    p_kw, q_kvar = nominal(locked)
    locked.set_connection_power(p_kw=p_kw, q_kvar=q_kvar)
    assert locked.solve().status is SolveStatus.OK
    good = locked.node_v_pu()
    locked.set_connection_power(p_kw=40 * p_kw, q_kvar=40 * q_kvar)
    assert locked.solve().status in (SolveStatus.DIVERGED, SolveStatus.IMPLAUSIBLE)
    locked.set_connection_power(p_kw=p_kw, q_kvar=q_kvar)
    assert locked.solve().status is SolveStatus.OK
    np.testing.assert_allclose(locked.node_v_pu(), good, atol=1e-9)


def test_unfinished_controls_are_reported_and_finish_later():
    engine = household_engine(max_control_iterations=2)
    p_kw, q_kvar = nominal(engine)
    engine.set_connection_power(p_kw=p_kw, q_kvar=q_kvar)
    outcome = engine.solve()
    assert outcome.status is SolveStatus.CONTROL_LIMIT
    assert outcome.n_control_iterations >= 2
    for _ in range(10):
        outcome = engine.solve()
    assert outcome.status is SolveStatus.OK


def test_a_collapsed_solution_is_implausible_and_names_the_node(tmp_path):
    engine = household_engine(small_feeder(tmp_path, load="new load.b bus1=end.2 phases=1 kv=2.4"))
    engine.set_connection_power(p_kw=[0.0, 4e3, 0.0, 9e3], q_kvar=np.zeros(4))
    outcome = engine.solve()
    assert outcome.status is SolveStatus.IMPLAUSIBLE
    assert "Node end.2" in outcome.message


def test_nan_is_reported_and_does_not_stick(acting):
    p_kw, q_kvar = nominal(acting)
    acting.reset_taps()
    acting.set_connection_power(p_kw=p_kw, q_kvar=q_kvar)
    assert acting.solve().status is SolveStatus.OK
    good, taps = acting.node_v_pu(), acting.taps()
    acting._dss.Loads.Idx(acting._load_index[3])
    acting._dss.Loads.kW(float("nan"))
    assert acting.solve().status is SolveStatus.NON_FINITE
    np.testing.assert_array_equal(acting.taps(), taps)
    acting.set_connection_power(p_kw=p_kw, q_kvar=q_kvar)
    assert acting.solve().status is SolveStatus.OK
    np.testing.assert_allclose(acting.node_v_pu(), good, atol=1e-6)


def test_nan_in_the_spot_loads_is_cured_by_compiling_again(tmp_path):
    engine = Engine(small_feeder(tmp_path))
    engine.solve()
    good = engine.node_v_pu()
    engine._dss.Loads.First()
    engine._dss.Loads.kW(float("nan"))  # nothing in the API can do this to spot loads
    assert engine.solve().status is SolveStatus.NON_FINITE
    assert engine.solve().status is SolveStatus.OK
    np.testing.assert_allclose(engine.node_v_pu(), good, atol=1e-7)


# ---------------------------------------------------------------------- controls


def test_taps_follow_the_start_and_restoring_repeats_the_solution(acting):
    p_kw, q_kvar = nominal(acting)
    acting.reset_taps()
    assert not acting.taps().any()
    state = acting.control_state()
    acting.set_connection_power(p_kw=p_kw, q_kvar=q_kvar)
    assert acting.solve().status is SolveStatus.OK
    taps, v_pu = acting.taps(), acting.node_v_pu()
    assert taps.any()
    acting.set_connection_power(p_kw=-0.5 * p_kw, q_kvar=q_kvar)
    acting.solve()
    assert acting.taps().tolist() != taps.tolist()
    acting.restore_control_state(state)
    acting.set_connection_power(p_kw=p_kw, q_kvar=q_kvar)
    acting.solve()
    np.testing.assert_array_equal(acting.taps(), taps)
    np.testing.assert_allclose(acting.node_v_pu(), v_pu, atol=1e-7)


def test_locked_regulators_stay_where_they_are_put(locked):
    p_kw, q_kvar = nominal(locked)
    locked.set_connection_power(p_kw=p_kw, q_kvar=q_kvar)
    locked.set_taps([1, 2, 3, 4, 5, 6, -7])
    locked.solve()
    assert locked.taps().tolist() == [1, 2, 3, 4, 5, 6, -7]
    locked.reset_taps()
    assert not locked.taps().any()


def test_taps_must_be_whole_and_one_per_regulator(locked):
    with pytest.raises(FeederError, match="7 regulators"):
        locked.set_taps([1, 2])
    with pytest.raises(FeederError, match="whole number"):
        locked.set_taps([0.5] * 7)


def test_switched_capacitors_are_restored_with_their_switches(tmp_path):
    extra = (
        "new capacitor.c bus1=mid phases=3 kv=4.16 kvar=600\n"
        "new capcontrol.cc capacitor=c element=line.one terminal=1 type=voltage ptratio=20 "
        "onsetting=110 offsetting=118 delay=1\n"
    )
    engine = household_engine(small_feeder(tmp_path, extra=extra))
    state = engine.control_state()
    assert engine.solve().status is SolveStatus.OK
    assert engine.control_state() != state
    assert engine.capacitor_power()[1] == pytest.approx(0.0, abs=1e-6)
    engine.reset_taps()
    assert engine.control_state() == state
    engine._dss.Solution.SolveNoControl()
    assert engine.capacitor_power()[1] < -500


# ---------------------------------------------------------------------- broken feeders


def test_a_load_on_a_mistyped_bus_is_refused_with_the_nearest_name(tmp_path):
    feeder = small_feeder(tmp_path, load="new load.lost bus1=midd.1 phases=1 kv=2.4 kw=5")
    with pytest.raises(FeederError, match=r"load\.lost is at bus 'midd'.*Did you mean bus 'mid'"):
        Engine(feeder)


def test_a_load_on_bus_nowhere_is_refused(tmp_path):
    feeder = small_feeder(tmp_path, load="new load.lost bus1=nowhere phases=3 kv=4.16 kw=5")
    with pytest.raises(
        FeederError, match=r"load\.lost is at bus 'nowhere', which nothing connects"
    ):
        Engine(feeder)


def test_a_load_on_a_phase_that_its_bus_lacks_is_refused(tmp_path):
    feeder = small_feeder(tmp_path, load="new load.wrong bus1=end.1 phases=1 kv=2.4 kw=5")
    with pytest.raises(FeederError, match=r"load\.wrong .*asks for nodes 1\.0.*has only 2"):
        Engine(feeder)


def test_a_capacitor_and_a_load_behind_an_open_line_are_refused(tmp_path):
    load = (
        "new line.three bus1=mid bus2=far phases=3 switch=yes\nopen line.three 1\n"
        "new capacitor.c bus1=far phases=3 kv=4.16 kvar=10\nnew load.dark bus1=far kv=4.16 kw=5"
    )
    with pytest.raises(FeederError, match=r"(?s)load\.dark.*no voltage even without.*capacitor\.c"):
        Engine(small_feeder(tmp_path, load=load))


def test_a_feeder_without_voltage_bases_is_told_what_to_add(tmp_path):
    feeder = small_feeder(tmp_path)
    text = feeder.read_text().replace("set voltagebases=[4.16]\ncalcvoltagebases\n", "")
    feeder.write_text(text)
    with pytest.raises(FeederError, match=r"no voltage base.*Set VoltageBases.*CalcVoltageBases"):
        Engine(feeder)


def test_a_wrong_voltage_base_under_a_delta_load_is_refused(tmp_path):
    load = "new load.delta bus1=mid.1.2 phases=1 conn=delta kv=0.48 kw=5"
    with pytest.raises(FeederError, match=r"'delta' is rated for 0\.48 kV.*SetkVBase"):
        Engine(small_feeder(tmp_path, load=load))


def test_a_feeder_without_loads_has_no_place_for_households(tmp_path):
    feeder = small_feeder(tmp_path)
    feeder.write_text(feeder.read_text().replace("new load.a", "! new load.a"))
    with pytest.raises(FeederError, match="no enabled Load"):
        Engine(feeder)


def test_a_file_without_circuit_and_one_that_does_not_compile_are_refused(tmp_path):
    empty = tmp_path / "empty.dss"
    empty.write_text("! nothing\n")
    with pytest.raises(FeederError, match=r"empty\.dss"):
        Engine(empty)
    broken = small_feeder(tmp_path, extra="new line.x bus1=mid linecode=missing")
    with pytest.raises(FeederError, match=r"small\.dss.*does not compile.*missing"):
        Engine(broken)


def test_compiling_leaves_the_working_folder_alone(tmp_path, monkeypatch):
    folder = tmp_path / "with space"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    small_feeder(folder)
    assert household_engine(Path("with space") / "small.dss").solve().status is SolveStatus.OK
    small_feeder(folder, extra="new line.x bus1=mid linecode=missing", name="broken.dss")
    with pytest.raises(FeederError):
        Engine(folder / "broken.dss")
    assert Path.cwd() == tmp_path


def test_shell_commands_stay_forbidden(locked, tmp_path):
    marker = tmp_path / "marker"
    with pytest.raises(locked._dss_error):
        locked._dss.Text.Command(f"doscmd touch {marker}")
    assert not marker.exists()


# ---------------------------------------------------------------------- places


def test_a_centre_tapped_service_gives_two_legs_and_its_cross_load_a_third(tmp_path):
    load = (
        "new transformer.t phases=1 windings=3 buses=[mid.1.0 srv.1.0 srv.0.2] "
        "conns=[wye wye wye] kvs=[2.4018 0.12 0.12] kvas=[50 50 50]\n"
        "new load.b bus1=srv.1.2 phases=2 kv=0.208 kw=4 kvar=1\n"
        "new load.c bus1=srv.1.2 phases=1 kv=0.24 kw=2\n"
        "new load.d bus1=srv.1 phases=1 kv=0.12 kw=1\n"
    )
    feeder = small_feeder(tmp_path, load=load)
    feeder.write_text(feeder.read_text().replace("[4.16]", "[4.16 0.208]"))
    engine = household_engine(feeder)
    places = {c.connection_id: c for c in engine.connections if c.bus == "srv"}
    assert places.keys() == {"srv.1", "srv.2", "srv.1.2"}
    assert places["srv.1"].p_nominal_kw == pytest.approx(3.0)
    assert places["srv.1"].kv_base == pytest.approx(0.12, rel=2e-3)
    assert places["srv.1.2"].kv_base == pytest.approx(0.24, rel=2e-3)
    engine.solve()
    np.testing.assert_allclose(engine.connection_v_pu(), 1.0, atol=2e-3)


def test_nodes_keep_their_order_when_the_loads_come_first(tmp_path):
    feeder = small_feeder(tmp_path)
    lines = feeder.read_text().splitlines()
    load = next(line for line in lines if line.startswith("new load.a"))
    lines.remove(load)
    lines.insert(3, load.replace("mid", "end.2").replace("phases=3 kv=4.16", "phases=1 kv=2.4"))
    feeder.write_text("\n".join(lines))
    engine = Engine(feeder)
    engine.solve()
    before = dict(zip(engine.node_ids, engine.node_v_pu(), strict=True))
    engine.attach_households()
    p_kw, q_kvar = nominal(engine)
    engine.set_connection_power(p_kw=p_kw, q_kvar=q_kvar)
    engine.solve()
    after = dict(zip(engine.node_ids, engine.node_v_pu(), strict=True))
    assert max(abs(before[node] - after[node]) for node in before) < 1e-3
    assert abs(after["src.1"] - 1) < 1e-3


def test_the_map_knows_distances_and_missing_coordinates(tmp_path):
    feeder_map = Engine(small_feeder(tmp_path)).feeder_map()
    assert feeder_map.source_bus == "src"
    assert {b.bus: b.distance_km for b in feeder_map.buses} == pytest.approx(
        {"src": 0.0, "mid": 2.0, "end": 2.5}
    )
    assert all(np.isnan(b.x) for b in feeder_map.buses)
    assert [b.phases for b in feeder_map.branches] == [(1, 2, 3), (2,)]


def test_settings_refuse_impossible_values():
    with pytest.raises(ValueError, match="`regulators` is 'frozen'"):
        EngineSettings(regulators="frozen")
    with pytest.raises(ValueError, match="divide by the nominal voltage"):
        EngineSettings(source_v_pu=2400.0)
    with pytest.raises(ValueError, match="`tolerance`"):
        EngineSettings(tolerance=0.0)
    with pytest.raises(ValueError, match="v_plausible_pu"):
        EngineSettings(v_plausible_pu=(1.1, 1.2))


def test_importing_the_engine_pulls_in_neither_torch_nor_opendss():
    code = (
        "import sys, opendss_models.engine; "
        "print([m for m in ('torch', 'pandas', 'opendssdirect') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert result.stdout.strip() == "[]"
