"""Which days a batch consists of: each once, hard ones more often, the same for the same seed."""

import torch

from gradmap.training.batches import drawn_days


def drawn(worst, *, hard_share, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return drawn_days(worst, size=8, hard_share=hard_share, draw=draw)


def test_every_day_of_a_batch_is_another_and_draws_repeat():
    worst = torch.linspace(-1.0, 1.0, 40)
    days = drawn(worst, hard_share=0.5)
    assert len(days) == 8
    assert len(set(days.tolist())) == 8
    assert torch.equal(days, drawn(worst, hard_share=0.5))
    assert not torch.equal(days, drawn(worst, hard_share=0.5, seed=1))


def test_hard_days_come_from_the_hardest_that_violate():
    worst = torch.full((100,), -torch.inf)
    worst[[3, 50, 97]] = torch.tensor([0.4, 0.1, 2.0])
    days = set(drawn(worst, hard_share=0.5).tolist())
    assert {3, 50, 97} <= days  # only three have violated: all are drawn, the rest evenly
    assert len(days) == 8
    worst = torch.arange(100.0)
    for seed in range(20):
        hard = drawn(worst, hard_share=0.25, seed=seed)[:2]
        assert (hard >= 92).all()  # two, from the eight hardest


def test_without_a_share_all_days_are_drawn_evenly():
    worst = torch.arange(10.0)
    counts = torch.zeros(10)
    for seed in range(400):
        counts[drawn(worst, hard_share=0.0, seed=seed)] += 1
    assert (counts > 280).all()
