"""Completion and the home file: complete, sourced, byte-stable, and clear about faults."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federates.hems.parameters import (
    SLOTS,
    Provenance,
    Source,
    Who,
    applicable_slots,
    checked,
    completed,
    from_yaml,
    left_out,
    read,
    slot,
    to_yaml,
    write,
)
from federates.hems.parameters.devices import Interval
from federates.hems.parameters.slot import NUMERIC_KINDS
from gradmap.errors import ScenarioError
from tests.hems.parameters.home_values import ANY_VALUES, FULL_HOME, stated

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ASKED = [item for item in SLOTS if item.who is not Who.DERIVED]


@SLOW
@given(values=ANY_VALUES)
def test_any_values_in_bounds_complete_keep_what_was_said_and_round_trip(values):
    home = completed(values, stated(values))
    kept = home.values
    dropped = left_out(values)
    for key, value in values.items():
        assert (key in kept) != (key in dropped)
        if key in kept:
            assert kept[key] == checked(key, value)
            assert home.sources[key].provenance is Provenance.STATED
    assert list(kept) == [item.key for item in applicable_slots(kept)]
    assert set(home.sources) == set(kept)
    text = to_yaml(home)
    again = from_yaml(text)
    assert again == home
    assert to_yaml(again) == text


@SLOW
@given(values=ANY_VALUES)
def test_completing_a_complete_home_changes_nothing(values):
    home = completed(values, stated(values))
    assert completed(home.values, home.sources) == home


@given(item=st.sampled_from([s for s in ASKED if s.kind in NUMERIC_KINDS]), data=st.data())
def test_a_number_out_of_bounds_is_refused_naming_the_key(item, data):
    below = st.floats(max_value=item.low, exclude_max=True)
    above = st.floats(min_value=item.high, exclude_min=True)
    value = data.draw(below | above | st.just(float("nan")))
    with pytest.raises(ScenarioError, match=item.key):
        completed({item.key: value}, stated([item.key]))


@SLOW
@given(text=st.text(max_size=300))
def test_garbage_is_refused_and_never_crashes(text):
    with pytest.raises(ScenarioError):
        from_yaml(text)


@SLOW
@given(data=st.data())
def test_a_damaged_home_is_read_or_refused_and_never_crashes(data):
    text = to_yaml(completed(FULL_HOME, stated(FULL_HOME)))
    start = data.draw(st.integers(0, len(text) - 1))
    length = data.draw(st.integers(0, 30))
    damage = data.draw(st.text(alphabet="0159-:{}[]&*!'\"\n az.e\t#|>%@\x00", max_size=12))
    with contextlib.suppress(ScenarioError):
        from_yaml(text[:start] + damage + text[start + length :])


@given(words=st.text(max_size=200), unit=st.text(max_size=40))
def test_words_of_the_householder_survive_in_every_alphabet(words, unit):
    source = Source(provenance="stated", words=words, unit=unit, turn=0)
    home = completed({"household.occupants": 3}, {"household.occupants": source})
    assert from_yaml(to_yaml(home)).sources["household.occupants"] == source


def test_only_owned_devices_have_parameters():
    home = completed({"battery.capacity_kwh": 9}, stated(["battery.capacity_kwh"]))
    assert home.parameters.battery is None
    assert home.parameters.evs == ()
    assert left_out({"battery.capacity_kwh": 9}) == ("battery.capacity_kwh",)


def test_every_default_and_every_inferred_value_is_listed_as_such():
    home = completed(FULL_HOME, stated(FULL_HOME))
    for key, source in home.sources.items():
        if key in FULL_HOME:
            assert source.provenance is Provenance.STATED
        elif source.provenance is Provenance.DEFAULT:
            assert home.values[key] == slot(key).default
        else:
            assert source.provenance is Provenance.INFERRED
    assert home.sources["heating.rated_electric_kw"].provenance is Provenance.INFERRED
    assert home.parameters.evs[1].capacity_kwh == 12.0


def test_defaults_give_way_to_what_was_said():
    said = {
        "household.devices": ["heat_pump", "ev"],
        "comfort.temp_night_c": 15,
        "tariff.kind": "time_of_use",
        "tariff.peak_price_per_kwh": 0.18,
        "evs.1.model": "a Nissan Leaf, the 40 one",
    }
    values = completed(said, stated(said)).values
    assert values["heating.kind"] == "heat_pump"
    assert values["comfort.temp_min_c"] <= 15
    assert values["tariff.off_peak_price_per_kwh"] < 0.18
    assert values["evs.1.capacity_kwh"] == 39


def test_an_expert_may_state_what_is_otherwise_derived():
    said = {"building.ua_kw_per_k": 0.123, "heating.kind": "resistive"}
    home = completed(said, stated(said))
    assert home.values["building.ua_kw_per_k"] == 0.123
    assert home.values["heating.rated_electric_kw"] == pytest.approx(1.15 * 0.123 * 24, abs=0.06)
    stale = dict.fromkeys(said, Source(provenance="inferred"))
    assert completed(said, stale).values["building.ua_kw_per_k"] != 0.123


def test_a_value_without_source_is_an_error():
    with pytest.raises(ScenarioError, match=r"no source for household\.occupants"):
        completed({"household.occupants": 2}, {})
    text = to_yaml(completed({}, {})).replace(
        "  household.occupants:\n    provenance: default\n", ""
    )
    with pytest.raises(ScenarioError, match=r"sources of household\.occupants are missing"):
        from_yaml(text)


def test_several_faults_are_listed_with_key_value_and_range():
    text = to_yaml(completed(FULL_HOME, stated(FULL_HOME)))
    text = text.replace("capacity_kwh: 9.5", "capacity_kwh: 950.0").replace(
        "capacity_kwh: 12.0", "capacity_kwh: '12'"
    )
    text = text.replace("peak_price_per_kwh: 0.42", "peak_price_per_kwh: true")
    with pytest.raises(ScenarioError) as caught:
        from_yaml(text, name="my home")
    message = str(caught.value)
    assert message.startswith("my home has 3 fault(s)")
    assert "`battery.capacity_kwh` is 950.0, expected a number from 0.5 to 60 kWh" in message
    assert "`evs.2.capacity_kwh` is '12'" in message
    assert "`tariff.peak_price_per_kwh` is True" in message


def test_a_clock_written_by_hand_without_quotes_stays_a_clock():
    text = to_yaml(completed(FULL_HOME, stated(FULL_HOME)))
    assert '"18:00"' in text
    assert from_yaml(text.replace('"18:00"', "18:00")) == from_yaml(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: &x [1]\nb: *x", "aliases"),
        ("!!python/object/apply:os.system ['true']", "tags"),
        ("a: 1\na: 2", "twice"),
        ("[" * 200, "levels"),
        ("a: [" + "1," * 9000 + "1]", "more than"),
        ("a: " + "x" * 300_000, "longer"),
        ("[1, 2]", "expected a mapping"),
        ("", "expected a mapping"),
        ("schema_version: 2\nparameters: {}\nsources: {}", "schema_version"),
        ("a: 1" + "0" * 5000, "fault"),
    ],
)
def test_surprising_or_exhausting_files_are_refused(text, reason):
    with pytest.raises(ScenarioError, match=reason):
        from_yaml(text)


def test_a_device_that_is_not_owned_is_refused():
    text = to_yaml(completed(FULL_HOME, stated(FULL_HOME))).replace("    - generator\n", "")
    with pytest.raises(ScenarioError, match="no such thing"):
        from_yaml(text)


def test_files_are_byte_stable_and_unreadable_ones_are_named(tmp_path):
    home = completed(FULL_HOME, stated(FULL_HOME))
    path = tmp_path / "home.yaml"
    write(home, path=path)
    first = path.read_bytes()
    write(read(path), path=path)
    assert path.read_bytes() == first
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioError, match=r"home\.yaml"):
        read(path)
    with pytest.raises(ScenarioError, match=r"absent\.yaml"):
        read(tmp_path / "absent.yaml")


def test_a_place_without_time_zone_is_refused():
    with pytest.raises(ScenarioError, match="IANA"):
        completed({}, {}, timezone="Mars/Base")


def test_intervals_over_midnight_contain_both_sides():
    night = Interval(start="22:00", end="06:00")
    assert night.length_h == 8
    assert [night.contains(60 * hour) for hour in (21, 22, 0, 5, 6, 12)] == [
        False, True, True, True, False, False,
    ]  # fmt: skip
    assert Interval(start="00:00", end="24:00").contains(1439)
