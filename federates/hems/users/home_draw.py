"""The true answers of a drawn householder: one plausible, feasible home."""

from __future__ import annotations

from federates.hems.parameters.choices import AZIMUTHS, DEVICES
from federates.hems.parameters.slots import Span, Value, applicable_slots
from federates.hems.parameters.stored import checked_all
from federates.hems.users.chance import Chance
from federates.hems.users.device_draw import (
    appliance_truth,
    battery_truth,
    ev_truth,
    flexibility_truth,
    generator_truth,
)
from federates.hems.users.market import EXPORTS_KW, FUSES_KW, PANELS_W, TANKS_L, TARIFFS

WHOLE_DAY: tuple[Span, ...] = ({"start": "00:00", "end": "24:00"},)
_AZIMUTH_SHARES = (0.01, 0.02, 0.13, 0.14, 0.4, 0.14, 0.14, 0.02)
_DESIGN_COP = 2.2
"""Heat per electricity on the design day, for the rating of a heat pump."""


def draw_truth(chance: Chance, *, locale: str, currency: str) -> dict[str, Value]:
    """Return every answerable slot of one home in stored form, and no other."""
    home = _household(chance, locale=locale)
    owned = _devices(chance, home=home, locale=locale)
    home["household.devices"] = tuple(device for device in DEVICES if device in owned)
    home |= _heating(chance, home=home, owned=owned, locale=locale)
    home |= _comfort(chance, fahrenheit=locale == "en-US")
    home |= _tariff(chance, owned=owned, currency=currency)
    home |= _limits(chance, home=home, owned=owned, locale=locale)
    home |= battery_truth(chance)
    home |= _pv(chance)
    home |= ev_truth(chance, locale=locale)
    for appliance in ("washing_machine", "dryer", "dishwasher"):
        home |= appliance_truth(chance, kind=appliance, occupants=_int(home["household.occupants"]))
    home |= generator_truth(chance, currency=currency)
    home |= flexibility_truth(chance, owned=owned, fahrenheit=locale == "en-US")
    applies = {item.key: home[item.key] for item in applicable_slots(home) if item.key in home}
    return checked_all(applies)


def _int(value: Value) -> int:
    assert isinstance(value, int)
    return value


def _household(chance: Chance, *, locale: str) -> dict[str, Value]:
    """People, house and when somebody is in."""
    american = locale == "en-US"
    shares = (0.6, 0.08, 0.1, 0.22) if american else (0.26, 0.31, 0.26, 0.17)
    house = chance.weighted(
        tuple(zip(("detached", "semi_detached", "terraced", "flat"), shares, strict=True))
    )
    people = ((1, 0.28), (2, 0.35), (3, 0.16), (4, 0.14), (5, 0.05), (6, 0.02))
    size = {"detached": (90, 220), "semi_detached": (70, 140), "terraced": (60, 120)}
    low, high = size.get(house, (35, 95))
    eras = ((1860, 1900, 0.16), (1901, 1938, 0.2), (1945, 1979, 0.34), (1980, 2003, 0.18))
    first, last = chance.weighted(
        (*(((a, b), 0.4 * share if american and b < 1940 else share) for a, b, share in eras),
         ((2004, 2024), 0.12))
    )  # fmt: skip
    area = chance.between(low, high, step=1 if chance.happens(0.5) else 5)
    weekday = _weekday(chance)
    return {
        "household.occupants": chance.weighted(people),
        "household.house_type": house,
        "household.built_year": chance.whole(first, last),
        "household.floor_area_m2": area * (1.3 if american else 1.0),
        "household.home_weekday": weekday,
        "household.home_weekend": _weekend(chance, weekday=weekday),
    }


def _span(start: str, end: str) -> Span:
    return {"start": start, "end": end}


def _weekday(chance: Chance) -> Value:
    if chance.happens(0.3):
        return WHOLE_DAY
    back, leave = chance.clock("14:30", "18:30"), chance.clock("07:00", "09:15")
    if chance.happens(0.12):
        lunch: Span = {"start": "12:00", "end": chance.one_of(["13:00", "13:30", "14:00"])}
        return (lunch, _span(back, leave))
    return (_span(back, leave),)


def _weekend(chance: Chance, *, weekday: Value) -> Value:
    if chance.happens(0.6):
        return WHOLE_DAY
    if chance.happens(0.25):
        return weekday
    return (_span(chance.clock("12:30", "17:00"), chance.clock("09:30", "11:30")),)


def _devices(chance: Chance, *, home: dict[str, Value], locale: str) -> set[str]:
    """Ownership: new and large homes have more; solar goes with batteries and cars."""
    flat = home["household.house_type"] == "flat"
    new = _int(home["household.built_year"]) >= 2004
    owned = {"washing_machine"} if chance.happens(0.95) else set()
    for device, share in (("dryer", 0.8 if locale == "en-US" else 0.5), ("dishwasher", 0.6)):
        if chance.happens(share * (0.6 if flat else 1.0)):
            owned.add(device)
    if chance.happens(0.05 if flat else 0.42):
        owned.add("pv")
    if chance.happens(0.45 if "pv" in owned else 0.07):
        owned.add("battery")
    if chance.happens(0.15 if flat else 0.5 if "pv" in owned else 0.38):
        owned.add("ev")
    if chance.happens(0.5 if new else 0.05 if flat else 0.28):
        owned.add("heat_pump")
    if not flat and chance.happens(0.08 if locale == "en-US" else 0.04):
        owned.add("generator")
    return owned


