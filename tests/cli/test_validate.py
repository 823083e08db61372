"""`gradmap validate` passes a right model, catches a wrong one, and says what it cannot do."""

import json
from dataclasses import replace

import numpy as np
import pytest

import gradmap.power_flow.network as gradmap_network
import scenarios.validation.run
from gradmap.feeder import Feeder
from opendss_models.engine import Engine
from opendss_models.extract import extract_feeder
from opendss_models.reference import REFERENCE_SETTINGS, OpenDSSReference
from scenarios.validation.run import ValidationSettings, compare_solvers

FEW = ("--loadings", "12")

TWO_SOLUTIONS = """
Clear
New Circuit.jump basekv=4.16 pu=1.0 phases=3 bus1=head
New Line.first bus1=head bus2=end phases=3 r1=3.84 x1=0.01 r0=3.84 x0=0.01 c1=0 c0=0
New Load.jump bus1=end.1 phases=1 kv=2.4 kw=300 kvar=0 model=4 cvrwatts=1 cvrvars=2 vminpu=0.8
Set VoltageBases=[4.16]
CalcVoltageBases
"""

EVERYTHING = """
Clear
New Circuit.small basekv=12.47 pu=1.03 phases=3 bus1=head
New Transformer.t phases=3 windings=2 buses=(head,mid) conns=(delta,wye) kvs=(12.47,4.16)
~ kvas=(2000,2000) xhl=6 %r=0.5
New RegControl.r transformer=t winding=2 vreg=122 band=2 ptratio=20 ctprim=300 r=1 x=2
New Line.first bus1=mid bus2=end phases=3 r1=0.3 x1=0.6 r0=0.8 x0=1.8 c1=10 c0=5 length=1
~ units=km
New Line.two bus1=end bus2=far.1.2 phases=2 r1=0.3 x1=0.6 r0=0.8 x0=1.8 c1=10 c0=5
~ length=1 units=km
New Load.wye bus1=end.1.2.3 phases=3 kv=4.16 kw=600 kvar=190 model=8
~ zipv=(0.3,0.3,0.4,0.2,0.5,0.3,0.7)
New Load.leg bus1=end.3.1 phases=1 conn=delta kv=4.16 kw=150 kvar=-10 model=4
~ cvrwatts=0.8 cvrvars=2
New Load.del bus1=end.1.2.3 phases=3 conn=delta kv=4.16 kw=150 kvar=60 model=5
New Load.vv bus1=far.1.2 phases=2 kv=4.16 kw=100 kvar=30 model=1
New Generator.gen bus1=end.2 phases=1 kv=2.4 kw=80 kvar=20 model=1
New Generator.g3 bus1=end phases=3 kv=4.16 kw=200 kvar=-50 model=1
New PVSystem.pv bus1=end phases=3 kv=4.16 kva=300 pmpp=250 irradiance=0.8 pf=0.95
New Storage.st bus1=end phases=3 kv=4.16 kwrated=100 kwhrated=400 kw=60 state=discharging
New Capacitor.c bus1=end phases=3 kv=4.16 kvar=100
Set VoltageBases=[12.47,4.16]
CalcVoltageBases
"""


def test_the_bundled_feeder_agrees(gradmap, tmp_path):
    ended = gradmap("validate", "ieee123", *FEW, "--out", tmp_path / "out")
    assert ended.code == 0, ended.out
    assert "final taps equal in 12" in ended.out
    assert "610.1, 610.2, 610.3" in ended.out
    assert ended.out.splitlines()[-2] == "Within tolerance."
    found = json.loads((tmp_path / "out" / "validation.json").read_text())
    assert found["within_tolerance"] is True
    assert found["settings"]["seed"] == 1
    assert {"numpy", "torch", "opendssdirect.py", "feeder_files_sha256"} <= set(found["facts"])
    cases = {case["name"]: case for case in found["cases"]}
    assert list(cases) == ["fixed", "random_taps", "controlled", "warm_series"]
    assert all(case["n_compared"] == 12 for case in cases.values())
    errors = {(e["quantity"], e["phase"]): e for e in cases["fixed"]["errors"]}
    for phase in "ABC":
        assert 0 < errors["node voltage", phase]["max"] <= 1e-8
        assert 0 < errors["branch current", phase]["max"] <= 1e-6
    assert errors["losses", "kW"]["max"] <= 1e-6
    page = (tmp_path / "out" / "validation.html").read_text()
    assert page.count('class="chart"') == 2
    assert "http" not in page.replace("http-equiv", "")
    assert (tmp_path / "out" / "parity.svg").read_text().startswith("<svg ")


