"""The agents federate: one controller per device, each acting on its own observation only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from federates.component import Component, Ids, Inbox, Schedule, Stage, StageResult
from federates.config import AgentsSettings
from federates.observed import rows_of_agents
from federates.topics import OBSERVATIONS, SETPOINTS, Port, Values
from gradmap.baselines.registry import make_controller
from gradmap.devices.fleet import Fleet
from gradmap.observations import N_FEATURES


class Agents(Component):
    """Maps observations to setpoints. Rows are computed together, but no row sees another."""

    stages = (Stage.ACT,)
    inputs = (OBSERVATIONS,)

    def __init__(self, settings: AgentsSettings, *, schedule: Schedule) -> None:
        torch.set_num_threads(1)
        self._fleet = _fleet(settings)
        self._controller = make_controller(settings.controller, fleet=self._fleet)
        self._order = np.arange(self._fleet.n_agents)

    def output_ids(self) -> Mapping[Port, Ids]:
        """One setpoint per agent."""
        return {SETPOINTS: tuple(self._fleet.agent_ids)}

    def bind(self, input_ids: Mapping[str, Ids]) -> None:
        """Find every agent's row among the observations; the homes may come in any order."""
        observed = input_ids[OBSERVATIONS.name]
        self._order = rows_of_agents(self._fleet.agent_ids, observed=observed)

    def run_stage(self, stage: Stage, *, step: int, repeat: int, inbox: Inbox) -> StageResult:
        """Ask every controller for its power."""
        return StageResult(outputs={SETPOINTS: self._act(inbox.get(OBSERVATIONS))})

    def _act(self, observations: Values | None) -> Values:
        if observations is None:  # coupling `lag`, first step: nobody has observed anything yet
            return np.zeros(self._fleet.n_agents)
        table = observations.reshape(-1, N_FEATURES)[self._order]
        with torch.inference_mode():
            request_kw: Values = self._controller.act(torch.from_numpy(table)).numpy()
        return request_kw


def _fleet(settings: AgentsSettings) -> Fleet:
    """Return the agents that are controlled."""
    if not settings.participating_only:
        return Fleet.from_folder(settings.inputs_folder)
    from federates.hems.controller.roles import fleet_part  # noqa: PLC0415  only with interviews

    return fleet_part(settings.inputs_folder, left_to_home=False)
