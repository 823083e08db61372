"""Devices that a text names, with what is denied, gone or not there yet marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from federates.hems.understanding.cars import car_span
from federates.hems.understanding.reading import Reading
from federates.hems.understanding.vocabulary import DEVICE_WORDS

_LONG_NO: Final = re.compile(
    r"\b(?:(?:dont|do not|doesnt|havent|have not|hasnt) (?!forget)(?:\w+ )?(?:have|got|own|use)?|"
    r"without|neither|except(?: for)?|apart from|"
    r"(?:do )?not have|lack|thinking (?:of|about)|planning|considering|looking (?:at|into)|"
    r"would like|want(?:ing)?|hoping|might get|used to have|got rid of|(?:have |ive |weve )?sold|"
    r"scrapped|gave away|no longer|(?:were|are|im|am|be|ill be|well be) getting|gets? delivered|"
    r"(?:on|have) order(?:ed)?|waiting (?:for|on)|saving (?:up )?for|going to (?:get|have|buy)|"
    r"next (?:week|month|year|spring|summer|autumn|winter))\b"
)
_SHORT_NO: Final = re.compile(
    r"\b(?:(?:no|not|nor)(?: (?:a|an|any|the|longer|more))*|(?:broken|dead|defunct)(?: \w+)?) $"
)
_NOT_THERE: Final = re.compile(
    r"\b(?:next (?:week|month|year|spring|summer|autumn|winter)|later this year|on order|ordered|"
    r"coming(?! on)|arriv(?:es?|ing)|on (?:its|their|the) way|yet to|not (?:yet|working|"
    r"installed|connected|here)|broken|broke|kaput|bust(?:ed)?|dead|packed up|out of order|"
    r"(?:doesnt|dont|isnt|arent) work(?:ing)?|(?:is|are|has|have|its|s) gone|"
    r"(?:is|was|were|been|got|has|have) (?:sold|scrapped|removed|stolen|sent back)|"
    r"(?:isnt|arent|not|dont use|doesnt work|hardly)(?: (?:there|it|them|used|working|here)){0,2} "
    r"any ?more|"
    r"in the pipeline|being (?:installed|fitted|delivered|repaired))\b"
)
"""After a device: it is not there yet, or no more."""
_BOUNDARY: Final = re.compile(
    r"[.;!?]|\b(?:but|just|only|however|though|although|yes|we (?:do )?have|we ve got|weve got|"
    r"ive got|i have|i ve got|there is|theres)\b"
)
_SENTENCE_END: Final = re.compile(r"[.;!?]|\bbut\b(?! (?:they|it|its|theyre|that) )")
_CHAINED: Final = re.compile(r"^ ?,? ?(?:or|nor|/)(?: (?:a|an|any|the|no))* ?$")
_WASHER_DRYER: Final = re.compile(r"\bwasher ?(?:/ |and )?(?:dryer|drier)\b")
_PANELS: Final = re.compile(
    r"(?<!wall )(?<!electric )(?<!heating )(?<!red )(?<!infrared )(?<!radiator )(?<!radiant )"
    r"(?<!control )\bpanels?\b(?! (?:heaters?|radiators?|heating))"
)
"""Nothing else in the question has panels."""
_BOX: Final = re.compile(r"\bbox(?:es)? (?:outside|out (?:the )?back)\b|\bbox with (?:a|1) fan\b")
"""A heat pump in the words of our own help."""
_CAR: Final = re.compile(
    r"(?<!company )(?<!toy )\bcars?\b(?! (?:charger|park|port|battery|alarm|boot))"
)
_BURNS_FUEL: Final = re.compile(r"\b(?:petrol|diesel|gasoline|ordinary|normal|regular)\b")
_CALLED_ELECTRIC: Final = re.compile(
    r"(?<![^ ])cars? (?:(?:is|are|was|thats|which|both|fully|all|an?|the) ){0,3}"
    r"(?:electric|plug ?in|hybrid)\b"
)
_ANOTHER: Final = re.compile(
    r"\b(?:second|2nd|2|two|other|another|spare)(?: (?:electric|hybrid))? $"
)
"""Before a car that is denied: how many there are is asked elsewhere."""

CAR: Final = "car"
"""The name of a car that nobody has called electric."""


@dataclass(frozen=True)
class DeviceMention:
    """A device named in a text."""

    name: str
    """One of the slot's choices, or `CAR`."""
    start: int
    end: int
    is_negated: bool
    """Denied, gone, broken, or not there yet."""


