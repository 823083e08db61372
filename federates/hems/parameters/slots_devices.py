"""Slots about battery, solar panels and electric cars, in agenda order."""

from __future__ import annotations

from federates.hems.parameters.choices import AZIMUTHS, MAX_EVS, WEEKEND_USES
from federates.hems.parameters.slot import Need, Slot, SlotKind, Tolerance, Who

_BATTERY = (Need(key="household.devices", any_of=("battery",)),)
_PV = (Need(key="household.devices", any_of=("pv",)),)
_EV = (Need(key="household.devices", any_of=("ev",)),)

BATTERY = (
    Slot(
        key="battery.capacity_kwh",
        kind=SlotKind.ENERGY_KWH,
        who=Who.DEVICE,
        question="How much energy can your home battery store, in kWh?",
        help="It is on the label or in the battery's app. Home batteries usually hold 5 to 15 kWh.",
        unit="kWh",
        low=0.5,
        high=60,
        needs=_BATTERY,
        default=10.0,
    ),
    Slot(
        key="battery.power_kw",
        kind=SlotKind.POWER_KW,
        who=Who.DEVICE,
        question="How fast can the battery charge or discharge, in kW?",
        help="Look for the power or inverter rating; 3 to 5 kW is common. It is not the capacity.",
        unit="kW",
        low=0.2,
        high=25,
        needs=_BATTERY,
        default=5.0,
    ),
    Slot(
        key="battery.reserve",
        kind=SlotKind.PERCENT,
        who=Who.DEVICE,
        question="How much of the battery should always be kept back, for example for a power cut?",
        help="As a percentage; 10 percent is usual, none is fine too.",
        unit="fraction",
        low=0,
        high=0.8,
        needs=_BATTERY,
        default=0.10,
    ),
    Slot(
        key="battery.charge_from_grid",
        kind=SlotKind.BOOLEAN,
        who=Who.DEVICE,
        question="May the battery charge from the grid when electricity is cheap?",
        help="If not, it only stores what your solar panels produce.",
        needs=_BATTERY,
        default=True,
    ),
    Slot(
        key="battery.discharge_to_grid",
        kind=SlotKind.BOOLEAN,
        who=Who.DEVICE,
        question="May the battery sell electricity to the grid?",
        help="If not, it only supplies your own home.",
        needs=_BATTERY,
        default=False,
    ),
    Slot(
        key="battery.eta_charge",
        kind=SlotKind.PERCENT,
        who=Who.EXPERT,
        question="What percentage of the electricity going into the battery is stored?",
        help="The one-way efficiency; 90 percent for the round trip is 95 one way.",
        unit="fraction",
        low=0.7,
        high=1,
        needs=_BATTERY,
        default=0.95,
    ),
    Slot(
        key="battery.eta_discharge",
        kind=SlotKind.PERCENT,
        who=Who.EXPERT,
        question="What percentage of the stored electricity comes out again?",
        help="The one-way efficiency; 90 percent for the round trip is 95 one way.",
        unit="fraction",
        low=0.7,
        high=1,
        needs=_BATTERY,
        default=0.95,
    ),
)

PV = (
    Slot(
        key="pv.peak_kw",
        kind=SlotKind.POWER_KW,
        who=Who.DEVICE,
        question="How big is your solar system, in kW, or how many panels of how many watts?",
        help="It is the kWp in your installer's papers. Ten panels of 400 watts make 4 kW.",
        unit="kW",
        low=0.2,
        high=40,
        needs=_PV,
        default=4.0,
    ),
    Slot(
        key="pv.azimuth",
        kind=SlotKind.CHOICE,
        who=Who.DEVICE,
        question="Which way do the solar panels face?",
        help="For example south, or south-west. The midday sun is in the south.",
        choices=AZIMUTHS,
        needs=_PV,
        default="south",
    ),
    Slot(
        key="pv.tilt_deg",
        kind=SlotKind.NUMBER,
        who=Who.EXPERT,
        question="How steep are the panels, in degrees?",
        help="0 is flat, 90 is upright; most roofs are 30 to 40 degrees.",
        unit="deg",
        low=0,
        high=90,
        needs=_PV,
        default=35.0,
        tolerance=Tolerance(absolute=5.0),
    ),
)

_EV_COUNT = Slot(
    key="household.n_evs",
    kind=SlotKind.INTEGER,
    who=Who.DEVICE,
    question="How many electric cars do you charge at home?",
    help=f"At most {MAX_EVS} can be planned; leave out cars that are always charged elsewhere.",
    low=0,
    high=MAX_EVS,
    needs=_EV,
    default=1,
)


