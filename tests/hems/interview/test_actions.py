"""Actions: closed, flat for models, and refused with a reason a model understands."""

import pytest

from federates.hems.interview.actions import Ask, Mark, Record, action_of, action_schema


def test_fields_of_other_actions_are_ignored():
    data = {
        "thought": "blue whales", "action": "ask", "key": "x", "words": "", "value": 5, "unit": "",
        "reason": "", "topic": "", "keys": ["pv.peak_kw"], "text": "How big?",
    }  # fmt: skip
    assert action_of(data) == Ask(thought="blue whales", keys=("pv.peak_kw",), text="How big?")


def test_null_is_nothing_said():
    data = {"action": "record", "key": "pv.peak_kw", "value": 4, "unit": None, "words": "4 kW"}
    assert action_of(data) == Record(key="pv.peak_kw", value=4, words="4 kW")
    assert action_of({"action": "ask", "keys": None, "text": None}) == Ask()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "must be one of ask, clarify"),
        ({"action": "delete"}, "must be one of"),
        ({"action": ["record"]}, "must be one of"),
        ({"action": "ask", "sql": "drop"}, "`sql` unknown"),
        ({"action": "record", "key": "pv.peak_kw", "value": 4}, "words"),
        ({"action": "record", "key": 5, "value": 4, "words": "4"}, "key"),
        ({"action": "mark", "key": "pv.peak_kw", "reason": "lazy", "words": "x"}, "reason"),
        ({"action": "ask", "text": "x" * 700}, "text"),
        ({"action": "clarify", "keys": []}, "keys"),
    ],
)
def test_what_is_no_action(data, reason):
    with pytest.raises(ValueError, match=reason):
        action_of(data)


def test_marks():
    data = {"action": "mark", "key": "pv.peak_kw", "reason": "unknown", "words": "no idea"}
    assert action_of(data) == Mark(key="pv.peak_kw", reason="unknown", words="no idea")


@pytest.mark.parametrize("react", [True, False])
def test_the_schema_is_flat_closed_and_thinks_first(react):
    schema = action_schema(("pv.peak_kw",), react=react)
    names = list(schema["properties"])
    assert (names[0] == "thought") == react
    assert schema["required"] == names
    assert schema["additionalProperties"] is False
    assert schema["properties"]["key"]["enum"] == ["", "pv.peak_kw"]
