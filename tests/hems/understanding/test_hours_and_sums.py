"""Hours twice a day, night tariffs, sums, comparisons, and words that only look like commands."""

from __future__ import annotations

import pytest

from federates.hems.understanding.result import Intent
from tests.hems.understanding.test_rules import (
    CAPACITY,
    DRYER,
    KNOWN,
    POWER,
    WASHER,
    YEAR,
    said,
    spans,
    values,
)

HOURS, PEAK, HOME = "comfort.day_hours", "tariff.peak_hours", "household.home_weekday"
NIGHT, GRID = "comfort.temp_night_c", "battery.charge_from_grid"
DISTANCE, CARS, PANELS = "evs.1.daily_distance_km", "household.n_evs", "pv.peak_kw"
RUNS = f"{WASHER}.runs_per_week"
TWO_RATES = {**KNOWN, "tariff.kind": "time_of_use"}


@pytest.mark.parametrize(
    ("key", "text", "hours"),
    [
        (HOURS, "6-9am, 5-10pm", ("06:00-09:00", "17:00-22:00")),
        (HOURS, "6 to 9 and 5 to 10", ("06:00-09:00", "17:00-22:00")),
        (HOURS, "half six till eight and half four till ten", ("06:30-08:00", "16:30-22:00")),
        (HOURS, "six to nine, twelve to two and five to eleven",
         ("06:00-09:00", "12:00-14:00", "17:00-23:00")),
        (HOURS, "5-10pm", ("17:00-22:00",)),
        (HOURS, "6:30-8:30 17:00-22:30", ("06:30-08:30", "17:00-22:30")),
        (HOURS, "06:30-08:30 and 17:00-22:30 on weekdays", ("06:30-08:30", "17:00-22:30")),
        (HOME, "home 5-10pm", ("17:00-22:00",)),
        ("generator.allowed_hours", "9-12 and 2-6", ("09:00-12:00", "14:00-18:00")),
        ("generator.allowed_hours", "any time except 10 to 7", ("07:00-22:00",)),
    ],
)  # fmt: skip
def test_two_windows_a_day(key, text, hours):
    assert values(said(text, key)) == {key: spans(*hours)}


@pytest.mark.parametrize(
    "text", ["05:30-09:00 and 08:00-22:00", "6-9, 8-11am", "7 to 11pm", "all day except 9 to 4"]
)
def test_hours_that_overlap_or_stay_open_are_asked_about(text):
    got = said(text, HOURS)

    assert not got.findings
    assert [doubt.key for doubt in got.ambiguous] == [HOURS]


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("cheap rate is midnight till seven", "07:00-24:00"),
        ("off peak is half past midnight to half five", "05:30-00:30"),
        ("all the other hours, cheap is half eleven at night to half five", "05:30-23:30"),
        ("cheap from 12 to 5", "05:00-24:00"),
        ("outside 11 to 7", "07:00-23:00"),
        ("the night rate is 00:30-07:30", "07:30-00:30"),
        ("22:00 to 06:00 is cheap", "06:00-22:00"),
        ("00:30-04:30 is cheap, 16:00-19:00 is peak", "16:00-19:00"),
        ("everything but midnight to 5am", "05:00-24:00"),
        ("cheap 00:30-04:30, peak 16:00-19:00", "16:00-19:00"),
        ("cheap at night, dear from 7am till 11pm", "07:00-23:00"),
        ("it's not cheap between 4 and 7", "16:00-19:00"),
    ],
)
def test_a_night_tariff_told_by_its_cheap_hours(text, hours):
    got = said(text, PEAK, known=TWO_RATES)

    assert values(got) == {PEAK: spans(hours)}
    assert not got.ambiguous


@pytest.mark.parametrize(
    "text",
    ["from 6 the next morning", "it can be later in summer", "before the next shower",
     "later in the evening", "we pass on heating at night", "it should be an hour later"],
)  # fmt: skip
def test_next_later_and_pass_inside_an_answer_skip_nothing(text):
    assert said(text, HOURS).intent is not Intent.SKIP


@pytest.mark.parametrize(
    "text",
    ["skip", "next please", "Pass.", "let's skip this one", "ask me later", "not now",
     "can we come back to that?", "leave it for later", "ok, next",
     "I'd like to skip this question, please"],
)  # fmt: skip
def test_a_reply_that_only_skips(text):
    assert said(text, HOURS).intent is Intent.SKIP


