"""Weather files: EPW and TMY3 (typical years), or CSV/Parquet with named columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pvlib
from numpy.typing import NDArray

from gradmap.errors import ScenarioError
from scenarios.clock import Clock
from scenarios.profiles.files import (
    align,
    check_values,
    find_time_column,
    is_parquet,
    nearest,
    numbers,
    read_columns,
    read_header,
    read_time_s,
    some,
)

Floats = NDArray[np.float64]

SUBJECT = "Weather file"
REQUIRED = ("temp_out_c", "ghi_w_per_m2")
OPTIONAL = ("dni_w_per_m2", "dhi_w_per_m2")
HOURS_PER_YEAR = 8760
LOWEST_TEMP_C, HIGHEST_TEMP_C = -70.0, 60.0


@dataclass(frozen=True, kw_only=True)
class WeatherTable:
    """Rows of a weather file and the row that each step uses."""

    temp_out_c: Floats
    """[row]"""
    ghi_w_per_m2: Floats
    """[row]"""
    diffuse_fraction: Floats | None
    """Diffuse over global horizontal; None if the file has no diffuse column. [row]"""
    row_of_step: NDArray[np.int64]
    """[step]"""


def read_weather(path: Path, *, clock: Clock) -> WeatherTable:
    """Read a weather file of any accepted kind.

    EPW and TMY3 hold a typical year of hours in local standard time. Each step takes the hour with
    the same month, day and hour; 29 February takes 28 February's. The months of a typical year come
    from different years, so weekdays and actual dates mean nothing in it.

    Raises:
        ScenarioError: If the file is missing, wrong or too short.
    """
    if not path.is_file():
        read_header(path, subject=SUBJECT)
    if path.suffix.lower() == ".epw":
        data, meta = _parse(
            path, reader=lambda file: pvlib.iotools.read_epw(file, coerce_year=2001)
        )
        return _typical_year(path, data, offset_h=float(meta["TZ"]), clock=clock)
    if not is_parquet(path) and _is_tmy3(path):
        data, meta = _parse(
            path, reader=lambda file: pvlib.iotools.read_tmy3(file, coerce_year=2001)
        )
        return _typical_year(path, data, offset_h=float(meta["TZ"]), clock=clock)
    return _named_columns(path, clock=clock)


def _named_columns(path: Path, *, clock: Clock) -> WeatherTable:
    """Read CSV/Parquet with `time` or `time_s` and named columns."""
    subject = f"{SUBJECT} {path}"
    header = read_header(path, subject=SUBJECT)
    time_column = find_time_column(header, subject=subject)
    known = (*REQUIRED, *OPTIONAL)
    problems = [f"no column `{name}`" for name in REQUIRED if name not in header]
    problems += [
        f"column {name!r} is not expected{nearest(name, known)}"
        for name in header
        if name not in known and name != time_column
    ]
    if problems:
        raise ScenarioError(f"{subject}: {'; '.join(problems)}. Expected {some(known)}.")
    present = [name for name in known if name in header]
    time_s = read_time_s(path, subject=SUBJECT, column=time_column, clock=clock)
    place = align(time_s, subject=subject, clock=clock, longer_steps=True)
    values = numbers(read_columns(path, subject=subject, columns=present))
    _check_range(values, subject=subject, columns=present)
    rows = place.row_of_step
    if place.rows_per_step > 1:
        last = rows[0] + clock.n_steps * place.rows_per_step
        values = values[rows[0] : last].reshape(clock.n_steps, place.rows_per_step, -1).mean(axis=1)
        rows = np.arange(clock.n_steps)
    column = {name: values[:, i] for i, name in enumerate(present)}
    return WeatherTable(
        temp_out_c=column["temp_out_c"],
        ghi_w_per_m2=column["ghi_w_per_m2"],
        diffuse_fraction=_fraction(column.get("dhi_w_per_m2"), ghi=column["ghi_w_per_m2"]),
        row_of_step=rows,
    )


def _typical_year(path: Path, data: pd.DataFrame, *, offset_h: float, clock: Clock) -> WeatherTable:
    """Map the hours of a typical year on the steps."""
    subject = f"{SUBJECT} {path}"
    if len(data) != HOURS_PER_YEAR:
        raise ScenarioError(
            f"{subject}: {len(data)} rows, expected {HOURS_PER_YEAR} hours of a typical year. "
            f"Use a complete file, or a CSV with named columns for part of a year."
        )
    columns = ["temp_air", "ghi", "dhi"]
    values = numbers(data[columns])
    _check_range(values, subject=subject, columns=["temp_out_c", "ghi_w_per_m2", "dhi_w_per_m2"])
    local = clock.index.tz_convert("UTC").tz_localize(None) + pd.Timedelta(hours=offset_h)
    day = np.where((local.month == 2) & (local.day == 29), 28, local.day)
    first_of_month = np.concatenate([[0], np.cumsum([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30])])
    row = (first_of_month[local.month - 1] + day - 1) * 24 + local.hour
    return WeatherTable(
        temp_out_c=values[:, 0],
        ghi_w_per_m2=values[:, 1],
        diffuse_fraction=_fraction(values[:, 2], ghi=values[:, 1]),
        row_of_step=np.asarray(row, dtype=np.int64),
    )


def _parse(
    path: Path, *, reader: Callable[[Path], tuple[pd.DataFrame, dict[str, Any]]]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Run one of pvlib's readers, turning its many exceptions into one."""
    try:
        data, meta = reader(path)
    except Exception as exc:
        raise ScenarioError(
            f"{SUBJECT} {path}: pvlib cannot read it ({type(exc).__name__}: {exc}). "
            f"Expected a complete EPW or TMY3 file."
        ) from exc
    return data, meta


def _is_tmy3(path: Path) -> bool:
    """Return whether the second line is the header of TMY3."""
    with path.open(encoding="utf-8", errors="replace") as file:
        file.readline()
        return file.readline().startswith("Date (MM/DD/YYYY)")


def _fraction(dhi: Floats | None, *, ghi: Floats) -> Floats | None:
    """Return diffuse over global irradiance in [0, 1]; 1 in the dark."""
    if dhi is None:
        return None
    return np.clip(np.where(ghi > 1.0, dhi / np.maximum(ghi, 1.0), 1.0), 0.0, 1.0)


def _check_range(values: Floats, *, subject: str, columns: list[str]) -> None:
    """Refuse what no weather is, such as the missing-value codes 99.9 and 9999."""
    for i, name in enumerate(columns):
        low, high = (LOWEST_TEMP_C, HIGHEST_TEMP_C) if name == "temp_out_c" else (0.0, 1500.0)
        check_values(values[:, [i]], subject=subject, columns=[name], minimum=low)
        above = np.flatnonzero(values[:, i] > high)
        if above.size:
            raise ScenarioError(
                f"{subject}: column {name!r} is {values[above[0], i]} in data row {above[0] + 1} "
                f"({above.size} such values), expected at most {high:g}. Fill missing values."
            )
