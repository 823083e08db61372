"""Numbers with units: power, energy, percent, temperature, price, duration, length, volume."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from federates.hems.parameters.slots import Slot, SlotKind
from federates.hems.understanding.answer import Answer, Context, distinct, doubtful, stored
from federates.hems.understanding.durations import hours_and_minutes
from federates.hems.understanding.heat_pump_size import is_heat
from federates.hems.understanding.hedges import bounds_the_wrong_way, is_hedged
from federates.hems.understanding.not_quantities import (
    AFTER,
    is_beside_the_point,
    is_pronoun,
)
from federates.hems.understanding.numerals import numeral_readings
from federates.hems.understanding.options import Option, with_unit, without_unit
from federates.hems.understanding.reading import Reading
from federates.hems.understanding.special import (
    energy_of_amp_hours,
    per_period,
    percent_words,
    power_sources,
    price_words,
    tank_by_height,
)
from federates.hems.understanding.units import period_at, unit_at

NUMBER: Final = re.compile(
    r"(?<![^ ])(?P<minus>minus |negative )?(?P<number>[0-9]+(?:[.,][0-9]+)*)(?![^ ])"
)
_PART: Final = re.compile(
    r"(?<![^ ])(?:(?P<half>half (?:of )?(?:an? )?)|(?P<quarter>(?:a |1 )?quarter of an? )|"
    r"(?P<three>3 quarters of an? ))"
)
_A_DEGREE: Final = re.compile(
    r"\b(?:an?|1) degree(?P<half> and a half| or (?:so|thereabouts))?\b(?! or (?:2|3|two)|"
    r" ?(?:f|c|fahrenheit|celsius)\b)"
)
_PARTS: Final = {"half": 0.5, "quarter": 0.25, "three": 0.75}
_TIME_AFTER: Final = re.compile(r" ?(?:in the (?:morning|evening|afternoon)|at night)\b")
_BEFORE: Final = re.compile(
    r"(?:\b(?:model|id|id \.|type|zs|mg|niro|kona|ioniq|polestar|leaf|q|i|ev|e|series|mark|mk|gen|"
    r"economy|version|octopus|sap|epc|number|option|phase|past|quarter to|answer|question|section|"
    r"page|class|band|x|v|level|tier|covid|page) ?-? ?|\b\d+ (?:to|past) half )$"
)
_PRODUCT: Final = re.compile(
    r"\b(?:power ?wall|tesla|giv ?energy|pylontech|solar ?edge|enphase|sonnen|byd|huawei|growatt|"
    r"fox ?ess|alpha ?ess|sofar|solis|victron|sunsynk|zappi|eddi|ohme|hypervolt|easee|wallbox|"
    r"pod ?point|vaillant|daikin|mitsubishi|samsung|panasonic|bosch|siemens|miele|grant|nibe|"
    r"viessmann|resu|mixergy|sunamp|vw|volkswagen|kia|hyundai|nissan|renault|peugeot|mini|bmw|audi|"
    r"volvo|skoda|cupra|polestar) (?:[a-z]{1,3} )?$"
)
"""A number right after it belongs to the name of the product."""
_CURRENCY_BEFORE: Final = re.compile(r"(?P<sign>[£€$]|\b(?:gbp|eur|usd)) ?$")
_SIGNS: Final = {"£": "gbp", "€": "eur", "$": "usd"}
_JOINS: Final = re.compile(r" (?:-|to|or|and|till|until|through|or maybe|maybe|up to|possibly) ")
_NEGATED: Final = re.compile(
    r"\b(?:its not|it isnt|isnt|is not|wasnt|was not|not|arent) (?:a |an |the |at )?$"
)
_BOUNDED: Final = re.compile(
    r"\b(?:more|less|over|under|above|below|before|after|later|earlier) than ?$"
)
_BY_TIME: Final = frozenset({SlotKind.TEMPERATURE_C, SlotKind.PRICE_PER_KWH})
"""Kinds whose values differ by the time of day: "18 at night" is no time."""
_LIMITED: Final = re.compile(
    r"\b(?:but|only|though|although|however|limit\w*|cap(?:s|ped)|max\w*|"
    r"peak|continuous\w*|usable|nominal)\b"
)
_KELVIN_WIDTH: Final = 2.0
_SHARE_WIDTH: Final = 0.2
_PERCENT_WIDTH: Final = 0.1


@dataclass(frozen=True)
class Mention:
    """One number in a text and what it may be worth in the slot."""

    start: int
    end: int
    options: tuple[Option, ...]
    """In the slot's bounds."""
    has_unit: bool


