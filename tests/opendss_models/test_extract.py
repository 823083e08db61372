"""An extracted feeder is OpenDSS's circuit: same matrix, same voltages, same branch currents."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from gradmap.errors import FeederError
from gradmap.feeder_file import feeder_fingerprint, feeder_hash, load_feeder, save_feeder
from opendss_models.engine import Engine, EngineSettings, SolveStatus
from opendss_models.extract import extract_feeder, unmodelled
from opendss_models.feeders import bundled_feeder, feeder_path
from tests.opendss_models.network_equations import NodalAnalysis, nodal_admittance

FEEDERS = Path(__file__).parents[3] / "shared" / "feeders"
EVERYTHING = Path(__file__).parents[1] / "cases" / "opendss_models" / "everything" / "master.dss"
ALL_BUT_HUGE = (
    "13Bus/IEEE13Nodeckt.dss",
    "34Bus/ieee34Mod1.dss",
    "34Bus/ieee34Mod2.dss",
    "37Bus/ieee37.dss",
    "4Bus-DY-Bal/4Bus-DY-Bal.DSS",
    "4Bus-GrdYD-Bal/4Bus-GrdYD-Bal.DSS",
    "4Bus-OYOD-UnBal/4bus-OYOD-UnBal.dss",
    "4Bus-YD-Bal/4Bus-YD-Bal.DSS",
    "4Bus-YY-Bal/4Bus-YY-Bal.DSS",
    "4Bus-YYD/YYD-Master-step1.DSS",
    "LVTestCase/Master.dss",
)
HUGE = ("8500-Node/Master.dss", "8500-Node/Master-unbal.dss")
ACCEPT = ("capacitor_control",)


def open_engine(name, *, regulators="locked"):
    if name in HUGE + ALL_BUT_HUGE and not FEEDERS.is_dir():
        pytest.skip("the collection of feeders is not beside this checkout")
    path = {"ieee123": feeder_path("ieee123"), "everything": EVERYTHING}.get(name, FEEDERS / name)
    settings = EngineSettings(
        tolerance=1e-11, max_iterations=1000, regulators=regulators, v_plausible_pu=(0.0, 9.0)
    )
    return Engine(path, settings=settings)


@contextmanager
def without_power(engine):
    """Loads and generating elements out."""
    dss = engine.context
    kinds = ("load.", "generator.", "pvsystem.", "storage.")
    names = [n for n in dss.Circuit.AllElementNames() if n.lower().startswith(kinds)]
    own = []
    for name in names:
        dss.Circuit.SetActiveElement(name)
        if dss.CktElement.Enabled():
            own.append(name)
            dss.Circuit.Disable(name)
    yield
    for name in own:
        dss.Circuit.Enable(name)


def no_load_matrix(engine):
    """OpenDSS's own system matrix and source currents, in the order of `node_ids`."""
    dss = engine.context
    mode = dss.Solution.ControlMode()
    dss.Solution.ControlMode(-1)
    with without_power(engine):
        dss.Solution.SolveNoControl()
        values, rows, starts = map(np.asarray, dss.YMatrix.getYsparse(factor=False))
        order = [node.lower() for node in dss.Circuit.YNodeOrder()]
        dss.YMatrix.ZeroInjCurr()
        dss.YMatrix.GetSourceInjCurrents()
        currents = np.asarray(dss.YMatrix.getI(), dtype=float).view(complex)[-len(order) :]
    dss.Solution.ControlMode(mode)
    row = {node: k for k, node in enumerate(order)}
    own = [row[node] for node in engine.node_ids]
    matrix = sparse.csc_matrix((values, rows, starts), shape=(len(order), len(order)))
    return matrix[own][:, own], currents[own]


def largest_difference(found, expected):
    """Largest difference relative to the diagonals of its row and column."""
    diagonal = np.abs(expected.diagonal())
    left = sparse.coo_matrix(found - expected)
    scale = np.sqrt(diagonal[left.row] * diagonal[left.col])
    return np.max(np.abs(left.data) / scale, initial=0.0)


