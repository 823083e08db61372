"""Hours of the day as people say them: from-to, the hours they are out, "all day"."""

from __future__ import annotations

from federates.hems.parameters.slots import Span
from federates.hems.users.dialogue import SlotValue
from federates.hems.users.realisers.base import Realiser, Said, Setting
from federates.hems.users.realisers.clocks import (
    MINUTES_PER_DAY,
    clock_of,
    day_part,
    in_speech,
    minutes_of,
    twelve_hour,
)

INTERVALS = frozenset({"intervals"})
OCCUPIED = ("household.home_*",)
_LINKS = ["-", " - ", " to ", "\u2013", " until "]


def is_all_day(value: SlotValue) -> bool:
    """Whether the intervals are the one that covers the whole day."""
    if len(value) != 1:
        return False
    start, end = minutes_of(value[0]["start"]), minutes_of(value[0]["end"])
    return (end - start) % MINUTES_PER_DAY == 0


def complement(value: SlotValue) -> tuple[Span, ...]:
    """The hours outside the intervals, in the order of their starts; empty for all day."""
    if is_all_day(value):
        return ()
    ordered = sorted(value, key=lambda interval: minutes_of(interval["start"]))
    gaps: list[Span] = []
    for index, interval in enumerate(ordered):
        following = ordered[(index + 1) % len(ordered)]
        if (minutes_of(following["start"]) - minutes_of(interval["end"])) % MINUTES_PER_DAY:
            gaps.append({"start": interval["end"], "end": following["start"]})
    return tuple(sorted(gaps, key=lambda interval: minutes_of(interval["start"])))


def _join(parts: list[str], setting: Setting) -> str:
    if len(parts) == 1:
        return parts[0]
    link = setting.pick([" and ", ", then ", " and again ", " plus "])
    return ", ".join(parts[:-1]) + link + parts[-1]


def _h24(value: SlotValue, setting: Setting) -> Said | None:
    if is_all_day(value):
        return None
    link = setting.pick(_LINKS)
    parts = [f"{interval['start']}{link}{interval['end']}" for interval in value]
    return Said(_join(parts, setting), value)


def _h12(value: SlotValue, setting: Setting) -> Said | None:
    if is_all_day(value):
        return None
    link = setting.pick(["-", " to ", " till ", " until "])
    parts = [
        link.join(twelve_hour(minutes_of(interval[end]), locale=setting.locale) for end in interval)
        for interval in value
    ]
    return Said(_join(parts, setting), value)


def _clear(minutes: int, setting: Setting) -> str:
    if minutes % MINUTES_PER_DAY == 0:
        return "midnight"
    if minutes == MINUTES_PER_DAY // 2:
        return setting.pick(["noon", "midday"])
    return f"{in_speech(minutes, locale=setting.locale, colloquial=True)} {day_part(minutes)}"


def _spoken(value: SlotValue, setting: Setting) -> Said | None:
    if is_all_day(value):
        return None
    link = setting.pick(["until", "till", "to", "through to"])
    parts = [
        f"from {_clear(minutes_of(interval['start']), setting)} {link} "
        f"{_clear(minutes_of(interval['end']), setting)}"
        for interval in value
    ]
    return Said(_join(parts, setting), value)


def _bare(value: SlotValue, setting: Setting) -> Said | None:
    """Say hours without am and pm; only whole and half hours are said so."""
    if is_all_day(value) or len(value) > 1:
        return None
    ends = [
        in_speech(minutes_of(value[0][end]), locale=setting.locale, colloquial=True)
        for end in ("start", "end")
    ]
    return Said(setting.pick([" to ", " till "]).join(ends), value, vague=True)


def _out(value: SlotValue, setting: Setting) -> Said | None:
    """Say the hours when nobody is at home, as most people do."""
    gaps = complement(value)
    if not gaps:
        return None
    parts = [
        f"from {_clear(minutes_of(gap['start']), setting)} to "
        f"{_clear(minutes_of(gap['end']), setting)}"
        for gap in gaps
    ]
    prefix = setting.pick(
        ["we're all out ", "the house is empty ", "nobody's home ", "there's no one in "]
    )
    return Said(prefix + _join(parts, setting) + ", otherwise someone is in", value)


def _up_and_out(value: SlotValue, setting: Setting) -> Said | None:
    """Tell the routine of a day with one absence: out of the door, back in the evening."""
    gaps = complement(value)
    if len(gaps) != 1:
        return None
    leave, back = minutes_of(gaps[0]["start"]), minutes_of(gaps[0]["end"])
    form = setting.pick(
        [
            "out the door at {a}, back at {b}, home the rest of the time",
            "the last one leaves at {a} and the first one's back at {b}",
            "we leave at {a}, get in at {b} and stay in till next morning",
        ]
    )
    said = [in_speech(time, locale=setting.locale, colloquial=True) for time in (leave, back)]
    parts = [f"{text} {day_part(time)}" for text, time in zip(said, (leave, back), strict=True)]
    return Said(form.format(a=parts[0], b=parts[1]), value)


def _all_day(value: SlotValue, setting: Setting) -> Said | None:
    names = ["all day", "all day long", "round the clock", "24 hours", "day and night"]
    return Said(setting.pick(names), value) if is_all_day(value) else None


def _always_in(value: SlotValue, setting: Setting) -> Said | None:
    names = [
        "there's always somebody in",
        "someone's in pretty much all the time",
        "we're home 24/7",
    ]
    return Said(setting.pick(names), value) if is_all_day(value) else None


def _like_weekdays(value: SlotValue, setting: Setting) -> Said | None:
    if value != setting.truth.get("household.home_weekday"):
        return None
    names = ["same as weekdays", "no different from the week", "just the same as in the week"]
    return Said(setting.pick(names), value)


def _whole_hour(clock: str) -> str:
    return clock_of(round(minutes_of(clock) / 60) * 60)


def _rounded_to_hours(value: SlotValue, setting: Setting) -> Said | None:
    if is_all_day(value):
        return None
    rounded: tuple[Span, ...] = tuple(
        {"start": _whole_hour(interval["start"]), "end": _whole_hour(interval["end"])}
        for interval in value
    )
    if any(interval["start"] == interval["end"] for interval in rounded):
        return None
    parts = [
        f"{twelve_hour(minutes_of(interval['start']), locale=setting.locale)} to "
        f"{twelve_hour(minutes_of(interval['end']), locale=setting.locale)}"
        for interval in rounded
    ]
    around = setting.pick(["about ", "roughly ", "more or less "])
    return Said(around + _join(parts, setting), rounded, vague=True)


INTERVAL_REALISERS = (
    Realiser("hours_24", _h24, INTERVALS),
    Realiser("hours_12", _h12, INTERVALS),
    Realiser("hours_spoken", _spoken, INTERVALS),
    Realiser("hours_bare", _bare, INTERVALS),
    Realiser("hours_about", _rounded_to_hours, INTERVALS),
    Realiser("hours_all_day", _all_day, INTERVALS),
    Realiser("hours_always_in", _always_in, INTERVALS, OCCUPIED),
    Realiser("hours_out", _out, INTERVALS, OCCUPIED),
    Realiser("hours_routine", _up_and_out, INTERVALS, OCCUPIED),
    Realiser("hours_like_weekdays", _like_weekdays, INTERVALS, ("household.home_weekend",)),
)
