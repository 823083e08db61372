"""The model card: what a policy set was trained on, where it holds, and how good it is.

`card.json` lies beside `policy.json` and is read back strictly: unknown keys, wrong types, numbers
that are not finite and later changes are refused. `MODEL_CARD.md` says the same to people and is
never read. As with checkpoints, the hash detects damage and careless edits; it is no signature.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from gradmap.errors import ScenarioError
from gradmap.files import written_whole
from gradmap.policies.card_text import card_text
from gradmap.policies.independent import Architecture

CARD_FILE: Final = "card.json"
TEXT_FILE: Final = "MODEL_CARD.md"
FORMAT_VERSION: Final = 1
_KEYS: Final = {"format_version", "card", "card_sha256"}
_CONFIG: Final = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)


@dataclass(config=_CONFIG, frozen=True, kw_only=True)
class Range:
    """What one feature was between in training, in its physical unit."""

    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse an empty range."""
        if self.low > self.high:
            raise ValueError(f"range from {self.low} to {self.high}, expected low <= high")


@dataclass(config=_CONFIG, frozen=True, kw_only=True)
class GridFacts:
    """The network that constraints were evaluated in."""

    feeder_name: str
    feeder_hash: str
    """See `gradmap.feeder_file.feeder_fingerprint`."""
    source_v_pu: tuple[float, ...]
    """Of every source. [pu]"""
    regulators: str
    """`as_defined` (they act) or `locked`."""
    v_min_pu: float
    v_max_pu: float
    loading_max: float
    """Of the normal rating. [-]"""
    exclude_buses: tuple[str, ...]
    """Left out of the voltage limits, in lower case, sorted."""


@dataclass(config=_CONFIG, frozen=True, kw_only=True)
class AgentFacts:
    """One agent's device and where it is connected."""

    kind: str
    connection_id: str
    device_hash: str
    """Short hash of all parameters of the device."""
    p_min_kw: float | None = field(default=None, compare=False)
    """Requested by action -1; not compared, `device_hash` is. None in cards of before. [kW]"""
    p_max_kw: float | None = field(default=None, compare=False)
    """Requested by action +1. [kW]"""


@dataclass(config=_CONFIG, frozen=True, kw_only=True)
class TrainingDays:
    """What the training days were like."""

    n_days: int
    """Of the first so many; training may have drawn more."""
    step_min: float
    """Step length. [min]"""
    first_day_of_year: int
    """1 is 1 January; greater than the last one if the season goes over New Year."""
    last_day_of_year: int
    tariff_kind: str
    currency: str
    common: Mapping[str, Range]
    """Observed features that all agents share: over days and steps."""
    by_kind: Mapping[str, Mapping[str, Range]]
    """Device kind to its agents' own features: over days, steps and agents of the kind."""


@dataclass(config=_CONFIG, frozen=True, kw_only=True)
class TrainingFacts:
    """How the networks came about."""

    iterations: int
    seed: int
    seconds: float
    """Of all iterations. [s]"""
    hardware: str
    settings_hash: str
    """See `gradmap.training.settings.TrainingSettings.key`."""
    with_loading: bool | None = None
    """Whether line loadings were limited; None in cards of before, which do not say it."""


@dataclass(config=_CONFIG, frozen=True, kw_only=True)
class Result:
    """How the policies did on days that they did not learn from."""

    n_days: int
    n_violating: int
    """Days more than `threshold_pu` outside a voltage limit, or with a power flow unsolved."""
    upper_bound: float
    """One-sided 95 % Clopper-Pearson bound of the true share of such days. [-]"""
    cost_mean: float
    """Mean controllable cost of a day, in the card's currency. [cur]"""
    violation_max_pu: float | None
    """Largest distance outside of all days; None where a power flow had no solution. [pu]"""
    judged_by: str
    """What solved the power flows, for example `own power flow` or `OpenDSS`."""
    threshold_pu: float = 1e-3
    """Of `n_violating`; cards of before do not say it, it was this. [pu]"""
    n_outside: int | None = None
    """Days outside at all, however little, or unsolved; None in cards of before."""
    n_overloaded: int | None = None
    """Days with a branch more than 1 % of its rating beyond its limit; None where loadings were not
    looked at."""

    def __post_init__(self) -> None:
        """Refuse impossible counts."""
        outside = self.n_violating if self.n_outside is None else self.n_outside
        if not 0 <= self.n_violating <= outside <= self.n_days or self.n_days < 1:
            raise ValueError(
                f"{self.n_violating} violating and {outside} outside of {self.n_days} days, "
                f"expected a part of them"
            )


@dataclass(config=_CONFIG, frozen=True, kw_only=True)
class ModelCard:
    """Everything a user of a policy set must know."""

    scenario_name: str
    scenario_hash: str
    version: str
    """Of this package, in training."""
    architecture: Architecture
    grid: GridFacts
    days: TrainingDays
    agents: Mapping[str, AgentFacts]
    """By agent id."""
    training: TrainingFacts
    tensors_sha256: str | None = None
    """Of the tensors file that the card describes; None in cards of before, and until saved."""
    validation: Result | None = None
    """Of the days that the best networks were chosen by, so better than the truth."""
    test: Result | None = None
    """Of days that had no part in training; None until a study fills it in."""

    def __post_init__(self) -> None:
        """Refuse agents of kinds without ranges."""
        without = sorted({agent.kind for agent in self.agents.values()} - set(self.days.by_kind))
        if without:
            raise ValueError(f"agents of kind {without[0]!r}, but no ranges of such agents")


_CARD: Final = TypeAdapter(ModelCard)


def write_card(folder: Path, card: ModelCard) -> None:
    """Write `card.json` and `MODEL_CARD.md`, each complete or not at all.

    Args:
        folder: The policy's; made if absent.
        card: To fill in a test result, write `dataclasses.replace(card, test=...)` again.
    """
    content: Any = _CARD.dump_python(card, mode="json")
    document = {
        "format_version": FORMAT_VERSION,
        "card": content,
        "card_sha256": _content_hash(content),
    }
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(folder / TEXT_FILE) as file:
        file.write(card_text(card).encode())
    with written_whole(folder / CARD_FILE) as file:
        file.write(json.dumps(document, indent=1, allow_nan=False).encode() + b"\n")


def read_card(folder: Path) -> ModelCard | None:
    """Return a policy's card, or None if it has none.

    Raises:
        ScenarioError: The card is damaged, was edited, or is of another format.
    """
    path = folder / CARD_FILE
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as exc:
        raise _refusal(path, f"it is not JSON ({exc})") from exc
    if not isinstance(document, dict) or document.get("format_version") != FORMAT_VERSION:
        found = document.get("format_version") if isinstance(document, dict) else None
        raise _refusal(path, f"format version is {found!r}, expected {FORMAT_VERSION}")
    if set(document) != _KEYS:
        raise _refusal(path, f"missing or unknown keys {sorted(set(document) ^ _KEYS)}")
    if document["card_sha256"] != _content_hash(document["card"]):
        raise _refusal(path, "it was changed after it was written")
    try:
        # As JSON again: only there a list may become a tuple although types are strict.
        return _CARD.validate_json(json.dumps(document["card"]))
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "card"
        raise _refusal(path, f"`{where}`: {first['msg']}") from exc


def _content_hash(content: Any) -> str:
    """Return the hash of a card's content, independent of layout."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _refusal(path: Path, reason: str) -> ScenarioError:
    """Return the error for a card that must not be believed."""
    return ScenarioError(
        f"Model card {str(path)!r} is refused: {reason}. Use the unchanged folder that "
        f"`gradmap train` wrote, or train the policy again."
    )
