"""Words in menus and read-backs."""

import pytest

from federates.hems.interview.wording import name_words, value_words
from federates.hems.parameters.slots import slot


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
