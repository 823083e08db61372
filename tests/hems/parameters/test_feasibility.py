"""A conflict appears when two known numbers do not fit, and shows both."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federates.hems.parameters import completed, conflicts, slot
from federates.hems.parameters.feasibility_use import NIGHT, longest_run_min
from tests.hems.parameters.home_values import ANY_VALUES, FULL_HOME, stated

EV = {
    "household.devices": ["ev"],
    "evs.1.daily_distance_km": 300.0,
    "evs.1.arrival": "23:00",
    "evs.1.departure": "06:00",
    "evs.1.charger_kw": 2.3,
}
HEAT = {
    "household.devices": ["heat_pump"],
    "heating.kind": "heat_pump",
    "heating.emitter": "radiators",
    "heating.rated_electric_kw": 1.0,
    "household.house_type": "detached",
    "household.built_year": 1900,
    "household.floor_area_m2": 150.0,
    "comfort.temp_min_c": 18.0,
}
WATER = {
    "hot_water.kind": "resistive",
    "hot_water.power_kw": 0.5,
    "hot_water.volume_l": 150.0,
    "hot_water.showers_per_day": 4,
    "hot_water.ready_by": "07:00",
}
WASH = {
    "household.devices": ["dryer"],
    "appliances.dryer.earliest_start": "22:30",
    "appliances.dryer.latest_finish": "06:30",
    "appliances.dryer.night_ok": False,
}
CASES = {
    "ev_window": (EV, {"evs.1.charger_kw": 11.0}),
    "ev_range": (
        {
            "household.devices": ["ev"],
            "evs.1.daily_distance_km": 300.0,
            "evs.1.capacity_kwh": 40.0,
            "evs.1.target": 0.8,
        },
        {"evs.1.daily_distance_km": 60.0},
    ),
    "heating_capacity": (HEAT, {"heating.rated_electric_kw": 8.0}),
    "heat_taken_for_electricity": (
        {
            "household.devices": ["heat_pump"],
            "household.house_type": "semi_detached",
            "household.built_year": 1960,
            "household.floor_area_m2": 90.0,
            "heating.kind": "heat_pump",
            "heating.rated_electric_kw": 8.5,
        },
        {"heating.rated_electric_kw": 3.3},
    ),
    "heating_named_twice": (
        {
            "household.devices": ["heat_pump"],
            "heating.kind": "gas",
            "hot_water.kind": "gas",
        },
        {"hot_water.kind": "heat_pump"},
    ),
    "comfort_order": (
        {"comfort.temp_min_c": 19.0, "comfort.temp_night_c": 17.0},
        {"comfort.temp_min_c": 16.0},
    ),
    "peak_price": (
        {
            "tariff.kind": "time_of_use",
            "tariff.peak_price_per_kwh": 0.1,
            "tariff.off_peak_price_per_kwh": 0.3,
        },
        {"tariff.peak_price_per_kwh": 0.4},
    ),
    "hot_water_in_time": (WATER, {"hot_water.power_kw": 3.0}),
    "hot_water_limits": (
        {"hot_water.kind": "resistive", "hot_water.temp_set_c": 62.0},
        {"hot_water.temp_max_c": 65.0},
    ),
    "battery_power": (
        {
            "household.devices": ["battery"],
            "battery.capacity_kwh": 5.0,
            "battery.power_kw": 20.0,
        },
        {"battery.capacity_kwh": 20.0, "battery.power_kw": 5.0},
    ),
    "appliance_window": (WASH, {"appliances.dryer.night_ok": True}),
    "import_limit": (
        {"household.devices": ["ev"], "evs.1.charger_kw": 22.0},
        {"household.import_limit_kw": 25.0},
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_a_conflict_shows_both_numbers_and_goes_when_a_named_slot_changes(rule):
    values, remedy = CASES[rule]
    (conflict,) = conflicts(values)
    assert conflict.rule == rule
    assert conflict.needed > conflict.available
    assert conflict.question.endswith("?")
    assert set(remedy) & set(conflict.resolve) or rule == "heating_named_twice"
    assert all(slot(key) for key in (*conflict.keys, *conflict.resolve))
    assert conflicts({**values, **remedy}) == ()


@pytest.mark.parametrize("rule", CASES)
def test_nothing_is_said_while_a_value_is_not_known(rule):
    values, _ = CASES[rule]
    (conflict,) = conflicts(values)
    for key in set(conflict.keys) & set(values):
        assert conflicts({other: values[other] for other in values if other != key}) == ()


def test_the_numbers_of_a_short_night_at_a_socket():
    (conflict,) = conflicts(EV)
    assert conflict.needed == pytest.approx(300 * 0.175)
    assert conflict.available == pytest.approx(7 * 2.3 * 0.92)
    assert "52 kWh" in conflict.question
    assert "15 kWh" in conflict.question


def test_comfort_limits_hold_at_both_ends():
    values = {"comfort.temp_day_c": 25.0, "comfort.temp_max_c": 22.0, "comfort.temp_min_c": 20.0}
    (conflict,) = conflicts(values)
    assert conflict.keys == ("comfort.temp_day_c", "comfort.temp_max_c")


def test_crossed_comfort_limits_are_asked_about_without_any_wish():
    values = {"comfort.temp_min_c": 23.0, "comfort.temp_max_c": 21.0}
    (conflict,) = conflicts(values)
    assert conflict.keys == conflict.resolve == ("comfort.temp_min_c", "comfort.temp_max_c")
    assert (conflict.needed, conflict.available) == (23.0, 21.0)
    assert "23 degrees" in conflict.question
    assert "21 degrees" in conflict.question
    # One question: no wish fits between crossed limits.
    assert conflicts({**values, "comfort.temp_day_c": 22.0}) == (conflict,)
    assert conflicts({**values, "comfort.temp_max_c": 23.0}) == ()


def test_a_colder_place_needs_more_heat():
    mild = {**HEAT, "heating.rated_electric_kw": 6.0, "household.built_year": 1975}
    assert conflicts(mild) == ()
    assert [c.rule for c in conflicts(mild, design_temp_c=-20.0)] == ["heating_capacity"]


def test_a_device_that_is_not_there_causes_no_conflict():
    assert conflicts({**EV, "household.devices": []}) == ()


def test_usual_homes_have_no_conflict():
    for values in ({}, FULL_HOME, {"household.devices": slot("household.devices").choices}):
        home = completed(values, stated(values))
        assert conflicts(home.values) == ()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values=ANY_VALUES, data=st.data())
def test_any_partly_known_values_can_be_checked(values, data):
    for conflict in conflicts(values):
        assert conflict.needed > conflict.available
    home = completed(values, stated(values)).values
    for conflict in conflicts(home):
        assert conflict.needed > conflict.available
        assert set(conflict.keys) <= set(home)


@pytest.mark.parametrize(
    ("start", "finish", "quiet", "minutes"),
    [
        ("08:00", "22:00", None, 840),
        ("22:00", "08:00", None, 600),
        ("08:00", "08:00", None, 1440),
        ("22:00", "08:00", NIGHT, 120),
        ("08:00", "08:00", NIGHT, 900),
        ("23:00", "06:00", NIGHT, 0),
    ],
)
def test_windows_run_round_the_clock_and_stop_for_the_night(start, finish, quiet, minutes):
    assert longest_run_min(start, finish, quiet=quiet) == minutes