def quantity(reading: Reading, *, item: Slot, context: Context) -> Answer | None:
    """Return the quantity a text names for a slot, or None where it names none.

    A unit of another kind is never converted ("7 kW" for an energy becomes a question), nor is a
    number outside the slot's bounds.
    """
    plain = reading.text
    special = _special(reading, item=item, context=context)
    if special is not None:
        return special
    found = [
        mention
        for mention in _mentions(plain, item=item, context=context)
        if mention.has_unit or not is_pronoun(reading, mention.start, mention.end)
    ]
    if any(mention.has_unit for mention in found) and not _in_contrast(plain, found, item=item):
        found = [mention for mention in found if mention.has_unit]
    elif len(found) > 1 and any(mention.options for mention in found):
        found = [mention for mention in found if mention.options]
    if not found:
        return None
    words = reading.words(found[0].start, found[-1].end)
    usable = [mention for mention in found if mention.options]
    if not usable:
        return doubtful(item, (), words=words, question=_out_of_range(item, words))
    if bounds_the_wrong_way(item, plain):
        return None
    return _answer(reading, usable, item=item, context=context)


def _in_contrast(plain: str, found: list[Mention], *, item: Slot) -> bool:
    """Whether a number without a unit limits another: "a 22 kW box but the car only takes 11"."""
    if item.kind not in {SlotKind.POWER_KW, SlotKind.ENERGY_KWH} or len(found) != 2:
        return False
    limited = found[0].has_unit and _LIMITED.search(plain, found[0].end) is not None
    return limited and all(mention.options for mention in found)


def _answer(reading: Reading, usable: list[Mention], *, item: Slot, context: Context) -> Answer:
    """Return what the numbers that fit the slot stand for."""
    if is_heat(reading.text, item=item, known=context.known):
        words = reading.words(usable[0].start, usable[-1].end)
        question = "I need the electricity it draws, not the heat it gives."
        return doubtful(item, (), words=words, question=question)
    if len(usable) > 1:
        return _several(reading, usable, item=item)
    return _one(reading, usable[0], item=item)


def _special(  # noqa: PLR0911 - one line a kind
    reading: Reading, *, item: Slot, context: Context
) -> Answer | None:
    """Return what is no plain number: panels, plugs, "half full", "nothing", "200 miles a week"."""
    match item.kind:
        case SlotKind.POWER_KW:
            return power_sources(reading, item=item, context=context)
        case SlotKind.ENERGY_KWH:
            return energy_of_amp_hours(reading, item=item)
        case SlotKind.DURATION_MIN:
            return hours_and_minutes(reading, item=item)
        case SlotKind.PERCENT:
            return percent_words(reading, item=item)
        case SlotKind.PRICE_PER_KWH:
            return price_words(reading, item=item)
        case SlotKind.VOLUME_L:
            return tank_by_height(reading, item=item)
        case SlotKind.LENGTH_KM:
            return per_period(reading, item=item, context=context)
    return None


def _one(reading: Reading, mention: Mention, *, item: Slot) -> Answer:
    """Return the answer of a single number."""
    words = reading.words(mention.start, mention.end)
    values = distinct([option.value for option in mention.options])
    first = mention.options[0]
    if len(values) > 1 or first.is_doubtful:
        return doubtful(
            item, values, words=words, question=_which(item, mention.options, words=words)
        )
    odd_unit = not mention.has_unit and first.unit in {"w", "wh", "ft2", "h", "degf"}
    value = stored(item, first.value)
    return Answer(
        values=() if value is None else (value,),
        words=words,
        hedged=is_hedged(reading.text) or odd_unit,
        unit=first.unit,
        explicit=mention.has_unit,
        question="" if value is not None else _out_of_range(item, words),
    )


def _several(reading: Reading, found: list[Mention], *, item: Slot) -> Answer:
    """Return the middle of a narrow range, else all readings."""
    words = reading.words(found[0].start, found[-1].end)
    values = distinct([option.value for m in found for option in m.options])
    certain = not any(option.is_doubtful for m in found for option in m.options)
    if len(values) == 1 and certain:
        return _one(reading, found[0], item=item)
    numbers = [value for value in values if isinstance(value, float)]
    if certain and len(numbers) == len(values) and _are_alike(item, numbers):
        return _one(reading, found[0], item=item)
    if (
        certain
        and len(values) == 2
        and len(found) == 2
        and _JOINS.fullmatch(_between(reading.text, found))
        and _is_narrow(item, numbers)
    ):
        middle = stored(item, sum(numbers) / 2)
        if middle is not None:
            return Answer(
                values=(middle,),
                words=words,
                hedged=True,
                unit=found[-1].options[0].unit,
                explicit=found[-1].has_unit,
            )
    return doubtful(item, values, words=words, question=f'You said "{words}": which one is it?')


def _between(plain: str, found: list[Mention]) -> str:
    return plain[found[0].end : found[1].start]


def _are_alike(item: Slot, numbers: list[float]) -> bool:
    """Whether numbers are one value in two units: "60 F, so 15 and a half Celsius"."""
    width = max(item.tolerance.absolute, item.tolerance.relative * abs(numbers[0]))
    return max(numbers) - min(numbers) <= width / 2


def _is_narrow(item: Slot, numbers: list[float]) -> bool:
    """Whether the middle of two numbers is close enough to both."""
    if len(numbers) != 2:
        return False
    width, middle = abs(numbers[1] - numbers[0]), abs(sum(numbers)) / 2
    if item.kind is SlotKind.TEMPERATURE_C:
        return width <= _KELVIN_WIDTH
    if item.kind is SlotKind.PERCENT:
        return width <= _PERCENT_WIDTH + 1e-9
    return width <= _SHARE_WIDTH * middle + 1e-9


