"""Rows of a feeder draw what OpenDSS's elements draw at any voltage; what cannot is listed."""

import numpy as np
import pytest

from gradmap.errors import FeederError
from gradmap.feeder import LoadModel
from opendss_models.engine import Engine, EngineSettings
from opendss_models.extract import extract_feeder, unmodelled
from tests.opendss_models.network_equations import NodalAnalysis, row_currents

CIRCUIT = """
clear
new circuit.small bus1=src basekv=4.16 pu=1.0 r1=0 x1=0.0001 r0=0 x0=0.0001
new line.one bus1=src bus2=mid phases=3 r1=0.1 x1=0.2 r0=0.3 x0=0.6 c1=3 c0=1 length=2 units=km
new load.plain bus1=mid phases=3 kv=4.16 kw=30 kvar=9
{extra}
set voltagebases=[4.16]
calcvoltagebases
"""
STIFF = """
clear
new circuit.stiff bus1=src basekv=4.16 pu=1.0 r1=0 x1=0.000001 r0=0 x0=0.000001
{extra}
new load.keep bus1=src.1 phases=1 kv=2.4 kw=0 kvar=0
set voltagebases=[4.16]
calcvoltagebases
"""
REGULATOR = """new transformer.t phases=1 windings=2 buses=[mid.1 out.1] kvs=[2.4 2.4] xhl=1
~ kvas=[500 500] {unit}
new load.out bus1=out.1 phases=1 kv=2.4 kw=20
new regcontrol.r transformer=t winding=2 vreg=120 band=2 ptratio=20 {control}
"""
STORAGE = "storage.x phases=1 kv=2.4 bus1=mid.1 kwrated=40 kwhrated=90"
TIGHT = EngineSettings(tolerance=1e-11, max_iterations=1000, v_plausible_pu=(0.0, 9.0))


def engine_of(tmp_path, extra, *, circuit=CIRCUIT):
    path = tmp_path / "small.dss"
    path.write_text(circuit.format(extra=extra))
    return Engine(path, settings=TIGHT)


VOLTAGES_PU = (0.03, 0.3, 0.48, 0.53, 0.69, 0.71, 0.8, 0.94, 0.96, 1.0, 1.04, 1.06, 1.12, 1.4)


