"""The size of a heat pump as people say it: makers name the heat it gives, not what it draws."""

from __future__ import annotations

import re
from typing import Final

from federates.hems.parameters import building
from federates.hems.parameters.assumptions import heat_pump_cop
from federates.hems.parameters.slots import Slot, Values
from federates.hems.understanding.answer import Answer, doubtful
from federates.hems.understanding.reading import Reading

_POWER: Final = "heating.rated_electric_kw"
_PUMP: Final = re.compile(
    r"\b(?:heat ?pumps?|ashp|gshp|air source|ground source|daikin|vaillant|mitsubishi|ecodan|"
    r"samsung|panasonic|aquarea|altherma|arotherm|grant|nibe|viessmann|bosch|worcester|stiebel|"
    r"octopus cosy|hitachi|toshiba|midea|kensa)\b"
)
_DRAWS: Final = re.compile(
    r"\b(?:electric\w*|draw(?:s|n|ing)?|input|consum\w+|pull(?:s|ing)?|absorb\w*|us(?:es?|ing)|"
    r"takes?|needs?|amps?|fused?|breaker|maxes)\b"
)
_THERMAL: Final = re.compile(
    r"\b(?:thermal\w*|(?:heat|heating) (?:output|capacity|it (?:gives|puts|makes|produces|"
    r"delivers))|(?:gives?|puts?|giving|putting) (?:\w+ )?out|output|of heat)\b"
)
_ELECTRIC: Final = re.compile(r"\b(?:electric(?:al|ity)?|draws?|input|consumes?|pulls?)\b")
"""What a heat pump draws, where its heat was named as well."""


def is_heat(plain: str, *, item: Slot, known: Values) -> bool:
    """Return whether a text gives the heat of a heat pump where its electric power was asked."""
    if item.key != _POWER or known.get("heating.kind") == "resistive":
        return False
    return _THERMAL.search(plain) is not None and _ELECTRIC.search(plain) is None


def heat_or_electricity(
    answer: Answer | None, reading: Reading, *, item: Slot, known: Values
) -> Answer | None:
    """Return an answer, or a question where "a 7 kW heat pump" may be the heat it gives.

    Args:
        answer: What the text says about the slot.
        reading: The text.
        item: The slot; others than the power of a heat pump are left alone.
        known: What is known of the home.
    """
    if (
        answer is None
        or not answer.is_sure
        or item.key != _POWER
        or known.get("heating.kind", "heat_pump") != "heat_pump"
        or _PUMP.search(reading.text) is None
        or _DRAWS.search(reading.text) is not None
    ):
        return answer
    said_kw = float(answer.values[0])  # type: ignore[arg-type]
    cop = heat_pump_cop(known, outdoor_temp_c=building.UK_DESIGN_TEMP_C)
    drawn_kw = round(said_kw / cop, 1)
    question = (
        f"Is {said_kw:g} kW the electricity it draws, or the heat it gives? As heat it draws "
        f"about {drawn_kw:g} kW."
    )
    return doubtful(
        item, (said_kw, drawn_kw), words=answer.words, question=question, unit=answer.unit
    )
