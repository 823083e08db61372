"""One dialogue's scores, slot by slot: what was said, what is true, what was recorded.

Rules are those of docs/hems/evaluation.md. No text of the dialogue is kept.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from federates.hems.evaluation.dialogue import Dialogue
from federates.hems.evaluation.disclosure import Disclosure, disclosure
from federates.hems.interview.rules_interviewer import RULES
from federates.hems.interview.state import InterviewState, Recorded
from federates.hems.parameters.slots import SLOTS, Slot, Value, Who, applicable, slot
from federates.hems.parameters.sources import Provenance
from federates.hems.parameters.stored import checked
from federates.hems.users.agreement import agrees
from gradmap.errors import ScenarioError


@dataclass(frozen=True, kw_only=True)
class SlotScore:
    """One slot of one dialogue. None: not to be judged."""

    key: str
    said_right: bool | None = None
    """The value found agrees with what the householder said last."""
    truth_right: bool | None = None
    """The value found agrees with the truth, of slots the householder can and will tell."""
    file_right: bool | None = None
    """The value of the home file, defaults included, agrees with the truth, known or not."""
    recorded: bool = False
    """The interview holds a value as stated or confirmed."""
    wrong: bool = False
    """Recorded, and not what was said."""
    invented: bool = False
    """Recorded as stated, though nothing of it was ever said."""
    declined: bool = False
    """The householder answered without a value, and never gave one."""
    marked: bool = False
    """The interviewer noted that there is no answer, and recorded none since."""
    repaired: bool | None = None
    """After a slip that the householder put right: whether the right value stands."""
    asks: int = 0
    """How often it was asked, read-backs left out."""

    @property
    def slot(self) -> Slot:
        """Return the slot."""
        return slot(self.key)


@dataclass(frozen=True, kw_only=True)
class DialogueScore:
    """One dialogue."""

    persona: str
    number: int
    """Of the persona."""
    repeat: int
    """Which of its dialogues."""
    level: str
    annotated: bool
    ended: str
    turns: int
    tokens_in: int
    tokens_out: int
    rules_turns: int
    """Turns of a language model that rules had to take."""
    out_of_range: int
    """Recorded values beyond the bounds of their slots; must be 0."""
    slots: tuple[SlotScore, ...]

    @property
    def complete(self) -> bool:
        """Return whether the interview came to its own end."""
        return self.ended == "done"

    @property
    def all_said_right(self) -> bool:
        """Return whether it is complete, all that was said is right, and nothing is invented."""
        wrong = any(one.said_right is False or one.invented for one in self.slots)
        return self.complete and not wrong

    @property
    def all_truth_right(self) -> bool:
        """Return whether it is complete and all that the householder knows is right."""
        return self.complete and not any(one.truth_right is False for one in self.slots)


def score(dialogue: Dialogue, *, number: int = 0, repeat: int = 0) -> DialogueScore:
    """Return the scores of a dialogue.

    Args:
        dialogue: The dialogue.
        number: Of the persona.
        repeat: Which of the persona's dialogues it is.
    """
    state, scorer = dialogue.state, _Scorer(dialogue)
    found = tuple(
        one for one in (scorer.slot(item) for item in SLOTS) if one != SlotScore(key=one.key)
    )
    by_rules = {event.turn for event in state.events if event.by == RULES}
    return DialogueScore(
        persona=dialogue.persona.id,
        number=number,
        repeat=repeat,
        level=dialogue.persona.level,
        annotated=dialogue.annotated,
        ended=dialogue.ended,
        turns=state.turn,
        tokens_in=state.spent.tokens_in,
        tokens_out=state.spent.tokens_out,
        rules_turns=0 if state.interviewer == RULES else len(by_rules),
        out_of_range=sum(_beyond(key, one.value) for key, one in state.progress.records.items()),
        slots=found,
    )


class _Scorer:
    """Judges the slots of one dialogue."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue
        self._records = dialogue.state.progress.records
        self._known: Disclosure = disclosure(dialogue.replies)
        self._asks = Counter(
            key
            for exchange in dialogue.state.exchanges
            if exchange.message.kind != "confirm"
            for key in exchange.message.slots
        )
        self._marked = marked_slots(dialogue.state)
        self._left_out = dialogue.unrepaired | {
            key for key, said in self._known.said.items() if said.wrong
        }

    def slot(self, item: Slot) -> SlotScore:
        """Return the score of one slot."""
        key, annotated = item.key, self._dialogue.annotated
        said, record = self._known.said.get(key), self._records.get(key)
        judged = key not in self._left_out
        said_right = None
        if said is not None and judged:
            said_right = self._found_agrees(item, said.value, hedged=said.hedged)
        stated = record is not None and not _only_agreed(record, key, self._dialogue.state)
        return SlotScore(
            key=key,
            said_right=said_right,
            truth_right=self._truth_right(item) if judged else None,
            file_right=self._file_right(item) if judged else None,
            recorded=record is not None,
            wrong=record is not None and said_right is False,
            invented=annotated and stated and said is None,
            declined=key in self._known.declined,
            marked=annotated and key in self._marked and not stated,
            repaired=said_right if said is not None and said.slipped else None,
            asks=self._asks[key],
        )

    def _truth_right(self, item: Slot) -> bool | None:
        if not (self._in_play(item) and self._dialogue.persona.knows(item.key)):
            return None
        return self._found_agrees(item, self._truth(item), hedged=self._hedged(item.key))

    def _file_right(self, item: Slot) -> bool | None:
        if not self._in_play(item):
            return None
        value = self._dialogue.home.values.get(item.key)
        hedged = self._hedged(item.key)
        return value is not None and agrees(item, value, truth=self._truth(item), hedged=hedged)

    def _in_play(self, item: Slot) -> bool:
        """Whether a slot is asked in such interviews and exists in this home."""
        asked = item.who in (Who.ALWAYS, Who.DEVICE)
        asked = asked or (self._dialogue.state.settings.expert and item.who is Who.EXPERT)
        truth = self._dialogue.persona.truth
        return asked and item.key in truth and applicable(item, truth)

    def _found_agrees(self, item: Slot, right: Value, *, hedged: bool) -> bool:
        """Whether there is a value that nobody just assumed, and it is right."""
        home = self._dialogue.home
        source = home.sources.get(item.key)
        if source is None or source.provenance is Provenance.DEFAULT:
            return False
        return agrees(item, home.values[item.key], truth=right, hedged=hedged)

    def _truth(self, item: Slot) -> Value:
        return self._dialogue.persona.truth[item.key]

    def _hedged(self, key: str) -> bool:
        said = self._known.said.get(key)
        return said is not None and said.hedged


def marked_slots(state: InterviewState) -> frozenset[str]:
    """Return slots that an interviewer noted as unanswered, and did not record later."""
    marked: set[str] = set()
    for event in state.events:
        key = str(event.action.get("key", ""))
        if event.accepted and event.action.get("action") == "mark":
            marked.add(key)
        elif event.accepted and event.action.get("action") == "record":
            marked.discard(key)
    return frozenset(marked)


def _only_agreed(record: Recorded, key: str, state: InterviewState) -> bool:
    """Return whether a value is on record only because a read-back with it was agreed to."""
    if record.provenance is not Provenance.CONFIRMED or record.turn >= state.turn:
        return False
    message = state.exchanges[record.turn].message
    return message.kind == "confirm" and message.proposed.get(key) == record.value


def _beyond(key: str, value: Value) -> bool:
    try:
        checked(key, value)
    except ScenarioError:
        return True
    return False