@pytest.mark.parametrize(
    "element",
    [
        "load.x bus1=src phases=3 kv=4.16 model=1",
        "load.x bus1=src phases=3 kv=4.16 model=1 vminpu=.8 vmaxpu=1.1 vlowpu=.4",
        "load.x bus1=src phases=3 kv=4.16 model=2 conn=delta",
        "load.x bus1=src.2 phases=1 kv=2.4 model=3",
        "load.x bus1=src.2.3 phases=1 kv=4.16 conn=delta model=4 cvrwatts=.8 cvrvars=2.6",
        "load.x bus1=src.1.2 phases=2 kv=4.16 model=5",
        "load.x bus1=src phases=3 kv=4.16 model=8 zipv=[.3 .2 .5 .1 .6 .3 .7]",
        "load.x bus1=src phases=3 kv=4.16 conn=delta model=8 zipv=[1.2 -.5 .3 .9 .3 -.2 0]",
        "generator.x bus1=src phases=3 kv=4.16 model=1",
        "generator.x bus1=src phases=3 kv=4.16 conn=delta model=1 vminpu=.7 vmaxpu=1.05",
        "generator.x bus1=src.3 phases=1 kv=2.4 model=2",
    ],
)
def test_a_row_draws_what_the_element_draws_at_any_voltage(tmp_path, element):
    engine = engine_of(tmp_path, f"new {element} kw=300 kvar=-110", circuit=STIFF)
    feeder = extract_feeder(engine)
    own = np.array([name.endswith(".x") for name in feeder.connections.element_ids])
    rows = feeder.connections.take(np.flatnonzero(own))
    assert np.abs(rows.p_kw.sum()) == pytest.approx(300.0)
    dss = engine.context
    for v_pu in VOLTAGES_PU:
        dss.Vsources.First()
        dss.Vsources.PU(v_pu)
        engine.solve()
        v = np.append(engine.node_v_pu() * engine.node_kv_base * 1e3, 0.0)
        i = row_currents(rows, v[rows.nodes[:, 0]] - v[rows.nodes[:, 1]])
        found = np.zeros(feeder.n_nodes + 1, dtype=complex)
        np.add.at(found, rows.nodes[:, 0], i)
        np.add.at(found, rows.nodes[:, 1], -i)
        dss.Circuit.SetActiveElement(element.split()[0])
        n = dss.CktElement.NumConductors()
        currents = np.asarray(dss.CktElement.Currents(), dtype=float).view(complex)[:n]
        expected = np.zeros(4, dtype=complex)
        np.add.at(expected, np.array(dss.CktElement.NodeOrder()[:n]) - 1, currents)
        np.testing.assert_allclose(found[:3], expected[:3], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("element", "p_kw", "q_kvar"),
    [
        ("pvsystem.x phases=3 kv=4.16 bus1=mid kva=50 pmpp=40 irradiance=.5 pf=.8", -20, -15),
        ("pvsystem.x phases=3 kv=4.16 bus1=mid kva=10 pmpp=40 irradiance=.5 kvar=-6", -8, 6),
        (f"{STORAGE} kwhstored=50 state=charging", 40, 0),
        (f"{STORAGE} kwhstored=50 state=discharging %discharge=50 kvar=3", -20, -3),
        (f"{STORAGE} state=idling", 0.4, 0),
        ("generator.x phases=1 kv=2.4 bus1=mid.1 kw=30 kvar=9", -60, -18),
        ("generator.x phases=1 kv=2.4 bus1=mid.1 kw=30 kvar=9 status=fixed", -30, -9),
    ],
)
def test_generating_elements_are_rows_with_their_present_power(tmp_path, element, p_kw, q_kvar):
    engine = engine_of(tmp_path, f"new {element}\nset genmult=2")
    engine.solve()
    feeder = extract_feeder(engine)
    own = [name.endswith(".x") for name in feeder.connections.element_ids]
    rows = feeder.connections.take(np.flatnonzero(own))
    assert rows.p_kw.sum() == pytest.approx(p_kw)
    assert rows.q_kvar.sum() == pytest.approx(q_kvar, abs=1e-12)
    assert np.all(rows.v_low_pu == 0.0)
    v_pu, _ = NodalAnalysis(feeder).solve()
    np.testing.assert_allclose(v_pu, engine.node_v_pu(), atol=1e-9)


def test_a_load_is_split_evenly_and_keeps_its_settings(tmp_path):
    line = "new load.d bus1=mid conn=delta phases=3 kv=4.16 kw=90 kvar=30 model=5 vminpu=.91"
    rows = extract_feeder(engine_of(tmp_path, f"{line} vmaxpu=1.07 vlowpu=.45")).connections
    legs = [name for name in rows.connection_ids if name.startswith("load.d")]
    assert legs == ["load.d.1.2", "load.d.2.3", "load.d.3.1"]
    np.testing.assert_allclose(rows.p_kw[3:], 30.0)
    np.testing.assert_allclose(rows.q_kvar[3:], 10.0)
    assert set(rows.model[3:]) == {LoadModel.CONSTANT_CURRENT}
    assert (rows.v_min_pu[3], rows.v_max_pu[3], rows.v_low_pu[3]) == (0.91, 1.07, 0.45)
    assert rows.kv_rated[3] == 4.16
    assert rows.kv_base[3] == pytest.approx(4.16)


def test_the_neutral_of_a_load_is_a_node_where_it_is_one(tmp_path):
    extra = (
        "new reactor.n bus1=mid.4 phases=1 r=2 x=1\n"
        "new load.w bus1=mid.1.2.3.4 phases=3 kv=4.16 kw=90\n"
        "new load.v bus1=mid.1.4 phases=1 kv=2.4 kw=200 kvar=50"
    )
    engine = engine_of(tmp_path, extra)
    feeder = extract_feeder(engine)
    assert [feeder.nodes.node_ids[k] for k in feeder.connections.nodes[-1]] == ["mid.1", "mid.4"]
    engine.solve()
    v_pu, _ = NodalAnalysis(feeder).solve()
    np.testing.assert_allclose(v_pu, engine.node_v_pu(), atol=1e-9)
    assert abs(v_pu[feeder.nodes.node_ids.index("mid.4")]) > 0.01


