"""`gradmap study`: what trained policies are worth, and what their training costs."""

from __future__ import annotations

import click

from scenarios.cli.lazy_group import LazyGroup

# Subcommand to (module, its one-line help), so that `gradmap study --help` imports none.
SUBCOMMANDS = {
    "compare": ("scenarios.cli.study_compare", "Methods on test days, judged by OpenDSS."),
    "reuse": ("scenarios.cli.study_reuse", "What using each gradient several times saves."),
    "homes": ("scenarios.cli.study_homes", "Interviewed homes, fine-tuned and misunderstood."),
    "scale": ("scenarios.cli.study_scale", "Seconds and memory of training by agents and days."),
}


@click.group(
    cls=LazyGroup, modules=SUBCOMMANDS, short_help="Compare trained policies; measure training."
)
def command() -> None:
    """Compare trained policies, and measure what their training costs.

    Every measurement is kept as a file named by what was measured: a study that was interrupted, or
    is asked again, measures only what is missing.
    """
