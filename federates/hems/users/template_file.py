"""One template: its fields, its file format, and what a file may not contain."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import yaml

from federates.hems.parameters.slots import SLOTS, Slot, SlotKind, Who
from federates.hems.users.dialogue import SlotValue
from federates.hems.users.realisers.registry import REALISERS, serves
from gradmap.errors import ScenarioError

FORMAT: Final = 1
LEVELS: Final = ("expert", "ordinary", "novice")
LOCALES: Final = ("en-GB", "en-IE", "en-US")

ACTS: Final[Mapping[str, frozenset[str]]] = {
    "answer": frozenset({"value", "device"}),
    "several": frozenset(),
    "unknown": frozenset({"device"}),
    "refuse": frozenset({"device"}),
    "not_applicable": frozenset({"device"}),
    "hedge": frozenset({"answer"}),
    "aside": frozenset({"answer"}),
    "greet": frozenset({"answer"}),
    "again": frozenset({"answer"}),
    "join": frozenset({"answer", "extra"}),
    "agree": frozenset(),
    "correct": frozenset({"answer"}),
    "repair_now": frozenset({"wrong", "answer"}),
    "repair_later": frozenset({"answer"}),
    "slip_device": frozenset({"wrong", "device", "other", "answer"}),
    "menu_pick": frozenset({"number", "ordinal", "letter"}),
    "menu_none": frozenset({"answer"}),
    "distraction": frozenset(),
}
"""Every act with the placeholders its forms may contain."""
SLOT_ACTS: Final = frozenset({"answer", "several", "unknown", "refuse", "not_applicable"})
"""Acts that may be limited to slots."""
_FIELDS: Final = frozenset(
    {"act", "slots", "kinds", "values", "levels", "locales", "realisers", "standalone", "forms"}
)

ASKED: Final = tuple(item for item in SLOTS if item.who is not Who.DERIVED)
"""Slots a householder can be asked."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """One surface form with the slots, levels and values it fits."""

    act: str
    form: str
    source: str
    """File and place in it, for messages."""
    slots: tuple[str, ...] = ()
    """Slot patterns such as `evs.*.arrival`; empty: every slot of `kinds`, or every slot."""
    kinds: frozenset[str] = frozenset()
    values: tuple[SlotValue, ...] | None = None
    """The form says one of these stored values itself."""
    levels: tuple[str, ...] = LEVELS
    locales: tuple[str, ...] = LOCALES
    realisers: tuple[str, ...] = ()
    """Realisers for `{value}`, any of which fits the form."""
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Only for `several`: realisers by placeholder, the last part of the slot's key."""
    standalone: bool = False
    """The form makes clear by itself what it is about and may be volunteered."""

    def fits(self, item: Slot, *, level: str, locale: str) -> bool:
        """Whether the form can be about the slot, by this person."""
        return (
            level in self.levels
            and locale in self.locales
            and (not self.kinds or item.kind in self.kinds)
            and (not self.slots or any(fnmatchcase(item.key, p) for p in self.slots))
        )

    def covers(self, value: SlotValue) -> bool:
        """Whether the form can say the value, as far as the file tells."""
        if self.values is None:
            return True
        stored = list(value) if isinstance(value, tuple) else value
        return any(stored == allowed and type(stored) is type(allowed) for allowed in self.values)


