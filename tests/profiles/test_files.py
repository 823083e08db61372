from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gradmap.errors import ScenarioError
from scenarios.clock import Clock
from scenarios.profiles.files import SeriesFile
from scenarios.schema_series import TimeSettings

IDS = ["h0001", "h0002"]


def _clock(start="2025-03-18 00:00", *, days=1, step_min=15):
    return Clock.from_settings(TimeSettings(start=start, days=days, step_min=step_min))


def _open(path, *, clock=None):
    return SeriesFile(path, subject="Base load file", columns=IDS, clock=clock or _clock())


def _read(path, *, clock=None):
    clock = clock or _clock()
    source = _open(path, clock=clock)
    return np.concatenate([source.block(block) for block in clock.blocks()])


def _values(n, *, seed=1):
    values = np.random.Generator(np.random.PCG64(seed)).random((n, 2)).round(6)
    return values, dict(zip(IDS, values.T, strict=True))


def test_a_csv_comes_back_unchanged_in_the_order_of_the_ids(write_series):
    values, columns = _values(96)
    path = write_series(dict(reversed(columns.items())))
    np.testing.assert_array_equal(_read(path), values)


def test_parquet_is_the_same_as_csv(write_series, tmp_path):
    values, columns = _values(96)
    frame = pd.read_csv(write_series(columns))
    frame.to_parquet(tmp_path / "series.parquet")
    np.testing.assert_array_equal(_read(tmp_path / "series.parquet"), values)


def test_finer_steps_are_averaged_across_chunks_and_days(write_series):
    values, columns = _values(5 * 1440)
    clock = _clock(days=5)
    expected = values.reshape(5 * 96, 15, 2).mean(axis=1)
    np.testing.assert_allclose(_read(write_series(columns, step_s=60), clock=clock), expected)


def test_a_file_may_start_earlier_and_end_later(write_series):
    values, columns = _values(5000)
    path = write_series(columns, start_s=-3000 * 900)
    np.testing.assert_array_equal(_read(path), values[3000:3096])


def test_faults_outside_the_scenario_do_not_matter(write_series):
    values, columns = _values(300)
    columns[IDS[0]][[0, 299]] = np.nan
    path = write_series(columns, start_s=-100 * 900)
    np.testing.assert_array_equal(_read(path), values[100:196])


def test_times_with_and_without_offset_agree_on_the_day_of_a_change(write_series):
    clock = _clock("2025-10-26 00:00")
    values, columns = _values(96)
    with_offset = write_series(columns, time=[t.isoformat() for t in clock.index], name="a.csv")
    naive = [t.tz_localize(None).isoformat() for t in clock.index]
    without = write_series(columns, time=naive, name="b.csv")
    np.testing.assert_array_equal(_read(with_offset, clock=clock), values)
    np.testing.assert_array_equal(_read(without, clock=clock), values)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ScenarioError, match=r"Base load file .*none\.csv: no such file"):
        _open(tmp_path / "none.csv")


def test_missing_and_unknown_households_stand_in_one_error(write_series):
    values = np.ones(96)
    with pytest.raises(ScenarioError) as caught:
        _open(write_series({"h0001": values, "h002": values}))
    text = str(caught.value)
    assert "no column for 'h0002'" in text
    assert "column 'h002' is not expected (did you mean 'h0002'?)" in text


def test_many_missing_households_are_counted_not_listed(write_series):
    path = write_series({"h0001": np.ones(96)})
    ids = [f"h{i:04d}" for i in range(1, 50)]
    with pytest.raises(ScenarioError, match=r"and 43 more"):
        SeriesFile(path, subject="Base load file", columns=ids, clock=_clock())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.5, "lots"])
def test_a_bad_value_is_named_with_row_and_column(write_series, bad):
    _, columns = _values(96)
    columns = {name: values.astype(object) for name, values in columns.items()}
    columns["h0002"][40] = bad
    shown = "nan" if bad == "lots" else bad
    with pytest.raises(ScenarioError, match=rf"'h0002' is {shown} in data row 41 .*at least 0"):
        _read(write_series(columns))


def test_a_short_file_says_what_it_covers_and_what_is_needed(write_series):
    _, columns = _values(50)
    with pytest.raises(
        ScenarioError,
        match=r"50 rows cover 2025-03-18 00:00 to 2025-03-18 12:30, expected 2025-03-18 00:00 to "
        r"2025-03-19 00:00 \(96 steps of 15 min\)",
    ):
        _open(write_series(columns))


def test_a_step_that_does_not_divide_ours_is_refused(write_series):
    _, columns = _values(500)
    with pytest.raises(ScenarioError, match=r"step is 10 min, which does not divide .* 15 min"):
        _open(write_series(columns, step_s=600))
    with pytest.raises(ScenarioError, match=r"step is 60 min, which does not divide"):
        _open(write_series(columns, step_s=3600))


def test_a_shifted_file_is_refused(write_series):
    _, columns = _values(500)
    with pytest.raises(ScenarioError, match=r"no row starts at the scenario's start"):
        _open(write_series(columns, start_s=-450))


def test_a_gap_is_named(write_series):
    _, columns = _values(100)
    path = write_series(columns)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:20] + lines[21:]) + "\n")
    with pytest.raises(ScenarioError, match=r"data row 20 is 1800 s after .* expected 900 s"):
        _open(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("h0001,h0002\n1,2\n", r"time columns are absent"),
        ("time,time_s,h0001,h0002\n1,2,3,4\n", r"expected one of `time_s`"),
        ("time_s,h0001,h0002\n", r"no rows"),
        ("time_s,h0001,h0002\nnoon,1,2\n", r"'time_s' is not readable"),
        ("time_s,h0001,h0002\n,1,2\n", r"no time in data row 1"),
        ("time,h0001,h0002\n2025-13-45,1,2\n", r"ISO 8601"),
        ("", r"not readable as \.csv"),
    ],
)
def test_broken_files_say_how(tmp_path, text, message):
    path = tmp_path / "series.csv"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=message):
        _open(path)


def test_something_that_is_not_parquet_is_refused(tmp_path):
    path = tmp_path / "series.parquet"
    path.write_text("hello")
    with pytest.raises(ScenarioError, match=r"not readable as \.parquet"):
        _open(path)


def test_a_wall_clock_time_that_does_not_exist_is_explained(write_series):
    _, columns = _values(96)
    times = pd.date_range("2025-03-30", periods=96, freq="15min").astype(str)
    with pytest.raises(ScenarioError, match=r"add the offset \(\+01:00\) or use `time_s`"):
        _open(write_series(columns, time=times), clock=_clock("2025-03-30 00:00"))
