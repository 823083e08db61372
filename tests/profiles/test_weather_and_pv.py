from __future__ import annotations

import time
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from scenarios.clock import Clock
from scenarios.profiles.pv import PvFleet, pv_available_kw
from scenarios.profiles.weather import HIGHEST_CLEARNESS, SyntheticWeather
from scenarios.schema_series import TimeSettings, WeatherSettings


def _blocks(start, *, days=1, step_min=15, timezone="Europe/London"):
    settings = TimeSettings(start=start, days=days, step_min=step_min, timezone=timezone)
    return list(Clock.from_settings(settings).blocks())


def _weather(*, seed=1, split="scenario", **settings):
    return SyntheticWeather(WeatherSettings(**settings), seed=seed, split=split)


def _fleet(n=1, *, tilt=35.0, azimuth=180.0, kwp=4.0, inverter=10.0):
    return PvFleet.group(
        tilt_deg=np.full(n, tilt),
        azimuth_deg=np.full(n, azimuth),
        kwp=np.full(n, kwp),
        inverter_kva=np.full(n, inverter),
    )


@pytest.mark.parametrize("day", ["2025-01-10", "2025-03-30", "2025-06-21", "2025-10-26"])
@pytest.mark.parametrize("cloudiness", [0.0, 0.5, 1.0])
def test_irradiance_is_bounded_by_the_clear_sky_and_zero_at_night(day, cloudiness):
    block = _blocks(f"{day} 00:00")[0]
    weather = _weather(cloudiness=cloudiness).block(block)
    assert (weather.ghi_w_per_m2 >= 0).all()
    assert (weather.ghi_w_per_m2 <= HIGHEST_CLEARNESS * weather.sun.clear_ghi_w_per_m2 + 1e-9).all()
    night = weather.sun.zenith_deg > 91
    assert night.any()
    for part in (weather.ghi_w_per_m2, weather.dni_w_per_m2, weather.dhi_w_per_m2):
        assert (part[night] == 0).all()
    assert (pv_available_kw(_fleet(), weather=weather)[night] == 0).all()


def test_beam_and_diffuse_close_to_the_global_irradiance():
    weather = _weather(cloudiness=0.3).block(_blocks("2025-05-01 00:00")[0])
    cosine = np.cos(np.deg2rad(weather.sun.zenith_deg)).clip(0)
    total = weather.dhi_w_per_m2 + weather.dni_w_per_m2 * cosine
    np.testing.assert_allclose(total, weather.ghi_w_per_m2, atol=1e-9)
    assert (weather.dhi_w_per_m2 >= -1e-9).all()


def test_the_sun_peaks_at_solar_noon_on_the_wall_clock():
    (summer,) = _blocks("2025-06-21 00:00", step_min=5)
    sun = _weather(cloudiness=0).block(summer).sun
    assert summer.hour[sun.zenith_deg.argmin()] == pytest.approx(13.0, abs=0.15)


def test_a_day_is_the_same_alone_and_in_a_longer_scenario():
    source = _weather()
    third = _blocks("2025-03-18 00:00", days=4)[2]
    alone = _blocks("2025-03-20 00:00")[0]
    np.testing.assert_allclose(
        source.block(third).temp_out_c, source.block(alone).temp_out_c, rtol=1e-12
    )
    np.testing.assert_allclose(source.block(third).ghi_w_per_m2, source.block(alone).ghi_w_per_m2)


def test_splits_and_seeds_have_other_weather():
    block = _blocks("2025-03-18 00:00")[0]
    temps = [
        _weather(seed=seed, split=split).block(block).temp_out_c[0]
        for seed in (1, 2)
        for split in ("scenario", "train", "validation", "test")
    ]
    assert len(set(temps)) == 8


def test_temperature_follows_the_climate_and_is_continuous():
    source = _weather(temp_mean_c=11.0, temp_season_c=7.0)
    blocks = _blocks("2025-01-01 00:00", days=365, step_min=60)
    temp = np.concatenate([source._temperature(block) for block in blocks])
    month = np.concatenate([np.full(len(block), block.date.month) for block in blocks])
    assert temp.mean() == pytest.approx(11.0, abs=1.0)
    assert temp[month == 7].mean() == pytest.approx(18.0, abs=2.0)
    assert temp[month == 1].mean() == pytest.approx(4.0, abs=2.0)
    assert np.abs(np.diff(temp)).max() < 3.0