# ---------------------------------------------------------------------- regulators


def test_a_regulator_has_all_settings_of_its_control(tmp_path):
    unit = "wdg=2 numtaps=20 maxtap=1.08 mintap=.92 tap=1.016"
    control = "ctprim=300 r=2 x=3 delay=25 tapdelay=4 maxtapchange=2 vlimit=125"
    feeder = extract_feeder(engine_of(tmp_path, REGULATOR.format(unit=unit, control=control)))
    (regulator,) = feeder.regulators
    assert regulator.tap_ratio == 1.016
    assert regulator.tap_step == pytest.approx(0.008)
    found = regulator.control
    assert (found.v_reg_v, found.band_v, found.pt_ratio) == (120.0, 2.0, 20.0)
    assert (found.ct_primary_a, found.r_v, found.x_v) == (300.0, 2.0, 3.0)
    assert (found.delay_s, found.tap_delay_s, found.max_tap_change) == (25.0, 4.0, 2)
    assert (found.v_limit_v, found.winding_kv, found.pt_phase) == (125.0, 2.4, 0)
    assert found.monitored_nodes == ((feeder.nodes.node_ids.index("out.1"), feeder.n_nodes),)
    assert found.monitored_conductors == (2,)


def test_a_control_at_a_remote_bus_watches_it_without_line_drop_compensation(tmp_path):
    control = "r=2 x=3 tapwinding=1 bus=mid.1"
    feeder = extract_feeder(engine_of(tmp_path, REGULATOR.format(unit="", control=control)))
    (regulator,) = feeder.regulators
    assert regulator.control.ct_primary_a == 0.0
    assert regulator.control.monitored_nodes == (
        (feeder.nodes.node_ids.index("mid.1"), feeder.n_nodes),
    )
    np.testing.assert_array_equal(regulator.winding_incidence.ravel(), [1.0, -1.0, 0.0, 0.0])


# ---------------------------------------------------------------------- what is not modelled


@pytest.mark.parametrize(
    ("extra", "element", "what"),
    [
        ("new load.x bus1=mid.1 phases=1 kv=2.4 kw=3 model=6", "load.x", "load_model_6"),
        (
            "new reactor.n bus1=mid.4 phases=1 r=2 x=1\n"
            "new load.x bus1=mid.1.4 phases=1 kv=2.4 kw=3 rneut=0",
            "load.x",
            "load_neutral_impedance",
        ),
        (
            "new capacitor.c bus1=mid phases=3 kvar=30 kv=4.16\n"
            "new capcontrol.x capacitor=c element=line.one terminal=1 type=voltage",
            "capcontrol.x",
            "capacitor_control",
        ),
        ("new indmach012.x bus1=mid phases=3 kv=4.16 kw=3", "indmach012.x", "induction_machine"),
        ("new isource.x bus1=mid phases=3 amps=1", "isource.x", "current_source"),
        (
            "new generator.x bus1=mid phases=3 kv=4.16 kw=3 model=3",
            "generator.x",
            "generator_model_3",
        ),
        (
            "new generator.x bus1=mid.1.2 phases=1 conn=delta kv=4.16 kw=3",
            "generator.x",
            "single_phase_delta_limits",
        ),
        (
            "new pvsystem.x bus1=mid phases=3 kv=4.16 kva=5 pmpp=5 limitcurrent=yes",
            "pvsystem.x",
            "current_limit",
        ),
        (
            "new pvsystem.p bus1=mid phases=3 kv=4.16 kva=5 pmpp=5\n"
            "new xycurve.v npts=4 yarray=[1 1 -1 -1] xarray=[.5 .95 1.05 1.5]\n"
            "new invcontrol.x mode=voltvar vvc_curve1=v",
            "invcontrol.x",
            "inverter_control",
        ),
        ("new fuse.x monitoredobj=line.one", "fuse.x", "protection"),
        (REGULATOR.format(unit="", control="reversible=yes"), "regcontrol.r", "reverse_power"),
        (REGULATOR.format(unit="", control="inversetime=yes"), "regcontrol.r", "inverse_time"),
        (REGULATOR.format(unit="", control="ldc_z=3"), "regcontrol.r", "ldc_z"),
        (
            REGULATOR.format(unit="", control="")
            + "new regcontrol.x transformer=t winding=2 vreg=121 band=2 ptratio=20",
            "regcontrol.x",
            "shared_winding",
        ),
    ],
)
def test_what_is_not_modelled_is_refused_unless_accepted_by_kind_or_element(
    tmp_path, extra, element, what
):
    engine = engine_of(tmp_path, extra)
    (found,) = unmodelled(engine)
    assert found.element == element
    assert found.what.startswith(what)
    with pytest.raises(FeederError, match=rf"(?s)1 elements? .*{element} \({what}.*by kind"):
        extract_feeder(engine)
    for name in (found.what, element):
        assert extract_feeder(engine, accept=[name]).accepted == (f"{element}: {found.what}",)


