"""Words for things a home can own and be: devices, house types, heating, tariffs, directions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

Words = tuple[tuple[str, re.Pattern[str]], ...]


def _words(**patterns: str) -> Words:
    return tuple(
        (name.rstrip("_"), re.compile(rf"\b(?:{pattern})(?!\w)"))
        for name, pattern in patterns.items()
    )


DEVICE_WORDS: Final = _words(
    heat_pump=r"(?:air source |ground source |air to water |air to air )?heat ?pumps?|ashp|"
    r"gshp|mini ?splits?",
    battery=r"(?:home |house |solar |storage |wall |powerwall |big |small |tesla )*batter(?:y|"
    r"ies)(?: storage| pack| system)?|"
    r"power ?walls?|pylontech|givenergy|storage battery",
    pv=r"(?:solar(?: (?:pv|panels?|power|array|roof|system|cells?|electric|"
    r"setup))?(?! (?:thermal|water|hot|gain|battery|batteries)))|"
    r"pv(?: (?:panels?|array|system))?|photovoltaics?|panels on (?:the|our|my) (?:roof|garage|"
    r"shed)",
    ev=r"(?:electric|battery|plug ?in(?: hybrid)?|hybrid|ev) (?:car|vehicle|van|suv|motor)s?|"
    r"evs?|plug ?in hybrids?|plug ?ins?|phevs?|teslas?(?! (?:power|batter))|"
    r"nissan leaf|leaf|wall ?box|e golf|kia niro|electric mini|zoe|ioniq|chevy bolt|polestar|"
    r"e cars?",
    hot_water_tank=r"hot ?water (?:tanks?|cylinders?|storage)|water (?:tanks?|heaters?|"
    r"cylinders?)|immersions?(?: (?:heaters?|tanks?))?|"
    r"(?:immersion|megaflo|unvented|copper) cylinders?|megaflo|hot tanks?|cylinders?|"
    r"(?<!oil )(?<!fish )(?<!septic )tanks?",
    washing_machine=r"washing ?machines?|washers?(?: dryers?)?|clothes washers?|laundry machines?",
    dryer=r"(?:tumbled? ?|clothes |washer )?(?:dryers?|driers?)(?! hair)|tumble",
    dishwasher=r"dish ?washers?|dish washing machines?",
    generator=r"(?:diesel |petrol |gas |backup |back up |standby |emergency |"
    r"portable )?(?:generators?|gensets?|gennys?|gennies|gennie)",
)
"""Devices; a washer-dryer is both machines, see `devices`."""

HOUSE_TYPE_WORDS: Final = _words(
    semi_detached=r"semi(?:s)?(?: detached)?|semidetached|end (?:of )?(?:the )?terraced?|end "
    r"of row|duplex(?:es)?|twin house|"
    r"(?:attached|joined)(?: to (?:the |our )?neighbou?rs?)?(?: house)? (?:on|at) "
    r"(?:only )?(?:1|one) side|share (?:just )?(?:1|a) (?:party )?wall|"
    r"(?:1|a) (?:shared|party|common) wall",
    terraced=r"(?:mid )?terraced?(?: houses?| homes?| cottages?)?|mid terraced?|row (?:house|"
    r"home)s?|town ?houses?|"
    r"(?:back to back|in a row)|(?:neighbou?rs|attached|joined|houses|walls|someone) "
    r"(?:\w+ ){0,3}(?:both|either) sides?",
    flat=r"flats?(?! (?:rate|roof|tariff|price|fee))|apartments?|condos?|condominiums?|"
    r"maisonettes?|studio(?:s)?|bed ?sits?|"
    r"tenements?|penthouses?|block of flats|ground floor flat",
    detached=r"detached(?: houses?| bungalows?| homes?)?|stand ?alone|single family(?: (?:home|"
    r"house))?|"
    r"(?:stands?|standing|sits|house) (?:all )?(?:on its own|by itself|alone)|farm ?houses?|"
    r"free ?standing|"
    r"no (?:shared|party|common|adjoining) walls?|not (?:joined|attached)(?: (?:on|to) "
    r"(?:\w+ ?){1,4})?|separate house",
)
HEATING_WORDS: Final = _words(
    heat_pump=r"(?:air source |ground source |geothermal )?heat ?pumps?|ashp|gshp|"
    r"mini ?splits?|air source|ground source|geothermal|daikin|air to water",
    resistive=r"electric(?:al)?(?: \w+){0,2}? (?:heaters?|heating|radiators?|boilers?|fires?|"
    r"furnaces?|baseboards?|panels?)|storage heaters?|night storage|"
    r"panel heaters?|convectors?|convector heaters?|infra ?red(?: panels?)?|base ?boards?|"
    r"economy 7 heaters?|plug in (?:heaters?|radiators?)|"
    r"direct electric|resisti\w+|fan heaters?|oil filled radiators?|electric|electricity|all "
    r"electric|electrics|storage rads",
    gas=r"(?:mains |natural )?gas(?: (?:boilers?|fired|central|combi|furnaces?|heating|"
    r"fires?)){0,3}|combi(?: boilers?)?|gas combi|"
    r"(?:worcester|vaillant)(?: bosch)?(?: boiler)?",
    other=r"(?:heating )?oil(?! filled)(?: (?:boilers?|fired|tanks?|central|heating|"
    r"furnaces?))*|wood(?: (?:burners?|burning|stoves?|pellets?|fires?|boilers?))*|"
    r"pellets?|"
    r"bio ?mass|coal(?: fires?)?|lpg|propane|district(?: heat(?:ing)?)?|heat networks?|"
    r"communal(?: (?:heating|boiler))?|solid fuel|log (?:burners?|fires?|stoves?)|"
    r"peat|turf|kerosene|something else|agas?|range cooker|multi ?fuel|paraffin|steam",
    none=r"no heating|not (?:at all|heated)|isnt heated|no central heating|dont (?:have|heat|"
    r"use) (?:any )?(?:heating|it)|unheated|"
    r"nothing|no heat|none",
)
HOT_WATER_WORDS: Final = _words(
    heat_pump=r"(?:by |the |same )*heat ?pumps?(?: (?:water heater|cylinder))?|ashp|air source|"
    r"ground source|hybrid water heater|heat pump water heater",
    resistive=r"immersions?(?: (?:heaters?|elements?))?|"
    r"electric(?:al)?(?: (?:\w+ )?(?:immersion|water heaters?|tanks?|heaters?|"
    r"elements?|cylinders?|boilers?))?|"
    r"resisti\w+|electricity|(?:electric |heating )?elements?|willis|the immersion",
    gas=r"(?:mains |natural )?gas(?: (?:boilers?|combi|water heaters?|geysers?|tank|furnace))*|"
    r"combi(?: boilers?)?|(?:off |from |by )?the boiler|boilers?",
    none=r"none(?: of (?:these|those|them|the above))?|neither|oil(?: boiler)?|solar thermal|"
    r"district(?: heating)?|no hot water|something else|other|"
    r"wood|back boiler|communal|dont have (?:any )?hot water|nothing|solid fuel|lpg|propane|"
    r"biomass|electric showers? only|no tank",
)
TARIFF_WORDS: Final = _words(
    dynamic=r"(?:octopus )?agile|tracker|half ?hourly|every (?:half )?hour|each (?:half )?hour|"
    r"hour (?:by|to) hour|hourly|dynamic(?:ally)?|"
    r"spot(?: (?:price|market|rate)s?)?|whole ?sale|real ?time(?: pricing)?|tibber|awattar|"
    r"changes (?:all the time|constantly|every)|variable by the hour|by the hour|"
    r"(?:changes?|varies|different|moves|goes up and down) (?:\w+ ){0,3}(?:all the time|hours?|"
    r"half hour|constantly)|day ahead|nord ?pool|market price|30 minutes",
    time_of_use=r"economy (?:7|10|seven|ten)|e ?7|e ?10|time of (?:use|day)|tou|octopus (?:go|"
    r"flux|cosy)|intelligent(?: (?:octopus|go))*|night ?(?:saver|rate|time rate|"
    r"tariff|boost)|"
    r"(?:day|night|peak|off ?peak) (?:and|/|&) (?:day|night|peak|off ?peak)(?: (?:rate|price|"
    r"tariff|unit)s?)?|off ?peak|"
    r"(?:2|two|3|three|split|dual|multi) ?(?:rate|tariff|tier|price|band|prices|rates|bands)s?|"
    r"cheap(?:er)? (?:\w+ ){0,4}?(?:nights?|overnight|night ?time|evenings?|weekends?|"
    r"after \d+|midnight|hours|times)|(?:nights?|overnight) (?:\w+ ){0,3}?cheap(?:er)?|"
    r"(?:dearer|more expensive|expensive|higher|more|pricier|costs more) "
    r"(?:\w+ ){0,4}?(?:evenings?|peak|tea ?time|daytime|day|times|hours|afternoons?)|"
    r"depends? (?:on )?(?:\w+ )?(?:the )?(?:time|when|hour)(?: of (?:the )?day)?|smart night|"
    r"day ?night|white meter|peak (?:rate|time|hours|price)s?|peak",
    flat=r"flat(?: rates?)?|fixed(?: (?:rates?|price|tariff))?|always the same|same (?:all|"
    r"price|rate|around|round|whatever|day|whenever|every|24)(?: \w+)?|"
    r"the same(?! as)|standard(?: (?:variable|tariff|rate))*|single rate|1 (?:rate|"
    r"price)(?: (?:all|for|only))?|constant|svt|(?:doesnt|never|not) (?:change|vary)s?|"
    r"regular(?: rate)?|unchanging|uniform|price cap|24 hour rate|just (?:1|the 1) (?:rate|"
    r"price)|normal (?:tariff|rate)",
)
AZIMUTH_WORDS: Final = _words(
    north_east=r"north ?(?:to |/ )?(?:east|easterly)(?:erly|ern)?|north ?east(?:wards?)?|ne|n e",
    north_west=r"north ?(?:to |/ )?(?:west|westerly)(?:erly|ern)?|north ?west(?:wards?)?|nw|n w",
    south_east=r"south ?(?:to |/ )?(?:east|easterly)(?:erly|ern)?|south ?east(?:wards?)?|se|s e",
    south_west=r"south ?(?:to |/ )?(?:west|westerly)(?:erly|ern)?|south ?west(?:wards?)?|sw|s w",
    north=r"(?:due |facing |straight )*north(?:erly|ern|wards?)?(?: facing)?|(?:^|(?<=face )|"
    r"(?<=facing )|(?<=faces )|(?<=due )|(?<=is )|(?<=are )|(?<=its ))n(?![^ ])",
    south=r"(?:due |facing |straight )*south(?:erly|ern|wards?)?(?: facing)?|(?:^|(?<=face )|"
    r"(?<=facing )|(?<=faces )|(?<=due )|(?<=is )|(?<=are )|(?<=its ))s(?![^ ])",
    east=r"(?:due |facing |straight )*east(?:erly|ern|wards?)?(?: facing)?|(?:morning sun|"
    r"sunrise|sun rises|sun comes up)|(?:^|(?<=face )|(?<=facing )|(?<=faces )|(?<=due )|"
    r"(?<=is )|(?<=are )|(?<=its ))e(?![^ ])",
    west=r"(?:due |facing |straight )*west(?:erly|ern|wards?)?(?: facing)?|(?:evening sun|"
    r"sunset|sun sets|sun goes down)|(?:^|(?<=face )|(?<=facing )|(?<=faces )|(?<=due )|"
    r"(?<=is )|(?<=are )|(?<=its ))w(?![^ ])",
)
EMITTER_WORDS: Final = _words(
    underfloor=r"under ?(?:the )?floor(?: heating)?|ufh|floor heating|heated floors?|(?:in|"
    r"through|from) the floors?|warm floors?|pipes (?:in|under) the floor|radiant "
    r"floors?|floors?",
    radiators=r"radiators?|rads?|towel rails?|panels on the walls?",
)
WEEKEND_WORDS: Final = _words(
    none=r"(?:stays?|sits|parked|stay|sitting|is|remains|stuck|left) (?:\w+ ){0,2}?(?:at home|"
    r"home|put|in|on the drive(?:way)?|in the (?:garage|drive|driveway)|idle|parked|"
    r"plugged in)|"
    r"not used|isnt used|isnt driven|not driven|unused|(?:dont|doesnt|never|rarely|hardly ever|"
    r"hardly|not|barely) (?:really |usually |normally |get |often |much )*(?:use|used|drive|"
    r"driven|leave|go|goes|move|moves|take(?= (?:it|her|him|the car|1)\b))(?: \w+)?|"
    r"no (?:driving|trips|weekend use)|at home|stays? (?:put|home)|doesnt move|"
    r"only (?:used )?(?:on |in |during )?(?:the )?(?:week|weekdays)|weekdays only|none",
    same=r"same(?: \w+){0,3}|no (?:different|difference|change)|used (?:as|just as|like|much|"
    r"too|at|on|every|all|a bit|now|most|about)(?: \w+)*|as (?:usual|normal|in the week|"
    r"on weekdays)|like (?:\w+ )?(?:weekdays?|the week|any other day)|"
    r"every ?day|every day of the week|7 days(?: a week)?|similar(?:ly)?|also used|out and "
    r"about|use it (?:then )?(?:too|as well|both|every|then|just|now and)|(?:now and then|now "
    r"and again|sometimes|occasionally)|"
    r"we (?:go|drive|take it) (?:out|places|shopping)|all week|identical|just as much",
)
PRIORITY_WORDS: Final = _words(
    cost=r"costs?|money|cheap(?:er|est|ness)?|price|prices|bills?|saving(?:s)?(?: money)?|save|"
    r"sav(?:e|ing) (?:some |a bit of )?(?:money|cash|pennies)|"
    r"budget|afford\w*|wallet|expens\w+|low(?:er|est)? (?:cost|bills?|prices?)|pennies|pocket|"
    r"cash|spend(?:ing)?(?: less)?|euros?|dollars?|quid|pounds|financ\w+|economical",
    comfort=r"comfort(?:able|s)?|cosy|cozy|warm(?:th)?|staying warm|(?:not (?:being )?)?cold|"
    r"toasty|temperature|snug|nice and warm|(?:a )?warm (?:home|house)",
    convenience=r"convenien\w+|eas(?:e|y|ier|iest)|hassle(?: free)?|no fuss|fuss|simpl\w+|"
    r"(?:not )?(?:having )?to think|practical\w*|hands off|effort(?:less)?|"
    r"(?:without|no) (?:bother|faff|trouble)|bother(?:ed|ing)?|faff|no disruption|disrupt\w*|"
    r"just works?|low maintenance",
    carbon=r"carbon(?: (?:footprint|emissions))?|green(?:er|est)?|environment(?:al|"
    r"ally)?(?: (?:impact|friendly))?|climate(?: change)?|planet|emissions?|co ?2|"
    r"eco(?: friendly)?|sustainab\w+|renewables?|footprint|footprints|clean (?:energy|power|"
    r"electricity)|low carbon|polar bears|nature|earth",
)

CHOICE_WORDS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "house_type": HOUSE_TYPE_WORDS,
        "heating.kind": HEATING_WORDS,
        "hot_water.kind": HOT_WATER_WORDS,
        "tariff.kind": TARIFF_WORDS,
        "azimuth": AZIMUTH_WORDS,
        "emitter": EMITTER_WORDS,
        "weekend_use": WEEKEND_WORDS,
        "priority": PRIORITY_WORDS,
    }
)
"""By key or last part of the key."""
