"""Which policy of a training is kept."""

from dataclasses import replace

import torch

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


def test_policies_on_their_way_to_the_limits_are_no_candidates():
    trainer = trainer_of(iterations=8, validate_every=2, network_weight_by=0.5)
    for _ in range(3):
        trainer.step()
    assert trainer.progress.best_validation is None
    present = trainer.present.state_dict()
    assert all(
        torch.equal(value, present[name]) for name, value in trainer.best.state_dict().items()
    )
    trainer.step()  # the fifth look is the first in which the network weighs in full
    assert trainer.progress.best_validation is not None
