"""Record answers of a model and replay them exactly, for tests, studies and audits.

One JSON line per answer: the hash of (model, messages, schema, seed), the text, what it cost. The
messages hold what householders said, so they are written only on request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from federates.hems.chat import model as errors
from federates.hems.chat.model import (
    ChatError,
    ChatMessage,
    ChatModel,
    Completion,
    JsonSchema,
    ReplayMissError,
    Usage,
)
from gradmap.errors import ScenarioError

_ERRORS: Final[dict[str, type[ChatError]]] = {
    kind.__name__: kind
    for kind in (
        errors.UnreachableError,
        errors.RefusedError,
        errors.OversizedError,
        errors.UnreadableError,
        errors.ReplayMissError,
        ChatError,
    )
}
_SHORT: Final = 12


class _Line(BaseModel):
    """One line of a recording."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    key: str = Field(pattern=r"^[0-9a-f]{64}$")
    asked_model: str
    model: str = ""
    text: str = ""
    tokens_in: int = Field(0, ge=0)
    tokens_out: int = Field(0, ge=0)
    calls: int = Field(0, ge=0)
    error: str = ""
    """Name of the error class; then the text is its message."""
    messages: list[dict[str, str]] | None = None

    def answer(self) -> Completion:
        """Return the recorded answer, or raise the recorded error."""
        if self.error:
            raise _ERRORS.get(self.error, ChatError)(self.text)
        usage = Usage(tokens_in=self.tokens_in, tokens_out=self.tokens_out, calls=self.calls)
        return Completion(self.text, usage=usage, model=self.model)


def request_key(
    name: str, messages: Sequence[ChatMessage], *, schema: JsonSchema | None, seed: int
) -> str:
    """Return the hash of a request, in hexadecimal."""
    said = [[message.role, message.text] for message in messages]
    whole = json.dumps([name, said, schema, seed], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


class Recorder:
    """Asks a model and writes its answers down; what the file answers is not asked again."""

    def __init__(self, model: ChatModel, *, path: Path, keep_messages: bool = False) -> None:
        """Open a recording.

        Args:
            model: The model to ask.
            path: JSONL file; continued if it exists.
            keep_messages: Also write the messages, which hold what householders said.

        Raises:
            ScenarioError: The file exists and is not a recording.
        """
        self._model = model
        self._path = path
        self._keep_messages = keep_messages
        self._lines = _read(path) if path.exists() else {}

    @property
    def name(self) -> str:
        """Return the name of the model that is asked."""
        return self._model.name

    def complete(
        self, messages: Sequence[ChatMessage], *, schema: JsonSchema | None, seed: int
    ) -> Completion:
        """Return the recorded answer to these messages, else ask and record, failures included."""
        key = request_key(self.name, messages, schema=schema, seed=seed)
        known = self._lines.get(key)
        if known is not None and not known.error:
            return known.answer()
        kept = [{"role": one.role, "text": one.text} for one in messages]
        shared: dict[str, Any] = {
            "key": key,
            "asked_model": self.name,
            "messages": kept if self._keep_messages else None,
        }
        try:
            completion = self._model.complete(messages, schema=schema, seed=seed)
        except ChatError as exc:
            self._write(_Line(**shared, error=type(exc).__name__, text=str(exc)))
            raise
        self._write(
            _Line(
                **shared,
                model=completion.model,
                text=completion.text,
                tokens_in=completion.usage.tokens_in,
                tokens_out=completion.usage.tokens_out,
                calls=completion.usage.calls,
            )
        )
        return completion

    def _write(self, line: _Line) -> None:
        """Append a line; it is on disk before the answer is used."""
        self._lines[line.key] = line
        with self._path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(line.model_dump_json(exclude_defaults=True) + "\n")


class Replay:
    """Answers from a recording and from nothing else."""

    def __init__(self, path: Path, *, name: str) -> None:
        """Read a recording.

        Args:
            path: JSONL file of `Recorder`.
            name: Name of the recorded model.

        Raises:
            ScenarioError: The file cannot be read or is not a recording.
        """
        self._name = name
        self._path = path
        self._lines = _read(path)

    @property
    def name(self) -> str:
        """Return the name of the recorded model."""
        return self._name

    def complete(
        self, messages: Sequence[ChatMessage], *, schema: JsonSchema | None, seed: int
    ) -> Completion:
        """Return the recorded answer.

        Raises:
            ReplayMissError: This was never asked.
            ChatError: The answer was an error.
        """
        key = request_key(self._name, messages, schema=schema, seed=seed)
        line = self._lines.get(key)
        if line is None:
            models = sorted({known.asked_model for known in self._lines.values()})
            raise ReplayMissError(
                f"{self._path} has no answer of {self._name!r} to request {key[:_SHORT]} (it "
                f"holds {len(self._lines)} of {', '.join(models) or 'no model'}): prompts, seed, "
                f"model or answers have changed since; record again"
            )
        return line.answer()


def _read(path: Path) -> dict[str, _Line]:
    """Return the lines of a recording by key; a later line replaces an earlier one."""
    lines: dict[str, _Line] = {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ScenarioError(f"recording {path} cannot be read as UTF-8 text: {exc}") from exc
    for number, row in enumerate(text.split("\n"), start=1):
        if not row:
            continue
        try:
            line = _Line.model_validate_json(row)
        except ValidationError as exc:
            raise ScenarioError(
                f"recording {path}, line {number} is not a recorded answer; "
                f"remove the line or record again"
            ) from exc
        lines[line.key] = line
    return lines