def test_all_that_is_not_modelled_is_listed_at_once(tmp_path):
    extra = "\n".join(
        f"new load.x{k} bus1=mid.1 phases=1 kv=2.4 kw=1 model={6 + k % 2}" for k in range(24)
    )
    engine = engine_of(tmp_path, extra)
    assert len(unmodelled(engine)) == 24
    with pytest.raises(FeederError, match=r"(?s)24 elements.*\.\.\. and 4 more.*load_model_7"):
        extract_feeder(engine, accept=["load.x"])
    with pytest.raises(FeederError, match="12 elements"):
        extract_feeder(engine, accept=["load_model_6"])


def test_a_switch_control_counts_only_if_its_switch_is_not_where_it_wants_it(tmp_path):
    extra = (
        "new line.tie bus1=mid bus2=far phases=3 switch=yes\n"
        "new swtcontrol.a switchedobj=line.one\nnew swtcontrol.b switchedobj=line.tie"
    )
    engine = engine_of(tmp_path, extra)
    assert unmodelled(engine) == ()
    engine.context.Text.Command("swtcontrol.b.action=open")
    (found,) = unmodelled(engine)
    assert (found.element, found.what) == ("swtcontrol.b", "switch_control")
    engine.solve()
    assert unmodelled(engine) == ()
    assert extract_feeder(engine).branches[1].incidence.shape == (6, 0)


# ---------------------------------------------------------------------- unusual branches

AUTOTRANSFORMER = """new autotrans.a phases=3 windings=2 buses=[mid far] conns=[series wye]
~ kvs=[4.16 2.4] kvas=[1000 1000] xhx=4 taps=[1 1.02]
new load.far bus1=far phases=3 kv=2.4 kw=90 kvar=30
set voltagebases=[4.16 2.4]
calcvoltagebases"""
OPEN_TRANSFORMERS = """new transformer.a phases=3 windings=2 buses=[mid far] conns=[wye delta]
~ kvs=[4.16 .48] kvas=[100 100] xhl=4
new transformer.b phases=1 windings=2 buses=[mid.1 reg.1] kvs=[2.4 2.4] kvas=[100 100] xhl=.01
new regcontrol.b transformer=b winding=2 vreg=120 ptratio=20
open transformer.a 1
open transformer.b 2
set voltagebases=[4.16 .48]
calcvoltagebases"""
DEPENDENT_REACTOR = """new reactor.a bus1=mid bus2=far phases=3 z1=[1 2] z2=[1 2] z0=[1e12 1e12]
new capacitor.far bus1=far phases=3 kv=4.16 kvar=20
new load.far bus1=far phases=3 kv=4.16 kw=90 kvar=30 conn=delta"""


@pytest.mark.parametrize(
    ("extra", "accept"),
    [
        (AUTOTRANSFORMER, ["autotransformer"]),
        (OPEN_TRANSFORMERS, ["regulator_without_winding"]),
        (DEPENDENT_REACTOR, []),
    ],
)
def test_a_branch_without_series_parts_still_carries_its_admittance(tmp_path, extra, accept):
    engine = engine_of(tmp_path, extra)
    feeder = extract_feeder(engine, accept=accept)
    assert feeder.branches[-1].incidence.shape[1] == 0
    engine.solve()
    v_pu, _ = NodalAnalysis(feeder).solve()
    np.testing.assert_allclose(v_pu, engine.node_v_pu(), atol=1e-8)
