"""Home files for small scenarios."""

from federates.hems.parameters import Provenance, Source, completed, write

SAID = Source(provenance=Provenance.STATED, words="as I said to the interviewer", turn=1)
CAR_AND_BATTERY = {
    "household.occupants": 3,
    "household.devices": ("battery", "pv", "ev", "heat_pump", "dishwasher", "generator"),
    "household.n_evs": 1,
    "heating.kind": "heat_pump",
    "heating.emitter": "underfloor",
    "hot_water.kind": "resistive",
    "comfort.temp_day_c": 21.0,
    "comfort.temp_night_c": 18.5,
    "comfort.temp_min_c": 17.0,
    "battery.capacity_kwh": 9.5,
    "battery.power_kw": 3.6,
    "battery.reserve": 0.2,
    "battery.discharge_to_grid": False,
    "pv.peak_kw": 5.0,
    "pv.azimuth": "south_west",
    "evs.1.capacity_kwh": 52.0,
    "evs.1.arrival": "17:30",
    "evs.1.departure": "08:15",
    "evs.1.weekend_use": "none",
    "evs.1.daily_distance_km": 50.0,
    "generator.rated_kw": 3.0,
    "generator.fuel_cost_per_kwh": 0.05,
    "generator.allowed_hours": ({"start": "08:00", "end": "20:00"},),
    "flexibility.participate": False,
}


def home(**changes):
    """The home file of `CAR_AND_BATTERY` with changes; keys with __ for dots."""
    values = CAR_AND_BATTERY | {key.replace("__", "."): value for key, value in changes.items()}
    return completed(values, dict.fromkeys(values, SAID))


def write_homes(folder, **homes):
    """Write `<name>.yaml` of every home; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, one in homes.items():
        write(one, path=folder / f"{name}.yaml")
    return folder
