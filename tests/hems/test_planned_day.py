"""The planned day of an interviewed home: where it begins, what it says, what matters most."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("highspy", reason="highspy is an extra")

from federates.hems.adapters.interview_home import interview_home
from federates.hems.adapters.priorities import weights_of
from federates.hems.evaluation.typical_day import SEASONS, day_ahead
from federates.hems.optimiser.planner import Scheduler
from federates.hems.optimiser.solver import SolverSettings
from federates.hems.optimiser.weights import Weights
from federates.hems.parameters.home_file import read
from scenarios.hems_day import money, planned_day
from scenarios.hems_day_words import comparison
from scenarios.web.day import day_content
from tests.hems.federation.homes import home

RETIRED = Path(__file__).parents[2] / "examples/hems/homes/retired_couple.yaml"
CAR = {
    "capacity_kwh": 52.0,
    "arrival": "17:30",
    "departure": "08:00",
    "daily_distance_km": 50.0,
}
PRIORITIES = ("cost", "comfort", "convenience", "carbon")


def heat_kwh(day):
    return 0.25 * float(day.plan.result.p_kw["heating"].sum())


def test_no_july_night_is_heated_for_a_start_in_the_cold():
    day = planned_day(read(RETIRED), SEASONS["summer"])
    assert day.home.heaters[0].temp_init_c > 20.0
    assert heat_kwh(day) < 12.0
    assert abs(day.plan.result.terminal_cost) < 0.2


def test_a_plan_above_habits_says_what_it_keeps_for_it():
    day = planned_day(read(RETIRED), SEASONS["winter"])
    ways = day.ways
    above = money(ways["plan"]) - money(ways["no_control"])
    assert above > 1.0
    assert ways["plan"].objective < ways["no_control"].objective
    (text,) = comparison(day)
    assert f"{above:.2f} GBP above no control and rule-based" in text
    assert "0.0 instead of 11.2 K h outside the comfort band" in text


def test_the_page_says_it_beside_the_sums():
    shown = day_content(read(RETIRED), season="winter")
    assert "because it keeps more wishes" in shown["headline"]
    assert not [cell for row in shown["costs"] for cell in row if cell.startswith("-0.00")]


def test_what_the_plan_leaves_stored_stands_beside_the_sums():
    day = planned_day(home(), SEASONS["winter"])
    plan, habits = day.plan.result, day.ways["no_control"]
    more = habits.terminal_cost + habits.deferred_cost - plan.terminal_cost - plan.deferred_cost
    assert abs(more) > 0.05
    word = "more" if more > 0 else "less"
    text = f"the plan leaves {abs(more):.2f} {day.currency} {word} than no control."
    assert any(one.endswith(text) for one in comparison(day))


def test_two_cars_at_one_price_charge_in_one_piece_each_and_below_a_peak():
    two = {f"evs__{car}__{key}": value for car in (1, 2) for key, value in CAR.items()}
    said = home(household__n_evs=2, household__devices=("ev",), **two)
    day = planned_day(said, SEASONS["winter"])
    loose = Scheduler(settings=SolverSettings(fresh=True)).plan(day.home, day.forecast)
    assert day.plan.objective == pytest.approx(loose.objective, rel=1e-6)
    assert day.plan.result.import_kw.max() < loose.result.import_kw.max() - 1.0
    for car in day.home.vehicles:
        night = day.plan.result.p_kw[car.name][:32] > 0.01
        assert np.count_nonzero(np.diff(night.astype(int)) == 1) + int(night[0]) == 1


@pytest.fixture(scope="module")
def narrow():
    """Plans of a home whose connection carries either warmth or the car, by priority."""
    found = {}
    for priority in PRIORITIES:
        said = home(
            flexibility__priority=priority,
            household__import_limit_kw=3.0,
            heating__kind="resistive",
            household__devices=("ev",),
            evs__1__departure="06:00",
        ).parameters
        planned = interview_home(said, day_ahead(said, date(2025, 1, 15)))
        found[priority] = Scheduler().plan(*planned, weights=weights_of(said)).result
    return found


def test_what_matters_most_gives_way_last(narrow):
    assert narrow["comfort"].comfort_k_h < narrow["convenience"].comfort_k_h - 1.0
    assert narrow["comfort"].unmet_kwh > narrow["convenience"].unmet_kwh + 1.0


def test_low_cost_and_low_carbon_keep_the_usual_weights(narrow):
    assert narrow["cost"].objective == narrow["carbon"].objective
    for priority in ("cost", "carbon"):
        assert weights_of(home(flexibility__priority=priority).parameters) == Weights()


def test_weights_of_one_plan_replace_the_schedulers():
    said = home().parameters
    planned = interview_home(said, day_ahead(said, date(2025, 1, 15)))
    cold = replace(planned.home, heaters=(replace(planned.home.heaters[0], p_max_kw=0.1),))
    usual, scheduler = Weights(), Scheduler()
    heavier = replace(usual, comfort_per_k_h=2.0 * usual.comfort_per_k_h)
    once = scheduler.plan(cold, planned.forecast).result.wish_cost
    twice = scheduler.plan(cold, planned.forecast, weights=heavier).result.wish_cost
    assert twice == pytest.approx(2.0 * once, rel=0.01)
    assert scheduler.plan(cold, planned.forecast).result.wish_cost == pytest.approx(once, rel=1e-3)
