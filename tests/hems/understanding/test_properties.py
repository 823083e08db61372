"""What must hold for every text: no error, no value out of bounds, no value without its words."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from federates.hems.parameters.slots import SLOTS, Who, slot
from federates.hems.parameters.stored import checked
from federates.hems.understanding.grounding import grounded
from federates.hems.understanding.result import Intent, Understanding
from federates.hems.understanding.rules import understand

ASKED = [item for item in SLOTS if item.who is not Who.DERIVED]
KNOWN = {
    "household.devices": (
        "heat_pump", "battery", "pv", "ev", "hot_water_tank", "washing_machine", "dryer",
        "dishwasher", "generator",
    ),
    "household.home_weekday": ({"start": "17:00", "end": "08:30"},),
    "household.n_evs": 2,
    "heating.kind": "heat_pump",
    "hot_water.kind": "resistive",
    "tariff.kind": "time_of_use",
    "flexibility.participate": True,
}  # fmt: skip
WORDS = """
yes no not never about sorry actually wait the a my car dryer battery heat pump leaves at by
from to till until and or , . ? ! - 7 8 half past quarter twenty-one 21 6.30 18:30 7.4 1,500
0,294 1830 kW kWh amps volts percent % degrees F C miles km litres gallons sq ft m2 pence £
euros p a week day every once twice morning evening night at out home all weekend weekdays same
none full half an hour minutes before after below above at least most people kids wife and one
two three hundred point five Victorian 1935 eighties years old semi flat gas electric south-
west solar panels of 400 W each leave arrive back don't know private everything except nothing
Nissan Leaf Tesla Model 3 economy 7 noon midnight pm am o'clock teatime cheap
"""

texts = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=14).map(" ".join),
)
keys = st.sampled_from([item.key for item in ASKED])
slots = st.lists(keys, min_size=1, max_size=2, unique=True)
locales = st.sampled_from([("en-GB", "GBP"), ("en-IE", "EUR"), ("en-US", "USD"), ("de-DE", "EUR")])


def keys_of(got: Understanding) -> list[str]:
    return [
        *(finding.key for finding in got.findings),
        *(doubt.key for doubt in got.ambiguous),
        *got.unknown, *got.refused, *got.absent,
    ]  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(text=texts, asked=slots, place=locales)
@example(text="NISSAN0G", asked=["evs.1.model"], place=("en-GB", "GBP"))
def test_any_text_gives_only_values_in_bounds_that_its_own_words_say(text, asked, place):
    locale, currency = place
    got = understand(
        text,
        asked=[slot(key) for key in asked],
        known=KNOWN,
        locale=locale,
        currency=currency,
        year=2026,
    )

    assert len(set(keys_of(got))) == len(keys_of(got))
    for finding in got.findings:
        assert checked(finding.key, finding.value) == finding.value
        assert finding.words
        assert finding.words in text
        assert grounded(
            finding.value, slot(finding.key), finding.words, text,
            locale=locale, currency=currency, known=KNOWN, year=2026,
        ), finding  # fmt: skip
    for doubt in got.ambiguous:
        assert doubt.question
        assert doubt.words in text
        for value in doubt.readings:
            assert checked(doubt.key, value) == value


@settings(max_examples=200, deadline=None)
@given(text=texts, asked=slots, value=st.sampled_from([True, 21.0, "07:00", "flat", 3]))
def test_a_read_back_never_fails(text, asked, value):
    got = understand(
        text,
        asked=[slot(key) for key in asked],
        known=KNOWN,
        proposed={asked[0]: value},
        options=[value],
    )

    assert isinstance(got.intent, Intent)


@settings(max_examples=200, deadline=None)
@given(quote=texts, text=texts, key=keys, value=st.one_of(
    st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.just(("dryer",)),
    st.just(({"start": "08:00", "end": "20:00"},))))  # fmt: skip
def test_checking_a_quote_never_fails(quote, text, key, value):
    assert grounded(value, slot(key), quote, text) in {True, False}


@pytest.mark.parametrize("key", [item.key for item in ASKED])
@pytest.mark.parametrize(
    "text", ["no idea", "I don't know, sorry", "I'd rather not say", "whatever you think"]
)
def test_not_knowing_is_never_a_value(key, text):
    got = understand(text, asked=[slot(key)], known=KNOWN, year=2026)

    assert not got.findings
    assert not got.ambiguous
    assert key in (*got.unknown, *got.refused)


@pytest.mark.parametrize(
    "piece",
    ["a", "7", "7 ", "half ", "twenty ", "no sorry ", "the ", "7 kW and ", "not ", ",", "-", "½",
     "one ", "six to seven ", "Nissan . ",
     "hundred thousand million billion ", "\u0660", "7" * 50 + " "],
)  # fmt: skip
def test_very_long_texts_take_no_longer_than_their_beginning(piece):
    text = piece * (100_000 // len(piece))
    start = time.perf_counter()
    for key in (
        "battery.capacity_kwh",
        "evs.1.arrival",
        "household.home_weekday",
        "household.devices",
    ):
        understand(text, asked=[slot(key)], known=KNOWN, year=2026)

    assert time.perf_counter() - start < 5.0
