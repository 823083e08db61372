"""What an interviewer can do: seven closed actions, one at a time.

A model answers with one flat object: the name of the action, its fields, and in the ReAct arm a
thought before both. Fields of other actions are ignored, unknown fields are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

MAX_TEXT: Final = 600
MAX_WORDS: Final = 400
MAX_KEYS: Final = 12
MAX_LIST: Final = 16
Key = Annotated[str, Field(max_length=80)]
Said = Annotated[str, Field(max_length=MAX_WORDS)]


class _Action(BaseModel):
    """Closed and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    thought: str = Field("", max_length=2000, description="Why; kept for study, never shown.")


class Ask(_Action):
    """Go on to the next question of the agenda, in own words or the agenda's."""

    action: Literal["ask"] = "ask"
    keys: tuple[Key, ...] = Field((), max_length=MAX_KEYS)
    text: str = Field("", max_length=MAX_TEXT)


class Clarify(_Action):
    """Ask again about something unclear in the last answer; options make it a menu."""

    action: Literal["clarify"] = "clarify"
    keys: tuple[Key, ...] = Field(min_length=1, max_length=MAX_KEYS)
    text: str = Field("", max_length=MAX_TEXT)
    options: tuple[Any, ...] = Field((), max_length=MAX_LIST)


class LookUp(_Action):
    """Find what code knows: the battery of a car, or the heat loss of a house."""

    action: Literal["look_up"] = "look_up"
    topic: Literal["ev_model", "building"]
    words: Said = ""


class Record(_Action):
    """Write down what the householder said about one slot."""

    action: Literal["record"] = "record"
    key: Key
    value: Any
    unit: str = Field("", max_length=40)
    words: Said = Field(min_length=1)


class Mark(_Action):
    """Note that the householder cannot or will not say, or has no such thing."""

    action: Literal["mark"] = "mark"
    key: Key
    reason: Literal["unknown", "refused", "absent"]
    words: Said = Field(min_length=1)


class Confirm(_Action):
    """The householder agreed to values that were read back."""

    action: Literal["confirm"] = "confirm"
    keys: tuple[Key, ...] = Field((), max_length=64)
    words: Said = Field(min_length=1)


class Finish(_Action):
    """Everything is done."""

    action: Literal["finish"] = "finish"


Action = Ask | Clarify | LookUp | Record | Mark | Confirm | Finish
ACTIONS: Final[tuple[type[BaseModel], ...]] = (Ask, Clarify, LookUp, Record, Mark, Confirm, Finish)
NAMES: Final = tuple(str(kind.model_fields["action"].default) for kind in ACTIONS)

_KIND_OF: Final = dict(zip(NAMES, ACTIONS, strict=True))
_FIELDS: Final = frozenset(field for kind in ACTIONS for field in kind.model_fields)
_READER: Final[TypeAdapter[Action]] = TypeAdapter(Annotated[Action, Field(discriminator="action")])
_LISTS: Final = ("keys", "options")


def action_of(data: Mapping[str, Any]) -> Action:
    """Return the action in a model's JSON.

    Raises:
        ValueError: It is none; the message says what to do better.
    """
    kind = _KIND_OF.get(str(data.get("action")))
    if kind is None:
        raise ValueError(f"`action` must be one of {', '.join(NAMES)}.")
    unknown = sorted(set(data) - _FIELDS)
    if unknown:
        shown = ", ".join(f"`{name[:40]}`" for name in unknown[:3])
        raise ValueError(
            f"{shown} unknown; `{kind.model_fields['action'].default}` has only "
            f"{', '.join(kind.model_fields)}."
        )
    fields = kind.model_fields
    own = {name: value for name, value in data.items() if name in fields}
    for name in _LISTS:
        if name in own and own[name] is None:
            own[name] = []
    own = {name: "" if value is None and name != "value" else value for name, value in own.items()}
    try:
        return _READER.validate_python(own)
    except ValidationError as exc:
        raise ValueError(_explained(exc)) from None


def action_schema(keys: Sequence[str], *, react: bool) -> dict[str, Any]:
    """Return the JSON Schema of one action as a flat object, which small models fill best.

    Args:
        keys: Slots that may be named.
        react: Whether a thought comes first; the order of fields is the order of writing.
    """
    text = {"type": "string"}
    one_key = {"type": "string", "enum": ["", *keys]}
    span = {
        "type": "object",
        "properties": {"start": text, "end": text},
        "required": ["start", "end"],
        "additionalProperties": False,
    }
    value = {
        "anyOf": [
            {"type": "null"},
            {"type": "boolean"},
            {"type": "number"},
            text,
            {"type": "array", "items": text},
            {"type": "array", "items": span},
        ]
    }
    fields: dict[str, Any] = {"thought": text} if react else {}
    fields |= {
        "action": {"type": "string", "enum": list(NAMES)},
        "key": one_key,
        "words": text,
        "value": value,
        "unit": text,
        "reason": {"type": "string", "enum": ["", "unknown", "refused", "absent"]},
        "topic": {"type": "string", "enum": ["", "ev_model", "building"]},
        "keys": {"type": "array", "items": one_key},
        "text": text,
    }
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


def _explained(error: ValidationError) -> str:
    """Return the first faults in words a model understands."""
    faults = [
        f"`{'.'.join(str(part) for part in fault['loc'][1:]) or 'action'}`: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False)[:3]
    ]
    return "; ".join(faults) + "."
