"""Ways to control interviewed homes, judged on test days in the homes as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import torch

from gradmap.baselines.registry import make_controller
from gradmap.controller import Controller
from gradmap.devices.fleet import Fleet
from gradmap.feeder import FloatArray
from gradmap.policies.independent import IndependentPolicies
from gradmap.types import AgentIndex
from scenarios.case import Case
from scenarios.study.method_days import DayFacts, Judged, in_batches, judged
from scenarios.study.methods import summary_of
from scenarios.study.processes import Tell
from scenarios.study.understood import AsUnderstood, Except

BY_HOME: Final = ("cost", "comfort_k_h")
"""Facts that are kept of every interviewed home, as means of a day."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Batch:
    """A batch of days under one way, by the names of `DayFacts`, each [day]."""

    interviewed: dict[str, FloatArray]
    """Sums over the interviewed homes."""
    everybody: dict[str, FloatArray]
    by_home: dict[str, dict[str, FloatArray]]
    """`BY_HOME` of each interviewed home."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Way:
    """One way to control the interviewed homes; all others follow their policies."""

    name: str
    policy: IndependentPolicies
    understood: Case
    """With the homes as the policy takes them to be."""
    rule: str | None = None
    """Controls the interviewed homes instead of their policies: `no_control`, `rule_based`."""

    def controller(self, fleet: Fleet, *, own: AgentIndex) -> Controller:
        """Return the controller of a fleet as it is, in which `own` are the interviewed homes'."""
        usual = AsUnderstood(self.policy, understood=self.understood.fleet(), actual=fleet)
        if self.rule is None:
            return usual
        return Except(usual=usual, other=make_controller(self.rule, fleet=fleet), agents=own)


def judged_ways(
    case: Case,
    ways: Sequence[Way],
    *,
    n_days: int,
    n_processes: int,
    on_share: Tell | None = None,
) -> list[dict[str, Any]]:
    """Return the facts of each way as plain values, over the first test days.

    `interviewed` and `everybody` hold sums over agents, `by_home` means of every interviewed home.

    Args:
        case: With the homes as they are.
        ways: In any order.
        n_days: How many.
        n_processes: That share the days; 1 works in this one.
        on_share: Called with the finished share.

    Raises:
        GradmapError: A process failed.
    """
    parts = in_batches(
        partial(_work, case, ways),
        numbers=range(n_days),
        n_processes=n_processes,
        on_share=on_share,
    )
    return [_joined([part[k] for part in parts]) for k in range(len(ways))]


@torch.no_grad()
def _work(
    case: Case, ways: Sequence[Way], batches: Sequence[tuple[int, ...]], tell: Tell
) -> list[list[_Batch]]:
    """Return the facts of each batch of days, way by way."""
    rollout = case.rollout(observe_voltage=ways[0].policy.architecture.senses_voltage)
    own = _interviewed(case, fleet=rollout.fleet)
    rows = torch.tensor([row for several in own.values() for row in several], dtype=torch.int64)
    acting = [way.controller(rollout.fleet, own=rows) for way in ways]
    found = []
    for position, numbers in enumerate(batches):
        found.append(
            [
                _summed(judged(case, rollout, controller, numbers=numbers), own=own)
                for controller in acting
            ]
        )
        tell((position + 1) / len(batches))
    return found


def _interviewed(case: Case, *, fleet: Fleet) -> dict[str, list[int]]:
    """Return the rows of each interviewed home's agents."""
    found: dict[str, list[int]] = {household: [] for household in case.population.interviews}
    for row, household in enumerate(fleet.household_index.tolist()):
        name = fleet.household_ids[household]
        if name in found:
            found[name].append(row)
    return found


def _summed(judgement: Judged, *, own: Mapping[str, list[int]]) -> _Batch:
    """Return sums over the interviewed homes, over everybody, and by home."""
    agents, network = judgement.of_agents, dict(judgement.of_network)
    rows = [row for several in own.values() for row in several]
    return _Batch(
        interviewed={name: x[:, rows].sum(axis=1) for name, x in agents.items()} | network,
        everybody={name: x.sum(axis=1) for name, x in agents.items()} | network,
        by_home={
            home: {name: agents[name][:, several].sum(axis=1) for name in BY_HOME}
            for home, several in own.items()
        },
    )


def _joined(batches: Sequence[_Batch]) -> dict[str, Any]:
    """Return the facts of one way over all days, as plain values."""
    return {
        "interviewed": _described([batch.interviewed for batch in batches]),
        "everybody": _described([batch.everybody for batch in batches]),
        "by_home": {
            home: {fact: _mean([b.by_home[home][fact] for b in batches]) for fact in BY_HOME}
            for home in batches[0].by_home
        },
    }


def _mean(parts: Sequence[FloatArray]) -> float:
    return round(float(np.concatenate(parts).mean()), 4)


def _described(parts: Sequence[Mapping[str, FloatArray]]) -> dict[str, Any]:
    facts = DayFacts.joined(parts)
    return {
        "summary": asdict(summary_of(facts)),
        "days": facts.lists(),
    }
