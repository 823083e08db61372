from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from scenarios.schema import Scenario


@pytest.fixture
def connections():
    """Twenty places to live; a third of them have twice the load."""
    return [
        SimpleNamespace(connection_id=f"{i}.1", p_nominal_kw=20.0 + 20.0 * (i % 3 == 0))
        for i in range(20)
    ]


@pytest.fixture
def make_scenario():
    def make(*, n_households=40, start="2025-03-18 00:00", days=1, step_min=15, **sections):
        population = {"n_households": n_households, **sections.pop("population", {})}
        time = {
            "start": start,
            "days": days,
            "step_min": step_min,
            "timezone": sections.pop("timezone", "Europe/London"),
        }
        return Scenario(time=time, population=population, **sections)

    return make


@pytest.fixture
def write_series(tmp_path):
    """Write a CSV of columns over a regular time_s axis; returns its path."""

    def write(columns, *, step_s=900, start_s=0, name="series.csv", time=None):
        n_rows = len(next(iter(columns.values())))
        axis = np.arange(n_rows) * step_s + start_s
        header = ["time" if time is not None else "time_s", *columns]
        rows = [header]
        for row in range(n_rows):
            stamp = time[row] if time is not None else axis[row]
            rows.append([stamp, *(values[row] for values in columns.values())])
        path = tmp_path / name
        path.write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n")
        return path

    return write
