from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from gradmap.errors import ScenarioError
from scenarios.benchmarks.base_load import (
    coincidence,
    compare,
    difference,
    main,
    read_profiles,
    synthetic_profiles,
)
from scenarios.clock import MINUTES_PER_DAY, Clock
from scenarios.profiles.base_load import base_load_kw, minute_load_kw
from scenarios.profiles.load_traits import draw_traits
from scenarios.profiles.randomness import Draws
from scenarios.profiles.weather import darkness_by_minute
from scenarios.schema_series import TimeSettings

REFERENCE = (
    Path(__file__).parents[3] / "shared" / "feeders" / "LVTestCase" / "Daily_1min_100profiles"
)
DAY = date(2025, 3, 18)
DARK = darkness_by_minute(DAY, timezone="Europe/London", latitude_deg=51.5, longitude_deg=-0.1)


def _traits(number, *, occupants=2.0, scale=1.0, seed=1):
    number = np.asarray(number)
    return draw_traits(
        seed=seed,
        number=number,
        occupants=np.full(len(number), occupants),
        scale=np.full(len(number), scale),
    )


def _minutes(traits, *, day=DAY, seed=1, split="scenario"):
    return minute_load_kw(day, traits, seed=seed, split=split, darkness=DARK)


def test_a_household_alone_is_the_same_as_in_the_batch():
    batch = _minutes(_traits(np.arange(300)))
    for household in (0, 137, 299):
        np.testing.assert_array_equal(_minutes(_traits([household]))[0], batch[household])


def test_steps_are_the_means_of_the_minutes_whatever_the_chunks():
    block = next(Clock.from_settings(TimeSettings(start=f"{DAY} 00:00")).blocks())
    traits = _traits(np.arange(600))
    steps = base_load_kw(block, traits, seed=1, split="scenario", darkness=DARK)
    expected = _minutes(traits).reshape(600, 96, 15).mean(axis=-1).T
    np.testing.assert_allclose(steps, expected, rtol=1e-12, atol=1e-14)


def test_seed_split_day_and_household_all_change_the_day():
    traits = _traits([5])
    base = _minutes(traits)
    assert not np.array_equal(base, _minutes(traits, seed=2))
    assert not np.array_equal(base, _minutes(traits, split="train"))
    assert not np.array_equal(base, _minutes(traits, day=date(2025, 3, 19)))
    assert not np.array_equal(base, _minutes(_traits([6])))


def test_load_never_falls_below_standby_and_scales():
    traits = _traits(np.arange(200))
    load = _minutes(traits)
    assert (load >= traits.standby_kw).all()
    assert load.max() < 30
    np.testing.assert_allclose(_minutes(_traits(np.arange(200), scale=2.5)), 2.5 * load)


def test_more_people_use_more_energy():
    energy = [
        _minutes(_traits(np.arange(400), occupants=people)).mean() for people in (1.0, 2.0, 5.0)
    ]
    assert energy[0] < energy[1] < energy[2]
    assert 1.5 < energy[2] / energy[0] < 5


def test_dark_days_need_more_light():
    traits = _traits(np.arange(200))
    assert (
        minute_load_kw(DAY, traits, seed=1, split="scenario", darkness=np.ones(MINUTES_PER_DAY))
        >= _minutes(traits)
    ).all()
    winter, summer = (
        darkness_by_minute(day, timezone="Europe/London", latitude_deg=51.5, longitude_deg=0.0)
        for day in (date(2025, 12, 21), date(2025, 6, 21))
    )
    assert winter.mean() > summer.mean() + 0.2


def test_statistics_stay_in_their_bands():
    """Bands around typical European homes without electric heating."""
    profiles = synthetic_profiles(days=[DAY], n_households=600, seed=3)
    energy = profiles.mean(axis=1) * 24
    assert 7.0 < energy.mean() < 9.5
    assert 4.0 < np.percentile(energy, 10) < 6.0
    assert 10.0 < np.percentile(energy, 90) < 14.0
    peak_per_home = coincidence(profiles, n_samples=30)
    assert 4.0 < peak_per_home[1][0] < 6.5
    assert 0.6 < peak_per_home[100][1] < 0.95
    hourly = profiles.mean(axis=0).reshape(24, 60).mean(axis=1)
    assert 17 <= hourly.argmax() <= 21
    assert hourly[2:5].mean() < 0.35 * hourly.max()


def test_weekends_are_fuller_by_day_than_working_days():
    friday, saturday = (
        synthetic_profiles(days=[day], n_households=500, seed=1)
        for day in (date(2025, 3, 21), date(2025, 3, 22))
    )
    noon = slice(10 * 60, 15 * 60)
    assert saturday[:, noon].mean() > 1.1 * friday[:, noon].mean()


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="reference profiles are not in this checkout")
def test_agreement_with_measured_style_profiles_is_as_documented():
    reference = read_profiles(REFERENCE)
    synthetic = synthetic_profiles(days=[DAY], n_households=600, seed=1)
    assert difference(compare(reference, synthetic)) < 0.10


def test_the_benchmark_prints_a_table_and_draws_a_figure(tmp_path, capsys):
    rng = np.random.Generator(np.random.PCG64(1))
    for home in range(100):
        np.savetxt(tmp_path / f"{home}.txt", 0.1 + rng.random(MINUTES_PER_DAY))
    figure = tmp_path / "figure.png"
    main(["--profiles", str(tmp_path), "--households", "100", "--figure", str(figure)])
    assert "| daily energy, mean [kWh] |" in capsys.readouterr().out
    assert figure.stat().st_size > 10_000


def test_the_benchmark_names_a_folder_without_profiles_and_a_short_profile(tmp_path):
    with pytest.raises(ScenarioError, match=r"no \*\.txt"):
        read_profiles(tmp_path)
    np.savetxt(tmp_path / "short.txt", np.ones(10))
    with pytest.raises(ScenarioError, match=r"short\.txt: 10 values, expected 1440"):
        read_profiles(tmp_path)


def test_draws_say_when_a_block_is_too_narrow():
    with pytest.raises(IndexError, match=r"Raise `n_draws`"):
        Draws(np.zeros((2, 3))).uniform(columns=4)
