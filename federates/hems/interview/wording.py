"""Words for the householder: values, questions, menus, read-backs; no model writes any of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal

from federates.hems.interview.conversion import unit_of
from federates.hems.parameters.conflict import Conflict
from federates.hems.parameters.slot import Slot, SlotKind, Span, Value
from federates.hems.parameters.slots import slot
from federates.hems.parameters.sources import Provenance
from federates.hems.understanding.units import KM_PER_MILE, L_PER_GALLON, M2_PER_SQUARE_FOOT

_NAMES: Final[Mapping[str, str]] = {
    "household.n_evs": "number of electric cars",
    "household.home_weekday": "at home on weekdays",
    "household.home_weekend": "at home at weekends",
    "household.built_year": "built in",
    "household.devices": "you have",
    "comfort.temp_day_c": "temperature by day",
    "comfort.temp_night_c": "temperature at night",
    "comfort.temp_min_c": "never colder than",
    "comfort.temp_max_c": "never warmer than",
    "comfort.day_hours": "daytime temperature",
    "battery.charge_from_grid": "may charge from the grid",
    "battery.discharge_to_grid": "may sell to the grid",
    "heating.emitter": "it feeds",
    "heating.rated_electric_kw": "most electricity it draws",
    "flexibility.participate": "take part in network events",
    "flexibility.data_consent": "share answers with the network company",
    "flexibility.never_touch": "never controlled by the system",
    "flexibility.priority": "matters most",
    "flexibility.comfort_slack_k": "degrees of leeway in an event",
}
_PLAIN_NAMES: Final[Mapping[str, str]] = {
    "v2g": "may give electricity back",
    "night_ok": "may run at night",
}
"""By the last part of the key, in every section."""
_SECTIONS: Final[Mapping[str, str]] = {
    "household": "your household",
    "heating": "your heating",
    "comfort": "temperatures",
    "hot_water": "hot water",
    "tariff": "your electricity price",
    "battery": "your home battery",
    "pv": "your solar panels",
    "evs.1": "your electric car",
    "evs.2": "your second electric car",
    "generator": "your generator",
    "flexibility": "what the system may do",
}
_ASSUMED: Final[Mapping[Provenance, str]] = {
    Provenance.DEFAULT: " (assumed)",
    Provenance.INFERRED: " (worked out)",
}
_UNITS: Final = {
    "m2": "square metres",
    "degC": "degrees",
    "deg": "degrees",
    "L": "litres",
    "min": "minutes",
    "K": "degrees",
}
_WORDS: Final = {
    "ev": "electric car",
    "pv": "solar panels",
    "time_of_use": "depends on the time of day",
    "flat": "always the same",
    "dynamic": "changes from hour to hour",
    "resistive": "electric heaters",
}
ReadBack = Literal["first", "changed", "not_understood", "once_more"]
_LEADS: Final[Mapping[ReadBack, str]] = {
    "first": "Let me read back, about {section}:",
    "changed": "Now it reads, about {section}:",
    "not_understood": "I did not understand what is not right about {section}. Please name the "
    'line and say how it should be, such as "{example}". I have:',
    "once_more": "Once more, about {section}:",
}
"""How a read-back begins."""
_SAID_IN: Final[Mapping[tuple[SlotKind, str], tuple[float, str]]] = {
    (SlotKind.LENGTH_KM, "mi"): (1 / KM_PER_MILE, "miles"),
    (SlotKind.AREA_M2, "ft2"): (1 / M2_PER_SQUARE_FOOT, "square feet"),
    (SlotKind.VOLUME_L, "uk_gal"): (1 / L_PER_GALLON["imperial"], "gallons"),
    (SlotKind.VOLUME_L, "us_gal"): (1 / L_PER_GALLON["american"], "US gallons"),
    (SlotKind.PRICE_PER_KWH, "minor"): (100.0, "pence per kWh"),
    (SlotKind.PRICE_PER_KWH, "cent"): (100.0, "cents per kWh"),
}
"""From the stored unit to the one that was said, by kind of slot."""


def value_words(item: Slot, value: Value, *, currency: str = "", unit: str = "") -> str:
    """Return a stored value as a householder would read it.

    Args:
        item: The slot.
        value: In stored form.
        currency: Of prices.
        unit: In which it was said; unknown ones give the slot's own.
    """
    said: Any = value
    if unit:
        # Rules give the name of a unit, language models the householder's word for it.
        name = unit if (item.kind, unit) in _SAID_IN else unit_of(unit)
        factor, named = _SAID_IN.get((item.kind, name), (0.0, ""))
        if named:
            return f"{factor * said:.4g} {named}"
        if item.kind is SlotKind.TEMPERATURE_C and name == "degf":
            return f"{1.8 * said + 32:.4g} degrees Fahrenheit"
    match item.kind:
        case SlotKind.BOOLEAN:
            words = "yes" if said else "no"
        case SlotKind.CHOICE:
            words = _word(said, item=item)
        case SlotKind.CHOICES:
            words = ", ".join(_word(word, item=item) for word in said) or "none"
        case SlotKind.INTERVALS:
            words = ", ".join(_span_words(span) for span in said) or "never"
        case SlotKind.PERCENT:
            words = f"{100 * said:.3g} percent"
        case SlotKind.PRICE_PER_KWH:
            words = f"{said:.4g} {currency} per kWh".replace("  ", " ")
        case SlotKind.CLOCK | SlotKind.TEXT | SlotKind.INTEGER:
            words = str(said)
        case _:
            words = f"{said:.4g} {_UNITS.get(item.unit, item.unit)}".rstrip()
    return words


def name_words(item: Slot) -> str:
    """Return what a slot is called in a list."""
    plain = item.name
    for ending in ("_kwh", "_kw", "_km", "_m2", "_min", "_deg", "_c", "_l", "_per"):
        plain = plain.removesuffix(ending)
    return _NAMES.get(item.key) or _PLAIN_NAMES.get(item.name, plain.replace("_", " "))


def section_words(section: str) -> str:
    """Return what a section is called."""
    named = _SECTIONS.get(section)
    return named or f"your {section.rpartition('.')[2].replace('_', ' ')}"


def noted(
    values: Mapping[str, Value], *, currency: str, units: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return what was just written down, in the units that were said, so that slips show."""
    told = [
        f"{section_words(slot(key).section)}, {name_words(slot(key))}: "
        f"{value_words(slot(key), value, currency=currency, unit=units.get(key, ''))}"
        for key, value in values.items()
    ]
    return f"Noted ({'; '.join(told)})." if told else ""


