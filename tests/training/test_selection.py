"""Which policy of a training is kept."""

from dataclasses import replace

from tests.training.test_outputs import VALIDATION

MANY = replace(VALIDATION, days=replace(VALIDATION.days, n_days=200, n_violating=0), n_outside=1)


def kept(*candidates):
    return min(candidates, key=lambda one: one.score(outside_share=0.005))


def test_the_cheapest_of_those_that_hardly_ever_leave_the_limits():
    dear = replace(MANY, cost=5100.0, n_outside=0)
    assert kept(MANY, dear) is MANY


def test_days_a_little_outside_count_though_none_violates():
    cheap = replace(MANY, cost=4000.0, n_outside=7)
    assert kept(cheap, MANY) is MANY


def test_until_one_is_good_enough_the_one_with_the_fewest_days_outside():
    worse, bad = replace(MANY, cost=1.0, n_outside=90), replace(MANY, n_outside=40)
    assert kept(worse, bad) is bad
    assert kept(bad, replace(bad, violation_mean_pu=0.0)) is not bad
