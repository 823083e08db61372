"""Everything an interview knows, as one immutable, versioned record that is saved as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from federates.hems.parameters.building import UK_DESIGN_TEMP_C
from federates.hems.parameters.slot import Value
from federates.hems.parameters.slots import slot
from federates.hems.parameters.sources import Provenance, Source
from federates.hems.parameters.stored import checked
from federates.time_zone import TimeZoneName
from gradmap.errors import ScenarioError

STATE_VERSION: Final = 1
MAX_SAVED: Final = 20_000_000

MessageKind = Literal["ask", "clarify", "confirm", "menu", "free", "end"]
Reason = Literal["unknown", "refused", "absent", "skipped", "gave_up"]
"""Why a slot has no value of the householder's; `gave_up`: asked too often without an answer."""
Ending = Literal["done", "stopped", "budget", "failed"]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class InterviewSettings(_Frozen):
    """How an interview is held."""

    locale: str = Field("en-GB", max_length=20, description="Decides `half six` and gallons.")
    currency: str = Field("GBP", pattern=r"^[A-Z]{3}$", description="ISO 4217 code of prices.")
    timezone: TimeZoneName = Field(
        "Europe/London", max_length=60, description="IANA zone of all clocks."
    )
    year: int = Field(2025, ge=1900, le=2200, description="Now, for `built ten years ago`.")
    design_temp_c: float = Field(UK_DESIGN_TEMP_C, ge=-60, le=30, description="Coldest day. [degC]")
    form: bool = Field(False, description="Ask a whole section at once instead of one by one.")
    expert: bool = Field(False, description="Also ask what most homes leave at its default.")
    read_back: bool = Field(True, description="Read every section back before the end.")
    max_asks: int = Field(2, ge=1, le=5, description="Questions about a slot before a menu.")
    max_turns: int = Field(150, ge=1, le=1000, description="Answers of the householder.")
    max_actions: int = Field(12, ge=1, le=50, description="Steps of the interviewer in a turn.")
    max_tokens: int = Field(1_000_000, ge=0, description="Of a language model, both ways.")
    max_chat_failures: int = Field(
        3,
        ge=1,
        le=100,
        description="Turns in a row in which the model fails before it is given up.",
    )
    without_chat: Literal["rules", "stop"] = Field(
        "rules", description="When the model is given up: go on with rules, or stop."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="For servers that sample.")


class Recorded(_Frozen):
    """A value and where it came from."""

    value: Any
    provenance: Provenance
    unit: str = Field("", max_length=40)
    words: str = Field("", max_length=2000)
    turn: int = Field(0, ge=0)
    hedged: bool = False

    @property
    def source(self) -> Source:
        """Return the origin as the home file keeps it."""
        return Source(provenance=self.provenance, unit=self.unit, words=self.words, turn=self.turn)


class Message(_Frozen):
    """What is said to the householder, and what it is about."""

    kind: MessageKind
    text: str
    slots: tuple[str, ...] = ()
    proposed: dict[str, Any] = Field(default_factory=dict, description="Values read back, by slot.")
    options: tuple[Any, ...] = Field((), description="Values of a menu, in the order shown.")
    about: str = Field("", description="Section that is read back, or conflict that is settled.")

    @model_validator(mode="after")
    def _in_stored_form(self) -> Self:
        """Bring values read from JSON back into tuples; refuse what fits no slot."""
        _known(self.slots)
        if self.options and len(self.slots) != 1:
            raise ValueError("a menu asks one slot")
        proposed = {key: _checked(key, value) for key, value in self.proposed.items()}
        options = tuple(_checked(self.slots[0], value) for value in self.options)
        object.__setattr__(self, "proposed", proposed)
        object.__setattr__(self, "options", options)
        return self


class Exchange(_Frozen):
    """One turn: what was said to the householder, and the answer."""

    message: Message
    text: str
    undone: bool = False


class Event(_Frozen):
    """One step of an interviewer and what came of it."""

    turn: int
    by: str
    action: dict[str, Any]
    accepted: bool
    outcome: str


class Spent(_Frozen):
    """What a language model has cost so far."""

    tokens_in: int = 0
    tokens_out: int = 0
    calls: int = 0


class Doubt(_Frozen):
    """An answer that can be read in several ways, or that should not be taken for granted."""

    question: str = Field(max_length=1000)
    readings: tuple[Any, ...] = ()
    """Values it may mean; none where nothing fits."""