def test_json_is_the_only_output_if_asked_for_and_repeats_itself(gradmap):
    first = json.loads(gradmap("validate", "ieee123", *FEW, "--json").out)
    again = json.loads(gradmap("validate", "ieee123", *FEW, "--json").out)
    other = json.loads(gradmap("validate", "ieee123", *FEW, "--json", "--seed", "2").out)
    assert first == again
    assert first["cases"] != other["cases"]
    assert first["facts"] == other["facts"]


def test_single_precision_has_its_own_tolerance(gradmap):
    found = json.loads(gradmap("validate", "ieee123", *FEW, "--dtype", "float32", "--json").out)
    assert found["settings"]["tolerances"]["v_pu"] == 1e-6
    largest = max(e["max"] for e in found["cases"][0]["errors"] if e["quantity"] == "node voltage")
    assert 1e-8 < largest <= 1e-6


def test_households_are_compared_at_their_places(gradmap):
    ended = gradmap("validate", "ieee123", *FEW, "--households", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["within_tolerance"] is True


def test_every_load_model_and_generating_element_agrees(gradmap, tmp_path):
    path = tmp_path / "everything.dss"
    path.write_text(EVERYTHING)
    ended = gradmap("validate", path, "--loadings", "100")
    assert ended.code == 0, ended.out
    assert "2 PV systems or storage units keep the power" in ended.out
    assert "pvsystem.pv, storage.st" in ended.out


def test_a_tolerance_that_nothing_meets_is_exit_code_1(gradmap):
    ended = gradmap("validate", "ieee123", *FEW, "--tolerance-v-pu", "1e-15")
    assert ended.code == 1
    assert "Beyond tolerance." in ended.out
    assert "node voltage A is" in ended.out


# ---------------------------------------------------------------------- wrong models


def load_on_another_phase(feeder: Feeder) -> Feeder:
    connections = feeder.connections
    row = connections.element_ids.index("load.s1a")
    nodes = connections.nodes.copy()
    nodes[row, 0] = feeder.nodes.node_ids.index("1.2")
    return feeder.with_connections(replace(connections, nodes=nodes))


def impedance_one_percent_higher(feeder: Feeder) -> Feeder:
    row = [branch.branch_id for branch in feeder.branches].index("line.l13")
    branch = feeder.branches[row]
    wrong = replace(branch, z_series_ohm=1.01 * branch.z_series_ohm)
    return replace(feeder, branches=(*feeder.branches[:row], wrong, *feeder.branches[row + 1 :]))


def capacitor_gone(feeder: Feeder) -> Feeder:
    return replace(feeder, y_rest=0 * feeder.y_rest)


def constant_current_taken_for_power(feeder: Feeder) -> Feeder:
    model = feeder.connections.model.copy()
    model[model == 5] = 1
    return feeder.with_connections(replace(feeder.connections, model=model))


def limit_of_constant_power_overlooked(feeder: Feeder) -> Feeder:
    wide = np.full(len(feeder.connections), 0.5)
    return feeder.with_connections(replace(feeder.connections, v_min_pu=wide))


def regulator_holds_another_voltage(feeder: Feeder) -> Feeder:
    first, *others = feeder.regulators
    control = replace(first.control, v_reg_v=first.control.v_reg_v + 1.0)
    return replace(feeder, regulators=(replace(first, control=control), *others))


def source_turned(feeder: Feeder) -> Feeder:
    (source,) = feeder.sources
    turned = replace(source, v_open_v=source.v_open_v * np.exp(1e-6j))
    return replace(feeder, sources=(turned,))


WRONG = (
    load_on_another_phase,
    impedance_one_percent_higher,
    capacitor_gone,
    constant_current_taken_for_power,
    limit_of_constant_power_overlooked,
    regulator_holds_another_voltage,
    source_turned,
)


@pytest.mark.parametrize("spoil", WRONG)
def test_a_wrong_model_is_exit_code_1(gradmap, monkeypatch, spoil):
    def spoilt(engine, *, accept=()):
        return spoil(extract_feeder(engine, accept=accept))

    monkeypatch.setattr(scenarios.validation.run, "extract_feeder", spoilt)
    ended = gradmap("validate", "ieee123", *FEW, "--json")
    assert ended.code == 1
    found = json.loads(ended.out)
    assert found["within_tolerance"] is False
    fixed, controlled = found["cases"][0], found["cases"][2]
    if spoil is regulator_holds_another_voltage:
        assert fixed["within_tolerance"]
        assert {d["regulator"] for d in controlled["tap_differences"]} >= {"creg1a"}
    else:
        assert not fixed["within_tolerance"]
        assert fixed["restarted"] == []


# ---------------------------------------------------------------------- several solutions


class StartedLow:
    """OpenDSS itself, started at low voltages, and shifted by hand."""

    def __init__(self, reference, *, shift_pu):
        self.reference, self.shift_pu = reference, shift_pu
        self.feeder = reference.feeder

    def solve(self, p_kw, q_kvar, *, tap_ratios=None):
        v_pu = self.reference.solve(p_kw, q_kvar).node_v_pu
        solved = self.reference.solve(p_kw, q_kvar, start_v_pu=0.85 * v_pu)
        return replace(solved, node_v_pu=solved.node_v_pu + self.shift_pu)

    control_taps = None


def test_a_second_solution_of_opendss_counts_and_nothing_near_it(tmp_path):
    path = tmp_path / "jump.dss"
    path.write_text(TWO_SOLUTIONS)
    engine = Engine(path, settings=REFERENCE_SETTINGS)
    feeder = extract_feeder(engine)
    reference = OpenDSSReference(engine, feeder)
    nominal = {"p_kw": feeder.connections.p_kw, "q_kvar": feeder.connections.q_kvar}
    settings = ValidationSettings(n_loadings=200)
    (found,) = compare_solvers(
        StartedLow(reference, shift_pu=0.0), reference, **nominal, settings=settings
    )
    assert found.within
    # Between 0.8 and 1 of nominal both currents, above and below the limit of 0.8 pu, fit.
    power = found.case.p_kw[list(found.restarted), 0] / 300.0
    assert len(power) > 4
    assert 0.8 < power.min() < power.max() < 1.0
    (found,) = compare_solvers(
        StartedLow(reference, shift_pu=2e-8), reference, **nominal, settings=settings
    )
    assert not found.within
    assert found.restarted == ()


# ---------------------------------------------------------------------- bad input


def test_a_missing_feeder_is_exit_code_2(gradmap):
    ended = gradmap("validate", "nowhere.dss")
    assert ended.code == 2
    assert "no such file, nor a bundled feeder" in ended.err


@pytest.mark.parametrize(
    "option", [("--loadings", "0"), ("--dtype", "int8"), ("--tolerance-v-pu", "0")]
)
def test_impossible_options_are_exit_code_2(gradmap, option):
    assert gradmap("validate", "ieee123", *option).code == 2


def test_a_feeder_too_large_says_so(gradmap, monkeypatch):
    monkeypatch.setattr(gradmap_network, "MAX_CONNECTIONS", 5)
    ended = gradmap("validate", "ieee123", *FEW)
    assert ended.code == 2
    assert "too large for now" in ended.err


def test_what_is_not_modelled_is_named_and_can_be_accepted(gradmap, tmp_path):
    path = tmp_path / "jump.dss"
    control = "New Capacitor.bank bus1=end phases=3 kv=4.16 kvar=100\nNew CapControl.bank "
    control += "element=line.first terminal=1 capacitor=bank type=kvar onsetting=50 offsetting=-50"
    path.write_text(TWO_SOLUTIONS.replace("New Load", f"{control}\nNew Load"))
    ended = gradmap("validate", path, *FEW)
    assert ended.code == 2
    assert "capcontrol.bank (capacitor_control)" in ended.err
    ended = gradmap("validate", path, *FEW, "--accept", "capacitor_control")
    assert ended.code == 0, ended.out
    assert "Not modelled, accepted by name: " in ended.out