def question(items: Sequence[Slot], *, asked_before: bool) -> str:
    """Return the question for one slot, or a form for several."""
    if len(items) == 1:
        item = items[0]
        return f"{item.help} {item.question}".strip() if asked_before else item.question
    lines = "\n".join(f"- {item.question}" for item in items)
    return f"Please tell me about {section_words(items[0].section)}:\n{lines}"


def helped(items: Sequence[Slot]) -> str:
    """Return help for what was asked."""
    return " ".join(f"{item.help} {item.question}" for item in items) + (
        ' You can also say "skip", "undo" or "stop".'
    )


def menu(item: Slot, options: Sequence[Value], *, lead: str, currency: str) -> str:
    """Return a choice between values."""
    lines = [
        f"{number}) {value_words(item, value, currency=currency)}"
        for number, value in enumerate(options, start=1)
    ]
    tail = 'Say the number, something else, or "I don\'t know".'
    return "\n".join([f"{lead} {item.question}", *lines, tail])


def conflict_words(conflict: Conflict) -> str:
    """Return what does not fit together, and what to do about it."""
    return f"Two things do not fit together. {conflict.question}"


def read_back(
    section: str,
    values: Mapping[str, Value],
    *,
    provenances: Mapping[str, Provenance],
    units: Mapping[str, str],
    currency: str,
    manner: ReadBack,
) -> str:
    """Return a section for the householder to agree to or correct.

    Args:
        section: The section.
        values: What is known of it.
        provenances: Where each value comes from.
        units: In which values were said, where that is known.
        currency: Of prices.
        manner: Whether it is read for the first time, has changed since, or was turned down
            in words that changed nothing.
    """
    lines = [
        f"{name_words(slot(key))}: "
        f"{value_words(slot(key), value, currency=currency, unit=units.get(key, ''))}"
        for key, value in values.items()
    ]
    lead = _LEADS[manner].format(section=section_words(section), example=lines[0])
    told = [
        f"- {line}{_ASSUMED.get(provenances[key], '')}"
        for key, line in zip(values, lines, strict=True)
    ]
    return "\n".join([lead, *told, "Is that right? Else say what is not."])


def ending(
    reason: str,
    *,
    assumed: Mapping[str, Value],
    open_: Iterable[str],
    not_agreed: Sequence[str],
    currency: str,
) -> str:
    """Return the last message: why it ends, what is in doubt, and what nobody was asked.

    Args:
        reason: How it ends.
        assumed: Values taken without asking.
        open_: What does not fit together.
        not_agreed: Sections that were read back and never agreed to.
        currency: Of prices.
    """
    leads = {
        "done": "Thank you, that is everything.",
        "stopped": "Stopped. What you told me is kept; you can go on later.",
        "budget": "We have talked for long enough, so I stop here. What you told me is kept.",
        "failed": "I cannot go on, because the language model is not available. What you told me "
        "is kept; you can go on later.",
    }
    parts = [leads[reason]]
    doubts = list(open_)
    if doubts:
        parts.append("Left as it is, though it does not fit together: " + " ".join(doubts))
    if not_agreed:
        named = ", ".join(section_words(section) for section in not_agreed)
        parts.append(f"You have not agreed to what I read back about {named}; it stays as noted.")
    taken = [
        f"{section_words(slot(key).section)}, {name_words(slot(key))} "
        f"{value_words(slot(key), value, currency=currency)}"
        for key, value in assumed.items()
    ]
    if taken:
        parts.append(f"Taken without asking: {'; '.join(taken)}.")
    return "\n".join(parts)


def _word(word: str, *, item: Slot) -> str:
    if item.key == "hot_water.kind" and word == "resistive":
        return "electric immersion heater"
    if item.name == "never_touch" and word == "heat_pump":
        return "heating"  # of any electric kind
    if item.name == "weekend_use" and word == "none":
        return "stays at home"
    if item.key == "household.house_type" and word == "flat":
        return "flat"
    return _WORDS.get(word, word.replace("_", " "))


def _span_words(span: Span) -> str:
    start, end = span["start"], span["end"]
    return "all day" if (start, end) == ("00:00", "24:00") else f"{start} to {end}"