def _heating(
    chance: Chance, *, home: dict[str, Value], owned: set[str], locale: str
) -> dict[str, Value]:
    """Heating and hot water; adds the tank to the devices."""
    year, area = _int(home["household.built_year"]), home["household.floor_area_m2"]
    assert isinstance(area, int | float)
    has_pump = "heat_pump" in owned
    others = (("gas", 0.62), ("resistive", 0.2), ("other", 0.17), ("none", 0.01))
    kind = "heat_pump" if has_pump else chance.weighted(others)
    water_shares = {
        "heat_pump": (("heat_pump", 0.75), ("resistive", 0.25)),
        "gas": (("gas", 0.85), ("resistive", 0.15)),
        "resistive": (("resistive", 1.0),),
        "other": (("none", 0.45), ("resistive", 0.55)),
        "none": (("resistive", 1.0),),
    }
    water = chance.weighted(water_shares[kind])
    if water in {"resistive", "heat_pump"} or chance.happens(0.15):
        owned.add("hot_water_tank")
    home["household.devices"] = tuple(device for device in DEVICES if device in owned)
    loss_w_per_m2 = 35 if year >= 2004 else 55 if year >= 1980 else 75
    rated = 1.2 * area * loss_w_per_m2 / 1000 / (_DESIGN_COP if has_pump else 1.0)
    floor = has_pump and chance.happens(0.7 if year >= 2004 else 0.2)
    low, high = (3.8, 4.8) if floor else (2.8, 3.7)
    set_c = chance.between(48, 60, step=1)
    water_kw = {"en-US": 4.5}.get(locale, 3.0)
    if water == "heat_pump":
        water_kw = chance.between(0.7, 2.5, step=0.1)
    return {
        "heating.kind": kind,
        "heating.rated_electric_kw": min(
            20.0, FUSES_KW[locale][-1], max(0.5, round(rated * 2) / 2)
        ),
        "heating.emitter": "underfloor" if floor else "radiators",
        "heating.cop_nominal": chance.between(low, high, step=0.1),
        "hot_water.kind": water,
        "hot_water.volume_l": chance.one_of(TANKS_L[locale]),
        "hot_water.power_kw": water_kw,
        "hot_water.showers_per_day": max(
            1, round(_int(home["household.occupants"]) * chance.between(0.5, 1.2, step=0.1))
        ),
        "hot_water.ready_by": chance.clock("05:30", "08:00"),
        "hot_water.temp_set_c": set_c,
        "hot_water.temp_max_c": min(70.0, set_c + chance.one_of((5.0, 8.0, 10.0))),
    }


def _comfort(chance: Chance, *, fahrenheit: bool) -> dict[str, Value]:
    """Temperatures with minimum <= night <= day < maximum, in whole degrees F in the US."""
    if fahrenheit:
        day = chance.whole(67, 73)
        night = day - chance.whole(0, 7)
        least = min(night, 66) - chance.whole(0, 4)
        values = [round((f - 32) * 5 / 9, 2) for f in (day, night, least, day + chance.whole(3, 8))]
    else:
        day_c = chance.between(18.5, 23, step=0.5 if chance.happens(0.4) else 1.0)
        night_c = day_c - chance.between(0, 4.5, step=0.5)
        least_c = min(night_c, 19.0) - chance.between(0, 3, step=0.5)
        values = [day_c, night_c, max(5.0, least_c), day_c + chance.between(1.5, 5, step=0.5)]
    names = ("temp_day_c", "temp_night_c", "temp_min_c", "temp_max_c")
    hours = (_span(chance.clock("05:30", "08:00"), chance.clock("21:00", "23:45")),)
    found: dict[str, Value] = {f"comfort.{n}": v for n, v in zip(names, values, strict=True)}
    found["comfort.day_hours"] = hours
    return found


def _tariff(chance: Chance, *, owned: set[str], currency: str) -> dict[str, Value]:
    """Tariff; owners of cars and batteries mostly have one that depends on the time."""
    keen = bool(owned & {"ev", "battery"})
    shares = (0.3, 0.52, 0.18) if keen else (0.76, 0.2, 0.04)
    kinds = ("flat", "time_of_use", "dynamic")
    table = TARIFFS[currency]
    start, end = chance.one_of(table.peak_hours)
    step = chance.weighted(((0.01, 0.35), (0.001, 0.45), (0.0001, 0.2)))
    export = 0.0 if chance.happens(0.08) else chance.between(*table.export, step=step)
    return {
        "tariff.kind": chance.weighted(tuple(zip(kinds, shares, strict=True))),
        "tariff.import_price_per_kwh": chance.between(*table.flat, step=step),
        "tariff.peak_price_per_kwh": chance.between(*table.peak, step=step),
        "tariff.off_peak_price_per_kwh": chance.between(*table.off_peak, step=step),
        "tariff.peak_hours": (_span(start, end),),
        "tariff.export_price_per_kwh": export,
    }


def _limits(
    chance: Chance, *, home: dict[str, Value], owned: set[str], locale: str
) -> dict[str, Value]:
    """Fuse and export permission; homes with a car or much electric heating have a larger fuse."""
    rated_kw = home["heating.rated_electric_kw"]
    assert isinstance(rated_kw, int | float)
    fuses_kw = FUSES_KW[locale]
    large = fuses_kw[1:] if owned & {"ev", "heat_pump"} else fuses_kw
    return {
        "household.import_limit_kw": chance.one_of([f for f in large if f >= rated_kw]),
        "household.export_limit_kw": chance.one_of(EXPORTS_KW[locale]),
    }


def _pv(chance: Chance) -> dict[str, Value]:
    peak_kw = round(chance.whole(6, 22) * chance.one_of(PANELS_W) / 1000, 3)
    return {
        "pv.peak_kw": peak_kw,
        "pv.azimuth": chance.weighted(tuple(zip(AZIMUTHS, _AZIMUTH_SHARES, strict=True))),
        "pv.tilt_deg": 0.0 if chance.happens(0.06) else chance.between(20, 50, step=5),
    }
