"""Vagueness: "about", "-ish", "I think"; and words that bound a value: "never after"."""

from __future__ import annotations

import re
from typing import Final

from federates.hems.parameters.slots import Slot

_HEDGE: Final = re.compile(
    r"\b(?:about|around|roughly|approx|approximately|circa|ca|nearly|almost|just (?:over|under|"
    r"after|before|shy)|more or less|some(?:where|thing) (?:like|between|around|in)|ballpark|"
    r"give or take|or so|or thereabouts|thereabouts|ish|i (?:think|guess|reckon|suppose|believe|"
    r"imagine|assume|expect)|id (?:say|guess|think|imagine)|probably|maybe|perhaps|possibly|"
    r"if i remember|off the top|from memory|(?:not|im not) (?:(?:entirely|totally|completely|"
    r"100 %|quite|too|very|really) )?(?:sure|certain)|guess(?:ing|timate)?|should be|must be|"
    r"might be|could be|at a guess|kind of|sort of|tends? to|it varies|depends|ish|odd|"
    r"over|under|at least|at most|up to|or more|or less|between|mostly|normally around|dont "
    r"quote)\b"
    r"|~|\?"
)
_AT_MOST: Final = re.compile(
    r"\b(?:at (?:the )?most|no more than|not (?:more|over|above|hotter|warmer) than|"
    r"not (?:over|above)|"
    r"no (?:later|hotter|warmer|higher) than|not (?:later than|after)|never (?:over|above|"
    r"after|later "
    r"than|more than|hotter than|warmer than|past)|up to|max(?:imum)?|under|less than|below|"
    r"fewer than|nothing (?:after|above|over))\b"
)
_AT_LEAST: Final = re.compile(
    r"\b(?:at (?:the very )?least|no (?:less|fewer|lower|colder|cooler|earlier) than|not (?:less|"
    r"lower|colder|cooler|earlier) than|not (?:below|under|before)|never (?:below|under|before|"
    r"less than|colder than|cooler than|lower than|earlier than|drops? below|go(?:es)? below|"
    r"fall(?:s)? below|get(?:s)? below)|min(?:imum)?|nothing before|over|more than|above)\b"
)
_TOO_MUCH: Final = re.compile(
    r"\b(?:over|above|more than)\b(?=.{1,60}\btoo (?:hot|warm|much|high)\b)"
)
"""Bounds from above: "anything over 23 is too warm"."""
_NOT_SURE: Final = re.compile(
    r"\b(?:not (?:\w+ )?(?:sure|certain|exactly|quite|bad|a problem)|dont (?:really )?(?:know|"
    r"mind|hold|quote|think)|no (?:idea|sorry|wait)|cant (?:say|remember|recall))\b"
)
_CLOCK_WORDS: Final = re.compile(
    r"\b(?:just|shortly|soon|right|a (?:bit|little|touch)|bang|sometime) (?:before|after|past)\b|"
    r"\b(?:quarter|half|\d{1,2}(?: minutes)?) (?:past|after|to|till|til|before|of)(?= (?:\d|"
    r"noon|mid))"
)
_LEAST_SLOTS: Final = frozenset({"temp_min_c", "earliest_start", "reserve", "target"})
_MOST_SLOTS: Final = frozenset(
    {"temp_max_c", "latest_finish", "max_events_per_week", "import_limit_kw", "export_limit_kw",
     "ready_by", "departure"}
)  # fmt: skip
_NEVER_GOES: Final = (
    r"\b(?:not|never|nothing|dont|doesnt|shouldnt|mustnt|cant|wont|without) (?:(?:be|go|get|"
    r"going|getting|ever|exceed|start|"
    r"finish|run|fall|drop|it|to|want|any|anything|really|ever|let|like|me|us|the|house|home|"
    r"temperature|on|much|"
    r"have|see|start|started|starting|finished|running|done|should|must|i|we|please) ){0,6}"
)
_NOT_BELOW: Final = re.compile(
    _NEVER_GOES + r"\b(?:below|under|less|lower|colder|cooler|before|earlier|beneath)\b|"
    r"\b(?:dont|do not|never|not|cant|mustnt|shouldnt) (?:start|run|put|begin|switch|turn) "
    r"(?:\w+ ){0,4}?(?:before|earlier)\b"
)
_NOT_ABOVE: Final = re.compile(
    _NEVER_GOES + r"\b(?:above|over|more|higher|hotter|warmer|after|later|past|exceed\w*)\b"
)


def is_hedged(plain: str) -> bool:
    """Return whether a text in plain form says something vaguely."""
    return _HEDGE.search(plain) is not None


def _bounds(plain: str) -> tuple[bool, bool]:
    """Return whether a text says "at least", and "at most"; "no more than" is not "more than"."""
    least, most = _AT_LEAST.search(plain), _AT_MOST.search(plain)
    if least is not None and most is not None:
        if most.start() < least.start() < most.end():
            least = None
        elif least.start() < most.start() < least.end():
            most = None
    return least is not None, most is not None


def without_clock_words(plain: str) -> str:
    """Return a text without the "after" of "a quarter after eight", which is no bound."""
    return _CLOCK_WORDS.sub(" ", plain)


def bounds_the_wrong_way(item: Slot, plain: str) -> bool:
    """Return whether a text names the other end: "not before 9" for a latest finish.

    Args:
        item: The slot asked.
        plain: Text in plain form.
    """
    plain = without_clock_words(_NOT_SURE.sub(" ", plain))
    least = _NOT_BELOW.search(plain) is not None
    most = _NOT_ABOVE.search(plain) is not None or _TOO_MUCH.search(plain) is not None
    if not least and not most:
        least, most = _bounds(plain)
    if least == most:
        return False
    return least if item.name in _MOST_SLOTS else most and item.name in _LEAST_SLOTS
