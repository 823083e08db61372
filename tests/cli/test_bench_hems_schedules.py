"""`gradmap bench hems-schedules` plans homes and says how they fared."""

import json

import pytest

pytest.importorskip("highspy", reason="highspy is an extra")

TINY = ("bench", "hems-schedules", "--homes", "4", "--processes", "1")


def test_the_table_and_json_have_the_counts(gradmap):
    shown = gradmap(*TINY, "--runs", "2")
    assert shown.code == 0
    assert "4 homes, 96 steps, runs of machines: 2" in shown.out
    assert "Above rules" in shown.out
    found = json.loads(gradmap(*TINY, "--json").out)
    assert (found["n_homes"], found["n_above_rules"], found["n_fallbacks"]) == (4, 0, 0)


def test_more_processes_than_cores_are_refused(gradmap):
    ended = gradmap("bench", "hems-schedules", "--homes", "4", "--processes", "256")
    assert ended.code == 2
    assert "256 processes" in ended.err
