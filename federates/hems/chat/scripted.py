"""A model that says what it was told to say, for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from federates.hems.chat.model import ChatError, ChatMessage, Completion, JsonSchema, Usage


class ScriptedModel:
    """Gives prepared answers one after the other and remembers what it was asked."""

    def __init__(
        self, answers: Iterable[str | Completion | ChatError], *, name: str = "scripted"
    ) -> None:
        """Prepare.

        Args:
            answers: Texts, completions, or errors to raise.
            name: Which model it plays.
        """
        self._answers = list(answers)
        self._name = name
        self.asked: list[tuple[ChatMessage, ...]] = []
        """The messages of each request."""

    @property
    def name(self) -> str:
        """Return which model it plays."""
        return self._name

    @property
    def n_left(self) -> int:
        """Return how many answers are left."""
        return len(self._answers) - len(self.asked)

    def complete(
        self,
        messages: Sequence[ChatMessage],
        *,
        schema: JsonSchema | None,
        seed: int,
    ) -> Completion:
        """Return the next answer.

        Raises:
            ChatError: The next answer is one, or none is left.
        """
        if not self.n_left:
            raise ChatError(
                f"the script of {self._name!r} has only {len(self._answers)} answers; add more"
            )
        answer = self._answers[len(self.asked)]
        self.asked.append(tuple(messages))
        if isinstance(answer, ChatError):
            raise answer
        if isinstance(answer, str):
            return Completion(answer, usage=Usage(calls=1), model=self._name)
        return answer
