"""Batched three-phase power flow of one feeder: many loadings at once, with exact gradients.

    flow = PowerFlow(feeder)
    solution = flow.solve(p_kw, q_kvar)          # [batch, connection]
    vm_pu = solution.node_v_pu().abs()           # [batch, node], differentiable

The method is in `fixed_point` (sweeps), `newton` (what they leave), `implicit` (gradients) and
`network` (the linear part). Results that follow from a solution, such as branch currents, are in
`branch_flows`; tap control is in `regulators`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from gradmap.errors import FeederError
from gradmap.feeder import Feeder, FloatArray, IndexArray
from gradmap.power_flow.areas import N_AREAS, feeder_areas
from gradmap.power_flow.block_low_rank import BlockLowRank
from gradmap.power_flow.fused_currents import fused_table, slopes
from gradmap.power_flow.implicit import Problem, solve_state
from gradmap.power_flow.network import AffineMap, MapName, Network
from gradmap.power_flow.newton import newton
from gradmap.power_flow.operators import make_operators, make_output
from gradmap.power_flow.outputs import apply_output
from gradmap.power_flow.regulator_terms import RegulatorTerms
from gradmap.power_flow.sweeps import Level, Loading

Made = TypeVar("Made")
CHUNK_CPU = 1024
"""Samples worked on at a time: fewer leave time to Python, more leave the cache."""
CHUNK_GPU = 16384
REFERENCE_TOLERANCE = 1e-12
REFERENCE_SOLVED = 1e-6
"""Mismatch up to which a reference is good enough to linearise at. [pu]"""


class FlowStatus(IntEnum):
    """How a sample ended."""

    OK = 0
    NOT_CONVERGED = 1
    """No solution found: the feeder may be loaded beyond what it can carry."""


@dataclass(frozen=True, kw_only=True)
class SolverSettings:
    """How the solver works."""

    tolerance_pu: float | None = None
    """Largest error of a connection voltage; None: 1e-10 in float64, 1e-6 in float32. [pu]"""
    max_iterations: int = 40
    """Sweeps before Newton's method takes over."""
    chunk: int | None = None
    """Samples worked on at a time; None chooses for the device."""
    mixed_precision: bool = True
    """In float64, begin with float32 sweeps; the result is float64 either way."""

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        for name in ("tolerance_pu", "max_iterations", "chunk"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"Power flow: `{name}` is {value}, expected a positive number.")


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Solutions of a batch; everything but `state` is without gradient."""

    flow: PowerFlow
    state: Tensor
    """Connection currents, sources, regulator terms, [2 connection + source + 4 R, batch], see
    `implicit`."""
    tap_ratios: Tensor | None
    """As given, [batch, regulator]; None stands for the base taps."""
    u: Tensor
    """Connection voltages, for warm starts, [2 connection, batch]."""
    status: Tensor
    """`FlowStatus`, [batch]."""
    error_pu: Tensor
    """Estimated error of the connection voltages, [batch]. [pu]"""
    n_iterations: Tensor
    """Sweeps; -1 where Newton's method had to finish, [batch]."""

    def node_v_pu(self) -> Tensor:
        """Return the voltage of every node to ground, complex [batch, node]. [pu]"""
        return self.evaluate("node_voltages")

    def connection_v_pu(self) -> Tensor:
        """Return the voltage across every connection, complex [batch, connection].

        Per unit of `feeder.connections.kv_base`.
        """
        return self.evaluate("connection_voltages") * self.flow.kv_rated_over_base

    def evaluate(self, name: MapName) -> Tensor:
        """Return one of the network's affine maps at this solution, complex [batch, row]."""
        with_regulators = self.tap_ratios is not None
        output = self.flow.output(name, with_regulators=with_regulators)
        return apply_output(self.state, output=output, chunk=self.flow.chunk)