@pytest.mark.parametrize(
    "text", ["I'd rather not", "prefer not", "not comfortable with that", "I don't want to"]
)
def test_rather_not_is_a_no_to_a_yes_or_no_question(text):
    assert values(said(text, GRID)) == {GRID: False}


@pytest.mark.parametrize(
    "text", ["I'd rather not say", "I'd prefer not to answer", "that's personal", "no comment"]
)
def test_rather_not_say_is_no_answer(text):
    assert said(text, GRID).refused == (GRID,)
    assert said("I'd rather not", CAPACITY).refused == (CAPACITY,)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("evs.1.capacity_kwh", "it does 240 miles on a charge"),
        ("evs.1.capacity_kwh", "200 miles range"),
        ("evs.1.target", "250 miles"),
        (DISTANCE, "it does 240 miles on a charge"),
        (DISTANCE, "15 miles there and back twice a day"),
        ("evs.1.departure", "ten to"),
        (POWER, "VW ID.3"),
        (POWER, "GivEnergy 9.5"),
        (YEAR, "we moved in in 2004, it's much older"),
        (YEAR, "extended in 2010"),
        ("generator.fuel_cost_per_kwh", "£1.50 a litre"),
        ("evs.1.charger_kw", "22kW box but the car only takes 11"),
        (CARS, "one each"),
        (RUNS, "twice a day at weekends, otherwise once"),
        (CAPACITY, "10 kWh, two of them"),
        (PANELS, "10 panels 410 watts each and 6 more of 400"),
        (NIGHT, "same as always"),
        (NIGHT, "two degrees lower"),
    ],
)
def test_nothing_is_recorded_of_it(key, text):
    assert not said(text, key).findings


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        (CAPACITY, "3 x 2.4kWh Pylontech", 7.2),
        (CAPACITY, "three 5 kWh modules", 15.0),
        (CAPACITY, "two of them, 5 kWh each", 10.0),
        (CAPACITY, "2 batteries, 10 kWh in total", 10.0),
        (PANELS, "10 x 410W on the front and 6 x 410W on the back", 6.56),
        (PANELS, "twelve 400s", 4.8),
        (CARS, "me and my husband have one each", 2),
        (RUNS, "twice a day", 14),
        (YEAR, "built in 1998", 1998),
        (YEAR, "1890s with a 2015 extension", 1895),
        (DISTANCE, "15 miles there and back", 24.14016),
        ("evs.1.charger_kw", "7.4 but I've turned it down to 16 amps", 3.68),
    ],
)
def test_sums_of_like_things(key, text, value):
    assert values(said(text, key)) == {key: value}


def test_a_powerwall_and_a_tank_by_its_height_are_asked_about():
    (doubt,) = said("two Powerwalls", CAPACITY).ambiguous
    assert doubt.readings == (27.0,)
    (doubt,) = said("up to my chest", "hot_water.volume_l").ambiguous
    assert doubt.readings == (180.0,)


@pytest.mark.parametrize(
    ("key", "text", "known", "value"),
    [
        (NIGHT, "two degrees less than in the day", {"comfort.temp_day_c": 20.0}, 18.0),
        (NIGHT, "same as the day", {"comfort.temp_day_c": 20.0}, 20.0),
        (f"{DRYER}.runs_per_week", "same as the washing machine", {RUNS: 4}, 4),
        ("evs.2.capacity_kwh", "same as the first", {CARS: 2, "evs.1.capacity_kwh": 60.0}, 60.0),
    ],
)
def test_a_value_given_by_that_of_another(key, text, known, value):
    got = said(text, key, known={**KNOWN, **known})

    assert values(got) == {key: value}
    assert got.findings[0].hedged
    assert not said(text, key).findings


def test_a_known_value_named_in_passing_is_asked_about_before_it_changes():
    known = {**KNOWN, HOME: spans("17:00-08:00")}
    got = said("6am to 10pm. Someone is home all day on weekdays", HOURS, known=known)

    assert values(got) == {HOURS: spans("06:00-22:00")}
    assert [doubt.key for doubt in got.ambiguous] == [HOME]
    got = said("I got that wrong: someone is home all day on weekdays", HOURS, known=known)
    assert values(got) == {HOME: spans("00:00-24:00")}
    got = said("nothing apart from the heating", "household.devices")
    assert "heating.kind" not in values(got)