def move_taps(engine, feeder, *, low=-9, high=9):
    """Random taps; their ratios as the engine has them."""
    rng = np.random.default_rng(0)
    engine.set_taps(rng.integers(low, high, len(feeder.regulators), endpoint=True))
    return tap_ratios(engine, feeder)


def tap_ratios(engine, feeder):
    """Present ratio of every regulated winding."""
    dss, found = engine.context, []
    for name, regulator in zip(engine.regulator_ids, feeder.regulators, strict=True):
        assert regulator.regulator_id == name
        dss.Circuit.SetActiveElement(f"regcontrol.{name}")
        winding = json.loads(dss.Element.ToJSON(1))["TapWinding"]
        dss.Circuit.SetActiveElement(feeder.branches[regulator.branch].branch_id)
        found.append(json.loads(dss.Element.ToJSON(1))["Taps"][winding - 1])
    return found


def assert_same_voltages(engine, feeder, found_pu, *, atol):
    """Floating nodes are compared by their differences: their common part is not defined."""
    difference = np.abs(found_pu - engine.node_v_pu())
    assert difference[feeder.nodes.grounded].max() < atol
    floating = np.flatnonzero(~feeder.nodes.grounded)
    bus = [feeder.nodes.node_ids[k].split(".")[0] for k in floating]
    for a, b, bus_a, bus_b in zip(floating[:-1], floating[1:], bus[:-1], bus[1:], strict=True):
        if bus_a == bus_b:
            v_pu = engine.node_v_pu()
            assert abs((found_pu[a] - found_pu[b]) - (v_pu[a] - v_pu[b])) < atol


# ---------------------------------------------------------------------- against OpenDSS


@pytest.mark.parametrize("regulators", ["locked", "as_defined"])
@pytest.mark.parametrize("name", ["ieee123", "everything", *ALL_BUT_HUGE, *HUGE])
def test_the_parts_sum_up_to_the_engines_matrix_at_any_taps(name, regulators):
    engine = open_engine(name, regulators=regulators)
    engine.solve()
    feeder = extract_feeder(engine, accept=ACCEPT)
    assert [r.tap_ratio for r in feeder.regulators] == tap_ratios(engine, feeder)
    alive = np.flatnonzero(feeder.nodes.energised)
    expected, currents = no_load_matrix(engine)
    found = nodal_admittance(feeder)
    assert largest_difference(found[alive][:, alive], expected[alive][:, alive]) < 1e-12
    ratios = move_taps(engine, feeder)
    moved, _ = no_load_matrix(engine)
    found = nodal_admittance(feeder, ratios)
    assert largest_difference(found[alive][:, alive], moved[alive][:, alive]) < 1e-12
    own = np.zeros(feeder.n_nodes + 1, dtype=complex)
    for source in feeder.sources:
        np.add.at(own, source.nodes, np.linalg.solve(source.z_ohm, source.v_open_v))
    assert np.abs(own[:-1] - currents).max() < 1e-12 * np.abs(currents).max()


@pytest.mark.parametrize("name", ["ieee123", "everything", *ALL_BUT_HUGE])
def test_voltages_from_the_parts_are_the_engines(name):
    engine = open_engine(name)
    feeder = extract_feeder(engine)
    assert engine.solve().status is SolveStatus.OK
    v_pu, _ = NodalAnalysis(feeder).solve()
    assert_same_voltages(engine, feeder, v_pu, atol=1e-8)


