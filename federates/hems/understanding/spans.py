"""Which halves of the day the times of stretches mean, and what stretches make of a day."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Final

from federates.hems.parameters.slots import Slot, Span
from federates.hems.understanding.clocks import MINUTES_PER_DAY, NOON, Clock, clock_text

_Times = tuple[int, int]
"""Start and end of a stretch. [min]"""
_LATE_MIN: Final = 20 * 60
"""From here on a stretch ends the next morning. [min] judgement"""
_NIGHT_MIN: Final = 3 * 60
"""A time that every night rate covers. [min] judgement"""
_LONGEST_NIGHT_MIN: Final = 12 * 60
_MOST_READINGS: Final = 64


@dataclass(frozen=True)
class Pair:
    """A start and an end, each with the minutes it may stand for."""

    start: Clock
    end: Clock
    is_out: bool
    """Nobody is in then, or it is the rest of the day that counts."""
    shares_half: bool = False
    """Written as one, "5-10pm": what is said of the end counts for the start as well."""


def readings_of(pairs: list[Pair], *, item: Slot) -> list[tuple[Span, ...]]:
    """Return all that stretches may mean, none of it with overlaps; the order of the day decides.

    Args:
        pairs: The stretches in the order said, at least one.
        item: The slot; what it is about decides for a stretch on its own.
    """
    alone = len(pairs) == 1
    readings: list[tuple[_Times, ...]] = [()]
    for pair in pairs:
        times = _times(pair, item=item, alone=alone)
        longer = [(*before, one) for before in readings for one in times]
        ordered = [stretches for stretches in longer if not alone and _in_order(stretches)]
        readings = (ordered or longer)[:_MOST_READINGS]
    apart = [reading for reading in readings if not _overlap(reading)]
    if len(apart) == 1 < len(readings) and not _in_order(apart[0]):
        return []  # "6-9, 8-11am" is rather a slip than an evening before a morning.
    return [_spans(reading) for reading in apart]


def _overlap(reading: tuple[_Times, ...]) -> bool:
    """Whether two stretches have a time in common."""
    return any(
        (b[0] - a[0]) % MINUTES_PER_DAY < _length_min(a)
        or (a[0] - b[0]) % MINUTES_PER_DAY < _length_min(b)
        for a, b in combinations(reading, 2)
    )


def complement(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return the rest of the day."""
    ordered = sorted(spans, key=lambda span: span["start"])
    rest = []
    for place, span in enumerate(ordered):
        following = ordered[(place + 1) % len(ordered)]
        start = "00:00" if span["end"] == "24:00" else span["end"]
        if start != following["start"]:
            end = "24:00" if following["start"] == "00:00" else following["start"]
            rest.append(Span(start=start, end=end))
    return tuple(rest)


def _spans(reading: tuple[_Times, ...]) -> tuple[Span, ...]:
    return tuple(
        Span(start=clock_text(start), end="24:00" if end == 0 else clock_text(end))
        for start, end in reading
    )


def _length_min(times: _Times) -> int:
    """Return how long a stretch is, a whole day where it ends as it starts. [min]"""
    return (times[1] - times[0]) % MINUTES_PER_DAY or MINUTES_PER_DAY


def _in_order(reading: tuple[_Times, ...]) -> bool:
    """Whether stretches follow each other from morning to night: "6.30 to 8 and 5 to 11"."""
    times = [time for start, end in reading for time in (start, end or MINUTES_PER_DAY)]
    return all(a < b for a, b in pairwise(times))


def _times(pair: Pair, *, item: Slot, alone: bool) -> list[_Times]:
    """Return the stretches that two times may stand for, once the slot had its say."""
    candidates = [(s, e) for s in pair.start.minutes for e in pair.end.minutes if s != e]
    if len(candidates) < 2:
        return candidates
    shared = _in_one_half(candidates, pair=pair)
    if shared:
        return shared
    # Of several stretches the order of the day decides which halves are meant, not the slot:
    # the daytime temperature from 6 to 9 and from 5 to 10 is no day from 6 to 21 h.
    if alone or pair.is_out or item.name == "peak_hours":
        return _likely(candidates, pair=pair, item=item) or candidates
    return candidates


def _in_one_half(candidates: list[_Times], *, pair: Pair) -> list[_Times]:
    """Return 17 to 22 h for "5-10pm", where that makes a stretch."""
    if not pair.shares_half or len(pair.end.minutes) > 1 or pair.end.leads_zero_or_late:
        return []
    return [(s, e) for s, e in candidates if s < e and (s < NOON) == (e < NOON)]


def _likely(  # noqa: PLR0911 - one slot after the other
    candidates: list[_Times], *, pair: Pair, item: Slot
) -> list[_Times]:
    """Return the candidates that fit what the slot is about; judgement."""
    first, last = len(pair.start.minutes) == 1, len(pair.end.minutes) == 1
    if pair.is_out and item.name.startswith("home_"):
        return [
            (s, e)
            for s, e in candidates
            if (first or 300 <= s < NOON + 60) and (last or NOON <= e < 22 * 60) and s < e
        ]
    if pair.is_out:
        short = [times for times in candidates if _length_min(times) <= _LONGEST_NIGHT_MIN]
        return short if item.name == "day_hours" else _at_night(short)
    if first and not last and min(s for s, _ in candidates) >= _LATE_MIN:
        # "From ten at night till six": the next six.
        return [min(candidates, key=_length_min)]
    match item.name:
        case "day_hours" if last:
            # "6 to 10 in the evening" is long or short: to be asked.
            return [(s, e) for s, e in candidates if s < (e or MINUTES_PER_DAY)]
        case "day_hours":
            return [
                (s, e)
                for s, e in candidates
                if (first or 240 <= s < NOON) and (e >= 17 * 60 or e == 0)
            ]
        case "allowed_hours":
            return [
                (s, e)
                for s, e in candidates
                if (first or 360 <= s <= NOON) and (last or e > NOON) and s < e
            ]
        case "peak_hours":
            short = [times for times in candidates if _length_min(times) <= 5 * 60]
            return [
                (s, e) for s, e in short if first or last or 360 <= s <= 600 or 840 <= s <= 1200
            ]
    return _at_home(candidates, explicit_start=first, explicit_end=last)


def _at_night(candidates: list[_Times]) -> list[_Times]:
    """Return the shortest stretch that covers the night: cheap hours, or those with no noise."""
    night = [
        times
        for times in candidates
        if (_NIGHT_MIN - times[0]) % MINUTES_PER_DAY < _length_min(times)
    ]
    return [min(night, key=_length_min)] if night else candidates


def _at_home(candidates: list[_Times], *, explicit_start: bool, explicit_end: bool) -> list[_Times]:
    """From the afternoon or evening until the next morning; other readings stay open."""
    if explicit_end:
        return []
    latest = 9 * 60 + 30 if explicit_start else 10 * 60
    return [(s, e) for s, e in candidates if 14 * 60 <= s <= 20 * 60 and 5 * 60 <= e <= latest]
