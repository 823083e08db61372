"""What to take where nobody said anything: defaults that agree with what was said, and the rest.

All functions read known values in stored form and change none.
"""

from __future__ import annotations

from typing import Final, cast

from federates.hems.parameters import building
from federates.hems.parameters.choices import APPLIANCES, MAX_EVS, Emitter, HouseType
from federates.hems.parameters.ev_models import ev_capacity_kwh
from federates.hems.parameters.slot import Slot, Value, Values
from federates.hems.parameters.slots import slot
from federates.hems.parameters.stored import number, text, words

EV_KWH_PER_KM: Final = 0.175
"""Consumption of a car, the default of V2G Liberty. [kWh/km]"""
_DIGITS: Final = 4
_MINUTES_PER_HOUR: Final = 60.0


def assumed(item: Slot, known: Values) -> Value:
    """Return the default of a slot, moved as far as needed to agree with known values.

    Args:
        item: A slot with a default.
        known: Values that were said, and the defaults of earlier slots.
    """
    section = item.section.split(".")[0]
    value: Value | None = None
    if section == "comfort":
        value = _temperature(item, known)
    elif section == "tariff" and item.name in ("peak_price_per_kwh", "off_peak_price_per_kwh"):
        value = _price(item, known)
    elif section == "hot_water":
        value = _hot_water(item, known)
    elif section == "evs" and item.name == "capacity_kwh":
        value = ev_capacity_kwh(text(known, f"{item.section}.model") or "")
    elif item.key == "heating.kind" and "heat_pump" in words(known, "household.devices"):
        value = "heat_pump"
    return cast(Value, item.default) if value is None else value


def house(known: Values) -> dict[str, Value]:
    """Return the thermal model of the building and the load that is not planned."""
    house_type = cast(HouseType, known["household.house_type"])
    built_year = int(_number(known, "household.built_year"))
    floor_area_m2 = _number(known, "household.floor_area_m2")
    occupants = int(_number(known, "household.occupants"))
    inferred = {
        "building.ua_kw_per_k": building.ua_kw_per_k(
            house_type, built_year=built_year, floor_area_m2=floor_area_m2
        ),
        "building.c_kwh_per_k": building.c_kwh_per_k(
            built_year=built_year, floor_area_m2=floor_area_m2
        ),
        "building.solar_gain_m2": building.solar_gain_m2(floor_area_m2),
        "building.internal_gain_kw": building.internal_gain_kw(
            occupants=occupants, floor_area_m2=floor_area_m2
        ),
        "household.base_load_kwh_day": building.base_load_kwh_day(
            occupants=occupants,
            floor_area_m2=floor_area_m2,
            weekly_appliances_kwh=_weekly_appliances_kwh(known),
        ),
    }
    return {key: round(value, _DIGITS) for key, value in inferred.items()}


def heating(known: Values, *, design_temp_c: float) -> dict[str, Value]:
    """Return rating and efficiency of electric heating; nothing for other kinds.

    Args:
        known: Values with the building.
        design_temp_c: Outdoor temperature that heating is sized for. [degC]
    """
    kind = text(known, "heating.kind")
    if kind not in ("heat_pump", "resistive"):
        return {}
    loss_kw = building.SIZING_MARGIN * building.design_loss_kw(
        _number(known, "building.ua_kw_per_k"),
        temp_in_c=building.SIZING_TEMP_IN_C,
        design_temp_c=design_temp_c,
    )
    if kind == "resistive":
        return {"heating.rated_electric_kw": _rating_kw(loss_kw)}
    rating_kw = _rating_kw(loss_kw / heat_pump_cop(known, outdoor_temp_c=design_temp_c))
    return {**heat_pump_efficiency(known), "heating.rated_electric_kw": rating_kw}


def heat_pump_cop(known: Values, *, outdoor_temp_c: float) -> float:
    """Return heat over electricity of a heat pump at an outdoor temperature [degC]."""
    efficiency = heat_pump_efficiency(known)
    return building.cop(
        outdoor_temp_c,
        supply_temp_c=efficiency["heating.supply_temp_c"],
        carnot_fraction=efficiency["heating.carnot_fraction"],
    )


