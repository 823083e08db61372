"""Reading JSON from what models write."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federates.hems.chat.json_answer import complete_as, objects
from federates.hems.chat.model import (
    ChatMessage,
    Completion,
    UnreachableError,
    UnreadableError,
    Usage,
)
from federates.hems.chat.scripted import ScriptedModel

ASKED = (ChatMessage("system", "s"), ChatMessage("user", "u"))


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        '  {"a": 1}\n',
        '```json\n{"a": 1}\n```',
        '```\n{"a": 1}```',
        'Sure! Here it is:\n```JSON\n{"a": 1}\n```\nAnything else?',
        'I would say {"a": 1}, since',
        '<think>maybe {"b": 2}?</think>{"a": 1}',
        'set {x} and {y: {"a": 1}',
    ],
)
def test_an_object_is_found(text):
    assert next(objects(text)) == {"a": 1}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        '{"a": 1',
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"a": 1, "a": 2}',
        "[1, 2]",
        '<think>{"a": 1}',
        "{" * 60_000,
        '{"a":' * 60_000,
        '{"a": ' + "9" * 10_000 + "}",
    ],
)
def test_what_is_no_object(text):
    assert list(objects(text)) == []


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.text(alphabet='{}[]":,`0eE-.\\ntruefalse<think>/ ')))
def test_any_text_is_survived(text):
    for found in objects(text):
        assert isinstance(found, dict)


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.one_of(st.integers(-9, 9), st.text(max_size=9).filter(lambda t: "```" not in t)),
        max_size=4,
    )
)
def test_what_was_written_is_read_from_prose_and_fences(data):
    fenced = f"Well:\n```json\n{json.dumps(data)}\n```"
    assert next(objects(fenced)) == data


def number(data):
    if not isinstance(data.get("a"), int):
        raise ValueError("`a` must be a whole number.")
    return data["a"]


def asked(model):
    return complete_as(model, ASKED, read=number, schema={"type": "object"}, seed=0)


def test_one_repair_request_says_what_was_wrong():
    model = ScriptedModel(
        [
            Completion('{"a": "one"}', usage=Usage(10, 5, 1)),
            Completion('{"a": 1}', usage=Usage(20, 5, 1)),
        ]
    )
    assert asked(model) == (1, Usage(30, 10, 2))
    assert model.asked[1][-2:] == (
        ChatMessage("assistant", '{"a": "one"}'),
        ChatMessage(
            "user",
            "That was not readable: `a` must be a whole number. Answer with the one JSON object.",
        ),
    )


def test_the_second_wrong_answer_is_a_failure_that_tells_its_cost():
    model = ScriptedModel(
        [Completion("nope", usage=Usage(10, 5, 1)), Completion('{"a":', usage=Usage(20, 5, 1))]
    )
    with pytest.raises(UnreadableError, match=r"twice.*no complete JSON object") as failure:
        asked(model)
    assert failure.value.usage == Usage(30, 10, 2)
    assert model.n_left == 0


def test_a_repair_request_that_fails_keeps_the_cost_of_the_first():
    model = ScriptedModel([Completion("?", usage=Usage(10, 5, 1)), UnreachableError("gone")])
    with pytest.raises(UnreachableError) as failure:
        asked(model)
    assert failure.value.usage == Usage(10, 5, 1)


def test_the_first_object_that_can_be_read_counts():
    assert asked(ScriptedModel(['Not {"b": 2} but {"a": 7}.']))[0] == 7
