"""A saved feeder comes back as it was, or not at all."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from gradmap.errors import FeederError
from gradmap.feeder import (
    Branch,
    Connections,
    Feeder,
    LoadModel,
    Nodes,
    Regulator,
    RegulatorControl,
    Source,
)
from gradmap.feeder_file import feeder_hash, load_feeder, save_feeder


def make_feeder(**changes):
    """Source, regulator with two nodes, one load; branches of different sizes."""
    line = Branch(
        branch_id="line.a",
        buses=("one", "two"),
        nodes=np.array([0, 1]),
        n_terminals=2,
        n_phases=1,
        incidence=np.array([[1.0], [-1.0]]),
        z_series_ohm=np.array([[0.1 + 0.2j]]),
        y_shunt_s=np.zeros((2, 2), dtype=complex),
        normal_amps=200.0,
    )
    unit = replace(
        line,
        branch_id="transformer.t",
        nodes=np.array([0, 2, 1, 2]),
        incidence=np.array([[1.0], [-1.0], [-1.0], [1.0]]),
        y_shunt_s=1e-9j * np.eye(4),
    )
    open_line = replace(
        line,
        branch_id="line.open",
        incidence=np.zeros((2, 0)),
        z_series_ohm=np.zeros((0, 0), dtype=complex),
    )
    control = RegulatorControl(
        v_reg_v=120.0,
        band_v=2.0,
        pt_ratio=20.0,
        ct_primary_a=0.0,
        r_v=0.0,
        x_v=0.0,
        v_limit_v=0.0,
        delay_s=15.0,
        tap_delay_s=2.0,
        max_tap_change=16,
        winding_kv=2.4,
        monitored_nodes=((1, 2),),
        monitored_conductors=(2,),
        pt_phase=0,
    )
    rows = Connections(
        connection_ids=("load.a.1",),
        element_ids=("load.a",),
        nodes=np.array([[1, 2]]),
        kv_rated=np.array([2.4]),
        kv_base=np.array([2.4]),
        model=np.array([int(LoadModel.CONSTANT_POWER)]),
        p_kw=np.array([10.0]),
        q_kvar=np.array([1 / 3]),
        v_min_pu=np.array([0.95]),
        v_max_pu=np.array([1.05]),
        v_low_pu=np.array([0.5]),
        exponents=np.zeros((1, 2)),
        zipv=np.zeros((1, 7)),
    )
    parts = {
        "name": "small",
        "nodes": Nodes(
            node_ids=("one.1", "two.1"),
            kv_base=np.array([2.4, 2.4]),
            grounded=np.array([True, True]),
            energised=np.array([True, True]),
            x=np.array([np.nan, 1.0]),
            y=np.array([np.nan, 2.0]),
            distance_km=np.array([0.0, 1.5]),
        ),
        "branches": (line, unit, open_line),
        "sources": (
            Source(
                source_id="vsource.source",
                nodes=np.array([0]),
                v_open_v=np.array([2400.0 + 0.1j]),
                z_ohm=np.array([[1e-4j]]),
                v_pu=1.0,
            ),
        ),
        "connections": rows,
        "places": rows,
        "regulators": (
            Regulator(
                regulator_id="r",
                branch=1,
                winding_incidence=np.array([[0.0], [0.0], [-1.0], [1.0]]),
                tap_ratio=1.05,
                tap_ratio_min=0.9,
                tap_ratio_max=1.1,
                n_taps=32,
                control=control,
            ),
        ),
        "y_rest": sparse.csc_matrix(np.array([[0.0, 0.0], [0.0, 1e-3j]])),
        "accepted": ("capcontrol.c: capacitor_control",),
    }
    return Feeder(**{**parts, **changes})


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "feeder.npz"
    save_feeder(make_feeder(), path)
    return path


def rewrite(path, **changes):
    """Change arrays in the file, without correcting the hash."""
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    np.savez(path, allow_pickle=False, **{**arrays, **changes})


def text_of(path):
    with np.load(path) as stored:
        return json.loads(bytes(stored["text"]).decode())


def as_bytes(text):
    return np.frombuffer(text.encode(), dtype=np.uint8)


def test_everything_comes_back_bit_by_bit(saved):
    feeder, loaded = make_feeder(), load_feeder(saved)
    assert feeder_hash(loaded) == feeder_hash(feeder)
    assert loaded.nodes.node_ids == feeder.nodes.node_ids
    np.testing.assert_array_equal(loaded.nodes.x, feeder.nodes.x)
    assert [b.incidence.shape for b in loaded.branches] == [(2, 1), (4, 1), (2, 0)]
    for branch, expected in zip(loaded.branches, feeder.branches, strict=True):
        assert branch.buses == expected.buses
        np.testing.assert_array_equal(branch.incidence, expected.incidence)
        np.testing.assert_array_equal(branch.y_shunt_s, expected.y_shunt_s)
    assert loaded.regulators[0].control == feeder.regulators[0].control
    assert loaded.connections.q_kvar[0] == 1 / 3
    assert loaded.accepted == feeder.accepted
    assert abs(loaded.y_rest - feeder.y_rest).max() == 0.0


def test_loaded_arrays_are_read_only(saved):
    with pytest.raises(ValueError, match="read-only"):
        load_feeder(saved).branches[0].incidence[0, 0] = 2.0


def test_a_feeder_without_regulators_survives(tmp_path):
    save_feeder(make_feeder(regulators=()), tmp_path / "feeder.npz")
    assert load_feeder(tmp_path / "feeder.npz").regulators == ()


def test_the_hash_is_of_the_content_and_not_of_the_file(tmp_path):
    digests = {save_feeder(make_feeder(), tmp_path / name) for name in ("a.npz", "b.npz")}
    assert digests == {feeder_hash(make_feeder())}
    assert len(digests.pop()) == 64


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"accepted": ()},
        {"regulators": ()},
        {"y_rest": sparse.csc_matrix((2, 2), dtype=complex)},
        {"branches": make_feeder().branches[::-1]},
    ],
)
def test_any_change_changes_the_hash(changes):
    assert feeder_hash(make_feeder(**changes)) != feeder_hash(make_feeder())


def test_a_changed_array_is_refused(saved):
    rewrite(saved, **{"connections.p_kw": np.array([10.000001])})
    with pytest.raises(FeederError, match=r"feeder\.npz: its content has hash .* changed"):
        load_feeder(saved)


def test_a_changed_text_is_refused(saved):
    content = text_of(saved)
    content["regulators"][0]["tap_ratio"] = 1.0
    rewrite(saved, text=as_bytes(json.dumps(content, sort_keys=True)))
    with pytest.raises(FeederError, match="its content has hash"):
        load_feeder(saved)


def test_an_added_array_is_refused(saved):
    rewrite(saved, extra=np.zeros(3))
    with pytest.raises(FeederError, match="its content has hash"):
        load_feeder(saved)


@pytest.mark.parametrize("version", [0, 2, None])
def test_another_version_is_refused_with_what_to_do(saved, version):
    content = text_of(saved) | {"version": version}
    rewrite(saved, text=as_bytes(json.dumps(content)))
    with pytest.raises(FeederError, match=rf"version is {version}, expected 1. Extract"):
        load_feeder(saved)


def test_a_foreign_npz_is_refused(tmp_path):
    np.savez(tmp_path / "foreign.npz", v=np.zeros(3))
    with pytest.raises(FeederError, match="not a feeder saved by gradmap"):
        load_feeder(tmp_path / "foreign.npz")


@pytest.mark.parametrize("content", [b"", b"clear\nnew circuit.x\n", b"PK\x03\x04 broken"])
def test_what_is_no_npz_is_refused(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(FeederError, match="not a feeder saved by gradmap"):
        load_feeder(tmp_path / "x.npz")


def test_a_pickle_is_never_opened(tmp_path):
    np.savez(tmp_path / "x.npz", text=np.array([{"a": 1}], dtype=object), sha256=np.zeros(2))
    with pytest.raises(FeederError, match="not a feeder saved by gradmap"):
        load_feeder(tmp_path / "x.npz")


def test_a_truncated_file_is_refused(saved):
    saved.write_bytes(saved.read_bytes()[:-200])
    with pytest.raises(FeederError, match="not a feeder saved by gradmap"):
        load_feeder(saved)


def test_flipped_bytes_are_refused(saved):
    content = bytearray(saved.read_bytes())
    rng = np.random.default_rng(0)
    for position in rng.integers(0, len(content), 40):
        damaged = content.copy()
        damaged[position] ^= 0x55
        saved.write_bytes(bytes(damaged))
        try:
            loaded = load_feeder(saved)
        except FeederError:
            continue
        # Some bytes of a zip archive, such as times, mean nothing.
        assert feeder_hash(loaded) == feeder_hash(make_feeder())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FeederError, match=r"nothing\.npz: no such file"):
        load_feeder(tmp_path / "nothing.npz")


def test_an_existing_file_is_replaced(saved):
    digest = save_feeder(make_feeder(name="again"), saved)
    assert load_feeder(saved).name == "again"
    assert feeder_hash(load_feeder(saved)) == digest
