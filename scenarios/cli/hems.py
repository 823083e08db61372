"""`gradmap hems`: interview a householder, schedule their home, measure the interview."""

from __future__ import annotations

import importlib

import click

# Subcommand to (module, its one-line help), so that `gradmap hems --help` imports none.
SUBCOMMANDS = {
    "interview": ("scenarios.cli.hems_interview", "Ask a householder about their home."),
    "schedule": ("scenarios.cli.hems_schedule", "Plan a day of an interviewed home."),
    "evaluate": ("scenarios.cli.hems_evaluate", "Measure interviews with simulated householders."),
}


class _LazyGroup(click.Group):
    """Imports a subcommand's module only to run it or to show its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        command: click.Command = importlib.import_module(SUBCOMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in SUBCOMMANDS.items()])


@click.group(cls=_LazyGroup, short_help="Interview a home and plan its devices.")
def command() -> None:
    r"""From a conversation to a home's schedule.

    An interview writes a home file, a schedule plans a day of it, and an evaluation measures how
    well interviews understand simulated householders. Example:

    \b
        gradmap hems interview --out home.yaml
        gradmap hems schedule home.yaml --season winter
    """
