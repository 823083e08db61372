"""What must never be controlled: named, or everything except what is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from federates.hems.parameters.slots import Slot, Values
from federates.hems.understanding.answer import Answer, Context, doubtful, stored
from federates.hems.understanding.device_mentions import device_mentions
from federates.hems.understanding.hedges import is_hedged
from federates.hems.understanding.reading import Reading

_INFORMAL: Final = (
    (
        "heat_pump",
        re.compile(r"\b(?:heating|heat|thermostats?|temperature|heaters?|radiators?)\b"),
    ),
    ("ev", re.compile(r"\b(?:cars?|vehicles?|charger|charging)\b")),
    ("hot_water_tank", re.compile(r"\b(?:hot water|water|showers?)\b")),
    ("washing_machine", re.compile(r"\b(?:washing|laundry)\b")),
    ("dryer", re.compile(r"\b(?:drying|tumble)\b")),
    ("dishwasher", re.compile(r"\b(?:dishes|washing up)\b")),
)
_MACHINES: Final = ("washing_machine", "dryer", "dishwasher")
_ALL_MACHINES: Final = re.compile(r"\b(?:appliances|(?<!washing )machines|white goods)\b")
_ALWAYS_NAMED: Final = frozenset({*_MACHINES, "ev"})
_ELECTRIC: Final = frozenset({"heat_pump", "resistive"})
_HEATS: Final = {"heat_pump": "heating.kind", "hot_water_tank": "hot_water.kind"}
"""Devices that stand for all electric heating of rooms and of water, and what tells the kind."""
_FREE: Final = re.compile(
    r"\b(?:(?:control|manage|run|touch|have|use|do|handle|take over) (?:everything|anything|"
    r"it all|all of it|the lot|what|whatever)|nothing(?! (?:but|except))|none|"
    r"no(?: restrictions| limits)?|anything goes|"
    r"(?:everything|anything|it) (?:is|can be)? ?(?:fine|ok|okay|controlled|fair game)|fair "
    r"game|all (?:fine|yours|good)|free (?:rein|hand)|not really|nope|nah)\b"
)
_HANDS_OFF_ALL: Final = re.compile(
    r"\b(?:(?:touch|control) (?:anything|nothing)|hands off everything|leave everything|"
    r"everything(?! (?:but|except|apart|is fine|is ok)))\b"
)
_ALLOWS: Final = re.compile(
    r"\b(?:can|may|could|ok to|fine to|happy (?:for|to)|feel free to|alright to) "
    r"(?:\w+ ){0,3}?(?:control|run|manage|use|have|touch|do|move|switch)\b"
)
_HOLDS_BACK: Final = re.compile(
    r"\b(?:except|apart from|but|bar|other than|aside from|just not|only not|not the|never|"
    r"dont|leave)\b"
)
_ALL_BUT: Final = re.compile(
    r"\b(?P<all>everything|anything|any of (?:it|them)|all(?: of (?:it|them|that))?|"
    r"the (?:whole )?lot)\b(?: \w+){0,3}? (?:except(?: for)?|apart from|but(?: not)?|bar|"
    r"other than|aside from|save for|besides)\b"
)
_FORBIDS: Final = re.compile(
    r"\b(?:dont|do not|never|not|mustnt|cant|cannot|shouldnt|hands off|keep off|leave|nobody|"
    r"no 1)\b"
)
_PERMITS: Final = re.compile(
    r"\b(?:fine|ok|okay|fair game|all yours|go ahead|happy|free rein|goes|allowed|"
    r"(?:control|manage|take over|have|run|use) (?:\w+ )?(?:everything|anything|all))\b"
)


def never_touch(reading: Reading, *, item: Slot, context: Context) -> Answer | None:
    """Return what must never be controlled; "not the dryer" names it as "the dryer" does."""
    plain, words = reading.text, reading.words()
    names = _named(reading, known=context.known)
    if names:
        all_but = _all_but(reading, item=item, known=context.known)
        if all_but is not None:
            return all_but
        if _ALLOWS.search(plain) and not _HOLDS_BACK.search(plain):
            question = "So is there anything that must never be controlled?"
            return doubtful(item, (), words=words, question=question)
        value = stored(item, tuple(names))
        if value is not None:
            return Answer(values=(value,), words=words, hedged=is_hedged(plain))
    return _unnamed(reading, item=item, known=context.known)


def _unnamed(reading: Reading, *, item: Slot, known: Values) -> Answer | None:
    """Return what a text says that names no device which could be controlled."""
    plain, words = reading.text, reading.words()
    if _HANDS_OFF_ALL.search(plain) and not _FREE.search(plain):
        question = "Should none of your devices be controlled at all?"
        return doubtful(item, (_controllable(known),), words=words, question=question)
    if _names_what_is_not_electric(plain, known=known):
        question = "The system only controls what runs on electricity, so that is left alone."
        return doubtful(item, ((),), words=words, question=question)
    if _FREE.search(plain):
        return Answer(values=((),), words=words, hedged=is_hedged(plain))
    return None


def _named(reading: Reading, *, known: Values) -> list[str]:
    """Return the devices that a text names, by their names or as "the heating", "the laundry"."""
    plain = reading.text
    mentions = device_mentions(reading)
    names = [one.name for one in mentions]
    covered = [(one.start, one.end) for one in mentions]
    owned = _controllable(known)
    if _ALL_MACHINES.search(plain):
        names += [name for name in _MACHINES if name in owned]
    there = {*_ALWAYS_NAMED, *owned}
    for name, pattern in _INFORMAL:
        match = pattern.search(plain)
        if match is None or any(start <= match.start() < end for start, end in covered):
            continue
        if name in there:
            names.append(name)
    return list(dict.fromkeys(names))


def _controllable(known: Values) -> tuple[str, ...]:
    """Return what a system could control in a home, electric heating of any kind included."""
    listed = known.get("household.devices", ())
    owned = [str(name) for name in listed] if isinstance(listed, Sequence) else []
    owned += [name for name, key in _HEATS.items() if known.get(key) in _ELECTRIC]
    return tuple(dict.fromkeys(owned))


def _names_what_is_not_electric(plain: str, *, known: Values) -> bool:
    """Whether a text names heating that burns something, which nobody controls anyway."""
    there = _controllable(known)
    return any(
        pattern.search(plain) is not None and name not in there and _HEATS.get(name, "") in known
        for name, pattern in _INFORMAL
    )


def _all_but(reading: Reading, *, item: Slot, known: Values) -> Answer | None:
    """Return what "don't touch anything except the dishwasher" leaves alone, to be agreed to.

    "You may control everything except the car" names the car, as does "anything but the car".
    """
    plain = reading.text
    match = _ALL_BUT.search(plain)
    if match is None:
        return None
    allowed = _named(reading.part(match.end(), len(plain)), known=known)
    forbids = _FORBIDS.search(plain[: match.start()]) is not None
    if not allowed or (
        not forbids
        and (match["all"] == "anything" or _ALLOWS.search(plain) or _PERMITS.search(plain))
    ):
        return None
    rest = tuple(name for name in _controllable(known) if name not in allowed)
    readings = (rest,) if forbids else (rest, tuple(allowed))
    question = "That can be read in two ways."
    if forbids:
        question = f"So it may control {_listed(allowed)} and nothing else; the rest is left alone."
    return doubtful(item, readings, words=reading.words(), question=question)


def _listed(names: Sequence[str]) -> str:
    """Return devices as words."""
    words = {"heat_pump": "the heating", "ev": "the car", "pv": "the solar panels"}
    return " and ".join(words.get(name, f"the {name.replace('_', ' ')}") for name in names)
