"""Recordings: what was answered once is answered the same way again, and nothing else is."""

import json

import pytest

from federates.hems.chat.model import (
    ChatMessage,
    Completion,
    RefusedError,
    ReplayMissError,
    Usage,
)
from federates.hems.chat.replay import Recorder, Replay, request_key
from federates.hems.chat.scripted import ScriptedModel
from gradmap.errors import ScenarioError

HELLO = (ChatMessage("system", "s"), ChatMessage("user", "my name is Ada \ud800"))
OTHER = (ChatMessage("system", "s"), ChatMessage("user", "bye"))


def test_a_recording_replays_without_the_model(tmp_path):
    path = tmp_path / "answers.jsonl"
    live = ScriptedModel([Completion("hi\nthere", usage=Usage(1, 2, 1), model="m-2024"), "bye"])
    recorder = Recorder(live, path=path)
    first = recorder.complete(HELLO, schema={"type": "object"}, seed=1)
    recorder.complete(OTHER, schema=None, seed=1)
    replay = Replay(path, name="scripted")
    assert replay.complete(HELLO, schema={"type": "object"}, seed=1) == first
    assert replay.complete(OTHER, schema=None, seed=1).text == "bye"


@pytest.mark.parametrize(
    ("messages", "schema", "seed", "name"),
    [
        (OTHER, None, 1, "scripted"),
        (HELLO, {"type": "object"}, 1, "scripted"),
        (HELLO, None, 2, "scripted"),
        (HELLO, None, 1, "another"),
    ],
)
def test_anything_else_is_a_miss(tmp_path, messages, schema, seed, name):
    path = tmp_path / "answers.jsonl"
    Recorder(ScriptedModel(["hi"]), path=path).complete(HELLO, schema=None, seed=1)
    with pytest.raises(ReplayMissError, match=r"answers\.jsonl has no answer.*record again"):
        Replay(path, name=name).complete(messages, schema=schema, seed=seed)


def test_messages_are_kept_only_on_request(tmp_path):
    for keep in (False, True):
        path = tmp_path / f"{keep}.jsonl"
        Recorder(ScriptedModel(["hi"]), path=path, keep_messages=keep).complete(
            OTHER, schema=None, seed=1
        )
        assert ("bye" in path.read_text()) == keep
        assert Replay(path, name="scripted").complete(OTHER, schema=None, seed=1).text == "hi"


def test_a_recording_goes_on_without_asking_twice(tmp_path):
    path = tmp_path / "answers.jsonl"
    Recorder(ScriptedModel(["hi"]), path=path).complete(HELLO, schema=None, seed=1)
    live = ScriptedModel(["new"])
    recorder = Recorder(live, path=path)
    assert recorder.complete(HELLO, schema=None, seed=1).text == "hi"
    assert recorder.complete(OTHER, schema=None, seed=1).text == "new"
    assert len(live.asked) == 1


def test_failures_are_replayed_as_failures_but_asked_again_when_recording(tmp_path):
    path = tmp_path / "answers.jsonl"
    with pytest.raises(RefusedError):
        Recorder(ScriptedModel([RefusedError("no")]), path=path).complete(
            HELLO, schema=None, seed=1
        )
    with pytest.raises(RefusedError, match="no"):
        Replay(path, name="scripted").complete(HELLO, schema=None, seed=1)
    again = Recorder(ScriptedModel(["yes"]), path=path)
    assert again.complete(HELLO, schema=None, seed=1).text == "yes"
    assert Replay(path, name="scripted").complete(HELLO, schema=None, seed=1).text == "yes"


@pytest.mark.parametrize("line", ["{", "[]", '{"key": "x"}', "null"])
def test_a_broken_line_is_named(tmp_path, line):
    path = tmp_path / "answers.jsonl"
    path.write_text(f"{line}\n")
    with pytest.raises(ScenarioError, match="line 1 is not a recorded answer"):
        Replay(path, name="m")


def test_a_missing_file(tmp_path):
    with pytest.raises(ScenarioError, match="cannot be read"):
        Replay(tmp_path / "none.jsonl", name="m")


def test_the_key_does_not_depend_on_the_order_of_the_schema():
    one = json.loads('{"a": 1, "b": 2}')
    two = json.loads('{"b": 2, "a": 1}')
    assert request_key("m", OTHER, schema=one, seed=0) == request_key(
        "m", OTHER, schema=two, seed=0
    )
