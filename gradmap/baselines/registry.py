"""Controllers by name, as scenario files give them."""

from __future__ import annotations

from pathlib import Path

from gradmap.baselines.no_control import NoControl
from gradmap.baselines.rule_based import RuleBased
from gradmap.controller import Controller
from gradmap.devices.fleet import Fleet
from gradmap.errors import ScenarioError
from gradmap.policies.checkpoint import load_policy
from gradmap.policies.independent import PolicyController

POLICY_PREFIX = "policy:"
CONTROLLER_NAMES = ("no_control", "rule_based", f"{POLICY_PREFIX}<folder>")
"""What `make_controller` knows."""


def make_controller(name: str, *, fleet: Fleet) -> Controller:
    """Return the controller called `name` for a fleet.

    Args:
        name: One of `CONTROLLER_NAMES`; a learned policy is `policy:` and its checkpoint's folder.
        fleet: Whose agents it controls; a policy must have been trained for all of them.
    """
    if name == "no_control":
        return NoControl(fleet)
    if name == "rule_based":
        return RuleBased(fleet)
    folder = name.removeprefix(POLICY_PREFIX)
    if name.startswith(POLICY_PREFIX) and folder:
        policy = load_policy(Path(folder)).policy.for_agents(fleet.agent_ids)
        return PolicyController(policy, fleet=fleet)
    raise ScenarioError(
        f"Controller {name!r} is unknown; expected one of {', '.join(CONTROLLER_NAMES)}. "
        f"Correct the name in the scenario."
    )
