"""Words that look like a value and are none: each was a way to invent one."""

from __future__ import annotations

import pytest

from tests.hems.understanding.test_rules import CAPACITY, DRYER, POWER, PRICE, WASHER, said, values

V2G, NIGHT = "evs.1.v2g", f"{DRYER}.night_ok"
JOIN, DATA = "flexibility.participate", "flexibility.data_consent"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (CAPACITY, "there are two sizes and it is the small one"),
        (CAPACITY, "it is the last of the four in the brochure"),
        (CAPACITY, "I'd have to dig one out to read it"),
        (PRICE, "One more question, do you want both?"),
        (POWER, "12/4 kW"),
        (POWER, "it is 9 kW of storage"),
        (POWER, "7 kilowatts an hour"),
        ("battery.reserve", "we got 15% off that day"),
        ("comfort.temp_day_c", "18 goals this season"),
        ("comfort.temp_day_c", "we watched 20 films"),
        ("heating.rated_electric_kw", "a 4 ton unit"),
        ("hot_water.showers_per_day", "mine is at seven in the morning"),
        ("tariff.peak_price_per_kwh", "the tank has to be hot by ten to seven in the morning"),
        (f"{DRYER}.runs_per_week", "once it is full"),
        (f"{DRYER}.runs_per_week", "once more then: as I said"),
        (V2G, "no clue what you are on about"),
        (V2G, "I couldn't say for sure. It all costs so much, doesn't it"),
        ("flexibility.max_events_per_week", "my router never works"),
        ("hot_water.showers_per_day", "One thing is off, though"),
        (V2G, "I couldn't follow that"),
        (V2G, "We never really understood that part"),
        (V2G, "what's that when it's at home"),
        (V2G, "I haven't the faintest"),
        (V2G, "right, let me see. I couldn't follow the question"),
        (V2G, "The builders again. They never stop."),
        (V2G, "double Dutch to me. They never switch it off."),
        (JOIN, "the leaflet never says"),
        (DATA, "the manual doesn't show that"),
    ],
)
def test_it_is_no_value(key, text):
    got = said(text, key)

    assert key not in values(got)
    assert not [doubt for doubt in got.ambiguous if doubt.readings]


@pytest.mark.parametrize(
    "key",
    [
        PRICE, "tariff.export_price_per_kwh", "flexibility.notice_min",
        "flexibility.comfort_slack_k", "flexibility.max_events_per_week",
        "household.import_limit_kw", "comfort.temp_max_c",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "text",
    ["we never got one", "There isn't one", "no such thing here", "None here", "not applicable",
     "I don't have one of those, sorry", "what is it? we haven't got one"],
)  # fmt: skip
def test_having_none_is_no_number(key, text):
    got = said(text, key)

    assert not got.findings
    assert not got.ambiguous
    assert got.absent == (key,)


def test_having_one_counts_where_things_are_counted():
    assert values(said("just one", "flexibility.max_events_per_week")) == {
        "flexibility.max_events_per_week": 1
    }
    assert values(said("we have one", "household.n_evs")) == {"household.n_evs": 1}
    assert values(said("about one", POWER)) == {POWER: 1.0}
    assert values(said("no limit was agreed, about 12 kW", "household.import_limit_kw")) == {
        "household.import_limit_kw": 12.0
    }


def test_a_margin_is_no_running_time():
    got = said("half ten in the morning, twenty minutes either side", f"{DRYER}.earliest_start")

    assert values(got) == {f"{DRYER}.earliest_start": "10:30"}
    key = f"{DRYER}.duration_min"
    assert values(said("it takes 80 minutes to finish", key)) == {key: 80.0}
    assert not said("it was 20 minutes late", key).findings


def test_the_heat_of_a_heat_pump_is_not_what_it_draws():
    key = "heating.rated_electric_kw"
    got = said("9 kW thermal output", key)

    assert not got.findings
    assert got.ambiguous[0].readings == ()
    assert values(said("it draws 3 kW and puts out 9", key)) == {key: 3.0}


def test_one_value_in_two_units_is_one_value():
    got = said("68 F, that's 20 Celsius", "comfort.temp_day_c", locale="en-US")

    assert values(got) == {"comfort.temp_day_c": 20.0}


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        (NIGHT, "that's fine, the kids don't wake up from it", True),
        (NIGHT, "fine by me, nobody complains", True),
        (NIGHT, "We have the builders in. Yes, that's fine. They never tidy up.", True),
        (NIGHT, "I'm not a hundred percent certain, but yes", True),
        (NIGHT, "it already goes on at night", True),
        (NIGHT, "it shouldn't run while everybody is asleep", False),
        (NIGHT, "y", True),
        (NIGHT, "N.", False),
        (NIGHT, "\U0001f44d", True),
        (NIGHT, "\u274c", False),
        (JOIN, "we'd gladly join in", True),
        (JOIN, "happy to help the network, no more than twice a week though", True),
        (JOIN, "no schemes for me, thanks", False),
        (DATA, "we consent to that", True),
        (DATA, "I do not agree to that", False),
        (V2G, "It has V2G", True),
        (V2G, "no V2G here", False),
    ],
)
def test_yes_and_no(key, text, value):
    assert values(said(text, key))[key] is value


