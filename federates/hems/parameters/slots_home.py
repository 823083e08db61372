"""Slots about the people, the house, its heating, its hot water and the tariff, in agenda order."""

from __future__ import annotations

from federates.hems.parameters.choices import (
    DEVICES,
    EMITTERS,
    HEATING_KINDS,
    HOT_WATER_KINDS,
    HOUSE_TYPES,
    TARIFF_KINDS,
)
from federates.hems.parameters.slot import Need, Slot, SlotKind, Span, Tolerance, Who

WHOLE_DAY = (Span(start="00:00", end="24:00"),)
_YEAR_TOLERANCE = Tolerance(absolute=10.0)

HEATED_ELECTRICALLY = Need(key="heating.kind", any_of=("heat_pump", "resistive"))
HEAT_PUMP = Need(key="heating.kind", any_of=("heat_pump",))
ELECTRIC_WATER = Need(key="hot_water.kind", any_of=("resistive", "heat_pump"))
FLAT = Need(key="tariff.kind", any_of=("flat",))
TIME_OF_USE = Need(key="tariff.kind", any_of=("time_of_use",))
CAN_EXPORT = Need(key="household.devices", any_of=("pv", "battery", "generator"))

HOUSEHOLD = (
    Slot(
        key="household.occupants",
        kind=SlotKind.INTEGER,
        who=Who.ALWAYS,
        question="How many people live in your home?",
        help="Count everyone who usually sleeps there, children included.",
        low=1,
        high=12,
        default=2,
    ),
    Slot(
        key="household.house_type",
        kind=SlotKind.CHOICE,
        who=Who.ALWAYS,
        question="Is your home detached, semi-detached, terraced, or a flat?",
        help="Detached stands alone; semi-detached shares one wall with a neighbour, terraced "
        "two. A bungalow counts by the walls it shares, an end terrace as semi-detached.",
        choices=HOUSE_TYPES,
        default="semi_detached",
    ),
    Slot(
        key="household.built_year",
        kind=SlotKind.INTEGER,
        who=Who.ALWAYS,
        question="Roughly when was your home built?",
        help="A guess is fine: Victorian, between the wars, the 1970s. It is also on the energy "
        "certificate (EPC). It tells how well the walls keep the heat in.",
        low=1500,
        high=2100,
        default=1975,
        tolerance=_YEAR_TOLERANCE,
    ),
    Slot(
        key="household.floor_area_m2",
        kind=SlotKind.AREA_M2,
        who=Who.ALWAYS,
        question="How big is your home, in square metres or square feet?",
        help="All floors together. It is on the energy certificate and in the estate agent's "
        "particulars. A small flat is about 50 square metres, a three-bedroom house about 90.",
        unit="m2",
        low=20,
        high=500,
        default=90.0,
    ),
    Slot(
        key="household.devices",
        kind=SlotKind.CHOICES,
        who=Who.ALWAYS,
        question="Which of these do you have: a heat pump, a home battery, solar panels, an "
        "electric car, a hot-water tank, a washing machine, a tumble dryer, a dishwasher, "
        "a generator?",
        help="A heat pump is a box outside with a fan that heats the house. A home battery hangs "
        "on a wall and stores electricity. A plug-in hybrid counts as an electric car.",
        choices=DEVICES,
        default=(),
    ),
    Slot(
        key="household.home_weekday",
        kind=SlotKind.INTERVALS,
        who=Who.ALWAYS,
        question="On a normal weekday, at what times is somebody at home?",
        help="For example from six in the evening until half past eight the next morning.",
        default=(Span(start="17:00", end="08:30"),),
    ),
    Slot(
        key="household.home_weekend",
        kind=SlotKind.INTERVALS,
        who=Who.ALWAYS,
        question="And at the weekend, when is somebody at home?",
        help="For example all day, or only in the mornings and at night.",
        default=WHOLE_DAY,
    ),
    Slot(
        key="household.import_limit_kw",
        kind=SlotKind.POWER_KW,
        who=Who.EXPERT,
        question="What is the most power your home may draw from the grid, in kW?",
        help="It follows from the main fuse beside the meter: 60 amps is about 14 kW, 80 amps 18, "
        "100 amps 23 kW.",
        unit="kW",
        low=1,
        high=40,
        default=14.0,
    ),
    Slot(
        key="household.export_limit_kw",
        kind=SlotKind.POWER_KW,
        who=Who.EXPERT,
        question="What is the most power your home may feed into the grid, in kW?",
        help="It is in the letter from the network company that allowed your solar panels or "
        "battery; 3.68 kW is common.",
        unit="kW",
        low=1,
        high=40,
        default=14.0,
    ),
)

