"""OpenDSS driven in its fastest ways: the snapshots lie in load shapes inside the engine.

- `stepped`: set the hour, mark the loads for update, `SolveNoControl`, copy the voltages from the
  engine's own memory. It leaves out what `Solve` does around a step in yearly mode; the voltages
  are the same to the last bit.
- `yearly`: `Solve` in yearly mode with `number=1`, the documented way, reading in three ways.
- `unread`: one `Solve` of all hours without reading anything.
- `plain`: what most users write: `Loads.First/Next`, `kW`, `kvar`, `Solve`, `AllBusVolts`.

Controls are off and taps stay where the task has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from gradmap.feeder import ComplexArray, Feeder, FloatArray
from scenarios.benchmarks.power_flow.task import Task, bundled_engine
from scenarios.benchmarks.power_flow.timing import Contender, Outcome

TOOL = "OpenDSS"
STEPPED, YEARLY, UNREAD, PLAIN = "stepped", "yearly", "unread", "plain"
LADDER = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10)
"""Tolerances of the fastest way, to find the cheapest one of a given true error. [pu]"""
TOLERANCES = (1e-4, 1e-6, 1e-10)
MEMORY, NODE_LIST, BUS_LIST = "memory", "YNodeVArray", "AllBusVolts"
"""How voltages are read: copied from the engine's memory, or as a list."""
_CONTROL_OFF = -1


class ShapedEngine:
    """An engine with one yearly load shape per load."""

    def __init__(
        self, *, feeder: Feeder, elements: Sequence[str], multiplier: FloatArray, shaped: bool
    ) -> None:
        """Compile the feeder.

        Args:
            feeder: For the node order and bases.
            elements: `load.<name>` of every load.
            multiplier: [snapshot, load].
            shaped: Give the loads their shapes; otherwise they are for setting one by one.
        """
        self._dss = bundled_engine().context
        self._n = len(multiplier)
        self._base_v = 1e3 * feeder.nodes.kv_base
        self._node_ids = feeder.nodes.node_ids
        names = [name.removeprefix("load.") for name in elements]
        if shaped:
            for k, name in enumerate(names):
                self._shape(name, multiplier[:, k])
        order = [name.lower() for name in self._dss.Loads.AllNames()]
        nominal = np.array([self._nominal(name) for name in order])
        column = [names.index(name) for name in order]
        self._powers = multiplier[:, column, None] * nominal
        self.prepare(kind=YEARLY, tolerance_pu=1e-6)
        self._dss.Solution.Solve()
        # A view of the engine's own voltages, ground first, which stays where it is until the
        # circuit changes: reading it costs 0.3 us, a list of 556 numbers 20 us.
        size = 16 * (len(self._node_ids) + 1)
        pointer = self._dss.YMatrix.VVector()
        self._memory = np.frombuffer(self._dss._api_util.ffi.buffer(pointer, size))[2:]
        y_order = [name.lower() for name in self._dss.Circuit.YNodeOrder()]
        by_bus = [name.lower() for name in self._dss.Circuit.AllNodeNames()]
        self._columns = {
            order_name: np.array([order.index(name) for name in self._node_ids], dtype=np.intp)
            for order_name, order in (("y", y_order), ("bus", by_bus))
        }
        self._order = "y"
        self._volts = np.zeros((self._n, 2 * len(self._node_ids)))

    def _shape(self, load: str, multiplier: FloatArray) -> None:
        """Give a load its own shape, one point an hour."""
        name = f"bench_{load}"
        shapes = self._dss.LoadShape
        shapes.New(name)
        shapes.Name(name)
        shapes.Npts(self._n)
        shapes.HrInterval(1.0)
        shapes.PMult(np.ascontiguousarray(multiplier))
        self._dss.Text.Command(f"load.{load}.yearly={name} status=variable")

    def _nominal(self, load: str) -> tuple[float, float]:
        self._dss.Loads.Name(load)
        return self._dss.Loads.kW(), self._dss.Loads.kvar()

    @property
    def version(self) -> str:
        """The engine's version text."""
        return str(self._dss.Basic.Version()).splitlines()[0]

    def prepare(self, *, kind: str, tolerance_pu: float) -> None:
        """Go back to the first hour."""
        mode = "snapshot" if kind == PLAIN else "yearly"
        number = self._n if kind == UNREAD else 1
        self._dss.Text.Command(f"set mode={mode} stepsize=1h number={number} hour=0 sec=0")
        self._dss.Solution.ControlMode(_CONTROL_OFF)
        self._dss.Solution.Convergence(tolerance_pu)

    def run(self, *, kind: str, reading: str = MEMORY) -> None:
        """Solve all snapshots and keep their voltages."""
        self._order = "bus" if reading == BUS_LIST else "y"
        if kind == UNREAD:
            self._dss.Solution.Solve()
        elif kind == STEPPED:
            self._stepped()
        elif kind == PLAIN:
            self._plain()
        else:
            self._yearly(self._reader(reading))

    def _stepped(self) -> None:
        solution, y_matrix, volts, memory = (
            self._dss.Solution,
            self._dss.YMatrix,
            self._volts,
            self._memory,
        )
        for k in range(self._n):
            solution.DblHour(k + 1.0)
            y_matrix.LoadsNeedUpdating(True)
            solution.SolveNoControl()
            volts[k] = memory

    def _yearly(self, read: Callable[[], FloatArray]) -> None:
        solve, volts = self._dss.Solution.Solve, self._volts
        for k in range(self._n):
            solve()
            volts[k] = read()

    def _reader(self, reading: str) -> Callable[[], FloatArray]:
        if reading == MEMORY:
            return lambda: self._memory
        circuit = self._dss.Circuit
        read: Callable[[], FloatArray] = (
            circuit.YNodeVArray if reading == NODE_LIST else circuit.AllBusVolts
        )
        return read

    def _plain(self) -> None:
        loads, volts = self._dss.Loads, self._volts
        for k, powers in enumerate(self._powers.tolist()):
            row = 0
            more = loads.First()
            while more:
                kw, kvar = powers[row]
                loads.kW(kw)
                loads.kvar(kvar)
                more = loads.Next()
                row += 1
            self._dss.Solution.Solve()
            volts[k] = self._dss.Circuit.AllBusVolts()

    def node_v_pu(self) -> ComplexArray:
        """Return the last run's voltages in the order of the feeder. [pu]"""
        v: ComplexArray = self._volts.view(np.complex128)[:, self._columns[self._order]]
        return v / self._base_v


