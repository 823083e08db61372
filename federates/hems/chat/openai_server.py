"""A language model on any server that speaks OpenAI's chat completions.

The `openai` package is imported on first use. Answers are read as bytes with a limit on size and
time. Servers that refuse a JSON Schema are asked in plain words from then on.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from federates.hems.chat.http_answer import HttpFailure, body, completion_of, refuse_failures
from federates.hems.chat.model import (
    ChatMessage,
    Completion,
    JsonSchema,
    RefusedError,
    UnreachableError,
)
from federates.hems.chat.settings import ServerSettings
from gradmap.errors import MissingExtraError, ScenarioError

SCHEMA_NAME: Final = "answer"
_NO_KEY: Final = "none"
_NO_SCHEMA: Final = frozenset({400, 415, 422, 501})
_AGAIN: Final = frozenset({408, 409, 425, 429})
_SERVER_FAULT: Final = 500
_LOOK_S: Final = 5.0
"""Patience of `OpenAiServer.answers`. [s]"""


class OpenAiServer:
    """A chat model behind HTTP. Not for several threads at once."""

    def __init__(
        self, settings: ServerSettings, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            settings: Server and patience.
            sleep: Waits between repeats; tests pass their own.

        Raises:
            MissingExtraError: The `openai` package is not installed.
            ScenarioError: The key in the environment cannot be sent.
        """
        self._settings = settings
        self._sleep = sleep
        self._sdk = _openai()
        self._takes_schema = True
        self._client = self._connected()

    def __repr__(self) -> str:
        """Return server and model, never a key."""
        return f"OpenAiServer(base_url={self._settings.base_url!r}, model={self.name!r})"

    @property
    def name(self) -> str:
        """Return the name of the model."""
        return self._settings.model

    @property
    def takes_schema(self) -> bool:
        """Return whether the server has not refused a JSON Schema yet."""
        return self._takes_schema

    def complete(
        self, messages: Sequence[ChatMessage], *, schema: JsonSchema | None, seed: int
    ) -> Completion:
        """Return the next message, see `ChatModel`."""
        if schema is not None and self._takes_schema:
            try:
                return self._patiently(messages, schema=schema, in_words=False, seed=seed)
            except _SchemaRefusedError:
                completion = self._patiently(messages, schema=schema, in_words=True, seed=seed)
                self._takes_schema = False
                return completion
        return self._patiently(messages, schema=schema, in_words=True, seed=seed)

    def answers(self) -> bool:
        """Return whether there is a server at all, whatever it says to a request for its models."""
        models = self._client.models.with_streaming_response
        try:
            with models.list(timeout=_LOOK_S):
                return True
        except self._sdk.APIConnectionError as exc:
            cause = exc.__cause__
            # Connected and slow to answer, or answered with an error status: it is there.
            return isinstance(cause, HttpFailure) or type(cause).__name__ == "ReadTimeout"
        except (self._sdk.OpenAIError, HttpFailure):
            return True

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _patiently(
        self,
        messages: Sequence[ChatMessage],
        *,
        schema: JsonSchema | None,
        in_words: bool,
        seed: int,
    ) -> Completion:
        """Ask until there is an answer or no repeats are left."""
        request = self._request(messages, schema=schema, in_words=in_words, seed=seed)
        wait_s = self._settings.first_wait_s
        for repeat in range(self._settings.retries + 1):
            try:
                return self._once(request)
            except HttpFailure as failure:
                if not in_words and failure.status in _NO_SCHEMA:
                    raise _SchemaRefusedError from failure
                last = repeat == self._settings.retries
                asked_s = failure.retry_after_s
                if last or not _passing(failure) or asked_s > self._settings.longest_wait_s:
                    raise UnreachableError(self._explained(failure, tries=repeat + 1)) from None
            self._sleep(min(max(wait_s, asked_s), self._settings.longest_wait_s))
            wait_s *= 2
        raise AssertionError("unreachable: the last repeat returns or raises")

    def _once(self, request: Mapping[str, Any]) -> Completion:
        """Send one request.

        Raises:
            HttpFailure: No answer, or not a good one.
            OversizedError: The answer is too long.
            RefusedError: The model declined.
        """
        deadline = time.monotonic() + self._settings.timeout_s
        chat = self._client.chat.completions.with_streaming_response
        try:
            with chat.create(**request) as response:
                raw = body(
                    response.iter_bytes(),
                    limit_bytes=self._settings.max_answer_bytes,
                    out_of_time=lambda: time.monotonic() > deadline,
                )
        except self._sdk.APITimeoutError:
            raise HttpFailure(said=f"no answer within {self._settings.timeout_s:g} s") from None
        except self._sdk.APIConnectionError as exc:
            cause = exc.__cause__  # older versions wrap what our hook raises
            if isinstance(cause, HttpFailure):
                raise cause from None
            raise HttpFailure(said=f"no connection ({type(cause or exc).__name__})") from None
        except (self._sdk.OpenAIError, OSError) as exc:
            raise HttpFailure(said=f"no answer ({type(exc).__name__})") from None
        except Exception as exc:
            if isinstance(exc, HttpFailure | RefusedError) or not _from_transport(exc):
                raise
            raise HttpFailure(said=f"the answer broke off ({type(exc).__name__})") from None
        return completion_of(raw, model=self.name)

    def _request(
        self,
        messages: Sequence[ChatMessage],
        *,
        schema: JsonSchema | None,
        in_words: bool,
        seed: int,
    ) -> dict[str, Any]:
        sent = [{"role": message.role, "content": _sendable(message.text)} for message in messages]
        request: dict[str, Any] = {
            "model": self._settings.model,
            "messages": sent,
            "seed": seed,
            self._settings.tokens_field: self._settings.max_answer_tokens,
            "timeout": self._settings.timeout_s,
        }
        if self._settings.temperature is not None:
            request["temperature"] = self._settings.temperature
        if schema is not None and in_words:
            wish = json.dumps(schema, separators=(",", ":"))
            sent[0]["content"] += f"\n\nAnswer with one JSON object of this JSON Schema:\n{wish}"
        elif schema is not None:
            request["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": SCHEMA_NAME, "schema": dict(schema)},
            }
        return request

    def _connected(self) -> Any:
        """Return a client that neither repeats nor redirects by itself."""
        key = os.environ.get(self._settings.key_variable, "").strip() or _NO_KEY
        if not key.isascii() or not key.isprintable():
            raise ScenarioError(
                f"{self._settings.key_variable} holds characters that no key has; set it again"
            )
        http = self._sdk.DefaultHttpxClient(
            follow_redirects=False,
            event_hooks={"response": [refuse_failures(secret=key)]},
        )
        client = self._sdk.OpenAI(
            api_key=key,
            base_url=self._settings.base_url,
            max_retries=0,
            default_headers={"Accept-Encoding": "identity"},
            http_client=http,
        )
        client.organization = client.project = None
        return client

    def _explained(self, failure: HttpFailure, *, tries: int) -> str:
        """Return a failure in words: server, what it said, what to do."""
        at = f"{self._settings.base_url}, model {self._settings.model!r}"
        times = f" after {tries} tries" if tries > 1 else ""
        match failure.status:
            case 401 | 403:
                remedy = f"Put a valid key into the variable {self._settings.key_variable}."
            case 404:
                remedy = "Check the address (it usually ends in /v1) and the name of the model."
            case 429:
                remedy = "Wait, or use a server with a higher limit."
            case _:
                remedy = "Check that the server runs, or go on without it: interviewer `rules`."
        return f"Language model at {at}: {failure}{times}. {remedy}"


class _SchemaRefusedError(Exception):
    """The server may not know JSON Schemas; ask in words."""


def _sendable(text: str) -> str:
    """Return text without lone surrogates, which no encoding takes."""
    return text.encode("utf-8", "replace").decode()


def _passing(failure: HttpFailure) -> bool:
    """Return whether a failure may pass: the next try can succeed."""
    status = failure.status
    return status is None or status in _AGAIN or status >= _SERVER_FAULT


def _from_transport(exc: Exception) -> bool:
    """Return whether the HTTP library raised an error, whichever version it is."""
    return type(exc).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2")


def _openai() -> Any:
    """Return the package.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return import_module("openai")
    except ImportError as exc:
        raise MissingExtraError(
            "talking to a language model needs `openai`; install it with "
            "pip install 'gradmap[llm]', or use the interviewer `rules`, which needs none"
        ) from exc
