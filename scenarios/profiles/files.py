"""Time series of users: CSV or Parquet, checked before anything starts.

A file has one row a step in time order. Its time stands in `time_s` (seconds since the scenario's
start) or in `time` (ISO 8601; without an offset it is the scenario's wall clock). It may start
earlier and end later than the scenario. Steps that divide the scenario's are averaged; prices and
weather may also have longer steps.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gradmap.errors import ScenarioError
from scenarios.clock import Clock, DayBlock

Floats = NDArray[np.float64]

TIME_COLUMNS = ("time_s", "time")
CHUNK_ROWS = 2000
MOST_NAMES = 5


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """How rows of a file lie on the scenario's steps."""

    first_row: int
    """Row that holds the scenario's first instant."""
    rows_per_step: int
    """Rows averaged into a step; 1 if the file's step is the scenario's or longer."""
    row_of_step: NDArray[np.int64]
    """First row of each step. [step]"""


class SeriesFile:
    """Columns of a user's file as rows of the scenario's steps, read in order and in chunks."""

    def __init__(
        self,
        path: Path,
        *,
        subject: str,
        columns: Sequence[str],
        clock: Clock,
        minimum: float | None = 0.0,
    ) -> None:
        """Check the header and the times of the whole file; values are checked as they are read.

        Args:
            path: CSV or Parquet file.
            subject: What it holds, for messages, such as "Base load file".
            columns: Columns to read; the file must have these and no others besides time.
            clock: The scenario's time axis.
            minimum: Lowest possible value; None for no bound.

        Raises:
            ScenarioError: If the file is missing, unreadable, or does not fit.
        """
        self._subject = f"{subject} {path}"
        self._columns = list(columns)
        self._minimum = minimum
        header = read_header(path, subject=subject)
        time_column = check_columns(header, subject=self._subject, expected=columns)
        time_s = read_time_s(path, subject=subject, column=time_column, clock=clock)
        self._alignment = align(time_s, subject=self._subject, clock=clock, longer_steps=False)
        self._end_row = self._alignment.first_row + clock.n_steps * self._alignment.rows_per_step
        self._next_row = 0
        self._chunks = _chunks(path, subject=self._subject, columns=self._columns)
        self._held: Floats = np.empty((0, len(columns)))

    def block(self, block: DayBlock) -> Floats:
        """Return the means of the block's steps; blocks must be asked for in order [step, column].

        Raises:
            ScenarioError: If a value is missing, infinite or below the minimum.
        """
        per_step = self._alignment.rows_per_step
        first = self._alignment.first_row + block.first * per_step
        n_rows = len(block) * per_step
        while self._next_row + len(self._held) < first + n_rows:
            chunk = next(self._chunks)
            start = self._next_row + len(self._held)
            keep = self._held[max(0, first - self._next_row) :]
            if start + len(chunk) > first:
                used = slice(max(0, first - start), max(0, self._end_row - start))
                self._check(chunk[used], first_row=start + used.start)
            self._next_row = start - len(keep)
            self._held = np.concatenate([keep, chunk])
        offset = first - self._next_row
        rows = self._held[offset : offset + n_rows]
        return np.asarray(rows.reshape(len(block), per_step, -1).mean(axis=1), dtype=np.float64)

    def _check(self, chunk: Floats, *, first_row: int) -> None:
        """Refuse values that cannot be, naming row and column."""
        check_values(
            chunk,
            subject=self._subject,
            columns=self._columns,
            minimum=self._minimum,
            first_row=first_row,
        )


def read_header(path: Path, *, subject: str) -> list[str]:
    """Return the column names of a CSV or Parquet file.

    Raises:
        ScenarioError: If the file is missing or is neither.
    """
    if not path.is_file():
        raise ScenarioError(
            f"{subject} {path}: no such file. Check the path; relative paths start at the "
            f"scenario file's folder."
        )
    try:
        if is_parquet(path):
            return list(pq.read_schema(path).names)
        return [str(name) for name in pd.read_csv(path, nrows=0).columns]
    except (pa.ArrowException, ValueError, UnicodeDecodeError) as exc:
        raise ScenarioError(
            f"{subject} {path}: not readable as {path.suffix or 'CSV'} ({exc}). "
            f"Expected a CSV with a header line, or Parquet with suffix .parquet."
        ) from exc


def is_parquet(path: Path) -> bool:
    """Return whether the suffix says Parquet."""
    return path.suffix.lower() in {".parquet", ".pq"}


