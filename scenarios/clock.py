"""The scenario's time axis: absolute steps, and the wall clock that they show.

Steps are equally long in absolute time, so 24 h that cross a change of the clock still are 24 h of
steps. Wall-clock hour and weekday are derived, never counted: on the spring day the local hour
jumps, on the autumn day it repeats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gradmap.errors import ScenarioError
from gradmap.units import SECONDS_PER_HOUR
from scenarios.schema_series import TimeSettings

MINUTES_PER_DAY = 1440


@dataclass(frozen=True, kw_only=True)
class DayBlock:
    """Consecutive steps that start on one local calendar day."""

    date: date
    """Local calendar day."""
    first: int
    """Number of the block's first step in the scenario."""
    index: pd.DatetimeIndex
    """Step starts, with time zone. [step]"""
    dt_s: int
    """Step length. [s]"""

    def __len__(self) -> int:
        return len(self.index)

    @property
    def stop(self) -> int:
        """Number of the step after the block's last."""
        return self.first + len(self.index)

    @cached_property
    def time_s(self) -> NDArray[np.float64]:
        """Step starts since the scenario's start [s]."""
        return np.arange(self.first, self.stop, dtype=np.float64) * self.dt_s

    @cached_property
    def hour(self) -> NDArray[np.float64]:
        """Wall-clock hour of the step starts, in [0, 24) [h]."""
        return wall_hour(self.index)

    @cached_property
    def day_of_week(self) -> NDArray[np.float64]:
        """Weekday of the step starts, 0 = Monday."""
        return np.asarray(self.index.day_of_week, dtype=np.float64)

    @cached_property
    def is_whole_day(self) -> bool:
        """Whether the steps are the day's wall-clock minutes in order, each once."""
        start = np.rint(self.hour * 60).astype(np.int64)
        step_min = self.dt_s // 60
        whole = len(start) * step_min == MINUTES_PER_DAY
        return bool(whole and (np.diff(start) == step_min).all())

    @cached_property
    def midpoints(self) -> pd.DatetimeIndex:
        """Middle of every step, where the sun's position is evaluated."""
        return self.index + pd.Timedelta(seconds=self.dt_s / 2)

    def mean_of_minutes(self, per_minute: NDArray[np.float64]) -> NDArray[np.float64]:
        """Average one value per wall-clock minute of the day over each step.

        Args:
            per_minute: Values of the day's wall-clock minutes. [..., 1440]

        Returns:
            Step means. [..., step] On the spring day skipped minutes are left out, on the autumn
            day repeated minutes are used twice. A step that runs past midnight (possible only where
            a clock changes by less than a step) takes the first minutes of the same day.
        """
        step_min = self.dt_s // 60
        if self.is_whole_day:
            by_step = per_minute.reshape(*per_minute.shape[:-1], -1, step_min)
            return np.asarray(by_step.mean(axis=-1), dtype=np.float64)
        start = np.rint(self.hour * 60).astype(np.int64)
        minutes = (start[:, None] + np.arange(step_min)) % MINUTES_PER_DAY
        return np.asarray(per_minute[..., minutes].mean(axis=-1), dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Step starts of a scenario in absolute time and on the wall."""

    start: pd.Timestamp
    """Start of the first step, with time zone."""
    dt_s: int
    """Step length. [s]"""
    n_steps: int
    """Number of steps."""

    @classmethod
    def from_settings(cls, time: TimeSettings) -> Self:
        """Return the clock of a scenario's `time` section.

        A start that the autumn change repeats means its first occurrence (summer time).

        Raises:
            ScenarioError: If the start does not exist on the wall clock or is not on the step grid.
        """
        return cls(
            start=localise_start(time.start, timezone=time.timezone, step_min=time.step_min),
            dt_s=time.dt_s,
            n_steps=time.n_steps,
        )

    @property
    def timezone(self) -> str:
        """IANA name of the zone."""
        return str(self.start.tz)

    @property
    def dt_h(self) -> float:
        """Step length [h]."""
        return self.dt_s / SECONDS_PER_HOUR

    @property
    def duration_s(self) -> int:
        """Length of the scenario [s]."""
        return self.n_steps * self.dt_s

    @cached_property
    def index(self) -> pd.DatetimeIndex:
        """Step starts, with time zone [step]."""
        return self._index(0, self.n_steps)

    @cached_property
    def hour(self) -> NDArray[np.float64]:
        """Wall-clock hour of the step starts, in [0, 24) [step]."""
        return wall_hour(self.index)

    @cached_property
    def day_of_week(self) -> NDArray[np.float64]:
        """Weekday of the step starts, 0 = Monday [step]."""
        return np.asarray(self.index.day_of_week, dtype=np.float64)

    def blocks(self) -> Iterator[DayBlock]:
        """Yield the local calendar days in order; the first and the last may be partial."""
        first = 0
        while first < self.n_steps:
            today = (self.start + pd.Timedelta(seconds=first * self.dt_s)).date()
            midnight = _local_midnight(today + timedelta(days=1), timezone=self.timezone)
            seconds = (midnight - self.start).total_seconds()
            stop = min(self.n_steps, max(first + 1, int(np.ceil(seconds / self.dt_s))))
            yield DayBlock(date=today, first=first, index=self._index(first, stop), dt_s=self.dt_s)
            first = stop

    def seconds_at(self, day: date, wall_hours: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return when the wall clock shows these hours on a day, since the scenario's start [s].

        Hours that the spring change skips move forward to the change; repeated hours are the first.
        """
        naive = pd.Timestamp(day) + pd.to_timedelta(wall_hours, unit="h")
        local = pd.DatetimeIndex(naive).tz_localize(
            self.timezone,
            nonexistent="shift_forward",
            ambiguous=np.ones(len(wall_hours), dtype=bool),
        )
        return np.asarray((local - self.start).total_seconds(), dtype=np.float64)

    def _index(self, first: int, stop: int) -> pd.DatetimeIndex:
        """Return the starts of steps first..stop-1."""
        begin = self.start + pd.Timedelta(seconds=first * self.dt_s)
        return pd.date_range(begin, periods=stop - first, freq=pd.Timedelta(seconds=self.dt_s))


def wall_hour(index: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Return the wall-clock hour of each time, in [0, 24) [h]."""
    return np.asarray(index.hour + index.minute / 60 + index.second / 3600, dtype=np.float64)


def localise_start(start: datetime, *, timezone: str, step_min: int) -> pd.Timestamp:
    """Return the scenario's start with its zone.

    Raises:
        ScenarioError: If the wall clock never shows it, or it is not a multiple of the step.
    """
    if start.second or start.microsecond or start.minute % step_min:
        raise ScenarioError(
            f"Scenario: `time.start` is {start}, expected a multiple of `time.step_min` = "
            f"{step_min} min after the full hour. Move the start or shorten the step."
        )
    try:
        return pd.Timestamp(start).tz_localize(timezone, ambiguous=True, nonexistent="raise")
    except ValueError as exc:
        raise ScenarioError(
            f"Scenario: `time.start` is {start}, which the wall clock of {timezone} skips "
            f"(change to summer time). Start an hour earlier or later."
        ) from exc


def _local_midnight(day: date, *, timezone: str) -> pd.Timestamp:
    """Return the first instant of a local day (01:00 where the clock change skips midnight)."""
    return pd.Timestamp(day).tz_localize(timezone, ambiguous=True, nonexistent="shift_forward")
