"""Slots about appliances, generator and flexibility, and the derived ones, in agenda order."""

from __future__ import annotations

from federates.hems.parameters.choices import APPLIANCES, DEVICES, PRIORITIES, ApplianceKind
from federates.hems.parameters.slot import Need, Slot, SlotKind, Span, Tolerance, Who
from federates.hems.parameters.slots_devices import EVS
from federates.hems.parameters.slots_home import HEAT_PUMP

_GENERATOR = (Need(key="household.devices", any_of=("generator",)),)
_PARTICIPATES = (Need(key="flexibility.participate", any_of=(True,)),)

_APPLIANCE_NAMES: dict[ApplianceKind, str] = {
    "washing_machine": "washing machine",
    "dryer": "tumble dryer",
    "dishwasher": "dishwasher",
}
# Washing machine and dishwasher: the appliances of arXiv 2510.26603; dryer: judgement.
_APPLIANCE_POWER_KW: dict[ApplianceKind, float] = {
    "washing_machine": 2.0,
    "dryer": 2.5,
    "dishwasher": 1.8,
}
_APPLIANCE_DURATION_MIN: dict[ApplianceKind, float] = {
    "washing_machine": 120.0,
    "dryer": 75.0,
    "dishwasher": 90.0,
}


def _appliance_use(kind: ApplianceKind) -> tuple[Slot, ...]:
    """Return the slots about when an appliance runs."""
    name, at = _APPLIANCE_NAMES[kind], f"appliances.{kind}"
    needs = (Need(key="household.devices", any_of=(kind,)),)
    return (
        Slot(
            key=f"{at}.runs_per_week",
            kind=SlotKind.INTEGER,
            who=Who.DEVICE,
            question=f"How many times a week do you run the {name}?",
            help="Once a day is seven.",
            low=0,
            high=21,
            needs=needs,
            default=4,
        ),
        Slot(
            key=f"{at}.earliest_start",
            kind=SlotKind.CLOCK,
            who=Who.DEVICE,
            question=f"From what time of day may the {name} start?",
            help="When it is usually loaded and ready to go.",
            needs=needs,
            default="08:00",
        ),
        Slot(
            key=f"{at}.latest_finish",
            kind=SlotKind.CLOCK,
            who=Who.DEVICE,
            question=f"By what time must the {name} have finished?",
            help="When you want to empty it, at the latest.",
            needs=needs,
            default="22:00",
        ),
        Slot(
            key=f"{at}.night_ok",
            kind=SlotKind.BOOLEAN,
            who=Who.DEVICE,
            question=f"May the {name} run at night?",
            help="Night power is often cheaper, but think of the noise; some fire services advise "
            "against it while everyone is asleep.",
            needs=needs,
            default=False,
        ),
    )


def _appliance_rating(kind: ApplianceKind) -> tuple[Slot, ...]:
    """Return the slots about what an appliance draws."""
    name, at = _APPLIANCE_NAMES[kind], f"appliances.{kind}"
    needs = (Need(key="household.devices", any_of=(kind,)),)
    return (
        Slot(
            key=f"{at}.power_kw",
            kind=SlotKind.POWER_KW,
            who=Who.EXPERT,
            question=f"How much power does the {name} draw while it runs, in kW?",
            help="The mean over the programme: the energy of one run divided by its length.",
            unit="kW",
            low=0.1,
            high=5,
            needs=needs,
            default=_APPLIANCE_POWER_KW[kind],
        ),
        Slot(
            key=f"{at}.duration_min",
            kind=SlotKind.DURATION_MIN,
            who=Who.EXPERT,
            question=f"How long does your usual programme of the {name} take?",
            help="The display shows it when you choose the programme.",
            unit="min",
            low=10,
            high=360,
            needs=needs,
            default=_APPLIANCE_DURATION_MIN[kind],
        ),
    )


APPLIANCE_SLOTS = tuple(
    slot for kind in APPLIANCES for slot in (*_appliance_use(kind), *_appliance_rating(kind))
)

GENERATOR = (
    Slot(
        key="generator.rated_kw",
        kind=SlotKind.POWER_KW,
        who=Who.DEVICE,
        question="How much electricity can your generator produce, in kW?",
        help="It is on the label; 1 kVA is a little less than 1 kW.",
        unit="kW",
        low=0.5,
        high=20,
        needs=_GENERATOR,
        default=6.0,
    ),
    Slot(
        key="generator.fuel_cost_per_kwh",
        kind=SlotKind.PRICE_PER_KWH,
        who=Who.DEVICE,
        question="What does the fuel cost for one unit (kWh) that the generator makes?",
        help="Litres burnt in an hour times the price of a litre, divided by the kW it delivers.",
        unit="per kWh",
        low=0,
        high=20,
        needs=_GENERATOR,
        default=0.35,
    ),
    Slot(
        key="generator.allowed_hours",
        kind=SlotKind.INTERVALS,
        who=Who.DEVICE,
        question="Between what times may the generator run?",
        help="Think of the noise for you and the neighbours.",
        needs=_GENERATOR,
        default=(Span(start="08:00", end="20:00"),),
    ),
)

