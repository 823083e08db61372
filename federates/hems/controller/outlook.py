"""The published and forecast series of the next hours, read from a run's inputs as time goes on.

Prices are published: they are the scenario's. Weather and sun are a perfect forecast, or the day
before over again (`persistence`). What lies behind the scenario's end is as it was a day earlier.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from federates.series import SeriesReader, parts

Floats = NDArray[np.float64]
WeatherForecast = Literal["perfect", "persistence"]

HISTORY_FOLDER = "history"
"""In a run's inputs: series of the days before the scenario, as far as they are needed."""


class LookAhead:
    """A window over a series from a day back to some hours ahead; memory does not grow."""

    def __init__(
        self, reader: SeriesReader, *, n_total: int, n_ahead: int, n_day: int, dt_s: int
    ) -> None:
        """Start before the first step.

        Args:
            reader: Of the series.
            n_total: Steps of the series.
            n_ahead: Steps that a window covers.
            n_day: Steps of a day.
            dt_s: Step length. [s]
        """
        self._reader, self._dt_s = reader, dt_s
        self._n_total, self._n_ahead, self._n_day = n_total, n_ahead, n_day
        self._rows: deque[Floats] = deque(maxlen=n_ahead + n_day)
        self._next = 0

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the columns."""
        return self._reader.ids

    def ahead(self, step: int) -> Floats:
        """Return the rows of the steps from `step` on, [step, id]; steps must not go back."""
        self._read_until(step + self._n_ahead)
        return np.stack([self._row(step + k) for k in range(self._n_ahead)])

    def past_day(self, step: int, *, before: Floats) -> Floats:
        """Return the rows of the day before `step` over again, [step, id].

        Args:
            step: The present step; none of its values is used.
            before: The day before the first step, [step of the day, id].
        """
        self._read_until(step)
        rows = []
        for k in range(self._n_ahead):
            at = step - self._n_day + k % self._n_day
            rows.append(before[at] if at < 0 else self._row(at))
        return np.stack(rows)

    def _read_until(self, stop: int) -> None:
        while self._next < min(stop, self._n_total):
            self._rows.append(self._reader.next_row(float(self._next * self._dt_s)))
            self._next += 1

    def _row(self, step: int) -> Floats:
        while step >= self._n_total:
            step -= self._n_day
        return self._rows[step - self._next + len(self._rows)]


def history(inputs_folder: Path, name: str) -> SeriesReader | None:
    """Return a series of the days before the scenario, or None if there is none."""
    folder = inputs_folder / HISTORY_FOLDER / name
    return SeriesReader(folder) if parts(folder) else None


def all_rows(reader: SeriesReader, *, dt_s: int, n_steps: int) -> Floats:
    """Return a whole series, [step, id]."""
    return np.stack([reader.next_row(float(step * dt_s)) for step in range(n_steps)])
