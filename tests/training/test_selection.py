"""Which policy of a training is kept."""

from dataclasses import replace

import pytest

from gradmap.training import trainer as trainer_module
from tests.training.small import trainer_of
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


def test_overloaded_branches_count_like_voltages_outside():
    over = replace(MANY, cost=4000.0, n_outside=60, n_overloaded=60, overload_mean=0.1)
    assert kept(over, MANY) is MANY
    less = replace(over, cost=4500.0, overload_mean=0.05)
    assert kept(over, less) is less


@pytest.mark.parametrize(("costs", "iteration"), [((1, 2, 9, 8, 7, 8), 5), ((1, 2, 7, 8, 9, 9), 3)])
def test_policies_from_before_the_network_weighs_in_full_are_no_candidates(
    monkeypatch, costs, iteration
):
    found = iter([replace(MANY, cost=float(cost)) for cost in costs])
    monkeypatch.setattr(trainer_module, "validate", lambda *_, **__: next(found))
    trainer = trainer_of(iterations=6, validate_every=1, network_weight_by=0.5)
    best = []
    for _ in costs:
        trainer.step()
        best.append(trainer.progress.best_validation.cost)
    assert best[:2] == [1.0, 1.0]  # something to go on with if interrupted
    assert best[2] == costs[2]
    assert best[-1] == costs[iteration - 1]
