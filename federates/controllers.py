"""Names of what can control the devices of a scenario, and what each needs."""

from __future__ import annotations

from typing import Final

from federates.hems.optimiser.solver import import_highspy
from gradmap.baselines.registry import CONTROLLER_NAMES, POLICY_PREFIX, RULES, check_controller
from gradmap.errors import ScenarioError

HEMS: Final = "hems"
"""Every home's own energy manager, `federates.hems.controller`."""
NAMES: Final = (*RULES, HEMS, *(name for name in CONTROLLER_NAMES if name not in RULES))


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
