"""Every kind of device, and the way from device tables to groups of devices.

A new kind is one line in `DEVICES`; docs/architecture.md lists what else must know of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import torch

from gradmap.devices.battery import Battery, BatteryParams
from gradmap.devices.ev_charger import EvCharger, EvChargerParams
from gradmap.devices.generator import Generator, GeneratorParams
from gradmap.devices.heat_pump import HeatPump, HeatPumpParams
from gradmap.devices.parameters import DeviceParams
from gradmap.errors import ScenarioError
from gradmap.types import AgentIndex

AnyDevice = Battery | HeatPump | Generator | EvCharger
DEVICES: Final[Mapping[str, tuple[Callable[[Any], AnyDevice], type[DeviceParams]]]] = {
    "battery": (Battery, BatteryParams),
    "heat_pump": (HeatPump, HeatPumpParams),
    "generator": (Generator, GeneratorParams),
    "ev_charger": (EvCharger, EvChargerParams),
}
KINDS: Final = tuple(DEVICES)
"""Device kinds, in the order of a household's agents."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """The agents of one kind and where they stand in the fleet's agent order."""

    kind: str
    device: AnyDevice
    index: AgentIndex


def groups_from_tables(
    tables: Mapping[str, pd.DataFrame], *, household_ids: Sequence[str], dtype: torch.dtype
) -> tuple[list[Group], AgentIndex]:
    """Return the device groups and each agent's household position.

    Agents stand in the order of their households, then of `KINDS`, then of the table's rows.

    Args:
        tables: Device kind to table with `agent_id`, `household_id` and the kind's parameters.
        household_ids: All households in their fixed order.
        dtype: Floating-point type of all parameters.
    """
    _check_ids(tables, household_ids=household_ids)
    position_of = {household: i for i, household in enumerate(household_ids)}
    rows = sorted(
        (position_of[household], rank, row)
        for rank, kind in enumerate(KINDS)
        if kind in tables
        for row, household in enumerate(tables[kind]["household_id"])
    )
    groups = []
    for rank, kind in enumerate(KINDS):
        own = [(agent, row) for agent, (_, r, row) in enumerate(rows) if r == rank]
        if own:
            table = tables[kind].iloc[[row for _, row in own]]
            index = torch.tensor([agent for agent, _ in own])
            groups.append(Group(kind=kind, device=_device(kind, table, dtype=dtype), index=index))
    return groups, torch.tensor([household for household, _, _ in rows], dtype=torch.int64)


def _device(kind: str, table: pd.DataFrame, *, dtype: torch.dtype) -> AnyDevice:
    """Return the device of a known kind with the parameters of `table`."""
    device, params = DEVICES[kind]
    return device(params.from_table(table, dtype=dtype))


def _check_ids(tables: Mapping[str, pd.DataFrame], *, household_ids: Sequence[str]) -> None:
    """Refuse unknown kinds, repeated ids and devices of unknown households."""
    unknown_kinds = sorted(set(tables) - set(KINDS))
    if unknown_kinds:
        raise ScenarioError(f"Device tables {unknown_kinds} are unknown; expected some of {KINDS}.")
    if len(set(household_ids)) != len(household_ids):
        raise ScenarioError("Households: an id occurs twice; expected every household_id once.")
    seen: set[str] = set()
    known = set(household_ids)
    for kind, table in tables.items():
        missing = sorted({"agent_id", "household_id"} - set(table.columns))
        if missing:
            raise ScenarioError(f"Device table {kind!r}: columns {missing} are missing; add them.")
        for agent_id, household in zip(table["agent_id"], table["household_id"], strict=True):
            if agent_id in seen:
                raise ScenarioError(f"Agent {agent_id!r} occurs twice; expected unique agent ids.")
            if household not in known:
                raise ScenarioError(
                    f"Agent {agent_id!r} ({kind}): household {household!r} is unknown; "
                    f"expected one of the {len(known)} households in households.csv."
                )
            seen.add(agent_id)
