"""Series on disk: whole parts or none, no gap unnoticed."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from federates.series import HomeSeries, SeriesReader, SeriesWriter, iter_tables, parts
from gradmap.errors import ScenarioError

IDS = ("a", "b", "c")


def write(folder: Path, *, n_steps: int, part_steps: int = 4, first: int = 0) -> np.ndarray:
    values = np.random.default_rng(3).normal(size=(n_steps, len(IDS)))
    writer = SeriesWriter(folder, ids=IDS, part_steps=part_steps)
    writer.extend(np.arange(first, first + n_steps) * 900.0, values)
    writer.close()
    return values


@pytest.mark.parametrize("n_steps", [1, 3, 4, 5, 8, 9])
def test_what_is_written_is_read_back_to_the_bit(tmp_path, n_steps):
    values = write(tmp_path / "x", n_steps=n_steps)
    reader = SeriesReader(tmp_path / "x")
    assert reader.ids == IDS
    read = [reader.next_row(900.0 * step) for step in range(n_steps)]
    np.testing.assert_array_equal(read, values)
    assert len(parts(tmp_path / "x")) == -(-n_steps // 4)
    assert sum(len(table) for table in iter_tables(tmp_path / "x")) == n_steps
    assert pq.read_schema(parts(tmp_path / "x")[0]).names == ["time_s", *IDS]


def test_closing_twice_or_with_nothing_writes_nothing_more(tmp_path):
    writer = SeriesWriter(tmp_path / "x", ids=IDS, part_steps=4)
    writer.close()
    assert parts(tmp_path / "x") == []
    writer.append(0.0, [1, 2, 3])
    writer.close()
    writer.close()
    assert len(parts(tmp_path / "x")) == 1


def test_a_series_that_ends_too_early_says_so(tmp_path):
    write(tmp_path / "load", n_steps=2)
    reader = SeriesReader(tmp_path / "load")
    for step in range(2):
        reader.next_row(900.0 * step)
    with pytest.raises(ScenarioError, match=r"'load' ends before 1800.0 s: it is shorter than"):
        reader.next_row(1800.0)


def test_a_gap_is_not_bridged(tmp_path):
    write(tmp_path / "load", n_steps=8)
    parts(tmp_path / "load")[0].unlink()
    with pytest.raises(
        ScenarioError, match=r"the next row starts at 3600.0 s, expected 0.0 s. .* without gaps"
    ):
        SeriesReader(tmp_path / "load").next_row(0.0)


def test_a_missing_series_is_named(tmp_path):
    with pytest.raises(ScenarioError, match=r"Series 'load': no part-\*.parquet in .*load, exp"):
        SeriesReader(tmp_path / "load")


def test_homes_find_their_columns_in_any_order_and_absent_ones_are_zero(tmp_path):
    values = write(tmp_path / "series" / "pv", n_steps=2)
    homes = HomeSeries(tmp_path, "pv", ("c", "nobody", "a"))
    np.testing.assert_array_equal(homes.next(0.0), [values[0, 2], 0.0, values[0, 0]])
    np.testing.assert_array_equal(homes.next(900.0), [values[1, 2], 0.0, values[1, 0]])


def test_a_killed_writer_leaves_whole_parts_only(tmp_path):
    """Killed at a random moment while it writes parts as fast as it can."""
    code = (
        "import sys; from pathlib import Path; from federates.series import SeriesWriter\n"
        "w = SeriesWriter(Path(sys.argv[1]), ids=[f'n{i}' for i in range(300)], part_steps=20)\n"
        "step = 0\n"
        "while True: w.append(60.0 * step, [float(step)] * 300); step += 1"
    )
    folder = tmp_path / "x"
    with subprocess.Popen([sys.executable, "-c", code, str(folder)]) as process:
        deadline = time.monotonic() + 60
        while len(parts(folder)) < 5:
            assert time.monotonic() < deadline
            time.sleep(0.003)
        process.kill()
    tables = list(iter_tables(folder))
    assert len(tables) >= 5
    assert {len(table) for table in tables} == {20}
    reader = SeriesReader(folder)
    for step in range(20 * len(tables)):
        assert reader.next_row(60.0 * step)[0] == step