@pytest.mark.parametrize("name", ["ieee123", "everything", *ALL_BUT_HUGE[:4]])
@pytest.mark.parametrize(("multiplier", "low", "high"), [(0.2, 10, 14), (1.6, -9, -6)])
def test_voltages_beyond_the_loads_limits_are_the_engines(name, multiplier, low, high):
    engine = open_engine(name)
    feeder = extract_feeder(engine)
    ratios = move_taps(engine, feeder, low=low, high=high)
    engine.set_load_multiplier(multiplier)
    assert engine.solve().status is SolveStatus.OK
    is_load = np.array([name.startswith("load.") for name in feeder.connections.element_ids])
    scale = np.where(is_load, multiplier, 1.0)
    v_pu, _ = NodalAnalysis(feeder, ratios).solve(scale)
    assert_same_voltages(engine, feeder, v_pu, atol=1e-8)
    rows, v = feeder.connections, np.append(v_pu * feeder.nodes.kv_base, 0.0)
    u_pu = np.abs(v[rows.nodes[:, 0]] - v[rows.nodes[:, 1]]) / rows.kv_rated
    assert np.any((u_pu < rows.v_min_pu) | (u_pu > rows.v_max_pu))


@pytest.mark.parametrize("name", ["ieee123", "everything", *ALL_BUT_HUGE])
def test_branch_currents_and_loading_from_the_parts_are_the_engines(name):
    engine = open_engine(name)
    feeder = extract_feeder(engine)
    engine.solve()
    analysis = NodalAnalysis(feeder)
    found = analysis.branch_currents(analysis.solve()[1])
    dss, loading = engine.context, engine.loading()
    for k, (branch, i_a) in enumerate(zip(feeder.branches, found, strict=True)):
        dss.Circuit.SetActiveElement(branch.branch_id)
        expected = np.asarray(dss.CktElement.Currents(), dtype=float).view(complex)
        floor_a = 0.01 * (branch.normal_amps or 100.0)
        error = np.abs(i_a - expected) / np.maximum(np.abs(expected), floor_a)
        # The engine has them from voltage differences, which near-ideal branches round.
        y = np.abs(np.diag(np.linalg.pinv(branch.z_series_ohm))).max(initial=0.0)
        kv = feeder.nodes.kv_base.max()
        assert error.max() < 1e-6 + y * kv * 1e3 * 1e-14 / floor_a, branch.branch_id
        if k < len(loading) and branch.normal_amps:
            own = np.abs(i_a[: branch.n_phases]).max() / branch.normal_amps
            assert own == pytest.approx(loading[k], rel=1e-6, abs=1e-5)


def test_branches_start_with_the_engines_in_its_order():
    engine = open_engine("everything")
    ids = [branch.branch_id for branch in extract_feeder(engine).branches]
    assert ids == [*engine.branch_ids, "reactor.series"]


# ---------------------------------------------------------------------- what it does to the engine


def test_extracting_changes_nothing_in_the_engine_and_gives_the_same_again():
    engine, twin = (open_engine("ieee123", regulators="as_defined") for _ in range(2))
    engine.solve()
    twin.solve()
    extract_feeder(engine)
    np.testing.assert_array_equal(engine.node_v_pu(), twin.node_v_pu())
    assert engine.control_state() == twin.control_state()
    assert engine.solve() == twin.solve()
    np.testing.assert_array_equal(engine.node_v_pu(), twin.node_v_pu())
    feeder = extract_feeder(engine)
    engine.attach_households()
    assert feeder_hash(extract_feeder(engine)) == feeder_hash(feeder)


def test_households_of_the_feeder_are_those_of_the_engine():
    engine = open_engine("everything")
    feeder = extract_feeder(engine).with_households()
    engine.attach_households()
    rng = np.random.default_rng(2)
    p_kw = 0.3 * rng.uniform(0.0, 2.0, len(engine.connections))
    p_kw *= np.array([c.p_nominal_kw for c in engine.connections])
    engine.set_connection_power(p_kw=p_kw, q_kvar=0.2 * p_kw)
    assert engine.solve().status is SolveStatus.OK
    rows = feeder.connections
    n = len(engine.connections)
    assert rows.connection_ids[:n] == tuple(c.connection_id for c in engine.connections)
    assert all(name.startswith(("gen", "pv", "sto")) for name in rows.element_ids[n:])
    power = {"p_kw": rows.p_kw.copy(), "q_kvar": rows.q_kvar.copy()}
    power["p_kw"][:n], power["q_kvar"][:n] = p_kw, 0.2 * p_kw
    values = {f.name: getattr(rows, f.name) for f in fields(rows)} | power
    v_pu, _ = NodalAnalysis(feeder.with_connections(type(rows)(**values))).solve()
    assert_same_voltages(engine, feeder, v_pu, atol=1e-8)