class PowerFlow:
    """The power flow of one feeder in one dtype on one device; keeps no state between solves.

    Attributes:
        feeder: The feeder.
        network: Its linear part at the base taps.
        dtype: Of inputs' copies and results.
        device: Where it works.
        settings: As given.
    """

    def __init__(
        self,
        feeder: Feeder,
        *,
        settings: SolverSettings | None = None,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
        tap_ratios: ArrayLike | None = None,
        p_reference_kw: ArrayLike | None = None,
        q_reference_kvar: ArrayLike | None = None,
    ) -> None:
        """Prepare the matrices; takes seconds for a thousand connections.

        Args:
            feeder: What to solve.
            settings: How; defaults if left out.
            dtype: float64 or float32.
            device: Where to work.
            tap_ratios: Base taps, [regulator]; the feeder file's if left out. Solving at these is
                fastest.
            p_reference_kw: Typical active power, [connection], around which currents are
                linearised; nominal if left out. Speed depends on it, solutions do not. [kW]
            q_reference_kvar: The reactive power with it. [kvar]

        Raises:
            FeederError: The feeder is too large, or its equations are singular.
        """
        self.feeder, self.dtype, self.device = feeder, dtype, torch.device(device)
        self.settings = settings or SolverSettings()
        default = CHUNK_CPU if self.device.type == "cpu" else CHUNK_GPU
        self.chunk = self.settings.chunk or default
        taps = None if tap_ratios is None else self._per_regulator(tap_ratios)
        self.network = Network(feeder, base_tap_ratios=taps)
        nominal = [source.v_pu for source in feeder.sources]
        self.nominal_source = torch.tensor(nominal, dtype=dtype, device=self.device)[:, None]
        ratio = feeder.connections.kv_rated / feeder.connections.kv_base
        self.kv_rated_over_base = torch.as_tensor(ratio, dtype=dtype, device=self.device)
        self._areas = [feeder_areas(feeder, n_areas=n) for n in N_AREAS]
        connections = feeder.connections
        self._problem = self._prepare(
            np.asarray(connections.p_kw if p_reference_kw is None else p_reference_kw),
            np.asarray(connections.q_kvar if q_reference_kvar is None else q_reference_kvar),
        )
        self._made: dict[str, Any] = {}

    # ------------------------------------------------------------------ preparation

    def _per_regulator(self, tap_ratios: ArrayLike) -> FloatArray:
        ratios = np.asarray(tap_ratios, dtype=np.float64)
        n_regulators = len(self.feeder.regulators)
        if ratios.shape != (n_regulators,):
            raise FeederError(
                f"Feeder {self.feeder.name!r}: base `tap_ratios` have shape {ratios.shape}, "
                f"expected one ratio for each of the {n_regulators} regulators."
            )
        return ratios

    def _prepare(self, p_kw: FloatArray, q_kvar: FloatArray) -> Problem:
        """Linearise at a reference and collect what every solve needs."""
        u_start, slope = self._reference(p_kw, q_kvar)
        low = [torch.float32] if self.settings.mixed_precision else []
        dtypes = [*low, torch.float64] if self.dtype == torch.float64 else [self.dtype]
        tolerance = 1e-10 if self.dtype == torch.float64 else 1e-6
        areas = [areas.of_connections for areas in self._areas]
        rescue = self._level(torch.float64, slope=slope, device=self.device)
        return Problem(
            levels=tuple(
                self._level(d, slope=slope, device=self.device, areas=areas) for d in dtypes
            ),
            rescue=rescue,
            regulators=RegulatorTerms(self.network, device=self.device),
            nominal_source=self.nominal_source,
            u_start=u_start.to(dtype=self.dtype, device=self.device),
            tolerance=self.settings.tolerance_pu or tolerance,
            max_iterations=self.settings.max_iterations,
            chunk=self.chunk,
        )

    def _level(
        self,
        dtype: torch.dtype,
        *,
        slope: FloatArray,
        device: torch.device,
        areas: Sequence[IndexArray] = (),
    ) -> Level:
        return Level(
            operators=make_operators(
                self.network, slope=slope, dtype=dtype, device=device, areas=areas
            ),
            table=fused_table(self.feeder.connections, dtype=dtype, device=device),
        )

    def _reference(self, p_kw: FloatArray, q_kvar: FloatArray) -> tuple[Tensor, FloatArray]:
        """Return voltages and current slopes at a typical loading, on the CPU.

        Where the reference itself has no solution, the slopes are zero: a plain fixed point.
        """
        cpu = torch.device("cpu")
        flat = np.zeros((4, len(self.feeder.connections)))
        level = self._level(torch.float64, slope=flat, device=cpu)
        loading = Loading(
            p=torch.tensor(p_kw, dtype=torch.float64)[:, None],
            q=torch.tensor(q_kvar, dtype=torch.float64)[:, None],
            source=self.nominal_source.double().cpu(),
            s=None,
        )
        no_load = level.operators.w @ loading.source
        u, mismatch = newton(no_load, level=level, loading=loading, tolerance=REFERENCE_TOLERANCE)
        if not mismatch.item() < REFERENCE_SOLVED:  # NaN counts as not solved
            return no_load, flat
        at = slopes(u, loading.p, loading.q, table=level.table)
        return u, at.blocks()[:, :, 0].numpy()

    # ------------------------------------------------------------------ solve

    def solve(
        self,
        p_kw: Tensor,
        q_kvar: Tensor,
        *,
        tap_ratios: Tensor | None = None,
        source_v_pu: Tensor | None = None,
        start: Solution | None = None,
    ) -> Solution:
        """Solve a batch of loadings.

        Args:
            p_kw: Nominal active power of every connection, positive draws, [batch, connection]:
                what it draws at rated voltage, and for constant power at any. [kW]
            q_kvar: Reactive power, positive absorbs. [kvar]
            tap_ratios: Regulator taps, [batch, regulator]; base taps if left out. [pu]
            source_v_pu: Source voltages, [batch, source]; the feeder's if left out. [pu]
            start: A solution of as many samples to start from.

        Returns:
            The solutions, differentiable in all four. A sample without solution is marked in
            `status`, its numbers are of no use.

        Raises:
            FeederError: A shape does not fit, or a value is not finite.
        """
        n_batch = p_kw.shape[0] if p_kw.ndim else 0
        n_regulators, n_sources = len(self.feeder.regulators), len(self.feeder.sources)
        shape = (n_batch, len(self.feeder.connections))
        names = self.feeder.connections.connection_ids
        p_kw = self._checked(p_kw, name="p_kw", shape=shape, names=names)
        q_kvar = self._checked(q_kvar, name="q_kvar", shape=shape, names=names)
        if tap_ratios is not None:
            names = tuple(r.regulator_id for r in self.feeder.regulators)
            shape = (n_batch, n_regulators)
            tap_ratios = self._checked(tap_ratios, name="tap_ratios", shape=shape, names=names)
        if source_v_pu is not None:
            names = tuple(s.source_id for s in self.feeder.sources)
            shape = (n_batch, n_sources)
            source_v_pu = self._checked(source_v_pu, name="source_v_pu", shape=shape, names=names)
        outcome = solve_state(
            p_kw,
            q_kvar,
            taps=tap_ratios if n_regulators else None,
            source=source_v_pu,
            start=None if start is None else start.u,
            problem=self._problem,
        )
        solved = outcome.error <= self._problem.tolerance
        return Solution(
            flow=self,
            state=outcome.state,
            tap_ratios=tap_ratios if n_regulators else None,
            u=outcome.u,
            status=torch.where(solved, int(FlowStatus.OK), int(FlowStatus.NOT_CONVERGED)),
            error_pu=outcome.error,
            n_iterations=outcome.n_iterations,
        )

    def _checked(
        self, values: Tensor, *, name: str, shape: tuple[int, int], names: tuple[str, ...]
    ) -> Tensor:
        """Return the values on the right device; FeederError names what is wrong."""
        if tuple(values.shape) != shape:
            raise FeederError(
                f"Power flow of {self.feeder.name!r}: `{name}` has shape {tuple(values.shape)}, "
                f"expected {shape}: one row a sample, one column for each of "
                f"{', '.join(names[:3])}{', ...' if len(names) > 3 else ''}."
            )
        # The sum is not finite if a value is not, and costs a tenth of looking at each.
        if not math.isfinite(values.detach().sum()) and not bool(torch.isfinite(values).all()):
            sample, column = torch.nonzero(~torch.isfinite(values))[0].tolist()
            raise FeederError(
                f"Power flow of {self.feeder.name!r}: `{name}` of {names[column]!r} in sample "
                f"{sample} is {values[sample, column].item()}, expected a finite number."
            )
        return values.to(self.device)

    # ------------------------------------------------------------------ results

    def output(self, name: MapName, *, with_regulators: bool) -> BlockLowRank:
        """Return one of the network's affine maps for batches, kept once made."""

        def make() -> BlockLowRank:
            part: AffineMap = getattr(self.network, name)
            return make_output(
                part,
                with_regulators=with_regulators,
                dtype=self.dtype,
                device=self.device,
                areas=self._cuts(name),
            )

        return self.once(f"{name}, regulators {with_regulators}", make)

    def _cuts(self, name: MapName) -> list[tuple[IndexArray, IndexArray]]:
        """Return the areas of connections and of a map's rows, for maps whose rows have a place."""
        if name == "node_voltages":
            return [(areas.of_connections, areas.of_nodes) for areas in self._areas]
        if name == "connection_voltages":
            return [(areas.of_connections, areas.of_connections) for areas in self._areas]
        return []

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """Return what `make` returns, made at the first call for a name."""
        if name not in self._made:
            # What is made in somebody's inference mode could not be differentiated through later.
            with torch.inference_mode(mode=False):
                self._made[name] = make()
        made: Made = self._made[name]
        return made
