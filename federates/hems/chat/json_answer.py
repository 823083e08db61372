"""JSON objects in the text of a model: fenced, wrapped in prose, after thoughts, or broken."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from federates.hems.chat.model import (
    ChatError,
    ChatMessage,
    ChatModel,
    JsonSchema,
    UnreadableError,
    Usage,
)

T = TypeVar("T")

_MAX_CHARACTERS: Final = 65_536
_MAX_TRIES: Final = 50
_SHOWN: Final = 2_000
_MAX_REASON: Final = 600
_THOUGHTS: Final = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL)
_FENCE: Final = re.compile(r"```[A-Za-z]{0,10}\s*\n?(.*?)```", re.DOTALL)


def objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects in a text: the whole text, fenced blocks, then what stands in prose.

    Only the first 64 Ki characters are looked at. Numbers are finite and no key stands twice.
    """
    text = text[:_MAX_CHARACTERS]
    rest = _THOUGHTS.sub(" ", text)
    for part in (rest, *_FENCE.findall(rest)):
        found = _whole(part)
        if found is not None:
            yield found
    yield from _in_prose(rest)


def complete_as(
    model: ChatModel,
    messages: Sequence[ChatMessage],
    *,
    read: Callable[[Mapping[str, Any]], T],
    schema: JsonSchema,
    seed: int,
) -> tuple[T, Usage]:
    """Return what a model answered, as an object; a wrong answer gets one repair request.

    Args:
        model: The model to ask.
        messages: The conversation.
        read: Makes the object from JSON; raises ValueError with a reason the model understands.
        schema: What the JSON should look like.
        seed: For servers that sample.

    Raises:
        UnreadableError: The second answer is wrong, too.
        ChatError: There is no answer.
    """
    completion = model.complete(messages, schema=schema, seed=seed)
    found, reason = _first_readable(completion.text, read=read)
    if found is not None:
        return found, completion.usage
    again = (
        *messages,
        ChatMessage("assistant", completion.text[:_SHOWN] or "(nothing)"),
        ChatMessage("user", f"That was not readable: {reason} Answer with the one JSON object."),
    )
    try:
        second = model.complete(again, schema=schema, seed=seed)
    except ChatError as exc:
        exc.usage += completion.usage
        raise
    usage = completion.usage + second.usage
    found, reason = _first_readable(second.text, read=read)
    if found is None:
        raise UnreadableError(
            f"the model {model.name!r} answered twice in a way that cannot be read: {reason}",
            usage=usage,
        )
    return found, usage


def _first_readable(text: str, *, read: Callable[[Mapping[str, Any]], T]) -> tuple[T | None, str]:
    """Return the first object that can be read, or why the first one cannot."""
    reason = ""
    for candidate in objects(text):
        try:
            return read(candidate), ""
        except ValueError as exc:
            reason = reason or str(exc)[:_MAX_REASON]
    return None, reason or "There is no complete JSON object in it."


def _in_prose(text: str) -> Iterator[dict[str, Any]]:
    """Yield objects that start at some brace of a text."""
    start = text.find("{")
    for _ in range(_MAX_TRIES):
        if start < 0:
            return
        end = start + 1
        try:
            found, end = _DECODER.raw_decode(text, start)
            if isinstance(found, dict):
                yield found
        except (ValueError, RecursionError):
            end = start + 1
        start = text.find("{", end)


def _whole(text: str) -> dict[str, Any] | None:
    """Return a text that is an object and nothing else."""
    try:
        found, end = _DECODER.raw_decode(text.strip())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and end == len(text.strip()) else None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a mapping whose keys stand once."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _finite(digits: str) -> float:
    """Return a number that is not NaN and not infinite, whether spelt out or too large."""
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits} is not a finite number")
    return value


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_finite, parse_float=_finite
)
