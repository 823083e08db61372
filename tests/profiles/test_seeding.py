from __future__ import annotations

from datetime import date

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence

from scenarios.profiles.randomness import SampledYear, daily_normals, generator, household_uniforms
from scenarios.profiles.seeding import generators, seed_states


def _keys():
    keys = np.random.default_rng(3).integers(0, 2**32, (200, 10), dtype=np.uint32)
    keys[:50, 4:] = 0
    keys[50:60] = 0
    keys[60:70] = 2**32 - 1
    return keys


def test_seed_states_are_those_of_numpy():
    keys = _keys()
    expected = [SeedSequence(key).generate_state(8) for key in keys.tolist()]
    np.testing.assert_array_equal(seed_states(keys), expected)


def test_generators_draw_what_numpy_s_own_draw():
    keys = _keys()
    for key, source in zip(keys.tolist(), generators(keys), strict=True):
        own = Generator(PCG64(SeedSequence(key)))
        np.testing.assert_array_equal(source.random(9), own.random(9))
        np.testing.assert_array_equal(source.standard_normal(3), own.standard_normal(3))
        # Leaves half a word behind, which the next key must not find.
        assert source.integers(7, dtype=np.uint32) == own.integers(7, dtype=np.uint32)


def test_batches_of_draws_are_the_draws_of_each_key():
    day = date(2025, 2, 21)
    year = SampledYear(split="test", number=5)
    block = household_uniforms(
        "base load", seed=2**40 + 3, split=year, day=day, households=np.array([4, 9]), n_draws=6
    )
    for row, index in zip(block, (4, 9), strict=True):
        source = generator("base load", seed=2**40 + 3, split=year, day=day, index=index)
        np.testing.assert_array_equal(row, source.random(6))
    (normal,) = daily_normals("weather day", seed=1, split=year, days=[day], slot=1)
    assert normal == generator("weather day", seed=1, split=year, day=day, slot=1).standard_normal()
