"""What travels between federates: numbers unchanged, everything else refused by name."""

from datetime import UTC, datetime

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federates.topics import (
    ALL_PORTS,
    PORT_BY_NAME,
    POWERS_REAL,
    PRICE,
    UNSET_BELOW,
    VOLTAGES,
    check_values,
    decode_oedisi,
    encode_oedisi,
)
from gradmap.errors import FederationError

NOON = datetime(2025, 3, 18, 12, tzinfo=UTC)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
def test_oedisi_messages_carry_doubles_exactly(values):
    ids = tuple(f"id{i}" for i in range(len(values)))
    text = encode_oedisi(VOLTAGES, np.array(values), ids=ids)
    decoded, again = decode_oedisi(text, topic="grid/voltages")
    assert decoded.tolist() == values
    assert decoded.dtype == np.float64
    assert again == ids


@pytest.mark.parametrize("port", ALL_PORTS, ids=lambda port: port.name)
def test_oedisi_messages_have_the_fields_of_their_type(port):
    """The schema of OEDISI 3.0: MeasurementArray, and EquipmentNodeArray for powers."""
    message = orjson.loads(encode_oedisi(port, np.array([1.5]), ids=("a",), time=NOON))
    expected = {"values", "ids", "units", "accuracy", "bad_data_threshold", "time"}
    if port.oedisi_type in ("PowersReal", "PowersImaginary"):
        expected.add("equipment_ids")
        assert message["equipment_ids"] == ["a"]
    assert set(message) == expected
    assert message["units"] == port.units
    assert message["time"] == "2025-03-18T12:00:00+00:00"


def test_oedisi_messages_without_a_known_wall_clock_have_no_time():
    assert orjson.loads(encode_oedisi(PRICE, np.array([1.0]), ids=("a",)))["time"] is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "3", "null", '{"values": [1]}', '{"values": ["x"], "ids": ["a"]}', '{"ids": ["a"]}'],
)
def test_a_message_that_is_no_measurement_is_refused_with_its_topic(text):
    with pytest.raises(FederationError) as caught:
        decode_oedisi(text, topic="mine/power")
    assert f"Topic 'mine/power': the message is {text!r}" in str(caught.value)
    assert "expected an OEDISI measurement with `values` and `ids`" in str(caught.value)


def test_a_message_of_the_wrong_length_is_refused():
    with pytest.raises(FederationError, match=r"'t' carries 2 values, expected 3\..* `ids` topic"):
        check_values(np.zeros(2), topic="t", n_expected=3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2 * UNSET_BELOW])
def test_values_that_nobody_set_are_refused_by_position(bad):
    values = np.array([1.0, bad, 2.0, bad])
    with pytest.raises(FederationError) as caught:
        check_values(values, topic="t", n_expected=4)
    assert f"Topic 't': value 1 is {bad}, expected a finite number (2 of 4" in str(caught.value)
    check_values(values[[0, 2]], topic="t", n_expected=2)


def test_port_names_and_folders_are_unique():
    assert len(PORT_BY_NAME) == len(ALL_PORTS)
    assert len({port.quantity for port in ALL_PORTS}) == len(ALL_PORTS)
    assert PORT_BY_NAME["powers_real"] is POWERS_REAL
