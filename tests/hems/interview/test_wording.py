"""Words in menus and read-backs."""

import pytest

from federates.hems.interview.options import options_of
from federates.hems.interview.wording import name_words, value_words
from federates.hems.parameters.slots import slot
from tests.hems.interview.householder import started, told


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("household.house_type", "flat", "flat"),
        ("tariff.kind", "flat", "always the same"),
        ("evs.2.weekend_use", "none", "stays at home"),
        ("flexibility.never_touch", (), "none"),
        ("battery.reserve", 0.1, "10 percent"),
    ],
)
def test_a_word_means_what_its_question_means(key, value, words):
    assert value_words(slot(key), value) == words


def test_names_are_no_abbreviations():
    assert name_words(slot("evs.1.v2g")) == "may give electricity back"
    assert name_words(slot("appliances.dryer.night_ok")) == "may run at night"
    assert name_words(slot("battery.capacity_kwh")) == "capacity"


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("evs.1.daily_distance_km", "40 miles", "40 miles"),
        ("tariff.import_price_per_kwh", "28.5p", "28.5 pence per kWh"),
        ("comfort.temp_day_c", "70F", "70 degrees Fahrenheit"),
        ("household.floor_area_m2", "1,150 sq ft", "1150 square feet"),
        ("hot_water.volume_l", "150 litres", "150 litres"),
    ],
)
def test_a_value_is_told_in_the_unit_that_was_said(key, text, words):
    known = {"household.devices": ["ev"], "tariff.kind": "flat", "hot_water.kind": "resistive"}
    state = told(started(ask=(key,), known=known), text)
    assert words in state.message.text
    record = state.progress.records[key]
    assert value_words(slot(key), record.value, currency="GBP", unit=record.unit) == words


def test_the_word_of_a_language_model_for_a_unit_is_understood():
    assert value_words(slot("evs.1.daily_distance_km"), 64.37376, unit="miles a day") == "40 miles"
    assert value_words(slot("battery.power_kw"), 3.6, unit="W") == "3.6 kW"


@pytest.mark.parametrize(
    ("key", "inside", "outside"),
    [
        ("household.built_year", 1960, 1500),
        ("evs.1.target", 1.0, 0.4),
        ("evs.1.charger_kw", 22.0, 5.6),
        ("evs.2.charger_kw", 3.7, 15.0),
        ("hot_water.showers_per_day", 0, 12),
        ("battery.reserve", 0.2, 0.15),
    ],
)
def test_a_menu_offers_what_there_is(key, inside, outside):
    options = options_of(slot(key), default=slot(key).default)
    assert inside in options
    assert outside not in options
    assert len(options) <= 8  # a letter each


def test_the_heating_of_any_kind_is_called_heating():
    assert value_words(slot("flexibility.never_touch"), ("heat_pump", "ev")) == (
        "heating, electric car"
    )
