"""Where a day begins when nobody told: as a week of like days, run by habit, leaves a home.

A building that starts at its lowest wished temperature on a July night would be heated for hours
that no July knows. So thermostats are run over the plan's first day again and again, and the
temperatures of the last midnight are where the plan begins. People open windows: no building
starts warmer than the warmest wished. Batteries and vehicles keep their own start: what habits
leave in them says nothing of a home that plans.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from federates.hems.optimiser.forecast import HOURS_PER_DAY, Forecast
from federates.hems.optimiser.home_model import Home
from federates.hems.optimiser.physics import Store
from federates.hems.optimiser.state import all_stores, initial_state
from federates.hems.optimiser.weights import Weights

DAYS: Final = 7
"""After a week a house with 100 h to cool remembers a fifth of where it began."""


def with_usual_start(home: Home, forecast: Forecast) -> Home:
    """Return a home whose buildings and tanks begin as a week of habits leaves them.

    A plan shorter than a day tells too little; its home is returned as it is.

    Args:
        home: Devices and wishes; its initial temperatures begin the week.
        forecast: Weather, sun and draws; its first 24 hours are every day of the week.
    """
    per_day = round(HOURS_PER_DAY / forecast.dt_h)
    if forecast.n_steps < per_day:
        return home
    penalties = Weights().penalties(forecast.reference_price_per_kwh)  # play no role here
    stores = all_stores(home, forecast, state=initial_state(home), penalties=penalties)
    begins = {
        x.name: _settled_c(stores[x.name], start_c=x.temp_init_c, p_max_kw=x.p_max_kw, n=per_day)
        for x in home.thermal
    }
    return replace(
        home,
        heaters=tuple(replace(x, temp_init_c=begins[x.name]) for x in home.heaters),
        tanks=tuple(replace(x, temp_init_c=begins[x.name]) for x in home.tanks),
    )


def _settled_c(store: Store, *, start_c: float, p_max_kw: float, n: int) -> float:
    """Return the temperature after a week of a thermostat that holds the lower wish."""
    drift, reach_k = store.drift[:n].tolist(), (store.gain[:n] * p_max_kw).tolist()
    low, high = store.low[:n].tolist(), store.high[:n].tolist()
    temp_c = start_c
    for _ in range(DAYS):
        for step in range(n):
            off_c = store.decay * temp_c + drift[step]
            heated_c = min(max(low[step], off_c), off_c + reach_k[step])
            temp_c = min(heated_c, max(low[step], high[step]))
    return temp_c
