"""The grid's side of a rollout: connection powers, and power flows at once or step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from gradmap.days import Days
from gradmap.devices.fleet import Fleet
from gradmap.errors import ScenarioError
from gradmap.feeder import Feeder
from gradmap.homes import Homes
from gradmap.power_flow.regulators import TapSolution, control_taps
from gradmap.power_flow.solver import PowerFlow, Solution
from gradmap.types import AgentValues


class Connecting:
    """Sums what homes draw at the connections of a feeder.

    P = generating elements + base load - PV + devices; Q = generating elements + base load tan_phi
    + devices' reactive power.
    """

    def __init__(self, fleet: Fleet, *, homes: Homes, feeder: Feeder) -> None:
        """Find every home and agent among the connections.

        Args:
            fleet: Sets dtype and torch device.
            homes: In the order of the fleet's households.
            feeder: `feeder.with_households()`.
        """
        like = fleet.initial_state()
        connections = feeder.connections
        n_places = len(feeder.places)
        at_home = homes.connection_index.to(like.device)
        outside = torch.nonzero((at_home < 0) | (at_home >= n_places)).flatten().tolist()
        if outside:
            raise ScenarioError(
                f"Household {fleet.household_ids[outside[0]]!r}: connection number "
                f"{int(at_home[outside[0]])} is not on feeder {feeder.name!r}, expected 0 to "
                f"{n_places - 1}. Make the homes with `Homes.on_feeder`."
            )
        if connections.connection_ids[:n_places] != feeder.places.connection_ids:
            raise ScenarioError(
                f"Rollout on feeder {feeder.name!r}: its connections are its own loads, expected "
                f"households. Solve on `feeder.with_households()`."
            )
        self.at_home = at_home
        self.at_agent = at_home.index_select(0, fleet.household_index)
        every_home = torch.arange(fleet.n_households, device=like.device)
        self._one_agent_each = torch.equal(fleet.household_index, every_home)
        self._tan_phi = homes.tan_phi.to(like)
        self._kvar_per_kw = fleet.kvar_per_kw()
        self._p_own_kw = torch.tensor(connections.p_kw, dtype=like.dtype, device=like.device)
        self._q_own_kvar = torch.tensor(connections.q_kvar, dtype=like.dtype, device=like.device)

    def sums(self, days: Days, step: int, *, p_kw: AgentValues) -> tuple[Tensor, Tensor]:
        """Return P and Q of every connection in one step, [day, connection] [kW, kvar].

        Step by step, because series of all homes and steps leave the cache.

        Args:
            days: Base load and PV.
            step: Which.
            p_kw: Delivered power of the devices, [day, agent]. [kW]
        """
        base_kw = days.base_load_kw[:, step]
        net_kw = base_kw - days.pv_available_kw[:, step]
        return (
            self._summed(homes=net_kw, agents=p_kw, onto=self._p_own_kw),
            self._summed(
                homes=base_kw * self._tan_phi,
                agents=p_kw * self._kvar_per_kw,
                onto=self._q_own_kvar,
            ),
        )

    def _summed(self, *, homes: Tensor, agents: Tensor, onto: Tensor) -> Tensor:
        """Return `onto` plus what stands at each connection, [day, connection]."""
        start = onto.expand(len(homes), -1)
        if self._one_agent_each:
            return start.index_add(-1, self.at_home, homes + agents)
        return start.index_add(-1, self.at_home, homes).index_add(-1, self.at_agent, agents)

    def seen_v_pu(self, solution: Solution) -> AgentValues:
        """Return the voltage at each agent's connection, [day, agent]. [pu]"""
        vm_pu = solution.connection_v_pu().abs().to(self._tan_phi)
        return vm_pu.index_select(-1, self.at_agent)


class GridSteps:
    """Power flows of all days, one step after the other, each from the step before.

    The voltages start from the last solution, and so do the taps where regulators act, as in a
    federation.
    """

    def __init__(self, flow: PowerFlow, *, control_regulators: bool) -> None:
        """Start without a solution, and with the feeder file's taps."""
        self._flow = flow
        self._controls = control_regulators
        self._taps: Tensor | None = None
        self.solutions: list[Solution] = []
        self.statuses: list[Tensor] = []

    def solve(self, p_kw: Tensor, q_kvar: Tensor) -> Solution:
        """Solve the next step of every day, [day, connection]."""
        if self._controls:
            found: TapSolution = control_taps(self._flow, p_kw, q_kvar, start_tap_ratios=self._taps)
            self._taps = found.tap_ratios
            solution, status = found.solution, found.status
        else:
            start = self._started(self.solutions[-1]) if self.solutions else None
            solution = self._flow.solve(p_kw, q_kvar, start=start)
            status = solution.status
        self.solutions.append(solution)
        self.statuses.append(status)
        return solution

    def joined(self) -> tuple[Solution, Tensor]:
        """Return all solutions day after day, and the status [day, time]."""
        return join_solutions(self.solutions), torch.stack(self.statuses, dim=1)

    @staticmethod
    def _started(last: Solution) -> Solution | None:
        """Return a start for the next step; a day without solution has none to offer."""
        return last if bool((last.status == 0).all()) else None


def join_solutions(steps: Sequence[Solution]) -> Solution:
    """Return the solutions of consecutive steps as one, day after day.

    Args:
        steps: One for each step, each with one sample a day.
    """

    def joined(values: list[Tensor]) -> Tensor:  # [..., day] of each step to [..., day * time]
        return torch.stack(values, dim=-1).flatten(-2)

    taps = [solution.tap_ratios for solution in steps]
    known = [ratios for ratios in taps if ratios is not None]
    return replace(
        steps[0],
        state=joined([solution.state for solution in steps]),
        u=joined([solution.u for solution in steps]),
        status=joined([solution.status for solution in steps]),
        error_pu=joined([solution.error_pu for solution in steps]),
        n_iterations=joined([solution.n_iterations for solution in steps]),
        tap_ratios=torch.stack(known, dim=1).flatten(0, 1) if len(known) == len(taps) else None,
    )
