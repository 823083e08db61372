"""Interview many simulated householders with one arm, and score what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from federates.hems.chat.model import ChatError, ChatModel
from federates.hems.chat.openai_server import OpenAiServer
from federates.hems.chat.settings import ServerSettings
from federates.hems.evaluation.arms import Arm
from federates.hems.evaluation.dialogue import Dialogue, Householder, ModelHouseholder, hold
from federates.hems.evaluation.scoring import DialogueScore, score
from federates.hems.interview.interviewer import Interviewer
from federates.hems.users.grammar_user import GrammarUser
from federates.hems.users.persona import Persona, draw_persona
from federates.hems.users.templates import HELD_OUT_DIR, TEMPLATES_DIR, TemplateSet
from gradmap.errors import ScenarioError

Users = Literal["grammar", "llm"]
TEMPLATES: Final[dict[str, Path]] = {
    "held_out": HELD_OUT_DIR,
    "held_out_2": TEMPLATES_DIR / "held_out_2",
    "development": TEMPLATES_DIR / "development",
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which householders are interviewed, and over which servers."""

    seed: int = 0
    """Root of homes, people, their words, and of the bootstrap."""
    n_dialogues: int = 500
    """Householders."""
    repeats: int = 1
    """Dialogues of each householder; the words differ, the home does not."""
    users: Users = "grammar"
    templates: str = "held_out"
    """Whose words grammar users have; a name of `TEMPLATES`."""
    interviewer_server: ServerSettings | None = None
    user_server: ServerSettings | None = None

    def __post_init__(self) -> None:
        """Refuse impossible plans."""
        if self.n_dialogues < 1 or self.repeats < 1 or self.seed < 0:
            raise ScenarioError(
                f"{self.n_dialogues} dialogues, {self.repeats} repeats, seed {self.seed}: expected "
                f"at least 1, 1 and 0"
            )
        if self.templates not in TEMPLATES:
            raise ScenarioError(f"templates {self.templates!r}: use {' or '.join(TEMPLATES)}")
        if self.users == "llm" and self.user_server is None:
            raise ScenarioError("users played by a language model need its server and its name")


def measured_dialogues(
    arm: Arm,
    plan: Plan,
    *,
    numbers: Sequence[int] | None = None,
    on_dialogue: Callable[[Dialogue, DialogueScore], None] | None = None,
) -> list[DialogueScore]:
    """Return the scores of an arm's dialogues.

    Args:
        arm: Who interviews.
        plan: Whom.
        numbers: Which householders of the plan; all if left out.
        on_dialogue: Called after every dialogue.

    Raises:
        ScenarioError: The arm needs a server and the plan has none.
        ChatError: A server cannot be reached, or its model fails from the start.
    """
    interviewer = arm.interviewer(_model(plan.interviewer_server) if arm.chat else None)
    make = _user_maker(plan)
    scores = []
    for number in range(plan.n_dialogues) if numbers is None else numbers:
        persona = draw_persona(plan.seed, number)
        for repeat in range(plan.repeats):
            user = make(persona, repeat)
            dialogue = _held(arm, interviewer, user, seed=plan.seed + repeat)
            found = score(dialogue, number=number, repeat=repeat)
            scores.append(found)
            if on_dialogue is not None:
                on_dialogue(dialogue, found)
    return scores


def _held(arm: Arm, interviewer: Interviewer, user: Householder, *, seed: int) -> Dialogue:
    """Return a dialogue.

    Raises:
        ChatError: The interviewer's model never gave a usable answer.
    """
    settings = arm.settings(user.persona, seed=seed % 2**31)
    dialogue = hold(interviewer, user, settings=settings)
    state = dialogue.state
    by_model = [event for event in state.events if event.by == interviewer.name]
    worked = any(event.action.get("action") != "failed" for event in by_model)
    if dialogue.ended == "failed" and by_model and not worked:
        raise ChatError(f"arm {arm.name!r}: the language model failed: {by_model[-1].outcome}")
    return dialogue


def _user_maker(plan: Plan) -> Callable[[Persona, int], Householder]:
    """Return how a householder is made from persona and repeat."""
    if plan.users == "grammar":
        templates = TemplateSet.load(TEMPLATES[plan.templates])
        return lambda persona, repeat: GrammarUser(persona, templates, plan.seed + repeat)
    model = _model(plan.user_server)
    return lambda persona, repeat: ModelHouseholder(
        persona, model, seed=(plan.seed + repeat) % 2**31
    )


def _model(server: ServerSettings | None) -> ChatModel:
    if server is None:
        raise ScenarioError("a language model needs the address of its server and its name")
    return OpenAiServer(server)
