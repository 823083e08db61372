"""True answers about devices and flexibility; what does not apply is dropped by the caller."""

from __future__ import annotations

from federates.hems.parameters.choices import DEVICES
from federates.hems.parameters.slots import Span, Value
from federates.hems.users.chance import Chance
from federates.hems.users.market import BATTERIES, CARS, CARS_US, CHARGERS_KW
from federates.hems.users.realisers.clocks import MINUTES_PER_DAY, minutes_of

_KWH_PER_KM = 0.2
"""Upper end of what cars need; for drawing feasible windows only."""
_CHARGING_MARGIN = 0.8
"""Share of the window that must suffice, so that losses do not make it infeasible."""
_MEAN_RUNS = {"washing_machine": 1.2, "dryer": 0.8, "dishwasher": 1.3}
_POWER_KW = {"washing_machine": (1.8, 2.4), "dryer": (0.9, 2.8), "dishwasher": (1.5, 2.2)}


def battery_truth(chance: Chance) -> dict[str, Value]:
    """A home battery as sold."""
    capacity_kwh, power_kw = chance.one_of(BATTERIES)
    return {
        "battery.capacity_kwh": capacity_kwh,
        "battery.power_kw": power_kw,
        "battery.reserve": chance.one_of((0.0, 0.05, 0.1, 0.1, 0.2, 0.25, 0.3)),
        "battery.charge_from_grid": chance.happens(0.7),
        "battery.discharge_to_grid": chance.happens(0.3),
        "battery.eta_charge": chance.between(0.92, 0.98, step=0.01),
        "battery.eta_discharge": chance.between(0.92, 0.98, step=0.01),
    }


def ev_truth(chance: Chance, *, locale: str) -> dict[str, Value]:
    """One or two cars that can be charged in the time they stand at home."""
    count = 2 if chance.happens(0.14) else 1
    found: dict[str, Value] = {"household.n_evs": count}
    for car in range(1, count + 1):
        found |= {f"evs.{car}.{name}": value for name, value in _car(chance, locale=locale).items()}
    return found


def _car(chance: Chance, *, locale: str) -> dict[str, Value]:
    model, capacity_kwh = chance.one_of(CARS_US if locale == "en-US" else CARS)
    charger_kw = chance.weighted(CHARGERS_KW[locale])
    plug_in_hybrid = capacity_kwh < 20
    if plug_in_hybrid:
        charger_kw = min(charger_kw, 3.6)
    arrival, departure = chance.clock("15:30", "20:15"), chance.clock("05:45", "09:30")
    if chance.happens(0.05):  # night shift
        arrival, departure = chance.clock("06:30", "08:30"), chance.clock("19:00", "21:30")
    window_h = (minutes_of(departure) - minutes_of(arrival)) % MINUTES_PER_DAY / 60
    target = 1.0 if plug_in_hybrid else chance.one_of((0.7, 0.8, 0.8, 0.8, 0.85, 0.9, 1.0))
    chargeable_km = _CHARGING_MARGIN * window_h * charger_kw / _KWH_PER_KM
    longest_km = min(chargeable_km, 0.8 * target * capacity_kwh / _KWH_PER_KM, 160.0)
    distance_km = max(5.0, min(longest_km, 8.0 + float(chance.rng.gamma(2.0, 20.0))))
    return {
        "model": model,
        "capacity_kwh": capacity_kwh,
        "charger_kw": charger_kw,
        "arrival": arrival,
        "departure": departure,
        "weekend_use": "same" if chance.happens(0.65) else "none",
        "target": target,
        "daily_distance_km": float(round(distance_km)),
        "v2g": chance.happens(0.08) and not plug_in_hybrid,
    }


def appliance_truth(chance: Chance, *, kind: str, occupants: int) -> dict[str, Value]:
    """Use of an appliance; those that may run at night often must wait for it."""
    runs = int(chance.rng.poisson(_MEAN_RUNS[kind] * (1 + 0.6 * occupants)))
    night = chance.happens(0.3)
    late = night and chance.happens(0.6)
    start, end = (("19:00", "23:00"), ("05:30", "09:00")) if late else (
        ("06:30", "12:00"), ("17:00", "23:00")
    )  # fmt: skip
    low, high = _POWER_KW[kind]
    finish = "00:00" if chance.happens(0.1) and not late else chance.clock(*end)
    return {
        f"appliances.{kind}.runs_per_week": min(max(runs, 1), 14),
        f"appliances.{kind}.earliest_start": chance.clock(*start),
        f"appliances.{kind}.latest_finish": finish,
        f"appliances.{kind}.night_ok": night,
        f"appliances.{kind}.power_kw": chance.between(low, high, step=0.1),
        f"appliances.{kind}.duration_min": chance.between(60, 180, step=15),
    }


def generator_truth(chance: Chance, *, currency: str) -> dict[str, Value]:
    """A small generator that runs by day."""
    dear = {"GBP": 0.1, "EUR": 0.1}.get(currency, 0.0)
    hours: Span = {"start": chance.clock("07:00", "09:00"), "end": chance.clock("18:00", "22:00")}
    return {
        "generator.rated_kw": chance.one_of((2.0, 2.8, 3.0, 5.0, 6.0, 7.5, 10.0)),
        "generator.fuel_cost_per_kwh": round(chance.between(0.3, 0.6, step=0.01) + dear, 4),
        "generator.allowed_hours": (hours,),
    }


def flexibility_truth(chance: Chance, *, owned: set[str], fahrenheit: bool) -> dict[str, Value]:
    """What they would let others do."""
    # In the order of the list: a set's order differs from one process to the next.
    kept = [
        device for device in DEVICES if device in owned and device != "pv" and chance.happens(0.12)
    ]
    slack = (0.56, 1.11, 1.67, 2.22) if fahrenheit else (0.5, 1.0, 1.0, 1.5, 2.0, 3.0)
    priorities = (("cost", 0.48), ("comfort", 0.26), ("convenience", 0.14), ("carbon", 0.12))
    return {
        "flexibility.participate": chance.happens(0.55),
        "flexibility.never_touch": tuple(kept),
        "flexibility.priority": chance.weighted(priorities),
        "flexibility.max_events_per_week": chance.weighted(
            ((0, 0.02), (1, 0.25), (2, 0.3), (3, 0.25), (5, 0.13), (7, 0.05))
        ),
        "flexibility.notice_min": chance.one_of(
            (0.0, 15.0, 30.0, 60.0, 60.0, 120.0, 240.0, 1440.0)
        ),
        "flexibility.comfort_slack_k": chance.one_of(slack),
        "flexibility.data_consent": chance.happens(0.5),
    }
