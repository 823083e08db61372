"""Who controls what in interviewed homes: the network's policy, the home's manager, or nobody.

| | home takes part | does not |
|---|---|---|
| device | policy | the home's energy manager |
| device named in `never_touch` | left alone | left alone |

That holds where a learned policy controls the scenario. Under `hems` every device is the home
manager's, except those to be left alone. Homes without an interview take part.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from federates.hems.adapters.wishes import untouched_kinds
from federates.hems.parameters.home_file import HomeFile, read
from federates.hems.parameters.models import HomeParameters
from gradmap.devices.fleet import Fleet
from gradmap.devices.registry import KINDS

Scope = Literal["all", "not_participating"]
"""Which agents the energy managers control: all, or those that a policy must leave to them."""

INTERVIEWS_FOLDER = "interviews"
"""In a run's inputs: `<household_id>.yaml` of every interviewed home."""


def read_interviews(inputs_folder: Path) -> dict[str, HomeFile]:
    """Return the interviewed homes of a run by household."""
    files = sorted((inputs_folder / INTERVIEWS_FOLDER).glob("*.yaml"))
    return {path.stem: read(path) for path in files}


def is_left_to_home(home: HomeParameters | None, kind: str) -> bool:
    """Return whether a policy must leave a device of a home to the home itself."""
    if home is None:
        return False
    return not home.flexibility.participate or kind in untouched_kinds(home)


def parameters_of(interviews: Mapping[str, HomeFile]) -> dict[str, HomeParameters]:
    """Return what the homes said, without its sources."""
    return {household: home.parameters for household, home in interviews.items()}


def split_tables(
    tables: Mapping[str, pd.DataFrame], homes: Mapping[str, HomeParameters], *, left_to_home: bool
) -> dict[str, pd.DataFrame]:
    """Return the device tables of the agents that are left to their homes, or of all others."""
    found = {}
    for kind, table in tables.items():
        left = [is_left_to_home(homes.get(home), kind) for home in table["household_id"]]
        part = table[pd.Series(left, index=table.index, dtype=bool) == left_to_home]
        if len(part):
            found[kind] = part
    return found


def fleet_part(inputs_folder: Path, *, left_to_home: bool) -> Fleet:
    """Return the fleet of the agents that are left to their homes, or of all others."""
    homes = parameters_of(read_interviews(inputs_folder))
    tables = _tables(inputs_folder)
    part = split_tables(tables, homes, left_to_home=left_to_home)
    return Fleet.from_tables(part, household_ids=_household_ids(inputs_folder))


@dataclass(frozen=True, kw_only=True)
class Roles:
    """How many agents there are of each."""

    in_policy: int
    left_to_home: int


def roles_in(inputs_folder: Path) -> Roles:
    """Count who is controlled by whom under a learned policy."""
    tables = _tables(inputs_folder)
    n_agents = sum(len(table) for table in tables.values())
    homes = parameters_of(read_interviews(inputs_folder))
    left = split_tables(tables, homes, left_to_home=True) if homes else {}
    n_left = sum(len(table) for table in left.values())
    return Roles(in_policy=n_agents - n_left, left_to_home=n_left)


def scoped_fleet(inputs_folder: Path, *, scope: Scope) -> Fleet:
    """Return the fleet of a scope."""
    if scope == "all":
        return Fleet.from_folder(inputs_folder)
    return fleet_part(inputs_folder, left_to_home=True)


def left_alone(fleet: Fleet, homes: Mapping[str, HomeParameters]) -> Callable[[int], bool]:
    """Return a test of agents: whether nobody may control this one."""
    never: dict[str, Collection[str]] = {
        household: untouched_kinds(home) for household, home in homes.items()
    }
    home_of = fleet.household_index.tolist()

    def test(agent: int) -> bool:
        household = fleet.household_ids[home_of[agent]]
        return fleet.kinds[agent] in never.get(household, ())

    return test


def _tables(inputs_folder: Path) -> dict[str, pd.DataFrame]:
    text = {"agent_id": str, "household_id": str}
    files = sorted((inputs_folder / "devices").glob("*.csv"))
    return {file.stem: pd.read_csv(file, dtype=text) for file in files if file.stem in KINDS}


def _household_ids(inputs_folder: Path) -> list[str]:
    table = pd.read_csv(inputs_folder / "households.csv", dtype={"household_id": str})
    return list(table["household_id"])
