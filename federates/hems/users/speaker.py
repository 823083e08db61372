"""One turn of talking: picks forms and realisers for slots, with an exact annotation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

import numpy as np

from federates.hems.parameters.slots import Slot, Value, slot
from federates.hems.parameters.stored import checked
from federates.hems.users.agreement import agrees
from federates.hems.users.dialogue import SlotValue
from federates.hems.users.persona import Persona
from federates.hems.users.realisers.base import Said, Setting
from federates.hems.users.realisers.choices import device_name
from federates.hems.users.realisers.registry import REALISERS, serves
from federates.hems.users.surface import ended, unended
from federates.hems.users.template_file import Template
from federates.hems.users.templates import TemplateSet
from gradmap.errors import ScenarioError

_UNUSUAL: Final = frozenset(
    [
        "watts",
        "watts_words",
        "kw_comma",
        "amps",
        "amps_volts",
        "kwh_as_kw",
        "kwh_comma",
        "watt_hours",
        "amp_hours",
        "fahrenheit",
        "difference_f",
        "miles",
        "miles_words",
        "square_feet",
        "gallons",
        "price_major_comma",
        "price_minor_comma",
        "price_major_bare",
        "hours_minutes",
        "clock_24_bare",
    ]
)
"""Realisers that people who mix units reach for."""
_SHARE_PARTICULAR = 0.65
"""How often a form made for the slot is taken before one of its kind."""


@dataclass(frozen=True)
class Phrase:
    """Words and what they say."""

    text: str
    disclosed: Mapping[str, SlotValue]
    hedged: frozenset[str] = frozenset()


class Speaker:
    """A persona for one turn."""

    def __init__(
        self, persona: Persona, templates: TemplateSet, *, rng: np.random.Generator
    ) -> None:
        """Speak with the turn's own generator."""
        self.persona = persona
        self.rng = rng
        self._templates = templates

    def happens(self, probability: float) -> bool:
        """Return true with this probability."""
        return bool(self.rng.random() < probability)

    def says(
        self, key: str, *, value: Value | None = None, standalone: bool = False, clear: bool = False
    ) -> Phrase:
        """Say a slot's value, the true one unless another is given.

        Args:
            key: The slot.
            value: A value in stored form; None: the true one.
            standalone: Only forms that name what they are about.
            clear: Only words that leave no room.

        Raises:
            ScenarioError: No template can say the value.
        """
        meant = self.persona.truth[key] if value is None else value
        phrase = self.can_say(key, value=meant, standalone=standalone, clear=clear)
        if phrase is None:
            raise ScenarioError(f"no template says {key} = {meant!r} for {self.persona.level}")
        return phrase

    def can_say(
        self, key: str, *, value: Value, standalone: bool = False, clear: bool = False
    ) -> Phrase | None:
        """Say a value as `says` does, or return None where no template can."""
        item = slot(key)
        for template in self._in_order(item, standalone=standalone):
            said = self._realised(template, item, value, clear=clear)
            if said is not None:
                return Phrase(
                    said.text, {key: said.value}, frozenset({key} if said.vague else set())
                )
        return None

    def says_together(self, keys: tuple[str, ...]) -> Phrase | None:
        """Say several slots in one sentence, where a form of the folder fits them."""
        fitting = [
            template
            for template in self._templates.of("several", level=self.persona.level,
                                               locale=self.persona.locale)
            if set(template.slots) <= set(keys) and len(template.slots) > 1
        ]  # fmt: skip
        for place in self.rng.permutation(len(fitting)):
            if (phrase := self._filled(fitting[place])) is not None:
                return phrase
        return None

    def act(self, name: str, *, key: str | None = None, **parts: str) -> str:
        """Return a form of an act with its parts filled in."""
        person = {"level": self.persona.level, "locale": self.persona.locale}
        if key is None:
            forms = [t for t in self._templates.of(name, **person) if not t.slots and not t.kinds]
        else:
            forms = self._templates.about(name, slot(key), **person)
            parts.setdefault("device", self.device(key))
        form = forms[int(self.rng.integers(len(forms)))].form
        if name == "aside":
            parts["answer"] = ended(parts["answer"])
            return form.format(**parts)
        inside = {part for part in parts if not form.endswith(f"{{{part}}}")}
        tidy = {part: unended(text) if part in inside else text for part, text in parts.items()}
        return form.format(**tidy)

    def device(self, key: str) -> str:
        """What the householder calls the thing a slot is about."""
        parts = key.split(".")
        if parts[0] == "evs":
            if self.persona.truth.get("household.n_evs", 1) != 2:
                return "car"
            return "first car" if parts[1] == "1" else "second car"
        if parts[0] == "appliances":
            return device_name(parts[1], self._setting(slot(key)))
        return parts[0].replace("_", " ")

    def _setting(self, item: Slot) -> Setting:
        person = self.persona
        return Setting(
            slot=item.key,
            kind=item.kind,
            locale=person.locale,
            currency=person.currency,
            level=person.level,
            truth=person.truth,
            rng=self.rng,
        )

    def _in_order(self, item: Slot, *, standalone: bool) -> list[Template]:
        """Forms to try, in a drawn order; terse people try the short ones first."""
        person = self.persona
        found = self._templates.about("answer", item, level=person.level, locale=person.locale)
        if standalone:
            return self._shuffled([t for t in found if t.standalone])
        particular = self._shuffled([t for t in found if t.slots])
        general = self._shuffled([t for t in found if not t.slots])
        first = self.happens(_SHARE_PARTICULAR)
        ordered = [*particular, *general] if first else [*general, *particular]
        if "terse" in person.traits:
            return sorted(ordered, key=lambda template: len(template.form) // 8)
        return ordered

    def _shuffled(self, templates: list[Template]) -> list[Template]:
        return [templates[place] for place in self.rng.permutation(len(templates))]

    def _realised(
        self, template: Template, item: Slot, meant: SlotValue, *, clear: bool
    ) -> Said | None:
        """Fill a form, or return None where it cannot say the value closely enough."""
        if not template.covers(meant):
            return None
        if not template.realisers:
            return Said(template.form.format(device=self.device(item.key)), meant)
        said = self._valued(template.realisers, item, meant, clear=clear)
        if said is None:
            return None
        text = template.form.format(value=said.text, device=self.device(item.key))
        return Said(text, said.value, said.vague)

    def _valued(
        self, names: tuple[str, ...], item: Slot, meant: SlotValue, *, clear: bool
    ) -> Said | None:
        """Say a value by one of the realisers, within tolerance, in stored form."""
        ordered = [names[place] for place in self.rng.permutation(len(names))]
        if "mixed_units" in self.persona.traits and self.happens(0.5):
            unusual = sorted(
                name for name in _UNUSUAL if serves(REALISERS[name], slot=item.key, kind=item.kind)
            )
            ordered = [unusual[n] for n in self.rng.permutation(len(unusual))] + ordered
        for name in ordered:
            said = REALISERS[name].say(meant, self._setting(item))
            if said is None or (clear and said.vague):
                continue
            try:
                stored = checked(item.key, said.value)
            except ScenarioError:
                continue
            if agrees(item, stored, truth=meant, hedged=said.vague):
                return Said(said.text, stored, said.vague)
        return None

    def _filled(self, template: Template) -> Phrase | None:
        """Fill a form about several slots, or return None."""
        texts, disclosed, hedged = {}, {}, set()
        for key in template.slots:
            item = slot(key)
            said = self._valued(
                template.parts[item.name], item, self.persona.truth[key], clear=False
            )
            if said is None:
                return None
            texts[item.name], disclosed[key] = said.text, said.value
            hedged |= {key} if said.vague else set()
        text = template.form.format(device=self.device(template.slots[0]), **texts)
        return Phrase(text, disclosed, frozenset(hedged))


def related(persona: Persona, key: str, *, done: frozenset[str]) -> list[str]:
    """Slots somebody talkative tells along with one: known ones of the same thing."""
    section = key.rpartition(".")[0]
    return [
        other
        for other in persona.truth
        if other != key
        and other not in done
        and persona.knows(other)
        and fnmatchcase(other, f"{section}.*")
    ]
