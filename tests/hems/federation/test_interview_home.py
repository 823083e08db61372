"""Interviewed homes as the optimiser's homes: windows, prices, wishes, what is not touched."""

import numpy as np
import pytest

pytest.importorskip("highspy", reason="highspy is an extra")

from federates.hems.adapters.hours import CarUse, Steps, inside
from federates.hems.adapters.interview_home import DayAhead, interview_home
from federates.hems.controller.usual_load import UsualLoad
from federates.hems.optimiser.planner import Scheduler
from federates.hems.parameters.devices import Interval
from gradmap.errors import ScenarioError
from tests.hems.federation.homes import home

N = 96


def steps(*, day=0, n_days=1):
    hour = np.tile(np.arange(N) / 4, n_days)
    weekday = (day + np.repeat(np.arange(n_days), N)) % 7
    return Steps(hour=hour, day_of_week=weekday.astype(float), dt_h=0.25)


def day_ahead(when=None, **changes):
    when = when or steps()
    sun = np.maximum(np.sin((when.hour - 7) / 10 * np.pi), 0) * (when.hour > 7) * (when.hour < 17)
    return DayAhead(steps=when, temp_out_c=5.0 + 0 * sun, ghi_w_per_m2=500 * sun, **changes)


def planned(said, **changes):
    return interview_home(said.parameters, day_ahead(**changes))


def test_a_whole_home_is_planned_and_keeps_what_its_people_want():
    made, forecast = planned(home())
    plan = Scheduler().plan(made, forecast)
    assert plan.optimised
    assert set(made.names) == {
        "battery",
        "ev_1",
        "heating",
        "hot_water",
        "dishwasher",
        "generator",
        "pv",
    }
    broken = {(x.device, x.kind) for x in plan.result.broken}
    assert broken <= {("heating", "below")}  # a cold start at the night temperature
    running = plan.result.p_kw["dishwasher"] > 0.1
    assert running.sum() == 6
    hour = np.arange(N)[running] / 4
    assert hour.min() >= 8
    assert hour.max() < 22
    car = made.vehicles[0]
    assert plan.result.states["ev_1"][car.departures[0][0]] == pytest.approx(0.8 * 52.0)


def test_weekends_of_a_car_that_stays_at_home():
    friday = steps(day=4, n_days=3)
    car = planned(home(), when=friday)[0].vehicles[0]
    away = ~car.plugged_in
    assert away[:N].any()
    assert not away[N:].any()
    assert np.flatnonzero(car.trip_kwh).tolist() == [70]
    assert car.departures == ((32, pytest.approx(41.6)),)
    used = planned(home(evs__1__weekend_use="same"), when=friday)[0].vehicles[0]
    assert [step for step, _ in used.departures] == [32, 32 + N, 32 + 2 * N]


def test_a_night_shift_is_away_over_midnight():
    use = CarUse(departure_h=21.0, arrival_h=6.5, weekend=False, trip_kwh=5.0)
    away = use.away(steps(day=0, n_days=7)).reshape(7, N)
    hour = np.arange(N) / 4
    assert not away[0][hour < 21].any()  # Sunday night was free
    assert away[0][hour >= 21].all()
    assert away[1][hour < 6.5].all()
    assert away[5][hour < 6.5].all()
    assert not away[5][hour >= 6.5].any()


def test_spans_run_over_midnight_and_whole_days():
    hour = np.arange(24.0)
    night = inside((Interval(start="22:00", end="06:00"),), hour)
    assert np.flatnonzero(~night).tolist() == list(range(6, 22))
    assert inside((Interval(start="00:00", end="24:00"),), hour).all()


def test_own_tariffs_become_prices():
    peak = ({"start": "16:00", "end": "19:00"},)
    tou = home(
        tariff__kind="time_of_use",
        tariff__peak_price_per_kwh=0.4,
        tariff__off_peak_price_per_kwh=0.2,
        tariff__peak_hours=peak,
        tariff__export_price_per_kwh=0.05,
    )
    forecast = planned(tou).forecast
    assert (forecast.price_import_per_kwh[64:76] == 0.4).all()
    assert (forecast.price_import_per_kwh == 0.4).sum() == 12
    assert (forecast.price_export_per_kwh == 0.05).all()
    dynamic = home(tariff__kind="dynamic")
    with pytest.raises(ScenarioError, match=r"`tariff\.kind` is dynamic"):
        planned(dynamic)
    prices = np.linspace(0.1, 0.3, N)
    forecast = planned(dynamic, price_import_per_kwh=prices).forecast
    np.testing.assert_array_equal(forecast.price_import_per_kwh, prices)


def test_what_is_never_touched_is_load_and_not_planned():
    said = home(flexibility__never_touch=("ev", "heat_pump", "pv"))
    made, forecast = planned(said)
    assert set(made.names) == {"battery", "hot_water", "dishwasher", "generator", "pv"}
    assert not made.pv.curtailable
    free = planned(home()).forecast
    more_kw = forecast.base_load_kw - free.base_load_kw
    assert more_kw.min() >= 0
    assert more_kw.max() > 7.0  # the car charges on arrival
    np.testing.assert_array_equal(forecast.pv_available_kw, free.pv_available_kw)


def test_comfort_follows_day_night_and_absence():
    away = ({"start": "00:00", "end": "09:00"}, {"start": "17:00", "end": "24:00"})
    heater = planned(home(household__home_weekday=away))[0].heaters[0]
    ends = (np.arange(N) + 1) / 4 % 24
    assert (heater.temp_min_c[(ends >= 9) & (ends < 17)] == 17.0).all()
    assert (heater.temp_min_c[(ends >= 7) & (ends < 9)] == 21.0).all()
    assert (heater.temp_min_c[ends < 6] == 18.5).all()
    weekend = planned(home(household__home_weekday=away), when=steps(day=5))[0].heaters[0]
    assert (weekend.temp_min_c[(ends >= 9) & (ends < 17)] == 21.0).all()


def test_usual_load_is_the_mean_of_the_days_seen_or_the_latest_reading():
    usual = UsualLoad(2, dt_h=1.0)
    usual.see(7.0, np.array([1.0, 2.0]))
    ahead = usual.ahead(np.array([7.0, 8.0]))
    np.testing.assert_array_equal(ahead, [[1.0, 2.0], [1.0, 2.0]])
    usual.see(8.0, np.array([5.0, 5.0]))
    usual.see(7.0, np.array([3.0, 2.0]))
    np.testing.assert_array_equal(usual.ahead(np.array([7.0, 8.0])), [[2.0, 2.0], [5.0, 5.0]])
