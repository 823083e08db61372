"""OpenDSS's static control of voltage regulators, for a whole batch of loadings.

Power flow and controls alternate until no control wants to act: `control_sensors` says what the
controls see, `control_law` what they do about it. All of it is done per sample; one that is
at rest is left alone. Final taps depend on where they start; they are OpenDSS's wherever no
control's voltage is within the solver tolerance of a threshold.

Not modelled: reverse power flow, inverse time, LDC_Z, and a voltage limit with a remote bus.

Sources: `SolveSnap`, `CheckControls` of Solution.pas in DSS C-API 0.14; checked against OpenDSS in
tests/power_flow/test_regulators.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import torch
from torch import Tensor

from gradmap.errors import FeederError
from gradmap.power_flow.control_law import ControlLaw
from gradmap.power_flow.control_sensors import Sensors
from gradmap.power_flow.solver import FlowStatus, PowerFlow, Solution


class TapStatus(IntEnum):
    """How a sample's controls ended."""

    OK = 0
    NOT_CONVERGED = 1
    """The power flow found no solution; the taps are those where it failed."""
    CONTROL_LIMIT = 2
    """Controls still wanted to act: they hunt, or the limit is too small."""


@dataclass(frozen=True, kw_only=True)
class TapSolution:
    """Where the controls ended, and the power flow there."""

    tap_ratios: Tensor
    """[batch, regulator], float64, without gradient. [pu]"""
    n_control_iterations: Tensor
    """Power flows needed, as OpenDSS counts, [batch]."""
    status: Tensor
    """`TapStatus`, [batch]."""
    solution: Solution
    """At these taps; differentiable in the powers with the taps held."""


def control_taps(
    flow: PowerFlow,
    p_kw: Tensor,
    q_kvar: Tensor,
    *,
    start_tap_ratios: Tensor | None = None,
    source_v_pu: Tensor | None = None,
    max_control_iterations: int = 100,
) -> TapSolution:
    """Let the regulators of every sample act until they rest.

    Args:
        flow: The power flow.
        p_kw: Nominal active power, positive draws, [batch, connection]. [kW]
        q_kvar: Nominal reactive power, positive absorbs, [batch, connection]. [kvar]
        start_tap_ratios: Where the taps start, [batch, regulator]; the feeder file's positions if
            left out. For a warm series pass the `tap_ratios` of the step before. [pu]
        source_v_pu: Source voltages, [batch, source]; the feeder's if left out. [pu]
        max_control_iterations: Power flows per sample at most.

    Raises:
        FeederError: A shape does not fit, a value is not finite, or a tap is out of range.
    """
    taps = _start_taps(flow, start_tap_ratios, n_batch=len(p_kw))
    if not flow.feeder.regulators:
        return _uncontrolled(flow.solve(p_kw, q_kvar, source_v_pu=source_v_pu), taps)
    with torch.no_grad():
        powers = p_kw.to(flow.device), q_kvar.to(flow.device)
        sources = None if source_v_pu is None else source_v_pu.to(flow.device)
        found = _settle(flow, powers, sources, taps, max_control_iterations)
    inputs = (p_kw, q_kvar) if source_v_pu is None else (p_kw, q_kvar, source_v_pu)
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs):
        start = found.solution
        solution = flow.solve(p_kw, q_kvar, tap_ratios=taps, source_v_pu=source_v_pu, start=start)
        return replace(found, solution=solution)
    return found


def _uncontrolled(solution: Solution, taps: Tensor) -> TapSolution:
    """Return the result for a feeder without regulators."""
    solved = solution.status == int(FlowStatus.OK)
    return TapSolution(
        tap_ratios=taps,
        n_control_iterations=torch.ones_like(solution.status),
        status=torch.where(solved, int(TapStatus.OK), int(TapStatus.NOT_CONVERGED)),
        solution=solution,
    )


