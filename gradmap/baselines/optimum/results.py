"""What the search for a day's optimum found, and its file, named by what it depends on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from gradmap.feeder import FloatArray
from gradmap.files import written_whole

_ARRAYS = ("p_kw",)


@dataclass(frozen=True, kw_only=True)
class Iteration:
    """What one linearisation brought."""

    cost: float
    """Of the delivered powers. [cur]"""
    bound: float
    """Lower bound of the convex program. [cur]"""
    violation: float
    """Largest, by the exact power flow; 1 is 0.01 pu or 1 % of a rating. [unit]"""
    surprise: float
    """Largest difference between exact and linearised limits over the rows. [unit]"""
    overshoot: float
    """Largest violation of a row beyond what it had to yield. [unit]"""
    n_rows: int
    n_steps: int
    """Iterations of the interior-point method."""
    give: float
    """Largest amount by which a row had to yield. [unit]"""
    largest_dual: float
    """[cur per unit]"""
    both_kw: float
    """Largest power at which a battery charges and discharges at once. [kW]"""
    proximal: float
    """Weight of the program's proximal term. [1/kW]"""
    seconds: float
    taken: bool = True
    """Whether the search went on from here; else a shorter step was tried."""

    @property
    def gap(self) -> float:
        """Return (cost - bound) / |cost| [-]."""
        return (self.cost - self.bound) / max(abs(self.cost), 1e-12)


@dataclass(frozen=True, kw_only=True, eq=False)
class OptimalDay:
    """The optimum of one day; see `gradmap.baselines.centralised` for what it certifies."""

    p_kw: FloatArray
    """Delivered powers, which requested again are delivered again, [time, agent]. [kW]"""
    cost: float
    """Controllable cost of all agents. [cur]"""
    bound: float
    """Lower bound of the last convex program, and so within the linearisation. [cur]"""
    unconstrained_cost: float
    """Without network limits. [cur]"""
    unconstrained_bound: float
    """Lower bound of the cost without network limits, and so of any controller's. [cur]"""
    max_violation_pu: float
    """Largest distance outside the voltage limits, by the exact power flow; <= 0 inside. [pu]"""
    max_violation: float
    """Largest of all limits that counted; 1 is 0.01 pu or 1 % of a rating. [unit]"""
    unconstrained_violation_pu: float
    """Distance outside the voltage limits without network limits. [pu]"""
    worst: str
    """Where and when `max_violation` is: node or branch, limit, step."""
    n_held: int
    """Battery steps that were held to charging or to discharging, because the convex program did
    both at once; `bound` is a bound given these."""
    iterations: tuple[Iteration, ...]
    seconds: float
    n_tap_changes: int
    """How often acting regulators broke a limit that held taps had kept, so that the search went on
    with theirs. Powers, violation and cost are those with acting regulators."""
    status: str
    """`optimal`; `infeasible`: no trajectory within the limits was found, `max_violation` and
    `worst` say by how much and where; `not_converged`: it was still moving."""

    @property
    def n_iterations(self) -> int:
        """Return the number of linearisations."""
        return len(self.iterations)

    @property
    def gap(self) -> float:
        """Return (cost - bound) / |cost| [-]."""
        return (self.cost - self.bound) / max(abs(self.cost), 1e-12)

    @property
    def price_of_limits(self) -> float:
        """Return how much the limits raise the cost, relative to the unconstrained optimum [-]."""
        return (self.cost - self.unconstrained_cost) / max(abs(self.unconstrained_cost), 1e-12)

    def save(self, path: Path) -> None:
        """Write to an .npz file, complete or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        rest = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _ARRAYS}
        rest["iterations"] = [asdict(iteration) for iteration in self.iterations]
        with written_whole(path) as file:
            np.savez_compressed(file, p_kw=self.p_kw, rest=np.array(json.dumps(rest)))

    @classmethod
    def load(cls, path: Path) -> OptimalDay:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            rest = json.loads(str(file["rest"]))
            rest["iterations"] = tuple(Iteration(**values) for values in rest["iterations"])
            return cls(p_kw=file["p_kw"], **rest)


@dataclass(frozen=True, kw_only=True)
class OptimumStore:
    """Optima of a case's days on disk, so that an interrupted series goes on where it was."""

    folder: Path
    key: str
    """Hash of everything the results depend on: days, population, feeder, limits, settings."""

    def path(self, split: str, number: int) -> Path:
        """Return where a day's optimum is kept."""
        return self.folder / self.key / f"{split}_{number:05d}.npz"

    def get(self, split: str, number: int) -> OptimalDay | None:
        """Return a day's optimum, or None if it is not there yet."""
        path = self.path(split, number)
        return OptimalDay.load(path) if path.is_file() else None

    def put(self, split: str, number: int, optimal: OptimalDay) -> None:
        """Keep a day's optimum."""
        optimal.save(self.path(split, number))