def test_cloudiness_orders_the_energy_and_regimes_persist():
    days = [date(2025, 1, 1) + timedelta(days=i) for i in range(300)]
    clearness = [
        np.mean([_weather(cloudiness=c).clearness_by_minute(day).mean() for day in days[:80]])
        for c in (0.0, 0.5, 1.0)
    ]
    assert clearness[0] > 0.95
    assert clearness[0] > clearness[1] + 0.15 > clearness[2] + 0.3
    regimes = [_weather(cloudiness=0.5).regime(day) for day in days]
    assert set(regimes) == {"clear", "broken", "overcast"}
    repeats = np.mean([a == b for a, b in pairwise(regimes)])
    shares = np.array([regimes.count(r) for r in set(regimes)]) / len(regimes)
    assert repeats > (shares**2).sum() + 0.05


def test_the_southern_summer_is_in_january():
    south = _weather(latitude_deg=-33.9, longitude_deg=18.4)
    january, july = (
        _blocks(f"2025-{month}-15 00:00", timezone="Africa/Johannesburg")[0]
        for month in ("01", "07")
    )
    assert south.block(january).temp_out_c.mean() > south.block(july).temp_out_c.mean() + 5


def test_pv_is_limited_by_the_inverter_and_by_the_panels():
    weather = _weather(cloudiness=0).block(_blocks("2025-06-01 00:00")[0])
    free = pv_available_kw(_fleet(), weather=weather)
    assert 0.6 * 4.0 < free.max() < 4.0
    limited = pv_available_kw(_fleet(inverter=2.0), weather=weather)
    np.testing.assert_allclose(limited, np.minimum(free, 2.0))


def test_the_yearly_yield_in_london_is_believable():
    source = _weather()
    blocks = _blocks("2025-01-01 00:00", days=365, step_min=60)
    kwh = sum(pv_available_kw(_fleet(kwp=1.0), weather=source.block(b)).sum() for b in blocks)
    assert 750 < kwh < 1150  # PVGIS: about 1,000 kWh/kWp for a south roof


def test_east_roofs_lead_west_roofs():
    weather = _weather(cloudiness=0).block(_blocks("2025-06-01 00:00")[0])
    east = pv_available_kw(_fleet(azimuth=90.0), weather=weather)[:, 0]
    west = pv_available_kw(_fleet(azimuth=270.0), weather=weather)[:, 0]
    assert east.argmax() < west.argmax()


def test_hot_panels_yield_less():
    block = _blocks("2025-06-01 00:00")[0]
    cool = pv_available_kw(_fleet(), weather=_weather(cloudiness=0, temp_mean_c=5).block(block))
    hot = pv_available_kw(_fleet(), weather=_weather(cloudiness=0, temp_mean_c=30).block(block))
    assert hot.max() == pytest.approx(cool.max() * (1 - 0.0035 * 25), rel=0.03)


def test_roofs_of_one_orientation_are_computed_once_and_alike():
    weather = _weather(cloudiness=0).block(_blocks("2025-06-01 00:00")[0])
    fleet = _fleet(3)
    assert len(fleet.tilt_deg) == 1
    power = pv_available_kw(fleet, weather=weather)
    np.testing.assert_array_equal(power[:, 0], power[:, 2])


def test_a_day_of_500_roofs_is_fast():
    rng = np.random.Generator(np.random.PCG64(1))
    fleet = PvFleet.group(
        tilt_deg=5.0 * rng.integers(4, 10, 500),
        azimuth_deg=15.0 * rng.integers(6, 18, 500),
        kwp=rng.uniform(2, 8, 500),
        inverter_kva=np.full(500, 5.0),
    )
    weather = _weather().block(_blocks("2025-06-01 00:00")[0])
    pv_available_kw(fleet, weather=weather)
    begin = time.process_time()
    for _ in range(10):
        pv_available_kw(fleet, weather=weather)
    assert (time.process_time() - begin) / 10 * 365 < 60
