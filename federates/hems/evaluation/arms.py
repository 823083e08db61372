"""The arms of the study: who interviews, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from federates.hems.chat.model import ChatModel
from federates.hems.interview.chat_interviewer import ChatInterviewer
from federates.hems.interview.interviewer import Interviewer
from federates.hems.interview.rules_interviewer import RulesInterviewer
from federates.hems.interview.state import InterviewSettings
from federates.hems.users.persona import Persona
from gradmap.errors import ScenarioError

PUBLISHED_ACCURACY: Final = 0.88
"""Mean parameter accuracy that Michelon, Zhou, Morstyn (e-Energy 2025, abstract) report. Other
parameters, users, tolerances and model: a reference, not a result to compare digit by digit."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way to interview."""

    name: str
    form: bool = False
    """All questions of a section at once."""
    chat: bool = False
    """With a language model."""
    react: bool = False
    few_shot: bool = False

    def interviewer(self, model: ChatModel | None = None) -> Interviewer:
        """Return who conducts the interviews.

        Args:
            model: The language model, if the arm needs one.

        Raises:
            ScenarioError: It needs one.
        """
        if not self.chat:
            return RulesInterviewer()
        if model is None:
            raise ScenarioError(
                f"arm {self.name!r} needs a language model; pass its server and name, or measure "
                f"the arms rules and form"
            )
        return ChatInterviewer(model, react=self.react, few_shot=self.few_shot)

    def settings(self, persona: Persona, *, seed: int) -> InterviewSettings:
        """Return how an interview of a householder is held.

        A model that keeps failing ends the interview: rules would get the credit otherwise.
        """
        return InterviewSettings(
            locale=persona.locale,
            currency=persona.currency,
            form=self.form,
            without_chat="stop",
            seed=seed,
        )


ARMS: Final[Mapping[str, Arm]] = {
    arm.name: arm
    for arm in (
        Arm(name="rules"),
        Arm(name="form", form=True),
        Arm(name="llm", chat=True),
        Arm(name="llm-few-shot", chat=True, few_shot=True),
        Arm(name="llm-react", chat=True, react=True),
        Arm(name="llm-react-few-shot", chat=True, react=True, few_shot=True),
    )
}
"""All arms by name, in the order of tables."""


def arms_named(text: str) -> tuple[Arm, ...]:
    """Return the arms of a list such as `rules,form`; `all` names every one.

    Raises:
        ScenarioError: An unknown arm, or one twice.
    """
    names = tuple(ARMS) if text.strip() == "all" else tuple(x.strip() for x in text.split(","))
    unknown = [name for name in names if name not in ARMS]
    if unknown or len(set(names)) < len(names):
        raise ScenarioError(
            f"arms {text!r}: expected each once, with commas between, of {', '.join(ARMS)}; or all"
        )
    return tuple(ARMS[name] for name in names)
