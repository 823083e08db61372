"""An interviewer that lets a language model choose each step.

Two switches make four arms: a thought before each action (ReAct) or not, examples or not.
"""

from __future__ import annotations

from dataclasses import dataclass

from federates.hems.chat.json_answer import complete_as
from federates.hems.chat.model import ChatModel
from federates.hems.interview.actions import Record, action_of, action_schema
from federates.hems.interview.interviewer import Proposal, View
from federates.hems.interview.prompting import keys_for, messages_for
from federates.hems.understanding.hedges import is_hedged
from federates.hems.understanding.reading import read


@dataclass(frozen=True)
class ChatInterviewer:
    """Asks a model for one action at a time; nothing is remembered between two."""

    model: ChatModel
    react: bool = True
    """A thought comes before each action."""
    few_shot: bool = True
    """Examples come before the situation."""

    @property
    def name(self) -> str:
        """Return model and arm."""
        arm = "react" if self.react else "direct"
        return f"chat {self.model.name} {arm} {'few-shot' if self.few_shot else 'zero-shot'}"

    def next_action(self, view: View) -> Proposal:
        """Return the model's next step.

        Raises:
            ChatError: The model gave no answer, or twice none that can be read.
        """
        action, usage = complete_as(
            self.model,
            messages_for(view, react=self.react, few_shot=self.few_shot),
            read=action_of,
            schema=action_schema(keys_for(view), react=self.react),
            seed=view.state.settings.seed,
        )
        hedged = isinstance(action, Record) and is_hedged(read(action.words).text)
        return Proposal(action=action, usage=usage, hedged=hedged)