# ---------------------------------------------------------------------- the bundled feeder


def assert_same(found, expected):
    for field in fields(expected):
        a, b = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(b, np.ndarray):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=field.name)
        elif sparse.issparse(b):
            assert abs(a - b).max() <= 1e-12 * abs(b).max()
        elif isinstance(b, tuple) and b and hasattr(b[0], "__dataclass_fields__"):
            assert len(a) == len(b)
            for one, other in zip(a, b, strict=True):
                assert_same(one, other)
        elif hasattr(b, "__dataclass_fields__"):
            assert_same(a, b)
        else:
            assert a == pytest.approx(b) if isinstance(b, float) else a == b


def test_the_bundled_feeder_is_a_fresh_extraction():
    """If not: `python -c "from opendss_models.feeders import save_bundled_feeders as s; s()"`."""
    assert_same(bundled_feeder("ieee123"), extract_feeder(Engine(feeder_path("ieee123"))))


def test_the_bundled_feeder_needs_neither_opendss_nor_torch():
    code = (
        "import sys; from opendss_models.feeders import bundled_feeder; "
        "assert len(bundled_feeder('ieee123').connections) == 95; "
        "print([m for m in ('opendssdirect', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_bundled_feeder_is_refused():
    with pytest.raises(FeederError, match="'ieee124' is not bundled, expected one of: ieee123"):
        bundled_feeder("ieee124")


@pytest.mark.parametrize("name", ["everything", "8500-Node/Master.dss"])
def test_a_feeder_survives_its_file(name, tmp_path):
    feeder = extract_feeder(open_engine(name), accept=ACCEPT)
    digest = save_feeder(feeder, tmp_path / "feeder.npz")
    loaded = load_feeder(tmp_path / "feeder.npz")
    assert digest == feeder_hash(feeder) == feeder_hash(loaded)
    assert loaded.accepted == feeder.accepted
    assert_same(loaded, feeder)


def test_fingerprint_forgives_last_bits_and_nothing_else():
    feeder = extract_feeder(open_engine("ieee123"))
    wanted = feeder_fingerprint(feeder)
    noise = 1.0 + 1e-14 * np.random.default_rng(0).standard_normal(feeder.y_rest.nnz)
    noisy = feeder.y_rest.tocsc(copy=True)
    noisy.data = noisy.data * noise
    assert feeder_hash(replace(feeder, y_rest=noisy)) != feeder_hash(feeder)
    assert feeder_fingerprint(replace(feeder, y_rest=noisy)) == wanted
    other = feeder.y_rest.tocsc(copy=True)
    other.data[np.abs(other.data).argmax()] *= 1.0 + 1e-6
    assert feeder_fingerprint(replace(feeder, y_rest=other)) != wanted
    cables = tuple(replace(one, y_shunt_s=1.02 * one.y_shunt_s) for one in feeder.branches)
    assert feeder_fingerprint(replace(feeder, branches=cables)) != wanted


def test_fingerprint_is_the_same_with_another_linear_algebra():
    # What OpenBLAS does on an old processor; a library that does not know the variable ignores it.
    code = (
        "from opendss_models.feeders import bundled_feeder\n"
        "from gradmap.feeder_file import feeder_fingerprint\n"
        "feeder = bundled_feeder('ieee123')\n"
        "print(feeder_fingerprint(feeder))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for variables in ({}, {"OPENBLAS_CORETYPE": "Prescott"}, {"OPENBLAS_CORETYPE": "Nehalem"})
    }
    assert len(found) == 1


def test_the_huge_feeder_has_nine_capacitor_controls_and_nothing_else_unmodelled():
    found = unmodelled(open_engine("8500-Node/Master.dss"))
    assert {item.what for item in found} == {"capacitor_control"}
    assert len(found) == 9
