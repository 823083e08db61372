"""Validated per-agent parameters: one frozen data class of [agent] tensors a device kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Self

import pandas as pd
import torch

from gradmap.errors import ScenarioError
from gradmap.types import AgentIndex, PerAgent

_MAX_REPORTED_FAULTS = 5


@dataclass(frozen=True)
class Interval:
    """A range of allowed values; `open_low` excludes the lower end."""

    low: float
    high: float
    open_low: bool = False

    def contains(self, values: torch.Tensor) -> torch.Tensor:
        """Return elementwise whether the values are finite and inside."""
        above = values > self.low if self.open_low else values >= self.low
        return above & (values <= self.high) & torch.isfinite(values)

    def __str__(self) -> str:
        """Return the interval as an expectation in an error message."""
        if self.high == float("inf"):
            return f"a finite number {'>' if self.open_low else '>='} {self.low:g}"
        return f"a number in {'(' if self.open_low else '['}{self.low:g}, {self.high:g}]"


POSITIVE = Interval(0.0, float("inf"), open_low=True)
NOT_NEGATIVE = Interval(0.0, float("inf"))
FRACTION = Interval(0.0, 1.0)
EFFICIENCY = Interval(0.0, 1.0, open_low=True)
INDOOR_TEMP_C = Interval(0.0, 45.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class DeviceParams:
    """Base of all parameter sets: checks every field of every agent when it is made."""

    label: ClassVar[str]
    """What the device is called in error messages."""
    ranges: ClassVar[Mapping[str, Interval]]
    """Allowed values of every tensor field."""
    orders: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Pairs of fields where the first must not exceed the second."""

    agent_ids: tuple[str, ...]
    """Whose parameters these are, in the order of the tensors."""

    def __post_init__(self) -> None:
        """Refuse impossible values, naming agent and field."""
        faults = [*self._range_faults(), *self._order_faults()]
        if faults:
            shown = faults[:_MAX_REPORTED_FAULTS]
            hidden = len(faults) - len(shown)
            more = f"\n... and {hidden} more faults." if hidden else ""
            raise ScenarioError("\n".join(shown) + more)

    def _range_faults(self) -> Iterator[str]:
        """Yield one message per value that is not finite or out of its range."""
        for name, allowed in self.ranges.items():
            values: PerAgent = getattr(self, name)
            if values.shape != (len(self.agent_ids),):
                yield (
                    f"{self.label}: `{name}` has shape {tuple(values.shape)}, "
                    f"expected one value for each of {len(self.agent_ids)} agents."
                )
                continue
            for position in torch.nonzero(~allowed.contains(values)).flatten().tolist():
                value = values[position].item()
                percent = allowed.high == 1.0 and 1.0 < value <= 100.0
                hint = " If the source gives percent, divide by 100." if percent else ""
                yield (
                    f"{self.label} {self.agent_ids[position]!r}: `{name}` is {value:g}, "
                    f"expected {allowed}.{hint}"
                )

    def _order_faults(self) -> Iterator[str]:
        """Yield one message per agent whose fields contradict each other."""
        for lower, upper in self.orders:
            low, high = getattr(self, lower), getattr(self, upper)
            if low.shape != high.shape:
                continue
            for position in torch.nonzero(low > high).flatten().tolist():
                yield (
                    f"{self.label} {self.agent_ids[position]!r}: `{lower}` is "
                    f"{low[position].item():g}, expected at most `{upper}`, which is "
                    f"{high[position].item():g}. Swap or correct them."
                )

    @classmethod
    def from_table(cls, table: pd.DataFrame, *, dtype: torch.dtype = torch.float64) -> Self:
        """Read parameters from a device table with one row per agent.

        Args:
            table: Columns `agent_id`, `household_id` and exactly the fields of this class.
            dtype: Floating-point type of the tensors.
        """
        names = [item.name for item in fields(cls) if item.name != "agent_ids"]
        missing = sorted({"agent_id", *names} - set(table.columns))
        unknown = sorted(set(table.columns) - {"agent_id", "household_id", *names})
        if missing or unknown:
            raise ScenarioError(
                f"{cls.label} table: missing columns {missing}, unknown columns {unknown}; "
                f"expected exactly agent_id, household_id, {', '.join(names)}."
            )
        columns = {name: _numbers(table, name, label=cls.label, dtype=dtype) for name in names}
        return cls(agent_ids=tuple(table["agent_id"].astype(str)), **columns)

    def select(self, index: AgentIndex) -> Self:
        """Return the parameters of the agents at `index`, in that order."""
        return replace(
            self,
            agent_ids=tuple(self.agent_ids[i] for i in index.tolist()),
            **{name: getattr(self, name)[index] for name in self.ranges},
        )

    def to(self, *, dtype: torch.dtype | None = None, device: str | None = None) -> Self:
        """Return a copy in another floating-point type or on another torch device."""
        moved = {name: getattr(self, name).to(device=device, dtype=dtype) for name in self.ranges}
        return replace(self, **moved)


def _numbers(table: pd.DataFrame, name: str, *, label: str, dtype: torch.dtype) -> PerAgent:
    """Return one column as a tensor, or say which agent's entry is not a number."""
    numbers = pd.to_numeric(table[name], errors="coerce")
    wrong = numbers.isna()
    if wrong.any():
        row = table[wrong].iloc[0]
        raise ScenarioError(
            f"{label} {str(row['agent_id'])!r}: `{name}` is {row[name]!r}, expected a number. "
            f"Fill in the column for all {int(wrong.sum())} such agents."
        )
    return torch.tensor(numbers.to_numpy(dtype="float64"), dtype=dtype)
