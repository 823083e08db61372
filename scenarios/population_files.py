"""Household and device tables of users, checked row by row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from gradmap.devices.registry import KINDS
from gradmap.errors import ScenarioError
from scenarios.profiles.files import nearest, some

HOUSEHOLD_COLUMNS = (
    "household_id",
    "connection_id",
    "base_scale",
    "power_factor",
    "occupants",
    "pv_kwp",
    "pv_tilt_deg",
    "pv_azimuth_deg",
    "pv_inverter_kva",
    "tariff",
)
_RANGES = {
    "base_scale": (0.0, 1e6),
    "power_factor": (0.1, 1.0),
    "occupants": (1, 50),
    "pv_kwp": (0.0, 1e6),
    "pv_tilt_deg": (0.0, 90.0),
    "pv_azimuth_deg": (0.0, 360.0),
    "pv_inverter_kva": (0.0, 1e6),
}
_MOST_PROBLEMS = 5


def read_households(path: Path, *, connection_ids: Sequence[str] | None) -> pd.DataFrame:
    """Read a households table.

    Args:
        path: CSV with the columns of `HOUSEHOLD_COLUMNS`.
        connection_ids: Load connections of the feeder; None leaves them unchecked.

    Raises:
        ScenarioError: Naming every faulty household, the value and what was expected.
    """
    subject = f"Households file {path}"
    table = _read_csv(path, subject=subject)
    _check_header(table, subject=subject, expected=HOUSEHOLD_COLUMNS)
    table = table[list(HOUSEHOLD_COLUMNS)].copy()
    problems = _duplicates(table["household_id"], what="household_id")
    for column, (low, high) in _RANGES.items():
        numbers = pd.to_numeric(table[column], errors="coerce")
        for row in np.flatnonzero(~numbers.between(low, high).to_numpy()):
            problems.append(
                f"household {table['household_id'].iloc[row]!r}: `{column}` is "
                f"'{table[column].iloc[row]}', expected a number from {low:g} to {high:g}"
            )
        table[column] = numbers
    if connection_ids is not None:
        known = set(connection_ids)
        for household, place in zip(table["household_id"], table["connection_id"], strict=True):
            if place not in known:
                problems.append(
                    f"household {household!r}: connection {place!r} is not on the feeder"
                    f"{nearest(place, connection_ids)}"
                )
    no_inverter = table["household_id"][(table["pv_kwp"] > 0) & (table["pv_inverter_kva"] == 0)]
    problems += [
        f"household {name!r}: `pv_kwp` > 0 but `pv_inverter_kva` is 0" for name in no_inverter
    ]
    _raise(problems, subject=subject)
    table["occupants"] = table["occupants"].astype(np.int64)
    return table


def read_devices(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the device tables of a folder: `<kind>.csv` for any of the four kinds.

    Values are checked where a `Population` is made.

    Raises:
        ScenarioError: If the folder is missing or holds other CSV files.
    """
    if not folder.is_dir():
        raise ScenarioError(
            f"Devices folder {folder}: no such folder. Expected one with some of "
            f"{', '.join(f'{kind}.csv' for kind in KINDS)}."
        )
    unknown = sorted(file.name for file in folder.glob("*.csv") if file.stem not in KINDS)
    if unknown:
        raise ScenarioError(
            f"Devices folder {folder}: {some(unknown)} is no device table"
            f"{nearest(Path(unknown[0]).stem, KINDS)}; expected {', '.join(KINDS)}."
        )
    tables = {}
    for kind in KINDS:
        path = folder / f"{kind}.csv"
        if path.is_file():
            table = _read_csv(path, subject=f"Device table {path}")
            if len(table):
                tables[kind] = table
    return tables


def _read_csv(path: Path, *, subject: str) -> pd.DataFrame:
    """Read a CSV with ids as text."""
    if not path.is_file():
        raise ScenarioError(
            f"{subject}: no such file. Check the path; relative paths start at the scenario "
            f"file's folder."
        )
    ids = dict.fromkeys(("agent_id", "household_id", "connection_id", "tariff"), str)
    try:
        return pd.read_csv(path, dtype=ids)
    except (ValueError, UnicodeDecodeError) as exc:
        raise ScenarioError(f"{subject}: not a readable CSV ({exc}). Re-export it.") from exc


def _check_header(table: pd.DataFrame, *, subject: str, expected: Sequence[str]) -> None:
    """Refuse missing and unknown columns."""
    missing = [name for name in expected if name not in table.columns]
    unknown = [str(name) for name in table.columns if name not in expected]
    problems = [f"column {name!r} is missing" for name in missing]
    problems += [f"column {name!r} is not expected{nearest(name, expected)}" for name in unknown]
    if table.empty and not problems:
        problems.append("it has no rows")
    _raise(problems, subject=subject)


def _duplicates(ids: pd.Series, *, what: str) -> list[str]:
    """Return a problem for each id that occurs more than once or is empty."""
    problems = [f"{what} {name!r} occurs twice" for name in ids[ids.duplicated()].unique()]
    if ids.isna().any():
        problems.append(f"{what} is empty in data row {int(np.flatnonzero(ids.isna())[0]) + 1}")
    return problems


def _raise(problems: list[str], *, subject: str) -> None:
    """Raise one error with the first problems, if there are any."""
    if not problems:
        return
    more = len(problems) - _MOST_PROBLEMS
    tail = f"; and {more} more" if more > 0 else ""
    raise ScenarioError(f"{subject}: {'; '.join(problems[:_MOST_PROBLEMS])}{tail}. Correct them.")
