"""Every number of a training run, with the ablations as switches; see docs/method.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, Literal, Self, cast, get_args

from gradmap.errors import ScenarioError

Method = Literal["proximal", "backprop"]
TrustRegion = Literal["quadratic", "clip", "none"]
Statistic = Literal["hinge", "mean"]
SEED_END: Final = 2**64
"""The first seed that torch does not take."""


@dataclass(frozen=True, kw_only=True)
class ConstraintSettings:
    """How one kind of constraint enters the Lagrangian.

    With g the scaled violation, h = max(g + margin, 0) and C = E[h] - tolerance,

        multiplier C + curvature / 2 E[h^2],      multiplier <- max(0, multiplier + rate C)
    """

    margin: float = 0.0
    """How far inside its limit a quantity is kept. [scaled]"""
    tolerance: float = 0.0
    """Mean violation that is let pass; below it multipliers fall. [scaled]"""
    rate: float = 0.0
    """Step of the dual ascent; 0 keeps multipliers fixed, which is a penalty method."""
    curvature: float = 0.0
    """Weight of the squared violation."""
    start: float = 0.0
    """First multiplier."""

    def __post_init__(self) -> None:
        """Refuse negative numbers."""
        for item in fields(self):
            value = getattr(self, item.name)
            if not 0.0 <= value < float("inf"):
                raise ScenarioError(
                    f"Training: constraint setting `{item.name}` is {value}, expected a finite "
                    f"number >= 0."
                )


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How policies are trained."""

    seed: int = 0
    method: Method = "proximal"
    """`proximal` is GradMAP; `backprop` steps once along the whole gradient (GradMA)."""
    iterations: int = 250
    """Environment gradients."""
    batch_days: int = 16
    """Days rolled out for one gradient."""
    hard_share: float = 0.4
    """Part of a batch that is drawn from the training days that were furthest outside when they
    were last seen: rare days decide about violations. [-]"""
    processes: int = 2
    """Processes that share the work, one core each; results depend on it in the last bits."""
    pool_days: int = 4096
    """Training days that batches are drawn from."""
    epochs: int = 24
    """Steps taken from one gradient."""
    sample_share: float = 0.1
    """Part of the kept samples that one step looks at. [-]"""
    trust_region: TrustRegion = "quadratic"
    trust_radius: float = 0.3
    """Largest useful change of an action, of half the action range. [-]"""
    trust_radius_end: float = 0.3
    """Last radius over the first; it falls linearly. [-]"""
    trust_adapt: bool = False
    """The radius follows the share of samples at its edge instead of falling, see
    `surrogate.adapted_radius`."""
    network_response: bool = True
    """Steps foresee how voltages answer when all agents step together (`network_response`); False
    is an ablation in which each look's gradient is all they know of the network."""
    stop_share: float = 0.7
    """Epochs end early when so many samples are at the edge of the trust region. [-]"""
    learning_rate: float = 2e-2
    learning_rate_end: float = 0.05
    """Last learning rate over the first; it falls linearly. [-]"""
    betas: tuple[float, float] = (0.8, 0.95)
    """Decay of Adam's moments."""
    average_decay: float = 0.97
    """Of the moving average of parameters that is validated and used; 0 uses the last ones."""
    network_weight_start: float = 0.02
    """Factor of the network's terms at first; it rises geometrically to 1, so that policies learn
    to be cheap before they learn to be so within limits. [-]"""
    network_weight_by: float = 0.5
    """Share of the iterations after which the factor is 1. [-]"""
    std_start: float = 0.0
    """Standard deviation of exploring actions; 0 trains deterministic policies. [-]"""
    statistic: Statistic = "hinge"
    """`mean` takes C = E[g], an ablation in which days make up for one another."""
    closed_loop: bool = True
    """False cuts the gradient through observations, an ablation."""
    senses_voltage: bool = True
    """Agents see their own connection's last voltage, as its smart meter does; power flows then
    follow step by step. False is an ablation."""
    voltage: ConstraintSettings = field(
        default_factory=lambda: ConstraintSettings(
            margin=0.5, tolerance=0.001, rate=5e-3, curvature=5e-2, start=2e-3
        )
    )
    """Unit 0.01 pu, one multiplier for every node, step and side; its margin is that of the upper
    limit."""
    margin_low: float = 0.75
    """Margin of the lower voltage limit: the evening's load varies from one step to the next and
    is foreseen by nobody, while the midday sun has an upper bound. [0.01 pu]"""
    with_loading: bool = False
    """Whether loadings of lines and transformers are limited too, as `OptimumSettings` has it."""
    loading: ConstraintSettings = field(
        default_factory=lambda: ConstraintSettings(
            margin=0.02, tolerance=1e-4, rate=1e-2, curvature=0.1
        )
    )
    """Unit 1 rating, one multiplier for every branch and step; counts `with_loading` only."""
    device: ConstraintSettings = field(
        default_factory=lambda: ConstraintSettings(
            tolerance=0.1, rate=1e-4, curvature=0.01, start=5e-3
        )
    )
    """Requests that devices cannot follow, in widths of the action range, summed over the day; one
    multiplier for every agent, in units of the mean agent's nominal cost."""
    comfort: ConstraintSettings = field(
        default_factory=lambda: ConstraintSettings(
            tolerance=0.02, rate=3e-3, curvature=0.03, start=5e-3
        )
    )
    """Kelvin outside the comfort band, and kWh missing at departures, summed over the day's steps;
    one multiplier for every agent, in the same unit."""
    hidden: tuple[int, ...] = (16,)
    """Widths of each policy's hidden layers."""
    clock_harmonics: int = 4
    validate_every: int = 25
    """Iterations between validations; also between checkpoints."""
    validation_days: int = 200
    outside_share: float = 0.02
    """Of the validation days that may leave the limits, by however little; among such policies
    the cheapest is kept. Once the network weighs in full, earlier ones do not count. [-]"""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained with, naming the setting."""
        for name in ("iterations", "batch_days", "processes", "pool_days", "epochs"):
            self._expect(name, getattr(self, name) >= 1, "a whole number >= 1")
        for name in ("validate_every", "validation_days"):
            self._expect(name, getattr(self, name) >= 1, "a whole number >= 1")
        for name in ("sample_share", "stop_share", "trust_radius_end", "learning_rate_end"):
            self._expect(name, 0.0 < getattr(self, name) <= 1.0, "a number in (0, 1]")
        for name in ("trust_radius", "learning_rate"):
            self._expect(name, 0.0 < getattr(self, name) < float("inf"), "a finite number > 0")
        for name in ("network_weight_start", "network_weight_by"):
            self._expect(name, 0.0 < getattr(self, name) <= 1.0, "a number in (0, 1]")
        self._expect("hard_share", 0.0 <= self.hard_share < 1.0, "a number in [0, 1)")
        self._expect("outside_share", 0.0 <= self.outside_share < 1.0, "a number in [0, 1)")
        self._expect("average_decay", 0.0 <= self.average_decay < 1.0, "a number in [0, 1)")
        self._expect("margin_low", 0.0 <= self.margin_low < float("inf"), "a number >= 0")
        self._expect("seed", 0 <= self.seed < SEED_END, f"a whole number from 0 to {SEED_END - 1}")
        self._expect("hidden", all(width >= 1 for width in self.hidden), "whole numbers >= 1")
        self._expect("clock_harmonics", self.clock_harmonics >= 0, "a whole number >= 0")
        self._expect("std_start", 0.0 <= self.std_start < float("inf"), "a finite number >= 0")
        proper = len(self.betas) == 2 and all(0.0 <= beta < 1.0 for beta in self.betas)
        self._expect("betas", proper, "two numbers in [0, 1)")
        self._expect("method", self.method in get_args(Method), f"one of {get_args(Method)}")
        self._expect(
            "trust_region",
            self.trust_region in get_args(TrustRegion),
            f"one of {get_args(TrustRegion)}",
        )
        self._expect(
            "statistic", self.statistic in get_args(Statistic), f"one of {get_args(Statistic)}"
        )
        self._expect("batch_days", self.batch_days >= self.processes, "a day a process")
        self._expect("pool_days", self.pool_days >= self.batch_days, "at least one batch")

    def _expect(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            raise ScenarioError(
                f"Training setting `{name}` is {getattr(self, name)!r}, expected {expected}."
            )

    @property
    def key(self) -> str:
        """Return a short hash of all settings."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]

    def updated(self, changes: Mapping[str, Any]) -> Self:
        """Return the settings with some changed.

        Args:
            changes: Name to value; a constraint's own settings as a mapping, or by dotted names
                such as `voltage.margin`.

        Raises:
            ScenarioError: A name that does not exist, or a value of another type.
        """
        # All at once: some settings only fit together.
        whole: dict[str, Any] = {}
        for name, value in changes.items():
            head, _, rest = name.partition(".")
            before = whole[head] if head in whole else _present(self, head)
            whole[head] = _changed(before, head, rest, value)
        return replace(self, **whole)


