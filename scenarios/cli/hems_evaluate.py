"""`gradmap hems evaluate`: interviews of simulated householders, measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.cli.console import named_bars
from scenarios.cli.exit_codes import OK
from scenarios.cli.options import again_option, results_option
from scenarios.cli.output import patient_output

if TYPE_CHECKING:
    from federates.hems.chat.settings import ServerSettings


@click.command(
    "evaluate",
    epilog="Example: gradmap hems evaluate --arms rules,form --dialogues 500 --seed 0 --jobs 2",
    short_help="Measure interviews with simulated householders.",
)
@click.option("--arms", "names", default="rules", show_default=True, metavar="A,B", help="Or all.")
@click.option("--dialogues", type=click.IntRange(1, 100_000), default=500, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option(
    "--repeats",
    type=click.IntRange(1, 16),
    default=1,
    show_default=True,
    help="Dialogues of each householder, in other words; for pass^k.",
)
@click.option(
    "--users", type=click.Choice(["grammar", "llm"]), default="grammar", show_default=True
)
@click.option(
    "--templates",
    type=click.Choice(["held-out", "held-out-2", "development"]),
    default="held-out",
    show_default=True,
    help="Whose words grammar users have.",
)
@click.option(
    "--regret",
    "n_regret",
    type=click.IntRange(0, 10_000),
    default=50,
    show_default=True,
    help="Homes whose days are also scheduled; 0 needs no solver.",
)
@click.option("--jobs", type=click.IntRange(1, 256), default=2, show_default=True)
@click.option("--interviewer-url", help="OpenAI-compatible server of the llm arms.")
@click.option("--interviewer-model", help="Its model.")
@click.option("--user-url", help="Server of householders played by a model.")
@click.option("--user-model", help="Its model.")
@click.option(
    "--by",
    "groups",
    default="",
    metavar="A,B",
    help="Also print accuracies by slot, kind or device.",
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write figures to."
)
@results_option
@again_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    *,
    names: str,
    dialogues: int,
    seed: int,
    repeats: int,
    users: str,
    templates: str,
    n_regret: int,
    jobs: int,
    interviewer_url: str | None,
    interviewer_model: str | None,
    user_url: str | None,
    user_model: str | None,
    groups: str,
    out: Path | None,
    results: Path | None,
    again: bool,
    as_json: bool,
) -> int:
    """Interview simulated householders with several arms and compare what came out.

    Arms: rules, form (all questions of a section at once), and with a language model llm,
    llm-few-shot, llm-react, llm-react-few-shot. A key, where a server needs one, stands in the
    environment variable GRADMAP_LLM_API_KEY. Results are kept; an arm that was never measured is
    shown as such.

    Exit codes: 0 success, 1 a server or a process failed, 2 wrong input.
    """
    # Imported here: torch takes seconds that `--help` should not pay.
    from federates.hems.evaluation.arms import ARMS, arms_named  # noqa: PLC0415
    from federates.hems.evaluation.measuring import Plan  # noqa: PLC0415
    from scenarios.cli.hems_tables import groupings_named, print_study  # noqa: PLC0415
    from scenarios.report.standalone import write_figure  # noqa: PLC0415
    from scenarios.study.hems_accuracy_figure import accuracy_figure  # noqa: PLC0415
    from scenarios.study.hems_interviews import (  # noqa: PLC0415
        STUDY,
        Study,
        kept_result,
        measured_arm,
        source_digest,
    )
    from scenarios.study.results_folder import ResultsFolder  # noqa: PLC0415

    wanted, grouped = arms_named(names), groupings_named(groups)
    plan = Plan(
        seed=seed,
        n_dialogues=dialogues,
        repeats=repeats,
        users="llm" if users == "llm" else "grammar",
        templates=templates.replace("-", "_"),
        interviewer_server=_server(interviewer_url, interviewer_model, name="interviewer"),
        user_server=_server(user_url, user_model, name="user"),
    )
    study = Study(plan=plan, n_regret=min(n_regret, dialogues), jobs=jobs, again=again)
    folder = ResultsFolder.at(results, study=STUDY)
    found: dict[str, dict[str, Any] | None] = {}
    with named_bars(quiet=as_json) as show:
        for arm in ARMS.values():
            if arm not in wanted or (arm.chat and plan.interviewer_server is None):
                found[arm.name] = kept_result(arm, study, folder)
                continue

            def tell(share: float, name: str = arm.name) -> None:
                if show is not None:
                    show(name, share)

            found[arm.name] = measured_arm(arm, study, folder, on_share=tell)
    figure = None if out is None else write_figure(accuracy_figure(found), out / "accuracy.svg")
    with patient_output():
        if as_json:
            click.echo(json.dumps(found, indent=1))
        else:
            print_study(found, study, groups=grouped, sources=source_digest())
            if figure is not None:
                click.echo(f"Wrote {figure}")
    return OK


def _server(url: str | None, model: str | None, *, name: str) -> ServerSettings | None:
    """Return a server's settings, or None if neither option is given."""
    from scenarios.cli.hems_server import server_settings  # noqa: PLC0415

    return server_settings(url, model, options=(f"--{name}-url", f"--{name}-model"))
