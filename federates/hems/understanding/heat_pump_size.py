"""The size of a heat pump as people say it: makers name the heat it gives, not what it draws."""

from __future__ import annotations

import re
from typing import Final

from federates.hems.parameters import building
from federates.hems.parameters.assumptions import heat_pump_efficiency
from federates.hems.parameters.slots import Slot, Values
from federates.hems.understanding.answer import Answer, doubtful
from federates.hems.understanding.reading import Reading

_PUMP: Final = re.compile(
    r"\b(?:heat ?pumps?|ashp|gshp|air source|ground source|daikin|vaillant|mitsubishi|ecodan|"
    r"samsung|panasonic|aquarea|altherma|arotherm|grant|nibe|viessmann|bosch|worcester|stiebel|"
    r"octopus cosy|hitachi|toshiba|midea|kensa)\b"
)
_ELECTRIC: Final = re.compile(
    r"\b(?:electric\w*|draw(?:s|n|ing)?|input|consum\w+|pull(?:s|ing)?|absorb\w*|us(?:es?|ing)|"
    r"takes?|needs?|amps?|fused?|breaker|maxes)\b"
)


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
        or item.key != "heating.rated_electric_kw"
        or known.get("heating.kind", "heat_pump") != "heat_pump"
        or _PUMP.search(reading.text) is None
        or _ELECTRIC.search(reading.text) is not None
    ):
        return answer
    said_kw = float(answer.values[0])  # type: ignore[arg-type]
    efficiency = heat_pump_efficiency(known)
    cop = building.cop(
        building.UK_DESIGN_TEMP_C,
        supply_temp_c=efficiency["heating.supply_temp_c"],
        carnot_fraction=efficiency["heating.carnot_fraction"],
    )
    drawn_kw = round(said_kw / cop, 1)
    question = (
        f"Is {said_kw:g} kW the electricity it draws, or the heat it gives? As heat it draws "
        f"about {drawn_kw:g} kW."
    )
    return doubtful(
        item, (said_kw, drawn_kw), words=answer.words, question=question, unit=answer.unit
    )
