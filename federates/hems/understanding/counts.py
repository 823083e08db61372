"""Whole numbers: people, cars, showers, runs and events a week."""

from __future__ import annotations

import re
from typing import Final

from federates.hems.parameters.slots import Slot
from federates.hems.understanding.answer import Answer, distinct, doubtful, stored
from federates.hems.understanding.clocks import CLOCK_PHRASE, in_clock_phrase
from federates.hems.understanding.hedges import bounds_the_wrong_way, is_hedged
from federates.hems.understanding.reading import Reading

_ALONE: Final = re.compile(
    r"\b(?:(?:just|only) (?:me|myself)|on my (?:own|todd?)|by myself|(?:i )?live alone|i m alone|"
    r"im alone|all alone|me myself and i|(?:just|only) the 1 of us|single person)\b"
)
_ME: Final = re.compile(r"\b(?:me|myself|i)\b")
_PARTNER: Final = re.compile(
    r"\b(?:my|the) (?:wife|husband|partner|girlfriend|boyfriend|missus|hubby|fianc\w+|other half|"
    r"better half|spouse|mum|mother|mom|dad|father|son|daughter|brother|sister|gran|nan|flatmate|"
    r"roommate|housemate|mate|friend|lodger|baby|toddler|teenager|boy|girl|kid)\b"
)
_PEOPLE: Final = re.compile(
    r"(?<![^ ])(?P<n>\d{1,2}) (?:(?!and |plus |with )\w+ ){0,2}?"
    r"(?:people|persons?|adults?|grown ups?|kids?|"
    r"children|child|teenagers?|"
    r"teens?|students?|sons?|daughters?|boys|girls|little ones|bab(?:y|ies)|toddlers?|lodgers?|"
    r"flatmates|housemates|roommates|parents|grandparents|pensioners|occupants?)\b"
)
_A_CHILD: Final = re.compile(
    r"\b(?:a|an|our|1 more) (?:\w+ ){0,2}?(?:baby|toddler|son|daughter|kid|child|teenager|"
    r"lodger|newborn)\b"
)
_MULTIPLES: Final = {"twins": 2, "triplets": 3}
_OF_US: Final = re.compile(
    r"(?<![^ ])(?:(?P<n>\d{1,2}) of us|(?:family|household) of (?P<f>\d{1,2})|"
    r"(?P<m>\d{1,2}) in (?:total|all|the (?:house|family|home|household))|were (?P<w>\d{1,2}))\b"
)
_SEVERAL: Final = re.compile(
    r"\b(?:the|our|my) (?:kids|children|boys|girls|teenagers|lodgers|students|in ?laws|sons|"
    r"daughters)\b"
)
"""Nobody knows how many."""
_AND_MORE: Final = re.compile(r",? ?(?:and|plus|with|\+)\b")
_US_TWO: Final = re.compile(r"\b(?:(?:just )?the pair of us|both of us|us (?:two|2))\b")
_ONE_OTHER: Final = re.compile(
    r"\b(?:me|myself|i) (?:and|plus|with) (?:(?:1|an?) other|another|1)\b"
)
_PETS: Final = re.compile(
    r"(?<![^ ])(?:\d{1,2}|a|an|the|my|our|about \d) (?:\w+ )?(?:dogs?|cats?|goldfish|hamsters?|"
    r"rabbits?|budgies?|"
    r"parrots?|pets?|chickens|guinea pigs?|puppy|kitten|bed(?:room)?s?|bathrooms?|"
    r"(?:year|yr|month|week)s? olds?|grandchildren)\b"
)
_NUMBER: Final = re.compile(r"(?<![^ ])(?<!: )(?P<n>[0-9]{1,3})(?![^ ])")
_NOT_A_COUNT: Final = re.compile(
    r" (?:am|pm|oclock|%|degrees?|kw|kwh|percent|bed(?:room)?s?|years?|minutes?|mins?|hours?|"
    r"kg|:|/|st|nd|rd|th|x \d|"
    r"miles?|km|amps?|p|pence|litres?|dogs?|cats?|storeys?|floors?|sides?|ends?|°|c|f|k|kelvin|"
    r"in the (?:morning|afternoon|evening)|at night|[0-5]\d)\b"
)
_NEGATED: Final = re.compile(
    r"\b(?:not|isnt|arent|its not|at|by|before|after|until|till|past|havent|"
    r"(?:dont|do not|didnt|havent|have not|never|no longer|not) (?:\w+ )?(?:got|have|had|own)) $"
)
"""Before a number that is no count: denied, or a time of day."""
_TIMES: Final = {"once": 1, "twice": 2, "thrice": 3}
_OFTEN: Final = re.compile(
    r"(?<![^ ])(?:(?P<word>once|twice|thrice)|(?P<n>\d{1,2}) ?(?:x|times?|loads?|washes|"
    r"wash(?:ing)?|cycles?|runs?|goes|showers?|"
    r"baths?|of them|of those|events?|drying|days?|nights?|evenings?|mornings?)?) "
    r"?(?:of (?:washing|laundry|dishes) )?(?:a|per|/|each|every|in a) (?:single )?"
    r"(?P<per>day|week|month|night|fortnight|weekend)\b"
)
_DAILY: Final = re.compile(
    r"\b(?:(?:every|each) (?:single )?(?:day|night|evening|morning)|daily|nightly|once a day|"
    r"7 days a week|all week|after (?:every )?(?:dinner|tea|supper))\b"
)
_ALTERNATE: Final = re.compile(
    r"\b(?:every (?:other|2|second|about 2) (?:days?|nights?|evenings?)|alternate days|on "
    r"alternate)\b"
)
_EACH_WEEKDAY: Final = re.compile(
    r"\b(?:every|each|on) (?:weekdays?|working days?|work days?)\b|\bweekdays only\b|"
    r"\bmon(?:day)?s? (?:to|till|through|-) fri(?:day)?s?\b"
)
_WEEKENDS: Final = re.compile(r"\b(?:both weekend days|saturdays? and sundays?)\b")
_MOST_DAYS: Final = re.compile(
    r"\b(?:most|nearly every|almost every) (?:days?|nights?|evenings?)\b"
)
_DAY_NAMES: Final = re.compile(
    r"\b(?:on |every |each )?(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:on |every |each )"
    r"(?:mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun)\b"
)
_NEVER: Final = re.compile(
    r"\b(?:never(?! (?:works?|stops?|mind|ends?)\b)|not at all|none|0 times|nobody showers|"
    r"dont (?:ever )?(?:use|run) (?:it|1)|zilch)\b"
)
_TIMES_WORD: Final = re.compile(
    r"\b(?:once(?! (?:its|it|the|theyre|they|ive|weve|im|i|we|everyone|everything|loaded|full|done|"
    r"more|again|upon)\b)|twice|thrice)\b"
)
_VARIES: Final = re.compile(
    r"\b(?:otherwise|else|the rest|week ?ends?|week ?days?|winter|summer|holidays?|term ?time|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?)\b"
)
_A_FREQUENCY: Final = re.compile(
    r"\b(?:once|twice|thrice|daily|every day|"
    r"(?:\d{1,2}|few|couple(?: of)?) (?:times|loads|x|runs|cycles))\b"
)
"""Two of them with the days they hold for are a sum that nobody should guess."""
_EXCEPT: Final = re.compile(r"\b(?:except|apart from|but|other than|bar)\b")
_VAGUELY_OFTEN: Final = (
    (_ALTERNATE, (3, 4), "Every other day is three or four times a week: which one?"),
    (_MOST_DAYS, (5, 6), "Most days is five or six times a week: which one?"),
)
_REGULARLY: Final = ((_WEEKENDS, 2), (_EACH_WEEKDAY, 5), (_DAILY, 7))
_BOTH: Final = re.compile(r"\bboth\b")
_SHOWERS: Final = re.compile(r"(?<![^ ])(?P<n>\d{1,2}) (?:\w+ )?(?:showers?)\b")
_BATHS: Final = re.compile(r"(?<![^ ])(?P<n>\d{1,2}|a) (?:\w+ )?(?:baths?)\b")
_EACH: Final = re.compile(
    r"\b(?:each|apiece|per person|every 1|everyone|everybody|all of us|both of us)\b"
)
_PER_WEEK: Final = {"day": 7.0, "night": 7.0, "week": 1.0, "weekend": 1.0,
                    "fortnight": 0.5, "month": 12 / 52}  # fmt: skip


