"""Controllers by name, as scenario files give them."""

from __future__ import annotations

from pathlib import Path

from gradmap.baselines.no_control import NoControl
from gradmap.baselines.price_only import PriceOnly
from gradmap.baselines.rule_based import RuleBased
from gradmap.controller import Controller
from gradmap.days import Days
from gradmap.devices.fleet import Fleet
from gradmap.errors import ScenarioError
from gradmap.policies.checkpoint import check_files, load_policy
from gradmap.policies.independent import PolicyController

POLICY_PREFIX = "policy:"
RULES = ("no_control", "rule_based", "price_only")
"""Controllers without a checkpoint."""
CONTROLLER_NAMES = (*RULES, f"{POLICY_PREFIX}<folder>")
"""What `make_controller` knows."""


def make_controller(name: str, *, fleet: Fleet, history: Days | None = None) -> Controller:
    """Return the controller called `name` for a fleet.

    Args:
        name: One of `CONTROLLER_NAMES`; a learned policy is `policy:` and its checkpoint's folder.
        fleet: Whose agents it controls; a policy must have been trained for all of them.
        history: Usual days, which `price_only` plans for; a standard day if left out.
    """
    check_controller(name)
    if name == "no_control":
        return NoControl(fleet)
    if name == "rule_based":
        return RuleBased(fleet)
    if name == "price_only":
        return PriceOnly(fleet, history=history)
    policy = load_policy(policy_folder(name)).policy.for_agents(fleet.agent_ids)
    return PolicyController(policy, fleet=fleet)


def policy_folder(name: str) -> Path:
    """Return the checkpoint's folder of a `policy:<folder>` controller."""
    return Path(name.removeprefix(POLICY_PREFIX))


def check_controller(name: str) -> None:
    """Refuse an unknown name, or a policy without its files, before there is a fleet."""
    if name in RULES:
        return
    if name.startswith(POLICY_PREFIX) and name != POLICY_PREFIX:
        check_files(policy_folder(name))
        return
    raise ScenarioError(
        f"Controller {name!r} is unknown; expected one of {', '.join(CONTROLLER_NAMES)}. "
        f"Correct the name in the scenario."
    )
