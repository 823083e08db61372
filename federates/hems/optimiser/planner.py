"""From a home and a forecast to its schedule: build or change the program, solve, fall back."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from federates.hems.optimiser.checks import FloatArray
from federates.hems.optimiser.evaluate import Evaluation, evaluate
from federates.hems.optimiser.forecast import Forecast
from federates.hems.optimiser.home_model import PV, Home
from federates.hems.optimiser.problem import Places, Program, build
from federates.hems.optimiser.rules import rule_based
from federates.hems.optimiser.schedule import FALLBACK, OPTIMISED, Schedule
from federates.hems.optimiser.solver import OPTIMAL, Solution, Solver, SolverSettings
from federates.hems.optimiser.state import State, check_state, initial_state
from federates.hems.optimiser.tidy import tidied
from federates.hems.optimiser.weights import Weights
from gradmap.errors import ScenarioError

EXCESS = 1e-6
"""A plan whose powers cost more than the program said, by this share, is searched again. [-]"""


def powers(
    home: Home, forecast: Forecast, *, state: State, places: Places, values: FloatArray
) -> dict[str, FloatArray]:
    """Return the power of each device, load convention, [step], without the solver's rounding.

    A store that charges and discharges at once is given the single power with the same effect on
    what is stored. Where waste does not pay that is the better plan, see `problem`.
    """
    n = forecast.n_steps
    found: dict[str, FloatArray] = {}
    for device in home.electric:
        drawn, given = places.pairs[device.name]
        net = device.eta_charge * values[drawn]
        if given.size:
            net = net - values[given] / device.eta_discharge
        charge_kw, discharge_kw = net / device.eta_charge, net * device.eta_discharge
        found[device.name] = np.where(net >= 0.0, charge_kw, discharge_kw)
    for name, columns in places.heating.items():
        found[name] = np.maximum(values[columns], 0.0)
    for generator in home.generators:
        on, pieces = places.generators[generator.name]
        output_kw = generator.p_min_kw * values[on] + values[pieces].sum(axis=0)
        if generator.can_stop and generator.p_min_kw > 0.0:
            runs = values[on] > 0.5
            output_kw = np.where(runs, np.maximum(output_kw, generator.p_min_kw), 0.0)
        found[generator.name] = -np.maximum(output_kw, 0.0)
    for appliance in home.appliances:
        length = 1 if appliance.interruptible else appliance.duration
        begins = np.flatnonzero(values[places.appliances[appliance.name]] > 0.5)
        on_mask = np.zeros(n)
        on_mask[: state.running.get(appliance.name, 0)] = 1.0
        for begin in begins.tolist():
            on_mask[begin : begin + length] = 1.0
        found[appliance.name] = appliance.power_kw * on_mask
    if places.pv is not None:
        found[PV] = -np.clip(values[places.pv], 0.0, forecast.pv_available_kw)
    return found


class Scheduler:
    """Plans one household; HiGHS and its program stay between plans and change where they differ.

    Not for use by several threads at once.
    """

    def __init__(self, *, settings: SolverSettings | None = None) -> None:
        """Start HiGHS.

        Args:
            settings: Gap and time limit.

        Raises:
            MissingExtraError: highspy is not installed.
        """
        self.settings = settings or SolverSettings()
        self._solver = Solver(self.settings)

    def plan(
        self,
        home: Home,
        forecast: Forecast,
        *,
        state: State | None = None,
        weights: Weights | None = None,
    ) -> Schedule:
        """Return the cheapest plan; rules make it if the solver finds none.

        Args:
            home: Devices and wishes.
            forecast: Prices, weather, base load and sun.
            state: Where it begins; the devices' initial values if left out.
            weights: Costs of this home's broken wishes; the usual ones if left out.

        Raises:
            ScenarioError: Series differ in length, or a store has no state.
        """
        began = time.perf_counter()
        state, weights = state or initial_state(home), weights or Weights()
        check_state(home, state)
        home.check_steps(forecast.n_steps)
        solution, result = self._search(
            home, forecast, state=state, weights=weights, all_modes=False
        )
        if result is not None and _costs_more(result, solution, forecast):
            solution, result = self._search(
                home, forecast, state=state, weights=weights, all_modes=True
            )
        why = None if result is not None else f"the solver found no plan ({solution.status})"
        if result is None or solution.status != OPTIMAL:
            p_kw = rule_based(home, forecast, state=state)
            rules = evaluate(home, forecast, p_kw, state=state, weights=weights)
            if result is None or rules.objective < result.objective:
                why = why or f"rules are cheaper than the best plan found ({solution.status})"
                result = rules
        return Schedule(
            result=result,
            source=OPTIMISED if why is None else FALLBACK + why,
            status=solution.status,
            gap=solution.gap if why is None else float("nan"),
            seconds=time.perf_counter() - began,
        )

    def _search(
        self, home: Home, forecast: Forecast, *, state: State, weights: Weights, all_modes: bool
    ) -> tuple[Solution, Evaluation | None]:
        """Solve once, and evaluate what comes out."""
        price = forecast.reference_price_per_kwh
        program = build(
            home,
            forecast,
            state=state,
            penalties=weights.penalties(price),
            all_modes=all_modes,
        )
        self._solver.load(program.arrays)
        # 1 kWh at the largest price is the scale of a plan whose cost is near zero.
        solution = self._solver.solve(gap_abs=self.settings.mip_rel_gap * price)
        if solution.values is None:
            return solution, None
        result, refused = None, ""
        for values in (*self._tidied(program, solution, forecast), solution.values):
            p_kw = powers(home, forecast, state=state, places=program.places, values=values)
            try:
                result = evaluate(home, forecast, p_kw, state=state, weights=weights)
            except ScenarioError as exc:  # a solver's answer beyond its own tolerance
                refused = f"unusable answer: {exc}"
                continue
            if not _costs_more(result, solution, forecast):
                break
        return (solution if result else replace(solution, status=refused)), result

    def _tidied(
        self, program: Program, solution: Solution, forecast: Forecast
    ) -> tuple[FloatArray, ...]:
        """Return the values of an equally good and tidier plan, if that is asked for and found."""
        if not self.settings.tidy or solution.values is None:
            return ()
        most = solution.objective + 0.5 * EXCESS * _scale(solution, forecast)
        self._solver.load(tidied(program, solution.values, most=most, dt_h=forecast.dt_h))
        found = self._solver.solve(gap_abs=0.0)
        if found.values is None or found.status != OPTIMAL:
            return ()
        return (found.values[: len(solution.values)],)


def _costs_more(result: Evaluation, solution: Solution, forecast: Forecast) -> bool:
    """Return whether powers cost more than the program said, as waste that pays would."""
    return result.objective - solution.objective > EXCESS * _scale(solution, forecast)


def _scale(solution: Solution, forecast: Forecast) -> float:
    return max(abs(solution.objective), forecast.reference_price_per_kwh)
