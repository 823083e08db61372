"""The OpenAI-compatible back end over real HTTP on the loopback interface."""

import json
import logging
import sys
import time

import pytest

from federates.hems.chat.model import ChatMessage, OversizedError, RefusedError, UnreachableError
from federates.hems.chat.openai_server import OpenAiServer
from federates.hems.chat.settings import ServerSettings
from gradmap.errors import MissingExtraError, ScenarioError
from tests.hems.chat.chat_server import Answer, chat_server, said

ASKED = (ChatMessage("system", "Be brief."), ChatMessage("user", "Hello?"))
SCHEMA = {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]}
SECRET = "sk-top-secret-0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "GRADMAP_LLM_API_KEY"):
        monkeypatch.delenv(name, raising=False)


class Waits(list):
    """Stands in for sleeping."""

    def __call__(self, seconds):
        self.append(seconds)


def connected(server, *, waits=None, **settings):
    return OpenAiServer(
        ServerSettings(base_url=server.url, model="small", **settings),
        sleep=Waits() if waits is None else waits,
    )


def test_an_answer_with_its_cost():
    with chat_server(said("Hi.")) as server:
        model = connected(server)
        completion = model.complete(ASKED, schema=None, seed=3)
        model.close()
    assert completion.text == "Hi."
    assert completion.model == "served-model"
    assert (completion.usage.tokens_in, completion.usage.tokens_out) == (11, 7)
    request = server.requests[0]
    assert request["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello?"},
    ]
    assert request["seed"] == 3
    assert request["temperature"] == 0
    assert "response_format" not in request


def test_a_schema_is_sent_to_a_server_that_takes_one():
    with chat_server(said('{"a": 1}')) as server:
        model = connected(server)
        model.complete(ASKED, schema=SCHEMA, seed=0)
        model.close()
    assert server.requests[0]["response_format"]["json_schema"]["schema"] == SCHEMA
    assert server.requests[0]["messages"][0]["content"] == "Be brief."
    assert model.takes_schema


@pytest.mark.parametrize("status", [400, 422, 501])
def test_a_server_without_schemas_is_asked_in_words_from_then_on(status):
    def reply(request):
        if "response_format" in request:
            return Answer(status, b'{"error": {"message": "response_format not supported"}}')
        return said('{"a": 1}')

    with chat_server(reply=reply) as server:
        model = connected(server)
        assert model.complete(ASKED, schema=SCHEMA, seed=0).text == '{"a": 1}'
        assert model.complete(ASKED, schema=SCHEMA, seed=0).text == '{"a": 1}'
        model.close()
    assert ["response_format" in request for request in server.requests] == [True, False, False]
    assert json.dumps(SCHEMA, separators=(",", ":")) in server.requests[1]["messages"][0]["content"]


def test_a_refusal_for_another_reason_is_not_taken_for_a_missing_feature():
    with chat_server(Answer(400, b"context too long")) as server:
        model = connected(server)
        with pytest.raises(UnreachableError, match="context too long"):
            model.complete(ASKED, schema=SCHEMA, seed=0)
        assert model.takes_schema
        model.close()


def test_too_many_requests_then_an_answer():
    with chat_server(Answer(429, b"slow down", {"Retry-After": "7"}), said("ok")) as server:
        waits = Waits()
        model = connected(server, waits=waits)
        assert model.complete(ASKED, schema=SCHEMA, seed=0).text == "ok"
        model.close()
    assert waits == [7.0]


def test_retry_after_as_a_date_counts_from_the_servers_own_clock():
    headers = {
        "Retry-After": "Mon, 01 Jan 2024 00:00:09 GMT",
        "Date": "Mon, 01 Jan 2024 00:00:00 GMT",
    }
    waits = Waits()
    with chat_server(Answer(503, b"", headers), said("ok")) as server:
        model = connected(server, waits=waits)
        assert model.complete(ASKED, schema=None, seed=0).text == "ok"
        model.close()
    assert waits == [9.0]


def test_text_that_cannot_be_encoded_is_sent_all_the_same():
    with chat_server(said("ok")) as server:
        model = connected(server)
        model.complete((*ASKED, ChatMessage("user", "a\ud800b")), schema=None, seed=0)
        model.close()
    assert server.requests[0]["messages"][-1]["content"] == "a?b"


def test_a_server_that_asks_to_wait_for_hours_is_given_up_at_once():
    with chat_server(Answer(429, b"quota", {"Retry-After": "7200"})) as server:
        waits = Waits()
        model = connected(server, waits=waits)
        with pytest.raises(UnreachableError, match=r"429.*quota"):
            model.complete(ASKED, schema=None, seed=0)
        model.close()
    assert waits == []
    assert len(server.requests) == 1


def test_a_server_that_always_fails_is_given_up_after_the_repeats():
    with chat_server(Answer(500, b"boom")) as server:
        waits = Waits()
        model = connected(server, waits=waits, retries=3)
        with pytest.raises(UnreachableError, match=r"HTTP 500: boom after 4 tries.*`rules`"):
            model.complete(ASKED, schema=None, seed=0)
        model.close()
    assert waits == [0.5, 1.0, 2.0]
    assert len(server.requests) == 4


@pytest.mark.parametrize("status", [301, 401, 403, 404])
def test_what_cannot_get_better_is_not_repeated(status):
    with chat_server(Answer(status, b"no", {"Location": "http://127.0.0.1:1/"})) as server:
        model = connected(server)
        with pytest.raises(UnreachableError, match=f"HTTP {status}"):
            model.complete(ASKED, schema=None, seed=0)
        model.close()
    assert len(server.requests) == 1


