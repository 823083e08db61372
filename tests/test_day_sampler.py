from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gradmap.baselines.no_control import NoControl
from gradmap.devices.fleet import Fleet
from gradmap.errors import ScenarioError
from gradmap.homes import Homes
from gradmap.power_flow.solver import PowerFlow
from gradmap.rollout import Rollout
from opendss_models.engine import Engine, EngineSettings
from opendss_models.extract import extract_feeder
from opendss_models.feeders import feeder_path
from scenarios.clock import Clock
from scenarios.day_cache import days_hash
from scenarios.day_sampler import SPLIT_SIZES, ScenarioDays
from scenarios.inputs import InputSource
from scenarios.loading import bundled_scenarios, load_scenario
from scenarios.population import draw_population
from scenarios.profiles import randomness
from scenarios.schema import Scenario

CONNECTIONS = [
    SimpleNamespace(connection_id=f"{i}.1", p_nominal_kw=20.0 + 20.0 * (i % 3 == 0))
    for i in range(12)
]
SPLITS = ("train", "validation", "test", "fresh")
SERIES = (
    "hour",
    "day_of_week",
    "price_import_per_kwh",
    "price_export_per_kwh",
    "temp_out_c",
    "ghi_w_per_m2",
    "base_load_kw",
    "pv_available_kw",
)
VEHICLE_SERIES = ("plugged_in", "trip_kwh", "departure_h")


def _scenario(*, n=12, days=1, start="2025-02-21 00:00", zone="America/Denver", **sections):
    population = {"n_households": n, **sections.pop("population", {})}
    profiles = sections.pop("profiles", {})
    site = {"latitude_deg": 39.7, "longitude_deg": -105.0, **profiles.get("weather", {})}
    time = {"start": start, "days": days, "timezone": zone, "step_min": 15}
    profiles = {**profiles, "weather": site}
    return Scenario(time=time, population=population, profiles=profiles, **sections)


def _sampler(scenario, **kwargs):
    population = draw_population(scenario, CONNECTIONS)
    return ScenarioDays(scenario, population=population, **kwargs)


def _vehicle_scenario(**sections):
    shares = {"battery": 0.2, "heat_pump": 0.4, "generator": 0.1, "ev_charger": 0.6}
    return _scenario(population={"allocation": "independent", "devices": shares}, **sections)


@pytest.fixture(scope="module")
def sampler():
    return _sampler(_scenario())


def _assert_equal(first, second):
    for name in (*SERIES, *VEHICLE_SERIES):
        a, b = getattr(first, name), getattr(second, name)
        assert (a is None) == (b is None), name
        if a is not None:
            assert torch.equal(a, b), name


def test_a_day_has_all_series_in_their_ranges(sampler):
    days = sampler.sample("train", range(5))
    assert days.n_days == 5
    assert days.n_steps == 96
    assert days.dt_h == 0.25
    assert days.base_load_kw.shape == days.pv_available_kw.shape == (5, 96, 12)
    assert torch.equal(days.hour[2], torch.arange(96, dtype=torch.float64) / 4)
    assert (days.base_load_kw > 0).all()
    assert (days.pv_available_kw >= 0).all()
    assert (days.ghi_w_per_m2[:, 48] > 20).all()
    assert (days.ghi_w_per_m2[:, 0] == 0).all()
    assert days.plugged_in is None


# Weighted sums, to 1e-9: a hash of rounded values would flip with the last bits of another machine.
PINNED = {
    "train": [-3.15542294473, 48.2858433696, 48.0842230737, 16.6467529993],
    "validation": [-8.24175954301, -253.219028674, -1.61968729576, 10.5426393586],
    "test": [1.30614052424, 529.193127236, 17.9438284091, -1.33872750524],
    "fresh": [1.11207791334, -1186.92868337, -34.581375157, -1.0468726227],
}


@pytest.mark.parametrize("split", SPLITS)
def test_days_are_the_same_on_every_machine_and_for_ever(sampler, split):
    """Shipped policies and published results refer to these days."""
    days = sampler.sample(split, [0, 7, 199])
    assert _checksum(days) == pytest.approx(PINNED[split], rel=1e-9)


def _checksum(days):
    return [
        float((value * torch.cos(torch.arange(value.numel()).double()).view_as(value)).sum())
        for value in (days.temp_out_c, days.ghi_w_per_m2, days.base_load_kw, days.pv_available_kw)
    ]


def test_a_number_is_the_same_day_whatever_else_is_asked(sampler):
    together = sampler.sample("test", [11, 3, 700])
    _assert_equal(sampler.sample("test", [3]), together.take([1]))
    _assert_equal(sampler.sample("test", [700, 11]), together.take([2, 0]))
    _assert_equal(_sampler(_scenario()).sample("test", [11]), together.take([0]))


