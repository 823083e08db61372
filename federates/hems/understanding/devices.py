"""Sets of devices: what a home owns, and what must never be controlled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from federates.hems.parameters.slots import Slot
from federates.hems.understanding.answer import Answer, Context, doubtful, stored
from federates.hems.understanding.cars import car_span
from federates.hems.understanding.hedges import is_hedged
from federates.hems.understanding.reading import Reading
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
_EXCEPT: Final = re.compile(
    r"\b(?:except(?: for)?|apart from|but(?: not| no)?|bar|other than|aside from|minus|save "
    r"for|not)\b"
)
_LONG_NO: Final = re.compile(
    r"\b(?:(?:dont|do not|doesnt|havent|have not|hasnt) (?:\w+ )?(?:have|got|own|use)?|without|"
    r"neither|except(?: for)?|apart from|"
    r"(?:do )?not have|lack|thinking (?:of|about)|planning|considering|looking (?:at|into)|"
    r"would like|want(?:ing)?|hoping|might get|used to have|got rid of|sold|next year)\b"
)
_SHORT_NO: Final = re.compile(r"\b(?:no|not|nor)(?: (?:a|an|any|the|longer|more))* $")
_BOUNDARY: Final = re.compile(
    r"[.;!?]|\b(?:but|just|only|however|though|although|yes|we (?:do )?have|we ve got|weve got|"
    r"ive got|i have|i ve got|there is|theres)\b"
)
_CHAINED: Final = re.compile(r"^ ?,? ?(?:or|nor|/)(?: (?:a|an|any|the|no))* ?$")
_SOLAR_WATER: Final = re.compile(r"\bsolar (?:hot )?(?:water|thermal)\b")
_WASHER_DRYER: Final = re.compile(r"\bwasher ?(?:/ |and )?(?:dryer|drier)\b")
_INFORMAL: Final = (
    ("heat_pump", re.compile(r"\b(?:heating|heat|thermostat|temperature)\b")),
    ("ev", re.compile(r"\b(?:cars?|vehicles?|charger|charging)\b")),
    ("hot_water_tank", re.compile(r"\b(?:hot water|water|showers?)\b")),
    ("washing_machine", re.compile(r"\b(?:washing|laundry)\b")),
    ("dryer", re.compile(r"\b(?:drying|tumble)\b")),
    ("dishwasher", re.compile(r"\b(?:dishes|washing up)\b")),
)
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


@dataclass(frozen=True)
class _Device:
    name: str
    start: int
    end: int
    is_negated: bool


def device_set(reading: Reading, *, item: Slot, context: Context) -> Answer | None:  # noqa: PLR0911 - one way of saying it after the other
    """Return the devices a text names for a slot, or None where it names none."""
    if item.name == "never_touch":
        return _never_touch(reading, item=item, context=context)
    plain = reading.text
    if _SOLAR_WATER.search(plain):
        question = "Do the solar panels make electricity, or do they heat water?"
        return doubtful(item, (), words=reading.words(), question=question)
    found = _devices(reading)
    owned = [device.name for device in found if not device.is_negated]
    if _ALL.search(plain) and not re.search(r"\bnot (?:all|everything|every)\b", plain):
        match = _EXCEPT.search(plain, _ALL.search(plain).end())  # type: ignore[union-attr]
        missing = {d.name for d in found if match is not None and d.start >= match.start()}
        named = {d.name for d in found} - missing
        if named and not missing:
            return doubtful(
                item, (tuple(named),), words=reading.words(), question="Which of them do you have?"
            )
        owned = [name for name in item.choices if name not in missing]
    if not owned:
        if _NONE.search(plain) and not found:
            return Answer(values=((),), words=reading.words(), hedged=is_hedged(plain))
        if found:
            return doubtful(
                item,
                ((),),
                words=reading.words(),
                question="So which of the others do you have, if any?",
            )
        return None
    value = stored(item, tuple(dict.fromkeys(owned)))
    if value is None:
        return None
    return Answer(values=(value,), words=reading.words(), hedged=is_hedged(plain))


def _never_touch(reading: Reading, *, item: Slot, context: Context) -> Answer | None:
    """Return what must never be controlled; "not the dryer" names it as "the dryer" does."""
    plain = reading.text
    names = [device.name for device in _devices(reading)]
    known = context.known.get("household.devices", ())
    owned = {str(word) for word in known} if isinstance(known, tuple | list) else set()
    covered = [(device.start, device.end) for device in _devices(reading)]
    for name, pattern in _INFORMAL:
        match = pattern.search(plain)
        if match is None or any(s <= match.start() < e for s, e in covered):
            continue
        if name in owned or name in {"washing_machine", "dryer", "dishwasher", "ev"}:
            names.append(name)
    words = reading.words()
    names = list(dict.fromkeys(names))
    allows = re.search(
        r"\b(?:can|may|could|ok to|fine to|happy (?:for|to)|feel free to|alright to) "
        r"(?:\w+ ){0,3}?(?:control|run|manage|use|have|touch|do|move|switch)\b",
        plain,
    )
    excepts = re.search(
        r"\b(?:except|apart from|but|bar|other than|aside from|just not|only not|not the|never|"
        r"dont|leave)\b",
        plain,
    )
    if names:
        if allows is not None and excepts is None:
            return doubtful(
                item,
                (),
                words=words,
                question="So is there anything that must never be controlled?",
            )
        value = stored(item, tuple(names))
        if value is not None:
            return Answer(values=(value,), words=words, hedged=is_hedged(plain))
    if _HANDS_OFF_ALL.search(plain) and not _FREE.search(plain):
        return doubtful(
            item,
            (tuple(owned),),
            words=words,
            question="Should none of your devices be controlled at all?",
        )
    if _FREE.search(plain):
        return Answer(values=((),), words=words, hedged=is_hedged(plain))
    return None


def _devices(reading: Reading) -> list[_Device]:
    """Return the devices named, in order, with what is denied marked."""
    plain = reading.text
    spans: list[tuple[str, int, int]] = []
    for name, pattern in DEVICE_WORDS:
        spans += [(name, *match.span()) for match in pattern.finditer(plain)]
    if car_span(reading) is not None:
        car = _car_place(reading)
        spans.append(("ev", *car))
    spans = [
        span for span in spans
        if not any(
            other[1] <= span[1] and span[2] <= other[2] and other[2] - other[1] > span[2] - span[1]
            for other in spans
        )
    ]  # fmt: skip
    both = _WASHER_DRYER.search(plain)
    if both is not None and "and" not in both.group():
        spans.append(("dryer", *both.span()))
    found: list[_Device] = []
    for name, start, end in sorted(spans, key=lambda span: (span[1], span[2])):
        found.append(_Device(name, start, end, _is_negated(plain, start, before=found)))
    return found


def _car_place(reading: Reading) -> tuple[int, int]:
    """Return where the plain form names a car."""
    span = car_span(reading) or (0, 1)
    texts = [token.text for token in reading.tokens]
    start = len(" ".join(texts[: span[0]])) + (1 if span[0] else 0)
    return start, start + len(" ".join(texts[span[0] : span[1]]))


def _is_negated(plain: str, start: int, *, before: list[_Device]) -> bool:
    """Whether a device is denied: "no X", "no X or Y", "we don't have X, Y or Z"."""
    lead = plain[:start]
    if _SHORT_NO.search(lead[-24:]):
        return True
    if before and before[-1].is_negated and _CHAINED.match(plain[before[-1].end : start]):
        return True
    clause = _BOUNDARY.split(lead)[-1]
    return _LONG_NO.search(clause) is not None
