"""Householders for tests: one who answers every question plainly, and helpers around them."""

from __future__ import annotations

from federates.hems.interview.rules_interviewer import RulesInterviewer
from federates.hems.interview.session import begin, step
from federates.hems.interview.state import InterviewSettings

ANSWERS = {
    "household.occupants": "four",
    "household.house_type": "it's a detached house",
    "household.built_year": "1985",
    "household.floor_area_m2": "140 square metres",
    "household.devices": "a heat pump, an electric car and a dishwasher",
    "household.n_evs": "one",
    "household.home_weekday": "from 17:00 to 08:30",
    "household.home_weekend": "all day",
    "heating.kind": "a heat pump",
    "heating.emitter": "underfloor heating",
    "heating.rated_electric_kw": "5 kW",
    "comfort.temp_day_c": "21 degrees",
    "comfort.temp_night_c": "18.5 degrees",
    "comfort.temp_min_c": "17 degrees",
    "comfort.day_hours": "from 06:30 to 22:30",
    "hot_water.kind": "gas",
    "tariff.kind": "it depends on the time of day",
    "tariff.peak_price_per_kwh": "38 pence",
    "tariff.off_peak_price_per_kwh": "14 pence",
    "tariff.peak_hours": "from 16:00 to 20:00",
    "evs.1.model": "a Nissan Leaf 40",
    "evs.1.charger_kw": "7.4 kW",
    "evs.1.arrival": "18:20",
    "evs.1.departure": "07:40",
    "evs.1.weekend_use": "it stays at home",
    "evs.1.target": "90 percent",
    "evs.1.daily_distance_km": "30 miles",
    "evs.1.v2g": "no",
    "appliances.dishwasher.runs_per_week": "5",
    "appliances.dishwasher.earliest_start": "19:00",
    "appliances.dishwasher.latest_finish": "06:30",
    "appliances.dishwasher.night_ok": "yes",
    "flexibility.priority": "low cost",
    "flexibility.never_touch": "none",
    "flexibility.participate": "no",
    "flexibility.data_consent": "no",
}
"""What a home answers to each question; a time-of-use tariff, a heat pump, a car, a dishwasher."""

TRUTH = {
    "household.occupants": 4,
    "household.house_type": "detached",
    "household.floor_area_m2": 140.0,
    "household.devices": ("heat_pump", "ev", "dishwasher"),
    "tariff.kind": "time_of_use",
    "tariff.peak_price_per_kwh": 0.38,
    "tariff.peak_hours": ({"start": "16:00", "end": "20:00"},),
    "comfort.temp_night_c": 18.5,
    "evs.1.capacity_kwh": 39.0,
    "evs.1.arrival": "18:20",
    "evs.1.target": 0.9,
    "evs.1.weekend_use": "none",
    "appliances.dishwasher.night_ok": True,
    "flexibility.participate": False,
}
"""Some of what must come out."""


def plain(message):
    """Answer the question."""
    if message.kind == "confirm":
        return "yes"
    return "; ".join(ANSWERS.get(key, "I don't know") for key in message.slots)


def started(*, ask=(), known=None, interviewer=None, **settings):
    """Return an interview that has asked for some slots."""
    state, _ = begin(
        InterviewSettings(**settings),
        interviewer=interviewer or RulesInterviewer(),
        known=known,
        ask=ask,
    )
    return state


def told(state, *texts, interviewer=None):
    """Return the interview after some answers."""
    for text in texts:
        state, _ = step(state, text, interviewer=interviewer or RulesInterviewer())
    return state