def count(reading: Reading, *, item: Slot) -> Answer | None:
    """Return the whole number that a text names for a slot, or None where it names none."""
    if bounds_the_wrong_way(item, reading.text):
        return None
    found = None
    match item.name:
        case "occupants":
            found = _people(reading, item=item)
        case "runs_per_week" | "max_events_per_week":
            found = _weekly(reading, item=item)
        case "showers_per_day":
            found = _showers(reading, item=item)
        case "n_evs":
            found = _cars(reading, item=item)
    return found if found is not None else _plain(reading, item=item)


def _cars(reading: Reading, *, item: Slot) -> Answer | None:
    """Return two cars for "both" and "my husband and I have one each"; other shares are asked."""
    plain = reading.text
    if _BOTH.search(plain):
        return _answer(reading, item=item, value=2)
    if not _EACH.search(plain):
        return None
    couple = len(_PARTNER.findall(plain)) == 1 and _ME.search(plain) is not None
    if re.search(r"\b1 each\b", plain) and (couple or _US_TWO.search(plain)):
        return _answer(reading, item=item, value=2)
    question = "How many electric cars is that altogether?"
    return doubtful(item, (), words=reading.words(), question=question)


def _people(  # noqa: PLR0911 - one way of saying it after the other
    reading: Reading, *, item: Slot
) -> Answer | None:
    """Return how many people "me, my wife and two kids" are."""
    plain = CLOCK_PHRASE.sub(" ", _PETS.sub(" ", reading.text))
    if re.search(r"\b(?:to|or) \d{1,2}\b", plain):
        return None
    match = _OF_US.search(plain)
    us = match or _US_TWO.search(plain)
    if us is not None and _AND_MORE.match(plain, us.end()) and _others(plain[us.end() :]):
        # "two of us and a toddler": nobody knows whether the toddler is one of the two.
        question = "How many people is that altogether?"
        return doubtful(item, (), words=reading.words(), question=question)
    if match is not None:
        return _answer(reading, item=item, value=int(next(g for g in match.groups() if g)))
    if _US_TWO.search(plain):
        return _answer(reading, item=item, value=2)
    groups = [int(m["n"]) for m in _PEOPLE.finditer(plain)]
    if _ONE_OTHER.search(plain):
        return _answer(reading, item=item, value=2)
    loose = _NUMBER.findall(_PEOPLE.sub(" ", plain))
    if (loose and (_PARTNER.search(plain) or _mentions_me(plain))) or (
        not groups and _SEVERAL.search(plain)
    ):
        question = "How many people is that altogether?"
        return doubtful(item, (), words=reading.words(), question=question)
    if loose:
        return None
    children = _children(plain)
    relatives = len(_PARTNER.findall(plain))
    if _ALONE.search(plain) and not groups and not relatives:
        return _answer(reading, item=item, value=1)
    others = sum(groups) + children + relatives
    if not others:
        return None  # "That stays with me, thanks" counts nobody.
    includes_me = bool(_ME.search(plain)) and (relatives > 0 or _mentions_me(plain))
    total = others + (1 if includes_me or relatives else 0)
    if re.search(r"\bpeople|persons?\b", plain) and len(groups) == 1 and not relatives:
        total = groups[0]
    return _answer(reading, item=item, value=total)


