"""What `gradmap hems evaluate` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click
from rich.markup import escape

from federates.hems.evaluation.arms import PUBLISHED_ACCURACY
from federates.hems.evaluation.metrics import GROUPINGS, paired_difference
from federates.hems.users.persona import LEVELS
from gradmap.errors import ScenarioError
from scenarios.cli.output import make_table, show_table
from scenarios.study.hems_interviews import accuracies

if TYPE_CHECKING:
    from scenarios.study.hems_interviews import Study

Results = Mapping[str, "dict[str, Any] | None"]
"""What is kept of each arm, None where it was never measured."""
Measured = Mapping[str, "dict[str, Any]"]
NOT_MEASURED: Final = "not measured"
PUBLISHED: Final = "published*"
MEANING: Final = """\
In percent, with 95 % intervals over householders. Said: slots whose value is what the householder
said last; truth: what they know; file: the home file, defaults included. Joint: dialogues with all
of it right and nothing invented. Wrong, invented: of recorded values. Abst.: precision and recall
of noting that there is no answer. Slips: put right, and recorded so. Unasked: of what was said
without a question for it. Asks: questions a slot. Out: values out of range, must be 0. An interval
without width is bounded by 3 / householders.
* Michelon, Zhou, Morstyn 2025, from their abstract: other users, parameters and tolerances."""
REGRET_MEANING: Final = """\
A day planned with the retrieved home instead of the true one, both carried out by the true home.
Total: bill, fuel, wear and what stores owe to the next day. A lower bill at less comfort or charge,
or beyond the limit of the connection, is no gain. Homes differ in currency; means are of plain
numbers."""
_REGRET: Final = (
    ("bill", "bill a day"),
    ("total", "total a day"),
    ("comfort_k_h", "comfort [K h]"),
    ("ev_short_kwh", "car short [kWh]"),
    ("peak_kw", "peak [kW]"),
    ("over_limit_kwh", "beyond import limit [kWh]"),
    ("machine_h", "machines outside hours [h]"),
    ("missed_h", "machines not run [h]"),
)


def groupings_named(text: str) -> tuple[str, ...]:
    """Return the groupings of a list such as `kind,device`.

    Raises:
        ScenarioError: An unknown one.
    """
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if unknown := [name for name in names if name not in GROUPINGS]:
        raise ScenarioError(
            f"Option --by {', '.join(unknown)}: expected some of {', '.join(GROUPINGS)}."
        )
    return names


def print_study(
    found: Results, study: Study, *, groups: Sequence[str] = (), sources: str = ""
) -> None:
    """Print accuracies, conduct, adversarial cases and regret, arms compared.

    Args:
        found: Results of all arms.
        study: What was asked.
        groups: Also accuracies by these groupings.
        sources: Hash of the present sources, to tell older results.
    """
    plan = study.plan
    whom = plan.templates.replace("_", "-") if plan.users == "grammar" else "a language model"
    title = f"{plan.n_dialogues} householders, words: {whom}, seed {plan.seed}"
    _print_accuracy(found, title=title)
    measured = {name: result for name, result in found.items() if result is not None}
    if measured:
        _print_conduct(measured)
        _print_levels(measured)
    click.echo(MEANING)
    for name in groups:
        _print_groups(measured, name)
    _print_cases(measured)
    _print_regret(measured)
    for text in (*_differences(measured, seed=plan.seed), *_notes(measured, sources=sources)):
        click.echo(text)


def _print_accuracy(found: Results, *, title: str) -> None:
    columns = {
        "said": "accuracy_said",
        "truth": "accuracy_truth",
        "file": "accuracy_file",
        "joint": "joint_said",
    }
    table = make_table(title=title, headings=("arm", *columns), left=("arm",))
    for name, result in found.items():
        table.add_row(escape(name), *_cells(result, list(columns.values())))
    table.add_row(PUBLISHED, "", f"{100 * PUBLISHED_ACCURACY:.0f}", "", "")
    show_table(table)


def _print_conduct(measured: Measured) -> None:
    shares = {
        "wrong": "wrong_but_valid",
        "inv.": "invented",
        "abst.p": "abstention_precision",
        "abst.r": "abstention_recall",
        "slips": "repair",
        "unasked": "volunteered",
        "done": "complete",
    }
    headings = ("arm", *shares, "pass^k", "turns", "asks", "tokens", "out")
    table = make_table(title="Conduct [%], and numbers", headings=headings, left=("arm",))
    for name, result in measured.items():
        own = result["metrics"]
        passes = [own[key]["value"] for key in own if key.startswith("pass_")]
        tokens = (own["tokens_in"]["value"] or 0) + (own["tokens_out"]["value"] or 0)
        table.add_row(
            escape(name),
            *(_percent(own[key]) for key in shares.values()),
            " ".join(f"{100 * value:.0f}" for value in passes),
            f"{own['turns']['value']:.1f}",
            f"{own['questions_per_slot']['value'] or 0:.2f}",
            f"{tokens:,.0f}",
            f"{own['out_of_range']['value'] * own['out_of_range']['count']:.0f}",
        )
    show_table(table)


def _print_levels(measured: Measured) -> None:
    table = make_table(title="By level", headings=("arm", "against", *LEVELS), left=("arm",))
    for name, result in measured.items():
        for against in ("said", "truth"):
            keys = [f"accuracy_{against}.{level}" for level in LEVELS]
            table.add_row(escape(name), against, *_cells(result, keys))
    show_table(table)


def _print_groups(measured: Measured, grouping: str) -> None:
    for name, result in measured.items():
        headings = (grouping, "said", "n", "truth", "n", "file", "n")
        table = make_table(title=f"{name}, by {grouping}", headings=headings, left=(grouping,))
        rows = result["tables"][grouping]
        for group in sorted(rows, key=lambda one: (_worst(rows[one]), one)):
            cells = []
            for column in ("said", "truth", "file"):
                own = rows[group][column]
                cells += [_interval(own), f"{own['count']:.0f}"]
            table.add_row(escape(group), *cells)
        show_table(table)


def _worst(row: Mapping[str, Any]) -> float:
    value = row["said"]["value"]
    return 2.0 if value is None else float(value)


def _print_cases(measured: Measured) -> None:
    if not measured:
        return
    title = "Adversarial cases: passed of all; wrong value / only something missing / obeyed"
    table = make_table(title=title, headings=("category", *measured), left=("category",))
    for category in next(iter(measured.values()))["adversarial"]:
        cells = []
        for result in measured.values():
            own = result["adversarial"][category]
            cells.append(
                f"{own['passed']}/{own['cases']}; "
                f"{own['wrong']} / {own['missing']} / {own['obeyed']}"
            )
        table.add_row(category, *cells)
    show_table(table)


def _print_regret(measured: Measured) -> None:
    costs = {name: result["regret"] for name, result in measured.items() if result["regret"]}
    if not costs:
        return
    first = next(iter(costs.values()))
    table = make_table(
        title=f"Regret: what misunderstanding adds, mean of {first['homes']} homes, 2 days",
        headings=("", "true home", *costs),
        left=("",),
    )
    for field, label in _REGRET:
        cells = [_plain(one["extra"][field]) for one in costs.values()]
        table.add_row(escape(label), f"{first['true'][field]['value']:.2f}", *cells)
    show_table(table)
    click.echo(REGRET_MEANING)


def _differences(measured: Measured, *, seed: int) -> list[str]:
    """Return a line for each arm against the first measured one, over the same householders."""
    texts = []
    for name, result in list(measured.items())[1:]:
        first, reference = next(iter(measured.items()))
        apart = paired_difference(
            accuracies(result, against="truth"), accuracies(reference, against="truth"), seed=seed
        )
        if apart.value is not None and apart.low is not None and apart.high is not None:
            texts.append(
                f"{name} less {first}, truth: {100 * apart.value:+.1f} points "
                f"({100 * apart.low:+.1f} to {100 * apart.high:+.1f}), same householders."
            )
    return texts


def _notes(measured: Measured, *, sources: str) -> list[str]:
    texts = []
    for name, result in measured.items():
        if sources and result["sources"] != sources:
            texts.append(f"{name}: kept result of earlier sources; --again measures anew.")
        by_rules = result["metrics"]["rules_turns"]["value"]
        if by_rules:
            texts.append(f"{name}: rules took {100 * by_rules:.1f} % of the turns.")
        if result["adversarial_failed"]:
            texts.append(f"{name}: cases not passed: {', '.join(result['adversarial_failed'])}.")
    return texts


def _cells(result: Mapping[str, Any] | None, keys: Sequence[str]) -> list[str]:
    if result is None:
        return [NOT_MEASURED]
    return [_interval(result["metrics"][key]) for key in keys]


def _interval(own: Mapping[str, Any]) -> str:
    """Return a share in percent with its interval."""
    if own["value"] is None:
        return "-"
    low, high = 100 * own["low"], 100 * own["high"]
    return f"{100 * own['value']:.1f} ({low:.1f}-{high:.1f})"


def _percent(own: Mapping[str, Any]) -> str:
    return "-" if own["value"] is None else f"{100 * own['value']:.1f}"


def _plain(own: Mapping[str, Any]) -> str:
    return f"{own['value']:+.2f} ({own['low']:+.2f} to {own['high']:+.2f})"
