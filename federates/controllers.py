"""Names of what can control the devices of a scenario, and what each needs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from federates.hems.optimiser.solver import import_highspy
from gradmap.baselines.registry import CONTROLLER_NAMES, POLICY_PREFIX, RULES, check_controller
from gradmap.errors import ScenarioError

HEMS: Final = "hems"
"""Every home's own energy manager, `federates.hems.controller`."""
TRAINED_FOLDER: Final = "policy"
"""In a training's folder, the trained policies."""
NAMES: Final = (*RULES, HEMS, *(name for name in CONTROLLER_NAMES if name not in RULES))


def short_name(controller: str) -> str:
    """Return what a controller goes by in folders and tables, such as `policy_gradmap`.

    A policy goes by the name of its folder; the folder `policy` of a training by the training's.
    """
    kind, colon, where = controller.partition(":")
    if not colon:
        return kind
    folder = Path(where)
    own = folder.parent.name if folder.name == TRAINED_FOLDER else ""
    return f"{kind}_{own or folder.name}"


def check_name(name: str) -> None:
    """Refuse an unknown controller, or one whose files or packages are missing.

    Raises:
        ScenarioError: The name is unknown, or a policy's folder is not there.
        MissingExtraError: `hems` without the extra `optimum`.
    """
    if name == HEMS:
        import_highspy()
    elif name in RULES or name.startswith(POLICY_PREFIX):
        check_controller(name)
    else:
        raise ScenarioError(
            f"Controller {name!r} is unknown; expected one of {', '.join(NAMES)}. "
            f"Correct the name in the scenario."
        )
