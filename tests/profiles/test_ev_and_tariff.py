from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from gradmap.errors import ScenarioError
from scenarios.clock import Clock
from scenarios.profiles.ev import EvFleet, ev_day
from scenarios.profiles.tariff import tariff_source
from scenarios.schema_series import TariffSettings, TimeSettings


def _clock(start="2025-03-17 00:00", *, days=1, step_min=15):
    return Clock.from_settings(TimeSettings(start=start, days=days, step_min=step_min))


def _fleet(n=200, *, e_max_kwh=60.0):
    return EvFleet(
        household=np.arange(n), slot=np.zeros(n, dtype=np.int64), e_max_kwh=np.full(n, e_max_kwh)
    )


def _run(clock, fleet, *, split="scenario"):
    days = [ev_day(b, fleet, clock=clock, seed=1, split=split) for b in clock.blocks()]
    return (
        np.concatenate([getattr(day, name) for day in days])
        for name in ("plugged_in", "trip_kwh", "departure_h")
    )


@pytest.mark.parametrize("start", ["2025-03-17 00:00", "2025-03-29 00:00", "2025-10-25 00:00"])
def test_every_absence_ends_with_one_trip_and_energy_stays_in_the_battery(start):
    plugged, trip, departure = _run(_clock(start, days=7), _fleet())
    arrivals = (np.diff(plugged, axis=0) > 0).sum()
    assert (trip > 0).sum() == arrivals > 500
    assert (plugged[trip > 0] == 1).all()
    assert trip.max() <= 0.7 * 60
    assert (departure[plugged == 0] == 0).all()
    assert (departure >= 0).all()
    assert departure.max() <= 48


def test_departure_counts_down_to_the_step_in_which_the_vehicle_leaves():
    plugged, _, departure = _run(_clock(days=5), _fleet(50))
    for vehicle in range(50):
        for step in np.flatnonzero(np.diff(plugged[:, vehicle]) < 0):
            assert departure[step, vehicle] == 0.25
            if step >= 8 and plugged[step - 8 : step, vehicle].all():
                np.testing.assert_allclose(
                    departure[step - 8 : step + 1, vehicle], np.arange(9, 0, -1) / 4
                )


def test_most_cars_are_away_at_noon_of_a_working_day_and_home_at_night():
    plugged, trip, _ = _run(_clock(days=1), _fleet(1000))
    assert 0.2 < plugged[48].mean() < 0.7
    assert plugged[:16].mean() > 0.99
    driven = trip.sum(axis=0)
    assert 6 < driven[driven > 0].mean() < 10


def test_a_vehicle_alone_and_a_day_alone_are_the_same():
    clock = _clock(days=3)
    block = list(clock.blocks())[1]
    whole = ev_day(block, _fleet(), clock=clock, seed=1, split="scenario")
    one = EvFleet(
        household=np.array([17]), slot=np.zeros(1, dtype=np.int64), e_max_kwh=np.array([60.0])
    )
    alone = ev_day(block, one, clock=clock, seed=1, split="scenario")
    np.testing.assert_array_equal(alone.plugged_in[:, 0], whole.plugged_in[:, 17])
    tomorrow = _clock("2025-03-18 00:00")
    (other,) = tomorrow.blocks()
    same = ev_day(other, one, clock=tomorrow, seed=1, split="scenario")
    np.testing.assert_array_equal(same.plugged_in, alone.plugged_in)
    np.testing.assert_array_equal(same.trip_kwh, alone.trip_kwh)
    other_split = ev_day(block, one, clock=clock, seed=1, split="train")
    assert not np.array_equal(other_split.departure_h, alone.departure_h)


def test_two_vehicles_of_a_household_drive_apart():
    fleet = EvFleet(
        household=np.array([3, 3]), slot=np.array([0, 1]), e_max_kwh=np.array([60.0, 60.0])
    )
    plugged, _, _ = _run(_clock(days=7), fleet)
    assert not np.array_equal(plugged[:, 0], plugged[:, 1])


def _prices(clock, **settings):
    tariff = tariff_source(
        TariffSettings(**settings), clock=clock, seed=1, split="scenario", latitude_deg=51.5
    )
    blocks = [tariff.block(block) for block in clock.blocks()]
    return tuple(np.concatenate(part) for part in zip(*blocks, strict=True))


