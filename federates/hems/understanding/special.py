"""Quantities that are no plain number: amperes, plugs, "half full", a week of miles."""

from __future__ import annotations

import re
from typing import Final

from federates.hems.parameters.slots import Slot
from federates.hems.understanding.answer import Answer, Context, doubtful, stored
from federates.hems.understanding.numerals import numeral_readings, single_number
from federates.hems.understanding.reading import Reading
from federates.hems.understanding.sums import batteries, panels, worked_out
from federates.hems.understanding.units import KM_PER_MILE, MAINS_V, MAINS_V_ELSEWHERE

_N: Final = r"(?P<{}>[0-9]+(?:[.,][0-9]+)?)"
_AMPS_VOLTS: Final = re.compile(
    rf"(?<![^ ]){_N.format('amps')} ?(?:a|amps?) (?:\w+ |, |"
    rf"@ ){{0,3}}?{_N.format('volts')} ?(?:v|volts?)\b"
)
_AMP_HOURS: Final = re.compile(
    rf"(?<![^ ]){_N.format('amps')} ?(?:ah|amp ?hours?) (?:\w+ |, |"
    rf"@ ){{0,3}}?{_N.format('volts')} ?(?:v|volts?)\b"
)
_AMPS: Final = re.compile(
    rf"(?<![^ ]){_N.format('amps')} ?(?:a|amps?)\b(?! (?:day|week|month|unit))"
)
_THREE_PHASE: Final = re.compile(r"\b3 ?phases?\b")
_PLUG: Final = re.compile(
    r"\b(?:(?:13 ?(?:a|amps?) )?(?:3 pin|three pin|domestic|household|ordinary|normal|regular|"
    r"standard|"
    r"wall|granny)(?: wall| household| domestic| 3 pin| uk)? ?(?:plug|socket|outlet|lead|cable|"
    r"charger)"
    r"|granny (?:lead|cable|charger)|13 ?(?:a|amps?) (?:plug|socket))\b"
)
_PLUG_KW: Final = {"en-US": (1.4,)}
_PLUG_KW_ELSEWHERE: Final = (2.3, 3.0)
_SHARES: Final = (
    (re.compile(r"\b3 quarters?(?: (?:full|charged|of (?:it|the battery|a charge)))?\b"), 0.75),
    (re.compile(r"\b2 thirds?(?: (?:full|charged))?\b"), 2 / 3),
    (re.compile(r"\b(?:1|a) third(?: (?:full|charged))?\b"), 1 / 3),
    (re.compile(r"\b(?:1|a) quarter(?: (?:full|charged))?\b"), 0.25),
    (re.compile(r"\b(?:1|a) fifth\b"), 0.2),
    (re.compile(r"\b(?:1|a) tenth\b"), 0.1),
    (re.compile(r"\b4 fifths\b"), 0.8),
    (re.compile(r"\b9 tenths\b"), 0.9),
    (re.compile(r"\bhalf(?: (?:full|charged|way|of (?:it|the battery)))?\b"), 0.5),
)
_FULL: Final = re.compile(
    r"\b(?:completely|totally|absolutely|fully|all the way|always|right)? ?"
    r"(?:full|fully charged|to the (?:top|brim)|topped (?:right )?up|brimmed|maxed out|all "
    r"the way up)\b"
)
_NOT_FULL: Final = re.compile(
    r"\b(?:not|doesnt|dont|never|isnt|how|nearly|almost|mostly|half|quarters?|thirds?|near)\b"
)
_NONE: Final = re.compile(
    r"\b(?:none|nothing|nowt|zilch|zip|nada|nil|no reserve|(?:a|an) big fat 0|not a (?:penny|"
    r"cent|bean)|"
    r"dont get (?:paid )?(?:anything|a (?:penny|cent|thing))|for free|unpaid|"
    r"dont (?:keep|hold|need) (?:any|anything)(?: back)?|use (?:it all|all of it))\b"
)
_DIGIT: Final = re.compile(r"[0-9]")
_DISTANCE: Final = re.compile(
    rf"(?<![^ ]){_N.format('number')} ?(?P<unit>miles?|mi|km|kms|kilomet(?:re|er)s?|k)? ?"
    r"(?P<per>(?:each|1|either|every|per) way|there and (?:then )?(?:the same )?(?:back|"
    r"home)(?: again)?|(?:in )?(?:each|1|either) direction|both ways|round trip|"
    r"(?:a|per|/|each|every) (?:week|month|year|annum)|annually|yearly|weekly|monthly|pa)\b"
)
_DAYS: Final = {"week": 7.0, "month": 365 / 12, "year": 365.0, "annu": 365.0, "pa": 365.0}

