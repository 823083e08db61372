"""Whether a policy set may be used: same network, same devices, inputs as in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from gradmap.errors import ScenarioError
from gradmap.policies.card import CARD_FILE, AgentFacts, GridFacts, ModelCard, Range
from gradmap.policies.checkpoint import LoadedPolicy

OutsideRange = Literal["refuse", "warn"]

CHECKED: Final = (
    "price_import_per_kwh",
    "price_export_per_kwh",
    "temp_out_c",
    "base_load_kw",
    "pv_kw",
)
"""Features whose trained range counts. The clock is the same everywhere; voltages and device
states follow from what the policies do."""
WIDENED_BY: Final = 0.10
"""Of the trained range's width, on either side."""
SHARE_OUTSIDE: Final = 0.01
"""More values outside than this and the feature is outside."""
_ROUNDING: Final = 1e-6
"""Of the largest value: training days may be in single precision, and a range may have no width."""
_MOST_SHOWN: Final = 3
_SETTINGS: Final = {
    "source_v_pu": "feeder.source_v_pu",
    "regulators": "feeder.regulators",
    "v_min_pu": "limits.v_min_pu",
    "v_max_pu": "limits.v_max_pu",
    "loading_max": "limits.loading_max",
    "exclude_buses": "limits.exclude_buses",
}


@dataclass(frozen=True, kw_only=True)
class Outside:
    """A feature that leaves its trained range."""

    feature: str
    kind: str | None
    """Of the agents that observe it; None for all."""
    share: float
    """Part of its values outside the widened range. [-]"""
    worst: float
    """The value furthest outside, in the feature's unit."""
    trained: Range

    def __str__(self) -> str:
        """Return the finding as part of a sentence."""
        whose = "" if self.kind is None else f" of {self.kind} agents"
        return (
            f"`{self.feature}`{whose} is up to {self.worst:.4g}, trained were "
            f"{self.trained.low:.4g} to {self.trained.high:.4g} "
            f"({100.0 * self.share:.0f} % of the values are outside)"
        )


class OutsideCounter:
    """Counts values outside the trained ranges, a part of the series at a time."""

    def __init__(self, card: ModelCard) -> None:
        self._ranges: dict[tuple[str | None, str], Range] = {
            (None, name): seen for name, seen in card.days.common.items() if name in CHECKED
        }
        for kind, ranges in card.days.by_kind.items():
            self._ranges |= {(kind, name): s for name, s in ranges.items() if name in CHECKED}
        self._seen = dict.fromkeys(self._ranges, 0)
        self._outside = dict.fromkeys(self._ranges, 0)
        self._worst: dict[tuple[str | None, str], tuple[float, float]] = {}

    def add(self, feature: str, values: NDArray[np.float64], *, kind: str | None = None) -> None:
        """Count values of a feature; what is not checked or not on the card is ignored.

        Args:
            feature: One of `gradmap.observations.FEATURES`.
            values: In any shape, in the feature's unit.
            kind: Of the agents that observe them; None for features that all agents share.
        """
        key = (kind, feature)
        if key not in self._ranges or not values.size:
            return
        low, high = _widened(self._ranges[key])
        self._seen[key] += values.size
        n_outside = values.size - int(((values >= low) & (values <= high)).sum())
        self._outside[key] += n_outside
        if n_outside:
            distance = np.maximum(low - values, values - high)
            place = int(distance.argmax())
            found = (float(distance.flat[place]), float(values.flat[place]))
            self._worst[key] = max(self._worst.get(key, found), found)

    def findings(self) -> tuple[Outside, ...]:
        """Return the features that are outside."""
        return tuple(
            Outside(
                feature=feature,
                kind=kind,
                share=self._outside[kind, feature] / seen,
                worst=self._worst[kind, feature][1],
                trained=self._ranges[kind, feature],
            )
            for (kind, feature), seen in self._seen.items()
            if seen and self._outside[kind, feature] > SHARE_OUTSIDE * seen
        )


def check_own(card: ModelCard, *, loaded: LoadedPolicy, policy: str) -> None:
    """Refuse a card that was copied from other networks, or is older than those beside it.

    Args:
        card: That lies beside the policy.
        loaded: The policy.
        policy: What to call it in errors, its folder.

    Raises:
        ScenarioError: Tensors, agents, architecture, feeder or seed differ. Cards of before do not
            say the tensors, which then may.
    """
    same = (
        card.tensors_sha256 in (None, loaded.tensors_sha256)
        and set(loaded.policy.agent_ids) == set(card.agents)
        and loaded.policy.architecture == card.architecture
        and loaded.provenance.feeder_hash == card.grid.feeder_hash
        and loaded.provenance.seed == card.training.seed
    )
    if not same:
        raise ScenarioError(
            f"Policy {policy!r}: its {CARD_FILE} describes other networks than lie beside it, "
            f"expected the same tensors, agents, architecture, feeder and seed. Keep the files of "
            f"a training together, or finish the training that was cut off."
        )


