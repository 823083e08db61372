from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from gradmap.errors import ScenarioError
from scenarios.clock import MINUTES_PER_DAY, Clock
from scenarios.schema_series import TimeSettings


def _clock(start, *, days=1, step_min=15, timezone="Europe/London"):
    return Clock.from_settings(
        TimeSettings(start=start, days=days, step_min=step_min, timezone=timezone)
    )


def test_a_plain_day_is_one_block_that_counts_the_hours():
    clock = _clock("2025-03-18 00:00")
    (block,) = clock.blocks()
    assert len(block) == clock.n_steps == 96
    np.testing.assert_array_equal(block.hour, np.arange(96) / 4)
    assert set(block.day_of_week) == {1.0}


def test_the_spring_day_skips_an_hour_on_the_wall_but_not_in_time():
    clock = _clock("2025-03-30 00:00", days=2)
    first, second, third = clock.blocks()
    assert (len(first), len(second), len(third)) == (92, 96, 4)
    np.testing.assert_array_equal(first.hour[:6], [0, 0.25, 0.5, 0.75, 2.0, 2.25])
    assert np.unique(np.diff(clock.index.asi8)).size == 1


def test_the_autumn_day_repeats_an_hour_on_the_wall():
    first, *_ = _clock("2025-10-26 00:00", days=2, step_min=60).blocks()
    assert len(first) == 25
    np.testing.assert_array_equal(first.hour[:4], [0, 1, 1, 2])


@pytest.mark.parametrize(
    ("day", "lost", "repeated"), [("2025-03-30", [60, 120], None), ("2025-10-26", None, [60, 120])]
)
def test_minutes_follow_the_wall_clock_on_days_of_a_change(day, lost, repeated):
    block = next(_clock(f"{day} 00:00", days=2).blocks())
    means = block.mean_of_minutes(np.arange(MINUTES_PER_DAY, dtype=float))
    starts = means - 7.0
    expected = np.arange(0, MINUTES_PER_DAY, 15, dtype=float)
    if lost:
        expected = expected[(expected < lost[0]) | (expected >= lost[1])]
    else:
        expected = np.concatenate([expected[:8], expected[4:8], expected[8:]])
    np.testing.assert_allclose(starts, expected)


def test_a_start_inside_a_day_gives_partial_first_and_last_days():
    blocks = list(_clock("2025-06-01 18:00").blocks())
    assert [(b.date, len(b)) for b in blocks] == [
        (date(2025, 6, 1), 24),
        (date(2025, 6, 2), 72),
    ]
    assert blocks[1].time_s[0] == 6 * 3600


def test_a_zone_that_skips_midnight_still_covers_every_step():
    clock = _clock("2025-04-24 00:00", days=3, step_min=60, timezone="Africa/Cairo")
    blocks = list(clock.blocks())
    assert sum(map(len, blocks)) == clock.n_steps
    assert blocks[1].hour[0] == 1.0


@pytest.mark.parametrize(
    ("timezone", "day"), [("Australia/Lord_Howe", "2025-04-05"), ("Asia/Kathmandu", "2025-04-05")]
)
def test_odd_zones_keep_blocks_gapless(timezone, day):
    clock = _clock(f"{day} 00:00", days=3, step_min=60, timezone=timezone)
    time_s = np.concatenate([block.time_s for block in clock.blocks()])
    np.testing.assert_array_equal(time_s, np.arange(clock.n_steps) * 3600.0)
    for block in clock.blocks():
        assert np.isfinite(block.mean_of_minutes(np.ones(MINUTES_PER_DAY))).all()


def test_a_start_that_the_wall_clock_skips_is_refused():
    with pytest.raises(ScenarioError, match=r"2025-03-30 01:30.*skips.*hour earlier"):
        _clock("2025-03-30 01:30")


def test_a_start_off_the_step_grid_is_refused():
    with pytest.raises(ScenarioError, match=r"multiple of `time.step_min` = 15 min"):
        _clock("2025-03-18 00:07")


def test_a_repeated_start_means_its_first_occurrence():
    assert _clock("2025-10-26 01:30").start.utcoffset().total_seconds() == 3600
