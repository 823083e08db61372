"""One home with every device, all of whose wishes can be kept."""

from dataclasses import replace

import numpy as np

from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import (
    Battery,
    Generator,
    HeatPump,
    Home,
    HotWater,
    Pv,
    Shiftable,
    Vehicle,
)

N, DT_H = 48, 0.5
HOUR = np.arange(N) * DT_H
SUN = np.maximum(np.sin((HOUR - 7) / 10 * np.pi), 0) * ((HOUR > 7) & (HOUR < 17))


def small_forecast(**changes):
    forecast = Forecast(
        dt_h=DT_H,
        price_import_per_kwh=np.where((HOUR >= 16) & (HOUR < 19), 0.4, 0.2) + 0.001 * HOUR,
        price_export_per_kwh=0.1,
        temp_out_c=3.0 + 3.0 * np.sin((HOUR - 9) / 12 * np.pi),
        ghi_w_per_m2=400 * SUN,
        base_load_kw=0.3 + 0.2 * (HOUR > 17),
        pv_available_kw=2.5 * SUN,
    )
    return replace(forecast, **changes)


def vehicle(**changes):
    trip_kwh = np.zeros(N)
    trip_kwh[36] = 7.0
    given = {
        "capacity_kwh": 60.0,
        "charger_kw": 7.4,
        "plugged_in": (HOUR < 7.5) | (HOUR >= 18),
        "soc_init": 0.6,
        "departures": ((14, 48.0),),
        "trip_kwh": trip_kwh,
        "soc_floor": 0.2,
    }
    return Vehicle(**(given | changes))


def heater(**changes):
    given = {
        "p_max_kw": 4.0,
        "ua_kw_per_k": 0.2,
        "c_kwh_per_k": 6.5,
        "temp_init_c": 20.0,
        "temp_min_c": np.where((HOUR >= 6.5) & (HOUR < 22.5), 20.0, 18.0),
        "temp_max_c": np.full(N, 24.0),
        "solar_gain_m2": 3.0,
        "internal_gain_kw": 0.3,
        "carnot_fraction": 0.4,
    }
    return HeatPump(**(given | changes))


def tank(**changes):
    draw_kwh = np.zeros(N)
    draw_kwh[[15, 40]] = 2.0
    given = {
        "volume_l": 150.0,
        "p_max_kw": 3.0,
        "draw_kwh": draw_kwh,
        "temp_init_c": 52.0,
        "temp_min_c": 38.0,
        "ready": ((13, 52.0),),
    }
    return HotWater(**(given | changes))


def washer(**changes):
    given = {"name": "washer", "power_kw": 2.0, "duration": 4, "earliest": 16, "latest": 44}
    return Shiftable(**(given | changes))


def small_home(**changes):
    given = {
        "batteries": (
            Battery(capacity_kwh=10.0, p_charge_max_kw=5.0, p_discharge_max_kw=5.0, soc_init=0.3),
        ),
        "vehicles": (vehicle(),),
        "heaters": (heater(),),
        "tanks": (tank(),),
        "appliances": (washer(), washer(name="dryer", duration=3, after="washer")),
        "generators": (Generator(p_max_kw=3.0, p_min_kw=1.0, fuel_per_kwh=0.5),),
        "pv": Pv(),
    }
    return Home(**(given | changes))
