"""`gradmap export`: one agent's policy for a home controller."""

from __future__ import annotations

from pathlib import Path

import click

from gradmap.errors import ScenarioError
from scenarios.cli.exit_codes import OK


@click.command(
    epilog="Example: gradmap export trained/policy --agent h0001.battery --out h0001.onnx",
    short_help="Write one agent's policy as ONNX.",
)
@click.argument("policy", type=click.Path(file_okay=False, path_type=Path))
@click.option("--agent", required=True, help="Agent id, as in inputs/devices of a run.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
def command(policy: Path, *, agent: str, out: Path) -> int:
    """Write the network of one agent of POLICY, a checkpoint's folder, as an ONNX file.

    Its input is the agent's own observation in physical units, its output an action in [-1, 1];
    names and meaning are in the file's metadata. Needs the extra `export`.
    """
    # Imported here: torch takes seconds that `--help` should not pay.
    from gradmap.policies.checkpoint import load_policy  # noqa: PLC0415
    from gradmap.policies.onnx_file import save_onnx  # noqa: PLC0415

    if not out.parent.is_dir():
        raise ScenarioError(f"Option --out: folder {str(out.parent)!r} does not exist. Make it.")
    save_onnx(out, loaded=load_policy(policy), agent_id=agent)
    click.echo(f"ONNX: {out}")
    return OK
