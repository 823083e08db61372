"""The policy that a fine-tuning starts from: read, judged against the scenario, recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from gradmap.devices.fleet import Fleet
from gradmap.errors import ScenarioError
from gradmap.policies.card import CARD_FILE, read_card
from gradmap.policies.checkpoint import load_policy
from gradmap.policies.independent import IndependentPolicies
from gradmap.training.fine_tuning import agents_to_train
from gradmap.training.settings import TrainingSettings
from scenarios.case import Case
from scenarios.policy_card import agent_facts
from scenarios.policy_check import check_in_case
from scenarios.population import Population

CHANGED: Final = "changed"
"""In place of agents' names: those whose device or connection is not that of the model card."""
ARCHITECTURE = ("hidden", "clock_harmonics", "senses_voltage")
"""Settings that the parent's networks decide."""


@dataclass(frozen=True, kw_only=True)
class FineTune:
    """What is asked for: only some agents of a policy are trained, the others stay as they are."""

    policy_folder: Path
    agents: tuple[str, ...] = ()
    """To train besides those that the policy does not know; `(CHANGED,)` finds them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Parent:
    """A verified policy, and who is to be trained in it."""

    folder: Path
    policy: IndependentPolicies
    tensors_sha256: str
    trained: tuple[int, ...]
    """Rows of the fleet."""
    trained_ids: tuple[str, ...]

    def described(self) -> dict[str, Any]:
        """Return what a training folder records."""
        known = set(self.policy.agent_ids)
        return {
            "parent": str(self.folder),
            "parent_tensors_sha256": self.tensors_sha256,
            "retrained_agents": list(self.trained_ids),
            "new_agents": [name for name in self.trained_ids if name not in known],
        }


def open_parent(asked: FineTune, *, case: Case, fleet: Fleet, out: Path) -> Parent:
    """Read the policy to start from.

    Args:
        asked: Its folder, and who is to be trained.
        case: Where it is fine-tuned: the network, and the devices of agents that stay as they are,
            must be those of its training.
        fleet: Of the case.
        out: Policy folder of the training.

    Raises:
        ScenarioError: It is refused, would be overwritten, or there is nobody to train.
    """
    if asked.policy_folder.resolve() == out.resolve():
        raise ScenarioError(
            f"Fine-tuning: policy {str(asked.policy_folder)!r} would be overwritten. Choose "
            f"another folder for the training."
        )
    loaded = load_policy(asked.policy_folder)
    policy = loaded.policy
    named = asked.agents
    if named == (CHANGED,):
        named = changed_agents(asked.policy_folder, case.population)
    trained = agents_to_train(policy, fleet, named=named)
    trained_ids = tuple(fleet.agent_ids[row] for row in trained)
    check_in_case(
        asked.policy_folder,
        scenario=case.scenario,
        feeder=case.feeder,
        population=case.population,
        retrained=trained_ids,
    )
    return Parent(
        folder=asked.policy_folder,
        policy=policy,
        tensors_sha256=loaded.tensors_sha256,
        trained=trained,
        trained_ids=trained_ids,
    )


def changed_agents(policy_folder: Path, population: Population) -> tuple[str, ...]:
    """Return the agents that a policy knows with another device, or at another connection.

    Raises:
        ScenarioError: The policy has no model card, which says how they were.
    """
    card = read_card(policy_folder)
    if card is None:
        raise ScenarioError(
            f"Policy {str(policy_folder)!r} has no {CARD_FILE}, so nobody can tell whose devices "
            f"have changed since its training. Name the agents."
        )
    return tuple(
        name
        for name, facts in agent_facts(population).items()
        if name in card.agents and card.agents[name] != facts
    )


def with_architecture(
    settings: TrainingSettings, *, policy: IndependentPolicies
) -> TrainingSettings:
    """Return the settings with the architecture of a policy.

    Raises:
        ScenarioError: A setting asks for another one.
    """
    wanted = {name: getattr(policy.architecture, name) for name in ARCHITECTURE}
    for name, value in wanted.items():
        asked = getattr(settings, name)
        if asked not in (value, getattr(TrainingSettings(), name)):
            raise ScenarioError(
                f"Training setting `{name}` is {asked!r}, expected {value!r} as in the policy that "
                f"is fine-tuned. Leave it out."
            )
    return replace(settings, **wanted)
