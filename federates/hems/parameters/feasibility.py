"""Do the values of a home fit together? Only what is known is compared, and nothing is changed.

Every check returns conflicts that show two numbers and a question, since "infeasible" without a
reason is what users of energy managers complain of most. Slots that only experts are asked count
with their defaults, because those would be used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, cast

from federates.hems.parameters import building
from federates.hems.parameters.assumptions import EV_KWH_PER_KM, heat_pump_cop
from federates.hems.parameters.choices import APPLIANCES, MAX_EVS, HouseType
from federates.hems.parameters.conflict import Conflict
from federates.hems.parameters.feasibility_use import (
    appliance_conflicts,
    battery_conflicts,
    hot_water_conflicts,
)
from federates.hems.parameters.slot import Values
from federates.hems.parameters.slots import applicable, ruled_out, slot
from federates.hems.parameters.stored import checked_all, number, text, window_min, words

EV_CHARGING_EFFICIENCY: Final = 0.92
"""From the meter into the car, as in `scenarios.device_draws`. [-]"""
OVERSIZED: Final = 2.5
"""Heat over the loss on the design day from which a heat pump is rather told by its heat. [-]"""
SMALLEST_PUMP_KW: Final = 4.0
"""Heat of the smallest pumps, which small new homes have for want of smaller ones. [kW]"""
_ROUNDING: Final = 1e-9

Check = Callable[[Values], Iterator[Conflict]]


def conflicts(
    values: Mapping[str, object], *, design_temp_c: float = building.UK_DESIGN_TEMP_C
) -> tuple[Conflict, ...]:
    """Return what does not fit together, in agenda order of the topics.

    Args:
        values: Known values by slot key, as many or few as there are.
        design_temp_c: Outdoor temperature of the coldest day that counts. [degC]

    Raises:
        ScenarioError: A value does not fit its slot.
    """
    said = checked_all(values)
    known = {key: value for key, value in said.items() if not ruled_out(slot(key), said)}
    checks: tuple[Check, ...] = (
        _heating_named_twice,
        _comfort_order,
        lambda known: _heating_capacity(known, design_temp_c=design_temp_c),
        lambda known: _heat_taken_for_electricity(known, design_temp_c=design_temp_c),
        hot_water_conflicts,
        _peak_price,
        battery_conflicts,
        _evs,
        appliance_conflicts,
        _import_limit,
    )
    return tuple(conflict for check in checks for conflict in check(known))


def _heating_named_twice(known: Values) -> Iterator[Conflict]:
    """The list of devices and the kind of heating agree on a heat pump."""
    if "household.devices" not in known or "heating.kind" not in known:
        return
    listed = "heat_pump" in words(known, "household.devices")
    heats = known["heating.kind"] == "heat_pump"
    if listed and not heats and known.get("hot_water.kind", "heat_pump") != "heat_pump":
        question = "You have a heat pump, but said the home is heated otherwise. What heats it?"
    elif heats and not listed:
        question = "A heat pump heats your home, but it is not among your devices. Do you have one?"
    else:
        return
    yield Conflict(
        rule="heating_named_twice",
        keys=("household.devices", "heating.kind"),
        needed=1,
        available=0,
        unit="heat pumps",
        question=question,
        resolve=("heating.kind", "household.devices"),
    )


def _comfort_order(known: Values) -> Iterator[Conflict]:
    """The coldest allowed <= night and day <= the warmest allowed."""
    lowest, highest = number(known, "comfort.temp_min_c"), number(known, "comfort.temp_max_c")
    if lowest is not None and highest is not None and lowest > highest:
        yield Conflict(
            rule="comfort_order",
            keys=("comfort.temp_min_c", "comfort.temp_max_c"),
            needed=lowest,
            available=highest,
            unit="degC",
            question=f"Your home may never be below {lowest:g} degrees, and never above "
            f"{highest:g} degrees. Which of the two should change?",
            resolve=("comfort.temp_min_c", "comfort.temp_max_c"),
        )
        return  # No temperature fits such bounds; the others are compared with right ones.
    for name in ("day", "night"):
        key = f"comfort.temp_{name}_c"
        wanted = number(known, key)
        if wanted is None:
            continue
        if lowest is not None and lowest > wanted:
            yield Conflict(
                rule="comfort_order",
                keys=("comfort.temp_min_c", key),
                needed=lowest,
                available=wanted,
                unit="degC",
                question=f"You would like {wanted:g} degrees at {name}, but said it must never be "
                f"below {lowest:g} degrees. Which of the two should change?",
                resolve=(key, "comfort.temp_min_c"),
            )
        if highest is not None and wanted > highest:
            yield Conflict(
                rule="comfort_order",
                keys=(key, "comfort.temp_max_c"),
                needed=wanted,
                available=highest,
                unit="degC",
                question=f"You would like {wanted:g} degrees at {name}, but it may never be above "
                f"{highest:g} degrees. Which of the two should change?",
                resolve=("comfort.temp_max_c", key),
            )


def _heating_capacity(known: Values, *, design_temp_c: float) -> Iterator[Conflict]:
    """The heating holds the coldest allowed temperature on the design day."""
    kind = known.get("heating.kind")
    rated_kw = number(known, "heating.rated_electric_kw")
    lowest = number(known, "comfort.temp_min_c")
    ua = _ua_kw_per_k(known)
    if kind is None or rated_kw is None or lowest is None or ua is None:
        return
    cop = heat_pump_cop(known, outdoor_temp_c=design_temp_c) if kind == "heat_pump" else 1.0
    needed = building.design_loss_kw(ua, temp_in_c=lowest, design_temp_c=design_temp_c)
    available = rated_kw * cop
    if needed > available + _ROUNDING:
        yield Conflict(
            rule="heating_capacity",
            keys=("heating.rated_electric_kw", "comfort.temp_min_c", "household.floor_area_m2"),
            needed=needed,
            available=available,
            unit="kW",
            question=f"At {design_temp_c:g} degrees outside your home needs about {needed:.1f} kW "
            f"of heat to stay at {lowest:g} degrees, but heating that draws {rated_kw:g} kW of "
            f"electricity gives about {available:.1f} kW. Is its power right?",
            resolve=(
                "heating.rated_electric_kw",
                "comfort.temp_min_c",
                "household.floor_area_m2",
                "household.built_year",
                "household.house_type",
            ),
        )


def _heat_taken_for_electricity(known: Values, *, design_temp_c: float) -> Iterator[Conflict]:
    """A heat pump does not draw so much electricity that the number must be its heat."""
    rated_kw = number(known, "heating.rated_electric_kw")
    ua = _ua_kw_per_k(known)
    if known.get("heating.kind") != "heat_pump" or rated_kw is None or ua is None:
        return
    cop = heat_pump_cop(known, outdoor_temp_c=design_temp_c)
    loss_kw = building.design_loss_kw(
        ua, temp_in_c=building.SIZING_TEMP_IN_C, design_temp_c=design_temp_c
    )
    heat_kw, most_kw = rated_kw * cop, OVERSIZED * loss_kw + SMALLEST_PUMP_KW
    if heat_kw > most_kw + _ROUNDING:
        yield Conflict(
            rule="heat_taken_for_electricity",
            keys=("heating.rated_electric_kw", "household.floor_area_m2"),
            needed=heat_kw,
            available=most_kw,
            unit="kW",
            question=f"A heat pump that draws {rated_kw:g} kW of electricity gives about "
            f"{heat_kw:.0f} kW of heat, but your home loses only about {loss_kw:.1f} kW at "
            f"{design_temp_c:g} degrees outside. If {rated_kw:g} kW is the heat it gives, it "
            f"draws about {rated_kw / cop:.1f} kW. How many kW of electricity does it draw?",
            resolve=(
                "heating.rated_electric_kw",
                "household.floor_area_m2",
                "household.built_year",
                "household.house_type",
            ),
        )


def _ua_kw_per_k(known: Values) -> float | None:
    """Return the heat loss of the building, as far as it is known. [kW/K]"""
    ua = number(known, "building.ua_kw_per_k")
    house_type = text(known, "household.house_type")
    built_year = number(known, "household.built_year")
    area = number(known, "household.floor_area_m2")
    if ua is None and house_type and built_year is not None and area is not None:
        return building.ua_kw_per_k(
            cast(HouseType, house_type), built_year=int(built_year), floor_area_m2=area
        )
    return ua


def _peak_price(known: Values) -> Iterator[Conflict]:
    """The peak price is not below the off-peak price."""
    peak = number(known, "tariff.peak_price_per_kwh")
    off_peak = number(known, "tariff.off_peak_price_per_kwh")
    if peak is not None and off_peak is not None and peak < off_peak:
        yield Conflict(
            rule="peak_price",
            keys=("tariff.peak_price_per_kwh", "tariff.off_peak_price_per_kwh"),
            needed=off_peak,
            available=peak,
            unit="per kWh",
            question=f"You pay {peak:g} at the expensive time and {off_peak:g} at the cheap time. "
            f"Are the two the wrong way round?",
            resolve=("tariff.peak_price_per_kwh", "tariff.off_peak_price_per_kwh"),
        )


def _evs(known: Values) -> Iterator[Conflict]:
    """Every car can make its daily trip, and is recharged by the time it leaves."""
    for n in range(1, MAX_EVS + 1):
        yield from _ev_range(known, at=f"evs.{n}")
        yield from _ev_window(known, at=f"evs.{n}")


def _ev_range(known: Values, *, at: str) -> Iterator[Conflict]:
    """The wanted charge is enough for a usual day."""
    distance, capacity = (
        number(known, f"{at}.daily_distance_km"),
        number(known, f"{at}.capacity_kwh"),
    )
    target = number(known, f"{at}.target")
    if distance is None or capacity is None or target is None:
        return
    needed, available = EV_KWH_PER_KM * distance, target * capacity
    if needed > available + _ROUNDING:
        yield Conflict(
            rule="ev_range",
            keys=(f"{at}.daily_distance_km", f"{at}.target", f"{at}.capacity_kwh"),
            needed=needed,
            available=available,
            unit="kWh",
            question=f"{distance:g} km a day takes about {needed:.0f} kWh, but the car charged to "
            f"{100 * target:.0f} percent holds only {available:.0f} kWh. Is the distance right?",
            resolve=(f"{at}.daily_distance_km", f"{at}.target", f"{at}.capacity_kwh"),
        )


def _ev_window(known: Values, *, at: str) -> Iterator[Conflict]:
    """A day's driving is recharged between arrival and departure."""
    distance, charger = number(known, f"{at}.daily_distance_km"), number(known, f"{at}.charger_kw")
    arrival, departure = text(known, f"{at}.arrival"), text(known, f"{at}.departure")
    if distance is None or charger is None or arrival is None or departure is None:
        return
    hours = window_min(arrival, departure) / 60
    needed, available = EV_KWH_PER_KM * distance, hours * charger * EV_CHARGING_EFFICIENCY
    if needed > available + _ROUNDING:
        yield Conflict(
            rule="ev_window",
            keys=(
                f"{at}.daily_distance_km",
                f"{at}.arrival",
                f"{at}.departure",
                f"{at}.charger_kw",
            ),
            needed=needed,
            available=available,
            unit="kWh",
            question=f"{distance:g} km a day takes about {needed:.0f} kWh, but from {arrival} to "
            f"{departure} your charger delivers at most {available:.0f} kWh. Are the times right?",
            resolve=(
                f"{at}.arrival",
                f"{at}.departure",
                f"{at}.charger_kw",
                f"{at}.daily_distance_km",
            ),
        )


def _import_limit(known: Values) -> Iterator[Conflict]:
    """No single device draws more than the home may."""
    limit = number(known, "household.import_limit_kw")
    keys = (
        "heating.rated_electric_kw",
        "hot_water.power_kw",
        *(f"evs.{n}.charger_kw" for n in range(1, MAX_EVS + 1)),
        *(f"appliances.{kind}.power_kw" for kind in APPLIANCES),
    )
    for key in keys:
        power = number(known, key) if key in known or applicable(slot(key), known) else None
        if power is None or limit is None or power <= limit:
            continue
        yield Conflict(
            rule="import_limit",
            keys=(key, "household.import_limit_kw"),
            needed=power,
            available=limit,
            unit="kW",
            question=f"One of your devices draws {power:g} kW, but your home may draw only "
            f"{limit:g} kW from the grid. What is right: {_label(key)}, or the limit?",
            resolve=("household.import_limit_kw", key),
        )


def _label(key: str) -> str:
    """Return what a power belongs to, in plain words."""
    names = {"heating": "the heating", "hot_water": "the water heater", "evs": "the car charger"}
    parts = key.split(".")
    return names.get(parts[0], f"the {parts[1].replace('_', ' ')}")