def check_applicable(
    card: ModelCard,
    *,
    policy: str,
    grid: GridFacts,
    agents: Mapping[str, AgentFacts],
    outside: Sequence[Outside] = (),
    outside_range: OutsideRange = "refuse",
) -> tuple[str, ...]:
    """Refuse to use a policy set where it was not trained.

    Args:
        card: Of the policy set.
        policy: What to call it in errors, its folder.
        grid: The network it is to be used in.
        agents: Who is to use it. Agents without a network are refused elsewhere, and agents may
            be missing.
        outside: What `OutsideCounter` found in the inputs.
        outside_range: Whether these findings are an error.

    Returns:
        A remark on every finding that was let pass.

    Raises:
        ScenarioError: The first of: other settings of the network, another feeder, agents at
            another connection, other devices, inputs outside the trained ranges.
    """
    _check_settings(card.grid, grid, policy=policy)
    _check_feeder(card.grid, grid, policy=policy)
    _check_agents(card, agents, policy=policy)
    if not outside:
        return ()
    if outside_range == "warn":
        return tuple(f"Policy {policy!r}: {finding}." for finding in outside)
    shown = "; ".join(str(finding) for finding in outside[:_MOST_SHOWN])
    more = len(outside) - _MOST_SHOWN
    raise ScenarioError(
        f"Policy {policy!r}: {shown}{f'; and {more} more' if more > 0 else ''}. Policies say "
        f"nothing about inputs that they never saw: train with `gradmap train` for such days, or "
        f"set `policies.outside_range: warn` to run all the same."
    )


def _check_settings(trained: GridFacts, now: GridFacts, *, policy: str) -> None:
    wrong = [
        f"`{setting}` {_shown(getattr(trained, name))}, here it is {_shown(getattr(now, name))}"
        for name, setting in _SETTINGS.items()
        if getattr(trained, name) != getattr(now, name)
    ]
    if wrong:
        raise ScenarioError(
            f"Policy {policy!r} was trained with {'; '.join(wrong)}. Set the scenario as in "
            f"training, or train a policy for it with `gradmap train`."
        )


def _check_feeder(trained: GridFacts, now: GridFacts, *, policy: str) -> None:
    if trained.feeder_hash != now.feeder_hash:
        raise ScenarioError(
            f"Policy {policy!r} was trained on feeder {trained.feeder_name!r} with hash "
            f"{trained.feeder_hash[:12]}, the scenario's feeder {now.feeder_name!r} has hash "
            f"{now.feeder_hash[:12]}: it is another one, or was changed. Use the feeder of "
            f"training, or train a policy for this one with `gradmap train`."
        )


def _check_agents(card: ModelCard, agents: Mapping[str, AgentFacts], *, policy: str) -> None:
    known = {name: card.agents[name] for name in agents if name in card.agents}
    moved = [n for n, then in known.items() if then.connection_id != agents[n].connection_id]
    changed = [
        name
        for name, then in known.items()
        if (then.kind, then.device_hash) != (agents[name].kind, agents[name].device_hash)
    ]
    for found, what in ((changed, "another device"), (moved, "another connection")):
        if found:
            shown = ", ".join(repr(name) for name in found[:_MOST_SHOWN])
            verb = "have" if what == "another device" else "are at"
            raise ScenarioError(
                f"Policy {policy!r}: {len(found)} of {len(agents)} agents {verb} {what} than in "
                f"training, first {shown}; expected the same. Fine-tune their networks with "
                f"`gradmap train SCENARIO --fine-tune {policy} --agents "
                f"{','.join(found[:_MOST_SHOWN])}{',...' if len(found) > _MOST_SHOWN else ''}`."
            )


def _widened(trained: Range) -> tuple[float, float]:
    """Return the ends between which values pass."""
    pad = max(
        WIDENED_BY * (trained.high - trained.low),
        _ROUNDING * max(abs(trained.low), abs(trained.high)),
    )
    return trained.low - pad, trained.high + pad


def _shown(value: Any) -> str:
    """Return a setting as a scenario file writes it."""
    if isinstance(value, tuple):
        return f"[{', '.join(_shown(item) for item in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
