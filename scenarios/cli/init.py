"""`gradmap init`: a commented scenario file, or the JSON Schema for editors."""

from __future__ import annotations

from pathlib import Path

import click

from scenarios.loading import bundled_scenarios, load_scenario
from scenarios.template import commented_scenario, json_schema


@click.command(
    epilog="Example: gradmap init my.yaml --like quick_start && gradmap run my.yaml",
    short_help="Write a commented scenario file.",
)
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--like",
    type=click.Choice(sorted(bundled_scenarios())),
    default="quick_start",
    show_default=True,
    help="Bundled scenario to start from.",
)
@click.option("--schema", is_flag=True, help="Write the JSON Schema instead, for editors.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def command(path: Path, *, like: str, schema: bool, force: bool) -> None:
    """Write a commented scenario file to PATH, ready to edit and run."""
    if path.exists() and not force:
        raise click.UsageError(f"{path} exists; choose another name or pass --force.")
    text = json_schema() if schema else commented_scenario(load_scenario(bundled_scenarios()[like]))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise click.UsageError(f"{path} cannot be written: {exc.strerror}.") from exc
    click.echo(f"Wrote {path}." + ("" if schema else f" Edit it, then: gradmap run {path}"))
