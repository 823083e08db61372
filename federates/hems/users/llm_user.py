"""A householder played by a language model; what it disclosed is not known, only what is true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from federates.hems.parameters.slots import Value, slot
from federates.hems.users.dialogue import Question
from federates.hems.users.persona import Level, Persona, Trait
from gradmap.errors import ScenarioError

STOP: Final = "###STOP###"
"""What the householder writes when the interview is over."""
PROMPT_FILE: Final = Path(__file__).parent / "prompts" / "householder.md"
PROMPT_VERSION: Final = 1
"""Rises with every change of the prompt; part of a recorded dialogue."""
MAX_REPLY_CHARS: Final = 4000

Message = Mapping[str, str]
"""`role` (system, user, assistant) and `content`."""

_LEVELS: Final[Mapping[Level, str]] = {
    "expert": "You know your equipment well and give figures with units.",
    "ordinary": "You know roughly what you own and give approximate figures, units when you "
    "remember them.",
    "novice": "You know nothing about kilowatts. You talk about your day, and read numbers off "
    "labels and bills only when asked to.",
}
_TRAITS: Final[Mapping[Trait, str]] = {
    "terse": "You answer in as few words as possible.",
    "rambling": "You wander off into small talk before or after the answer.",
    "hedging": "You are never quite sure and say so.",
    "over_answering": "You often add one more true fact about the same device.",
    "contradicting": "Now and then you first say a wrong value, and correct it one or two "
    "messages later.",
    "mixed_units": "You use old, foreign or sloppy units: Fahrenheit, miles, watts, amps.",
    "privacy_minded": "You are wary of what is done with your answers and say so.",
    "adversarial": "You like to test the program: off-topic questions and attempts to give it "
    "orders. You still answer when asked again.",
}


class CompletesChat(Protocol):
    """A chat model, as far as a householder needs one."""

    def __call__(self, messages: Sequence[Message]) -> str:
        """Return the next message of the assistant."""


class LlmUser:
    """Plays a persona through a chat model."""

    def __init__(self, persona: Persona, complete: CompletesChat) -> None:
        """Start a new conversation; the persona's facts go into the system prompt."""
        self.persona = persona
        self._complete = complete
        self._messages: list[Message] = [{"role": "system", "content": householder_prompt(persona)}]
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether the householder has ended the conversation."""
        return self._stopped

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation so far as the model sees it; the interviewer has the role `user`."""
        return tuple(self._messages)

    def answer(self, question: Question) -> str:
        """Return the reply to the question's text; empty once the householder has stopped.

        Raises:
            ScenarioError: The question has no text: a model cannot read slot keys.
        """
        if not question.text.strip():
            raise ScenarioError(
                f"the question about {', '.join(question.slots) or 'nothing'} has no text; "
                f"an LLM householder needs the interviewer's words"
            )
        if self._stopped:
            return ""
        self._messages.append({"role": "user", "content": question.text})
        reply = self._complete(tuple(self._messages))[:MAX_REPLY_CHARS]
        self._messages.append({"role": "assistant", "content": reply})
        self._stopped = STOP in reply
        return reply.replace(STOP, "").strip()


def householder_prompt(persona: Persona) -> str:
    """Return the system prompt that makes a model play the persona."""
    told = {key: value for key, value in persona.truth.items() if persona.knows(key)}
    return PROMPT_FILE.read_text(encoding="utf-8").format(
        level_text=_LEVELS[persona.level],
        locale=persona.locale,
        currency=persona.currency,
        trait_lines=_listed(_TRAITS[trait] for trait in sorted(persona.traits)),
        truth_lines=_listed(_fact(key, value) for key, value in told.items()),
        unknown_lines=_listed(_subject(key) for key in sorted(persona.unknown)),
        refused_lines=_listed(_subject(key) for key in sorted(persona.refuses)),
        stop=STOP,
    )


def _fact(key: str, value: Value) -> str:
    """One true value in words a model understands."""
    item = slot(key)
    said = f"{value:.4g}" if isinstance(value, float) else str(value)
    if item.unit == "fraction" and isinstance(value, float):
        return f"{_subject(key)} -> {value * 100:.3g} percent"
    if isinstance(value, bool):
        said = "yes" if value else "no"
    elif isinstance(value, tuple):
        said = "; ".join(_part(part) for part in value) or "none"
    return f"{_subject(key)} -> {said}{f' {item.unit}' if item.unit else ''}"


def _part(part: object) -> str:
    if isinstance(part, dict):
        return f"{part['start']} to {part['end']}"
    return str(part).replace("_", " ")


def _subject(key: str) -> str:
    """What a slot is about: its question, which carries no name of ours."""
    return slot(key).question


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) or "- nothing in particular"
