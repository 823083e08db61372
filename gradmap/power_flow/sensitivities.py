"""Exact derivatives of voltage and current magnitudes to every connection's power.

At a solution, u = w - Zb i(u; P, Q) gives by the implicit function theorem

    (I + J Zb) di = (di/dP) dP + (di/dQ) dQ          J = di/du at fixed powers

with stacked real and imaginary parts; voltages and branch currents follow linearly from di. Off the
base taps the eliminated regulators change Zb and the output maps of each sample by rank 4 R. One
solve with all right-hand sides gives every derivative of a sample, for optimisers that linearise;
training needs one product only and uses the adjoint in `implicit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gradmap.power_flow.fused_currents import FusedTable, Slopes, fused_table, slopes
from gradmap.power_flow.network import AffineMap, MapName
from gradmap.power_flow.operators import stacked
from gradmap.power_flow.regulator_terms import RegulatorTerms
from gradmap.power_flow.solver import PowerFlow, Solution

MAX_BYTES = 2**27
"""Of the matrices that are factorised at a time."""
TINY = 1e-30
"""Added to squared magnitudes: a result that is zero has derivative zero."""


@dataclass(frozen=True, kw_only=True)
class Sensitivities:
    """Derivatives of some magnitudes, float64, each [batch, row, connection]."""

    to_p: Tensor
    """Per kW of nominal active power. [pu/kW] or [A/kW]"""
    to_q: Tensor
    """Per kvar of nominal reactive power. [pu/kvar] or [A/kvar]"""


def voltage_sensitivities(
    solution: Solution,
    *,
    p_kw: Tensor,
    q_kvar: Tensor,
    nodes: Tensor | None = None,
    samples: Tensor | None = None,
) -> Sensitivities:
    """Return d|v|/dP and d|v|/dQ of node voltages to ground. [pu/kW], [pu/kvar]

    One-sided where a load is exactly at one of its voltage limits. Source voltages other than the
    feeder's and taps are taken from the solution and held.

    Args:
        solution: Solved samples; those without a solution give meaningless numbers.
        p_kw: What was solved, [batch, connection]. [kW]
        q_kvar: The reactive power with it. [kvar]
        nodes: Which nodes, int64 [row]; all of them if left out.
        samples: Which samples of the batch, int64; all of them if left out.
    """
    task = _Task("node_voltages", p_kw=p_kw, q_kvar=q_kvar, rows=nodes, samples=samples)
    return _sensitivities(solution, task)


def current_sensitivities(
    solution: Solution,
    *,
    p_kw: Tensor,
    q_kvar: Tensor,
    conductors: Tensor | None = None,
    samples: Tensor | None = None,
) -> Sensitivities:
    """Return d|i|/dP and d|i|/dQ of the currents into branch conductors. [A/kW], [A/kvar]

    Args:
        solution: Solved samples.
        p_kw: What was solved, [batch, connection]. [kW]
        q_kvar: The reactive power with it. [kvar]
        conductors: Which, int64 [row], in the order of `branch_flows.branch_currents_a`; all of
            them if left out.
        samples: Which samples of the batch, int64; all of them if left out.
    """
    task = _Task("conductor_currents", p_kw=p_kw, q_kvar=q_kvar, rows=conductors, samples=samples)
    return _sensitivities(solution, task)


class _Task(NamedTuple):
    """What is asked for."""

    name: MapName
    p_kw: Tensor
    q_kvar: Tensor
    rows: Tensor | None
    samples: Tensor | None


class _Maps(NamedTuple):
    """Constant matrices of a power flow in float64."""

    zb: Tensor
    """[2 connection, 2 connection]."""
    u_d: Tensor
    """[2 connection, 4 R]."""
    z_i: Tensor
    """[4 R, 2 connection]."""
    table: FusedTable
    regulators: RegulatorTerms


class _Output(NamedTuple):
    """One affine map, real and imaginary rows apart."""

    re: Tensor
    """Real parts per current, [row, 2 connection]."""
    im: Tensor
    re_d: Tensor
    """Real parts per regulator term, [row, 4 R]."""
    im_d: Tensor


def _sensitivities(solution: Solution, task: _Task) -> Sensitivities:
    flow = solution.flow
    with torch.no_grad():
        maps = flow.once("sensitivity maps", lambda: _make_maps(flow))
        output = flow.once(f"sensitivity output {task.name}", lambda: _make_output(flow, task.name))
        value = solution.evaluate(task.name).to(torch.complex128)
        if task.rows is not None:
            rows = task.rows.to(flow.device)
            output, value = _Output(*(part[rows] for part in output)), value[:, rows]
        n_batch, n_connections = task.p_kw.shape
        samples = torch.arange(n_batch) if task.samples is None else task.samples
        shape = (len(samples), value.shape[1], n_connections)
        to_p = torch.empty(shape, dtype=torch.float64, device=flow.device)
        to_q = torch.empty_like(to_p)
        size = max(1, MAX_BYTES // (8 * 4 * n_connections**2))
        for first in range(0, len(samples), size):
            part = slice(first, first + size)
            at = samples[part].to(flow.device)
            slope = slopes(
                solution.u[:, at].double(),
                task.p_kw.detach().to(flow.device)[at].t().double(),
                task.q_kvar.detach().to(flow.device)[at].t().double(),
                table=maps.table,
            )
            terms = _regulator_matrices(solution, at, maps)
            di = _current_derivatives(slope, terms, maps)
            moved = _magnitude_rows(value[at], terms, output, maps) @ di
            to_p[part], to_q[part] = moved.chunk(2, dim=2)
    return Sensitivities(to_p=to_p, to_q=to_q)


def _make_maps(flow: PowerFlow) -> _Maps:
    to_u, to_z = flow.network.connection_voltages, flow.network.regulator_unknowns

    def tensor(array: object) -> Tensor:
        return torch.as_tensor(array, dtype=torch.float64, device=flow.device)

    return _Maps(
        zb=tensor(-stacked(to_u.at_current)),
        u_d=tensor(stacked(to_u.at_regulator)),
        z_i=tensor(stacked(to_z.at_current)),
        table=fused_table(flow.feeder.connections, dtype=torch.float64, device=flow.device),
        regulators=RegulatorTerms(flow.network, device=flow.device),
    )


def _make_output(flow: PowerFlow, name: MapName) -> _Output:
    part: AffineMap = getattr(flow.network, name)
    re, im = torch.as_tensor(stacked(part.at_current), device=flow.device).chunk(2)
    re_d, im_d = torch.as_tensor(stacked(part.at_regulator), device=flow.device).chunk(2)
    return _Output(re, im, re_d, im_d)


def _regulator_matrices(solution: Solution, samples: Tensor, maps: _Maps) -> Tensor | None:
    """Return S z_i of each sample, [batch, 4 R, 2 connection]; None at the base taps."""
    if solution.tap_ratios is None:
        return None
    s = maps.regulators.matrices(solution.tap_ratios.detach().to(maps.zb.device)[samples])
    return s.double() @ maps.z_i


def _current_derivatives(at: Slopes, terms: Tensor | None, maps: _Maps) -> Tensor:
    """Return d(i_re, i_im)/d(P, Q), [batch, 2 connection, 2 connection]."""
    zb = maps.zb if terms is None else maps.zb - maps.u_d @ terms
    rr, ri, ir, ii = (block.t().unsqueeze(2) for block in at.blocks())
    upper, lower = zb.chunk(2, dim=-2)
    j_zb = torch.cat([rr * upper + ri * lower, ir * upper + ii * lower], dim=1)
    j_zb.diagonal(dim1=1, dim2=2).add_(1.0)
    # i_re = P g_p u_re + Q g_q u_im and i_im = P g_p u_im - Q g_q u_re.
    p_re, p_im = (torch.diag_embed((at.g_p * u).t()) for u in (at.u_re, at.u_im))
    q_re, q_im = (torch.diag_embed((at.g_q * u).t()) for u in (at.u_im, -at.u_re))
    direct = torch.cat([torch.cat([p_re, q_re], dim=2), torch.cat([p_im, q_im], dim=2)], dim=1)
    solved: Tensor = torch.linalg.solve(j_zb, direct)
    return solved


def _magnitude_rows(value: Tensor, terms: Tensor | None, output: _Output, maps: _Maps) -> Tensor:
    """Return the derivative of |y| to the currents, [batch, row, 2 connection]."""
    magnitude = (value.abs().square() + TINY).sqrt()
    re, im = (value.real / magnitude).unsqueeze(2), (value.imag / magnitude).unsqueeze(2)
    rows = re * output.re + im * output.im
    if terms is None:
        return rows
    return rows + (re * output.re_d + im * output.im_d) @ terms