_TO_WORK: Final = re.compile(
    rf"(?<![^ ]){_N.format('number')} ?(?P<unit>miles?|mi|km|kms|kilomet(?:re|er)s?) "
    r"(?:there|to (?:work|the (?:office|station|shops?)|school)|from work)\b"
)
_LEAST_DAILY: Final = 0.5
_TRIPS: Final = re.compile(
    r"\b(?:twice|thrice|[2-9] (?:times|x|trips)) (?:a|per|each|every) (?:\w+ )?(?:day|week|month)\b"
)
_PER_FUEL: Final = re.compile(
    r"(?:[£€$] ?)?(?<![0-9.,])[0-9]+(?:[.,][0-9]+)?"
    r"(?: ?(?:p|pence|cents?|c|pounds?|euros?|dollars?))? (?:a|an|per|/|each|for a) "
    r"(?:litres?|liters?|l|gallons?|gals?|kg|kilos?|kilograms?|bottles?|tanks?|"
    r"cylinders?|cubic \w+|m3|tonnes?|bags?|day|week|month|quarter|year)\b"
)
_HEIGHT: Final = re.compile(
    r"\b(?:up to|as (?:high|tall) as|about|around|reaches|comes (?:up )?to) (?:(?:my|your|the) )?"
    r"(?P<at>waist|chest)\b"
)
_TANK_L: Final = {"waist": 120.0, "chest": 180.0}
"""As the help of the question says. [L]"""


def power_sources(reading: Reading, *, item: Slot, context: Context) -> Answer | None:
    """Return the power of solar panels, of amperes at a voltage, or of a household plug."""
    plain = reading.text
    if item.key == "pv.peak_kw" and (together := panels(reading, item=item)) is not None:
        return together
    match = _AMPS_VOLTS.search(plain)
    if match is not None:
        power_kw = single_number(match["amps"]) * single_number(match["volts"]) / 1000
        return worked_out(reading, match.span(), item=item, value=power_kw, unit="a")
    if item.name == "charger_kw" and (match := _PLUG.search(plain)) is not None:
        if re.search(r"\bkw|watt", plain):
            return None
        readings = _PLUG_KW.get(context.locale, _PLUG_KW_ELSEWHERE)
        shown = " or ".join(f"{reading_kw:g}" for reading_kw in readings)
        question = f"A household plug usually gives {shown} kW: is that how you charge?"
        words = reading.words(*match.span())
        return doubtful(item, readings, words=words, question=question)
    if _THREE_PHASE.search(plain) and (match := _AMPS.search(plain)) is not None:
        volts = MAINS_V.get(context.locale, MAINS_V_ELSEWHERE)
        power_kw = 3 * single_number(match["amps"]) * volts / 1000
        return worked_out(reading, match.span(), item=item, value=power_kw, unit="a")
    return None


def energy_of_amp_hours(reading: Reading, *, item: Slot) -> Answer | None:
    """Return the energy of "200 Ah at 48 V" or of several batteries; Ah alone are no energy."""
    match = _AMP_HOURS.search(reading.text)
    if match is None:
        return batteries(reading, item=item) if item.key == "battery.capacity_kwh" else None
    energy_kwh = single_number(match["amps"]) * single_number(match["volts"]) / 1000
    return worked_out(reading, match.span(), item=item, value=energy_kwh, unit="ah")