def _car(number: int) -> str:
    return "your electric car" if number == 1 else "your second electric car"


def _car_needs(number: int) -> tuple[Need, ...]:
    owned = Need(key="household.n_evs", any_of=tuple(range(number, MAX_EVS + 1)))
    return (*_EV, owned)


def _car_slots(number: int) -> tuple[Slot, ...]:
    """Return the slots about what an electric car is."""
    car, needs, at = _car(number), _car_needs(number), f"evs.{number}"
    return (
        Slot(
            key=f"{at}.model",
            kind=SlotKind.TEXT,
            who=Who.DEVICE,
            question=f"What make and model is {car}?",
            help="For example Nissan Leaf 40. It helps to find the size of the battery.",
            low=1,
            high=80,
            needs=needs,
            default="unknown",
        ),
        Slot(
            key=f"{at}.capacity_kwh",
            kind=SlotKind.ENERGY_KWH,
            who=Who.DEVICE,
            question=f"How big is the battery of {car}, in kWh?",
            help="It is in the handbook or the car's name. Small cars have about 40 kWh, large "
            "ones 80; plug-in hybrids about 12.",
            unit="kWh",
            low=2,
            high=250,
            needs=needs,
            default=60.0,
        ),
        Slot(
            key=f"{at}.charger_kw",
            kind=SlotKind.POWER_KW,
            who=Who.DEVICE,
            question=f"How fast can {car} charge at home, in kW?",
            help="A wall box usually gives 7.4 kW (32 amps), a household socket 2.3 kW (10 amps), "
            "a three-phase box 11 kW.",
            unit="kW",
            low=1,
            high=22,
            needs=needs,
            default=7.4,
        ),
    )


def _car_time_slots(number: int) -> tuple[Slot, ...]:
    """Return the slots about when an electric car is at home."""
    car, needs, at = _car(number), _car_needs(number), f"evs.{number}"
    return (
        Slot(
            key=f"{at}.arrival",
            kind=SlotKind.CLOCK,
            who=Who.DEVICE,
            question=f"At what time does {car} usually come home?",
            help="On a normal weekday, when it is plugged in.",
            needs=needs,
            default="18:00",
        ),
        Slot(
            key=f"{at}.departure",
            kind=SlotKind.CLOCK,
            who=Who.DEVICE,
            question=f"At what time does {car} usually leave?",
            help="On a normal weekday; it will be charged by then.",
            needs=needs,
            default="07:30",
        ),
        Slot(
            key=f"{at}.weekend_use",
            kind=SlotKind.CHOICE,
            who=Who.DEVICE,
            question=f"At weekends, is {car} used the same way, or does it stay at home?",
            help="If it is used now and then, say the same.",
            choices=WEEKEND_USES,
            needs=needs,
            default="same",
        ),
    )


def _car_use_slots(number: int) -> tuple[Slot, ...]:
    """Return the slots about what an electric car is to hold, and how far it goes."""
    car, needs, at = _car(number), _car_needs(number), f"evs.{number}"
    return (
        Slot(
            key=f"{at}.target",
            kind=SlotKind.PERCENT,
            who=Who.DEVICE,
            question=f"How full should {car} be when it leaves?",
            help="As a percentage of the battery; 80 percent is kind to it and mostly enough.",
            unit="fraction",
            low=0.2,
            high=1,
            needs=needs,
            default=0.80,
        ),
        Slot(
            key=f"{at}.daily_distance_km",
            kind=SlotKind.LENGTH_KM,
            who=Who.DEVICE,
            question=f"How far does {car} go on a usual day, in miles or kilometres?",
            help="There and back together. The yearly mileage divided by 365 is a good guess.",
            unit="km",
            low=0,
            high=500,
            needs=needs,
            default=40.0,
        ),
        Slot(
            key=f"{at}.v2g",
            kind=SlotKind.BOOLEAN,
            who=Who.DEVICE,
            question=f"Can {car} give electricity back to the house or the grid, and may it?",
            help="This needs a special two-way charger; if it is new to you, the answer is no.",
            needs=needs,
            default=False,
        ),
    )


EVS = (
    _EV_COUNT,
    *(
        slot
        for number in range(1, MAX_EVS + 1)
        for slot in (*_car_slots(number), *_car_time_slots(number), *_car_use_slots(number))
    ),
)
