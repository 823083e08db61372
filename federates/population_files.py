"""The population in a run folder, as the federates read it: households.csv and devices/*.csv."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gradmap.errors import ScenarioError


@dataclass(frozen=True, kw_only=True)
class Households:
    """What the household federate needs to know of each home, in file order."""

    household_ids: tuple[str, ...]
    connection_ids: tuple[str, ...]
    tan_phi: NDArray[np.float64]
    """Reactive over active base load. [household]"""
    pv_inverter_kva: NDArray[np.float64]
    """Rating of the PV inverter, 0 without PV. [household]"""


def read_table(path: Path, *, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a CSV of the run folder; ScenarioError names a missing file or column."""
    try:
        table = pd.read_csv(path, dtype={"household_id": str, "connection_id": str})
    except OSError as exc:
        raise ScenarioError(
            f"{path.name}: cannot read {path} ({exc.strerror or exc}). It is written by "
            f"`gradmap run`; pass a complete run folder."
        ) from exc
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise ScenarioError(
            f"{path.name}: column {missing[0]!r} is missing, expected {', '.join(columns)}."
        )
    return table


def read_households(inputs_folder: Path) -> Households:
    """Read inputs/households.csv."""
    table = read_table(
        inputs_folder / "households.csv",
        columns=("household_id", "connection_id", "power_factor", "pv_kwp", "pv_inverter_kva"),
    )
    tan_phi = np.tan(np.arccos(table["power_factor"].to_numpy(np.float64)))
    has_pv = table["pv_kwp"].to_numpy(np.float64) > 0
    return Households(
        household_ids=tuple(table["household_id"]),
        connection_ids=tuple(table["connection_id"]),
        tan_phi=tan_phi,
        pv_inverter_kva=np.where(has_pv, table["pv_inverter_kva"].to_numpy(np.float64), 0.0),
    )


def read_placement(path: Path) -> dict[str, str]:
    """Return the load connection of every household."""
    table = read_table(path, columns=("household_id", "connection_id"))
    return dict(zip(table["household_id"], table["connection_id"], strict=True))