def test_no_two_days_of_any_splits_use_the_same_random_stream(sampler, monkeypatch):
    """Every stream that is opened while a day is made has a key of that day alone."""
    opened: set[tuple[int, ...]] = set()
    make_many, make_one = randomness.generators, randomness.SeedSequence

    def many(keys):
        opened.update(map(tuple, keys.tolist()))
        return make_many(keys)

    def one(words):
        opened.add(tuple(words))
        return make_one(words)

    monkeypatch.setattr(randomness, "generators", many)
    monkeypatch.setattr(randomness, "SeedSequence", one)
    keys = {}
    for split in (*SPLITS, "scenario"):
        for number in (0, 1) if split != "scenario" else (0,):
            opened.clear()
            sampler.sample(split, [number])
            keys[split, number] = set(opened)
    assert all(len(own) > 12 for own in keys.values())
    assert len(set.union(*keys.values())) == sum(len(own) for own in keys.values())


@pytest.mark.parametrize("changed", SPLITS)
def test_other_randomness_in_one_split_changes_no_other(sampler, monkeypatch, changed):
    before = {split: sampler.sample(split, [0, 5]) for split in SPLITS}
    monkeypatch.setitem(randomness._SPLITS, changed, 7)
    for split in SPLITS:
        after = sampler.sample(split, [0, 5])
        if split != changed:
            _assert_equal(after, before[split])
        else:
            assert not torch.equal(after.temp_out_c, before[split].temp_out_c)
            assert (after.base_load_kw != before[split].base_load_kw).double().mean() > 0.9


def test_no_two_weather_days_are_alike_within_or_across_splits(sampler):
    days = [sampler.sample(split, range(120)) for split in SPLITS]
    temp_c = torch.cat([part.temp_out_c for part in days]).round(decimals=6)
    clear = torch.cat([part.ghi_w_per_m2 for part in days]).round(decimals=6)
    assert len(torch.unique(temp_c, dim=0)) == 120 * len(SPLITS)
    assert len(torch.unique(clear, dim=0)) == 120 * len(SPLITS)


def test_days_of_the_splits_are_alike_in_kind_and_independent(sampler):
    parts = [sampler.sample(split, range(150)) for split in SPLITS]
    daily = [part.temp_out_c.mean(dim=1) for part in parts]
    load = [part.base_load_kw.sum(dim=(1, 2)) for part in parts]
    for values in (daily, load):
        means = torch.stack([value.mean() for value in values])
        error = torch.stack([value.std() for value in values]).mean() / 150**0.5
        assert means.max() - means.min() < 4.5 * error
        together = torch.corrcoef(torch.stack(values))
        assert together[~torch.eye(len(SPLITS), dtype=torch.bool)].abs().max() < 0.3
        # Consecutive numbers are no consecutive days: nothing is remembered.
        for value in values:
            assert torch.corrcoef(torch.stack([value[1:], value[:-1]]))[0, 1].abs() < 0.3


def test_a_split_samples_its_season_evenly():
    sampler = _sampler(_scenario(profiles={"season_days": 14}))
    dates = [sampler.calendar_date("train", number) for number in range(700)]
    wanted = {date(2025, 2, 14).toordinal() + k for k in range(14)}
    counts = np.unique([day.toordinal() for day in dates], return_counts=True)
    assert set(counts[0].tolist()) == wanted
    assert counts[1].min() > 25  # 50 expected
    days = sampler.sample("train", range(20))
    assert days.day_of_week[:, 0].tolist() == [day.weekday() for day in dates[:20]]


def test_days_on_which_the_clock_changes_are_left_out():
    sampler = _sampler(_scenario(start="2025-03-09 00:00", profiles={"season_days": 3}))
    dates = {sampler.calendar_date("train", number) for number in range(60)}
    assert dates == {date(2025, 3, 8), date(2025, 3, 10)}
    with pytest.raises(ScenarioError, match="no day of 24 h"):
        _sampler(_scenario(start="2025-03-09 00:00", profiles={"season_days": 1}))


@pytest.mark.parametrize("make", [_scenario, _vehicle_scenario])
def test_the_scenario_s_own_days_are_those_that_a_run_simulates(make):
    scenario = make(days=2, tariff={"kind": "dynamic"})
    population = draw_population(scenario, CONNECTIONS)
    days = ScenarioDays(scenario, population=population).sample("scenario", [0, 1])
    clock = Clock.from_settings(scenario.time)
    source = InputSource(scenario, population=population, clock=clock)
    homes = population.households
    fleet = Fleet.from_tables(population.devices, household_ids=homes["household_id"].tolist())
    for number, block in enumerate(clock.blocks()):
        series = source.day(block).series()
        for name, column in zip(SERIES, series["environment"].T, strict=False):
            assert torch.equal(getattr(days, name)[number], torch.from_numpy(column)), name
        assert np.array_equal(days.base_load_kw[number], series["base_load_kw"])
        has_pv = homes["pv_kwp"].to_numpy() > 0
        np.testing.assert_allclose(
            days.pv_available_kw[number][:, has_pv], series["pv_available_kw"], rtol=1e-12
        )
        assert (days.pv_available_kw[number][:, ~has_pv] == 0).all()
        for name in VEHICLE_SERIES if "ev_charger" in population.devices else ():
            column_of = {agent: k for k, agent in enumerate(fleet.agent_ids)}
            vehicles = source.ids[f"ev_{name}"]
            own = [column_of[agent] for agent in vehicles]
            values = getattr(days, name)[number]
            assert np.array_equal(values[:, own], series[f"ev_{name}"])
            others = np.setdiff1d(np.arange(fleet.n_agents), own)
            assert (values[:, others] == (1.0 if name == "plugged_in" else 0.0)).all()


