"""Planning anew every few steps: right forecasts change nothing, started runs go on."""

import numpy as np
import pytest

pytest.importorskip("highspy", reason="highspy is an extra")

from federates.hems.optimiser.planner import Scheduler
from federates.hems.optimiser.rolling import RollingSettings, home_window, run_rolling
from federates.hems.optimiser.solver import SolverSettings
from tests.hems.optimiser.small_home import N, small_forecast, small_home, washer

WHOLE_DAY = RollingSettings(every=6, horizon=N)


def test_right_forecasts_give_the_day_ahead_plan():
    home, forecast = small_home(), small_forecast()
    exact = SolverSettings(mip_rel_gap=1e-6)
    ahead = Scheduler(settings=exact).plan(home, forecast)
    rolled = run_rolling(home, forecast, scheduler=Scheduler(settings=exact), settings=WHOLE_DAY)
    assert rolled.fallbacks == ()
    assert len(rolled.plans) == 8
    assert rolled.result.objective == pytest.approx(ahead.objective, rel=1e-4)


@pytest.mark.parametrize("every", [1, 3])
def test_started_runs_go_on_whatever_later_plans_believe(every):
    rng = np.random.default_rng(5)
    home, actual = small_home(generators=()), small_forecast()

    def wrong(start, n_steps):
        window = actual.window(start, n_steps)
        prices = rng.uniform(0.05, 0.5, n_steps)
        return type(window)(
            dt_h=window.dt_h,
            price_import_per_kwh=prices,
            price_export_per_kwh=0.1,
            temp_out_c=window.temp_out_c,
            ghi_w_per_m2=window.ghi_w_per_m2,
            base_load_kw=window.base_load_kw,
            pv_available_kw=rng.uniform(0, 3) * window.pv_available_kw,
        )

    rolled = run_rolling(
        home, actual, forecaster=wrong, settings=RollingSettings(every=every, horizon=N)
    )
    washer_on = np.flatnonzero(rolled.result.p_kw["washer"])
    dryer_on = np.flatnonzero(rolled.result.p_kw["dryer"])
    assert np.array_equal(np.diff(washer_on), [1, 1, 1])
    assert np.array_equal(np.diff(dryer_on), [1, 1])
    assert dryer_on[0] > washer_on[-1]
    assert not [x for x in rolled.result.broken if x.kind == "missing"]


def test_short_horizon_still_keeps_windows_that_end_behind_it():
    home = small_home(appliances=(washer(runs=2),), batteries=(), generators=())
    rolled = run_rolling(home, small_forecast(), settings=RollingSettings(every=4, horizon=12))
    assert np.count_nonzero(rolled.result.p_kw["washer"]) == 8
    assert rolled.result.deferred_cost == 0.0


def test_window_of_a_home_shifts_its_wishes():
    part = home_window(small_home(), 10, 12)
    assert part.vehicles[0].departures == ((4, 48.0),)
    assert part.tanks[0].ready == ((3, 52.0),)
    assert (part.appliances[0].earliest, part.appliances[0].latest) == (6, 34)
    assert len(part.heaters[0].temp_min_c) == 12