def heat_pump_efficiency(known: Values) -> dict[str, float]:
    """Return a heat pump's COP, supply temperature and Carnot fraction, known or usual."""
    emitter = cast(Emitter, text(known, "heating.emitter") or slot("heating.emitter").default)
    cop_nominal = number(known, "heating.cop_nominal") or building.COP_NOMINAL[emitter]
    supply_temp_c = number(known, "heating.supply_temp_c") or building.SUPPLY_TEMP_C[emitter]
    usual = building.carnot_fraction(cop_nominal, supply_temp_c=supply_temp_c)
    return {
        "heating.cop_nominal": cop_nominal,
        "heating.supply_temp_c": supply_temp_c,
        "heating.carnot_fraction": number(known, "heating.carnot_fraction")
        or round(usual, _DIGITS),
    }


def arrivals(known: Values) -> dict[str, Value]:
    """Return how full cars are when they come home: the target less the daily distance."""
    charges: dict[str, Value] = {}
    for n in range(1, MAX_EVS + 1):
        if f"evs.{n}.capacity_kwh" in known:
            used_kwh = EV_KWH_PER_KM * _number(known, f"evs.{n}.daily_distance_km")
            share = used_kwh / _number(known, f"evs.{n}.capacity_kwh")
            target = _number(known, f"evs.{n}.target")
            charges[f"evs.{n}.soc_arrival"] = round(max(target - share, 0.0), _DIGITS)
    return charges


def _temperature(item: Slot, known: Values) -> Value | None:
    """Return a temperature between the limits that were said, or limits around what was said."""
    wanted = ("comfort.temp_day_c", "comfort.temp_night_c")
    least, most = ("comfort.temp_min_c",), ("comfort.temp_max_c",)
    match item.name:
        case "temp_day_c":
            return _within(item, above=least, below=most, known=known)
        case "temp_night_c":
            return _within(item, above=least, below=(*most, wanted[0]), known=known)
        case "temp_min_c":
            return _within(item, above=(), below=wanted, known=known)
        case "temp_max_c":
            return _within(item, above=wanted, below=(), known=known)
    return None


def _hot_water(item: Slot, known: Values) -> Value | None:
    """Return what heats the water, and temperatures in their order."""
    match item.name:
        case "kind":
            return _hot_water_kind(known)
        case "temp_set_c":
            return _within(item, above=(), below=("hot_water.temp_max_c",), known=known)
        case "temp_max_c":
            return _within(item, above=("hot_water.temp_set_c",), below=(), known=known)
    return None


def _within(item: Slot, *, above: tuple[str, ...], below: tuple[str, ...], known: Values) -> float:
    """Return a default that is not below some known values, not above others, and in bounds."""
    value = float(cast(float, item.default))
    value = max([value, *(_number(known, key) for key in above if key in known)])
    value = min([value, *(_number(known, key) for key in below if key in known)])
    return min(max(value, item.low or 0.0), item.high or 0.0)


def _hot_water_kind(known: Values) -> str:
    """Return what heats the water where only the heating and the devices are known."""
    same = {"heat_pump": "heat_pump", "resistive": "resistive", "gas": "gas"}
    kind = same.get(text(known, "heating.kind") or "", "none")
    if kind == "none" and "hot_water_tank" in words(known, "household.devices"):
        return "resistive"
    return kind


def _price(item: Slot, known: Values) -> float:
    """Return a peak price above the off-peak price, or the other way round."""
    peak, off_peak = "tariff.peak_price_per_kwh", "tariff.off_peak_price_per_kwh"
    default = float(cast(float, item.default))
    if item.key == peak and off_peak in known:
        low = _number(known, off_peak)
        return default if low < default else min(2 * low, item.high or 0.0)
    if item.key == off_peak:
        high = _number(known, peak)
        return default if default < high else 0.5 * high
    return default


def _weekly_appliances_kwh(known: Values) -> float:
    """Return the electricity of the planned machines in a week. [kWh]"""
    owned = [f"appliances.{kind}" for kind in APPLIANCES if f"appliances.{kind}.power_kw" in known]
    return sum(
        _number(known, f"{at}.runs_per_week")
        * _number(known, f"{at}.power_kw")
        * _number(known, f"{at}.duration_min")
        / _MINUTES_PER_HOUR
        for at in owned
    )


def _rating_kw(power_kw: float) -> float:
    """Return a rating on the market; what it cannot heat, `feasibility` reports. [kW]"""
    limits = slot("heating.rated_electric_kw")
    return round(min(max(power_kw, limits.low or 0.0), limits.high or 0.0), 1)


def _number(known: Values, key: str) -> float:
    """Return a known number."""
    return float(cast(float, known[key]))
