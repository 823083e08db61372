"""The time of day a text names for a slot; the slot decides the half of the day where it can."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from federates.hems.parameters.slots import Slot
from federates.hems.understanding.answer import Answer, Context, distinct, doubtful
from federates.hems.understanding.clocks import MINUTES_PER_DAY, NOON, Clock, clock_text, clocks
from federates.hems.understanding.hedges import bounds_the_wrong_way, is_hedged
from federates.hems.understanding.reading import Reading

_LIKELY: Final[Mapping[str, tuple[tuple[int, int], ...]]] = {
    "arrival": ((13 * 60 + 30, 22 * 60 + 30),),
    "departure": ((4 * 60 + 30, 11 * 60 + 59),),
    "ready_by": ((4 * 60 + 30, 10 * 60 + 59),),
    "earliest_start": ((6 * 60, 8 * 60 + 45), (12 * 60 + 30, 17 * 60 + 59)),
    "latest_finish": ((12 * 60 + 30, 18 * 60 + 59), (20 * 60, 23 * 60 + 45)),
}
"""When it usually is; a bare hour with one reading in there means that one. [min] judgement"""
_VAGUE: Final = (
    (re.compile(r"\b(?:tea ?time|dinner ?time|supper ?time)\b"), "18:00"),
    (re.compile(r"\blunch ?time\b|\blunch\b"), "12:30"),
    (re.compile(r"\bbreakfast(?: ?time)?\b"), "08:00"),
    (re.compile(r"\bbed ?time\b|\bgo(?:ing)? to bed\b"), "22:30"),
    (re.compile(r"\bafter (?:the )?school(?: run)?\b|\bschool pick ?up\b"), "15:30"),
    (re.compile(r"\bschool (?:run|drop ?off)\b"), "08:30"),
    (re.compile(r"\bafter work\b"), "18:00"),
    (re.compile(r"\bmid ?morning\b"), "10:30"),
    (re.compile(r"\bmid ?afternoon\b"), "15:00"),
    (re.compile(r"\b(?:crack of dawn|sunrise|dawn)\b"), "06:00"),
)
_ANY_TIME: Final = re.compile(
    r"\b(?:any ?time|when ?ever|doesnt matter|no (?:limit|restrictions?|preference)|all (?:day|"
    r"hours)|24 / 7)\b"
)
_JOINS: Final = re.compile(
    r" ?(?:-|to|or|and|till|until|maybe|or maybe|, maybe|, or|, sometimes|or sometimes) ?"
)
_NEGATED: Final = re.compile(r"\b(?:its not|it isnt|isnt|is not|not) (?:at )?$")
_NARROW_MIN: Final = 30
_SHORTEST_RUN_MIN: Final = 60


def time_of_day(reading: Reading, *, item: Slot, context: Context) -> Answer | None:
    """Return the time of day a text names for a slot, or None where it names none."""
    plain = reading.text
    found = [
        c for c in clocks(plain, context=context) if not _NEGATED.search(plain[: c.start][-14:])
    ]
    if bounds_the_wrong_way(item, plain):
        return None
    if not found:
        return _without_digits(reading, item=item)
    words = reading.words(found[0].start, found[-1].end)
    vague = is_hedged(plain) or any(clock.is_vague for clock in found)
    gap = plain[found[0].end : found[-1].start] if len(found) == 2 else "-"
    if len(found) == 2 and (not gap.strip() or _JOINS.fullmatch(gap)):
        return _between(found, words=words, item=item, context=context)
    resolved = [_resolved(clock, item=item, context=context) for clock in found]
    minutes = distinct([minute for options in resolved for minute in options])
    times = [clock_text(int(str(minute))) for minute in minutes]
    if len(times) > 1:
        return doubtful(item, times, words=words, question=_which(times, words=words))
    explicit = all(clock.is_explicit for clock in found)
    return Answer(values=(times[0],), words=words, hedged=vague or not explicit, explicit=explicit)


def _between(found: list[Clock], *, words: str, item: Slot, context: Context) -> Answer:
    """Return the middle of a short range, else its ends."""
    first, second = (_resolved(clock, item=item, context=context) for clock in found)
    if len(second) == 1 and len(first) > 1:
        # "six to seven pm": the first has the half of the day that brings it closer.
        first = (min(first, key=lambda minute: (second[0] - minute) % MINUTES_PER_DAY),)
    if len(first) == 1 and len(second) > 1:
        second = (min(second, key=lambda minute: (minute - first[0]) % MINUTES_PER_DAY),)
    if len(first) == len(second) == 1:
        width = (second[0] - first[0]) % MINUTES_PER_DAY
        if width <= _NARROW_MIN:
            middle = clock_text(first[0] + width // 2)
            return Answer(values=(middle,), words=words, hedged=True,
                          explicit=any(clock.is_explicit for clock in found))  # fmt: skip
    times = [clock_text(minute) for minute in (*first, *second)]
    return doubtful(item, times, words=words, question=_which(times, words=words))


def _resolved(clock: Clock, *, item: Slot, context: Context) -> tuple[int, ...]:
    """Return the minutes a time may stand for, after the slot had its say."""
    if clock.is_explicit or len(clock.minutes) == 1:
        return clock.minutes
    if len(clock.minutes) > 2:
        return clock.minutes
    if item.name == "latest_finish":
        found = _before_or_after_night(clock, item=item, context=context)
        if found:
            return found
    likely = tuple(
        minute
        for minute in clock.minutes
        if any(start <= minute <= end for start, end in _LIKELY.get(item.name, ()))
    )
    if len(likely) == 1:
        return likely
    return clock.minutes


def _before_or_after_night(clock: Clock, *, item: Slot, context: Context) -> tuple[int, ...]:
    """A finish is in the evening if the machine starts in the morning and not before the finish."""
    start = context.known.get(item.key.replace("latest_finish", "earliest_start"))
    if not isinstance(start, str) or min(clock.minutes) < 60:
        return ()
    first_min = 60 * int(start[:2]) + int(start[3:])
    morning, evening = sorted(clock.minutes)
    if first_min < NOON and morning <= first_min + _SHORTEST_RUN_MIN:
        return (evening,)
    return clock.minutes


def _without_digits(reading: Reading, *, item: Slot) -> Answer | None:
    """Return a reading of "teatime" or the like, to be asked about."""
    plain = reading.text
    if re.search(r"\d", plain):
        return None
    for pattern, clock in _VAGUE:
        match = pattern.search(plain)
        if match is not None:
            words = reading.words(*match.span())
            question = f'"{words}": is {clock} about right, or what time is it usually?'
            return doubtful(item, (clock,), words=words, question=question)
    if _ANY_TIME.search(plain) and item.name in {"earliest_start", "latest_finish"}:
        question = "Any time of the day or night, then? Please give me a time, such as 00:00."
        return doubtful(item, (), words=reading.words(), question=question)
    return None


def _which(times: list[str], *, words: str) -> str:
    if len(times) == 2 and (int(times[0][:2]) - int(times[1][:2])) % 12 == 0:
        return (
            f'You said "{words}": in the morning or in the evening ({" or ".join(sorted(times))})?'
        )
    return f'You said "{words}": which time is it, {" or ".join(times[:4])}?'
