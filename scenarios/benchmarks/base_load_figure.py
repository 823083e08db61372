"""Figure of the base load comparison."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

Floats = NDArray[np.float64]

REFERENCE, SYNTHETIC = "#555555", "#0072b2"  # distinct without colour, too: dashed and solid
QUARTER_HOURS = 96


def draw(
    reference: Floats,
    synthetic: Floats,
    *,
    reference_peaks: dict[int, Floats],
    synthetic_peaks: dict[int, Floats],
    file: Path,
) -> None:
    """Draw mean shape, daily energy, load factor and peak per home against the number of homes.

    Args:
        reference: Daily profiles to compare with. [kW] [household, 1440]
        synthetic: Ours. [kW] [household, 1440]
        reference_peaks: Group size to mean peak per home at 1 and 15 min. [kW]
        synthetic_peaks: The same of ours.
        file: Where the picture goes.
    """
    figure = Figure(figsize=(9.0, 6.4), layout="constrained")
    shape, energy, factor, peaks = figure.subplots(2, 2).ravel()
    sets = ((reference, REFERENCE, "--", "reference"), (synthetic, SYNTHETIC, "-", "synthetic"))
    for profiles, colour, style, label in sets:
        hours = np.arange(QUARTER_HOURS) / 4
        mean = _quarter_hours(profiles).mean(axis=0)
        shape.step(hours, mean, colour, linestyle=style, label=label, where="post")
        daily = profiles.mean(axis=1) * 24
        _distribution(energy, daily, colour, style)
        _distribution(factor, daily / 24 / _quarter_hours(profiles).max(axis=1), colour, style)
    for by_size, colour, style in (
        (reference_peaks, REFERENCE, "--"),
        (synthetic_peaks, SYNTHETIC, "-"),
    ):
        sizes = list(by_size)
        values = np.array([by_size[size] for size in sizes])
        peaks.loglog(sizes, values[:, 0], colour, linestyle=style, marker="o", markersize=3)
        peaks.loglog(sizes, values[:, 1], colour, linestyle=style, marker="s", markersize=3)
    shape.set(xlabel="hour", ylabel="mean load [kW]", title="Mean day, 15 min", ylim=(0, None))
    shape.legend(frameon=False)
    energy.set(xlabel="daily energy [kWh]", ylabel="share of homes", title="Daily energy")
    factor.set(xlabel="load factor, 15 min [-]", ylabel="share of homes", title="Load factor")
    peaks.set(
        xlabel="number of homes",
        ylabel="peak per home [kW]",
        title="Coincidence (circles 1 min, squares 15 min)",
    )
    for axes in (shape, energy, factor, peaks):
        axes.spines[["top", "right"]].set_visible(False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)


def _distribution(axes: Axes, values: Floats, colour: str, style: str) -> None:
    """Draw a cumulative distribution."""
    axes.plot(
        np.sort(values), np.linspace(0, 1, len(values)), colour, linestyle=style, linewidth=1.4
    )


def _quarter_hours(profiles: Floats) -> Floats:
    """Average minutes to quarter-hours. [household, 96]."""
    means = profiles.reshape(len(profiles), QUARTER_HOURS, -1).mean(axis=-1)
    return np.asarray(means, dtype=np.float64)
