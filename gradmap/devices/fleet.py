"""All controllable devices of a population behind one agent order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self, final

import pandas as pd
import torch

from gradmap.devices.base import Device, Surroundings
from gradmap.devices.ev_charger import EvCharger
from gradmap.devices.heat_pump import HeatPump
from gradmap.devices.parameters import DeviceParams
from gradmap.devices.registry import AnyDevice, Group, groups_from_tables
from gradmap.errors import ScenarioError
from gradmap.types import AgentIndex, AgentValues, HouseholdValues, PerAgent


@final
class Fleet(Device):
    """A population's devices, used like one device over [..., agent].

    Agents stand in the order of their households and, inside a household, of `KINDS`. One scalar
    state per agent: state of charge (battery, EV), indoor temperature (heat pump) or the last
    delivered power (generator).

    Attributes:
        household_ids: Every household, also those without devices.
        agent_ids: One per agent.
        kinds: Device kind of each agent.
        household_index: Position of each agent's household in `household_ids`, int64 [agent].
        groups: The devices by kind, only kinds that occur.
    """

    household_ids: tuple[str, ...]
    agent_ids: tuple[str, ...]
    kinds: tuple[str, ...]
    household_index: AgentIndex
    groups: tuple[Group, ...]

    def __init__(
        self,
        groups: Sequence[Group],
        *,
        household_ids: Sequence[str],
        household_index: AgentIndex,
    ) -> None:
        """Join device groups whose indices together are 0..n_agents-1; see `from_tables`."""
        n_agents = len(household_index)
        agent_ids, kinds = [""] * n_agents, [""] * n_agents
        for group in groups:
            pairs = zip(group.index.tolist(), group.device.params.agent_ids, strict=True)
            for position, agent_id in pairs:
                agent_ids[position], kinds[position] = agent_id, group.kind
        self.groups = tuple(groups)
        self.household_ids = tuple(household_ids)
        self.household_index = household_index
        self.agent_ids, self.kinds = tuple(agent_ids), tuple(kinds)
        self._order = _concatenation_order(groups, n_agents=n_agents)
        ranges = [group.device.action_range_kw() for group in groups]
        costs = [group.device.cost_rates() for group in groups]
        self._action_low_kw = self.merge([low for low, _ in ranges])
        self._action_high_kw = self.merge([high for _, high in ranges])
        self._cost_linear = self.merge([linear for linear, _ in costs])
        self._cost_quadratic = self.merge([quadratic for _, quadratic in costs])
        self._kvar_per_kw = self.merge([group.device.kvar_per_kw() for group in groups])
        self._initial_state = self.merge([group.device.initial_state() for group in groups])

    @classmethod
    def from_tables(
        cls,
        tables: Mapping[str, pd.DataFrame],
        *,
        household_ids: Sequence[str],
        dtype: torch.dtype = torch.float64,
    ) -> Self:
        """Make a fleet from device tables.

        Args:
            tables: Device kind to table with `agent_id`, `household_id` and the kind's parameters.
            household_ids: All households in their fixed order.
            dtype: Floating-point type of all parameters.
        """
        groups, household_index = groups_from_tables(
            tables, household_ids=household_ids, dtype=dtype
        )
        return cls(groups, household_ids=household_ids, household_index=household_index)

    @classmethod
    def from_folder(cls, path: Path | str, *, dtype: torch.dtype = torch.float64) -> Self:
        """Read a run's inputs: `households.csv` for the order, `devices/<kind>.csv` for devices."""
        folder = Path(path)
        households_file = folder / "households.csv"
        if not households_file.is_file():
            raise ScenarioError(
                f"Folder {str(folder)!r} has no households.csv; expected a run's `inputs` folder. "
                f"Check the path, or prepare the run again."
            )
        ids = pd.read_csv(households_file, dtype={"household_id": str})["household_id"].tolist()
        text = {"agent_id": str, "household_id": str}
        files = sorted((folder / "devices").glob("*.csv"))
        tables = {file.stem: pd.read_csv(file, dtype=text) for file in files}
        return cls.from_tables(tables, household_ids=ids, dtype=dtype)

    @property
    def n_agents(self) -> int:
        """Return the number of agents."""
        return len(self.agent_ids)

    @property
    def n_households(self) -> int:
        """Return the number of households, also those without devices."""
        return len(self.household_ids)

    def subset(self, household_ids: Sequence[str]) -> Fleet:
        """Return the fleet of some households, for splitting a population over processes.

        Args:
            household_ids: Known households in this fleet's order, so that agents keep theirs.
        """
        position_of = {household: i for i, household in enumerate(self.household_ids)}
        positions = [position_of.get(household, -1) for household in household_ids]
        if positions != sorted(set(positions)) or -1 in positions:
            raise ScenarioError(
                f"Subset of {len(household_ids)} households: expected known households, each once "
                f"and in the fleet's order. Sort them by their position in `household_ids`."
            )
        renumbered = {old: new for new, old in enumerate(positions)}
        households = self.household_index.tolist()
        kept = [agent for agent, household in enumerate(households) if household in renumbered]
        new_agent = {old: new for new, old in enumerate(kept)}
        groups = []
        for group in self.groups:
            rows = [row for row, agent in enumerate(group.index.tolist()) if agent in new_agent]
            if rows:
                own = torch.tensor(rows, device=group.index.device)
                moved = [new_agent[agent] for agent in group.index[own].tolist()]
                device = _with_params(group.device, group.device.params.select(own))
                index = torch.tensor(moved, device=group.index.device)
                groups.append(Group(kind=group.kind, device=device, index=index))
        household_index = torch.tensor(
            [renumbered[households[agent]] for agent in kept],
            dtype=torch.int64,
            device=self.household_index.device,
        )
        return Fleet(groups, household_ids=household_ids, household_index=household_index)

    def to(self, *, dtype: torch.dtype | None = None, device: str | None = None) -> Fleet:
        """Return a copy in another floating-point type or on another torch device."""
        groups = [
            Group(
                kind=group.kind,
                device=_with_params(
                    group.device, group.device.params.to(dtype=dtype, device=device)
                ),
                index=group.index.to(device=device),
            )
            for group in self.groups
        ]
        household_index = self.household_index.to(device=device)
        return Fleet(groups, household_ids=self.household_ids, household_index=household_index)

    def initial_state(self) -> PerAgent:
        """Return every agent's state before the first step."""
        return self._initial_state

    def power_bounds(
        self, state: AgentValues, surroundings: Surroundings, dt_h: float
    ) -> tuple[AgentValues, AgentValues]:
        """Return the lowest and the highest power that can be held for a whole step [kW]."""
        bounds = [
            group.device.power_bounds(
                state.index_select(-1, group.index), surroundings.select(group.index), dt_h
            )
            for group in self.groups
        ]
        return self.merge([low for low, _ in bounds]), self.merge([high for _, high in bounds])

    def next_state(
        self, state: AgentValues, *, p_kw: AgentValues, surroundings: Surroundings, dt_h: float
    ) -> AgentValues:
        """Return every agent's state at the end of a step with the delivered power `p_kw`."""
        return self.merge(
            [
                group.device.next_state(
                    state.index_select(-1, group.index),
                    p_kw=p_kw.index_select(-1, group.index),
                    surroundings=surroundings.select(group.index),
                    dt_h=dt_h,
                )
                for group in self.groups
            ]
        )

    def action_range_kw(self) -> tuple[PerAgent, PerAgent]:
        """Return the powers that the actions -1 and +1 request [kW]."""
        return self._action_low_kw, self._action_high_kw

    def cost_rates(self) -> tuple[PerAgent, PerAgent]:
        """Return fuel or wear cost: per kWh [cur/kWh] and per kW squared and hour [cur/(kW2 h)]."""
        return self._cost_linear, self._cost_quadratic

    def kvar_per_kw(self) -> PerAgent:
        """Return reactive over active power; positive absorbs [kvar/kW]."""
        return self._kvar_per_kw

    def restore_kwh(self, state: AgentValues, *, surroundings: Surroundings) -> AgentValues:
        """Return the grid energy that would bring every state back to its initial value [kWh]."""
        return self.merge(
            [
                group.device.restore_kwh(
                    state.index_select(-1, group.index),
                    surroundings=surroundings.select(group.index),
                )
                for group in self.groups
            ]
        )

    def comfort_violation_k(self, state: AgentValues) -> AgentValues:
        """Return kelvin outside the comfort band for heat pumps, zero for other agents [K]."""
        return self.merge(
            [
                group.device.comfort_violation_k(state.index_select(-1, group.index))
                if isinstance(group.device, HeatPump)
                else torch.zeros_like(state.index_select(-1, group.index))
                for group in self.groups
            ]
        )

    def departure_shortfall_kwh(
        self, state_end: AgentValues, surroundings: Surroundings, dt_h: float
    ) -> AgentValues:
        """Return energy missing for EVs that leave now, zero for other agents [kWh]."""
        return self.merge(
            [
                group.device.departure_shortfall_kwh(
                    state_end.index_select(-1, group.index),
                    surroundings.select(group.index),
                    dt_h,
                )
                if isinstance(group.device, EvCharger)
                else torch.zeros_like(state_end.index_select(-1, group.index))
                for group in self.groups
            ]
        )

    def household_sum(self, per_agent: AgentValues) -> HouseholdValues:
        """Return a per-agent quantity summed to [..., household]."""
        total = per_agent.new_zeros(*per_agent.shape[:-1], self.n_households)
        return total.index_add(-1, self.household_index, per_agent)

    def merge(self, parts: Sequence[AgentValues]) -> AgentValues:
        """Join the groups' values, in the order of `groups`, into the fleet's agent order."""
        if not parts:
            return torch.zeros(0, dtype=torch.float64, device=self.household_index.device)
        leading = [part.shape[:-1] for part in parts]
        if any(shape != leading[0] for shape in leading):
            common = torch.broadcast_shapes(*leading)  # type: ignore[no-untyped-call]
            parts = [part.expand(*common, part.shape[-1]) for part in parts]
        return torch.cat(list(parts), dim=-1).index_select(-1, self._order)


def _concatenation_order(groups: Sequence[Group], *, n_agents: int) -> AgentIndex:
    """Return where each agent stands when the groups' values are concatenated."""
    if not groups:
        return torch.zeros(0, dtype=torch.int64)
    positions = torch.cat([group.index for group in groups])
    if sorted(positions.tolist()) != list(range(n_agents)):
        raise ScenarioError(
            f"Fleet: {len(positions)} agents in groups, expected each of 0..{n_agents - 1} once. "
            f"Make fleets with `Fleet.from_tables`."
        )
    return torch.argsort(positions)


def _with_params(device: AnyDevice, params: DeviceParams) -> AnyDevice:
    """Return the same kind of device with other parameters of its own class."""
    return replace(device, params=params)  # type: ignore[arg-type]