def shaped_engine(task: Task, *, shaped: bool = True) -> ShapedEngine:
    """Return an engine for the task."""
    return ShapedEngine(
        feeder=task.feeder, elements=task.elements, multiplier=task.multiplier, shaped=shaped
    )


def opendss_contenders(
    task: Task, *, engine: ShapedEngine, plain: ShapedEngine
) -> Iterator[Contender]:
    """Yield all ways and tolerances.

    Args:
        task: The snapshots.
        engine: With load shapes.
        plain: Without.
    """
    for tolerance in LADDER:
        yield _contender(engine, kind=STEPPED, tolerance_pu=tolerance)
    for tolerance in TOLERANCES:
        yield _contender(engine, kind=YEARLY, tolerance_pu=tolerance)
    for reading in (NODE_LIST, BUS_LIST):
        yield _contender(engine, kind=YEARLY, tolerance_pu=1e-6, reading=reading)
    for tolerance in TOLERANCES:
        yield _contender(engine, kind=UNREAD, tolerance_pu=tolerance)
    for tolerance in TOLERANCES:
        yield _contender(plain, kind=PLAIN, tolerance_pu=tolerance, reading=BUS_LIST)


def _contender(
    engine: ShapedEngine, *, kind: str, tolerance_pu: float, reading: str = MEMORY
) -> Contender:
    def outcome() -> Outcome:
        return Outcome(node_v_pu=None if kind == UNREAD else engine.node_v_pu())

    return Contender(
        tool=TOOL,
        kind=kind,
        tolerance_pu=tolerance_pu,
        prepare=lambda: engine.prepare(kind=kind, tolerance_pu=tolerance_pu),
        run=lambda: engine.run(kind=kind, reading=reading),
        outcome=outcome,
        note="not read" if kind == UNREAD else f"read by {reading}",
    )
