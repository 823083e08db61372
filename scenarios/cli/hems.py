"""`gradmap hems`: interview a householder, schedule their home, measure the interview."""

from __future__ import annotations

import click

from scenarios.cli.lazy_group import LazyGroup

# Subcommand to (module, its one-line help), so that `gradmap hems --help` imports none.
SUBCOMMANDS = {
    "interview": ("scenarios.cli.hems_interview", "Ask a householder about their home."),
    "schedule": ("scenarios.cli.hems_schedule", "Plan a day of an interviewed home."),
    "homes": ("scenarios.cli.hems_homes", "Write home files of simulated householders."),
    "evaluate": ("scenarios.cli.hems_evaluate", "Measure interviews with simulated householders."),
}


@click.group(
    cls=LazyGroup, modules=SUBCOMMANDS, short_help="Interview a home and plan its devices."
)
def command() -> None:
    r"""From a conversation to a home's schedule.

    An interview writes a home file, a schedule plans a day of it, and an evaluation measures how
    well interviews understand simulated householders. Example:

    \b
        gradmap hems interview --out home.yaml
        gradmap hems schedule home.yaml --season winter
    """