FLEXIBILITY = (
    Slot(
        key="flexibility.priority",
        kind=SlotKind.CHOICE,
        who=Who.ALWAYS,
        question="What matters most to you: low cost, comfort, convenience, or low carbon?",
        help="It decides when not everything can be kept: comfort puts a warm home and hot water "
        "first, convenience the car and the machines. Plans always seek the lowest cost; emissions "
        "are not known to them.",
        choices=PRIORITIES,
        default="cost",
    ),
    Slot(
        key="flexibility.never_touch",
        kind=SlotKind.CHOICES,
        who=Who.ALWAYS,
        question="Is there anything the system must never control by itself?",
        help="For example the tumble dryer or the car. Say none if it may control everything.",
        choices=DEVICES,
        default=(),
    ),
    Slot(
        key="flexibility.participate",
        kind=SlotKind.BOOLEAN,
        who=Who.ALWAYS,
        question="Would you let the network company ask your home to use less or more electricity "
        "at certain times, for a reward?",
        help="It is voluntary. Your limits on temperature and on the car stay in force.",
        default=False,
    ),
    Slot(
        key="flexibility.max_events_per_week",
        kind=SlotKind.INTEGER,
        who=Who.DEVICE,
        question="How many times a week may that happen at most?",
        help="Two or three times is common. It is noted in your file for a network company that "
        "asks; the system does not count.",
        low=0,
        high=14,
        needs=_PARTICIPATES,
        default=2,
    ),
    Slot(
        key="flexibility.notice_min",
        kind=SlotKind.DURATION_MIN,
        who=Who.DEVICE,
        question="How long before should you be told?",
        help="For example one hour, or the day before. It is noted in your file for a network "
        "company that asks.",
        unit="min",
        low=0,
        high=1440,
        needs=_PARTICIPATES,
        default=60.0,
    ),
    Slot(
        key="flexibility.comfort_slack_k",
        kind=SlotKind.NUMBER,
        who=Who.DEVICE,
        question="By how many degrees may your home be cooler or warmer meanwhile?",
        help="One degree is hardly noticed for an hour.",
        unit="K",
        low=0,
        high=3,
        needs=_PARTICIPATES,
        default=1.0,
        tolerance=Tolerance(absolute=0.25),
    ),
    Slot(
        key="flexibility.data_consent",
        kind=SlotKind.BOOLEAN,
        who=Who.ALWAYS,
        question="May your answers be shared with the network company?",
        help="Your answer is noted in your file; from here nothing is sent to the company either "
        "way. Everything else works without.",
        default=False,
    ),
)


def _derived(
    key: str,
    kind: SlotKind = SlotKind.NUMBER,
    *,
    unit: str,
    low: float,
    high: float,
    needs: tuple[Need, ...] = (),
) -> Slot:
    """Return a slot that nobody is asked for."""
    return Slot(key=key, kind=kind, who=Who.DERIVED, unit=unit, low=low, high=high, needs=needs)


DERIVED = (
    _derived("building.ua_kw_per_k", unit="kW/K", low=0.005, high=3),
    _derived("building.c_kwh_per_k", unit="kWh/K", low=0.3, high=70),
    _derived("building.solar_gain_m2", unit="m2", low=0, high=30),
    _derived("building.internal_gain_kw", unit="kW", low=0, high=3),
    _derived("household.base_load_kwh_day", SlotKind.ENERGY_KWH, unit="kWh/d", low=0.5, high=60),
    _derived(
        "heating.supply_temp_c",
        SlotKind.TEMPERATURE_C,
        unit="degC",
        low=25,
        high=70,
        needs=(HEAT_PUMP,),
    ),
    _derived("heating.carnot_fraction", unit="-", low=0.05, high=1, needs=(HEAT_PUMP,)),
    *(
        _derived(
            item.key.replace(".model", ".soc_arrival"),
            SlotKind.PERCENT,
            unit="fraction",
            low=0,
            high=1,
            needs=item.needs,
        )
        for item in EVS
        if item.name == "model"
    ),
)