def _children(plain: str) -> int:
    """Return how many children "a baby and the twins" are."""
    several = sum(n for word, n in _MULTIPLES.items() if re.search(rf"\b{word}\b", plain))
    return len(_A_CHILD.findall(plain)) + several


def _others(plain: str) -> bool:
    """Whether a text names people."""
    named = _PEOPLE.search(plain) or _PARTNER.search(plain) or _SEVERAL.search(plain)
    return named is not None or _children(plain) > 0


def _mentions_me(plain: str) -> bool:
    """Whether the speaker counts himself besides others: "me and two kids"."""
    return (
        re.search(
            r"\b(?:me|myself) (?:and|,|plus|with)|\b(?:and|plus) (?:me|myself)\b|"
            r"\b(?:and|plus) i(?= ?(?:$|[.,;!]|live\b|are\b|and\b|plus\b))",
            plain,
        )
        is not None
    )


def _weekly(reading: Reading, *, item: Slot) -> Answer | None:
    """Return how often a week "twice a day", "every night" or "on Saturdays" is."""
    plain = reading.text
    if _VARIES.search(plain) and len(_A_FREQUENCY.findall(plain)) > 1:
        question = "How many times is that in a usual week?"
        return doubtful(item, (), words=reading.words(), question=question)
    match = _OFTEN.search(plain)
    if match is not None:
        return _so_often(reading, match, item=item)
    for pattern, counts, question in _VAGUELY_OFTEN:
        if pattern.search(plain):
            return doubtful(item, counts, words=reading.words(), question=question)
    if _NUMBER.search(plain):
        return None
    for pattern, times in _REGULARLY:
        match = pattern.search(plain)
        if match is not None:
            excepted = _EXCEPT.search(plain)
            return None if excepted else _answer(reading, item=item, value=times, span=match.span())
    return _on_days(reading, item=item)


