"""`gradmap export`: one agent's policy for a home controller."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from gradmap.errors import ScenarioError
from scenarios.cli.exit_codes import OK
from scenarios.loading import find_policy


@click.command(
    epilog="Example: gradmap export trained/policy --agent h0001.battery --out h0001.onnx",
    short_help="Write one agent's policy as ONNX.",
)
@click.argument("policy")
@click.option("--agent", required=True, help="Agent id, as in policy.json of the policy.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(policy: str, *, agent: str, out: Path, as_json: bool) -> int:
    """Write the network of one agent of POLICY, a policy's folder or a bundled name, as ONNX.

    Its input is the agent's own observation in physical units, its output an action in [-1, 1];
    features with units, kind of device, power range, step and trained ranges are in the file's
    metadata. Needs the extra `export`.

    Exit codes: 0 success, 1 the file could not be written or the extra is missing, 2 wrong input.
    """
    # Imported here: torch takes seconds that `--help` should not pay.
    from gradmap.policies.applicability import check_own  # noqa: PLC0415
    from gradmap.policies.card import CARD_FILE, read_card  # noqa: PLC0415
    from gradmap.policies.checkpoint import load_policy  # noqa: PLC0415
    from gradmap.policies.onnx_file import save_onnx  # noqa: PLC0415

    if not out.parent.is_dir():
        raise ScenarioError(f"Option --out: folder {str(out.parent)!r} does not exist. Make it.")
    folder = _folder(policy)
    card, loaded = read_card(folder), load_policy(folder)
    if card is not None:
        check_own(card, loaded=loaded, policy=str(folder))
    save_onnx(out, loaded=loaded, agent_id=agent, card=card)
    known = None if card is None else card.agents.get(agent)
    if as_json:
        facts = {} if known is None else asdict(known)
        click.echo(json.dumps({"onnx": str(out), "agent": agent, **facts}, indent=1))
    else:
        click.echo(f"ONNX: {out}")
    if known is None or known.p_max_kw is None:
        click.echo(
            f"Remark: the policy's {CARD_FILE} does not say which power in kW the actions -1 and "
            f"+1 are, so the file does not either; take them from the device.",
            err=True,
        )
    return OK


def _folder(policy: str) -> Path:
    """Return the folder of a policy; name the one inside where a training folder was given."""
    from federates.controllers import TRAINED_FOLDER  # noqa: PLC0415
    from gradmap.policies.checkpoint import SIDECAR_FILE  # noqa: PLC0415

    folder = find_policy(policy)
    inside = folder / TRAINED_FOLDER
    if not (folder / SIDECAR_FILE).is_file() and (inside / SIDECAR_FILE).is_file():
        raise ScenarioError(
            f"Policy {policy!r} is a training folder, expected the folder of its policy. "
            f"Use {str(inside)!r}."
        )
    return folder
