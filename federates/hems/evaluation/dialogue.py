"""One interview with a simulated householder, kept with what was said on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from federates.hems.chat.model import ChatError, ChatMessage, ChatModel
from federates.hems.interview.interviewer import Interviewer
from federates.hems.interview.session import begin, outcome, step
from federates.hems.interview.state import InterviewSettings, InterviewState, Message
from federates.hems.parameters.home_file import HomeFile
from federates.hems.users.dialogue import Question, Reply
from federates.hems.users.llm_user import LlmUser
from federates.hems.users.llm_user import Message as UserMessage
from federates.hems.users.persona import Persona

_STOP = "stop"


class Householder(Protocol):
    """Somebody who answers, and knows afterwards what they said wrong and never put right."""

    persona: Persona

    @property
    def unrepaired(self) -> frozenset[str]:
        """Return slots told wrongly on purpose and not corrected."""

    def answer(self, question: Question) -> Reply:
        """Return the reply to a question."""


class ModelHouseholder:
    """A householder played by a language model; what its words disclose is not known."""

    def __init__(self, persona: Persona, model: ChatModel, *, seed: int) -> None:
        """Start a conversation."""
        self.persona = persona
        self._model = model
        self._seed = seed
        self._user = LlmUser(persona, self._complete)

    @property
    def unrepaired(self) -> frozenset[str]:
        """Return nothing: slips are the model's own, and not known."""
        return frozenset()

    def answer(self, question: Question) -> Reply:
        """Return the reply; a householder who has ended the conversation says "stop"."""
        text = self._user.answer(question)
        return Reply(_STOP if self._user.stopped and not text else text)

    def _complete(self, messages: Sequence[UserMessage]) -> str:
        said = [ChatMessage(one["role"], one["content"]) for one in messages]  # type: ignore[arg-type]
        return self._model.complete(said, schema=None, seed=self._seed).text


@dataclass(frozen=True, kw_only=True)
class Dialogue:
    """A finished interview, whoever ended it."""

    persona: Persona
    replies: tuple[Reply, ...]
    """One for each exchange of the interview."""
    annotated: bool
    """Whether the replies say what they disclose."""
    unrepaired: frozenset[str]
    state: InterviewState
    home: HomeFile
    ended: str
    """How: `done`, `stopped`, `budget`, `failed`, or `no_householder` if its model failed."""


def hold(interviewer: Interviewer, user: Householder, *, settings: InterviewSettings) -> Dialogue:
    """Return an interview of a householder.

    Args:
        interviewer: Who conducts it.
        user: Who answers.
        settings: How it is held.

    Raises:
        ChatError: The householder's model fails at the first question: there is no server.
    """
    state, message = begin(settings, interviewer=interviewer)
    replies: list[Reply] = []
    ended = ""
    while not state.finished:
        try:
            reply = user.answer(_question(message))
        except ChatError:
            if not replies:
                raise
            ended = "no_householder"
            break
        replies.append(reply)
        state, message = step(state, reply.text, interviewer=interviewer)
    return Dialogue(
        persona=user.persona,
        replies=tuple(replies),
        annotated=not isinstance(user, ModelHouseholder),
        unrepaired=user.unrepaired,
        state=state,
        home=outcome(state),
        ended=ended or str(state.finished),
    )


def _question(message: Message) -> Question:
    """Return what is said to the householder, as users take it."""
    kind = message.kind
    assert kind != "end", "nobody is asked after the end"
    return Question(kind, message.slots, message.text, message.proposed, message.options)
