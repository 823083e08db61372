"""Facts that code knows and householders do not: battery of a car, heat loss of a house."""

from __future__ import annotations

from typing import Literal

from federates.hems.interview.agenda import home_so_far
from federates.hems.interview.state import InterviewState
from federates.hems.parameters.ev_models import ev_capacity_kwh

Topic = Literal["ev_model", "building"]


def look_up(state: InterviewState, topic: Topic, *, words: str) -> str:
    """Return a fact in words. It is never recorded as stated; it is worked out again at the end.

    Args:
        state: The interview.
        topic: What is looked up.
        words: For `ev_model`, the make and model as the householder said it.
    """
    if topic == "ev_model":
        capacity_kwh = ev_capacity_kwh(words)
        if capacity_kwh is None:
            return "No single car of that name is known; ask for the size of its battery."
        return (
            f"Its battery holds about {capacity_kwh:g} kWh. Record the model; the size follows "
            f"from it and is read back later, so do not record or ask it."
        )
    values = home_so_far(state.progress, state.settings).values
    return (
        f"From type, year and area the house loses {values['building.ua_kw_per_k']:.2g} kW per "
        f"degree and stores {values['building.c_kwh_per_k']:.2g} kWh per degree. Nothing to record."
    )
