"""Time series in a run folder: wide Parquet tables, written and read a part at a time.

One quantity is one folder of parts `part-00000.parquet`, each a complete Parquet file. A run that
is interrupted or killed keeps every part written so far, and a year is written and read with the
memory of one part. Column `time_s` is the start of the step, in seconds since the scenario's start;
every other column is one id (a household, an agent, a node) in float64.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gradmap.errors import ScenarioError

TIME_COLUMN = "time_s"
DEFAULT_PART_STEPS = 672  # a week of quarter-hours: 1,000 columns in a few MB


def parts(folder: Path) -> list[Path]:
    """Return the part files of a quantity in time order; empty if nothing was written."""
    return sorted(folder.glob("part-*.parquet"))


class SeriesWriter:
    """Append rows of one quantity; every `part_steps` rows a finished part goes to disk."""

    def __init__(
        self, folder: Path, *, ids: Sequence[str], part_steps: int = DEFAULT_PART_STEPS
    ) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        if parts(folder):
            raise ScenarioError(
                f"Series folder {folder} already holds a recorded series, expected none. Remove "
                f"it, or run into another folder."
            )
        self._names = [TIME_COLUMN, *ids]
        self._buffer = np.empty((part_steps, len(self._names)))
        self._n_rows = 0
        self._n_parts = 0

    def append(self, time_s: float, values: NDArray[np.float64] | Sequence[float]) -> None:
        """Add one step: `values` in the order of the ids."""
        row = self._buffer[self._n_rows]
        row[0] = time_s
        row[1:] = values
        self._n_rows += 1
        if self._n_rows == len(self._buffer):
            self.flush()

    def extend(self, time_s: NDArray[np.float64], values: NDArray[np.float64]) -> None:
        """Add many steps at once: `values` has shape [time, id]."""
        for start, row in zip(time_s, values, strict=True):
            self.append(float(start), row)

    def flush(self) -> None:
        """Write what is buffered as a part. The rename makes a part either whole or absent."""
        if self._n_rows == 0:
            return
        rows = self._buffer[: self._n_rows]
        table = pa.table(
            [pa.array(np.ascontiguousarray(rows[:, i])) for i in range(rows.shape[1])],
            names=self._names,
        )
        target = self._folder / f"part-{self._n_parts:05d}.parquet"
        partial = target.with_suffix(".partial")
        # Measured values rarely repeat: dictionaries cost time and memory and save nothing.
        pq.write_table(table, partial, compression="zstd", use_dictionary=False)
        partial.rename(target)
        self._n_parts += 1
        self._n_rows = 0

    def close(self) -> None:
        """Write the last part."""
        self.flush()


class SeriesReader:
    """Read rows of one quantity in time order, holding one part in memory."""

    def __init__(self, folder: Path) -> None:
        self._files = parts(folder)
        if not self._files:
            raise ScenarioError(
                f"Series {folder.name!r}: no part-*.parquet in {folder}, expected the files the "
                f"run writes there before it starts. Re-create the run folder with `gradmap run`."
            )
        schema = pq.read_schema(self._files[0])
        self.ids: tuple[str, ...] = tuple(schema.names[1:])
        self._name = folder.name
        self._next_file = 0
        self._rows: NDArray[np.float64] = np.empty((0, len(self.ids) + 1))
        self._next_row = 0

    def next_row(self, time_s: float) -> NDArray[np.float64]:
        """Return the values of the next step, which must start at `time_s`. [id]"""
        if self._next_row == len(self._rows):
            self._load_part(time_s)
        row = self._rows[self._next_row]
        if row[0] != time_s:
            raise ScenarioError(
                f"Series {self._name!r}: the next row starts at {row[0]} s, expected {time_s} s. "
                f"Its step must be the scenario's `time.step_min`, without gaps."
            )
        self._next_row += 1
        values: NDArray[np.float64] = row[1:]
        return values

    def _load_part(self, time_s: float) -> None:
        if self._next_file == len(self._files):
            raise ScenarioError(
                f"Series {self._name!r} ends before {time_s} s: it is shorter than the scenario. "
                f"Extend the profile or shorten `time.days`."
            )
        # ParquetFile, not read_table: the latter imports the dataset engine, half a second of it.
        table = pq.ParquetFile(self._files[self._next_file]).read()
        self._rows = np.column_stack([column.to_numpy() for column in table.columns])
        self._next_file += 1
        self._next_row = 0


class HomeSeries:
    """One materialised series, its columns put in the order of our ids."""

    def __init__(
        self, inputs_folder: Path, name: str, ids: Sequence[str], *, absent: float = 0.0
    ) -> None:
        """Open the series; ids without a column read `absent`."""
        self._absent = absent
        self._reader = SeriesReader(inputs_folder / "series" / name)
        position = {column: index for index, column in enumerate(self._reader.ids)}
        present = [index for index, home in enumerate(ids) if home in position]
        self._target = np.array(present, dtype=np.int64)
        self._source = np.array([position[ids[index]] for index in present], dtype=np.int64)
        self._n = len(ids)

    def next(self, time_s: float) -> NDArray[np.float64]:
        """Return the values of the step that starts at `time_s`, in the order of the ids."""
        row = np.full(self._n, self._absent)
        row[self._target] = self._reader.next_row(time_s)[self._source]
        return row


def iter_tables(folder: Path) -> Iterator[pa.Table]:
    """Yield the parts of a quantity as Arrow tables, in time order."""
    for path in parts(folder):
        yield pq.ParquetFile(path).read()
