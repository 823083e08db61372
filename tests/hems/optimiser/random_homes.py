"""Random small homes with every mix of devices, wishes that conflict, and unusual prices."""

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


def random_case(seed, *, n=24, dt_h=1.0):
    """Return a home and its forecast."""
    rng = np.random.default_rng([11, seed])
    price = rng.uniform(0.05, 0.5, n)
    if rng.random() < 0.25:
        price = price - 0.2  # some prices below zero
    export = np.full(n, rng.uniform(0.0, 0.15))
    if rng.random() < 0.2:
        export = rng.uniform(-0.1, 0.4, n)  # sometimes above the import price
    hour = np.arange(n) * dt_h
    sun = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0) * rng.uniform(0.3, 1.0, n)
    forecast = Forecast(
        dt_h=dt_h,
        price_import_per_kwh=price,
        price_export_per_kwh=export,
        temp_out_c=rng.uniform(-10, 18) + 3 * rng.normal(size=n),
        ghi_w_per_m2=600 * sun,
        base_load_kw=rng.uniform(0.1, 1.5, n),
        pv_available_kw=rng.uniform(0, 6) * sun,
    )
    home = Home(
        batteries=tuple(_battery(rng, k) for k in range(rng.choice([0, 1, 1, 2]))),
        vehicles=tuple(_vehicle(rng, k, n) for k in range(rng.choice([0, 1, 1, 2]))),
        heaters=(_heater(rng, n),) if rng.random() < 0.5 else (),
        tanks=(_tank(rng, n),) if rng.random() < 0.4 else (),
        appliances=_appliances(rng, n),
        generators=(_generator(rng, n),) if rng.random() < 0.3 else (),
        pv=Pv(curtailable=rng.random() < 0.7) if rng.random() < 0.6 else None,
        import_limit_kw=rng.uniform(1.0, 14.0),
        export_limit_kw=rng.uniform(0.0, 8.0),
    )
    return home, forecast


def _battery(rng, k):
    low, start, high = np.sort(rng.uniform(0, 1, 3))
    return Battery(
        name=f"battery{k}",
        capacity_kwh=rng.uniform(2, 15),
        p_charge_max_kw=rng.uniform(1, 6),
        p_discharge_max_kw=rng.uniform(1, 6),
        eta_charge=rng.uniform(0.8, 1.0),
        eta_discharge=rng.uniform(0.8, 1.0),
        soc_min=low,
        soc_init=start,
        soc_max=high,
        wear_per_kwh=rng.choice([0.0, 0.02]),
        charge_from_grid=bool(rng.random() < 0.7),
        discharge_to_grid=bool(rng.random() < 0.5),
    )


def _vehicle(rng, k, n):
    leaves, returns = sorted(rng.choice(np.arange(2, n - 1), 2, replace=False))
    step = np.arange(n)
    trip = np.zeros(n)
    trip[returns] = rng.uniform(0, 30)
    capacity = rng.uniform(20, 60)
    departures = [(int(leaves) - 1, rng.uniform(0.3, 1.0) * capacity)]
    if rng.random() < 0.3:
        departures.append((n - 1, rng.uniform(0.3, 0.9) * capacity))
    return Vehicle(
        name=f"ev{k}",
        capacity_kwh=capacity,
        charger_kw=rng.choice([2.0, 3.7, 7.4]),
        plugged_in=(step < leaves) | (step >= returns),
        soc_init=rng.uniform(0, 1),
        departures=tuple(departures),
        trip_kwh=trip,
        eta_charge=rng.uniform(0.85, 1.0),
        v2g_kw=rng.choice([0.0, 0.0, 3.7]),
        soc_floor=rng.uniform(0, 0.4),
        soc_max=rng.uniform(0.7, 1.0),
        firm=bool(rng.random() < 0.7),
    )


def _heater(rng, n):
    ua = rng.uniform(0.1, 0.5)
    return HeatPump(
        p_max_kw=rng.uniform(1, 6),
        ua_kw_per_k=ua,
        c_kwh_per_k=ua * rng.uniform(10, 60),
        temp_init_c=rng.uniform(16, 23),
        temp_min_c=rng.uniform(17, 21, n),
        temp_max_c=rng.uniform(20, 25, n),  # sometimes below the minimum
        solar_gain_m2=rng.uniform(0, 5),
        internal_gain_kw=rng.uniform(0, 0.5),
        carnot_fraction=rng.choice([None, 0.4]),
    )


def _tank(rng, n):
    return HotWater(
        volume_l=rng.uniform(50, 300),
        p_max_kw=rng.uniform(0.5, 3),
        draw_kwh=rng.uniform(0, 2, n) * (rng.random(n) < 0.2),
        temp_init_c=rng.uniform(40, 60),
        temp_min_c=rng.uniform(38, 48),
        temp_max_c=rng.uniform(46, 65),
        ready=((int(rng.integers(n)), rng.uniform(48, 62)),),
        loss_kw_per_k=rng.choice([0.0, 0.003]),
        carnot_fraction=rng.choice([None, 0.4]),
    )


def _appliances(rng, n):
    found = []
    for k in range(rng.choice([0, 1, 1, 2])):
        earliest = int(rng.integers(0, n - 4))
        interruptible = bool(rng.random() < 0.25)
        found.append(
            Shiftable(
                name=f"appliance{k}",
                power_kw=rng.uniform(0.5, 3),
                duration=int(rng.integers(1, 4)),
                earliest=earliest,
                latest=int(rng.integers(earliest + 1, n + 3)),
                runs=int(rng.choice([1, 1, 2])),
                interruptible=interruptible,
                allowed=rng.random(n) < 0.9 if rng.random() < 0.3 else None,
                after="appliance0"
                if k == 1 and not interruptible and not found[0].interruptible
                else None,
            )
        )
    return tuple(found)


def _generator(rng, n):
    return Generator(
        p_max_kw=4.0,
        p_min_kw=rng.choice([0.0, 1.0]),
        fuel_per_kwh=rng.uniform(0.1, 0.4),
        fuel_quadratic_per_kw2h=rng.choice([0.0, 0.02]),
        can_stop=bool(rng.random() < 0.8),
        allowed=rng.random(n) < 0.6,
    )
