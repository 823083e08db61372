"""Which slot some words are about: the thing, and what of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from federates.hems.parameters.slots import Slot
from federates.hems.understanding.cars import names_a_car
from federates.hems.understanding.hedges import without_clock_words

_SECTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "heating": r"heat ?pumps?|heating(?! (?:up )?(?:the |our |my )?(?:hot )?water)|"
        r"(?:electric|storage|panel) heaters?|heated|radiators?|underfloor",
        "hot_water": r"hot water|water heaters?|immersions?|cylinders?|(?:hot |water )*tanks?|"
        r"showers?|water",
        "battery": r"(?<!car )(?<!cars )(?:home |house |solar )?batter(?:y|ies)|power ?walls?",
        "pv": r"solar|panels?|pv|array",
        "evs.1": r"(?:first |electric |other )?cars?|evs?|vehicles?|charger|wall ?box|"
        r"charge ?point|van|tesla|leaf",
        "evs.2": r"(?:second|2nd|other|wifes|husbands|partners|2) (?:electric )?(?:car|ev|1)|"
        r"car (?:2|number 2)",
        "appliances.washing_machine": r"wash(?:ing)? ?machines?|washers?|washing|laundry",
        "appliances.dryer": r"(?:tumbled? ?|clothes )?(?:dryers?|driers?)|drying|tumble",
        "appliances.dishwasher": r"dish ?washers?|dishes",
        "generator": r"generators?|gensets?|genn(?:y|ies|ie)|diesel",
    }
)
"""Words for the thing a section is about; other sections need no such words."""

_DRIVEN: Final = (
    r"driv\w+|drove|travel\w*|cover\w*|commut\w+|days?|daily|weeks?|weekly|month(?:ly)?|years?|"
    r"yearly|annual\w*|each way|there and back|round trip|return|both ways|trips?|journeys?|"
    r"to (?:work|school|the)"
)
"""Beside miles: they are driven, not how far a charge goes."""
_ATTRIBUTES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "household.occupants": r"(?:people|of us|persons?|adults?|kids?|children|occupants?) "
        r"(?:\w+ ){0,2}(?:live|living|here|in the (?:house|home|flat))|"
        r"there (?:are|is|s) \d+ of us|\d+ of us|live alone|household "
        r"of|family of|(?:were|we are) \d+\b(?! (?:kw|miles|%))",
        "household.house_type": r"semi(?: detached)?|detached|terraced?|flat(?! rate| tariff|"
        r" price)|apartment|maisonette|bungalow|condo|town ?house|row "
        r"house",
        "household.built_year": r"(?:house|home|flat|place|it) (?:was |is |its |s )?(?:built|"
        r"from|dates|\d+ years old)|was built|built (?:in|around|"
        r"about)|dates (?:from|back)|victorian|edwardian|georgian|"
        r"years old",
        "household.floor_area_m2": r"m2|sq(?:uare)? ?(?:m|f|met|feet|foot)\w*|floor area|square",
        "household.home_weekday": r"(?:week ?days?|during the week|in the week|"
        r"mon(?:day)?s? to fri(?:day)?s?|working days)",
        "household.home_weekend": r"week ?ends?|saturdays?|sundays?|sat (?:/|and|&) sun",
        "household.import_limit_kw": r"main fuse|import limit|supply (?:limit|is)|from the "
        r"grid at most|main(?:s)? (?:fuse|breaker)|draw (?:up to|"
        r"at most)|import (?:up to|at most|max)|can draw|grid connection|cut ?outs?\b|service fuse",
        "household.export_limit_kw": r"export (?:limit|cap|up to|at most|max)|"
        r"feed (?:in )?(?:up to|limit|at most)|g9[89]|dno|"
        r"limited to export",
        "heating.kind": r"heat(?:ed|ing)? (?:\w+ )?(?:by|with|is|comes|runs|from)|we heat|"
        r"boiler|heating",
        "heating.emitter": r"radiators?|underfloor|rads",
        "heating.rated_electric_kw": r"(?:draws?|rated|input|electric|uses?|pulls?|consumes?|"
        r"rating|kw|kilowatts?|watts?|takes?|maxes?|needs?)",
        "heating.cop_nominal": r"s?cop|coefficient|efficiency",
        "comfort.temp_day_c": r"(?:during|in|by) the day(?:time)?|daytime|in the (?:evening|"
        r"house)|thermostat|day temperature|when were (?:up|in|awake)|"
        r"days\b",
        "comfort.temp_night_c": r"(?:at|for the|by|during the|in the|of a) nights?|overnight|"
        r"night ?time|nights?|asleep|(?:in|to|for) bed|sleep(?:ing)?|"
        r"bed ?time",
        "comfort.temp_min_c": r"never (?:\w+ ){0,3}(?:below|under|colder|less|lower)|coldest|"
        r"minimum|at least|(?:not|no) (?:\w+ )?(?:colder|below|under|"
        r"less|lower)|(?:go|fall|drop|get)s? (?:\w+ )?(?:below|under)|"
        r"(?:may|can|could|let it) (?:go|fall|drop|get|sink) (?:\w+ )?to\b|lowest|bare min",
        "comfort.temp_max_c": r"never (?:\w+ ){0,3}(?:above|over|hotter|warmer)|hottest|warmest|"
        r"maximum temperature|upper limit|(?:not|shouldnt|mustnt|cant) (?:\w+ ){0,3}(?:above|over)|"
        r"(?:not|no) (?:\w+ )?(?:hotter|warmer)|highest|too (?:hot|warm)",
        "comfort.day_hours": r"(?:heating|warm|daytime temperature|day temperature|heat) "
        r"(?:\w+ )?(?:on |up )?(?:from|between)|up from|(?:get up|awake|"
        r"wake)",
        "hot_water.kind": r"(?:hot )?water (?:\w+ ){0,2}(?:from|by|heated|is|comes|with)|"
        r"heat(?:s)? the (?:hot )?water",
        "hot_water.volume_l": r"litres?|liters?|gallons?|\d l\b|holds|gal",
        "hot_water.power_kw": r"kw|kilowatts?|watts?|draws|element|immersion",
        "hot_water.showers_per_day": r"showers?|baths?",
        "hot_water.ready_by": r"(?:hot|ready|heated|warm) (?:by|before|at|for)|by \d|ready|in "
        r"time for",
        "hot_water.temp_set_c": r"thermostats?|stats?\b|set ?point|set temperature",
        "hot_water.temp_max_c": r"max(?:imum)?|exceed\w*|at most|hottest|up to|never (?:above|over|"
        r"hotter)|no (?:more|hotter)",
        "tariff.kind": r"tariff|economy|agile|flat rate|fixed rate|time of use|tracker|hourly|"
        r"single rate|2 rate",
        "tariff.import_price_per_kwh": r"(?:unit|electricity|energy|import) (?:rate|price|cost)s?|"
        r"(?:i|we|im|were) (?:am |are |currently |now )?pay(?:ing)?|import(?:s|ed)?\b",
        "tariff.peak_price_per_kwh": r"(?<!off )peak (?:\w+ ){0,2}(?:is|price|rate|at|costs|"
        r"time|its|we pay|im paying|i pay)|(?:expensive|"
        r"high(?:er)?|dear(?:er)?|day(?:time)?) "
        r"(?:\w+ ){0,2}(?:rate|price|time|hours|one|bit|part)|"
        r"(?:at|in|on|during) (?:the )?peak|(?<!off )peak",
        "tariff.off_peak_price_per_kwh": r"off ?peak|cheap(?:er|est)?|night (?:rate|price|time)|"
        r"low(?:er)? (?:\w+ )?(?:rate|price)|at night|overnight|otherwise|rest of the (?:time|day)",
        "tariff.peak_hours": r"(?<!off )peak (?:\w+ ){0,2}(?:hours?|from|runs?|time|between|"
        r"period|lasts|is)|(?:expensive|dear(?:er)?|high(?:er)?) "
        r"(?:\w+ ){0,3}(?:hours|between|from|time)|(?:between|from) "
        r".{1,30} (?:is|its|thats) (?:the )?peak",
        "tariff.export_price_per_kwh": r"export(?:s|ing|ed)?|feed(?:ing)? (?:in|back|it)|"
        r"sell(?:ing)?|seg\b|paid (?:for|\d)|they (?:pay|give)|"
        r"(?:i|we) get (?:paid )?|send(?:ing)? back",
        "battery.capacity_kwh": r"capacity|holds?|stores?|size|(?:kwh|kilowatt hours?) "
        r"(?:\w+ ){0,2}(?:batter\w+|powerwall|pack)|batter\w+ (?:is|"
        r"has|of|s|at|with|stores|holds) .*(?:kwh|kilowatt hour)",
        "battery.power_kw": r"inverter|power|(?:dis)?charg\w+ (?:and (?:dis)?charg\w+ )?(?:at|"
        r"with|up to|rate|power)|output",
        "battery.reserve": r"reserve|ke(?:ep|pt)s?|hold(?:s)? back|backup|back up|power cut|"
        r"outage|spare|buffer|minimum|never below|left in",
        "battery.charge_from_grid": r"charg\w+ (?:\w+ ){0,4}(?:from|off) (?:the )?(?:grid|"
        r"mains)|from the grid|grid charg\w+|cheap rate|"
        r"fill (?:\w+ ){0,3}grid",
        "battery.discharge_to_grid": r"sell|to the grid|export|back to (?:the )?grid|discharge to",
        "battery.eta_charge": r"charg\w+ (?:\w+ )?efficien\w+|efficien\w+ (?:\w+ ){0,3}(?:in\b|"
        r"charg\w+)|(?:goes|put|going) in|stored",
        "battery.eta_discharge": r"discharg\w+ (?:\w+ )?efficien\w+|"
        r"efficien\w+ (?:\w+ ){0,3}(?:out\b|discharg\w+)|"
        r"comes? (?:back )?out|get (?:back )?out",
        "pv.peak_kw": r"kwp?|kilowatts?|watts?|size|peak",
        "pv.azimuth": r"fac(?:e|es|ing)|pointing|point|south(?:erly)?|(?:north|south) ?(?:east|"
        r"west)|aspect|orientat\w+",
        "pv.tilt_deg": r"tilt\w*|pitch\w*|slop\w+|angle\w*|steep|degrees|inclin\w+",
        "household.n_evs": r"(?:\d (?:\w+ )?(?:electric )?(?:cars|evs|vehicles|car))|(?:just|"
        r"only) (?:the )?1 (?:car|ev)|both cars",
        "evs.*.capacity_kwh": r"kwh|kilowatt hours?",
        "evs.*.charger_kw": r"amps?|charger|charg\w+ (?:\w+ )?(?:at|with)|wall ?box|plug|"
        r"socket|outlet|\d a\b",
        "evs.*.arrival": r"(?:gets?|comes?|arrives?|is|am|be|are|im|were|its) (?:\w+ )?(?:home|"
        r"back|in)\b|home (?:by|at|around|about|for)|back (?:by|at|around|"
        r"about|home)|arriv\w+|returns?|plug(?:s|ged|ging)? in|gets? in",
        "evs.*.departure": r"leaves?|leaving|departs?|goes|(?:go|set|head|am|is|are|be|im) "
        r"(?:out|off)|heads? (?:out|off)|sets? off|out (?:the door|by|at|"
        r"again)|off (?:to|by|at|again)|drive(?:s)? off|need(?:s|"
        r"ed)? (?:it |the car )?(?:by|at|for)|gone by",
        "evs.*.weekend_use": r"week ?ends?|saturdays?|sundays?",
        "evs.*.target": r"%|per ?cent|full|charged? (?:\w+ )?to|topped",
        "evs.*.daily_distance_km": r"(?<=\d )(?:miles?|km|kms|kilomet\w+|mi)\b"
        rf"(?=.*\b(?:{_DRIVEN})\b)|commut\w+|distance|mileage|"
        rf"(?:{_DRIVEN}) (?:\w+ ){{0,6}}?\d+ (?:miles?|km|kms|kilomet\w+|mi)\b",
        "evs.*.v2g": r"v ?2 ?[gh]|give (?:\w+ )?back|vehicle to|bi ?directional|2 way",
        "appliances.*.runs_per_week": r"(?:\d|once|twice|few|couple|several) "
        r"(?:\w+ )?(?:times?|loads?|runs?|"
        r"washes)?(?: \w+)? ?(?:a|per|each|every|in a) (?:week|"
        r"day)|every (?:\w+ )?(?:day|night|evening|other)|daily|"
        r"\d (?:times|loads|x)|nightly|times|once|twice",
        "appliances.*.earliest_start": r"(?:starts?|start(?:ed|ing)?|go|run|ready|begin|on|"
        r"available|kick off) (?:\w+ ){0,3}(?:from|at|any time "
        r"after)|from|(?<!never )(?<!not )(?<!nothing )after|"
        r"earliest|not before|no earlier|onwards|"
        r"(?:dont|not|never|nothing) (?:\w+ ){0,4}?(?:starts?|begins?|runs?|goes?|go|comes? on) "
        r"(?:\w+ ){0,4}?before|(?:loaded|"
        r"ready|filled|full) (?:by|at)",
        "appliances.*.latest_finish": r"finish(?:ed|es)?|done|"
        r"(?<!loaded )(?<!ready )(?<!filled )by|latest|(?:never|"
        r"not|nothing) after|until|no later|end(?:s|ed)?|"
        r"complete\w*|over by|before|empt(?:y|ied)|emptying",
        "appliances.*.night_ok": r"(?:at|during the|through the|in the) night|overnight|"
        r"nights?|while we (?:sleep|re asleep)",
        "appliances.*.power_kw": r"kw|kilowatts?|watts?|draws?|\d w\b",
        "appliances.*.duration_min": r"takes?|runs for|program\w*|cycles?|lasts?|minutes?|hours?|"
        r"mins|an hour|long",
        "generator.rated_kw": r"kw|kva|kilowatts?|watts?|rated",
        "generator.fuel_cost_per_kwh": r"fuel|costs?|per (?:unit|kwh)|diesel|petrol|pence|"
        r"cents?|p a unit",
        "generator.allowed_hours": r"(?:run|runs|allowed|between|from|hours|only) .*|neighbou?rs",
        "flexibility.priority": r"matters?|priorit\w+|important|care (?:most )?about|comes "
        r"first|main thing",
        "flexibility.never_touch": r"never (?:touch|control|switch)|hands off|"
        r"leave (?:[\w,]+ ){1,20}alone|dont (?:touch|control|mess)|off "
        r"limits|keep (?:your )?hands|(?:under|in) (?:my|our) (?:own )?control|"
        r"(?:must|may|should) (?:not|never) be (?:touched|controlled|switched)",
        "flexibility.participate": r"(?<!with the )(?<!to the )network\b|schemes?\b|take part|"
        r"participat\w+|join(?:ing)?|(?:sign|count) (?:me|us) (?:up|in|out)|the scheme|grid events|"
        r"help(?:ing)? (?:\w+ ){0,2}(?:grid|network)\b",
        "flexibility.max_events_per_week": r"(?<!during )(?<!during an )(?<!during the )"
        r"(?<!during those )(?<!notice of an )events?|(?:times|once|twice) (?:a|per) week|"
        r"interruptions?",
        "flexibility.notice_min": r"notice|warn(?:ing|ed)?|in advance|beforehand|told|(?:tell|"
        r"let) (?:me|us)|ahead",
        "flexibility.comfort_slack_k": r"(?:degrees?|cooler|warmer|either way|colder) "
        r"(?:\w+ ){0,3}(?:cooler|warmer|either way|colder|"
        r"meanwhile|during|max|less|difference)|slack|give or "
        r"take|either way|drift|put up with|(?:by|off) (?:\w+ ){0,3}degrees?|degrees? off",
        "flexibility.data_consent": r"shar(?:e|ed|ing) (?:of )?(?:my|our|the|any|data|answers|"
        r"it|them|that|info\w*)|(?:my|our|the) (?:data|answers)\b|consent",
    }
)
"""Words for what of the thing a slot is about; car and appliance slots share theirs."""


@cache
def _section_pattern(section: str) -> re.Pattern[str] | None:
    words = _SECTIONS.get(section)
    return None if words is None else re.compile(rf"\b(?:{words})s?(?!\w)")


@cache
def _attribute_pattern(key: str) -> re.Pattern[str] | None:
    parts = key.split(".")
    general = f"{parts[0]}.*.{parts[-1]}" if len(parts) == 3 else key
    words = _ATTRIBUTES.get(general)
    return None if words is None else re.compile(rf"(?<!\w)(?:{words})")


def names_section(plain: str, section: str) -> bool:
    """Return whether a text names the thing that a section is about."""
    pattern = _section_pattern(section)
    if section == "evs.1" and names_section(plain, "evs.2"):
        return False
    if section == "battery" and re.search(r"\bcars?s? batter", plain):
        return False
    found = pattern is not None and pattern.search(plain) is not None
    return found or (section == "evs.1" and names_a_car(plain))


def has_name(section: str) -> bool:
    """Return whether a section is about a thing with a name, such as a battery."""
    return section in _SECTIONS


def names_attribute(plain: str, item: Slot) -> bool:
    """Return whether a text names what a slot is about of its thing."""
    pattern = _attribute_pattern(item.key)
    return pattern is not None and pattern.search(without_clock_words(plain)) is not None


def named_sections(plain: str) -> tuple[str, ...]:
    """Return the sections whose things a text names."""
    return tuple(section for section in _SECTIONS if names_section(plain, section))
