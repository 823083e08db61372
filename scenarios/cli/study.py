"""`gradmap study`: what trained policies are worth, and what their training costs."""

from __future__ import annotations

import importlib

import click

# Subcommand to (module, its one-line help), so that `gradmap study --help` imports neither.
SUBCOMMANDS = {
    "compare": ("scenarios.cli.study_compare", "Methods on test days, judged by OpenDSS."),
    "reuse": ("scenarios.cli.study_reuse", "What using each gradient several times saves."),
    "scale": ("scenarios.cli.study_scale", "Seconds and memory of training by agents and days."),
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


@click.group(cls=_LazyGroup, short_help="Compare trained policies; measure training.")
def command() -> None:
    """Compare trained policies, and measure what their training costs.

    Every measurement is kept as a file named by what was measured: a study that was interrupted, or
    is asked again, measures only what is missing.
    """
