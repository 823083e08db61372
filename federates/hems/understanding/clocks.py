"""Times of day in a text: "18:30", "half six", "quarter to eight", "7 in the evening", "noon"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from federates.hems.understanding.answer import Context
from federates.hems.understanding.units import unit_at

MINUTES_PER_DAY: Final = 1440
NOON: Final = 720
_HALF_SIX_IS_HALF_PAST: Final = frozenset({"en-GB", "en-IE", "en-AU", "en-NZ"})

_H: Final = r"(?P<h>[01]?\d|2[0-4])"
_SPECIAL: Final = re.compile(
    r"\b(?:(?:12 )?(?P<noon>noon|midday|mid day)|(?:12 )?(?P<midnight>midnight))\b"
)
_TO_NOON: Final = re.compile(
    r"\b(?:a )?(?P<m>quarter|half|5|10|20|25)(?: minutes)? (?P<way>to|before|till|of|past|"
    r"after) (?P<at>noon|midday|midnight)\b"
)
_PAST: Final = re.compile(
    r"(?<![^ ])(?:a )?(?P<m>half|quarter|[1-9]|[1-5]\d)(?P<said> minutes| mins)?"
    r" (?P<way>past|passed|after|to|till|til|before|of) "
    + _H
    + r"(?![^ ])(?! ?(?:%|kw|minutes|hours))"
)
_HALF: Final = re.compile(r"\bhalf (?:- )?" + _H + r"(?![^ ])")
_LAST_HOUR: Final = 24
_ROUND: Final = frozenset({"5", "10", "20", "25"})
_HALF_PAST_IT: Final = re.compile(r" (?:and|or|to|-) half past(?! \d)")
_DIGITS: Final = re.compile(
    r"(?<![^ ])(?:(?P<h>[01]?\d|2[0-4])(?:[:.]| ?h ?|:)(?P<m>[0-5]\d)(?::\d\d)?"
    r"|(?P<hhmm>[01]?\d[0-5]\d|2[0-4][0-5]\d)"
    r"|(?P<h2>[01]?\d|2[0-4]) (?P<m2>[0-5]\d)"
    r"|(?P<h3>[01]?\d|2[0-4])(?: h)?)(?![^ ])"
)
_SUFFIX: Final = re.compile(
    r" ?(?:oclock|o clock|ish|or so|hours|hrs|sharp|on the dot|or thereabouts|latest|,)*? ?"
    r"(?:(?P<am>am|a m|(?:early )?(?:in|of|on) (?:the|a|weekday|my|our)? ?(?:early |next |"
    r"following |late )*morning|"
    r"(?:the )?(?:next|following) (?:morning|day)|mornings?)|"
    r"(?P<pm>pm|p m|(?:in|of) (?:the|an?) (?:early |late )?(?:evening|afternoon)|"
    r"(?:this )?evenings?|afternoons?)|(?P<night>at night|of a night|tonight|(?:in|during) "
    r"the night|each night|every night))\b"
)
_ELSEWHERE: Final = (
    ("am", re.compile(r"\bmornings?\b|\bwhen i (?:get|wake) up\b|\bbreakfast\b")),
    ("pm", re.compile(r"\b(?:evenings?|afternoons?|teatime|dinner|after work|pm)\b")),
    ("night", re.compile(r"\b(?:at night|bedtime|go(?:ing)? to bed)\b")),
)
_GREETING: Final = re.compile(r"\bgood (?:morning|afternoon|evening|night)\b")
_OCLOCK: Final = re.compile(r" ?(?:oclock|o clock)\b")
_BEFORE: Final = re.compile(
    r"(?:[£€$+]|\b(?:model|id|type|mg|zs|leaf|kona|niro|polestar|economy|series|number|option|"
    r"gen|ioniq|x|"
    r"(?:past|after|to) half|page|level|phase)) ?-? ?$"
)
_AFTER: Final = re.compile(
    r" ?(?:people|times|days?|nights?|weeks?|kids?|children|cars?|loads?|panels?|of us|years?|"
    r"percent|%|degrees?|"
    r"more|phases?|pins?|bed|showers?|x|st|nd|rd|th|/ 7|/|a day|a week|per|adults?|minutes?|mins?|"
    r"tenths?|thirds?|quarters|fifths?|eighths?|bars?|"
    r"showers|baths|stars?|or \d times|o ?clock shadow)(?![^ ])"
)
_TO_WHICH: Final = re.compile(r" (?:to|past)(?= ?(?:$|[.,;!?]))")
"""After minutes whose hour was left out: "ten to"."""
CLOCK_PHRASE: Final = re.compile(
    r"(?<![^ ])(?:a )?(?:\d{1,2}|quarter|half)(?: minutes)? (?:to|past|passed|after|before|of|"
    r"till) \d{1,2} (?:in the (?:early |late )?(?:morning|afternoon|evening)|at night|am|pm|oclock|"
    r"o clock)\b"
)
"""A time of day beyond doubt, whose numbers are no quantities: "ten to six in the morning"."""
_LONGEST_LEAD, _LONGEST_PHRASE = 24, 48
_UNITS_ALLOWED: Final = frozenset({"h", "min", "degc"})


@dataclass(frozen=True)
class Clock:
    """A time of day in a text in plain form."""

    start: int
    end: int
    minutes: tuple[int, ...]
    """Minutes after midnight; two where the half of the day was not said. [min]"""
    is_explicit: bool
    """The half of the day follows from the words."""
    is_vague: bool = False
    leads_zero_or_late: bool = False
    """Written in the 24-hour way."""


def in_clock_phrase(plain: str, at: int) -> bool:
    """Return whether a place in a text is inside a time of day such as "ten to six at night"."""
    near = CLOCK_PHRASE.finditer(plain, max(0, at - _LONGEST_LEAD), at + _LONGEST_PHRASE)
    return any(match.start() <= at < match.end() for match in near)


def clock_text(minute: int) -> str:
    """Return "HH:MM".

    Args:
        minute: Minutes after midnight, of any day. [min]
    """
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"


def clocks(plain: str, *, context: Context, in_range: bool = False) -> list[Clock]:
    """Return the times of day in a text, in order, without overlaps.

    Args:
        plain: Text in plain form.
        context: Its locale decides what "half six" means.
        in_range: "10 to 8" is a range, not ten minutes to eight.
    """
    taken: list[Clock] = []
    for source in (
        _special(plain),
        _to_and_past(plain, in_range=in_range),
        _halves(plain, context=context),
        _digits(plain),
    ):
        for clock in source:
            if not any(clock.start < other.end and other.start < clock.end for other in taken):
                taken.append(clock)
    taken += list(_half_past_the_same(plain, taken))
    found = sorted(taken, key=lambda clock: clock.start)
    return [_elsewhere(found[0], plain)] if len(found) == 1 else found


def _special(plain: str) -> Iterator[Clock]:
    """Yield noon and midnight, and "quarter to midnight"."""
    for match in _TO_NOON.finditer(plain):
        minutes = {"quarter": 15, "half": 30}.get(match["m"]) or int(match["m"])
        sign = 1 if match["way"] in {"past", "after"} else -1
        minute = (0 if match["at"] == "midnight" else NOON) + sign * minutes
        yield Clock(match.start(), match.end(), (minute % MINUTES_PER_DAY,), is_explicit=True)
    for match in _SPECIAL.finditer(plain):
        minute = NOON if match["noon"] else 0
        yield Clock(match.start(), match.end(), (minute,), is_explicit=True)


def _to_and_past(plain: str, *, in_range: bool) -> Iterator[Clock]:
    """Yield "half past six", "quarter to eight", "twenty past seven"."""
    for match in _PAST.finditer(plain):
        said, way, hour = match["m"], match["way"], int(match["h"])
        is_number = said.isdigit()
        before = way in {"to", "till", "til", "before", "of"}
        if said == "half" and before:
            continue
        if is_number and not match["said"]:
            may_be_hour = in_range and int(said) <= _LAST_HOUR
            if said not in _ROUND or (
                may_be_hour and way in {"to", "till", "til", "before", "after"}
            ):
                continue
            if int(said) < 20 and re.search(r"\b(?:from|between) $", plain[: match.start()][-9:]):
                continue
        minutes = {"half": 30, "quarter": 15}.get(said) or int(said)
        yield _finished(
            plain, match, hour=hour, minute=-minutes if before else minutes, written=match["h"]
        )


def _half_past_the_same(plain: str, taken: list[Clock]) -> Iterator[Clock]:
    """Yield "half past" in "between six and half past"."""
    for match in _HALF_PAST_IT.finditer(plain):
        before = [clock for clock in taken if clock.end == match.start()]
        if before and all(minute % 60 == 0 for minute in before[0].minutes):
            later = tuple(minute + 30 for minute in before[0].minutes)
            yield replace(before[0], start=match.start() + 1, end=match.end(), minutes=later)


def _halves(plain: str, *, context: Context) -> Iterator[Clock]:
    """Yield "half six": half past six in Britain and Ireland, open elsewhere."""
    for match in _HALF.finditer(plain):
        hour = int(match["h"])
        if hour > 12 or unit_at(plain, match.end()) is not None:
            continue
        clock = _finished(plain, match, hour=hour, minute=30, written=match["h"])
        if context.locale not in _HALF_SIX_IS_HALF_PAST:
            german = tuple((minute - 60) % MINUTES_PER_DAY for minute in clock.minutes)
            clock = replace(clock, minutes=german + clock.minutes, is_explicit=False)
        yield clock


def _digits(plain: str) -> Iterator[Clock]:
    """Yield times in digits."""
    for match in _DIGITS.finditer(plain):
        compact = match["hhmm"]
        if compact is not None:
            written, minute = compact[:-2], int(compact[-2:])
        else:
            written = match["h"] or match["h2"] or match["h3"]
            minute = int(match["m"] or match["m2"] or 0)
        hour = int(written)
        if (hour == 24 and minute) or _is_something_else(plain, match):
            continue
        yield _finished(plain, match, hour=hour, minute=minute, written=written)


def _is_something_else(plain: str, match: re.Match[str]) -> bool:
    """Whether digits are no time: a quantity, a model, a count."""
    if _BEFORE.search(plain[: match.start()][-16:]):
        return True
    if re.match(r" ?(?:a|p) m\b", plain[match.end() : match.end() + 6]):
        return False
    if _AFTER.match(plain, match.end()) or _TO_WHICH.match(plain, match.end()):
        return True
    unit = unit_at(plain, match.end())
    return unit is not None and not (
        unit.name in _UNITS_ALLOWED and unit.said in {"h", "hours"} and len(match.group()) > 1
    )


def _finished(plain: str, match: re.Match[str], *, hour: int, minute: int, written: str) -> Clock:
    """Return the time with the half of the day that follows it, if any."""
    end = match.end()
    suffix = _SUFFIX.match(plain, end)
    half = suffix.lastgroup if suffix is not None else None
    if suffix is not None:
        end = suffix.end()
    else:
        oclock = _OCLOCK.match(plain, end)
        end = oclock.end() if oclock is not None else end
    has_zero = len(written) == 2 and written[0] == "0"
    late = hour >= 13 or hour == 0 or (has_zero and half is None)
    return Clock(
        match.start(),
        end,
        _on_the_day(hour, minute, half=half, late=late),
        is_explicit=late or (half is not None and not (hour == 12 and minute < 0)),
        is_vague=hour == 12 and half in {"am", "pm"},
        leads_zero_or_late=late,
    )


def _on_the_day(hour: int, minute: int, *, half: str | None, late: bool) -> tuple[int, ...]:
    """Return the minutes after midnight that an hour and minute may stand for."""
    if late:
        return ((60 * (hour % 24) + minute) % MINUTES_PER_DAY,)
    morning = 60 * (hour % 12) + minute
    first = morning % NOON
    both = (first, first + NOON)
    if minute < 0 and hour == 12 and half in {"am", "pm"}:
        # "A quarter to twelve pm" is said of noon and of midnight.
        return both
    match half:
        case "am":
            return both[:1]
        case "pm":
            return both[1:]
        case "night":
            return both[1:] if 5 <= hour < 12 or minute < 0 else both[:1]
    return both


def _elsewhere(clock: Clock, plain: str) -> Clock:
    """Return the only time of a text with the half of the day that the text names elsewhere."""
    if clock.is_explicit or len(clock.minutes) != 2 or min(clock.minutes) < 60:
        return clock
    plain = _GREETING.sub(lambda match: " " * len(match.group()), plain)
    found = [(name, match) for name, pattern in _ELSEWHERE if (match := pattern.search(plain))]
    if len(found) != 1:
        return clock
    half, cue = found[0]
    morning, evening = sorted(clock.minutes)
    if half == "night":
        chosen = evening if evening % NOON >= 300 else morning
    else:
        chosen = morning if half == "am" else evening
    start, end = min(clock.start, cue.start()), max(clock.end, cue.end())
    return replace(clock, start=start, end=end, minutes=(chosen,), is_explicit=True)
