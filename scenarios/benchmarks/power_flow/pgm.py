"""power-grid-model's asymmetric batch on a network of about the same size.

It cannot solve the IEEE 123: `asym_load` sits between phase and neutral (no delta), `asym_line` has
all three phases, and there is no regulator or single-phase transformer. So it gets a radial network
of 93 three-phase buses (279 phase voltages against our 278), lines of the IEEE 123's main conductor
and its 91 loads, each on one phase of a bus of its own, with their models (constant power, current,
impedance; no voltage limits). Times are comparable in scale only; its error is its own, against
its own Newton solution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradmap.errors import MissingExtraError
from gradmap.feeder import ComplexArray
from scenarios.benchmarks.power_flow.task import Task
from scenarios.benchmarks.power_flow.timing import Contender, Outcome

TOOL = "power-grid-model"
TOLERANCES = (1e-4, 1e-6, 1e-10)
METHOD, EXACT_METHOD = "iterative_current", "newton_raphson"
N_BUSES = 93
MAIN_LINE = "line.l3"
"""A section of the main conductor: 300 ft of line code 1."""
_REACH = 12
"""A bus hangs on one of so many buses before it."""
_LOAD_TYPES = {1: 0, 2: 1, 5: 2}
"""OpenDSS's load models to constant power, impedance and current."""
_KV = 4.16
_SEED = 5


def import_pgm() -> Any:
    """Return the module.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import power_grid_model  # noqa: PLC0415  an extra, and slow to import
    except ImportError as exc:
        raise MissingExtraError(
            "power-grid-model is not installed, so its rows are left out. Install it with "
            "`pip install gradmap[peers]`."
        ) from exc
    return power_grid_model


def pgm_contenders(task: Task) -> Iterator[Contender]:
    """Yield one contender per tolerance."""
    network = PgmNetwork(import_pgm(), task)
    for tolerance_pu in TOLERANCES:
        yield _contender(network, tolerance_pu)


def _contender(network: PgmNetwork, tolerance_pu: float) -> Contender:
    def run() -> None:
        network.solve(method=METHOD, tolerance_pu=tolerance_pu)

    error_pu: Callable[[], float] = network.error_pu
    return Contender(
        tool=TOOL,
        kind=METHOD,
        tolerance_pu=tolerance_pu,
        prepare=network.forget,
        run=run,
        outcome=Outcome,
        note="own network",
        error_pu=error_pu,
    )


class PgmNetwork:
    """The network, its batch of updates and the last voltages."""

    def __init__(self, pgm: Any, task: Task) -> None:
        """Build the model."""
        self._pgm = pgm
        rows = _first_rows(task)
        phase = _phases(task, rows)
        nodes = self._array("node", N_BUSES)
        nodes["id"] = np.arange(N_BUSES)
        nodes["u_rated"] = 1e3 * _KV
        source = self._array("source", 1)
        source["id"], source["node"], source["status"] = 1000, 0, 1
        source["u_ref"], source["sk"] = 1.0, 1e9
        loads = self._array("asym_load", len(rows))
        loads["id"] = 2000 + np.arange(len(rows))
        loads["node"] = 1 + np.arange(len(rows)) % (N_BUSES - 1)
        loads["status"] = 1
        loads["type"] = [_LOAD_TYPES[int(m)] for m in task.feeder.connections.model[rows]]
        loads["p_specified"], loads["q_specified"] = 0.0, 0.0
        data = {"node": nodes, "source": source, "asym_load": loads, "asym_line": self._lines(task)}
        self._model = pgm.PowerGridModel(data)
        self._update = self._batch(task, rows, phase, ids=loads["id"])
        self._result: NDArray[Any] | None = None
        self.solve(method=EXACT_METHOD, tolerance_pu=1e-12)
        self._exact = self._voltages()

    def _array(self, component: str, n: int) -> NDArray[Any]:
        array: NDArray[Any] = self._pgm.initialize_array("input", component, n)
        return array

    def _lines(self, task: Task) -> NDArray[Any]:
        """Return a random tree of main-conductor sections."""
        branch = next(b for b in task.feeder.branches if b.branch_id == MAIN_LINE)
        lines = self._array("asym_line", N_BUSES - 1)
        lines["id"] = 3000 + np.arange(N_BUSES - 1)
        generator = np.random.default_rng(_SEED)
        to = range(1, N_BUSES)
        lines["from_node"] = [int(generator.integers(max(0, k - _REACH), k)) for k in to]
        lines["to_node"] = to
        lines["from_status"], lines["to_status"] = 1, 1
        for i, first in enumerate("abc"):
            for j, second in enumerate("abc"[: i + 1]):
                z = branch.z_series_ohm[i, j]
                lines[f"r_{first}{second}"] = z.real
                lines[f"x_{first}{second}"] = z.imag
        lines["c0"], lines["c1"] = 1e-10, 1e-10
        lines["i_n"] = 400.0
        return lines

    def _batch(
        self, task: Task, rows: NDArray[np.intp], phase: NDArray[np.intp], *, ids: NDArray[Any]
    ) -> dict[str, NDArray[Any]]:
        """Return powers of every load and snapshot: its element's total on one phase."""
        shape = (len(task), len(rows))
        update: NDArray[Any] = self._pgm.initialize_array("update", "asym_load", shape)
        update["id"] = ids
        where = np.arange(len(rows)), phase
        for name, values in (("p_specified", task.p_kw), ("q_specified", task.q_kvar)):
            power = np.zeros((*shape, 3))
            power[:, where[0], where[1]] = 1e3 * values[:, rows]
            update[name] = power
        return {"asym_load": update}

    def forget(self) -> None:
        """Drop the last results."""
        self._result = None

    def solve(self, *, method: str, tolerance_pu: float) -> None:
        """Solve all snapshots on this thread."""
        output = self._model.calculate_power_flow(
            symmetric=False,
            calculation_method=method,
            error_tolerance=tolerance_pu,
            max_iterations=100,
            update_data=self._update,
            threading=-1,
            output_component_types={"node": ["u_pu", "u_angle"]},
        )
        self._result = output["node"]

    def _voltages(self) -> ComplexArray:
        """Return the last voltages, complex [snapshot, bus, phase]. [pu]"""
        if self._result is None:
            raise RuntimeError("Benchmark: power-grid-model has not solved anything yet.")
        v: ComplexArray = self._result["u_pu"] * np.exp(1j * self._result["u_angle"])
        return v

    def error_pu(self) -> float:
        """Return the largest difference from its own Newton solution. [pu]"""
        return float(np.abs(self._voltages() - self._exact).max())


def _first_rows(task: Task) -> NDArray[np.intp]:
    """Return the first connection of every load."""
    element_ids = task.feeder.connections.element_ids
    return np.array([element_ids.index(name) for name in task.elements], dtype=np.intp)


def _phases(task: Task, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the phase each load goes to: that of its first node."""
    names = task.feeder.nodes.node_ids
    nodes = task.feeder.connections.nodes[rows, 0]
    return np.array([int(names[node].rpartition(".")[2]) - 1 for node in nodes], dtype=np.intp)
