"""Our files of the 123-bus feeder give the published and the reference solutions."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from opendss_models.engine import Engine, EngineSettings, SolveStatus

REPO = Path(__file__).parents[2]
MASTER = REPO / "opendss_models" / "ieee123" / "master.dss"
CASE = REPO / "tests" / "cases" / "opendss_models" / "ieee123" / "expected.json"
REFERENCE = REPO.parent / "shared" / "reference" / "ieee123"
PUBLISHED_TAPS = [7, -1, 0, -1, 8, 1, 5]
TIGHT = EngineSettings(tolerance=1e-11)

needs_reference = pytest.mark.skipif(
    not REFERENCE.is_dir(), reason="the reference tables are not beside this checkout"
)


@pytest.fixture(scope="module")
def engine():
    return Engine(MASTER, settings=TIGHT)


@pytest.fixture(scope="module")
def locked_engine():
    return Engine(MASTER, settings=EngineSettings(tolerance=1e-11, regulators="locked"))


def _rows(name):
    return list(csv.DictReader((REFERENCE / name).read_text().splitlines()))


def _solve(engine, *, taps=None, multiplier=1.0):
    engine.reset_taps()
    if taps is not None:
        engine.set_taps(taps)
    engine.set_load_multiplier(multiplier)
    outcome = engine.solve()
    engine.set_load_multiplier(1.0)
    assert outcome.status is SolveStatus.OK, outcome
    return dict(zip(engine.node_ids, engine.node_v_pu(), strict=True))


def _reference_v_pu(column):
    v_pu, angle_deg = (
        {row["node"]: float(row[column]) for row in _rows(name)}
        for name in ("opendss_v_pu.csv", "opendss_angle_deg.csv")
    )
    return {node: v_pu[node] * np.exp(1j * np.deg2rad(angle_deg[node])) for node in v_pu}


@needs_reference
@pytest.mark.parametrize(
    ("column", "taps", "multiplier"),
    [
        ("default_controls", None, 1.0),
        ("kersting_taps", PUBLISHED_TAPS, 1.0),
        ("kersting_taps_load_0p5", PUBLISHED_TAPS, 0.5),
        ("kersting_taps_load_1p3", PUBLISHED_TAPS, 1.3),
    ],
)
def test_every_node_agrees_with_the_reference_at_every_operating_point(
    engine, locked_engine, column, taps, multiplier
):
    solver = engine if taps is None else locked_engine
    found = _solve(solver, taps=taps, multiplier=multiplier)
    expected = _reference_v_pu(column)
    assert found.keys() == expected.keys()
    assert max(abs(found[node] - expected[node]) for node in expected) < 1e-6
    summary = {row["case"]: row for row in _rows("opendss_summary.csv")}
    p_kw, q_kvar = solver.head_power()
    assert p_kw.sum() == pytest.approx(float(summary[column]["p_kw"]), abs=1e-3)
    assert q_kvar.sum() == pytest.approx(float(summary[column]["q_kvar"]), abs=1e-3)
    assert solver.losses()[0] == pytest.approx(float(summary[column]["loss_kw"]), abs=1e-4)
    taps_expected = [int(value) for key, value in summary[column].items() if "tap_" in key]
    assert solver.taps().tolist() == taps_expected


@needs_reference
def test_magnitudes_agree_with_the_published_solution_at_the_published_taps(locked_engine):
    found = _solve(locked_engine, taps=PUBLISHED_TAPS)
    phase = {"A": 1, "B": 2, "C": 3}
    error_pu = [
        abs(abs(found[f"{row['opendss_bus']}.{phase[row['phase']]}"]) - float(row["v_pu"]))
        for row in _rows("ieee123_published.csv")
        if row["opendss_bus"] != "610"
    ]
    assert len(error_pu) == 271
    assert max(error_pu) < 0.0015
    assert np.mean(error_pu) < 0.0002


@needs_reference
def test_the_map_has_the_coordinates_bases_and_phases_of_the_tables(engine):
    buses = {bus.bus: bus for bus in engine.feeder_map().buses}
    rows = _rows("buses.csv")
    assert buses.keys() == {row["bus"] for row in rows}
    for row in rows:
        bus = buses[row["bus"]]
        xy = [float(row[axis] or "nan") for axis in ("x", "y")]
        assert [bus.x, bus.y] == pytest.approx(xy, nan_ok=True)
        assert bus.kv_base == pytest.approx(float(row["kv_base_ln"]), rel=1e-6)
        assert ".".join(map(str, bus.nodes)) == row["nodes"]


def _stored(name):
    case = json.loads(CASE.read_text())
    solution = case["solutions"][name]
    v_pu = np.array(solution["v_re_pu"]) + 1j * np.array(solution["v_im_pu"])
    return solution, dict(zip(case["node_ids"], v_pu, strict=True))


def _assert_is_stored(engine, name):
    solution, expected = _stored(name)
    found = dict(zip(engine.node_ids, engine.node_v_pu(), strict=True))
    assert max(abs(found[node] - expected[node]) for node in expected) < 1e-8
    p_kw, q_kvar = engine.head_power()
    np.testing.assert_allclose(p_kw, solution["head_p_kw"], atol=1e-4)
    np.testing.assert_allclose(q_kvar, solution["head_q_kvar"], atol=1e-4)
    assert engine.losses()[0] == pytest.approx(solution["loss_kw"], abs=1e-4)
    assert engine.taps().tolist() == solution["taps"]


def test_default_controls_give_the_stored_solution(engine):
    _solve(engine)
    _assert_is_stored(engine, "spot_loads_default_controls")


def test_published_taps_give_the_stored_solution(locked_engine):
    _solve(locked_engine, taps=PUBLISHED_TAPS)
    _assert_is_stored(locked_engine, "spot_loads_published_taps")


def test_locked_regulators_with_households_give_the_stored_solution():
    engine = Engine(MASTER, settings=EngineSettings(tolerance=1e-11, regulators="locked"))
    engine.attach_households()
    engine.set_connection_power(
        p_kw=[c.p_nominal_kw for c in engine.connections],
        q_kvar=[c.q_nominal_kvar for c in engine.connections],
    )
    assert engine.solve().status is SolveStatus.OK
    _assert_is_stored(engine, "households_locked")


def test_every_line_has_the_rating_of_its_conductor_and_nothing_is_unrated(engine):
    amps = {b.branch_id: b.normal_amps for b in engine.feeder_map().branches}
    assert amps["line.l115"] == 530.0
    assert amps["line.l1"] == 230.0
    assert amps["line.l61"] == 155.0
    assert {value for key, value in amps.items() if key.startswith("line.sw")} == {600.0}
    assert amps["transformer.reg1a"] == pytest.approx(5000 / (np.sqrt(3) * 4.16))
    assert {round(value) for value in amps.values()} == {530, 230, 155, 600, 694, 833, 21}


def test_connections_hold_all_spot_loads(engine):
    assert len(engine.connections) == 95
    assert sum(c.p_nominal_kw for c in engine.connections) == pytest.approx(3490.0)
    assert sum(c.q_nominal_kvar for c in engine.connections) == pytest.approx(1920.0)
    by_id = {c.connection_id: c for c in engine.connections}
    assert by_id["35.1.2"].kv_base == pytest.approx(4.16)
    assert by_id["48.2"].p_nominal_kw == pytest.approx(70.0)
    assert by_id["48.2"].kv_base == pytest.approx(4.16 / np.sqrt(3))
    assert by_id["65.3.1"].nodes == (3, 1)


def test_only_bus_610_floats(engine):
    floating = {
        node for node, tied in zip(engine.node_ids, engine.grounded, strict=True) if not tied
    }
    assert floating == {"610.1", "610.2", "610.3"}
    assert engine.energised.all()