def _mentions(plain: str, *, item: Slot, context: Context) -> Iterator[Mention]:
    """Yield the numbers of a text that may be about the slot."""
    for match in NUMBER.finditer(plain):
        mention = _mention(plain, match, item=item, context=context)
        if mention is not None:
            yield mention
    if item.name == "comfort_slack_k":
        for match in _A_DEGREE.finditer(plain):
            number = 1.5 if match["half"] == " and a half" else 1.0
            if match.group()[0] == "a" and not plain[: match.start()].endswith(("half ", "of ")):
                options = tuple(with_unit(item, number, unit="deg", context=context))
                yield Mention(match.start(), match.end(), _in_bounds(item, options), has_unit=True)
    for match in _PART.finditer(plain):
        unit = unit_at(plain, match.end() - 1)
        if unit is not None and unit.name != "a":
            number = _PARTS[str(match.lastgroup)]
            options = tuple(with_unit(item, number, unit=unit.name, context=context))
            if options:
                yield Mention(match.start(), unit.end, _in_bounds(item, options), has_unit=True)


def _mention(plain: str, match: re.Match[str], *, item: Slot, context: Context) -> Mention | None:  # noqa: PLR0911 - one way of saying it after the other
    """Return what one number may be about, or None where it is about something else."""
    written, start, end = match["number"], match.start(), match.end()
    sign = -1.0 if match["minus"] else 1.0
    before = plain[max(0, start - 24) : start]
    if is_beside_the_point(plain, start, end, item=item):
        return None
    if _NEGATED.search(before) and not _BOUNDED.search(before):
        return None
    numbers = [sign * number for number in numeral_readings(written)]
    currency = _CURRENCY_BEFORE.search(before)
    if currency is not None:
        unit_name = _SIGNS.get(currency["sign"], currency["sign"])
        start -= len(currency.group())
        following = unit_at(plain, end)
        if following is not None and following.name in {"minor", "cent"}:
            return None
        stop = end
    else:
        unit_name, stop = _unit_of(plain, end, item=item)
    if item.kind is SlotKind.PRICE_PER_KWH and period_at(plain, stop):
        return None
    if unit_name:
        options = [o for n in numbers for o in with_unit(item, n, unit=unit_name, context=context)]
        if not options:
            return None
        return Mention(start, stop, _in_bounds(item, options), has_unit=True)
    if AFTER.match(plain, end) or _BEFORE.search(before) or _PRODUCT.search(before):
        return None
    if item.kind not in _BY_TIME and _TIME_AFTER.match(plain, end):
        return None
    if item.kind is not SlotKind.LENGTH_KM and period_at(plain, end):
        return None
    options = [
        option
        for number in numbers
        for option in without_unit(item, number, context=context, written=written)
    ]
    return Mention(start, end, _in_bounds(item, options), has_unit=False)


def _unit_of(plain: str, at: int, *, item: Slot) -> tuple[str, int]:
    """Return the unit of a number and where it ends; "6 to 8 kW" gives both numbers kW."""
    unit = unit_at(plain, at)
    if unit is not None:
        return unit.name, unit.end
    joint = _JOINS.match(plain, at)
    second = NUMBER.match(plain, joint.end()) if joint is not None else None
    if second is None:
        return "", at
    unit = unit_at(plain, second.end())
    return (unit.name, at) if unit is not None else ("", at)


def _in_bounds(item: Slot, options: list[Option] | tuple[Option, ...]) -> tuple[Option, ...]:
    """Return the options that the slot can hold, sure ones alone if there are any."""
    low, high = item.low or 0.0, item.high or 0.0
    kept = [
        Option(round(min(max(option.value, low), high), 6), option.unit, option.is_doubtful)
        for option in options
        if low - 1e-9 <= option.value <= high + 1e-9
    ]
    sure = [option for option in kept if not option.is_doubtful]
    return tuple(sure or kept)


def _out_of_range(item: Slot, words: str) -> str:
    unit = "percent" if item.kind is SlotKind.PERCENT else item.unit
    scale = 100 if item.kind is SlotKind.PERCENT else 1
    low, high = (item.low or 0) * scale, (item.high or 0) * scale
    return f'You said "{words}", I expect {low:g} to {high:g} {unit}: what is it exactly?'.replace(
        " :", ":"
    )


def _which(item: Slot, options: tuple[Option, ...], *, words: str) -> str:
    """Return a question between readings that differ by their unit."""
    unit = options[0].unit
    if len(options) == 1:
        meant = {"degf": "degrees Fahrenheit", "kw": "kW", "kwh": "kWh"}.get(unit, item.unit)
        if item.kind is SlotKind.PRICE_PER_KWH:
            meant = f"{options[0].value:.4g} {meant}"
        return f'You said "{words}": is that {meant}?'
    shown = " or ".join(f"{option.value:.4g} {item.unit}".strip() for option in options[:3])
    return f'You said "{words}": does that mean {shown}?'