def _settle(
    flow: PowerFlow,
    powers: tuple[Tensor, Tensor],
    source_v_pu: Tensor | None,
    taps: Tensor,
    max_control_iterations: int,
) -> TapSolution:
    """Alternate power flow and controls; `taps` is overwritten."""
    p_kw, q_kvar = powers
    last = flow.solve(p_kw, q_kvar, tap_ratios=taps, source_v_pu=source_v_pu)
    found = TapSolution(
        tap_ratios=taps,
        n_control_iterations=torch.full_like(last.status, max_control_iterations),
        status=torch.full_like(last.status, int(TapStatus.CONTROL_LIMIT)),
        solution=_copied(last),
    )
    law, sensors = flow.once("tap controls", lambda: _make_controls(flow))
    armed = torch.zeros_like(taps, dtype=torch.bool)
    rows = torch.arange(len(p_kw), device=flow.device)
    # As in OpenDSS, nobody looks at the last power flow that is allowed.
    for iteration in range(1, max_control_iterations):
        seen = sensors.read(last, taps=taps[rows])
        step = law.step(*seen, taps=taps[rows], armed=armed[rows])
        failed = last.status != int(FlowStatus.OK)
        found.status[rows[step.at_rest]] = int(TapStatus.OK)
        found.status[rows[failed]] = int(TapStatus.NOT_CONVERGED)
        found.n_control_iterations[rows[step.at_rest | failed]] = iteration
        moving = ~(step.at_rest | failed)
        rows = rows[moving]
        if not len(rows):
            break
        taps[rows], armed[rows] = step.taps[moving], step.armed[moving]
        last = flow.solve(
            p_kw[rows],
            q_kvar[rows],
            tap_ratios=taps[rows],
            source_v_pu=None if source_v_pu is None else source_v_pu[rows],
            start=replace(last, u=last.u[:, moving]),
        )
        _put(last, rows, into=found.solution)
    return found


def _copied(solution: Solution) -> Solution:
    """Return a solution whose arrays can be overwritten."""
    return replace(
        solution,
        state=solution.state.clone(),
        u=solution.u.clone(),
        status=solution.status.clone(),
        error_pu=solution.error_pu.clone(),
        n_iterations=solution.n_iterations.clone(),
    )


def _put(part: Solution, rows: Tensor, *, into: Solution) -> None:
    """Overwrite some samples of a solution; it shares its taps with the caller."""
    into.state[:, rows], into.u[:, rows] = part.state, part.u
    into.status[rows], into.error_pu[rows] = part.status, part.error_pu
    into.n_iterations[rows] = part.n_iterations


def _make_controls(flow: PowerFlow) -> tuple[ControlLaw, Sensors]:
    """Return what depends on the power flow only."""
    return ControlLaw(flow.feeder, device=flow.device), Sensors(flow)


def _start_taps(flow: PowerFlow, given: Tensor | None, *, n_batch: int) -> Tensor:
    """Return the first taps as float64; `PowerFlow.solve` checks their shape."""
    regulators = flow.feeder.regulators
    if given is None:
        return torch.tensor(flow.feeder.tap_ratios, device=flow.device).repeat(n_batch, 1)
    taps = given.detach().to(flow.device, torch.float64, copy=True)
    if taps.shape != (n_batch, len(regulators)):
        return taps
    for column, regulator in zip(taps.t(), regulators, strict=True):
        low, high = regulator.tap_ratio_min, regulator.tap_ratio_max
        outside = (column < low) | (column > high)
        if bool(outside.any()):
            sample = int(torch.nonzero(outside)[0])
            raise FeederError(
                f"Feeder {flow.feeder.name!r}: `start_tap_ratios` of {regulator.regulator_id!r} in "
                f"sample {sample} is {column[sample].item()}, expected a ratio in [{low}, {high}]. "
                f"A tap position is (ratio - neutral) / step, not the ratio."
            )
    return taps
