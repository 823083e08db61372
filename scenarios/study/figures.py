"""Figures of a comparison as files."""

from __future__ import annotations

from pathlib import Path

from gradmap.errors import ScenarioError
from scenarios.case import Case
from scenarios.report.standalone import write_figure
from scenarios.study.compare import Compared, NamedPolicy
from scenarios.study.compare_figure import cost_violation
from scenarios.study.policy_day import policy_day, policy_day_figure
from scenarios.study.training_figure import history_curves, training_figure


def write_compare_figures(
    compared: Compared,
    case: Case,
    *,
    out: Path,
    policies: tuple[NamedPolicy, ...],
    day: int,
    figure_policy: str | None,
) -> tuple[Path, ...]:
    """Write cost against violation, the policies' training and a day under one of them.

    Args:
        compared: What was measured.
        case: Of the comparison.
        out: Folder of the figures.
        policies: As compared; curves of those whose training folder is there.
        day: Number of the test day that is drawn.
        figure_policy: Name of the policy whose day it is; the first one if left out.

    Returns:
        The files that were written.

    Raises:
        ScenarioError: No policy has that name.
    """
    chosen = chosen_policy(policies, name=figure_policy)
    files = [write_figure(cost_violation(compared), out / "cost_violation.svg")]
    curves = history_curves(policies)
    if curves:
        title = f"{compared.scenario}: training, on validation days"
        figure = training_figure(curves, title=title, currency=compared.currency)
        files.append(write_figure(figure, out / "training.svg"))
    if chosen is not None:
        figure = policy_day_figure(policy_day(case, chosen, number=day))
        files.append(write_figure(figure, out / "day.svg"))
    return tuple(files)


def chosen_policy(policies: tuple[NamedPolicy, ...], *, name: str | None) -> NamedPolicy | None:
    """Return the first policy of a name, or the first of all; None where there are none.

    Raises:
        ScenarioError: No policy has that name.
    """
    if name is None:
        return policies[0] if policies else None
    for policy in policies:
        if policy.name == name:
            return policy
    known = ", ".join(dict.fromkeys(policy.name for policy in policies)) or "none"
    raise ScenarioError(f"Policy {name!r} of --figure-policy is not compared; there are: {known}.")
