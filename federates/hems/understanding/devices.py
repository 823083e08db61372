"""The devices that a home owns: a first list, and what is added or taken away later."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from federates.hems.parameters.slots import Slot
from federates.hems.understanding.answer import Answer, Context, doubtful, stored
from federates.hems.understanding.device_mentions import (
    CAR,
    DeviceMention,
    device_mentions,
    household_mentions,
)
from federates.hems.understanding.hedges import is_hedged
from federates.hems.understanding.reading import Reading, read
from federates.hems.understanding.vocabulary import DEVICE_WORDS

_ALL: Final = re.compile(
    r"\b(?:all (?:of (?:them|those|these|the above)|the above|9|that)|everything|"
    r"the (?:whole )?lot|every ?(?:1|single 1)(?: of)?)\b"
)
_NONE: Final = re.compile(
    r"\b(?:none(?: of (?:them|those|these|the above|that))?|nothing|not(?:hing)? any(?: of)?|"
    r"(?:dont|do not) have any(?: of (?:those|these|them))?|neither|not a single 1|nope|nowt|"
    r"nada|no)\b"
)
_NONE_LEFT: Final = re.compile(
    r"\b(?:none of (?:them|those|these|the above|that)|(?:dont|do not) have any|not a single 1)\b"
)
_EXCEPT: Final = re.compile(
    r"\b(?:except(?: for)?|apart from|but(?: not| no)?|bar|other than|aside from|minus|save "
    r"for|not)\b"
)
_SOLAR_WATER: Final = re.compile(r"\bsolar (?:hot )?(?:water|thermal)\b")
_ADDS: Final = re.compile(
    r"\b(?:also|too|as well|plus|add(?:ed|ing)?|forg(?:et|ot|otten)|miss(?:ed|ing|es)?|"
    r"left (?:out|off)|another|in addition|additionally|besides|on top|"
    r"just (?:got|had|bought|installed|put|fitted)|"
    r"should (?:also )?(?:have|include|be)|not (?:listed|mentioned)|(?:didnt|dont) mention)\b"
)
_OWNS: Final = re.compile(
    r"\b(?:have|weve|ive|got|own|theres|there (?:is|are)|bought|installed|fitted|having)\b"
)
_ONLY: Final = re.compile(
    r"\b(?:just(?! (?:got|had|bought|installed|put|fitted))|only|nothing (?:else|fancier|more)|"
    r"(?:thats|that is) (?:all|everything|it|the lot)|nowt else|no more gadgets)\b"
)
_RIGHT: Final = re.compile(r"\b(?:right|correct|fine|true|ok|okay|good)\b")
_IS_IT_ELECTRIC: Final = "Is the car electric, or a plug-in hybrid?"


def device_set(reading: Reading, *, item: Slot, context: Context) -> Answer | None:
    """Return the devices a text names for a slot, or None where it names none.

    Once a home's devices are known, a text adds to them or takes away from them; what would drop
    a device that it does not call gone becomes a question.
    """
    if _SOLAR_WATER.search(reading.text):
        question = "Do the solar panels make electricity, or do they heat water?"
        return doubtful(item, (), words=reading.words(), question=question)
    known = context.known.get(item.key)
    if isinstance(known, tuple):
        owned = tuple(str(name) for name in known)
        return _changed(reading, item=item, known=owned)
    return _first_list(reading, item=item)


def names_devices(plain: str) -> bool:
    """Return whether a text is about the devices of a home: it lists several, or changes one."""
    if len({name for name, pattern in DEVICE_WORDS if pattern.search(plain)}) > 1:
        return True
    found = household_mentions(read(plain))
    changes = _ADDS.search(plain) or _OWNS.search(plain) or any(one.is_negated for one in found)
    return bool(found) and bool(changes)


def _first_list(reading: Reading, *, item: Slot) -> Answer | None:
    """Return the devices of a text where none are known yet."""
    plain, words = reading.text, reading.words()
    found = household_mentions(reading)
    owned = _present(found)
    if _ALL.search(plain) and not re.search(r"\bnot (?:all|everything|every)\b", plain):
        missing, named = _exceptions(plain, device_mentions(reading))
        if named and not missing:
            question = "Which of them do you have?"
            return doubtful(item, (tuple(named),), words=words, question=question)
        owned = [name for name in item.choices if name not in missing]
    if CAR in owned:
        electric = tuple(dict.fromkeys("ev" if name == CAR else name for name in owned))
        return doubtful(item, (electric,), words=words, question=_IS_IT_ELECTRIC)
    if not owned:
        return _nothing_owned(reading, found, item=item)
    return _sure(reading, owned, item=item)


def _nothing_owned(
    reading: Reading, found: Sequence[DeviceMention], *, item: Slot
) -> Answer | None:
    """Return that there are no devices, or ask where only some are denied."""
    if _NONE.search(reading.text) and not found:
        return Answer(values=((),), words=reading.words(), hedged=is_hedged(reading.text))
    if not found:
        return None
    question = "So which of the others do you have, if any?"
    return doubtful(item, ((),), words=reading.words(), question=question)


def _changed(reading: Reading, *, item: Slot, known: tuple[str, ...]) -> Answer | None:  # noqa: PLR0911 - one way of saying it after the other
    """Return the known devices with those of a text added, or without those it calls gone."""
    plain, words = reading.text, reading.words()
    found = household_mentions(reading)
    if _ALL.search(plain):
        return _all_but(reading, item=item, known=known)
    if not found:
        if known and _NONE_LEFT.search(plain):
            return doubtful(item, ((),), words=words, question="You told me of some before.")
        return None
    named = [_known_car(name, known) for name in _present(found)]
    gone = {_known_car(one.name, known) for one in found if one.is_negated} & set(known)
    kept = [name for name in known if name not in gone]
    both = tuple(dict.fromkeys([*kept, *named]))
    if CAR in both:
        electric = tuple("ev" if name == CAR else name for name in both)
        return doubtful(item, (electric,), words=words, question=_IS_IT_ELECTRIC)
    if set(kept) <= set(named):
        return _sure(reading, named, item=item) if named or gone else None
    if _ONLY.search(plain) and not _ADDS.search(plain) and named:
        question = "Then some of what you told me before is not there."
        return doubtful(item, (tuple(named),), words=words, question=question)
    fresh = set(named) - set(known)
    if gone or (fresh and (_ADDS.search(plain) or len(named) == 1)):
        return _sure(reading, both, item=item)
    if len(named) < 2:
        return None
    question = "Is that all you have, or is there more, as you told me before?"
    return doubtful(item, (tuple(named), both), words=words, question=question)


def _known_car(name: str, known: Collection[str]) -> str:
    """Return the electric car for "the car" of a home that is known to have one."""
    return "ev" if name == CAR and "ev" in known else name


def _all_but(reading: Reading, *, item: Slot, known: tuple[str, ...]) -> Answer | None:
    """Return what "everything but the dryer" leaves; "is right" is about the known list."""
    plain = reading.text
    missing, _ = _exceptions(plain, device_mentions(reading))
    if _RIGHT.search(plain):
        left = tuple(name for name in known if name not in missing)
        if len(left) == len(known):
            return None
        return doubtful(item, (left,), words=reading.words(), question="Then these are left.")
    return _sure(reading, [name for name in item.choices if name not in missing], item=item)


def _exceptions(plain: str, found: Sequence[DeviceMention]) -> tuple[set[str], list[str]]:
    """Return the devices named after "except" in "all except", and those named besides them."""
    everything = _ALL.search(plain)
    match = None if everything is None else _EXCEPT.search(plain, everything.end())
    missing = {one.name for one in found if match is not None and one.start >= match.start()}
    return missing, [one.name for one in found if one.name not in missing]


def _present(found: Sequence[DeviceMention]) -> list[str]:
    return list(dict.fromkeys(one.name for one in found if not one.is_negated))


def _sure(reading: Reading, names: Sequence[str], *, item: Slot) -> Answer | None:
    value = stored(item, tuple(dict.fromkeys(names)))
    if value is None:
        return None
    return Answer(values=(value,), words=reading.words(), hedged=is_hedged(reading.text))
