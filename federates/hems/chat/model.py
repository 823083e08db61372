"""What a language model is to this project: messages in, text out, or one kind of error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from gradmap.errors import GradmapError

JsonSchema = Mapping[str, Any]
"""A JSON Schema whose root is an object."""


@dataclass(frozen=True)
class Usage:
    """What a request cost. Zero tokens where the server does not count."""

    tokens_in: int = 0
    tokens_out: int = 0
    calls: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Return the sum."""
        return Usage(
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
            calls=self.calls + other.calls,
        )


class ChatError(GradmapError, RuntimeError):
    """A language model gave no usable answer; whoever asked decides how to go on."""

    def __init__(self, message: str, *, usage: Usage = Usage()) -> None:
        """Describe the failure and what it cost nevertheless."""
        super().__init__(message)
        self.usage = usage


class UnreachableError(ChatError):
    """The server could not be reached, refused, or kept failing."""


class RefusedError(ChatError):
    """The model declined to answer."""


class OversizedError(ChatError):
    """The answer was cut off because it is longer than allowed."""


class UnreadableError(ChatError):
    """The answer is not what was asked for, even after one repair request."""


class ReplayMissError(ChatError):
    """A replay holds no answer to a request."""


@dataclass(frozen=True)
class ChatMessage:
    """One message to a model."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True)
class Completion:
    """The answer of a model. The text is untrusted."""

    text: str
    usage: Usage = Usage()
    model: str = ""


class ChatModel(Protocol):
    """Something that continues a conversation."""

    @property
    def name(self) -> str:
        """Return which model it is; part of the key of a replay."""

    def complete(
        self, messages: Sequence[ChatMessage], *, schema: JsonSchema | None, seed: int
    ) -> Completion:
        """Return the next message of a conversation.

        Args:
            messages: One system message first, then user and assistant in turn.
            schema: What the answer should look like; a wish, not a guarantee.
            seed: For servers that sample.

        Raises:
            ChatError: There is no usable answer.
        """