def _present(settings: Any, head: str) -> Any:
    names = [item.name for item in fields(settings)]
    if head not in names:
        raise ScenarioError(
            f"Training setting `{head}` does not exist; expected one of {', '.join(names)}."
        )
    return getattr(settings, head)


def _changed(old: Any, head: str, rest: str, value: Any) -> Any:
    """Return the new value of the setting `head`, or of `rest` inside it."""
    if isinstance(old, ConstraintSettings):
        inner = {rest: value} if rest else value
        if not isinstance(inner, Mapping):
            raise ScenarioError(f"Training setting `{head}` is {value!r}, expected a mapping.")
        changed = {
            str(name): _changed(_present(old, str(name)), str(name), "", number)
            for name, number in inner.items()
        }
        return replace(old, **changed)
    return _like(old, value, name=head)


def _like(old: Any, value: Any, *, name: str) -> Any:
    """Return a value as the type of the one it replaces."""
    if isinstance(old, tuple):
        first = old[0] if old else 0  # only widths may be none
        if isinstance(value, list | tuple) and all(_fits(item, like=first) for item in value):
            return tuple(type(first)(item) for item in value)
        raise ScenarioError(
            f"Training setting `{name}` is {value!r}, expected a list like {list(old)}."
        )
    kind = cast(type, type(old))
    if not _fits(value, like=old):
        raise ScenarioError(
            f"Training setting `{name}` is {value!r}, expected a {kind.__name__} like {old!r}."
        )
    return kind(value)


def _fits(value: Any, *, like: Any) -> bool:
    """Return whether a plain value may stand where another stood; whole numbers may for others."""
    if isinstance(like, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is type(like)
