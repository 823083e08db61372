"""Controllers, devices and power flow over time, for a batch of days; the same for every method.

    rollout = Rollout(fleet=fleet, homes=homes, flow=PowerFlow(feeder.with_households()))
    trajectory = rollout.run(controller, sampler.sample("test", range(128)))

A step is what the federation does in coupling `ordered`: homes observe the state and the step's own
weather, prices, load and sun; agents act; devices deliver what they can and move on; the grid is
solved. Agents see the voltage of the step before if `observe_voltage`; then, and where regulators
act, there is one batched power flow a step, otherwise one for all days and steps. PV runs at unity
power factor and is not curtailed.

With gradients enabled the graph of the closed loop is kept, from requests through later states and
observations to later requests and voltages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gradmap.controller import Controller
from gradmap.days import Days
from gradmap.devices.fleet import Fleet
from gradmap.devices.grouped import GroupedFleet
from gradmap.errors import ScenarioError
from gradmap.homes import Homes
from gradmap.observing import Observer
from gradmap.power_flow.solver import PowerFlow, Solution
from gradmap.rollout_grid import Connecting, GridSteps
from gradmap.rollout_record import Record, at_step, surroundings
from gradmap.types import AgentSeries, AgentValues, Observation, PerAgent

ActionHook = Callable[[AgentValues], AgentValues]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trajectory:
    """What happened, [day, time, ...]."""

    days: Days
    """As they were rolled out: in the rollout's dtype."""
    observation: Tensor | None
    """What agents saw, [day, time, agent, feature], without gradient, if it was to be kept."""
    request_kw: AgentSeries
    """What agents asked for, after `on_action`. [kW]"""
    p_kw: AgentSeries
    """What devices delivered. [kW]"""
    violation_graph_kw: AgentSeries | None
    """|request - delivered| with its gradients; None where there are none. [kW]"""
    state: AgentSeries
    """At the end of the step."""
    state_init: PerAgent
    """Before the first step, [agent]."""
    connection_p_kw: Tensor
    """Drawn at every connection of the power flow's feeder, [day, time, connection]. [kW]"""
    connection_q_kvar: Tensor
    solution: Solution | None
    """Of all power flows, day after day; None if none was asked for."""
    status: Tensor | None
    """`FlowStatus` of each, [day, time]; None if none was asked for."""

    @property
    def violation_kw(self) -> AgentSeries:
        """Return |request - delivered|, [day, time, agent]. [kW]"""
        if self.violation_graph_kw is not None:
            return self.violation_graph_kw
        return (self.request_kw - self.p_kw).abs()

    def by_day(self, per_sample: Tensor) -> Tensor:
        """Return a result of `solution`, [day * time, ...], as [day, time, ...]."""
        return per_sample.reshape(self.days.n_days, self.days.n_steps, *per_sample.shape[1:])


