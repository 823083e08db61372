"""`gradmap federate`: one federate, in a federation that somebody else launches."""

from __future__ import annotations

import json
from pathlib import Path

import click

from federates.oedisi import PORTS, component_definition


@click.command(
    epilog="Example: gradmap federate grid --config grid.json   (see docs/joining.md)",
    short_help="Run one federate inside a federation of yours.",
)
@click.argument("name", type=click.Choice(list(PORTS)))
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Federate configuration, JSON. Without it: OEDISI's static_inputs.json in this folder.",
)
@click.option("--definition", is_flag=True, help="Print its OEDISI component_definition.json.")
def command(name: str, *, config: Path | None, definition: bool) -> int:
    """Run the NAME federate as its configuration says."""
    if definition:
        click.echo(json.dumps(component_definition(name), indent=1))
        return 0
    from federates.config import read_federate_config  # noqa: PLC0415
    from federates.process import main  # noqa: PLC0415

    if config is not None:
        kind = read_federate_config(config).settings.kind
        if kind != name:
            raise click.UsageError(f"{config} configures a {kind!r} federate, not {name!r}.")
    return main(config)