@pytest.mark.parametrize("text", ["yes. Hmm, no. I mean it depends", "no, I'd love to join"])
def test_yes_and_no_at_once_is_neither(text):
    assert JOIN not in values(said(text, JOIN))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("No, we'd like to join", {JOIN: True}),
        ("hmm no, count us in", {JOIN: True}),
        ("That isn't right, we'd join", {JOIN: True}),
        ("you got that wrong: do not share my data", {DATA: False}),
        ("nope, no sharing of data", {DATA: False}),
    ],
)
def test_the_no_to_a_read_back_is_not_the_answer(text, value):
    proposed = {"flexibility.priority": "cost", JOIN: False, DATA: True}

    assert values(said(text, *proposed, proposed=proposed)) == value


@pytest.mark.parametrize(
    "text",
    ["that's not right, the heat pump is off limits", "it is far from right",
     "that's hardly correct", "That is not quite true, it is a flat rate"],
)  # fmt: skip
def test_a_denied_read_back_is_never_agreed_to(text):
    proposed = {"flexibility.never_touch": (), "tariff.kind": "dynamic"}

    assert said(text, *proposed, proposed=proposed).intent.value != "yes"


@pytest.mark.parametrize("text", ["none", "nothing", "No, control everything", "Nothing, really"])
def test_nothing_is_off_limits(text):
    assert values(said(text, "flexibility.never_touch")) == {"flexibility.never_touch": ()}


def test_a_set_is_corrected_at_the_read_back():
    proposed = {"household.occupants": 2, "household.devices": ("dryer",)}
    answer = "No, we have a dryer and a dishwasher"
    got = said(answer, *proposed, proposed=proposed, known=proposed)
    assert values(got) == {"household.devices": ("dryer", "dishwasher")}
    answer = "no, the dryer is old"
    assert not values(said(answer, *proposed, proposed=proposed, known=proposed))
    proposed = {"flexibility.priority": "cost", "flexibility.never_touch": ()}
    got = said("no, the car must stay in our own control", *proposed, proposed=proposed)
    assert values(got) == {"flexibility.never_touch": ("ev",)}


@pytest.mark.parametrize(
    "text", ["You know children. That stays with me, cheers.", "it stays with us"]
)
def test_what_stays_with_me_counts_nobody(text):
    got = said(text, "household.occupants")
    assert values(got) == {}
    assert got.refused == ("household.occupants",)
    assert values(said("me, thanks for asking", "household.occupants")) == {}


def test_a_correction_stays_with_what_it_corrects():
    text = "same. And we never leave at nine, actually at half past eight in the morning"
    got = said(text, "evs.1.weekend_use")

    assert values(got) == {"evs.1.weekend_use": "same", "evs.1.departure": "08:30"}


