"""Durations in parts or without a number: "1 h 30", "an hour and a half", "the day before"."""

from __future__ import annotations

import re
from typing import Final

from federates.hems.parameters.slots import Slot
from federates.hems.understanding.answer import Answer, stored
from federates.hems.understanding.hedges import is_hedged
from federates.hems.understanding.reading import Reading

_HOUR: Final = r"(?:h|hrs?|hours?)"
_FORMS: Final = (
    re.compile(
        rf"(?<![^ ])(?P<h>\d{{1,2}}) ?{_HOUR} ?(?:, |and )?(?P<m>\d{{1,2}})(?: ?(?:m|mins?|"
        rf"minutes?))?(?![^ ])"
    ),
    re.compile(
        rf"\b(?P<one>an?) {_HOUR} (?:and )?(?P<m>\d{{1,2}})(?: ?(?:m|mins?|minutes?))?(?![^ ])"
    ),
    re.compile(r"(?<![^ ])(?P<h>\d{1,2}):(?P<m>[0-5]\d)(?![^ ])"),
    re.compile(rf"\b(?P<one>an?) {_HOUR} and (?:a )?(?P<half>half|quarter)\b"),
    re.compile(rf"\b(?P<one>an?) (?P<half>half) {_HOUR}\b"),
    re.compile(rf"(?<![^ ])(?P<h>\d{{1,2}}) {_HOUR} and (?:a )?(?P<half>half|quarter)\b"),
    re.compile(rf"(?<!half )(?<!quarter of )(?<!quarters of )\b(?P<one>an) {_HOUR}\b(?! and)"),
    re.compile(r"(?P<one>)\bthe hour before\b"),
)
_DAY: Final = re.compile(
    r"\b(?:(?:a|the|1) (?:full |whole )?day(?: (?:before|ahead|earlier|beforehand|in advance|"
    r"prior))?|"
    r"day ahead|24 ?(?:h|hrs?|hours?))\b"
)
_NONE: Final = re.compile(r"\b(?:no (?:notice|warning|need)|none|without (?:notice|warning))\b")
_EXTRA_MIN: Final = {"half": 30, "quarter": 15}


def hours_and_minutes(reading: Reading, *, item: Slot) -> Answer | None:
    """Return a duration in several parts or in words; None leaves the text to plain quantities."""
    plain = reading.text
    for form in _FORMS:
        matches = list(form.finditer(plain))
        if len(matches) > 1:
            return None
        if matches:
            return _answer(reading, matches[0], item=item, minutes=_minutes(matches[0]))
    match = _DAY.search(plain)
    if match is not None:
        return _answer(reading, match, item=item, minutes=1440)
    match = _NONE.search(plain)
    if match is not None and not re.search(r"\d", plain):
        return _answer(reading, match, item=item, minutes=0)
    return None


def _minutes(match: re.Match[str]) -> int:
    """Return the length. [min]"""
    said = match.groupdict()
    hours = int(said["h"]) if said.get("h") else 1
    if said.get("half") and said.get("one") and match.group().split()[1:2] == ["half"]:
        return 30
    return 60 * hours + int(said.get("m") or _EXTRA_MIN.get(said.get("half") or "", 0))


def _answer(reading: Reading, match: re.Match[str], *, item: Slot, minutes: int) -> Answer | None:
    value = stored(item, float(minutes))
    if value is None:
        return None
    words = reading.words(*match.span())
    return Answer(values=(value,), words=words, unit="min", hedged=is_hedged(reading.text))