def test_tou_windows_are_wall_clock_hours_on_the_day_of_a_change():
    clock = _clock("2025-03-30 00:00")
    price, export = _prices(clock, kind="tou")
    hour = clock.hour
    assert (price[(hour >= 16) & (hour < 19)] == 0.40).all()
    assert (price[hour < 6] == 0.15).all()
    assert (price[(hour >= 6) & (hour < 16) | (hour >= 19)] == 0.25).all()
    assert (price == 0.15).sum() == 20 + 4  # an hour short, and the first of the next day
    assert (export == 0.10).all()


def test_a_flat_tariff_is_flat():
    price, _ = _prices(_clock(), kind="flat", import_price_per_kwh=0.31)
    assert set(price) == {0.31}


@pytest.mark.parametrize("kind", ["flat", "tou", "dynamic"])
def test_net_metering_pays_the_import_price_less_the_discount_in_every_step(kind):
    prices = _prices(_clock(), kind=kind, export_discount_per_kwh=0.03, export_price_per_kwh=0.5)
    assert prices[1] == pytest.approx(prices[0] - 0.03, abs=1e-12)
    full = _prices(_clock(), kind=kind, export_discount_per_kwh=0.0)
    assert (full[1] == full[0]).all()


def test_dynamic_prices_peak_in_the_evening_dip_at_noon_and_repeat_with_the_seed():
    clock = _clock("2025-05-01 00:00", days=30)
    price, export = _prices(clock, kind="dynamic")
    hourly = np.array([price[clock.hour.astype(int) == h].mean() for h in range(24)])
    assert hourly.argmax() in (17, 18)
    assert hourly[13] < 0.8 * price.mean()
    assert price.mean() == pytest.approx(0.25, rel=0.15)
    assert len(set(price[:96])) == 24
    np.testing.assert_allclose(export / price, 0.4)
    np.testing.assert_array_equal(price, _prices(clock, kind="dynamic")[0])


def test_net_metering_follows_a_file_of_import_prices_but_leaves_its_export_prices(write_series):
    hourly = np.arange(24) / 100
    path = write_series({"price_import_per_kwh": hourly}, step_s=3600)
    bought, sold = _prices(_clock(), file=path, export_discount_per_kwh=0.05)
    assert sold == pytest.approx(bought - 0.05, abs=1e-12)
    both = {"price_import_per_kwh": hourly, "price_export_per_kwh": hourly / 2}
    path = write_series(both, step_s=3600)
    bought, sold = _prices(_clock(), file=path, export_discount_per_kwh=0.05)
    assert sold == pytest.approx(bought / 2, abs=1e-12)


def test_hourly_price_files_hold_their_price(write_series):
    hourly = np.arange(24) / 100
    path = write_series({"price_import_per_kwh": hourly}, step_s=3600)
    price, export = _prices(_clock(), file=path)
    np.testing.assert_allclose(price, np.repeat(hourly, 4))
    assert (export == 0.10).all()


def test_finer_price_files_are_averaged_and_negative_prices_pass(write_series):
    fine = np.linspace(-0.1, 0.3, 288)
    path = write_series(
        {"price_import_per_kwh": fine, "price_export_per_kwh": fine / 2}, step_s=300
    )
    price, export = _prices(_clock(), file=path)
    np.testing.assert_allclose(price, fine.reshape(96, 3).mean(axis=1))
    np.testing.assert_allclose(export, price / 2)


def test_a_price_file_without_the_column_says_what_it_has(write_series):
    path = write_series({"price_imports_per_kwh": np.ones(96)})
    with pytest.raises(ScenarioError, match=r"did you mean 'price_import_per_kwh'"):
        _prices(_clock(), file=path)


def test_a_price_file_with_a_hole_names_the_row(write_series):
    values = np.ones(96)
    values[10] = np.nan
    path = write_series({"price_import_per_kwh": values})
    with pytest.raises(ScenarioError, match=r"'price_import_per_kwh' is nan in data row 11"):
        _prices(_clock(), file=path)


def test_dynamic_days_are_drawn_alone():
    month, _ = _prices(_clock("2025-05-01 00:00", days=5), kind="dynamic")
    alone, _ = _prices(_clock("2025-05-03 00:00"), kind="dynamic")
    np.testing.assert_array_equal(month[192:288], alone)
    assert date(2025, 5, 3).weekday() == 5