def percent_words(reading: Reading, *, item: Slot) -> Answer | None:
    """Return "three quarters", "half full", "to the top", "nothing"."""
    plain = reading.text
    if re.search(r"[0-9] ?(?:%|per ?cent|pc)", plain):
        return None
    for pattern, share in _SHARES:
        match = pattern.search(plain)
        if match is not None:
            return worked_out(reading, match.span(), item=item, value=share, unit="")
    match = _FULL.search(plain)
    if match is not None and not _DIGIT.search(plain):
        if _NOT_FULL.search(plain):
            return None
        return worked_out(reading, match.span(), item=item, value=1.0, unit="")
    return zero_words(reading, item=item) if item.low == 0 else None


def zero_words(reading: Reading, *, item: Slot) -> Answer | None:
    """Return zero for "nothing" where no digit says otherwise."""
    match = _NONE.search(reading.text)
    if match is None or _DIGIT.search(reading.text) or stored(item, 0.0) is None:
        return None
    if item.name.startswith(("import", "peak", "off_peak", "fuel")):
        return None
    return worked_out(reading, match.span(), item=item, value=0.0, unit="")


def price_words(reading: Reading, *, item: Slot) -> Answer | None:
    """Return zero for "nothing", and a question where fuel is priced by the litre."""
    match = _PER_FUEL.search(reading.text) if item.name == "fuel_cost_per_kwh" else None
    if match is None:
        return zero_words(reading, item=item)
    question = "I need what a kilowatt hour from it costs: do you know that, roughly?"
    return doubtful(item, (), words=reading.words(*match.span()), question=question)


def tank_by_height(reading: Reading, *, item: Slot) -> Answer | None:
    """Return what a tank "up to my chest" usually holds, to be asked about."""
    match = _HEIGHT.search(reading.text)
    if match is None or _DIGIT.search(reading.text):
        return None
    words = reading.words(*match.span())
    volume_l = _TANK_L[match["at"]]
    question = f'A tank "{words}" usually holds about {volume_l:g} litres: is that right?'
    return doubtful(item, (volume_l,), words=words, question=question)


def per_period(reading: Reading, *, item: Slot, context: Context) -> Answer | None:
    """Return a day's distance from one way, a week or a year; the latter two are asked about."""
    match = _DISTANCE.search(reading.text)
    if _TRIPS.search(reading.text) and _DIGIT.search(reading.text):
        question = "How far is that altogether on a usual day?"
        return doubtful(item, (), words=reading.words(), question=question)
    if match is None:
        return _one_way(reading, item=item, context=context)
    in_km = (match["unit"] or "").startswith("k")
    in_miles = (match["unit"] or "").startswith("mi") or context.locale in {"en-GB", "en-US"}
    factor = KM_PER_MILE if in_miles and not in_km else 1.0
    per = match["per"]
    said = [number * factor for number in numeral_readings(match["number"])]
    if per.startswith(("there", "round")) and "same" not in per:
        value = said[-1] if said else 0.0
        return worked_out(
            reading, match.span(), item=item, value=value, unit="km" if factor == 1 else "mi"
        )
    days = next((days for name, days in _DAYS.items() if name in per), None)
    if days is None:
        value = 2 * said[-1] if said else 0.0
        return worked_out(
            reading, match.span(), item=item, value=value, unit="km" if factor == 1 else "mi"
        )
    words = reading.words(*match.span())
    daily = [number / days for number in said if number / days >= _LEAST_DAILY]
    shown = " or ".join(f"{km / factor:.0f}" for km in daily)
    unit = "km" if factor == 1 else "miles"
    question = f'"{words}" is about {shown} {unit} a day: is that right?'
    return doubtful(item, daily, words=words, question=question)


def _one_way(reading: Reading, *, item: Slot, context: Context) -> Answer | None:
    """Return a question where "20 miles to work" leaves the way back open."""
    match = _TO_WORK.search(reading.text)
    if match is None or re.search(r"\b(?:round trip|in total|altogether|and back)\b", reading.text):
        return None
    numbers = numeral_readings(match["number"])
    in_km = match["unit"].startswith("k")
    daily = [
        factor * number * (1 if in_km else KM_PER_MILE) for number in numbers for factor in (2, 1)
    ]
    words = reading.words(*match.span())
    return doubtful(item, daily, words=words, question="How far is that there and back?")
