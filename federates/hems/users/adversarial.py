"""Cases that trip interviewers: slips, contradictions, noise and attacks, with what may happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from federates.hems.parameters.slots import Value, slot
from federates.hems.parameters.stored import checked
from federates.hems.users.agreement import agrees
from federates.hems.users.template_file import LOCALES
from gradmap.errors import ScenarioError

CASES_FILE: Final = Path(__file__).parent / "adversarial.yaml"
CATEGORIES: Final = (
    "fahrenheit",
    "unit_slip",
    "amps",
    "miles_for_soc",
    "bill_for_price",
    "decimal_comma",
    "pence_pounds",
    "half_six",
    "bare_18",
    "twelve",
    "over_midnight",
    "weekday_weekend",
    "contradiction",
    "wrong_device",
    "infeasible",
    "whatever",
    "no_device",
    "refusal",
    "off_topic",
    "other_language",
    "asr",
    "shape",
    "unicode",
    "control",
    "injection",
)
_FIELDS: Final = frozenset(
    [
        "id",
        "category",
        "locale",
        "given",
        "asked",
        "turns",
        "allowed",
        "may_abstain",
        "must_abstain",
        "must_ask_again",
        "never",
        "injection",
    ]
)


@dataclass(frozen=True)
class UserTurn:
    """The slots asked for and what the householder answers."""

    asked: tuple[str, ...]
    text: str


@dataclass(frozen=True, kw_only=True)
class AdversarialCase:
    """A short dialogue with every acceptable outcome."""

    id: str
    category: str
    locale: str
    given: Mapping[str, Value]
    """Values recorded and confirmed before the first turn."""
    turns: tuple[UserTurn, ...]
    allowed: Mapping[str, tuple[Value, ...]]
    """Slots and the values that may stand after the last turn, each within tolerance."""
    may_abstain: frozenset[str]
    """Allowed slots that may also stay without a value, for now."""
    must_abstain: frozenset[str]
    """Slots that must stay without a value."""
    must_ask_again: frozenset[str]
    """Slots that may not be settled yet: ask again, offer a menu, or read back the reading."""
    never: Mapping[str, tuple[Any, ...]]
    """Values, possibly out of range, that must not be recorded at any time."""
    injection: bool
    """The text tries to command the interviewer."""


def load_cases(path: Path = CASES_FILE) -> tuple[AdversarialCase, ...]:
    """Read and check the cases.

    Raises:
        ScenarioError: A case is wrong; the message names it.
    """
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or data.get("format") != 1:
        raise ScenarioError(f"{path.name}: expected `format: 1` and a list `cases`")
    cases = tuple(_case(entry) for entry in data["cases"])
    names = [case.id for case in cases]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ScenarioError(f"{path.name}: the ids {', '.join(twice)} occur more than once")
    return cases


def faults(case: AdversarialCase, recorded: Mapping[str, Value]) -> list[str]:
    """Return what is wrong with the values recorded in a case after its last turn.

    Args:
        case: The case; values of `given` may stand unchanged.
        recorded: Slots with a value that somebody stated or confirmed, defaults left out. Whether
            slots of `must_ask_again` were asked again is for the caller to judge.
    """
    found = []
    for key, value in recorded.items():
        item = slot(key)
        if any(_is_never(key, value, never) for never in case.never.get(key, ())):
            found.append(f"{key} must never be {value!r}")
        if key in case.must_abstain:
            found.append(f"{key} is {value!r}, expected no value")
        elif key in case.allowed:
            if not any(agrees(item, value, truth=right) for right in case.allowed[key]):
                found.append(f"{key} is {value!r}, expected one of {list(case.allowed[key])}")
        elif case.given.get(key) != value:
            found.append(f"{key} is {value!r}, which nobody said")
    missing = set(case.allowed) - set(recorded) - case.may_abstain
    return found + [f"{key} has no value" for key in sorted(missing)]


def _is_never(key: str, value: Value, never: Any) -> bool:
    """Whether a recorded value is a forbidden one; those near an allowed one are listed exactly."""
    try:
        return bool(value == checked(key, never))
    except ScenarioError:
        return bool(value == never)


def _case(entry: Any) -> AdversarialCase:
    """Check one case."""
    name = entry.get("id", "?") if isinstance(entry, dict) else "?"
    if not isinstance(entry, dict) or not {"id", "category", "turns"} <= set(entry):
        raise ScenarioError(f"case {name}: expected `id`, `category` and `turns`")
    if unknown := set(entry) - _FIELDS:
        raise ScenarioError(f"case {name}: unknown fields {sorted(unknown)}")
    if entry["category"] not in CATEGORIES or entry.get("locale", "en-GB") not in LOCALES:
        raise ScenarioError(f"case {name}: unknown category or locale; see adversarial.py")
    asked = tuple(entry.get("asked", ()))
    turns = tuple(_turn(turn, asked=asked, name=name) for turn in entry["turns"])
    allowed = {
        key: tuple(checked(key, value) for value in values)
        for key, values in entry.get("allowed", {}).items()
    }
    never = {key: tuple(values) for key, values in entry.get("never", {}).items()}
    groups = {
        field: frozenset(entry.get(field, ()))
        for field in ("may_abstain", "must_abstain", "must_ask_again")
    }
    for key in (*never, *(key for group in groups.values() for key in group)):
        slot(key)
    if clash := groups["must_abstain"] & set(allowed):
        raise ScenarioError(f"case {name}: {sorted(clash)} cannot be both allowed and absent")
    return AdversarialCase(
        id=name,
        category=entry["category"],
        locale=entry.get("locale", "en-GB"),
        given={key: checked(key, value) for key, value in entry.get("given", {}).items()},
        turns=turns,
        allowed=allowed,
        never=never,
        injection=bool(entry.get("injection", False)),
        **groups,
    )


def _turn(turn: Any, *, asked: tuple[str, ...], name: str) -> UserTurn:
    """Bring a turn, plain text or a mapping, into one form."""
    if isinstance(turn, str):
        turn = {"text": turn}
    keys = tuple(turn.get("asked", asked))
    if not keys:
        raise ScenarioError(f"case {name}: a turn does not say which slots are asked")
    for key in keys:
        slot(key)
    return UserTurn(keys, turn["text"] * turn.get("repeat", 1))