class Rollout:
    """Rolls out one population on one feeder; keeps nothing between runs."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        homes: Homes,
        flow: PowerFlow,
        observe_voltage: bool = False,
        control_regulators: bool = False,
    ) -> None:
        """Join who is controlled, where they live and the grid.

        Args:
            fleet: The devices; its dtype and torch device are the rollout's.
            homes: Where its households sit.
            flow: On `feeder.with_households()`; may work in another dtype.
            observe_voltage: Agents see their connection's last voltage, else 1.0.
            control_regulators: Regulators act, every step from the taps of the step before; else
                they stay at the power flow's base taps.
        """
        if homes.n_households != fleet.n_households:
            raise ScenarioError(
                f"Rollout: {homes.n_households} homes for a fleet of {fleet.n_households} "
                f"households; expected as many, in the order of `fleet.household_ids`."
            )
        self.fleet, self.flow = fleet, flow
        self.observe_voltage, self.control_regulators = observe_voltage, control_regulators
        self._grouped = GroupedFleet(fleet)
        self.connecting = Connecting(fleet, homes=homes, feeder=flow.feeder)

    def run(
        self,
        controller: Controller,
        days: Days,
        *,
        keep_observations: bool = False,
        power_flow: bool = True,
        on_action: ActionHook | None = None,
    ) -> Trajectory:
        """Let a controller act on all days at once.

        Args:
            controller: Sees local observations only, [day, agent, feature]; without gradients the
                next step overwrites them.
            days: What happens outside.
            keep_observations: Return them; they are by far the largest result.
            power_flow: Solve the grid; voltages that agents observe need it.
            on_action: Called with every step's requests, [day, agent], in order of time; what it
                returns is requested instead. A trainer keeps them with `retain_grad`, or makes them
                leaves.
        """

        def act(step: int, observation: Observation) -> AgentValues:
            request_kw = controller.act(observation)
            return request_kw if on_action is None else on_action(request_kw)

        return self._roll(
            days, act=act, observes=True, keep=keep_observations, power_flow=power_flow
        )

    def replay(self, request_kw: AgentSeries, days: Days, *, power_flow: bool = True) -> Trajectory:
        """Request given powers, whatever the observations; nothing is observed.

        Args:
            request_kw: [day, time, agent]. [kW]
            days: What happens outside.
            power_flow: Solve the grid.
        """
        wanted = (days.n_days, days.n_steps, self.fleet.n_agents)
        if tuple(request_kw.shape) != wanted:
            raise ScenarioError(
                f"Replay: `request_kw` has shape {tuple(request_kw.shape)}, expected [day, time, "
                f"agent] = {wanted}."
            )
        steps = request_kw.to(self.fleet.initial_state()).unbind(1)
        return self._roll(
            days, act=lambda step, _: steps[step], observes=False, keep=False, power_flow=power_flow
        )

    def _roll(
        self,
        days: Days,
        *,
        act: Callable[[int, Observation], AgentValues],
        observes: bool,
        keep: bool,
        power_flow: bool,
    ) -> Trajectory:
        """Step through the days, then solve what is left to solve."""
        state = self.fleet.initial_state()
        days = self._checked(days).to(device=state.device, dtype=state.dtype)
        graph = torch.is_grad_enabled()
        senses = self.observe_voltage and observes and power_flow
        stepwise = senses or (self.control_regulators and power_flow)
        grid = GridSteps(self.flow, control_regulators=self.control_regulators)
        observer = Observer(self.fleet, days, reuse=not graph)
        feels = self._grouped.surroundings_by_group(surroundings(days))
        record = Record(n_steps=days.n_steps)
        state = state.expand(days.n_days, -1)
        observation, v_pu = state, None
        for step in range(days.n_steps):
            if observes:
                observation = observer.observe(step, state=state, v_pu=v_pu)
                if keep:
                    record.put(step, observation=observation.detach())
            request_kw = act(step, observation)
            moved = self._grouped.step(
                request_kw,
                state=state,
                surroundings=[at_step(group, step) for group in feels],
                dt_h=days.dt_h,
                with_violation=graph,
            )
            state = moved.state
            p_kw, q_kvar = self.connecting.sums(days, step, p_kw=moved.p_kw)
            record.put(step, request_kw=request_kw, p_kw=moved.p_kw, state=state)
            record.put(step, connection_p_kw=p_kw, connection_q_kvar=q_kvar)
            if moved.violation_kw is not None:
                record.put(step, violation_kw=moved.violation_kw)
            if stepwise:
                solution = grid.solve(p_kw, q_kvar)
                v_pu = self.connecting.seen_v_pu(solution) if senses else None
        return self._trajectory(
            days, kept=record.joined(), grid=grid if stepwise else None, power_flow=power_flow
        )

    def _trajectory(
        self, days: Days, *, kept: dict[str, Tensor], grid: GridSteps | None, power_flow: bool
    ) -> Trajectory:
        """Return what was recorded, with all power flows."""
        solution: Solution | None = None
        status: Tensor | None = None
        if grid is not None:
            solution, status = grid.joined()
        elif power_flow:
            solution = self.flow.solve(
                kept["connection_p_kw"].flatten(0, 1), kept["connection_q_kvar"].flatten(0, 1)
            )
            status = solution.status.reshape(days.hour.shape)
        return Trajectory(
            days=days,
            observation=kept.get("observation"),
            request_kw=kept["request_kw"],
            p_kw=kept["p_kw"],
            violation_graph_kw=kept.get("violation_kw"),
            state=kept["state"],
            state_init=self.fleet.initial_state(),
            connection_p_kw=kept["connection_p_kw"],
            connection_q_kvar=kept["connection_q_kvar"],
            solution=solution,
            status=status,
        )

    def _checked(self, days: Days) -> Days:
        """Refuse days of another population."""
        n_households = days.base_load_kw.shape[-1]
        if n_households != self.fleet.n_households:
            raise ScenarioError(
                f"Rollout: days of {n_households} households, expected the fleet's "
                f"{self.fleet.n_households}. Sample days of the same population."
            )
        vehicles = days.plugged_in
        if vehicles is not None and vehicles.shape[-1] != self.fleet.n_agents:
            raise ScenarioError(
                f"Rollout: `plugged_in` of {vehicles.shape[-1]} agents, expected one column for "
                f"each of the fleet's {self.fleet.n_agents} agents, whatever their kind."
            )
        if vehicles is None and "ev_charger" in self.fleet.kinds:
            raise ScenarioError(
                "Rollout: the fleet has vehicles and the days have no `plugged_in`, `trip_kwh` and "
                "`departure_h`. Sample days of the same population."
            )
        return days
