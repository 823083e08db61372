"""A folder of templates, checked, and looked up by act, slot and person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from federates.hems.parameters.slots import Slot, SlotKind
from federates.hems.users.dialogue import SlotValue
from federates.hems.users.template_file import (
    ACTS,
    ASKED,
    LEVELS,
    LOCALES,
    Template,
    read_templates,
)
from gradmap.errors import ScenarioError

TEMPLATES_DIR: Final = Path(__file__).parent / "templates"
HELD_OUT_DIR: Final = TEMPLATES_DIR / "held_out"
"""Written apart from the extractor; never used to develop it."""


class TemplateSet:
    """All templates of a folder."""

    def __init__(self, templates: list[Template]) -> None:
        """Index the templates by act."""
        self._by_act: dict[str, list[Template]] = defaultdict(list)
        for template in templates:
            self._by_act[template.act].append(template)

    @classmethod
    def load(cls, folder: Path = HELD_OUT_DIR) -> Self:
        """Read every .yaml file of a folder, in the order of their names, and check coverage.

        Raises:
            ScenarioError: No file, a file is wrong, or a slot, level or act has no form.
        """
        files = sorted(folder.glob("*.yaml"))
        if not files:
            raise ScenarioError(f"no template files (*.yaml) in {folder}")
        found = cls([template for path in files for template in read_templates(path)])
        if gaps := found.gaps():
            raise ScenarioError(f"{folder.name}: no form for {'; '.join(gaps[:5])}")
        return found

    def __len__(self) -> int:
        return sum(len(templates) for templates in self._by_act.values())

    def __iter__(self) -> Iterator[Template]:
        return iter([template for group in self._by_act.values() for template in group])

    def about(self, act: str, item: Slot, *, level: str, locale: str) -> list[Template]:
        """Return the forms of an act that fit a slot and a person, the particular ones first."""
        fitting = [t for t in self._by_act[act] if t.fits(item, level=level, locale=locale)]
        return sorted(fitting, key=lambda template: not template.slots)

    def of(self, act: str, *, level: str, locale: str) -> list[Template]:
        """Return the forms of an act that is not about a slot."""
        return [t for t in self._by_act[act] if level in t.levels and locale in t.locales]

    def gaps(self) -> list[str]:
        """Return what no form covers, as "slot = value for level in locale"."""
        missing = []
        for level in LEVELS:
            for locale in LOCALES:
                person = f"a {level} person in {locale}"
                missing += [
                    f"{item.key}{'' if value is None else f' = {value}'} for {person}"
                    for item in ASKED
                    for value in _must_say(item)
                    if not self._can_say(item, value, level=level, locale=locale)
                ]
                missing += [
                    f"act {act} for {person}"
                    for act in ACTS
                    if act != "several" and not self.of(act, level=level, locale=locale)
                ]
        return missing

    def _can_say(self, item: Slot, value: SlotValue, *, level: str, locale: str) -> bool:
        forms = self.about("answer", item, level=level, locale=locale)
        return any(value is None or template.covers(value) for template in forms)


def _must_say(item: Slot) -> tuple[SlotValue, ...]:
    """The values that need a form each: choices, yes and no; None stands for any."""
    if item.kind is SlotKind.CHOICE:
        return item.choices
    return (True, False) if item.kind is SlotKind.BOOLEAN else (None,)