def check_columns(header: Sequence[str], *, subject: str, expected: Sequence[str]) -> str:
    """Return the time column of a header that has exactly the expected columns besides it.

    Raises:
        ScenarioError: Naming every missing, unknown and repeated column.
    """
    time_column = find_time_column(header, subject=subject)
    names = [name for name in header if name not in TIME_COLUMNS]
    problems = []
    if missing := [name for name in expected if name not in set(names)]:
        problems.append(f"no column for {some(missing)}")
    known = set(expected)
    for name in [name for name in names if name not in known][:MOST_NAMES]:
        problems.append(f"column {name!r} is not expected{nearest(name, expected)}")
    if problems:
        raise ScenarioError(
            f"{subject}: {'; '.join(problems)}. Expected `{time_column}` and one column each for "
            f"{some(list(expected))}."
        )
    return time_column


def find_time_column(header: Sequence[str], *, subject: str) -> str:
    """Return which of `time_s` and `time` the file has.

    Raises:
        ScenarioError: If it has none or both.
    """
    found = [name for name in header if name in TIME_COLUMNS]
    if len(found) != 1:
        raise ScenarioError(
            f"{subject}: the time columns are {found or 'absent'}, expected one of `time_s` "
            f"(seconds since the scenario's start) and `time` (ISO 8601)."
        )
    return found[0]


def read_time_s(path: Path, *, subject: str, column: str, clock: Clock) -> Floats:
    """Return the times of all rows in seconds since the scenario's start [row].

    Raises:
        ScenarioError: If a time cannot be read or does not exist on the wall clock.
    """
    raw = read_columns(path, subject=f"{subject} {path}", columns=[column])[column]
    if raw.empty:
        raise ScenarioError(f"{subject} {path}: no rows. Expected one row a step.")
    try:
        if column == "time_s":
            seconds = pd.to_numeric(raw).to_numpy(dtype=np.float64)
        else:
            seconds = _parse_times(raw, clock=clock)
    except ValueError as exc:
        raise ScenarioError(
            f"{subject} {path}: column {column!r} is not readable ({exc}). Expected "
            f"{'numbers' if column == 'time_s' else 'ISO 8601 times such as 2025-03-18T00:15'}; "
            f"where clocks change, add the offset (+01:00) or use `time_s`."
        ) from exc
    if not np.isfinite(seconds).all():
        row = int(np.flatnonzero(~np.isfinite(seconds))[0])
        raise ScenarioError(
            f"{subject} {path}: no time in data row {row + 1}. Every row needs one."
        )
    return seconds


def align(time_s: Floats, *, subject: str, clock: Clock, longer_steps: bool) -> Alignment:
    """Place the rows of a file on the scenario's steps.

    Args:
        time_s: Times of all rows since the scenario's start. [s]
        subject: What it is, for messages.
        clock: The scenario's time axis.
        longer_steps: Accept a file whose step is a multiple of the scenario's.

    Raises:
        ScenarioError: If steps are uneven, do not fit, or do not cover the scenario.
    """
    step_s = float(time_s[1] - time_s[0]) if len(time_s) > 1 else float(clock.dt_s)
    uneven = np.flatnonzero(~np.isclose(np.diff(time_s), step_s, rtol=0, atol=1e-3))
    if step_s <= 0 or uneven.size:
        row = int(uneven[0]) + 1 if uneven.size else 1
        raise ScenarioError(
            f"{subject}: data row {row + 1} is {time_s[row] - time_s[row - 1]:g} s after the one "
            f"before, expected {step_s:g} s as at the start. Fill the gap or sort the rows."
        )
    ratio = clock.dt_s / step_s
    fits = _whole(ratio) or (longer_steps and _whole(1 / ratio))
    if not fits:
        raise ScenarioError(
            f"{subject}: its step is {step_s / 60:g} min, which does not divide the scenario's "
            f"{clock.dt_s / 60:g} min. Change `time.step_min` or resample the file."
        )
    end_s = time_s[-1] + step_s
    if time_s[0] > 1e-3 or end_s < clock.duration_s - 1e-3:
        raise ScenarioError(
            f"{subject}: {len(time_s)} rows cover {_when(clock, time_s[0])} to "
            f"{_when(clock, end_s)}, expected {_when(clock, 0)} to "
            f"{_when(clock, clock.duration_s)} "
            f"({clock.n_steps} steps of {clock.dt_s / 60:g} min). Extend the file or change "
            f"`time.start` and `time.days`."
        )
    steps_s = np.arange(clock.n_steps) * float(clock.dt_s)
    position = (steps_s - time_s[0]) / step_s
    if ratio >= 1 - 1e-9 and not _whole(position[0]):
        raise ScenarioError(
            f"{subject}: no row starts at the scenario's start {_when(clock, 0)}; the nearest is "
            f"{_when(clock, time_s[round(position[0])])}. Shift the file's times."
        )
    rows = np.floor(position + 1e-6).astype(np.int64)
    return Alignment(first_row=int(rows[0]), rows_per_step=max(1, round(ratio)), row_of_step=rows)


