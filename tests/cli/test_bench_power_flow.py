"""`gradmap bench power-flow` measures what it says; times themselves are not tested."""

import builtins
import json
import math
import os

import pytest
import torch

from gradmap.errors import MissingExtraError
from scenarios.benchmarks.cores import pinned, usable_cores
from scenarios.benchmarks.power_flow.pgm import import_pgm
from scenarios.benchmarks.power_flow.results import (
    SAME_ERROR,
    SAME_TOLERANCE,
    Row,
    opendss_peer,
    ratios,
)
from scenarios.benchmarks.power_flow.timing import Contender, Outcome, time_in_turn

TINY = ("--snapshots", "12", "--repeats", "1")
OPENDSS_ROUNDING_PU = 2e-8


def row(tool: str, kind: str, tolerance_pu: float, *, us: tuple[float, ...], error_pu: float):
    return Row(
        tool=tool,
        kind=kind,
        dtype="float64",
        tolerance_pu=tolerance_pu,
        reference="nominal" if tool == "gradmap" else "",
        batch=10,
        us=us,
        error_pu=error_pu,
    )


@pytest.fixture
def without_pgm(monkeypatch):
    """As on a machine without the extra."""
    real = builtins.__import__

    def fake(name, *args, **kwargs):
        if name.startswith("power_grid_model"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", fake)


@pytest.fixture
def cores():
    """Threads and cores of this process, which a benchmark must leave as they were."""
    before = torch.get_num_threads(), usable_cores()
    yield
    assert (torch.get_num_threads(), usable_cores()) == before


# ---------------------------------------------------------------------- the command


def test_every_row_solves_the_same_snapshots_to_its_accuracy(gradmap, cores):
    more = ("--batches", "1,20", "--processes", "1")
    ended = gradmap("bench", "power-flow", *TINY, *more, "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert (found["n_snapshots"], found["n_nodes"], found["n_connections"]) == (12, 278, 95)
    assert found["engines_differ_pu"] < OPENDSS_ROUNDING_PU
    assert found["machine"]["torch"] == torch.__version__
    rows = found["rows"]
    assert all(len(r["us"]) == 1 and 0 < r["best_us"] <= r["median_us"] for r in rows)
    for r in rows:
        if r["tool"] == "gradmap":
            assert r["error_pu"] <= r["tolerance_pu"]
            assert (r["gradient_error"] is None) == (r["kind"] == "forward")
            assert (r["gradient_error"] or 0.0) <= 10 * r["tolerance_pu"]
        elif r["kind"] == "unread":
            assert r["error_pu"] is None
        else:
            assert r["error_pu"] <= r["tolerance_pu"] + OPENDSS_ROUNDING_PU
    ours = {
        (r["dtype"], r["tolerance_pu"], r["kind"], r["reference"])
        for r in rows
        if r["tool"] == "gradmap"
    }
    assert ours == {
        (*variant, kind, reference)
        for variant in (("float64", 1e-6), ("float64", 1e-10), ("float32", 1e-6))
        for kind in ("forward", "gradient")
        for reference in ("nominal", "mean")
    }
    assert {r["kind"] for r in rows if r["tool"] == "OpenDSS"} == {
        "stepped",
        "yearly",
        "unread",
        "plain",
    }
    check_ways_of_opendss(rows)
    check_batches(found["batches"])
    check_processes(found["processes"])


def check_ways_of_opendss(rows):
    """All ways to drive OpenDSS give the same voltages."""
    of = [r for r in rows if r["tool"] == "OpenDSS" and r["tolerance_pu"] == 1e-6]
    read = {r["error_pu"] for r in of if r["kind"] in ("stepped", "yearly")}
    assert len(read) == 1
    assert {r["note"] for r in of} >= {"read by memory", "read by YNodeVArray", "not read"}


def test_what_is_not_installed_is_named(gradmap, without_pgm):
    ended = gradmap("bench", "power-flow", *TINY)
    assert ended.code == 0
    assert "pip install gradmap[peers]" in ended.out
    assert "not installed" in ended.out
    with pytest.raises(MissingExtraError, match="peers"):
        import_pgm()


def check_batches(batches):
    assert [b["batch"] for b in batches] == 6 * [1] + 6 * [20]
    for b in batches:
        assert b["us"] > 0
        assert b["results_mb"] > 0
        assert b["working_mb"] == pytest.approx(b["peak_mb"] - b["results_mb"])


def check_processes(throughput):
    ours = [t for t in throughput if t["tool"] == "gradmap"]
    assert len(ours) == 3
    for t in ours:
        (peer,) = (
            x["snapshots_per_s"]
            for x in throughput
            if x["tool"] == "OpenDSS" and x["tolerance_pu"] == t["tolerance_pu"]
        )
        assert t["over_opendss"] == pytest.approx(t["snapshots_per_s"] / peer)


@pytest.mark.parametrize(
    "option", [("--batches", "1,x"), ("--batches", "0"), ("--processes", "0"), ("--snapshots", "1")]
)
def test_impossible_options_are_exit_code_2(gradmap, option):
    assert gradmap("bench", "power-flow", *option).code == 2


def test_more_processes_than_cores_is_exit_code_2(gradmap):
    ended = gradmap("bench", "power-flow", *TINY, "--processes", "256")
    assert ended.code == 2
    assert "256 processes need as many cores" in ended.err


# ---------------------------------------------------------------------- equal accuracy


def test_equal_accuracy_has_two_meanings():
    ours = row("gradmap", "forward", 1e-6, us=(2.0, 4.0), error_pu=5e-8)
    rows = [
        ours,
        row("OpenDSS", "stepped", 1e-6, us=(20.0, 20.0), error_pu=2e-7),
        row("OpenDSS", "stepped", 1e-7, us=(30.0, 30.0), error_pu=2e-8),
        row("OpenDSS", "stepped", 1e-8, us=(40.0, 40.0), error_pu=2e-9),
        row("OpenDSS", "yearly", 1e-6, us=(25.0, 25.0), error_pu=2e-7),
    ]
    same = {(r.kind, r.meaning): r for r in ratios(rows)}
    assert set(same) == {
        ("stepped", SAME_TOLERANCE),
        ("stepped", SAME_ERROR),
        ("yearly", SAME_TOLERANCE),
    }
    assert same["stepped", SAME_TOLERANCE].best == 10.0
    assert same["stepped", SAME_TOLERANCE].median == 7.5
    assert same["stepped", SAME_ERROR].best == 15.0
    assert same["stepped", SAME_ERROR].opendss_tolerance_pu == 1e-7


def test_where_opendss_is_never_as_exact_its_same_tolerance_counts():
    ours = row("gradmap", "forward", 1e-10, us=(2.0,), error_pu=1e-12)
    rows = [
        ours,
        row("OpenDSS", "stepped", 1e-6, us=(20.0,), error_pu=2e-7),
        row("OpenDSS", "stepped", 1e-10, us=(50.0,), error_pu=4e-9),
    ]
    peer = opendss_peer(ours, rows, kind="stepped", meaning=SAME_ERROR)
    assert peer is not None
    assert peer.tolerance_pu == 1e-10


# ---------------------------------------------------------------------- timing


def test_contenders_take_turns_after_one_round_to_warm_up():
    calls = []

    def contender(name: str) -> Contender:
        return Contender(
            tool=name,
            kind="forward",
            tolerance_pu=1e-6,
            prepare=lambda: calls.append(f"prepare {name}"),
            run=lambda: calls.append(f"run {name}"),
            outcome=Outcome,
        )

    times, seen = time_in_turn(
        [contender("a"), contender("b")], repeats=2, n_snapshots=10, look=lambda c: c.tool
    )
    assert calls == ["prepare a", "run a", "prepare b", "run b"] * 3
    assert seen == ["a", "b"]
    assert all(len(own) == 2 and all(map(math.isfinite, own)) for own in times)


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system lets no process choose its core"
)
def test_pinning_ends_with_the_block(cores):
    with pinned() as core:
        assert usable_cores() == (core,)
