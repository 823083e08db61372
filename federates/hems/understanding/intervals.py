"""Stretches of the day: "out from 8 till 5", "all day", "nine to five", "same as weekdays"."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from federates.hems.parameters.slots import Slot, Span
from federates.hems.understanding.answer import Answer, Context, doubtful, stored
from federates.hems.understanding.clocks import Clock, clocks
from federates.hems.understanding.hedges import is_hedged
from federates.hems.understanding.reading import Reading
from federates.hems.understanding.spans import Pair, complement, readings_of

WHOLE_DAY: Final = (Span(start="00:00", end="24:00"),)

_TO: Final = re.compile(
    r"^ ?,? ?(?:-|to|till|til|until|through(?: to)?|up to|and|or so (?:to|till|until)|"
    r"ish (?:to|till|until|-)|"
    r"right through (?:to|till|until)|all the way (?:to|through to)|(?:,? )?(?:finishing|"
    r"ending|stopping|off) (?:at|by)|"
    r"(?:and )?(?:i |we |shes |hes |theyre |im |were )?(?:be )?(?:get |come |am |are |"
    r"is )?(?:back|home|returns?|in)(?: again| home)?(?: at| by| from| around| about)?|"
    r"(?:and )?(?:ends?|ending|finish(?:es)?) (?:at|by))"
    r"(?: (?:about|around|roughly|approximately|maybe|say|approx|at|the|next|following|day|"
    r"next day))* ?$"
)
_OUT: Final = re.compile(
    r"\b(?:out|away|at work|working|work(?!ing? from| from)|gone|empty|"
    r"nobody(?:s)? (?:is )?(?:in|home|here|at home|around)|"
    r"no (?:1|one)s? (?:is )?(?:in|home|here|at home|around)|not (?:in|home|here|at home|"
    r"around)|office|unoccupied|"
    r"leave|leaves|leaving|left|vacant|at school|except|apart from|nobody|off to)\b"
)
_IN: Final = re.compile(
    r"\b(?:home|in|here|around|someone(?:s)?|somebody(?:s)?|occupied|there|back|always 1 of us)\b"
)
_OUTSIDE: Final = re.compile(
    r"\b(?:(?:everything|anything|all|any ?time|any hour|always|whenever|every hour|the rest|"
    r"day)\b.{0,30}\b(?:but|except|apart|"
    r"other than|bar|outside)|outside|not between|never between|not from)\b"
)
_CHEAP: Final = re.compile(
    r"\b(?:(?<!not )(?<!isnt )(?<!never )(?:cheap(?:er|est)?|off peak|low(?:er|est)?|reduced)|"
    r"night(?: ?time)? (?:rate|price|tariff|hours|period|is|runs|from|between)|economy 7)\b"
)
_IS_SO: Final = re.compile(
    r" (?:, )?(?:is|are|its|thats|when its|at) (?:the |my |our )?"
    r"(?:(?P<cheap>cheap|off peak|low|night|reduced)|(?:dear|expensive|peak|high|day))\w*"
)
"""After times: whether they are the cheap or the dear ones."""
_DEAR: Final = re.compile(
    r"\b(?:(?<!off )peak|dear(?:er|est)?|expensive|high(?:er|est)?|day(?: ?time)? (?:rate|price))\b"
)
"""After words for cheap hours: it is the times that follow which are dear."""
_ALWAYS: Final = re.compile(
    r"\b(?:all day(?: long)?(?: and (?:all )?(?:night|evening))?|(?:all|the whole|whole) "
    r"(?:day|time|weekend)|always|24 / 7|24 hours(?: a day)?|24 h|"
    r"round the clock|at all times|permanently|constantly|never (?:left |really |"
    r"completely )?(?:empty|alone|out|leave|nobody|unoccupied|without (?:some|any)\w+)|all "
    r"the time|housebound|(?:dont|doesnt|never|rarely) (?:really )?(?:go|goes) out|any ?time|"
    r"day and night|"
    r"pretty much always|anytime|all hours|all of it|full time|the entire day|every hour|most "
    r"of the time|"
    r"work(?:s|ing)? from home|retired|hardly ever (?:out|leave)|no restrictions?|whenever)\b"
)
_EXCEPT: Final = re.compile(
    r"\b(?:except|apart from|but (?:not|out|were out|i m out)|other than|aside from|bar)\b"
)
_SAME: Final = re.compile(
    r"\b(?:same(?! day)|identical|no different|no difference|just like (?:weekdays|the week)|"
    r"like (?:on )?(?:weekdays|the week|a weekday)|"
    r"doesnt change|(?:like|as|same|different)\b.{0,30}\b(?:week ?days?|week|"
    r"work(?:ing)? ?days?)|as (?:on |in |during )?(?:the )?(?:week|weekdays?)|unchanged|ditto|"
    r"no change)\b"
)
_NOT_SAME: Final = re.compile(
    r"\b(?:not (?:the )?same|isnt the same|different(?! from)(?!ly)|but (?:later|earlier|an "
    r"hour)|except)\b"
)
_VAGUE: Final = (
    (re.compile(r"\b(?:evenings? and (?:the )?nights?|nights? and evenings?|after work|"
                r"evenings? and (?:early )?mornings?)\b"), ("18:00", "08:00")),
    (re.compile(r"\b(?:after school|school hours)\b"), ("15:30", "08:30")),
    (re.compile(r"\b(?:evenings?|of an evening)\b"), ("18:00", "23:00")),
    (re.compile(r"\b(?:at night|nights|overnight|night ?time)\b"), ("23:00", "07:00")),
    (re.compile(r"\bmornings?\b"), ("07:00", "12:00")),
    (re.compile(r"\bafternoons?\b"), ("12:00", "18:00")),
    (re.compile(r"\b(?:day ?time|during the day|daylight)\b"), ("08:00", "18:00")),
    (re.compile(r"\b(?:work(?:ing)?|office|business) hours\b"), ("09:00", "17:00")),
)  # fmt: skip
_AFTER: Final = re.compile(
    r"\b(?:after|from|since|back (?:at|by|around|about)|home (?:at|by|around|about|from)|"
    r"starting|(?:get|come|gets|comes|arrive) (?:back|home|in)(?: again)?(?: at| by| around|"
    r" about)?|returns?(?: at| by| around)?|in (?:at|by|from))(?: (?:about|around|roughly|at|"
    r"say|like|by|in|the|evening|home))* $"
)
_UNTIL: Final = re.compile(
    r"\b(?:until|till|til|before|to|up to|leave(?:s)?(?: the house| home| for work)?(?: at| by|"
    r" around| about)?|leaving(?: at| by| around| about)?|(?:go|goes|head|heads|set|sets) "
    r"(?:out|off)(?: at| by| around| about)?|out (?:at|by|the door at|the door by)|off (?:at|"
    r"by))(?: (?:about|around|roughly|at|say|like|by|the))* $"
)
_FROM_WHEN: Final = "From when until when is that?"
_MOST_SHOWN: Final = 6
_OUT_FROM: Final = re.compile(r"\b(?:out|away|gone|empty|at work|working)\b")


def stretches(reading: Reading, *, item: Slot, context: Context) -> Answer | None:
    """Return the stretches of the day a text names for a slot, or None where it names none."""
    plain = reading.text
    found = clocks(plain, context=context, in_range=True)
    if not found:
        return _without_clocks(reading, item=item, context=context)
    words = reading.words(found[0].start, found[-1].end)
    pairs = _pairs(plain, found, item=item)
    if not pairs:
        return doubtful(item, (), words=words, question=_FROM_WHEN)
    return _of_pairs(reading, pairs, words=words, item=item)


def _of_pairs(reading: Reading, pairs: list[Pair], *, words: str, item: Slot) -> Answer:
    """Return the stretches that pairs of times mean; what overlaps or stays open is asked."""
    plain = reading.text
    pairs = [_in_24_hours(pair, plain=plain) for pair in pairs]
    readings = readings_of(pairs, item=item)
    explicit = all(p.start.is_explicit and p.end.is_explicit for p in pairs)
    if not readings:
        question = "I cannot tell those times apart: from when until when is that, one by one?"
        return doubtful(item, (), words=words, question=question)
    if any(pair.is_out for pair in pairs):
        if not all(pair.is_out for pair in pairs):
            return doubtful(
                item, (), words=words, question="When is somebody in, from when until when?"
            )
        readings = [complement(spans) for spans in readings]
    values = [value for value in (stored(item, spans) for spans in readings) if value]
    if len(values) > _MOST_SHOWN:
        return doubtful(item, (), words=words, question=_FROM_WHEN)
    if len(values) != 1:
        shown = " or ".join(_shown(spans) for spans in readings[:3])
        return doubtful(item, values, words=words, question=f"Do you mean {shown}?")
    hedged = is_hedged(re.sub(r"\bbetween\b", "", plain)) or not explicit
    return Answer(values=(values[0],), words=reading.words(), hedged=hedged, explicit=explicit)


def _shown(spans: tuple[Span, ...]) -> str:
    return " and ".join(f"{span['start']} to {span['end']}" for span in spans)


def _without_clocks(reading: Reading, *, item: Slot, context: Context) -> Answer | None:  # noqa: PLR0911 - one way of saying it after the other
    """Return "all day" and "same as weekdays"; a vaguer part of the day is asked about."""
    plain = reading.text
    is_home = item.name.startswith("home_")
    if item.name == "home_weekend" and _SAME.search(plain) and not _NOT_SAME.search(plain):
        if _ALWAYS.search(plain):
            return doubtful(
                item,
                (),
                words=reading.words(),
                question="From when until when is somebody in at weekends?",
            )
        weekday = context.known.get("household.home_weekday")
        if weekday is None:
            return None
        return Answer(values=(weekday,), words=reading.words(), hedged=is_hedged(plain))
    if re.search(r"\d", plain.replace("24 / 7", "").replace("24 h", "")):
        return None
    match = _ALWAYS.search(plain)
    if (match is not None and item.low == 0) or (match is not None and not item.low):
        words = reading.words(*match.span())
        out = (
            is_home
            and _OUT.search(plain)
            and not re.search(r"\b(?:never|hardly|rarely|from home)\b", plain)
        )
        if out or _EXCEPT.search(plain) or re.search(r"\bnot (?:all|always)\b", plain):
            return doubtful(item, (), words=words, question="From when until when is somebody in?")
        return Answer(values=(WHOLE_DAY,), words=words, hedged=is_hedged(plain))
    for pattern, (start, end) in _VAGUE:
        match = pattern.search(plain)
        if match is not None:
            spans = (Span(start=start, end=end),)
            words = reading.words(*match.span())
            if is_home and _OUT.search(plain):
                return doubtful(
                    item, (), words=words, question="From when until when is nobody in?"
                )
            question = f'"{words}": is that about {start} to {end}, or from when until when?'
            return doubtful(item, (spans,), words=words, question=question)
    return None


def _pairs(plain: str, found: list[Clock], *, item: Slot) -> list[Pair]:
    """Join times to stretches: neighbours with "to" between, or "leave at 8, back at 5"."""
    pairs: list[Pair] = []
    is_home = item.name.startswith("home_")
    excepted = False
    at = done = 0
    while at + 1 < len(found):
        first, second = found[at], found[at + 1]
        lead = plain[done : first.start]
        gap = plain[first.end : second.start]
        pair = _pair(first, second, lead=lead, gap=gap, after=plain[second.end :], is_home=is_home)
        if pair is None:
            return []
        excepted = not is_home and _is_excepted(lead, item=item, before=excepted)
        done = second.end
        is_so = _IS_SO.match(plain, done) if item.name == "peak_hours" else None
        if is_so is not None:
            excepted, done = is_so["cheap"] is not None, is_so.end()
        pairs.append(replace(pair, is_out=True) if excepted else pair)
        at += 2
    if at < len(found):
        return []
    # "Cheap from 12 to 5, peak from 4 to 7" names the dear hours themselves.
    dear = [pair for pair in pairs if not pair.is_out]
    return dear if dear and not is_home else pairs


def _is_excepted(lead: str, *, item: Slot, before: bool) -> bool:
    """Whether the words before a stretch say that it is the rest of the day that counts."""
    cues = [(match.end(), True) for match in _OUTSIDE.finditer(lead)]
    if item.name == "peak_hours":
        cues += [(match.end(), True) for match in _CHEAP.finditer(lead)]
        cues += [(match.end(), False) for match in _DEAR.finditer(lead)]
    return max(cues)[1] if cues else before


def _pair(
    first: Clock, second: Clock, *, lead: str, gap: str, after: str, is_home: bool
) -> Pair | None:
    """Return the stretch between two times, or None where the words join them otherwise."""
    joined = _TO.fullmatch(gap) is not None
    out = is_home and _says_out(lead, gap=gap, after=after)
    if joined:
        return Pair(first, second, is_out=out, shares_half=gap.strip() == "-")
    if not is_home:
        return (
            Pair(first, second, is_out=False)
            if _AFTER.search(lead) and _UNTIL.search(gap)
            else None
        )
    if _UNTIL.search(lead) and _AFTER.search(gap):
        # "until 8 and from 5", "leave at 8, back at 5": in from the second to the first.
        return Pair(second, first, is_out=False)
    if _AFTER.search(lead) and _UNTIL.search(gap):
        return Pair(first, second, is_out=bool(_OUT_FROM.search(lead)))
    return None


def _in_24_hours(pair: Pair, *, plain: str) -> Pair:
    """Read "8:30" as in the morning beside "17:00"."""
    start, end = (
        replace(clock, minutes=(_as_written(clock),), is_explicit=True)
        if other.leads_zero_or_late
        and len(clock.minutes) == 2
        and ":" in plain[clock.start : clock.end]
        else clock
        for clock, other in ((pair.start, pair.end), (pair.end, pair.start))
    )
    return replace(pair, start=start, end=end)


def _as_written(clock: Clock) -> int:
    """Return the minute that digits mean on a 24-hour clock: 12:15 is after noon."""
    return clock.minutes[1] if clock.minutes[0] < 60 else clock.minutes[0]


def _says_out(lead: str, *, gap: str, after: str) -> bool:
    """Whether the words around a stretch say that nobody is in; those before it count first."""
    for part in (lead, gap):
        out = [match.end() for match in _OUT.finditer(part)]
        home = [
            match.end()
            for match in _IN.finditer(part)
            if match.group() != "in" or not re.search(r"\bnot in\b", part)
        ]
        if out and (not home or max(out) >= max(home) or re.search(r"\bno(?:body|t)?\b", part)):
            return True
        if home and not (part == lead and re.fullmatch(r".*\bin the \w+ ?", lead)):
            return False
    return bool(_OUT.search(re.split(r" [.,;] ", after + " ")[0]))