HEATING = (
    Slot(
        key="heating.kind",
        kind=SlotKind.CHOICE,
        who=Who.ALWAYS,
        question="How is your home heated: by a heat pump, electric heaters, a gas boiler, "
        "something else, or not at all?",
        help="Electric heaters include storage heaters, panel heaters and electric boilers. Oil, "
        "wood and district heating are something else.",
        choices=HEATING_KINDS,
        default="gas",
    ),
    Slot(
        key="heating.emitter",
        kind=SlotKind.CHOICE,
        who=Who.DEVICE,
        question="Does the heat pump feed radiators or underfloor heating?",
        help="If you have both, say which heats most of the home.",
        choices=EMITTERS,
        needs=(HEAT_PUMP,),
        default="radiators",
    ),
    Slot(
        key="heating.rated_electric_kw",
        kind=SlotKind.POWER_KW,
        who=Who.DEVICE,
        question="What is the most electricity your heating can draw, in kW?",
        help="Look for the electric input (not the heat output) on the label of the outdoor unit "
        "or in the manual. If you do not know, it is estimated from the house.",
        unit="kW",
        low=0.3,
        high=20,
        needs=(HEATED_ELECTRICALLY,),
    ),
    Slot(
        key="heating.cop_nominal",
        kind=SlotKind.NUMBER,
        who=Who.EXPERT,
        question="What is the heat pump's COP at 7 degrees outside and your flow temperature?",
        help="Heat out for each unit of electricity in; the data sheet has it as A7/W35 or A7/W55.",
        low=1,
        high=6,
        needs=(HEAT_PUMP,),
    ),
)

COMFORT = (
    Slot(
        key="comfort.temp_day_c",
        kind=SlotKind.TEMPERATURE_C,
        who=Who.ALWAYS,
        question="What temperature do you like at home during the day?",
        help="What you set on the thermostat when you are up and about; most people say 19 to 22.",
        unit="degC",
        low=10,
        high=28,
        default=21.0,
    ),
    Slot(
        key="comfort.temp_night_c",
        kind=SlotKind.TEMPERATURE_C,
        who=Who.ALWAYS,
        question="And at night?",
        help="What you would like while you sleep; many people say 16 to 19 degrees.",
        unit="degC",
        low=10,
        high=28,
        default=18.0,
    ),
    Slot(
        key="comfort.temp_min_c",
        kind=SlotKind.TEMPERATURE_C,
        who=Who.ALWAYS,
        question="What is the coldest your home may ever get?",
        help="The heating never lets it fall below this, whatever electricity costs.",
        unit="degC",
        low=5,
        high=24,
        default=18.0,
    ),
    Slot(
        key="comfort.temp_max_c",
        kind=SlotKind.TEMPERATURE_C,
        who=Who.EXPERT,
        question="What is the warmest the heating may ever make your home?",
        help="A little above your daytime temperature leaves room to heat when power is cheap.",
        unit="degC",
        low=18,
        high=32,
        default=24.0,
    ),
    Slot(
        key="comfort.day_hours",
        kind=SlotKind.INTERVALS,
        who=Who.ALWAYS,
        question="Between what times should the home be at its daytime temperature?",
        help="Usually from when the first person gets up until the last goes to bed.",
        needs=(HEATED_ELECTRICALLY,),
        default=(Span(start="06:30", end="22:30"),),
    ),
)