def device_mentions(reading: Reading) -> list[DeviceMention]:
    """Return the devices named, in order; what is denied follows the words before it."""
    plain = reading.text
    spans: list[tuple[str, int, int]] = []
    for name, pattern in DEVICE_WORDS:
        spans += [(name, *match.span()) for match in pattern.finditer(plain)]
    if car_span(reading) is not None:
        spans.append(("ev", *_car_place(reading)))
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
    return _marked(plain, spans)


def household_mentions(reading: Reading) -> list[DeviceMention]:
    """Return the devices named in a list of what a home owns.

    Panels are solar panels there; a car that is not called electric is a `CAR`.
    """
    plain = reading.text
    found = device_mentions(reading)
    spans = [(one.name, one.start, one.end) for one in found]
    taken = tuple(spans)

    def is_free(at: int) -> bool:
        return not any(start <= at < end for _, start, end in taken)

    names = {one.name for one in found}
    if "pv" not in names:
        spans += [("pv", *m.span()) for m in _PANELS.finditer(plain) if is_free(m.start())]
    if "heat_pump" not in names:
        spans += [("heat_pump", *m.span()) for m in _BOX.finditer(plain) if is_free(m.start())]
    if "ev" not in names and _BURNS_FUEL.search(plain) is None:
        name = "ev" if _CALLED_ELECTRIC.search(plain) else CAR
        spans += [(name, *m.span()) for m in _CAR.finditer(plain) if is_free(m.start())]
    return [
        one for one in _marked(plain, spans)
        if not (one.is_negated and _ANOTHER.search(plain[: one.start]))
    ]  # fmt: skip


def _marked(plain: str, spans: Sequence[tuple[str, int, int]]) -> list[DeviceMention]:
    """Return the spans as mentions in their order, with what is denied marked."""
    found: list[DeviceMention] = []
    for name, start, end in sorted(spans, key=lambda span: (span[1], span[2])):
        found.append(DeviceMention(name, start, end, _is_negated(plain, start, before=found)))
    ends = [*(one.start for one in found[1:]), len(plain)]
    return [
        replace(one, is_negated=True) if _is_gone(plain, one, until=until) else one
        for one, until in zip(found, ends, strict=False)
    ]


def _is_gone(plain: str, one: DeviceMention, *, until: int) -> bool:
    """Whether the words right after a device say that it is not there: "the battery is broken"."""
    after = _SENTENCE_END.split(plain[one.end : max(until, one.end)])[0].rstrip()
    match = _NOT_THERE.search(after)
    # Right before the next device it is about that one: "a dishwasher and a broken dryer".
    return match is not None and (until == len(plain) or match.end() < len(after))


def _car_place(reading: Reading) -> tuple[int, int]:
    """Return where the plain form names a car."""
    span = car_span(reading) or (0, 1)
    texts = [token.text for token in reading.tokens]
    start = len(" ".join(texts[: span[0]])) + (1 if span[0] else 0)
    return start, start + len(" ".join(texts[span[0] : span[1]]))


def _is_negated(plain: str, start: int, *, before: list[DeviceMention]) -> bool:
    """Whether a device is denied: "no X", "no X or Y", "we don't have X, Y or Z"."""
    lead = plain[:start]
    if _SHORT_NO.search(lead[-24:]):
        return True
    if before and before[-1].is_negated and _CHAINED.match(plain[before[-1].end : start]):
        return True
    clause = _BOUNDARY.split(lead)[-1]
    return _LONG_NO.search(clause) is not None