def _so_often(reading: Reading, match: re.Match[str], *, item: Slot) -> Answer | None:
    """Return "3 times a week"; a range before it and fractions are asked about."""
    before = reading.text[: match.start()][-12:]
    words = reading.words(*match.span())
    if re.search(r"(?:once|twice) (?:or|to|and) $", before):
        counts = (1, 2) if match["word"] == "twice" else ()
        question = "How many times a week exactly?"
        return doubtful(item, counts, words=reading.words(), question=question)
    if re.search(r"\d (?:to|or|-) $", before):
        return None
    times = _TIMES[match["word"]] if match["word"] else int(match["n"])
    weekly = times * _PER_WEEK[match["per"]]
    if weekly == int(weekly):
        return _answer(reading, item=item, value=int(weekly), span=match.span())
    question = f'"{words}": how many times a week is that?'
    return doubtful(item, (int(weekly), int(weekly) + 1), words=words, question=question)


def _on_days(reading: Reading, *, item: Slot) -> Answer | None:
    """Return "twice", "Mondays and Thursdays", "never"."""
    plain = reading.text
    match = _TIMES_WORD.search(plain)
    if match is not None:
        joined = re.search(r"\b(?:or|to|and) (?:once|twice|thrice)\b", plain)
        return None if joined else _answer(reading, item=item, value=_TIMES[match.group()])
    days = {m.group().split()[-1].rstrip("s") for m in _DAY_NAMES.finditer(plain)}
    if days:
        open_ended = re.search(r"\b(?:to|till|until|through|except|or)\b| - ", plain)
        return None if open_ended else _answer(reading, item=item, value=len(days))
    return _answer(reading, item=item, value=0) if _NEVER.search(plain) else None


def _showers(reading: Reading, *, item: Slot) -> Answer | None:
    """Return the showers a day; baths and "one each" are asked about."""
    plain = reading.text
    if re.search(r"\b(?:to|or|-) \d{1,2}\b", plain):
        return None
    showers = [int(m["n"]) for m in _SHOWERS.finditer(plain)]
    baths = [1 if m["n"] == "a" else int(m["n"]) for m in _BATHS.finditer(plain)]
    words = reading.words()
    if _EACH.search(plain) or re.search(r"\ba week\b|\bper week\b|\bevery other\b", plain):
        question = "How many showers is that for the whole household on a usual day?"
        return doubtful(item, (), words=words, question=question)
    if baths:
        total = sum(showers) + 2 * sum(baths)
        question = f"Counting a bath as two showers, that is {total}: is that right?"
        return doubtful(item, (total,), words=words, question=question)
    if len(showers) > 1:
        return _answer(reading, item=item, value=sum(showers))
    if not _NUMBER.search(plain) and (match := re.search(r"\b(?:once|twice|thrice)\b", plain)):
        return _answer(reading, item=item, value=_TIMES[match.group()], span=match.span())
    return None


def _plain(reading: Reading, *, item: Slot) -> Answer | None:
    """Return the only number of a text."""
    plain = reading.text
    found = [
        match
        for match in _NUMBER.finditer(plain)
        if not _NOT_A_COUNT.match(plain, match.end())
        and not in_clock_phrase(plain, match.start())
        and not _NEGATED.search(plain[: match.start()][-32:])
    ]
    if not found:
        if item.low == 0 and re.fullmatch(r"(?:\W*)(?:none|never|nil)(?:\W*)", plain):
            return _answer(reading, item=item, value=0)
        return None
    words = reading.words(found[0].start(), found[-1].end())
    values = distinct([int(match["n"]) for match in found])
    if len(values) > 1:
        return doubtful(
            item, values, words=words, question=f'You said "{words}": how many exactly?'
        )
    span = (found[0].start(), found[0].end())
    return _answer(reading, item=item, value=int(found[0]["n"]), span=span)


def _answer(
    reading: Reading, *, item: Slot, value: int, span: tuple[int, int] | None = None
) -> Answer | None:
    words = reading.words(*span) if span else reading.words()
    kept = stored(item, value)
    if kept is None:
        question = f'You said "{words}", I expect {item.low:g} to {item.high:g}: how many is it?'
        return doubtful(item, (), words=words, question=question)
    return Answer(values=(kept,), words=words, hedged=is_hedged(reading.text))
