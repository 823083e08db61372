from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from federates.series import SeriesReader, parts
from gradmap.days import COMMON
from gradmap.errors import ScenarioError
from scenarios.clock import Clock
from scenarios.inputs import InputSource, materialise
from scenarios.population import Population, draw_population
from scenarios.schema import Scenario

CONNECTIONS = [
    SimpleNamespace(connection_id=f"{i}.1", p_nominal_kw=20.0 + 20.0 * (i % 3 == 0))
    for i in range(12)
]


def _scenario(*, n=20, start="2025-03-18 00:00", days=2, **sections):
    population = {
        "n_households": n,
        "allocation": "independent",
        "devices": {"ev_charger": 0.5},
        **sections.pop("population", {}),
    }
    return Scenario(time={"start": start, "days": days}, population=population, **sections)


def _read(folder, name):
    reader = SeriesReader(folder / "inputs" / "series" / name)
    n_rows = sum(len(pd.read_parquet(path)) for path in parts(folder / "inputs" / "series" / name))
    return reader.ids, np.array([reader.next_row(k * 900.0) for k in range(n_rows)])


def test_what_is_written_is_what_the_sources_give(tmp_path):
    scenario = _scenario()
    population = materialise(scenario, connections=CONNECTIONS, folder=tmp_path)
    clock = Clock.from_settings(scenario.time)
    source = InputSource(scenario, population=population, clock=clock)
    days = [source.day(block).series() for block in clock.blocks()]
    for name, ids in source.ids.items():
        read_ids, values = _read(tmp_path, name)
        assert list(read_ids) == ids
        np.testing.assert_array_equal(values, np.concatenate([day[name] for day in days]))
    assert _read(tmp_path, "environment")[0] == COMMON
    back = Population.read(tmp_path / "inputs")
    pd.testing.assert_frame_equal(back.households, population.households, check_dtype=False)


def test_a_run_is_reproducible_and_repeats_over_an_old_one(tmp_path):
    scenario = _scenario(days=1)
    materialise(scenario, connections=CONNECTIONS, folder=tmp_path)
    first = _read(tmp_path, "base_load_kw")[1]
    materialise(scenario, connections=CONNECTIONS, folder=tmp_path)
    np.testing.assert_array_equal(_read(tmp_path, "base_load_kw")[1], first)


def test_the_days_of_a_longer_run_are_those_of_a_shorter_one():
    long, short = _scenario(days=3), _scenario(start="2025-03-19 00:00", days=1)
    results = []
    for scenario in (long, short):
        clock = Clock.from_settings(scenario.time)
        population = draw_population(scenario, CONNECTIONS)
        source = InputSource(scenario, population=population, clock=clock)
        block = next(b for b in clock.blocks() if str(b.date) == "2025-03-19")
        results.append(source.day(block).series())
    for name, values in results[0].items():
        np.testing.assert_allclose(values, results[1][name], rtol=1e-12, err_msg=name)


def test_splits_share_the_homes_but_not_the_days():
    sources = []
    for split in ("train", "test"):
        scenario = _scenario(days=1, profiles={"split": split})
        clock = Clock.from_settings(scenario.time)
        population = draw_population(scenario, CONNECTIONS)
        source = InputSource(scenario, population=population, clock=clock)
        sources.append((population, source.day(next(clock.blocks())).series()))
    (train_homes, train), (test_homes, test) = sources
    pd.testing.assert_frame_equal(train_homes.households, test_homes.households)
    for name in ("base_load_kw", "pv_available_kw", "ev_departure_h"):
        assert not np.array_equal(train[name], test[name])


@pytest.mark.parametrize("start", ["2025-03-30 00:00", "2025-10-26 00:00"])
def test_days_of_a_clock_change_have_24_h_of_steps(tmp_path, start):
    materialise(_scenario(start=start, days=1), connections=CONNECTIONS, folder=tmp_path)
    _, environment = _read(tmp_path, "environment")
    assert len(environment) == 96
    hours = np.diff(environment[:, 0])
    assert ((hours == 0.25) | (hours == 1.25) | (hours == -0.75) | (hours == -23.75)).all()


def test_parts_follow_the_scenario_and_progress_ends_at_one(tmp_path):
    seen = []
    scenario = _scenario(federation={"part_steps": 50})
    materialise(scenario, connections=CONNECTIONS, folder=tmp_path, progress=seen.append)
    assert len(parts(tmp_path / "inputs" / "series" / "base_load_kw")) == 4
    assert seen == [0.5, 1.0]


def test_an_interrupted_run_leaves_nothing_that_looks_finished(tmp_path):
    def interrupt(_fraction):
        raise KeyboardInterrupt

    scenario = _scenario()
    materialise(scenario, connections=CONNECTIONS, folder=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        materialise(scenario, connections=CONNECTIONS, folder=tmp_path, progress=interrupt)
    assert not (tmp_path / "inputs" / "series").exists()
    materialise(scenario, connections=CONNECTIONS, folder=tmp_path)
    assert len(_read(tmp_path, "base_load_kw")[1]) == 192


def test_no_solar_and_no_vehicles_write_no_such_series(tmp_path):
    scenario = _scenario(days=1, population={"pv_share": 0.0, "devices": {"ev_charger": 0.0}})
    materialise(scenario, connections=CONNECTIONS, folder=tmp_path)
    names = {path.name for path in (tmp_path / "inputs" / "series").iterdir()}
    assert names == {"environment", "base_load_kw"}


def test_user_files_replace_the_drawn_series(tmp_path):
    rng = np.random.Generator(np.random.PCG64(1))
    scenario = _scenario(n=5, days=1)
    population = draw_population(scenario, CONNECTIONS)
    ids = population.households["household_id"]
    roofs = ids[population.households["pv_kwp"] > 0]
    files = {}
    for name, columns in (("base_load_file", ids), ("pv_file", roofs)):
        table = pd.DataFrame(rng.random((96, len(columns))), columns=list(columns))
        table.insert(0, "time_s", np.arange(96) * 900.0)
        files[name] = tmp_path / f"{name}.parquet"
        table.to_parquet(files[name])
    materialise(
        _scenario(n=5, days=1, profiles=files), connections=CONNECTIONS, folder=tmp_path / "run"
    )
    for name, series in (("base_load_file", "base_load_kw"), ("pv_file", "pv_available_kw")):
        expected = pd.read_parquet(files[name]).iloc[:, 1:].to_numpy()
        np.testing.assert_array_equal(_read(tmp_path / "run", series)[1], expected)


def test_a_wrong_user_file_leaves_no_series(tmp_path):
    path = tmp_path / "load.csv"
    path.write_text("time_s,h0001\n0,1\n900,1\n")
    scenario = _scenario(profiles={"base_load_file": path})
    with pytest.raises(ScenarioError, match=r"no column for 'h0002'"):
        materialise(scenario, connections=CONNECTIONS, folder=tmp_path / "run")
    assert not (tmp_path / "run" / "inputs" / "series").exists()


def test_a_pv_file_for_homes_without_solar_is_refused(tmp_path):
    path = tmp_path / "pv.csv"
    path.write_text("time_s,h0001\n0,1\n900,1\n")
    scenario = _scenario(population={"pv_share": 0.0}, profiles={"pv_file": path})
    with pytest.raises(ScenarioError, match=r"column 'h0001' is not expected"):
        materialise(scenario, connections=CONNECTIONS, folder=tmp_path / "run")
