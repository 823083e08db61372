"""Times of day as people say them; en-GB and en-IE "half six" is half past six."""

from __future__ import annotations

from federates.hems.users.dialogue import SlotValue
from federates.hems.users.realisers.base import Realiser, Said, Setting, whole_in_words

MINUTES_PER_DAY = 24 * 60
KINDS = frozenset({"clock"})


def minutes_of(clock: str) -> int:
    """Minutes after midnight of a stored "HH:MM"."""
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def clock_of(minutes: int) -> str:
    """Stored "HH:MM" of minutes after midnight, modulo a day."""
    minutes %= MINUTES_PER_DAY
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def day_part(minutes: int) -> str:
    """The words that make a 12-hour time clear."""
    hour = minutes % MINUTES_PER_DAY // 60
    if hour < 4:
        return "at night"
    if hour < 12:
        return "in the morning"
    if hour < 18:
        return "in the afternoon" if hour < 17 else "in the evening"
    return "in the evening" if hour < 22 else "at night"


def twelve_hour(minutes: int, *, locale: str) -> str:
    """Write "6:30pm", "6.30pm" or "6:30 PM" by locale; whole hours without minutes."""
    hour, minute = divmod(minutes % MINUTES_PER_DAY, 60)
    suffix = "am" if hour < 12 else "pm"
    separator = ":" if locale == "en-US" else "."
    text = str((hour - 1) % 12 + 1) + (f"{separator}{minute:02d}" if minute else "")
    return f"{text} {suffix.upper()}" if locale == "en-US" else f"{text}{suffix}"


def in_speech(minutes: int, *, locale: str, colloquial: bool) -> str:
    """Say a time without its half of the day: "quarter to seven", "half six", "ten past six"."""
    hour, minute = divmod(round(minutes / 5) * 5 % MINUTES_PER_DAY, 60)
    this = whole_in_words((hour - 1) % 12 + 1)
    following = whole_in_words(hour % 12 + 1)
    american = locale == "en-US"
    if minute == 0:
        return this if colloquial else f"{this} o'clock"
    if minute == 30:
        if american:
            return f"{this} thirty"
        return f"half {this}" if colloquial else f"half past {this}"
    past, to = ("after", "of" if colloquial else "to") if american else ("past", "to")
    count, direction, named = (minute, past, this) if minute < 30 else (60 - minute, to, following)
    words = "quarter" if count == 15 else whole_in_words(count)
    if words == "quarter" and not colloquial:
        words = "a quarter"
    return f"{words} {direction} {named}"


def _h24(value: SlotValue, setting: Setting) -> Said:
    separators = (":", ":", ".") if setting.locale != "en-US" else (":",)
    return Said(str(value).replace(":", setting.pick(separators)), value)


def _h24_bare(value: SlotValue, _: Setting) -> Said:
    return Said(str(value).replace(":", ""), value)


def _hours(value: SlotValue, setting: Setting) -> Said:
    unit = setting.pick([" hrs", " hours", "hrs", "h"])
    return Said(str(value).replace(":", "") + unit, value)


def _h12(value: SlotValue, setting: Setting) -> Said:
    text = twelve_hour(minutes_of(value), locale=setting.locale)
    style = setting.pick(["plain", "plain", "spaced", "dotted", "colon"])
    if style == "spaced":
        text = text.replace("am", " am").replace("pm", " pm")
    elif style == "dotted":
        text = text.replace("am", " a.m.").replace("pm", " p.m.")
    elif style == "colon":
        text = text.replace(".", ":")
    return Said(text, value)


def _rounded(value: SlotValue, *, to_min: int) -> int:
    return round(minutes_of(value) / to_min) * to_min % MINUTES_PER_DAY


def _spoken(value: SlotValue, setting: Setting) -> Said:
    minutes = _rounded(value, to_min=5)
    text = in_speech(minutes, locale=setting.locale, colloquial=bool(setting.rng.integers(2)))
    return Said(f"{text} {day_part(minutes)}", clock_of(minutes))


def _spoken_short(value: SlotValue, setting: Setting) -> Said:
    minutes = _rounded(value, to_min=5)
    text = in_speech(minutes, locale=setting.locale, colloquial=True)
    return Said(text, clock_of(minutes), vague=True)


def _digits_words(value: SlotValue, setting: Setting) -> Said:
    hour, minute = divmod(minutes_of(value), 60)
    minute_words = "o'clock" if not minute else whole_in_words(minute)
    if 0 < minute < 10:
        minute_words = f"oh {minute_words}"
    text = f"{whole_in_words((hour - 1) % 12 + 1)} {minute_words}"
    return Said(f"{text} {day_part(minutes_of(value))}", value)


def _bare_hour(value: SlotValue, setting: Setting) -> Said | None:
    minutes = _rounded(value, to_min=60)
    hour = (minutes // 60 - 1) % 12 + 1
    text = setting.pick([str(hour), f"{hour} o'clock", f"{hour} ish", f"{hour}ish"])
    return Said(text, clock_of(minutes), vague=True)


def _around(value: SlotValue, setting: Setting) -> Said:
    minutes = _rounded(value, to_min=30)
    text = in_speech(minutes, locale=setting.locale, colloquial=True)
    around = setting.pick(["around ", "about ", "roughly ", "somewhere around ", "just about "])
    return Said(f"{around}{text} {day_part(minutes)}", clock_of(minutes), vague=True)


def _range(value: SlotValue, setting: Setting) -> Said:
    middle = _rounded(value, to_min=15)
    ends = [
        in_speech(middle + shift, locale=setting.locale, colloquial=True) for shift in (-15, 15)
    ]
    text = f"between {ends[0]} and {ends[1]} {day_part(middle)}"
    return Said(text, clock_of(middle), vague=True)


def _noon_midnight(value: SlotValue, setting: Setting) -> Said | None:
    names = {"00:00": ["midnight", "twelve at night"], "12:00": ["noon", "midday", "12 noon"]}
    return Said(setting.pick(names[value]), value) if value in names else None


CLOCK_REALISERS = (
    Realiser("clock_24", _h24, KINDS),
    Realiser("clock_24_bare", _h24_bare, KINDS),
    Realiser("clock_hours", _hours, KINDS),
    Realiser("clock_12", _h12, KINDS),
    Realiser("clock_spoken", _spoken, KINDS),
    Realiser("clock_spoken_short", _spoken_short, KINDS),
    Realiser("clock_word_by_word", _digits_words, KINDS),
    Realiser("clock_bare_hour", _bare_hour, KINDS),
    Realiser("clock_around", _around, KINDS),
    Realiser("clock_range", _range, KINDS),
    Realiser("clock_noon_midnight", _noon_midnight, KINDS),
)