class Progress(_Frozen):
    """What `undo` takes back."""

    records: dict[str, Recorded] = Field(default_factory=dict)
    declined: dict[str, Reason] = Field(default_factory=dict)
    asks: dict[str, int] = Field(default_factory=dict)
    doubts: dict[str, Doubt] = Field(default_factory=dict)
    """Unclear answers, by slot."""
    conflicts: dict[str, int] = Field(default_factory=dict)
    """How often each conflict was put to the householder."""
    read_backs: dict[str, int] = Field(default_factory=dict)
    agreed: tuple[str, ...] = ()
    """Sections the householder agreed to."""

    @model_validator(mode="after")
    def _in_stored_form(self) -> Self:
        """Bring values read from JSON back into tuples; refuse what fits no slot."""
        _known((*self.declined, *self.asks))
        records = {
            key: record.model_copy(update={"value": _checked(key, record.value)})
            for key, record in self.records.items()
        }
        doubts = {
            key: Doubt(
                question=doubt.question,
                readings=tuple(_checked(key, value) for value in doubt.readings),
            )
            for key, doubt in self.doubts.items()
        }
        object.__setattr__(self, "records", records)
        object.__setattr__(self, "doubts", doubts)
        return self

    @property
    def values(self) -> dict[str, Value]:
        """Return every recorded value by slot key."""
        return {key: record.value for key, record in self.records.items()}

    def with_(self, **changes: Any) -> Progress:
        """Return a copy with changes."""
        return self.model_copy(update=changes)


class InterviewState(_Frozen):
    """An interview between two turns. `step` makes the next one; nothing else is remembered."""

    version: Literal[1] = STATE_VERSION
    settings: InterviewSettings
    interviewer: str
    message: Message
    """Said last, waiting for an answer."""
    progress: Progress = Field(default_factory=Progress)
    past: tuple[Progress, ...] = ()
    """For `undo`, the latest last."""
    exchanges: tuple[Exchange, ...] = ()
    events: tuple[Event, ...] = ()
    spent: Spent = Field(default_factory=Spent)
    failures: int = 0
    """Turns in a row in which the language model failed."""
    fallback: str = ""
    """Why the language model was given up; empty while it is not."""
    finished: Ending | None = None

    @property
    def turn(self) -> int:
        """Return the number of answers so far."""
        return len(self.exchanges)

    def with_(self, **changes: Any) -> InterviewState:
        """Return a copy with changes."""
        return self.model_copy(update=changes)


def saved(state: InterviewState) -> str:
    """Return an interview as JSON; the same interview gives the same text."""
    return state.model_dump_json(indent=1) + "\n"


def resumed(text: str, *, timezone: str | None = None) -> InterviewState:
    """Return the interview in a JSON text.

    Args:
        text: As written by `saved`.
        timezone: In place of the one that was saved; None keeps it.

    Raises:
        ScenarioError: It is none, was changed by hand, or is of another version.
    """
    if len(text) > MAX_SAVED:
        raise ScenarioError(f"saved interview is longer than {MAX_SAVED} characters; not one of us")
    try:
        return InterviewState.model_validate_json(_in_zone(text, timezone))
    except ValidationError as exc:
        fault = exc.errors(include_url=False)[0]
        at = ".".join(str(part) for part in fault["loc"])
        raise ScenarioError(
            f"saved interview cannot be resumed, expected version {STATE_VERSION} as written by "
            f"`saved`: `{at}` {fault['msg']}; start a new one"
        ) from exc


def _in_zone(text: str, timezone: str | None) -> str:
    """Return a saved interview in another time zone; what is no interview is returned as it is."""
    if timezone is None:
        return text
    try:
        data = json.loads(text)
        data["settings"]["timezone"] = timezone
    except (ValueError, TypeError, KeyError):
        return text  # the model says what is wrong with it
    return json.dumps(data)


def recorded(values: Mapping[str, object], *, words: str) -> dict[str, Recorded]:
    """Return known values as confirmed records, for an interview that starts with some."""
    return {
        key: Recorded(value=checked(key, value), provenance=Provenance.CONFIRMED, words=words)
        for key, value in values.items()
    }


def _known(keys: Iterable[str]) -> None:
    """Refuse keys of no slot, for pydantic."""
    for key in keys:
        try:
            slot(key)
        except ScenarioError as exc:
            raise ValueError(str(exc)) from exc


def _checked(key: str, value: object) -> Value:
    """Return a value in stored form, for pydantic."""
    try:
        return checked(key, value)
    except ScenarioError as exc:
        raise ValueError(str(exc)) from exc
