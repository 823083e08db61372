"""Days begin as a week of habits leaves a home, not at its coldest wish."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("highspy", reason="highspy is an extra")

from federates.hems.optimiser.evaluate import evaluate
from federates.hems.optimiser.planner import Scheduler
from federates.hems.optimiser.rules import no_control, rule_based
from federates.hems.optimiser.usual_start import with_usual_start
from tests.hems.optimiser.small_home import N, heater, small_forecast, small_home


def habits(home, forecast):
    return evaluate(home, forecast, no_control(home, forecast))


@pytest.mark.parametrize("outdoor_c", [-3.0, 8.0, 17.0])
def test_a_day_of_habits_ends_where_the_day_begins(outdoor_c):
    forecast = small_forecast(temp_out_c=outdoor_c + np.zeros(N))
    home = with_usual_start(small_home(heaters=(heater(temp_init_c=18.0),)), forecast)
    last = {name: states[-1] for name, states in habits(home, forecast).states.items()}
    assert last["heating"] == pytest.approx(home.heaters[0].temp_init_c, abs=0.02)
    assert last["hot_water"] == pytest.approx(home.tanks[0].temp_init_c, abs=0.02)


def test_a_summer_night_is_not_heated_up_to():
    flat = np.full(N, 0.2)
    forecast = small_forecast(temp_out_c=np.full(N, 18.0), price_import_per_kwh=flat)
    cold = small_home(heaters=(heater(temp_init_c=18.0),), pv=None, batteries=())
    warm = with_usual_start(cold, forecast)
    assert warm.heaters[0].temp_init_c > 20.0
    used = {
        home: Scheduler().plan(home, forecast).result.p_kw["heating"].sum() for home in (cold, warm)
    }
    assert used[cold] > 1.0
    assert used[warm] == pytest.approx(0.0, abs=1e-6)


def test_windows_are_opened_before_it_gets_too_warm():
    forecast = small_forecast(temp_out_c=np.full(N, 33.0))
    assert with_usual_start(small_home(), forecast).heaters[0].temp_init_c == 24.0


def test_charge_and_short_plans_keep_their_start():
    home, forecast = small_home(), small_forecast()
    begun = with_usual_start(home, forecast)
    assert begun.batteries == home.batteries
    assert begun.vehicles == home.vehicles
    short = replace(forecast, dt_h=0.4)
    assert with_usual_start(home, short) is home


def test_the_plan_is_still_not_dearer_than_habits_or_timers():
    for outdoor_c in (0.0, 18.0):
        forecast = small_forecast(temp_out_c=np.full(N, outdoor_c))
        home = with_usual_start(small_home(), forecast)
        plan = Scheduler().plan(home, forecast)
        for rule in (no_control, rule_based):
            other = evaluate(home, forecast, rule(home, forecast)).objective
            assert plan.objective <= other * (1.0 + 1e-4)
