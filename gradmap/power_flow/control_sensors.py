"""What regulator controls see: potential and current transformers, line-drop compensation.

    v_seen = | v / n_pt + (R + jX) i / n_ct |

with the voltage v across the watched winding or at a remote bus, and the current i into the
watched winding.

Source: `Sample`, `GetControlVoltage` of RegControl.pas in DSS C-API 0.14.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from gradmap.errors import FeederError
from gradmap.feeder import ComplexArray, Regulator
from gradmap.power_flow.network import AffineMap, Network
from gradmap.power_flow.operators import make_output
from gradmap.power_flow.outputs import apply_output
from gradmap.power_flow.solver import PowerFlow, Solution

_LARGEST, _SMALLEST = -1, -2
"""Codes of `RegulatorControl.pt_phase`."""


class Sensors:
    """Potential and current transformers of all controls, as one small affine map."""

    def __init__(self, flow: PowerFlow) -> None:
        """Take the rows that the controls look at from the maps of the network."""
        regulators = flow.feeder.regulators
        # The power flow keeps these; that they do not keep it lets both go at once.
        self._chunk = flow.chunk
        phases = [_phases(regulator) for regulator in regulators]
        width = max(map(len, phases))
        # One that has fewer to choose from looks at its first again, which changes no choice.
        self._phases = [[*own, *own[:1] * (width - len(own))] for own in phases]
        self._output = make_output(
            _readings(flow.network, self._phases),
            with_regulators=True,
            dtype=flow.dtype,
            device=flow.device,
        )

        def row(values: ArrayLike) -> Tensor:
            return torch.as_tensor(np.array(values), device=flow.device)

        controls = [r.control for r in regulators]
        self._pt_ratio = row([c.pt_ratio for c in controls])
        self._compensation = row(
            [complex(c.r_v, c.x_v) / c.ct_primary_a if c.ct_primary_a > 0 else 0j for c in controls]
        )
        self._takes_smallest = row([c.pt_phase == _SMALLEST for c in controls])

    def read(self, solution: Solution, *, taps: Tensor) -> tuple[Tensor, Tensor]:
        """Return what every control sees with and without line-drop compensation.

        Args:
            solution: A solution at given taps.
            taps: Its tap ratios, [batch, regulator], float64. [pu]

        Returns:
            Both [batch, regulator], float64, on the secondary of the potential transformer. [V]
        """
        rows = apply_output(solution.state, output=self._output, chunk=self._chunk)
        rows = rows.to(torch.complex128)
        n_regulators, width = len(self._phases), len(self._phases[0])
        v, i, i_moved = rows.reshape(-1, 3, n_regulators, width).unbind(1)
        i = i + (1.0 / taps - 1.0)[:, :, None] * i_moved
        v = v / self._pt_ratio[:, None]
        magnitude = v.abs()
        chosen = torch.where(
            self._takes_smallest, magnitude.argmin(dim=2), magnitude.argmax(dim=2)
        )[:, :, None]
        v_local = v.gather(2, chosen)[:, :, 0]
        # The current is counted into the transformer, so the drop is subtracted.
        v_seen = v_local + self._compensation * i.gather(2, chosen)[:, :, 0]
        return v_seen.abs(), v_local.abs()


def _phases(regulator: Regulator) -> list[int]:
    """Return the positions of the phases a control chooses from."""
    control = regulator.control
    n_phases = len(control.monitored_nodes)
    if control.pt_phase in (_LARGEST, _SMALLEST):
        return list(range(n_phases))
    if not 0 <= control.pt_phase < n_phases:
        raise FeederError(
            f"Regulator {regulator.regulator_id!r}: `pt_phase` is {control.pt_phase}, expected a "
            f"position below {n_phases}, or {_LARGEST} or {_SMALLEST} for the largest or smallest."
        )
    return [control.pt_phase]


def _readings(network: Network, phases: list[list[int]]) -> AffineMap:
    """Return the map to voltages, currents at neutral and their parts that go with 1/tap.

    The rows are [3, regulator, phase].
    """
    feeder = network.feeder
    places = [(k, phase) for k, own in enumerate(phases) for phase in own]
    n_series = [branch.incidence.shape[1] for branch in feeder.branches]
    first_series = np.cumsum([0, *n_series])
    at_nodes = np.zeros((3, len(places), feeder.n_nodes + 1), dtype=np.complex128)
    at_series = np.zeros((3, len(places), int(first_series[-1])), dtype=np.complex128)
    for row, (k, phase) in enumerate(places):
        regulator = feeder.regulators[k]
        control, branch = regulator.control, feeder.branches[regulator.branch]
        first, second = control.monitored_nodes[phase]
        at_nodes[0, row, first] += 1.0
        at_nodes[0, row, second] -= 1.0
        if control.ct_primary_a > 0:
            conductor = control.monitored_conductors[phase]
            start = first_series[regulator.branch]
            series = slice(start, start + n_series[regulator.branch])
            np.add.at(at_nodes[1, row], branch.nodes, branch.y_shunt_s[conductor])
            at_series[1, row, series] = branch.incidence[conductor]
            at_series[2, row, series] = regulator.winding_incidence[conductor]
    # The last column is ground.
    node_weights = at_nodes[:, :, :-1].reshape(-1, feeder.n_nodes) * (1e3 * feeder.nodes.kv_base)
    series_weights = at_series.reshape(-1, int(first_series[-1]))

    def combined(of_nodes: ComplexArray, of_series: ComplexArray) -> ComplexArray:
        rows: ComplexArray = node_weights @ of_nodes + series_weights @ of_series
        return rows

    v, j = network.node_voltages, network.series_currents
    return AffineMap(
        at_source=combined(v.at_source, j.at_source),
        at_current=combined(v.at_current, j.at_current),
        at_regulator=combined(v.at_regulator, j.at_regulator),
    )
