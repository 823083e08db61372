"""The centralised optimum of a day: one planner who knows everything, with perfect foresight.

    optimal = optimise_day(fleet, homes, flow, days, limits=Limits())

Minimises the fleet's controllable cost (`gradmap.costs`) over all agents' powers, subject to the
devices, the comfort band and the AC limits of the network at every step. Successive convex
programming: around the last trajectory, voltages and currents are linear with the exact
sensitivities of the power flow; the convex program (`optimum.interior_point`) holds only the rows
that matter; its solution goes through the devices and the exact power flow and is linearised there,
until nothing moves. A proximal term keeps it from jumping between equally cheap trajectories;
`optimum.step_control` sets its weight and refuses steps on which the linearisation fails. Where
regulators act their taps are held after a few steps (`optimum.replays`); in the end they act again,
and a trajectory counts only if it keeps the limits then.

**What the result certifies.** It is feasible: devices and exact power flow say so. `bound` is a
lower bound of the last convex program, whatever its solver did (weak duality), so `gap` measures
how far the trajectory is from optimal *within the linearisation around itself*: a first-order
certificate. Overvoltage limits are not convex, so it proves nothing about distant points; another
`start_kw` or the HiGHS check (`optimum.highs`) add evidence. `unconstrained_bound` is a lower bound
of every controller's cost.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field, replace

import numpy as np

from gradmap.baselines.optimum.interior_point import Optimum, SolverLimits, solve
from gradmap.baselines.optimum.limits import NetworkLimits, RowSettings
from gradmap.baselines.optimum.model import DayModel, build_model
from gradmap.baselines.optimum.program import Program
from gradmap.baselines.optimum.replays import Replays
from gradmap.baselines.optimum.results import Iteration, OptimalDay
from gradmap.baselines.optimum.rows import NetworkRows, no_rows
from gradmap.baselines.optimum.step_control import StepControl, stays_outside
from gradmap.costs import trajectory_cost
from gradmap.days import Days
from gradmap.devices.fleet import Fleet
from gradmap.feeder import FloatArray
from gradmap.homes import Homes
from gradmap.power_flow.solver import PowerFlow
from gradmap.rollout import Rollout, Trajectory
from gradmap.violations import Limits

BOTH_KW = 1e-3
"""Charging and discharging at once counts from here. [kW]"""


@dataclass(frozen=True, kw_only=True)
class OptimumSettings:
    """How the optimum is sought; a unit is 0.01 pu of voltage or 1 % of a rating."""

    with_loading: bool = False
    """Whether loadings of lines and transformers are limited too."""
    penalty: float = 50.0
    """Price of exceeding one limit at one step by a unit; an infeasible day pays it. [cur/unit]"""
    tolerance: float = 2e-4
    """Largest violation of an optimum. [unit]"""
    gap: float = 2e-5
    """Largest relative distance to the last program's lower bound. [-]"""
    proximal: float = 1e-3
    """Price of leaving the last iterate at first, see `Program`. [1/kW]"""
    max_iterations: int = 20
    taps_follow: int = 3
    """Programs after which acting regulators' taps are held. [-]"""
    near: float = 0.05
    """Below this violation the next program is taken for a small change of the last. [unit]"""
    rows: RowSettings = field(default_factory=RowSettings)
    rough: SolverLimits = field(default_factory=lambda: SolverLimits(tolerance=1e-6))
    """For programs whose linearisation is still far."""
    fine: SolverLimits = field(default_factory=SolverLimits)

    @property
    def key(self) -> str:
        """Return a short hash of all settings, for `OptimumStore.key` beside the case's own."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


def optimise_day(
    fleet: Fleet,
    homes: Homes,
    flow: PowerFlow,
    days: Days,
    *,
    limits: Limits,
    network: bool = True,
    start_kw: FloatArray | None = None,
    control_regulators: bool = False,
    settings: OptimumSettings | None = None,
) -> OptimalDay:
    """Return the optimum of one day.

    Args:
        fleet: The devices, float64, at most one in a household.
        homes: Where the households sit.
        flow: Power flow on `feeder.with_households()`, float64.
        days: One day.
        limits: Of the network.
        network: Whether they count; without, every household is optimal by itself.
        start_kw: Powers to linearise at first, [time, agent]; the unconstrained optimum if left
            out. [kW]
        control_regulators: Regulators act on the result. Programs take their taps from an earlier
            trajectory.
        settings: How.

    Raises:
        ScenarioError: What `optimum.model.build_model` refuses.
    """
    rollout = Rollout(fleet=fleet, homes=homes, flow=flow, control_regulators=control_regulators)
    model = build_model(fleet, days=days, connection_index=homes.connection_index)
    search = _Search(rollout, model, days, limits=limits, settings=settings or OptimumSettings())
    return search.run(network=network, start_kw=start_kw)


class _Search:
    """Successive convex programming for one day."""

    def __init__(
        self,
        rollout: Rollout,
        model: DayModel,
        days: Days,
        *,
        limits: Limits,
        settings: OptimumSettings,
    ) -> None:
        self.settings = settings
        self._rollout, self._model = rollout, model
        self._replays = Replays(rollout=rollout, days=days)
        self._limits = NetworkLimits(
            rollout.flow.feeder,
            limits=limits,
            with_loading=settings.with_loading,
            settings=settings.rows,
        )
        self._control = StepControl(
            proximal=settings.proximal,
            tolerance=settings.tolerance,
            gap=settings.gap,
            near=settings.near,
        )
        self._iterations: list[Iteration] = []
        self._n_tap_changes = 0
        self._plus_off = np.zeros(model.plus_max.shape, dtype=bool)
        self._minus_off = self._plus_off.copy()

    def run(self, *, network: bool, start_kw: FloatArray | None) -> OptimalDay:
        """Return the optimum, with or without the network."""
        began = time.perf_counter()
        nothing = no_rows(len(self._rollout.flow.feeder.connections))
        free = solve(
            Program(self._model, nothing, penalty=self.settings.penalty), limits=self.settings.fine
        )
        unconstrained = self._replays.acting(free.p_kw)
        free_excess = self._limits.excess(unconstrained)
        trajectory = unconstrained
        bound = free_bound = free.bound - self._model.uncontrolled_bill
        status = "optimal" if free.solved else "not_converged"
        if network and free_excess.max() > self.settings.tolerance:
            first = unconstrained if start_kw is None else self._replays.acting(start_kw)
            trajectory, status = self._iterate(first, free)
            bound = self._taken[-1].bound if self._taken else free_bound
        excess = self._limits.excess(trajectory)
        step, candidate = np.unravel_index(int(excess.argmax()), excess.shape)
        return OptimalDay(
            p_kw=trajectory.p_kw[0].cpu().numpy(),
            cost=self._cost(trajectory),
            bound=bound,
            unconstrained_cost=self._cost(unconstrained),
            unconstrained_bound=free_bound,
            max_violation_pu=self._limits.worst_voltage_pu(excess),
            max_violation=float(excess.max()),
            unconstrained_violation_pu=self._limits.worst_voltage_pu(free_excess),
            worst=f"{self._limits.names[candidate]}, step {step}",
            n_held=int((self._plus_off | self._minus_off).sum()),
            n_tap_changes=self._n_tap_changes,
            iterations=tuple(self._iterations),
            seconds=time.perf_counter() - began,
            status=status,
        )

    def _iterate(self, trajectory: Trajectory, found: Optimum) -> tuple[Trajectory, str]:
        """Linearise and solve until nothing moves."""
        settings, keys = self.settings, np.zeros(0, dtype=np.int64)
        centre, central, warm, near = found, found.central, found.central, False
        for number in range(settings.max_iterations):
            began = time.perf_counter()
            if number == settings.taps_follow:
                self._replays.hold_taps(trajectory)
            excess = self._limits.excess(trajectory)
            keys = np.union1d(keys, self._limits.keys(excess))
            rows = self._limits.rows(trajectory, keys, model=self._model)
            program = self._program(rows, centre)
            found = solve(program, limits=settings.fine if near else settings.rough, start=warm)
            trial = self._replays.of(found.p_kw)
            last = self._record(trial, rows, found, began=began)
            taken = self._takes(last, before=float(excess.ravel()[rows.key].max()))
            near = taken and last.violation < settings.near + last.give
            warm = found.warm if near else central
            burning = self._hold(found)
            if not taken:
                continue
            trajectory, centre = trial, found
            if burning:
                continue
            if last.violation <= settings.tolerance and last.gap <= settings.gap:
                trajectory = self._replays.really(trajectory)
                if self._limits.excess(trajectory).max() <= settings.tolerance:
                    return trajectory, "optimal"
                self._replays.hold_taps(trajectory)
                self._n_tap_changes += 1
            if stays_outside(self._taken):
                return self._replays.really(trajectory), "infeasible"
        return self._replays.really(trajectory), "not_converged"

    @property
    def _taken(self) -> list[Iteration]:
        return [iteration for iteration in self._iterations if iteration.taken]

    def _takes(self, last: Iteration, *, before: float) -> bool:
        """Return whether to go on from the last step, and say so in its record."""
        # Taps that act jump, and no shorter step helps.
        if self._rollout.control_regulators and not self._replays.taps_held:
            return True
        taken = self._control.takes(last, before=before)
        self._iterations[-1] = replace(last, taken=taken)
        return taken

    def _program(self, rows: NetworkRows, last: Optimum) -> Program:
        return Program(
            self._model,
            rows,
            penalty=self.settings.penalty,
            plus_off=self._plus_off,
            minus_off=self._minus_off,
            centre=(last.plus, last.minus),
            proximal=self._control.proximal,
        )

    def _record(
        self, trajectory: Trajectory, rows: NetworkRows, found: Optimum, *, began: float
    ) -> Iteration:
        """Return what an iteration brought, and keep it."""
        back_off = self.settings.rows.back_off
        linear = rows.values(self._model, found.p_kw) - rows.limit - back_off
        excess = self._limits.excess(trajectory)
        exact = excess.ravel()[rows.key]
        give = float(found.give.max())
        self._iterations.append(
            Iteration(
                cost=self._cost(trajectory),
                # A day that pays the penalty is compared without it.
                bound=found.bound
                - self._model.uncontrolled_bill
                - self.settings.penalty * float(np.maximum(found.give, 0.0).sum()),
                violation=float(excess.max()),
                surprise=float(np.abs(exact - linear).max()),
                overshoot=float((exact - np.maximum(found.give, 0.0)).max()),
                n_rows=len(rows),
                n_steps=found.n_iterations,
                give=give,
                largest_dual=float(found.duals.max()),
                both_kw=float(np.minimum(found.plus, found.minus).max()),
                proximal=self._control.proximal,
                seconds=time.perf_counter() - began,
            )
        )
        return self._iterations[-1]

    def _hold(self, found: Optimum) -> bool:
        """Hold the smaller of charging and discharging where both are used; return whether any."""
        both = np.minimum(found.plus, found.minus) > BOTH_KW
        self._plus_off |= both & (found.plus < found.minus)
        self._minus_off |= both & (found.plus >= found.minus)
        return bool(both.any())

    def _cost(self, trajectory: Trajectory) -> float:
        return float(trajectory_cost(self._rollout.fleet, trajectory).total.sum())