def placeholders(form: str) -> frozenset[str]:
    """Return the names in curly braces."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(form) if name is not None)


def read_templates(path: Path) -> list[Template]:
    """Read and check one file.

    Raises:
        ScenarioError: The file is not in the format; the message names the group and the remedy.
    """
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or set(data) != {"format", "templates"}:
        raise ScenarioError(f"{path.name}: expected the keys `format` and `templates`, no others")
    if data["format"] != FORMAT:
        raise ScenarioError(f"{path.name}: format {data['format']!r}, expected {FORMAT}")
    return [
        template
        for place, group in enumerate(data["templates"], start=1)
        for template in _group(group, source=f"{path.name}, group {place}")
    ]


def _group(group: Any, *, source: str) -> Iterator[Template]:
    """Yield the templates of a group after checking it."""
    if not isinstance(group, dict) or not group.get("forms"):
        raise ScenarioError(f"{source}: expected a mapping with a list `forms`")
    if unknown := set(group) - _FIELDS:
        raise ScenarioError(f"{source}: unknown fields {sorted(unknown)}; use {sorted(_FIELDS)}")
    act = group.get("act", "answer")
    if act not in ACTS:
        raise ScenarioError(f"{source}: act {act!r}; use one of {', '.join(ACTS)}")
    _check_words(group, source=source)
    items = _claimed(group, act=act, source=source)
    realisers, parts = _check_realisers(group, act=act, items=items, source=source)
    _check_values(group, items=items, source=source)
    for form in group["forms"]:
        allowed = frozenset(parts) | {"device"} if act == "several" else ACTS[act]
        _check_form(form, group=group, act=act, allowed=allowed, source=source)
        yield Template(
            act=act,
            form=form,
            source=source,
            slots=tuple(group.get("slots", ())),
            kinds=frozenset(group.get("kinds", ())),
            values=tuple(group["values"]) if "values" in group else None,
            levels=tuple(group.get("levels", LEVELS)),
            locales=tuple(group.get("locales", LOCALES)),
            realisers=realisers,
            parts=parts,
            standalone=bool(group.get("standalone", False)),
        )


def _check_words(group: Mapping[str, Any], *, source: str) -> None:
    """Refuse unknown levels, locales and kinds."""
    allowed = {"levels": LEVELS, "locales": LOCALES, "kinds": tuple(SlotKind)}
    for name, words in allowed.items():
        for word in group.get(name, ()):
            if word not in words:
                raise ScenarioError(f"{source}: {name} has {word!r}; use {', '.join(words)}")


def _claimed(group: Mapping[str, Any], *, act: str, source: str) -> tuple[Slot, ...]:
    """Return the slots a group claims; refuse patterns that name none."""
    patterns, kinds = group.get("slots", ()), group.get("kinds", ())
    if (patterns or kinds) and act not in SLOT_ACTS:
        raise ScenarioError(f"{source}: act {act} is not about slots; drop `slots` and `kinds`")
    if act in {"answer", "several"} and not (patterns or kinds):
        raise ScenarioError(f"{source}: an {act} needs `slots` or `kinds`")
    for pattern in patterns:
        if not any(fnmatchcase(item.key, pattern) for item in ASKED):
            raise ScenarioError(f"{source}: {pattern!r} is no slot that is asked; see slots.py")
    return tuple(
        item
        for item in ASKED
        if (not kinds or item.kind in kinds)
        and (not patterns or any(fnmatchcase(item.key, pattern) for pattern in patterns))
    )


def _check_realisers(
    group: Mapping[str, Any], *, act: str, items: tuple[Slot, ...], source: str
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return the realisers of `{value}` and of the parts; refuse unknown and unfit ones."""
    named = group.get("realisers", [])
    if (act == "several") != isinstance(named, dict):
        raise ScenarioError(f"{source}: `realisers` is a mapping for `several`, else a list")
    parts = named if isinstance(named, dict) else {"value": named}
    for part, names in parts.items():
        about = [item for item in items if item.name == part] if act == "several" else items
        if not about:
            raise ScenarioError(f"{source}: {part!r} is not the last part of a slot named there")
        for name in names:
            if name not in REALISERS:
                raise ScenarioError(f"{source}: no realiser {name!r}; see docs/hems/users.md")
            for item in about:
                if not serves(REALISERS[name], slot=item.key, kind=item.kind):
                    raise ScenarioError(f"{source}: realiser {name!r} cannot say {item.key}")
    fixed = {part: tuple(names) for part, names in parts.items()}
    return ((), fixed) if act == "several" else (fixed["value"], {})


def _check_values(group: Mapping[str, Any], *, items: tuple[Slot, ...], source: str) -> None:
    """Refuse words that no claimed choice has."""
    for value in group.get("values", ()):
        for item in items:
            words = value if isinstance(value, list) else [value]
            if item.choices and not set(words) <= set(item.choices):
                raise ScenarioError(f"{source}: {value!r} is no choice of {item.key}")


def _check_form(
    form: Any, *, group: Mapping[str, Any], act: str, allowed: frozenset[str], source: str
) -> None:
    """Refuse forms with unknown placeholders, or that say no value."""
    if not isinstance(form, str):
        raise ScenarioError(f"{source}: {form!r} is not text; put it in quotes")
    used = placeholders(form)
    if unknown := used - allowed:
        raise ScenarioError(f"{source}: {form!r} has {sorted(unknown)}; use {sorted(allowed)}")
    if act == "answer" and ("value" in used) == ("values" in group and "realisers" not in group):
        raise ScenarioError(f"{source}: {form!r} needs either {{value}} or `values`")
    if act == "answer" and "value" in used and not group.get("realisers"):
        raise ScenarioError(f"{source}: {form!r} has {{value}} but no `realisers`")
    if act == "several" and not (allowed - {"device"}) <= used:
        raise ScenarioError(f"{source}: {form!r} must use all of {sorted(allowed - {'device'})}")
    wrapper = ACTS[act] & {"answer", "extra"}
    if not wrapper <= used:
        raise ScenarioError(f"{source}: {form!r} must contain {sorted(wrapper)}")
