"""The slot list is complete, well formed, and agrees with the models."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federates.hems.parameters import (
    SLOTS,
    HomeParameters,
    SlotKind,
    Who,
    applicable,
    checked,
    ruled_out,
    slot,
    slots_of,
)
from federates.hems.parameters.slot import NUMERIC_KINDS
from gradmap.errors import ScenarioError
from tests.hems.parameters.home_values import in_bounds

JSON_TYPES = {
    SlotKind.BOOLEAN: "boolean",
    SlotKind.INTEGER: "integer",
    SlotKind.CHOICE: "string",
    SlotKind.CLOCK: "string",
    SlotKind.TEXT: "string",
    SlotKind.CHOICES: "array",
    SlotKind.INTERVALS: "array",
}


def test_keys_are_unique_and_numbered_in_agenda_order():
    assert len({item.key for item in SLOTS}) == len(SLOTS)
    assert [item.order for item in SLOTS] == list(range(len(SLOTS)))
    assert sum(len(slots_of(who)) for who in Who) == len(SLOTS)


def test_conditions_only_look_back():
    for item in SLOTS:
        for need in item.needs:
            assert slot(need.key).order < item.order, item.key


@pytest.mark.parametrize("item", SLOTS, ids=lambda item: item.key)
def test_every_slot_is_well_formed(item):
    asked = item.who is not Who.DERIVED
    assert bool(item.question) == bool(item.help) == asked
    if asked:
        assert item.question.endswith("?")
    if item.kind in NUMERIC_KINDS:
        assert item.low < item.high
    assert bool(item.choices) == (item.kind in (SlotKind.CHOICE, SlotKind.CHOICES))
    if item.default is not None:
        assert checked(item.key, item.default) == item.default


def _schema(item, root):
    """Return the JSON Schema of every model field that holds a slot."""
    nodes = [root]
    for part in [*item.section.split("."), item.name]:
        nodes = [
            found
            for node in nodes
            for variant in _variants(node, root)
            if (found := _child(variant, part)) is not None
        ]
    return [variant for node in nodes for variant in _variants(node, root)]


def _variants(node, root):
    if "$ref" in node:
        return _variants(root["$defs"][node["$ref"].rpartition("/")[2]], root)
    options = node.get("anyOf", []) + node.get("oneOf", [])
    if options:
        return [variant for option in options for variant in _variants(option, root)]
    return [] if node.get("type") == "null" else [node]


def _child(node, part):
    if node.get("type") == "array":
        return node["items"]
    if "properties" in node:
        return node["properties"].get(part)
    return node.get("additionalProperties")


@pytest.mark.parametrize("item", SLOTS, ids=lambda item: item.key)
def test_every_slot_equals_its_model_field(item):
    root = HomeParameters.model_json_schema()
    fields = _schema(item, root)
    assert fields
    words = set()
    for field in fields:
        if item.kind in NUMERIC_KINDS:
            assert (field["minimum"], field["maximum"]) == (item.low, item.high)
            assert field["type"] == ("integer" if item.kind is SlotKind.INTEGER else "number")
            continue
        assert field["type"] == JSON_TYPES[item.kind]
        if item.kind is SlotKind.TEXT:
            assert (field["minLength"], field["maxLength"]) == (item.low, item.high)
        if item.kind is SlotKind.INTERVALS:
            assert field.get("minItems", 0) == (item.low or 0)
        inner = field["items"] if item.kind is SlotKind.CHOICES else field
        words |= set(inner.get("enum", []))
        words |= {inner["const"]} if "const" in inner else set()
    if item.choices:
        assert words == set(item.choices)


@pytest.mark.parametrize("item", SLOTS, ids=lambda item: item.key)
@settings(max_examples=15)
@given(data=st.data())
def test_any_value_in_bounds_is_accepted_and_stored_once(item, data):
    value = data.draw(in_bounds(item))
    stored = checked(item.key, value)
    assert checked(item.key, stored) == stored
    if item.kind in NUMERIC_KINDS:
        assert stored == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("battery.capacity_kwh", 600),
        ("battery.capacity_kwh", float("nan")),
        ("battery.capacity_kwh", float("inf")),
        ("battery.capacity_kwh", "10"),
        ("battery.capacity_kwh", True),
        ("household.occupants", 2.5),
        ("household.occupants", 10**400),
        ("battery.reserve", 10),
        ("comfort.temp_day_c", 70),
        ("evs.1.arrival", "18:30\n"),
        ("evs.1.arrival", "24:00"),
        ("evs.1.arrival", "6pm"),
        ("evs.1.v2g", 1),
        ("evs.1.model", ""),
        ("evs.1.model", "Leaf\x00"),
        ("tariff.peak_hours", []),
        ("tariff.peak_hours", [{"start": "16:00", "end": "16:00"}]),
        ("tariff.peak_hours", [{"start": "16:00"}]),
        ("tariff.peak_hours", "16:00-19:00"),
        ("household.devices", ["ev", "ev"]),
        ("household.devices", ["spaceship"]),
        ("household.devices", "ev"),
        ("heating.kind", ["gas"]),
        ("heating.kind", None),
    ],
)
def test_a_value_that_does_not_fit_is_refused_naming_key_and_expectation(key, value):
    with pytest.raises(ScenarioError, match=rf"`{key}` is .*, expected "):
        checked(key, value)


def test_sets_come_in_the_order_of_the_slot_and_whole_floats_become_integers():
    assert checked("household.devices", ["dryer", "heat_pump"]) == ("heat_pump", "dryer")
    stored = checked("household.occupants", 3.0)
    assert (stored, type(stored)) == (3, int)


def test_an_unknown_key_names_a_similar_one():
    with pytest.raises(ScenarioError, match=r"battery\.capacity_kwh"):
        checked("battery.capacity_kw_h", 1)


def test_a_second_car_is_asked_about_only_if_there_are_two():
    second = slot("evs.2.arrival")
    one = {"household.devices": ("ev",)}
    assert not applicable(second, one)
    assert applicable(second, {**one, "household.n_evs": 2})
    assert not applicable(second, {"household.devices": (), "household.n_evs": 2})
    assert not ruled_out(second, {})
    assert ruled_out(second, {"household.n_evs": 1})
