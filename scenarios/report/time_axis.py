"""Axes of local time: hours on a day, days in a week, months in a year."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scenarios.report.svg import Axis
from scenarios.results import Run


def time_axis(run: Run, *, start_s: float, stop_s: float, narrow: bool = False) -> Axis:
    """Return an axis in seconds since the start, with wall-clock labels.

    Args:
        run: For the time zone and the start.
        start_s: Left end. [s]
        stop_s: Right end. [s]
        narrow: Half as many labels, for panels side by side.
    """
    start, stop = run.local_time(np.array([start_s, stop_s]))
    hours = (stop_s - start_s) / 3600
    if hours <= 48:
        spacing = 6 if narrow or hours > 24 else 3 if hours > 6 else 1
        wanted = pd.date_range(start.floor("D", ambiguous=True), stop, freq="h")
        marks = wanted[wanted.hour % spacing == 0]
        labels = [mark.strftime("%H:%M") for mark in marks]
        if stop.hour == 0 and stop.minute == 0:
            labels[-1] = "24:00"
    else:
        days = pd.date_range(start.normalize(), stop.normalize(), freq="D")
        marks = days[:: max(1, round(len(days) / (4 if narrow else 8)))]
        weekday = "" if narrow else "%a "
        labels = [mark.strftime(weekday) + f"{mark.day} {mark.strftime('%b')}" for mark in marks]
    offsets = [start_s + (mark - start).total_seconds() for mark in marks]
    kept = [(s, text) for s, text in zip(offsets, labels, strict=True) if start_s <= s <= stop_s]
    return Axis(low=start_s, high=stop_s, ticks=tuple(kept))


def period_text(run: Run, *, start_s: float, stop_s: float) -> str:
    """Return a period in words: one date, or the first and the last day."""
    first, last = run.local_time(np.array([start_s, max(start_s, stop_s - 1)]))
    if first.date() == last.date():
        return day_text(first)
    return f"{day_text(first)} to {day_text(last)}"


def day_text(moment: pd.Timestamp) -> str:
    """Return a date such as Tue 18 Mar 2025, whatever the locale's order."""
    return f"{moment.strftime('%a')} {moment.day} {moment.strftime('%b %Y')}"


def moment_text(run: Run, time_s: float) -> str:
    """Return date and time of a step's start."""
    moment = run.local_time(time_s)[0]
    return f"{day_text(moment)}, {moment.strftime('%H:%M')}"
