"""Curves of the reuse study."""

from __future__ import annotations

import numpy as np

from scenarios.report.figures import Figure
from scenarios.study.reuse import GRADMA, ReuseResult
from scenarios.study.reuse_run import ReuseRun
from scenarios.study.training_figure import Curve, Goal, training_figure

MILLI = 1e3


def reuse_figure(result: ReuseResult, *, currency: str) -> Figure:
    """Return cost and violation of every training, over processor time and over gradients."""
    curves = [
        Curve(
            name=_name(run),
            calls=np.array([float(point.calls) for point in run.points]),
            seconds=np.array([point.processor_s for point in run.points]),
            cost=np.array([point.cost for point in run.points]),
            violation=np.array([MILLI * point.violation_pu for point in run.points]),
        )
        for run in result.runs
    ]
    return training_figure(
        curves,
        title=f"{result.scenario}: trained until both targets are reached",
        currency=currency,
        time_name="Processor time of training [min]",
        violation_name="Mean violation [0.001 pu]",
        goal=Goal(cost=result.target.cost, violation=MILLI * result.target.violation_pu),
    )


def _name(run: ReuseRun) -> str:
    if run.method == GRADMA:
        return f"{run.method}, rate {run.rate:g}, {run.max_looks} looks"
    return run.method
