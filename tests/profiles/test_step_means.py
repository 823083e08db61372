from __future__ import annotations

import numpy as np
import pytest

from scenarios.profiles.step_means import (
    means_of_cycles,
    means_of_rectangles,
    means_of_switching,
)

MINUTES = np.arange(1440)
STEPS_MIN = (1, 5, 15, 30)


def _by_step(per_minute, step_min):
    return per_minute.reshape(len(per_minute), -1, step_min).mean(axis=-1)


@pytest.mark.parametrize("step_min", STEPS_MIN)
def test_switching_is_the_mean_of_the_minutes(step_min):
    source = np.random.default_rng(1)
    minute = source.integers(0, 1441, (30, 8)).astype(float)
    minute[0, :3] = [0.0, 1440.0, 15.0]
    change = source.normal(size=(30, 8))
    weight = source.random(1440)
    level = (change[:, :, None] * (minute[:, :, None] <= MINUTES)).sum(axis=1) * weight
    found = means_of_switching(
        minute, change, cumulative=np.append(0.0, weight.cumsum()), step_min=step_min
    )
    np.testing.assert_allclose(found, _by_step(level, step_min), atol=1e-12)


@pytest.mark.parametrize("step_min", STEPS_MIN)
def test_rectangles_wrap_at_midnight(step_min):
    source = np.random.default_rng(2)
    start = source.integers(-200, 2000, (40, 5)).astype(float)
    length = source.integers(1, 1440, (40, 5)).astype(float)
    height = source.random((40, 5)) * source.integers(0, 2, (40, 5))
    since = (MINUTES - start[:, :, None]) % 1440
    level = (height[:, :, None] * (since < length[:, :, None])).sum(axis=1)
    found = means_of_rectangles(start, length, height, step_min=step_min)
    np.testing.assert_allclose(found, _by_step(level, step_min), atol=1e-11)


@pytest.mark.parametrize("step_min", STEPS_MIN)
def test_cycles_count_the_minutes_that_are_on(step_min):
    source = np.random.default_rng(3)
    period = source.uniform(35, 75, (300, 1))
    phase, duty = source.random((300, 1)), source.uniform(0.28, 0.45, (300, 1))
    cycles = MINUTES / period + phase
    on = (cycles - np.floor(cycles) < duty).astype(float)
    found = means_of_cycles(period_min=period, phase=phase, duty=duty, step_min=step_min)
    np.testing.assert_allclose(found, _by_step(on, step_min), atol=1e-12)
