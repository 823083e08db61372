"""Lists of devices: the first one, corrections of a known one, and what must be left alone."""

from __future__ import annotations

import pytest

from federates.hems.parameters.slots import slot
from federates.hems.understanding.rules import understand

DEVICES, NEVER = "household.devices", "flexibility.never_touch"
KNOWN = ("ev", "washing_machine", "dryer")


def said(text, key, *, known=None, is_read_back=False):
    """Return what is understood of an answer about one slot."""
    known = known or {}
    proposed = {"household.occupants": 3, key: known[key]} if is_read_back else None
    asked = [slot("household.occupants"), slot(key)] if is_read_back else [slot(key)]
    return understand(text, asked=asked, known=known, proposed=proposed)


def value(got, key):
    """Return the value understood for a slot, or None."""
    return {one.key: one.value for one in got.findings}.get(key)


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        ("we've also got solar panels and a battery", ("battery", "pv", *KNOWN)),
        ("you forgot the dishwasher and the solar panels", ("pv", *KNOWN, "dishwasher")),
        ("don't forget the dishwasher", (*KNOWN, "dishwasher")),
        ("we've also got solar panels", ("pv", *KNOWN)),
        ("I also have a heat pump", ("heat_pump", *KNOWN)),
        ("plus a heat pump and a battery", ("heat_pump", "battery", *KNOWN)),
        ("no, we have a dishwasher", (*KNOWN, "dishwasher")),
        ("actually sold the car", ("washing_machine", "dryer")),
        ("the car's been sold", ("washing_machine", "dryer")),
        ("we don't have a dryer any more", ("ev", "washing_machine")),
        ("no dryer, and no washing machine", ("ev",)),
        ("no dryer, but we do have a dishwasher", ("ev", "washing_machine", "dishwasher")),
        ("electric car, washing machine, dryer and dishwasher", (*KNOWN, "dishwasher")),
    ],
)
def test_a_known_list_is_added_to_and_taken_away_from(text, devices):
    got = said(text, DEVICES, known={DEVICES: KNOWN}, is_read_back=True)
    assert value(got, DEVICES) == devices
    assert not got.ambiguous


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("we just have a heat pump and a dryer", (("heat_pump", "dryer"),)),
        (
            "we have solar panels and a dishwasher",
            (("pv", "dishwasher"), ("pv", *KNOWN, "dishwasher")),
        ),
        ("we have a dryer and an electric car", (("ev", "dryer"), KNOWN)),
        ("everything is right except the dryer", (("ev", "washing_machine"),)),
    ],
)
def test_nothing_is_dropped_without_a_question(text, readings):
    got = said(text, DEVICES, known={DEVICES: KNOWN}, is_read_back=True)
    assert value(got, DEVICES) is None
    assert [one.readings for one in got.ambiguous] == [readings]


@pytest.mark.parametrize(
    "text", ["there are 4 of us", "no second electric car", "the dryer is old", "no generator"]
)
def test_what_changes_no_device_leaves_the_list_alone(text):
    got = said(text, DEVICES, known={DEVICES: KNOWN}, is_read_back=True)
    assert value(got, DEVICES) in (None, KNOWN)
    assert DEVICES not in {one.key for one in got.ambiguous}


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        ("heat pump and a car", ("heat_pump", "ev")),
        ("car, panels, washing machine", ("pv", "ev", "washing_machine")),
        ("just a car", ("ev",)),
    ],
)
def test_a_car_that_nobody_called_electric_is_asked_about(text, devices):
    got = said(text, DEVICES)
    (doubt,) = got.ambiguous
    assert doubt.readings == (devices,)
    assert "electric" in doubt.question


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        ("the panels came with the house, plus a Leaf", ("pv", "ev")),
        ("heat pump and a diesel car", ("heat_pump",)),
        ("my car is electric and I've a washing machine", ("ev", "washing_machine")),
        ("we had solar panels but they were removed, still have the battery", ("battery",)),
        ("two electric cars and a dishwasher", ("ev", "dishwasher")),
        ("solar, and we're getting a battery next month", ("pv",)),
        ("solar; the battery is broken", ("pv",)),
        ("dishwasher, battery on order", ("dishwasher",)),
        ("a dishwasher and a broken dryer", ("dishwasher",)),
        ("a dishwasher and a dryer that isn't there any more", ("dishwasher",)),
        ("a dryer and a dishwasher, we don't have any more", ("dryer", "dishwasher")),
        ("heat pump, dishwasher. Solar panels are coming in May", ("heat_pump", "dishwasher")),
        ("washing machine, panel heaters", ("washing_machine",)),
        ("a box outside with a fan, and a dishwasher", ("heat_pump", "dishwasher")),
    ],
)
def test_only_what_is_there_is_listed(text, devices):
    got = said(text, DEVICES)
    assert value(got, DEVICES) == devices
    assert DEVICES not in {one.key for one in got.ambiguous}


HOME = {DEVICES: ("battery", "ev", "dishwasher"), "heating.kind": "gas", "hot_water.kind": "gas"}
ELECTRIC = {**HOME, DEVICES: ("dishwasher",), "heating.kind": "resistive"}


@pytest.mark.parametrize(
    ("text", "known", "readings"),
    [
        ("everything except the battery", HOME, (("ev", "dishwasher"), ("battery",))),
        ("don't touch anything except the dishwasher", HOME, (("battery", "ev"),)),
        ("hands off everything apart from the battery", HOME, (("ev", "dishwasher"),)),
        ("don't touch anything but the dishwasher", ELECTRIC, (("heat_pump",),)),
        ("the heating", HOME, ((),)),
    ],
)
def test_what_is_left_alone_is_agreed_to_where_it_is_not_named(text, known, readings):
    got = said(text, NEVER, known=known)
    assert value(got, NEVER) is None
    assert [one.readings for one in got.ambiguous] == [readings]


@pytest.mark.parametrize(
    ("text", "known", "devices"),
    [
        ("you can control everything except the car", HOME, ("ev",)),
        ("everything but the battery is fine", HOME, ("battery",)),
        ("anything but the car", HOME, ("ev",)),
        ("nothing but the battery", HOME, ("battery",)),
        ("the heating", ELECTRIC, ("heat_pump",)),
        ("leave my storage heaters alone", ELECTRIC, ("heat_pump",)),
        ("the car and the dishwasher", HOME, ("ev", "dishwasher")),
        ("leave all my appliances alone", HOME, ("dishwasher",)),
    ],
)
def test_what_is_named_is_left_alone(text, known, devices):
    assert value(said(text, NEVER, known=known), NEVER) == devices