def test_a_value_already_told_can_be_corrected_before_its_device_is_known():
    known = {f"{WASHER}.runs_per_week": 5}
    got = said(
        "no. And the washing machine is four times a week", f"{WASHER}.night_ok", known=known
    )

    assert values(got)[f"{WASHER}.runs_per_week"] == 4


@pytest.mark.parametrize("text", ["(b)", "b)", "(2)", "I'd go for the second", "I'd say b"])
def test_an_option_in_any_shape(text):
    got = said(text, "tariff.kind", options=("flat", "time_of_use", "dynamic"))

    assert values(got) == {"tariff.kind": "time_of_use"}


def test_from_the_evening_to_the_next_morning():
    got = said("eleven at night till seven", "generator.allowed_hours")

    assert values(got) == {"generator.allowed_hours": ({"start": "23:00", "end": "07:00"},)}


def test_an_upper_limit_said_as_too_much():
    got = said("more than 25 degrees is too warm for us", "comfort.temp_max_c")

    assert values(got) == {"comfort.temp_max_c": 25.0}


def test_a_homophone_of_past():
    assert values(said("quarter passed seven in the evening", "evs.1.arrival")) == {
        "evs.1.arrival": "19:15"
    }


def test_half_past_is_no_number_of_people():
    text = "from one thirty in the afternoon until four fifteen somebody is in"
    assert values(said(text, "household.occupants")) == {}


def test_heating_the_water_is_not_the_heating():
    got = said("off the heat pump, and heating our water takes 1.4 kW", "hot_water.kind")
    assert "heating.rated_electric_kw" not in values(got)


def test_people_nobody_counted_are_asked_about():
    got = said("the kids and I live here", "household.occupants")

    assert not got.findings
    assert got.ambiguous[0].readings == ()
    assert values(said("my wife, the twins and me", "household.occupants")) == {
        "household.occupants": 4
    }


@pytest.mark.parametrize(
    "text",
    ["a flat, and I keep that to myself", "a flat, open on one side", "a flat. Sun on one end"],
)
def test_a_form_invents_no_people(text):
    got = said(text, "household.occupants", "household.house_type", known={})

    assert values(got) == {"household.house_type": "flat"}


def test_a_form_keeps_alike_slots_apart():
    keys = ("tariff.kind", PRICE, "tariff.export_price_per_kwh")
    got = said("flat; as for the unit price, no clue. The export tariff is 6p", *keys)
    assert PRICE not in values(got)
    assert values(got)["tariff.export_price_per_kwh"] == 0.06
    keys = ("comfort.temp_night_c", "comfort.temp_min_c")
    assert values(said("at night it goes down to 17 degrees", *keys)) == {
        "comfort.temp_night_c": 17.0
    }
    proposed = {"flexibility.max_events_per_week": 3, "flexibility.comfort_slack_k": 1.5}
    got = said("no, a 2 degree drift during events is fine", *proposed, proposed=proposed)
    assert values(got) == {"flexibility.comfort_slack_k": 2.0}


def test_nine_tenths_are_no_clock():
    got = said("the car should be at nine tenths when it leaves", "evs.1.target")

    assert values(got) == {"evs.1.target": 0.9}


def test_what_must_not_start_before_is_a_start():
    proposed = {f"{WASHER}.earliest_start": "09:30", f"{WASHER}.latest_finish": "17:00"}
    text = "not what I said! don't start the washing machine before quarter to nine in the morning"
    got = said(text, *proposed, proposed=proposed, known=proposed)

    assert values(got) == {f"{WASHER}.earliest_start": "08:45"}


@pytest.mark.parametrize(
    "text", ["two of us and a toddler", "us two plus the baby", "the two of us with three kids"]
)
def test_a_child_beside_us_is_asked_about(text):
    assert values(said(text, "household.occupants")) == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [("two of us and two cats", 2), ("four of us, me, my wife and two kids", 4),
     ("there are 3 of us and we work from home", 3), ("just us two and the dog", 2)],
)  # fmt: skip
def test_us_with_nobody_beside_is_a_number(text, value):
    assert values(said(text, "household.occupants")) == {"household.occupants": value}
