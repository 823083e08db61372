"""Values of homes for tests: hand-made ones, and hypothesis strategies of any in bounds."""

from __future__ import annotations

from hypothesis import strategies as st

from federates.hems.parameters import SLOTS, Provenance, Slot, SlotKind, Source, Value, Who

STATED = Source(provenance=Provenance.STATED, words="as I said", turn=1)
CLOCKS = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
SPANS = st.tuples(CLOCKS, CLOCKS | st.just("24:00")).filter(lambda ends: ends[0] != ends[1])


def stated(values):
    return dict.fromkeys(values, STATED)


def in_bounds(slot: Slot) -> st.SearchStrategy[Value]:
    match slot.kind:
        case SlotKind.BOOLEAN:
            return st.booleans()
        case SlotKind.CHOICE:
            return st.sampled_from(slot.choices)
        case SlotKind.CHOICES:
            return st.lists(st.sampled_from(slot.choices), unique=True).map(tuple)
        case SlotKind.CLOCK:
            return CLOCKS
        case SlotKind.INTERVALS:
            spans = SPANS.map(lambda ends: {"start": ends[0], "end": ends[1]})
            return st.lists(spans, min_size=int(slot.low or 0), max_size=4).map(tuple)
        case SlotKind.TEXT:
            return st.text(min_size=1, max_size=80).filter(
                lambda said: said == said.strip() and said.isprintable()
            )
        case SlotKind.INTEGER:
            return st.integers(int(slot.low), int(slot.high))
        case _:
            return st.floats(slot.low, slot.high)


ANY_VALUES = st.fixed_dictionaries(
    {}, optional={slot.key: in_bounds(slot) for slot in SLOTS if slot.who is not Who.DERIVED}
)

FULL_HOME = {
    "household.occupants": 4,
    "household.house_type": "detached",
    "household.built_year": 1990,
    "household.floor_area_m2": 140.0,
    "household.devices": ("heat_pump", "battery", "pv", "ev", "dishwasher", "generator"),
    "household.n_evs": 2,
    "heating.kind": "heat_pump",
    "heating.emitter": "underfloor",
    "comfort.temp_day_c": 21.5,
    "comfort.temp_night_c": 18.0,
    "comfort.temp_min_c": 17.0,
    "hot_water.kind": "heat_pump",
    "tariff.kind": "time_of_use",
    "tariff.peak_price_per_kwh": 0.42,
    "tariff.off_peak_price_per_kwh": 0.12,
    "battery.capacity_kwh": 9.5,
    "battery.power_kw": 3.6,
    "evs.2.capacity_kwh": 12.0,
    "evs.2.daily_distance_km": 30.0,
    "flexibility.participate": True,
}
