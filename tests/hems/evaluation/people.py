"""Householders made by hand: what they say, and what that is said to disclose."""

from federates.hems.users.dialogue import Reply
from federates.hems.users.persona import Persona
from tests.hems.interview.householder import ANSWERS

TRUTH = {
    "household.occupants": 4,
    "household.house_type": "detached",
    "household.built_year": 1985,
    "household.floor_area_m2": 140.0,
    "household.devices": ("dishwasher",),
    "household.home_weekday": ({"start": "17:00", "end": "08:30"},),
    "household.home_weekend": ({"start": "00:00", "end": "24:00"},),
    "heating.kind": "gas",
    "comfort.temp_day_c": 21.0,
    "comfort.temp_night_c": 18.5,
    "comfort.temp_min_c": 17.0,
    "hot_water.kind": "gas",
    "tariff.kind": "flat",
    "tariff.import_price_per_kwh": 0.25,
    "appliances.dishwasher.runs_per_week": 5,
    "appliances.dishwasher.earliest_start": "19:00",
    "appliances.dishwasher.latest_finish": "06:30",
    "appliances.dishwasher.night_ok": True,
    "flexibility.participate": False,
    "flexibility.never_touch": (),
    "flexibility.priority": "cost",
    "flexibility.data_consent": False,
}
"""A home with gas and a dishwasher."""
TEXTS = ANSWERS | {
    "household.devices": "a dishwasher",
    "heating.kind": "gas",
    "hot_water.kind": "gas",
    "tariff.kind": "always the same",
    "tariff.import_price_per_kwh": "25 pence",
}


def persona(*, unknown=(), refuses=(), level="ordinary"):
    return Persona(
        id="by-hand",
        level=level,
        traits=frozenset(),
        locale="en-GB",
        currency="GBP",
        truth=TRUTH,
        refuses=frozenset(refuses),
        unknown=frozenset(unknown),
    )


class Person:
    """Answers plainly; `texts` and `replies` replace single answers.

    A text of None says "I don't know". A reply is taken as it is, the first time a slot is asked.
    """

    def __init__(self, own=None, *, texts=None, replies=None, unrepaired=()):
        self.persona = own or persona()
        self.unrepaired = frozenset(unrepaired)
        self._texts = TEXTS | (texts or {})
        self._replies = dict(replies or {})

    def answer(self, question):
        if question.kind == "confirm":
            return Reply("yes")
        key = question.slots[0]
        if key in self._replies:
            return self._replies.pop(key)
        text = self._texts.get(key)
        if text is None or key not in TRUTH:
            return Reply("I don't know", declined=frozenset({key}))
        return Reply(text, {key: TRUTH[key]})
