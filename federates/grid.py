"""The grid federate: household powers in, OpenDSS solution out."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from federates.component import Component, Ids, Inbox, Schedule, Stage, StageResult
from federates.config import GridSettings
from federates.population_files import read_placement
from federates.topics import (
    CONNECTION_VOLTAGES,
    HEAD_POWER,
    LOADINGS,
    LOSSES,
    POWERS_IMAG,
    POWERS_REAL,
    STATUS,
    STATUS_IDS,
    TAPS,
    VOLTAGES,
    Port,
    Values,
)
from gradmap.errors import ConvergenceError, FederationError
from opendss_models.engine import Engine, EngineSettings, SolveOutcome, SolveStatus
from opendss_models.feeders import feeder_path

LOG = logging.getLogger(__name__)

# Regulators still hunting leave a network solution; the other failures leave none to believe.
USABLE = (SolveStatus.OK, SolveStatus.CONTROL_LIMIT)
HEAD_IDS: Ids = ("p_kw_1", "p_kw_2", "p_kw_3", "q_kvar_1", "q_kvar_2", "q_kvar_3")


def open_engine(settings: GridSettings) -> Engine:
    """Compile and check a feeder. FeederError names the element at fault."""
    return Engine(
        feeder_path(settings.feeder),
        settings=EngineSettings(
            regulators=settings.regulators,
            tolerance=settings.tolerance,
            source_v_pu=settings.source_v_pu,
            trust=settings.trust,
        ),
    )


class Grid(Component):
    """Solves the feeder once per step, or repeatedly in coupling `iterate`."""

    stages = (Stage.SOLVE,)
    inputs = (POWERS_REAL, POWERS_IMAG)

    def __init__(self, settings: GridSettings, *, schedule: Schedule) -> None:
        self._settings = settings
        self._iterate = schedule.mode == "iterate"
        self._max_repeats = schedule.max_iterations
        self._engine = open_engine(settings)
        self._engine.attach_households()
        self._connection_ids = tuple(c.connection_id for c in self._engine.connections)
        self._placement = (
            read_placement(settings.households_file) if settings.households_file else None
        )
        self._index = {port.name: np.arange(len(self._connection_ids)) for port in self.inputs}
        self._solved: dict[Port, Values] = {}
        self._tap_state = self._engine.control_state()

    def output_ids(self) -> Mapping[Port, Ids]:
        """Ids of nodes, connections, regulators and branches."""
        return {
            VOLTAGES: self._engine.node_ids,
            CONNECTION_VOLTAGES: self._connection_ids,
            HEAD_POWER: HEAD_IDS,
            LOSSES: ("p_kw", "q_kvar"),
            TAPS: self._engine.regulator_ids,
            LOADINGS: self._engine.branch_ids,
            STATUS: STATUS_IDS,
        }

    def expected_ids(self, port: Port) -> Ids | None:
        """A foreign publisher without ids is taken to speak in the order of our inputs."""
        return self._connection_ids if self._placement is None else tuple(self._placement)

    def bind(self, input_ids: Mapping[str, Ids]) -> None:
        """Map each incoming power to its load connection."""
        position = {name: index for index, name in enumerate(self._connection_ids)}
        for port in self.inputs:
            ids = input_ids.get(port.name)
            if ids is None and port is POWERS_IMAG:
                continue  # nobody sends reactive power: the homes have unity power factor
            if ids is None:
                raise FederationError(
                    f"The grid has no subscription for {port.name!r}, expected at least one "
                    f"topic. Add it under `subscriptions`."
                )
            targets = ids if self._placement is None else self._connections_of(ids)
            unknown = [name for name in targets if name not in position]
            if unknown:
                raise FederationError(
                    f"Load connection {unknown[0]!r} of {port.name!r} is not on feeder "
                    f"{self._settings.feeder!r}; it has, for example, {self._connection_ids[:3]}."
                )
            self._index[port.name] = np.array([position[name] for name in targets])

    def _connections_of(self, household_ids: Ids) -> Ids:
        placement = self._placement or {}
        missing = [name for name in household_ids if name not in placement]
        if missing:
            raise FederationError(
                f"Household {missing[0]!r} is not in {self._settings.households_file}; "
                f"all federates must read the same households.csv."
            )
        return tuple(placement[name] for name in household_ids)

    def restart(self) -> None:
        """Forget the steps so far: controls go back to where compiling the feeder left them."""
        self._engine.reset_taps()
        self._tap_state = self._engine.control_state()
        self._solved = {}

    def run_stage(self, stage: Stage, *, step: int, repeat: int, inbox: Inbox) -> StageResult:
        """Apply the powers, solve, and say whether the step is settled."""
        self._engine.set_connection_power(
            p_kw=self._by_connection(POWERS_REAL, inbox),
            q_kvar=self._by_connection(POWERS_IMAG, inbox),
        )
        if repeat == 0:
            self._tap_state = self._engine.control_state()
        else:  # every repeat starts from the taps that the step started with
            self._engine.restore_control_state(self._tap_state)
        before = self._solved.get(CONNECTION_VOLTAGES)
        outcome = self._engine.solve()
        self._accept(outcome, step=step)
        close = before is not None and self._moved_pu(before) < self._settings.settle_tolerance_pu
        settled = not self._iterate or (close and repeat > 0)
        last = repeat + 1 == self._max_repeats
        code = outcome.status
        if last and not settled and code is SolveStatus.OK:
            code = SolveStatus.NOT_SETTLED
        status = np.array(
            [
                code,
                outcome.n_iterations,
                outcome.n_control_iterations,
                settled or last,
                repeat + 1,
            ],
            dtype=np.float64,
        )
        return StageResult(outputs={**self._solved, STATUS: status}, again=not (settled or last))

    def _by_connection(self, port: Port, inbox: Inbox) -> Values:
        """Sum the powers of the households at each connection."""
        values = inbox.get(port)
        n_connections = len(self._connection_ids)
        if values is None:
            return np.zeros(n_connections)
        summed = np.bincount(self._index[port.name], weights=values, minlength=n_connections)
        return summed.astype(np.float64, copy=False)

    def _moved_pu(self, before: Values) -> float:
        return float(np.abs(self._solved[CONNECTION_VOLTAGES] - before).max(initial=0.0))

    def _accept(self, outcome: SolveOutcome, *, step: int) -> None:
        """Read the solution, or keep the last one if this step did not solve."""
        if outcome.status in USABLE:
            self._solved = self._read()
        if outcome.status is SolveStatus.OK:
            return
        message = f"step {step}: {outcome.status.name}: {outcome.message}"
        if self._settings.on_failure == "fail" or not self._solved:
            advice = (
                "Reduce the load; `feeder.on_failure: hold` has no earlier voltages to hold."
                if self._settings.on_failure == "hold"
                else "Reduce the load, or set `feeder.on_failure: hold` to go on with the last "
                "voltages."
            )
            raise ConvergenceError(
                f"Feeder {self._settings.feeder!r} did not solve at {message} {advice}"
            )
        LOG.warning("%s", message)

    def _read(self) -> dict[Port, Values]:
        engine = self._engine
        p_kw, q_kvar = engine.head_power()
        return {
            VOLTAGES: np.abs(engine.node_v_pu()),
            CONNECTION_VOLTAGES: engine.connection_v_pu(),
            HEAD_POWER: np.concatenate([p_kw, q_kvar]),
            LOSSES: np.array(engine.losses()),
            TAPS: engine.taps().astype(np.float64),
            LOADINGS: engine.loading(),
        }
