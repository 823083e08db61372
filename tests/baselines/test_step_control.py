"""Which steps are taken, and how the proximal weight follows, rule by rule."""

import math

import pytest

from gradmap.baselines.optimum.results import Iteration
from gradmap.baselines.optimum.step_control import StepControl, stays_outside

WEIGHT = 1e-3


@pytest.fixture
def control():
    return StepControl(proximal=WEIGHT, tolerance=2e-4, gap=2e-5, near=0.05)


def _step(*, overshoot=0.0, violation=None, gap=1e-3, give=0.0, surprise=0.0):
    return Iteration(
        cost=100.0,
        bound=100.0 * (1.0 - gap),
        violation=overshoot if violation is None else violation,
        surprise=surprise,
        overshoot=overshoot,
        n_rows=1,
        n_steps=1,
        give=give,
        largest_dual=0.0,
        both_kw=0.0,
        proximal=WEIGHT,
        seconds=0.0,
    )


def test_the_weight_falls_only_while_there_is_something_to_gain(control):
    assert control.takes(_step(gap=1e-3), before=0.0)
    assert control.proximal < WEIGHT
    fallen = control.proximal
    assert control.takes(_step(gap=1e-5, violation=0.01), before=0.0)
    assert control.proximal > fallen


def test_a_step_outside_the_funnel_is_not_taken_and_the_next_is_shorter(control):
    for _ in range(20):
        assert control.takes(_step(), before=0.0)
    weight = control.proximal
    assert not control.takes(_step(overshoot=0.01), before=0.0)
    assert control.proximal > weight
    assert control.takes(_step(overshoot=1e-4), before=0.0)


def test_restoring_a_large_violation_is_a_good_step_however_narrow_the_funnel(control):
    for _ in range(20):
        control.takes(_step(), before=0.0)
    assert control.takes(_step(overshoot=1.0), before=10.0)
    assert not control.takes(_step(overshoot=1.0), before=2.0)


def test_a_power_flow_without_solution_is_not_taken(control):
    assert not control.takes(_step(overshoot=math.nan), before=math.nan)


def test_every_step_is_taken_where_limits_must_yield(control):
    for _ in range(20):
        assert control.takes(_step(overshoot=1.0, give=0.5), before=1.0)
    assert control.proximal == WEIGHT


def test_the_weight_has_an_end(control):
    for _ in range(50):
        control.takes(_step(overshoot=100.0), before=0.0)
    assert control.proximal == 1.0


def test_a_day_stays_outside_when_its_limits_yield_by_the_same_amount():
    steady = [_step(give=give) for give in (0.50, 0.51, 0.50)]
    assert stays_outside(steady)
    assert not stays_outside(steady[:2])
    assert not stays_outside([_step(give=give) for give in (0.9, 0.5, 0.3)])
    assert not stays_outside([_step(give=0.5, surprise=1.0)] * 3)
    assert not stays_outside([_step()] * 3)
