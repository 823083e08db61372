"""Homes whose wishes cannot be kept get a plan and are told what conflicts, with both numbers."""

import numpy as np
import pytest

pytest.importorskip("highspy", reason="highspy is an extra")

from federates.hems.optimiser.conflicts import find_conflicts
from federates.hems.optimiser.home_model import Home
from federates.hems.optimiser.planner import Scheduler
from federates.hems.optimiser.state import State
from tests.hems.optimiser.small_home import (
    N,
    heater,
    small_forecast,
    small_home,
    tank,
    vehicle,
    washer,
)


def plan_and_conflicts(home, forecast=None, state=None):
    forecast = forecast or small_forecast()
    plan = Scheduler().plan(home, forecast, state=state)
    assert plan.optimised
    return plan, {x.device: x for x in find_conflicts(home, forecast, plan.result, state=state)}


def test_home_whose_wishes_can_be_kept_has_no_conflict():
    plan, conflicts = plan_and_conflicts(small_home())
    assert conflicts == {}
    assert plan.result.wish_cost == 0.0
    assert plan.slack_by_device == {}


def test_vehicle_that_cannot_be_full_in_time():
    car = vehicle(charger_kw=2.0, soc_init=0.2)
    _, conflicts = plan_and_conflicts(Home(vehicles=(car,)))
    found = conflicts["ev"]
    assert found.wished == 48.0
    assert found.got == pytest.approx(12.0 + 7.5 * 2.0 * 0.95)
    assert "48.0 kWh are wished at 07:30, 26.2 kWh are reached" in found.text
    assert "2.0 kW for 7.5 h plugged in charge at most 14.2 kWh" in found.text


def test_trip_longer_than_the_charge():
    trip_kwh = np.zeros(N)
    trip_kwh[36] = 70.0
    home, forecast = Home(vehicles=(vehicle(trip_kwh=trip_kwh),)), small_forecast()
    plan = Scheduler().plan(home, forecast)
    trip, reserve = find_conflicts(home, forecast, plan.result)
    assert "18:00 takes 70.0 kWh, but 60.0 kWh were stored" in trip.text
    assert "the reserve of 12.0 kWh is missed for" in reserve.text
    assert plan.result.unmet_kwh == pytest.approx(10.0)  # it leaves full


def test_minimum_above_maximum_at_20_below():
    home = Home(heaters=(heater(temp_min_c=np.full(N, 23.0), temp_max_c=np.full(N, 19.0)),))
    _, conflicts = plan_and_conflicts(home, small_forecast(temp_out_c=-20.0))
    text = conflicts["heating"].text
    assert "At least 23.0 and at most 19.0 degC contradict each other" in text


def test_heating_too_small_for_the_cold():
    home = Home(heaters=(heater(p_max_kw=1.0, carnot_fraction=None),))
    plan, conflicts = plan_and_conflicts(home, small_forecast(temp_out_c=-20.0))
    text = conflicts["heating"].text
    assert "With 1.0 kW from the start on" in text
    assert "at -20 degC outside" in text
    assert plan.result.p_kw["heating"] == pytest.approx(np.full(N, 1.0))


def test_import_limit_below_the_base_load():
    home = small_home(import_limit_kw=0.2, pv=None, batteries=(), generators=())
    plan, conflicts = plan_and_conflicts(home)
    assert "Import limit 0.2 kW" in conflicts["import"].text
    assert "the base load alone is" in conflicts["import"].text
    # The fuse comes first: nothing but the base load runs.
    assert plan.result.net_kw == pytest.approx(small_forecast().base_load_kw)


def test_window_shorter_than_a_run():
    home = Home(appliances=(washer(earliest=16, latest=18),))
    plan, conflicts = plan_and_conflicts(home)
    assert "0 of 1 runs are done by 09:00" in conflicts["washer"].text
    assert "A run takes 120 min, but at most 60 min" in conflicts["washer"].text
    assert not plan.result.p_kw["washer"].any()


def test_predecessor_that_ends_too_late():
    first = washer(earliest=36, latest=44)
    home = Home(appliances=(first, washer(name="dryer", latest=42, after="washer")))
    _, conflicts = plan_and_conflicts(home)
    assert list(conflicts) == ["dryer"]
    assert "wait for washer" in conflicts["dryer"].text


def test_tank_that_is_hot_too_late():
    home = Home(tanks=(tank(temp_init_c=30.0, p_max_kw=0.2),))
    _, conflicts = plan_and_conflicts(home)
    assert "With 0.2 kW from the start on" in conflicts["hot_water"].text


def test_battery_below_its_lowest_charge_may_stay_there():
    home = small_home()
    state = State(stored={"battery": 0.4, "ev": 30.0, "heating": 19.0, "hot_water": 50.0})
    plan, _ = plan_and_conflicts(home, state=state)
    assert plan.result.states["battery"].min() >= 0.4 - 1e-6


def test_generation_that_cannot_be_reduced_breaks_the_export_limit():
    home = small_home(
        pv=type(small_home().pv)(curtailable=False),
        batteries=(),
        vehicles=(),
        heaters=(),
        tanks=(),
        appliances=(),
        generators=(),
        export_limit_kw=1.0,
    )
    _, conflicts = plan_and_conflicts(home)
    assert "Export limit 1.0 kW" in conflicts["export"].text
