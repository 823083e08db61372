from __future__ import annotations

from datetime import date
from itertools import combinations

import numpy as np

from scenarios.profiles.randomness import Draws, generator, household_uniforms

DAY = date(2025, 3, 18)


def test_every_part_of_the_key_gives_another_stream():
    base = {
        "purpose": "weather",
        "seed": 1,
        "split": "train",
        "day": DAY,
        "index": 3,
        "slot": 0,
    }
    changes = {
        "purpose": "price",
        "seed": 2**40 + 1,
        "split": "test",
        "day": date(2025, 3, 19),
        "index": 4,
        "slot": 1,
    }
    streams = [generator(**base).random(8)]
    streams += [generator(**{**base, name: value}).random(8) for name, value in changes.items()]
    streams.append(generator(**{**base, "split": None, "day": None}).random(8))
    for a, b in combinations(streams, 2):
        assert not np.intersect1d(a, b).size


def test_no_two_splits_share_a_number_over_many_days_and_households():
    seen = set()
    count = 0
    for split in (None, "scenario", "train", "validation", "test"):
        for ordinal in range(730_000, 730_010):
            block = household_uniforms(
                "base load",
                seed=7,
                split=split,
                day=date.fromordinal(ordinal),
                households=np.arange(20),
                n_draws=16,
            )
            seen.update(block.ravel().tolist())
            count += block.size
    assert len(seen) == count


def test_splits_are_uncorrelated():
    blocks = [
        household_uniforms(
            "base load", seed=7, split=split, day=DAY, households=np.arange(500), n_draws=64
        ).ravel()
        for split in ("scenario", "train", "validation", "test")
    ]
    off_diagonal = np.corrcoef(blocks)[~np.eye(4, dtype=bool)]
    assert np.abs(off_diagonal).max() < 4 / np.sqrt(blocks[0].size)


def test_a_wider_block_begins_with_the_narrower_one():
    narrow, wide = (
        household_uniforms("house", seed=1, households=np.arange(5), n_draws=n) for n in (8, 32)
    )
    np.testing.assert_array_equal(narrow, wide[:, :8])


def test_normal_draws_are_normal():
    block = household_uniforms("test", seed=1, households=np.arange(200), n_draws=200)
    values = Draws(block).normal(3.0, 2.0, columns=100)
    assert abs(values.mean() - 3.0) < 0.06
    assert abs(values.std() - 2.0) < 0.05