def test_homes_and_devices_are_the_same_in_all_splits():
    tables = [
        draw_population(_scenario(profiles={"split": split}), CONNECTIONS) for split in SPLITS
    ]
    for other in tables[1:]:
        assert other.households.equals(tables[0].households)
        for kind, table in tables[0].devices.items():
            assert other.devices[kind].equals(table)


def test_days_on_disk_are_the_days_and_another_scenario_does_not_find_them(tmp_path):
    scenario = _vehicle_scenario()
    made = _sampler(scenario, cache_folder=tmp_path).sample("test", [4, 2])
    (file,) = tmp_path.iterdir()
    stamp = file.stat().st_mtime_ns
    _assert_equal(_sampler(scenario, cache_folder=tmp_path).sample("test", [4, 2]), made)
    assert file.stat().st_mtime_ns == stamp
    _sampler(scenario, cache_folder=tmp_path).sample("test", [2, 4])
    assert len(list(tmp_path.iterdir())) == 2
    changes = (
        {"seed": 2},
        {"tariff": {"kind": "flat"}},
        {"profiles": {"weather": {"cloudiness": 0.2}}},
        {"start": "2025-02-22 00:00"},
    )
    hashes = {
        days_hash(changed, population=draw_population(changed, CONNECTIONS))
        for changed in (scenario, *(_vehicle_scenario(**change) for change in changes))
    }
    assert len(hashes) == 1 + len(changes)


def test_days_for_once_stay_out_of_the_cache(tmp_path):
    scenario = _vehicle_scenario()
    cached = _sampler(scenario, cache_folder=tmp_path)
    _assert_equal(cached.sample("train", [3], keep=False), _sampler(scenario).sample("train", [3]))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("split", ["validation", "test", "train", "scenario"])
def test_numbers_beyond_a_split_are_refused(sampler, split):
    size = SPLIT_SIZES.get(split, 1)
    sampler.calendar_date(split, size - 1)
    for number in (-1, size):
        with pytest.raises(ScenarioError, match=f"Day {number} of split '{split}'"):
            sampler.sample(split, [0, number])


def test_unknown_splits_and_no_days_are_refused(sampler):
    with pytest.raises(ScenarioError, match="Split 'tests' is unknown, expected one of scenario"):
        sampler.sample("tests", [0])
    with pytest.raises(ScenarioError, match="no numbers"):
        sampler.sample("test", [])


def test_series_from_files_cannot_be_sampled(tmp_path):
    scenario = _scenario(tariff={"file": tmp_path / "prices.csv"})
    with pytest.raises(ScenarioError, match=r"`tariff.file` gives one course of events"):
        _sampler(scenario)


def test_the_reference_case_is_hard_at_midday_and_in_the_evening():
    """A sample of what docs/reference_case.md reports for all 1,000 test days (92 %)."""
    scenario = load_scenario(bundled_scenarios()["ieee123_1000_agents"])
    settings = EngineSettings(regulators="locked", source_v_pu=scenario.feeder.source_v_pu)
    engine = Engine(feeder_path(scenario.feeder.source), settings=settings)
    feeder = extract_feeder(engine).with_households()
    population = draw_population(scenario, engine.connections)
    homes = population.households
    fleet = Fleet.from_tables(
        population.devices, household_ids=homes["household_id"].tolist(), dtype=torch.float32
    )
    rollout = Rollout(
        fleet=fleet,
        homes=Homes.on_feeder(
            feeder,
            connection_ids=homes["connection_id"].tolist(),
            power_factor=homes["power_factor"].tolist(),
            dtype=torch.float32,
        ),
        flow=PowerFlow(feeder, dtype=torch.float32),
    )
    days = ScenarioDays(scenario, population=population).sample("test", range(24))
    with torch.no_grad():
        trajectory = rollout.run(NoControl(fleet), days)
    assert (trajectory.status == 0).all()
    v_pu = trajectory.by_day(trajectory.solution.node_v_pu().abs())
    v_pu = v_pu[..., torch.from_numpy(feeder.nodes.energised & feeder.nodes.grounded)]
    hour = days.hour[0]

    def breaks(start_h, end_h):
        during = v_pu[:, (hour >= start_h) & (hour < end_h)]
        return (during.amax(dim=(1, 2)) > 1.06) | (during.amin(dim=(1, 2)) < 0.94)

    assert (breaks(10, 15) & breaks(16, 22)).double().mean() > 0.8
