"""`gradmap.power_flow` as it is meant to be used: one batch, voltages of all nodes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradmap.power_flow.solver import FlowStatus, PowerFlow, SolverSettings
from scenarios.benchmarks.power_flow.task import Task
from scenarios.benchmarks.power_flow.timing import Contender, Outcome

TOOL = "gradmap"
FORWARD, GRADIENT = "forward", "gradient"
VARIANTS = (("float64", 1e-6), ("float64", 1e-10), ("float32", 1e-6))
REFERENCES = ("nominal", "mean")
"""Where currents are linearised: the default, and the mean of the snapshots."""


@dataclass
class _Run:
    """One solver with its inputs and last results."""

    flow: PowerFlow
    p: Tensor
    q: Tensor
    weights: Tensor
    v: Tensor | None = None
    gradient: list[Tensor] = field(default_factory=list)

    def forget(self) -> None:
        """Drop the last results, so that no run pays for freeing those of the one before."""
        self.v, self.gradient = None, []

    def forward(self) -> None:
        with torch.no_grad():
            solution = self.flow.solve(self.p, self.q)
            self.v = solution.node_v_pu()
        _check(solution.status)

    def with_gradient(self) -> None:
        powers = [self.p.detach().requires_grad_(), self.q.detach().requires_grad_()]
        solution = self.flow.solve(*powers)
        v = solution.node_v_pu()
        self.gradient = list(torch.autograd.grad(v, powers, grad_outputs=self.weights))
        self.v = v.detach()
        _check(solution.status)

    def outcome(self) -> Outcome:
        v = None if self.v is None else self.v.to(torch.complex128).numpy()
        gradient = torch.cat(self.gradient, dim=1).double().numpy() if self.gradient else None
        return Outcome(node_v_pu=v, gradient=gradient)


def make_flow(task: Task, *, dtype: str, tolerance_pu: float, reference: str) -> PowerFlow:
    """Return a solver."""
    mean = reference == "mean"
    return PowerFlow(
        task.feeder,
        settings=SolverSettings(tolerance_pu=tolerance_pu),
        dtype=getattr(torch, dtype),
        p_reference_kw=task.p_kw.mean(axis=0) if mean else None,
        q_reference_kvar=task.q_kvar.mean(axis=0) if mean else None,
    )


def our_contenders(task: Task) -> Iterator[Contender]:
    """Yield every dtype and tolerance, forward and with gradient, at both references."""
    for reference in REFERENCES:
        for dtype, tolerance_pu in VARIANTS:
            for kind in (FORWARD, GRADIENT):
                yield our_contender(
                    task, dtype=dtype, tolerance_pu=tolerance_pu, kind=kind, reference=reference
                )


def our_contender(
    task: Task, *, dtype: str, tolerance_pu: float, kind: str, reference: str = REFERENCES[0]
) -> Contender:
    """Return one way of ours to solve the task."""
    own: torch.dtype = getattr(torch, dtype)
    run = _Run(
        flow=make_flow(task, dtype=dtype, tolerance_pu=tolerance_pu, reference=reference),
        p=torch.tensor(task.p_kw, dtype=own),
        q=torch.tensor(task.q_kvar, dtype=own),
        weights=torch.tensor(task.weights, dtype=own.to_complex()),
    )
    return Contender(
        tool=TOOL,
        kind=kind,
        tolerance_pu=tolerance_pu,
        prepare=run.forget,
        run=run.forward if kind == FORWARD else run.with_gradient,
        outcome=run.outcome,
        dtype=dtype,
        reference=reference,
    )


def _check(status: Tensor) -> None:
    if not bool((status == int(FlowStatus.OK)).all()):
        raise RuntimeError("Benchmark: a snapshot of the IEEE 123 was not solved.")
