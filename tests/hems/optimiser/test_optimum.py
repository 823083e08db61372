"""Plans cost what an independent formulation says, and never more than rules."""

import os
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("highspy", reason="highspy is an extra")

from federates.hems.optimiser.evaluate import evaluate
from federates.hems.optimiser.planner import Scheduler
from federates.hems.optimiser.rules import no_control, rule_based
from federates.hems.optimiser.solver import SolverSettings
from tests.hems.optimiser.random_homes import random_case

N_HOMES = int(os.environ.get("HEMS_RANDOM_HOMES", "25"))
EXACT = SolverSettings(mip_rel_gap=1e-7, time_limit_s=120.0)


def relative_difference(a, b, forecast):
    return abs(a - b) / max(abs(a), abs(b), forecast.reference_price_per_kwh)


# cvxpy multiplies infinite bounds by zero while it propagates them.
@pytest.mark.filterwarnings("ignore:invalid value encountered in matmul:RuntimeWarning")
@pytest.mark.parametrize("seed", range(N_HOMES))
def test_plan_costs_what_an_independent_formulation_finds(seed):
    independent = pytest.importorskip("tests.hems.optimiser.independent", reason="needs cvxpy")
    home, forecast = random_case(seed)
    plan = Scheduler(settings=EXACT).plan(home, forecast)
    expected = independent.Optimum(home, forecast).solve()
    assert plan.optimised
    assert relative_difference(plan.objective, expected, forecast) < 1e-6


@pytest.mark.parametrize("seed", range(200, 208))
def test_a_tidy_plan_costs_the_same_and_peaks_no_higher(seed):
    home, forecast = random_case(seed)
    plan = Scheduler(settings=EXACT).plan(home, forecast)
    tidy = Scheduler(settings=replace(EXACT, tidy=True)).plan(home, forecast)
    assert tidy.optimised
    assert relative_difference(tidy.objective, plan.objective, forecast) < 1e-6
    assert tidy.result.import_kw.max() <= plan.result.import_kw.max() + 1e-3


@pytest.mark.parametrize("seed", range(100, 130))
def test_plan_is_never_dearer_than_habits_or_timers(seed):
    home, forecast = random_case(seed, n=48, dt_h=0.5)
    plan = Scheduler().plan(home, forecast)
    for rule in (no_control, rule_based):
        other = evaluate(home, forecast, rule(home, forecast)).objective
        assert plan.objective <= other + 1e-4 * max(abs(other), forecast.reference_price_per_kwh)


@pytest.mark.parametrize("seed", range(100, 110))
def test_batteries_keep_their_permissions(seed):
    home, forecast = random_case(seed, n=48, dt_h=0.5)
    p_kw = Scheduler().plan(home, forecast).result.p_kw
    vehicles = [p_kw[x.name] for x in home.vehicles]
    heat = [p_kw[x.name] for x in (*home.heaters, *home.tanks, *home.appliances)]
    consumed = forecast.base_load_kw + sum(heat) + sum(x.clip(min=0) for x in vehicles)
    generated = sum(x.clip(max=0) for x in vehicles) + sum(p_kw[x.name] for x in home.generators)
    generated = generated + p_kw.get("pv", 0.0)
    discharged = sum(-p_kw[x.name].clip(max=0) for x in home.batteries if not x.discharge_to_grid)
    charged = sum(p_kw[x.name].clip(min=0) for x in home.batteries if not x.charge_from_grid)
    assert np.all(discharged <= consumed + 1e-5)
    assert np.all(charged <= -generated + 1e-5)


def test_one_scheduler_gives_what_a_fresh_one_gives():
    scheduler = Scheduler(settings=EXACT)
    for seed in (0, 1, 0, 2, 2):
        home, forecast = random_case(seed)
        fresh = Scheduler(settings=EXACT).plan(home, forecast).objective
        again = scheduler.plan(home, forecast).objective
        assert relative_difference(again, fresh, forecast) < 1e-6
