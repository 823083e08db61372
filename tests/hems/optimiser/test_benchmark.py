"""The benchmark plans drawn homes, and its homes stay the same whatever their number."""

import pytest

pytest.importorskip("highspy", reason="highspy is an extra")

from scenarios.benchmarks.hems_schedules.benchmark import time_schedules
from scenarios.benchmarks.hems_schedules.homes import draw_cases


def test_benchmark_counts_homes_and_finds_none_above_rules():
    timing = time_schedules(8, n_processes=1, runs=2)
    assert timing.n_homes == 8
    assert timing.n_above_rules == timing.n_fallbacks == timing.n_not_optimal == 0
    assert 0.0 < timing.median_ms <= timing.longest_ms


def test_a_home_does_not_depend_on_how_many_are_drawn():
    few, many = draw_cases(2, seed=4), draw_cases(5, seed=4)
    for a, b in zip(few, many, strict=False):
        assert (a.forecast.base_load_kw == b.forecast.base_load_kw).all()
        assert a.home.names == b.home.names