HOT_WATER = (
    Slot(
        key="hot_water.kind",
        kind=SlotKind.CHOICE,
        who=Who.ALWAYS,
        question="How is your hot water heated: by an electric immersion heater, a heat pump, gas, "
        "or none of these?",
        help="An immersion heater is an electric element inside the hot-water tank. A combi boiler "
        "is gas.",
        choices=HOT_WATER_KINDS,
        default="gas",
    ),
    Slot(
        key="hot_water.volume_l",
        kind=SlotKind.VOLUME_L,
        who=Who.DEVICE,
        question="How many litres does your hot-water tank hold?",
        help="It is on the label. A tank up to your waist holds about 120 litres, one up to your "
        "chest about 180.",
        unit="L",
        low=10,
        high=500,
        needs=(ELECTRIC_WATER,),
        default=150.0,
    ),
    Slot(
        key="hot_water.power_kw",
        kind=SlotKind.POWER_KW,
        who=Who.DEVICE,
        question="How much electricity does the water heater draw when it is on, in kW?",
        help="Most immersion heaters draw 3 kW; it is on the label of the heater.",
        unit="kW",
        low=0.5,
        high=12,
        needs=(ELECTRIC_WATER,),
        default=3.0,
    ),
    Slot(
        key="hot_water.showers_per_day",
        kind=SlotKind.INTEGER,
        who=Who.DEVICE,
        question="How many showers or baths does your household take on a usual day?",
        help="Count a bath as two showers. Leave out electric showers, which heat their own water.",
        low=0,
        high=20,
        needs=(ELECTRIC_WATER,),
        default=2,
    ),
    Slot(
        key="hot_water.ready_by",
        kind=SlotKind.CLOCK,
        who=Who.DEVICE,
        question="By what time should the tank be hot?",
        help="Usually shortly before the first shower of the day.",
        needs=(ELECTRIC_WATER,),
        default="07:00",
    ),
    Slot(
        key="hot_water.temp_set_c",
        kind=SlotKind.TEMPERATURE_C,
        who=Who.EXPERT,
        question="What temperature is the tank's thermostat set to?",
        help="The dial under the heater's cap; 50 to 60 degrees is usual.",
        unit="degC",
        low=40,
        high=65,
        needs=(ELECTRIC_WATER,),
        default=52.0,
    ),
    Slot(
        key="hot_water.temp_max_c",
        kind=SlotKind.TEMPERATURE_C,
        who=Who.EXPERT,
        question="How hot may the tank get at most?",
        help="Hotter water stores more cheap energy; above 60 degrees it scalds without a mixing "
        "valve.",
        unit="degC",
        low=45,
        high=75,
        needs=(ELECTRIC_WATER,),
        default=60.0,
    ),
)

TARIFF = (
    Slot(
        key="tariff.kind",
        kind=SlotKind.CHOICE,
        who=Who.ALWAYS,
        question="Is the price of your electricity always the same, does it depend on the time of "
        "day, or does it change from hour to hour?",
        help="Your bill or your supplier's app says so. Always the same is a flat tariff; cheaper "
        "at night or dearer in the evening is time of use; a new price every half hour is dynamic.",
        choices=TARIFF_KINDS,
        default="flat",
    ),
    Slot(
        key="tariff.import_price_per_kwh",
        kind=SlotKind.PRICE_PER_KWH,
        who=Who.ALWAYS,
        question="What do you pay for one unit (kWh) of electricity?",
        help="It is the unit rate on your bill, often 25 to 30 pence; not the monthly amount and "
        "not the standing charge.",
        unit="per kWh",
        low=0,
        high=20,
        needs=(FLAT,),
        default=0.30,
    ),
    Slot(
        key="tariff.peak_price_per_kwh",
        kind=SlotKind.PRICE_PER_KWH,
        who=Who.ALWAYS,
        question="What do you pay for one unit (kWh) at the expensive time of day?",
        help="The higher of the unit rates on your bill.",
        unit="per kWh",
        low=0,
        high=20,
        needs=(TIME_OF_USE,),
        default=0.40,
    ),
    Slot(
        key="tariff.off_peak_price_per_kwh",
        kind=SlotKind.PRICE_PER_KWH,
        who=Who.ALWAYS,
        question="And at the cheaper time of day?",
        help="The lower of the unit rates on your bill.",
        unit="per kWh",
        low=0,
        high=20,
        needs=(TIME_OF_USE,),
        default=0.20,
    ),
    Slot(
        key="tariff.peak_hours",
        kind=SlotKind.INTERVALS,
        who=Who.ALWAYS,
        question="Between what times do you pay the higher price?",
        help="Your bill or contract lists the hours. If only the night is cheap, it is all the "
        "other hours.",
        low=1,
        needs=(TIME_OF_USE,),
        default=(Span(start="16:00", end="19:00"),),
    ),
    Slot(
        key="tariff.export_price_per_kwh",
        kind=SlotKind.PRICE_PER_KWH,
        who=Who.DEVICE,
        question="What are you paid for one unit (kWh) that you feed into the grid?",
        help="It is on the statement of your export tariff. If you are paid nothing, say zero.",
        unit="per kWh",
        low=-0.5,
        high=20,
        needs=(CAN_EXPORT,),
        default=0.10,
    ),
)
