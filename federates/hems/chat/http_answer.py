"""Reading what a chat server sent: limits first, then meaning. Nothing of it is trusted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime
from typing import Any, Final

from federates.hems.chat.model import Completion, OversizedError, RefusedError, Usage

_GOOD: Final = range(200, 300)
_EXCERPT_BYTES: Final = 2_000
_EXCERPT: Final = 200
_LEAST_SECRET: Final = 6
_MOST_TOKENS: Final = 1_000_000_000


class HttpFailure(Exception):  # noqa: N818 - caught where it is retried, never seen outside
    """One request failed. It never holds the key."""

    def __init__(self, *, said: str, status: int | None = None, retry_after_s: float = 0.0) -> None:
        """Describe the failure: what the server said, HTTP status, and how long it asks to wait."""
        super().__init__(said if status is None else f"HTTP {status}: {said}")
        self.status = status
        self.retry_after_s = retry_after_s


def refuse_failures(*, secret: str) -> Callable[[Any], None]:
    """Return an HTTP hook that reads at most the head of an answer that is not good, and raises.

    Args:
        secret: The key; servers like to repeat it.
    """

    def hook(response: Any) -> None:
        if response.status_code in _GOOD:
            return
        head = b""
        for chunk in response.iter_bytes():
            head += chunk
            if len(head) > _EXCERPT_BYTES:
                break
        raise HttpFailure(
            said=_excerpt(head, secret=secret) or "no reason given",
            status=response.status_code,
            retry_after_s=_retry_after_s(response.headers),
        )

    return hook


def body(chunks: Iterable[bytes], *, limit_bytes: int, out_of_time: Callable[[], bool]) -> bytes:
    """Return an answer of limited size that arrives in time.

    Raises:
        OversizedError: It is longer than the limit.
        HttpFailure: It trickles in for too long.
    """
    read = bytearray()
    for chunk in chunks:
        read += chunk
        if len(read) > limit_bytes:
            raise OversizedError(
                f"a language model answered more than {limit_bytes} bytes and was cut off; "
                f"use another model, or raise `max_answer_bytes`"
            )
        if out_of_time():
            raise HttpFailure(said="the answer took too long")
    return bytes(read)


def completion_of(raw: bytes, *, model: str) -> Completion:
    """Return the completion in the body of an answer.

    Args:
        raw: The body.
        model: Taken where the server does not say which model answered.

    Raises:
        HttpFailure: It is not a chat completion.
        RefusedError: The model declined.
    """
    try:
        data = json.loads(raw)
        choice = data["choices"][0]
        message = choice["message"]
        text, refusal = message.get("content"), message.get("refusal")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise HttpFailure(said="the answer is not a chat completion") from None
    if refusal or choice.get("finish_reason") == "content_filter":
        raise RefusedError(f"the language model declined: {_tidy(str(refusal or 'filtered'))}")
    if not isinstance(text, str):
        raise HttpFailure(said="the answer holds no text")
    said_model = data.get("model")
    return Completion(
        text=text.encode("utf-8", "replace").decode(),  # lone surrogates cannot be stored
        usage=_usage(data.get("usage")),
        model=said_model[:_EXCERPT] if isinstance(said_model, str) and said_model else model,
    )


def _usage(data: Any) -> Usage:
    """Return token counts, zero where the server gives none or nonsense."""
    counts = data if isinstance(data, dict) else {}

    def count(name: str) -> int:
        value = counts.get(name)
        return min(max(value, 0), _MOST_TOKENS) if type(value) is int else 0

    return Usage(tokens_in=count("prompt_tokens"), tokens_out=count("completion_tokens"), calls=1)


def _excerpt(head: bytes, *, secret: str) -> str:
    """Return the beginning of an error in one line, without the key."""
    text = head.decode("utf-8", "replace")
    if len(secret) >= _LEAST_SECRET:
        text = text.replace(secret, "[key]")
        for length in (12, 8):  # services repeat the first or last characters
            if len(secret) > 2 * length:
                text = text.replace(secret[:length], "[key]").replace(secret[-length:], "[key]")
    return _tidy(text)


def _tidy(text: str) -> str:
    """Return printable text in one short line."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= _EXCERPT else line[:_EXCERPT] + "..."


def _retry_after_s(headers: Any) -> float:
    """Return how long a server asks to wait: seconds, or until a date. [s]"""
    said = str(headers.get("retry-after", ""))
    try:
        return max(float(said), 0.0) if said.strip()[:1].isdigit() else _until_s(said, headers)
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _until_s(said: str, headers: Any) -> float:
    """Return the time between the server's own date and a later one; no clock of ours. [s]"""
    later = parsedate_to_datetime(said)
    return max((later - parsedate_to_datetime(str(headers.get("date", "")))).total_seconds(), 0.0)