def read_columns(path: Path, *, subject: str, columns: Sequence[str]) -> pd.DataFrame:
    """Return some columns of a CSV or Parquet file.

    Raises:
        ScenarioError: If the file cannot be parsed.
    """
    try:
        if is_parquet(path):
            return pd.DataFrame(pq.read_table(path, columns=list(columns)).to_pandas())
        return pd.read_csv(path, usecols=list(columns))[list(columns)]
    except (pa.ArrowException, ValueError) as exc:
        raise ScenarioError(f"{subject}: not readable ({exc}). Re-export the file.") from exc


def check_values(
    values: Floats,
    *,
    subject: str,
    columns: Sequence[str],
    minimum: float | None,
    first_row: int = 0,
) -> None:
    """Refuse missing, infinite and impossible values.

    Raises:
        ScenarioError: Naming the first bad row and column, and how many there are.
    """
    bad = ~np.isfinite(values)
    if minimum is not None:
        bad |= values < minimum
    if not bad.any():
        return
    row, column = np.argwhere(bad)[0]
    bound = "" if minimum is None else f" of at least {minimum:g}"
    raise ScenarioError(
        f"{subject}: column {columns[column]!r} is {values[row, column]} in data row "
        f"{first_row + row + 1} ({int(bad.sum())} such values in this part of the file), expected "
        f"a number{bound}. Correct or fill it."
    )


def some(names: Sequence[str]) -> str:
    """Return the first names of a list, and how many more there are."""
    shown = ", ".join(repr(name) for name in names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def nearest(name: str, known: Sequence[str]) -> str:
    """Return a hint at the most similar known name; empty if none is similar."""
    match = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {match[0]!r}?)" if match else ""


def numbers(frame: pd.DataFrame) -> Floats:
    """Return a table as numbers; what is not one becomes NaN."""
    return np.asarray(frame.apply(pd.to_numeric, errors="coerce"), dtype=np.float64)


def _chunks(path: Path, *, subject: str, columns: list[str]) -> Iterator[Floats]:
    """Yield consecutive rows of a file [row, column]."""
    try:
        if is_parquet(path):
            with pq.ParquetFile(path) as parquet:
                for batch in parquet.iter_batches(batch_size=CHUNK_ROWS, columns=columns):
                    yield numbers(batch.to_pandas()[columns])
            return
        with pd.read_csv(path, usecols=columns, chunksize=CHUNK_ROWS) as reader:
            for frame in reader:
                yield numbers(frame[columns])
    except (pa.ArrowException, pd.errors.ParserError) as exc:
        raise ScenarioError(f"{subject}: not readable ({exc}). Re-export the file.") from exc


def _parse_times(raw: pd.Series, *, clock: Clock) -> Floats:
    """Return ISO times in seconds since the scenario's start."""
    has_offset = isinstance(raw.dtype, pd.DatetimeTZDtype) or bool(
        raw.astype(str).str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$").all()
    )
    times = pd.DatetimeIndex(pd.to_datetime(raw, utc=has_offset))
    if not has_offset:
        times = times.tz_localize(clock.timezone, ambiguous="infer", nonexistent="raise")
    return np.asarray((times - clock.start).total_seconds(), dtype=np.float64)


def _whole(ratio: float) -> bool:
    """Return whether a ratio is a whole number."""
    return abs(ratio - round(ratio)) < 1e-6 and round(ratio) >= 0 and ratio > -1e-6


def _when(clock: Clock, seconds: float) -> str:
    """Return wall-clock time for a message."""
    return f"{clock.start + pd.Timedelta(seconds=float(seconds)):%Y-%m-%d %H:%M}"
