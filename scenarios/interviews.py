"""Interviewed homes in the place of drawn ones: which file is whose, and what it changes.

A file called like a household, `h0007.yaml`, is that household's; the others are given to further
households by the scenario's seed. Households keep their connection and power factor. All other
households stay as drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from federates.hems.adapters.population_rows import Row, device_rows, traits
from federates.hems.parameters.home_file import HomeFile, read
from gradmap.devices.registry import KINDS
from gradmap.errors import ScenarioError
from scenarios.profiles.randomness import generator
from scenarios.profiles.usual_energy import drawn_kwh_day
from scenarios.schema import Scenario

USUAL_DAYS: Final = 14
"""Drawn days whose mean load is brought to that of the interview."""


def read_homes(folder: Path) -> dict[str, HomeFile]:
    """Return the home files of a folder by the files' names, in their order.

    Raises:
        ScenarioError: There is none, or one is wrong; names the file and the key.
    """
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ScenarioError(
            f"`population.interviews` names {folder}, which holds no *.yaml, expected home files "
            f"of interviews. Run some, or leave the setting empty."
        )
    return {path.stem: read(path) for path in files}


def assigned(
    names: Sequence[str], *, household_ids: Sequence[str], seed: int, folder: Path
) -> dict[str, str]:
    """Return the file of each household that gets one.

    Args:
        names: Of the files, without ending.
        household_ids: All households.
        seed: Of the scenario.
        folder: What errors name.
    """
    if len(names) > len(household_ids):
        raise ScenarioError(
            f"`population.interviews`: {folder} holds {len(names)} home files, expected at most "
            f"one for each of {len(household_ids)} households. Remove some."
        )
    own = {name: name for name in names if name in set(household_ids)}
    others = [name for name in names if name not in own]
    order = generator("interviews", seed=seed).permutation(len(household_ids))
    free = [household_ids[row] for row in order if household_ids[row] not in own]
    return own | dict(zip(free, others, strict=False))


def interviewed(
    households: pd.DataFrame,
    devices: Mapping[str, pd.DataFrame],
    *,
    scenario: Scenario,
    folder: Path,
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame], dict[str, HomeFile]]:
    """Return the tables with interviewed homes in them, and the home of each such household.

    Args:
        households: Of the population.
        devices: Of the population, by kind.
        scenario: Seed, currency, start.
        folder: Of home files.

    Raises:
        ScenarioError: A file is wrong, or says what a scenario cannot hold.
    """
    homes = read_homes(folder)
    ids = households["household_id"].tolist()
    file_of = assigned(list(homes), household_ids=ids, seed=scenario.seed, folder=folder)
    found = {household: homes[file_of[household]] for household in ids if household in file_of}
    rows: dict[str, list[tuple[str, Row]]] = {kind: [] for kind in KINDS}
    for household, home in found.items():
        try:
            own = device_rows(
                home.parameters,
                currency=scenario.tariff.currency,
                start_hour=scenario.time.start.hour + scenario.time.start.minute / 60,
            )
        except ScenarioError as exc:
            raise ScenarioError(f"{folder / file_of[household]}.yaml: {exc}") from exc
        for kind, several in own.items():
            rows[kind] += [(household, one) for one in several]
    tables = _tables(devices, rows, replaced=set(found))
    return _households(households, found, scenario=scenario), tables, found


def without_words(home: HomeFile) -> HomeFile:
    """Return a home without what its people said word by word, which stays in the interview."""
    sources = {key: source.model_copy(update={"words": ""}) for key, source in home.sources.items()}
    return home.model_copy(update={"sources": sources})


def _tables(
    devices: Mapping[str, pd.DataFrame],
    rows: Mapping[str, list[tuple[str, Row]]],
    *,
    replaced: set[str],
) -> dict[str, pd.DataFrame]:
    """Return the device tables with the rows of some households replaced."""
    tables = {}
    for kind in KINDS:
        kept = devices.get(kind, pd.DataFrame())
        if len(kept):
            kept = kept[~kept["household_id"].isin(replaced)]
        added: list[dict[str, Any]] = []
        for household, row in rows[kind]:
            number = 1 + sum(one["household_id"] == household for one in added)
            agent_id = f"{household}.{kind}" + (f"_{number}" if number > 1 else "")
            added.append({"agent_id": agent_id, "household_id": household, **row})
        parts = [part for part in (kept, pd.DataFrame(added)) if len(part)]
        if parts:
            tables[kind] = pd.concat(parts, ignore_index=True)
    return tables


def _households(
    households: pd.DataFrame, homes: Mapping[str, HomeFile], *, scenario: Scenario
) -> pd.DataFrame:
    """Return the households with people, roofs and load as interviewed."""
    roof = dict.fromkeys(("pv_kwp", "pv_tilt_deg", "pv_azimuth_deg", "pv_inverter_kva"), np.float64)
    table = households.astype(roof)
    ids = table["household_id"].tolist()
    numbers = np.array([row for row, name in enumerate(ids) if name in homes], dtype=np.int64)
    said = {name: homes[name].parameters for name in homes}
    for row in numbers.tolist():
        for column, value in vars(traits(said[ids[row]])).items():
            table.loc[table.index[row], column] = value
    drawn = drawn_kwh_day(
        scenario,
        number=numbers,
        occupants=_floats(table["occupants"])[numbers],
        n_days=USUAL_DAYS,
    )
    wanted = np.array([said[ids[row]].household.base_load_kwh_day for row in numbers])
    scale = _floats(table["base_scale"])
    scale[numbers] = np.round(wanted / drawn, 6)
    return table.assign(base_scale=scale)


def _floats(column: pd.Series) -> NDArray[np.float64]:
    return np.array(column, dtype=np.float64)
