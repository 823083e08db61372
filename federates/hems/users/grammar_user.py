"""A householder made of templates: every reply comes with an annotation of what it says."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from federates.hems.parameters.slots import Slot, SlotKind, slot
from federates.hems.users.agreement import agrees
from federates.hems.users.dialogue import Question, Reply, SlotValue
from federates.hems.users.persona import Persona
from federates.hems.users.slips import misstated
from federates.hems.users.speaker import Phrase, Speaker, related
from federates.hems.users.surface import spoken, typed
from federates.hems.users.templates import TemplateSet
from gradmap.errors import ScenarioError

_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_FREE_SLOTS: Final = ("household.devices", "household.occupants", "household.house_type")
_APPLIANCES: Final = ("washing_machine", "dryer", "dishwasher")


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How often traits show. Shares of turns, or of householders for `spoken`."""

    distraction: float = 0.3
    slip: float = 0.22
    hedge: float = 0.45
    extra: float = 0.55
    aside: float = 0.6
    greet: float = 0.3
    again: float = 0.4
    typo: float = 0.12
    spoken: float = 0.15
    """Share of householders whose words come through speech recognition."""


class GrammarUser:
    """Answers questions as a persona would.

    The same seed, persona and sequence of questions give the same replies; each turn draws from its
    own stream.
    """

    def __init__(
        self, persona: Persona, templates: TemplateSet, seed: int, *, manner: Manner | None = None
    ) -> None:
        """Sit down at the kitchen table."""
        self.persona = persona
        self._templates = templates
        self._key = (seed, zlib.crc32(persona.id.encode()))
        self._manner = manner or Manner()
        self._turn = 0
        self._told: set[str] = set()
        self._to_repair: dict[str, int] = {}
        self._distracted = False
        first = np.random.default_rng(np.random.SeedSequence([*self._key, 0]))
        self._spoken = bool(first.random() < self._manner.spoken)

    @property
    def unrepaired(self) -> frozenset[str]:
        """Slots told wrongly on purpose and not corrected yet."""
        return frozenset(self._to_repair)

    def answer(self, question: Question) -> Reply:
        """Return the reply to a question.

        Raises:
            ScenarioError: A slot asked does not exist, or a menu asks not exactly one.
        """
        self._turn += 1
        rng = np.random.default_rng(np.random.SeedSequence([*self._key, self._turn]))
        speaker = Speaker(self.persona, self._templates, rng=rng)
        for key in question.slots:
            slot(key)
        if self._wanders(speaker):
            return Reply(speaker.act("distraction"))
        match question.kind:
            case "confirm":
                reply = self._confirm(speaker, question)
            case "menu":
                reply = self._choose(speaker, question)
            case "free":
                reply = self._tell(speaker, question)
            case _:
                reply = self._ask(speaker, question)
        reply = self._with_repair(speaker, reply)
        self._told |= set(reply.disclosed)
        return replace(reply, text=self._surface(reply.text, rng=rng))

    # ---- kinds of question -----------------------------------------------------------------

    def _ask(self, speaker: Speaker, question: Question) -> Reply:
        keys = question.slots
        if not keys:
            return Reply(speaker.act("unknown"))
        if "terse" in self.persona.traits and len(keys) > 1 and speaker.happens(0.4):
            keys = keys[:1]
        again = question.kind == "clarify"
        together = None
        if all(self.persona.knows(key) for key in keys):
            together = speaker.says_together(keys) if len(keys) > 1 else None
        if together is not None and set(together.disclosed) == set(keys):
            reply = _reply(together)
            self._forget(keys)
        else:
            reply = self._one(speaker, keys[0], again=again, standalone=len(keys) > 1)
            for key in keys[1:]:
                reply = _joined(
                    speaker, reply, self._one(speaker, key, again=again, standalone=True)
                )
        return self._dressed(speaker, reply, again=again)

    def _one(self, speaker: Speaker, key: str, *, again: bool, standalone: bool) -> Reply:
        """Answer one slot: with its value, a slip, or none."""
        if key not in self.persona.truth:
            return Reply(speaker.act("not_applicable", key=key), declined=frozenset({key}))
        if key in self.persona.refuses:
            return Reply(speaker.act("refuse", key=key), declined=frozenset({key}))
        if key in self.persona.unknown:
            return Reply(speaker.act("unknown", key=key), declined=frozenset({key}))
        repairing = key in self._to_repair
        self._forget((key,))
        if "contradicting" in self.persona.traits and not again and not repairing:
            slipped = self._slip(speaker, key, standalone=standalone)
            if slipped is not None:
                return slipped
        return _reply(speaker.says(key, standalone=standalone, clear=again))

    def _slip(self, speaker: Speaker, key: str, *, standalone: bool) -> Reply | None:
        """Say something wrong and repair it: at once, about another device, or later."""
        if not speaker.happens(self._manner.slip):
            return None
        other = self._sibling(key)
        if other is not None and speaker.happens(0.4):
            return self._other_device(speaker, key, other=other)
        wrong = misstated(slot(key), truth=self.persona.truth[key], rng=speaker.rng)
        if wrong is None:
            return None
        said = speaker.says(key, value=wrong, standalone=standalone, clear=True)
        if speaker.happens(0.5):
            right = speaker.says(key, standalone=standalone)
            text = speaker.act("repair_now", wrong=said.text, answer=right.text)
            return replace(_reply(right), text=text)
        self._to_repair[key] = self._turn + 1 + int(speaker.rng.integers(3))
        return replace(_reply(said), wrong=frozenset({key}))

    def _other_device(self, speaker: Speaker, key: str, *, other: str) -> Reply:
        """Answer for the wrong appliance first; both answers are true."""
        wrong, right = speaker.says(other), speaker.says(key)
        text = speaker.act(
            "slip_device", wrong=wrong.text, answer=right.text,
            device=speaker.device(key), other=speaker.device(other),
        )  # fmt: skip
        self._forget((other,))
        return Reply(text, {**wrong.disclosed, **right.disclosed}, wrong.hedged | right.hedged)

    def _sibling(self, key: str) -> str | None:
        """The same slot of another appliance they own, if they can tell it."""
        parts = key.split(".")
        others = [f"appliances.{kind}.{parts[-1]}" for kind in _APPLIANCES if kind not in parts]
        if parts[0] != "appliances":
            return None
        return next((other for other in others if self.persona.knows(other)), None)

    def _confirm(self, speaker: Speaker, question: Question) -> Reply:
        """Agree with what is right, correct what is not."""
        agreed: dict[str, SlotValue] = {}
        wrong = []
        for key in question.slots:
            proposed = question.proposed.get(key)
            if key in self.persona.truth and not self.persona.knows(key):
                continue
            if proposed is not None and self._right(slot(key), proposed):
                agreed[key] = proposed
            else:
                wrong.append(key)
        if not wrong:
            self._forget(question.slots)
            return Reply(speaker.act("agree"), agreed)
        reply: Reply | None = None
        for key in wrong:
            own = self._corrected(speaker, key)
            reply = own if reply is None else _joined(speaker, reply, own)
        assert reply is not None
        self._forget(question.slots)
        text = speaker.act("correct", answer=reply.text)
        return replace(reply, text=text, disclosed={**agreed, **reply.disclosed})

    def _corrected(self, speaker: Speaker, key: str) -> Reply:
        if key not in self.persona.truth:
            return Reply(speaker.act("not_applicable", key=key), declined=frozenset({key}))
        return _reply(speaker.says(key, standalone=True))

    def _right(self, item: Slot, proposed: SlotValue) -> bool:
        truth = self.persona.truth.get(item.key)
        return truth is not None and agrees(item, proposed, truth=truth, hedged=True)

    def _choose(self, speaker: Speaker, question: Question) -> Reply:
        """Pick from a menu by number, by words, or say that nothing fits."""
        if len(question.slots) != 1:
            raise ScenarioError(f"a menu asks one slot, not {len(question.slots)}")
        key = question.slots[0]
        item = slot(key)
        if not self.persona.knows(key):
            return self._dressed(speaker, self._one(speaker, key, again=True, standalone=False))
        self._forget((key,))
        place = next(
            (n for n, option in enumerate(question.options) if self._right(item, option)), None
        )
        if place is None or place >= len(_ORDINALS):
            said = speaker.says(key, clear=True)
            if item.kind is SlotKind.CHOICES:
                return _reply(said)
            return replace(_reply(said), text=speaker.act("menu_none", answer=said.text))
        if speaker.happens(0.4):
            return _reply(speaker.says(key, clear=True))
        text = speaker.act(
            "menu_pick",
            number=str(place + 1), ordinal=_ORDINALS[place], letter="abcdefgh"[place],
        )  # fmt: skip
        return Reply(text, {key: question.options[place]})

    def _tell(self, speaker: Speaker, question: Question) -> Reply:
        """Talk freely: a few slots of their own choice."""
        wanted = [key for key in question.slots or _FREE_SLOTS if self.persona.knows(key)]
        others = [key for key in self.persona.truth if self.persona.knows(key)]
        count = 4 if "over_answering" in self.persona.traits else 2
        count = 1 if "terse" in self.persona.traits else count
        while len(wanted) < count and len(others) > len(wanted):
            key = others[int(speaker.rng.integers(len(others)))]
            wanted += [key] if key not in wanted else []
        if not wanted:
            return Reply(speaker.act("unknown"))
        reply = _reply(speaker.says(wanted[0], standalone=True))
        for key in wanted[1:count]:
            reply = _joined(speaker, reply, _reply(speaker.says(key, standalone=True)))
        self._forget(tuple(reply.disclosed))
        return self._dressed(speaker, reply)

    # ---- manners -----------------------------------------------------------------------------

    def _wanders(self, speaker: Speaker) -> bool:
        """Whether the householder says something else this time; never twice in a row."""
        wants = "adversarial" in self.persona.traits and not self._distracted
        self._distracted = wants and speaker.happens(self._manner.distraction)
        return self._distracted

    def _dressed(self, speaker: Speaker, reply: Reply, *, again: bool = False) -> Reply:
        """Add what the traits add: guesses, extras, small talk."""
        traits, manner = self.persona.traits, self._manner
        if again and speaker.happens(manner.again):
            reply = replace(reply, text=speaker.act("again", answer=reply.text))
        if "hedging" in traits and reply.disclosed and speaker.happens(manner.hedge):
            hedged = reply.hedged | frozenset(reply.disclosed)
            text = speaker.act("hedge", answer=reply.text)
            reply = replace(reply, text=text, hedged=hedged)
        if "over_answering" in traits and reply.disclosed and speaker.happens(manner.extra):
            reply = self._with_extra(speaker, reply)
        if "rambling" in traits and speaker.happens(manner.aside):
            reply = replace(reply, text=speaker.act("aside", answer=reply.text))
        if self._turn == 1 and "terse" not in traits and speaker.happens(manner.greet):
            reply = replace(reply, text=speaker.act("greet", answer=reply.text))
        return reply

    def _with_extra(self, speaker: Speaker, reply: Reply) -> Reply:
        """Tell something about the same device that nobody asked for yet."""
        done = frozenset(self._told) | frozenset(reply.disclosed)
        more = related(self.persona, next(iter(reply.disclosed)), done=done)
        if not more:
            return reply
        key = more[int(speaker.rng.integers(len(more)))]
        extra = speaker.can_say(key, value=self.persona.truth[key], standalone=True)
        # Nobody asked: what no form says exactly enough is not told.
        return reply if extra is None else _joined(speaker, reply, _reply(extra))

    def _with_repair(self, speaker: Speaker, reply: Reply) -> Reply:
        """Correct an earlier wrong answer when its time has come."""
        due = [key for key, turn in self._to_repair.items() if turn <= self._turn]
        for key in due:
            self._forget((key,))
            right = _reply(speaker.says(key, standalone=True, clear=True))
            right = replace(right, text=speaker.act("repair_later", answer=right.text))
            reply = _joined(speaker, reply, right)
        return reply

    def _forget(self, keys: tuple[str, ...]) -> None:
        for key in keys:
            self._to_repair.pop(key, None)

    def _surface(self, text: str, *, rng: np.random.Generator) -> str:
        if self._spoken:
            return spoken(text, rng=rng)
        return typed(text, rng=rng) if rng.random() < self._manner.typo else text


def _reply(phrase: Phrase) -> Reply:
    return Reply(phrase.text, dict(phrase.disclosed), phrase.hedged)


def _joined(speaker: Speaker, first: Reply, second: Reply) -> Reply:
    """Two replies in one breath; what is said last counts."""
    return Reply(
        text=speaker.act("join", answer=first.text, extra=second.text),
        disclosed={**first.disclosed, **second.disclosed},
        hedged=(first.hedged - frozenset(second.disclosed)) | second.hedged,
        wrong=(first.wrong - frozenset(second.disclosed)) | second.wrong,
        declined=(first.declined | second.declined) - frozenset(second.disclosed),
    )
