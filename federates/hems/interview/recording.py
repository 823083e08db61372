"""The only way a value gets into an interview.

A value needs the householder's own words. Code checks that the slot exists and applies, that
the quoted words were said, that they mean the value, and that it is in bounds; and code converts
units.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from federates.hems.interview.actions import Record
from federates.hems.interview.conversion import converted
from federates.hems.interview.hearing import understood
from federates.hems.interview.state import Exchange, InterviewState, Message, Progress, Recorded
from federates.hems.parameters.slot import Slot, SlotKind, Value, Who
from federates.hems.parameters.slots import ruled_out, slot
from federates.hems.parameters.sources import Provenance
from federates.hems.parameters.stored import checked
from federates.hems.understanding.answer import Context
from federates.hems.understanding.asides import own_words, without_quoted_orders
from federates.hems.understanding.confirming import menu_choice
from federates.hems.understanding.grounding import grounded
from federates.hems.understanding.phrases import is_command_or_code
from federates.hems.understanding.reading import read
from gradmap.errors import ScenarioError

ONLY_WHEN_ASKED: Final = frozenset({"flexibility.participate", "flexibility.data_consent"})
"""Consent counts only as an answer to the question for it."""
_NUMBER_WORD: Final = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
    "[a-z]+teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:[- ][a-z]+)?|hundred"
)
_ASSENT: Final = "yes|yeah|yep|yup|no|nope|nah|ok|okay|sure|fine|right|correct|true|false|none"
_BARE: Final = re.compile(rf"^\W*(?:{_ASSENT}|[-+]?[0-9.,:]+|{_NUMBER_WORD})\W*$", re.IGNORECASE)
_YES_OR_NO: Final = re.compile(
    rf"^\W*(?:{_ASSENT})(?:\W+(?:{_ASSENT}|please|thanks?))*\W*$", re.IGNORECASE
)
_COMMANDS: Final = re.compile(
    r"ignore (?:all |any )?(?:the |your |previous|prior|above|earlier)|"
    r"^\W*system\s*:|(?-i:\b(?:SYSTEM|ASSISTANT|USER)\s*:)|"
    r"\[/?system\]|<\|?/?(?:im_start|im_end|system|assistant|tool)|tool_result|"
    r"\bsystem prompt\b|\byou are now\b|\bassistant\s*[:,]|[\"'](?:action|slots?)[\"']\s*:|"
    r"\bi am the (?:installer|developer|administrator|engineer)\b|"
    r"\b[a-z]+(?:\.[a-z0-9_]+)+\s*[=:]|[\"'][a-z]+(?:\.[a-z0-9_]+)+[\"']\s*:",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Outcome:
    """Whether an action was carried out, and what to tell the interviewer."""

    accepted: bool
    said: str


def record(
    state: InterviewState, action: Record, *, hedged: bool, unit: str = ""
) -> tuple[Progress, Outcome]:
    """Return the progress with a value in it.

    Args:
        state: The interview; its last exchange is the answer at hand.
        action: Slot, value, unit and the householder's words.
        hedged: Whether the words are vague.
        unit: As the householder said it, where the action's value is converted already.

    Raises:
        ScenarioError: The value is refused; the message says why and what to do.
    """
    item = _slot_to_fill(action.key, state)
    value, turn = _meant(state, action, item=item)
    before = state.progress.records.get(item.key)
    if before is not None and before.turn > turn and before.value != value:
        raise ScenarioError(f"`{item.key}` was said later, too, and is {before.value!r} since.")
    if before is not None and before.value == value:
        return state.progress, Outcome(accepted=True, said=f"`{item.key}` is {value!r} already.")
    entry = Recorded(
        value=value,
        provenance=Provenance.STATED,
        unit=action.unit or unit,
        words=action.words,
        turn=turn,
        hedged=hedged,
    )
    return filled(state.progress, item, entry), Outcome(
        accepted=True, said=f"Recorded: `{item.key}` is {value!r}{_unit_words(item)}."
    )


def filled(progress: Progress, item: Slot, entry: Recorded) -> Progress:
    """Return the progress with a value; its section has to be read back again."""
    return progress.with_(
        records={**progress.records, item.key: entry},
        declined={key: why for key, why in progress.declined.items() if key != item.key},
        doubts={key: doubt for key, doubt in progress.doubts.items() if key != item.key},
        agreed=tuple(section for section in progress.agreed if section != item.section),
    )


def turn_of(words: str, exchanges: tuple[Exchange, ...]) -> int | None:
    """Return the latest turn in which words were said, or None if they never were."""
    wanted = _folded(words)
    for turn in range(len(exchanges) - 1, -1, -1):
        if wanted and not exchanges[turn].undone and wanted in _folded(exchanges[turn].text):
            return turn
    return None


def commands(text: str) -> bool:
    """Return whether a text talks to a program; what it holds has to be said again, plainly.

    Quoted orders do not count: nothing in them is recorded either.
    """
    return _COMMANDS.search(without_quoted_orders(text)) is not None


def _slot_to_fill(key: str, state: InterviewState) -> Slot:
    """Return a slot that a householder can fill now.

    Raises:
        ScenarioError: There is none.
    """
    item = slot(key)
    if item.who is Who.DERIVED:
        raise ScenarioError(f"`{key}` is worked out by code; do not record it.")
    if ruled_out(item, state.progress.values):
        needs = " and ".join(
            f"`{need.key}` with {' or '.join(str(word) for word in need.any_of)}"
            for need in item.needs
        )
        raise ScenarioError(f"`{key}` does not apply here; it needs {needs}.")
    return item


def _meant(state: InterviewState, action: Record, *, item: Slot) -> tuple[Value, int]:
    """Return the stored value and the turn in which it was said.

    Raises:
        ScenarioError: The words were not said, do not mean the value, or it does not fit.
    """
    turn = turn_of(action.words, state.exchanges)
    if turn is None:
        raise ScenarioError(
            f"The householder never said {action.words[:80]!r}. Quote their words exactly, or ask."
        )
    exchange = state.exchanges[turn]
    if commands(exchange.text):
        raise ScenarioError(f"That answer gives orders to a program; ask again about `{item.key}`.")
    unasked = item.key not in exchange.message.slots
    if unasked and item.key in ONLY_WHEN_ASKED and action.value is not False:
        raise ScenarioError(f"`{item.key}` is a consent; it counts only where it was asked for.")
    if turn != state.turn - 1 or not _heard(state, item.key):
        _may_be_about(item, action, message=exchange.message)
    context = Context(locale=state.settings.locale, currency=state.settings.currency)
    value = checked(item.key, converted(item, action.value, unit=action.unit, context=context))
    if not _chosen_or_grounded(value, item, action.words, exchange=exchange, state=state):
        raise ScenarioError(
            f"The words {action.words[:80]!r} do not say that `{item.key}` is {value!r}. "
            f"Quote the words that do, correct the value or its unit, or ask."
        )
    return value, turn


def _heard(state: InterviewState, key: str) -> bool:
    """Return whether rules, which know the whole answer, find something about a slot in it."""
    return any(finding.key == key for finding in understood(state).findings)


def _may_be_about(item: Slot, action: Record, *, message: Message) -> None:
    """Refuse words that need not be about a slot, because they could be about any.

    Raises:
        ScenarioError: They answered something else.
    """
    if item.key in message.slots:
        several = message.kind == "confirm" or len(message.slots) > 1
        if several and _YES_OR_NO.match(action.words):
            raise ScenarioError(
                f"{action.words[:80]!r} does not say what `{item.key}` is. Agreement to a "
                f"read-back is `confirm`; else ask for this slot alone."
            )
        return
    if item.kind is not SlotKind.TEXT and _BARE.match(action.words):
        raise ScenarioError(
            f"{action.words[:80]!r} answered another question, not `{item.key}`; ask for it."
        )


def _chosen_or_grounded(
    value: Value, item: Slot, words: str, *, exchange: Exchange, state: InterviewState
) -> bool:
    """Return whether words mean a value, as an option of the menu or by themselves."""
    message = exchange.message
    if message.options and item.key in message.slots and _says_plainly(words, exchange.text):
        choice = menu_choice(read(words), options=message.options)
        if choice is not None and choice[0] == value:
            return True
    return grounded(
        value,
        item,
        words,
        exchange.text,
        locale=state.settings.locale,
        currency=state.settings.currency,
        known=state.progress.values,
        year=state.settings.year,
    )


def _says_plainly(words: str, text: str) -> bool:
    """Return whether words are the householder's own, in a text that gives no orders."""
    unquoted = without_quoted_orders(text)
    ordered = is_command_or_code(unquoted, plain=read(unquoted).text)
    return not ordered and _folded(words) in _folded(own_words(text))


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("\u2019", "'").split())


def _unit_words(item: Slot) -> str:
    return f" {item.unit}" if item.unit else ""