def test_a_slow_server_is_given_up():
    with chat_server(Answer(200, b"{}", delay_s=1.0)) as server:
        model = connected(server, timeout_s=0.1, retries=1)
        started = time.monotonic()
        with pytest.raises(UnreachableError, match=r"no answer within 0\.1 s"):
            model.complete(ASKED, schema=None, seed=0)
        assert time.monotonic() - started < 1.0
        model.close()
    assert len(server.requests) == 2


def test_a_server_that_trickles_is_given_up():
    def trickle(socket):
        for _ in range(100):
            socket.write(b" ")
            socket.flush()
            time.sleep(0.02)

    with chat_server(Answer(200, trickle)) as server:
        model = connected(server, timeout_s=0.2, retries=0)
        started = time.monotonic()
        with pytest.raises(UnreachableError, match="too long"):
            model.complete(ASKED, schema=None, seed=0)
        assert time.monotonic() - started < 1.0
        model.close()


def test_an_answer_of_10_mb_is_cut_off():
    sent = []

    def flood(socket):
        for _ in range(160):
            socket.write(b'{"choices": ' + b"x" * 65_536)
            sent.append(65_536)

    with chat_server(Answer(200, flood)) as server:
        model = connected(server, max_answer_bytes=100_000)
        with pytest.raises(OversizedError, match="100000 bytes"):
            model.complete(ASKED, schema=None, seed=0)
        model.close()
    assert sum(sent) < 8_000_000


def test_an_error_page_of_10_mb_is_not_read_to_its_end():
    sent = []

    def flood(socket):
        for _ in range(160):
            socket.write(b"E" * 65_536)
            sent.append(65_536)

    with chat_server(Answer(500, flood)) as server:
        model = connected(server, retries=0)
        with pytest.raises(UnreachableError, match="HTTP 500: EEE") as failure:
            model.complete(ASKED, schema=None, seed=0)
        model.close()
    assert len(str(failure.value)) < 600
    assert sum(sent) < 8_000_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>gateway</html>",
        b'{"choices": [{"mess',
        b"[1, 2]",
        b'{"choices": []}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": [{"message": {"content": 5}}]}',
        b'{"choices": [{"message": {"content": null, "tool_calls": []}}]}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ],
)
def test_garbage_is_repeated_and_then_given_up(body):
    with chat_server(Answer(200, body)) as server:
        model = connected(server, retries=1)
        with pytest.raises(UnreachableError, match=r"not a chat completion|no text"):
            model.complete(ASKED, schema=None, seed=0)
        model.close()
    assert len(server.requests) == 2


def test_a_connection_that_breaks_off():
    def broken(socket):
        socket.write(b'{"choices')
        socket.flush()

    headers = {"Content-Length": "5000"}
    with chat_server(Answer(200, broken, headers), said("ok")) as server:
        model = connected(server)
        assert model.complete(ASKED, schema=None, seed=0).text == "ok"
        model.close()


def test_nobody_listens():
    with chat_server(said("")) as server:
        pass
    model = connected(server, retries=1)
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1.*small.*no connection"):
        model.complete(ASKED, schema=None, seed=0)
    model.close()


def test_a_model_that_declines():
    with chat_server(said(None, refusal="I cannot do that.")) as server:
        model = connected(server)
        with pytest.raises(RefusedError, match="cannot do that"):
            model.complete(ASKED, schema=None, seed=0)
        model.close()
    assert len(server.requests) == 1


def test_usage_that_is_nonsense_counts_as_nothing():
    with chat_server(said("ok", tokens=(True, -5))) as server:
        model = connected(server)
        usage = model.complete(ASKED, schema=None, seed=0).usage
        model.close()
    assert (usage.tokens_in, usage.tokens_out, usage.calls) == (0, 0, 1)


def test_the_key_is_sent_and_never_shown(monkeypatch, caplog):
    monkeypatch.setenv("MY_KEY", SECRET)
    caplog.set_level(logging.DEBUG)
    echo = json.dumps({"error": f"bad key {SECRET}, {SECRET[:8]}***{SECRET[-8:]}"}).encode()
    with chat_server(Answer(401, echo)) as server:
        model = connected(server, key_variable="MY_KEY")
        with pytest.raises(UnreachableError, match="variable MY_KEY") as failure:
            model.complete(ASKED, schema=None, seed=0)
        model.close()
    assert server.keys == [f"Bearer {SECRET}"]
    shown = f"{failure.value!r} {model!r} {failure.value.__cause__!r} {caplog.text}"
    assert SECRET not in shown
    assert SECRET[-8:] not in shown


def test_keys_for_openai_are_not_sent_to_other_servers(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    with chat_server(said("ok")) as server:
        model = connected(server)
        model.complete(ASKED, schema=None, seed=0)
        model.close()
    assert server.keys == ["Bearer none"]


def test_a_key_that_cannot_be_sent_is_not_repeated(monkeypatch):
    monkeypatch.setenv("GRADMAP_LLM_API_KEY", "geheim\u00fc")
    with pytest.raises(ScenarioError, match="GRADMAP_LLM_API_KEY") as failure:
        OpenAiServer(ServerSettings(base_url="http://localhost:1/v1", model="m"))
    assert "geheim" not in str(failure.value)


@pytest.mark.parametrize(
    "base_url",
    ["ftp://host/v1", "http://user:pw@host/v1", "http://host/v1?key=1", "host", "http://a b/v1",
     "http://host:99999/v1", "file:///etc/passwd"],
)  # fmt: skip
def test_addresses_that_are_refused(base_url):
    with pytest.raises(ValueError, match="expected an address"):
        ServerSettings(base_url=base_url, model="m")


def test_without_the_package_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtraError, match=r"gradmap\[llm\]"):
        OpenAiServer(ServerSettings(base_url="http://localhost:1/v1", model="m"))
