"""Compare the synthetic base load with measured-style one-minute profiles.

    python -m scenarios.benchmarks.base_load --profiles DIR [--figure FILE] [--households N]

`DIR` holds one text file a household with 1440 values in kW, such as the 100 daily profiles of the
IEEE European low-voltage test feeder. Prints a Markdown table and writes the figure.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gradmap.errors import ScenarioError
from scenarios.clock import MINUTES_PER_DAY
from scenarios.population import draw_occupants
from scenarios.profiles.base_load import minute_load_kw
from scenarios.profiles.load_traits import draw_traits
from scenarios.profiles.weather import darkness_by_minute

Floats = NDArray[np.float64]
GROUP_SIZES = (1, 2, 5, 10, 20, 50, 100)
QUARTER_HOUR_MIN = 15


def read_profiles(folder: Path) -> Floats:
    """Return the profiles of a folder of text files [kW] [household, 1440]."""
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise ScenarioError(
            f"Profiles {folder}: no *.txt, expected one file a household with {MINUTES_PER_DAY} "
            f"values in kW. Point --profiles at such a folder."
        )
    profiles = [np.loadtxt(file) for file in files]
    for file, profile in zip(files, profiles, strict=True):
        if profile.shape != (MINUTES_PER_DAY,):
            raise ScenarioError(
                f"Profile {file.name}: {profile.size} values, expected {MINUTES_PER_DAY} (one day)."
            )
    return np.array(profiles)


def synthetic_profiles(
    *, days: list[date], n_households: int, seed: int, latitude_deg: float = 51.5
) -> Floats:
    """Return synthetic days, households of all days below each other [kW] [household, 1440]."""
    number = np.arange(n_households)
    occupants = draw_occupants(n_households, seed=seed).astype(np.float64)
    traits = draw_traits(seed=seed, number=number, occupants=occupants, scale=np.ones(n_households))
    return np.concatenate(
        [
            minute_load_kw(
                day,
                traits,
                seed=seed,
                split="validation",
                darkness=darkness_by_minute(
                    day, timezone="Europe/London", latitude_deg=latitude_deg, longitude_deg=-0.1
                ),
            )
            for day in days
        ]
    )


def coincidence(profiles: Floats, *, seed: int = 1, n_samples: int = 200) -> dict[int, Floats]:
    """Return the mean maximum per home of random groups, at 1 and 15 min [kW].

    Groups come from one day at a time: pass profiles of one day.
    """
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
    result = {}
    for size in GROUP_SIZES:
        peaks = np.empty((n_samples, 2))
        for sample in range(n_samples):
            group = profiles[rng.choice(len(profiles), size, replace=False)].sum(axis=0) / size
            peaks[sample] = group.max(), _quarter_hours(group).max()
        result[size] = peaks.mean(axis=0)
    return result


def statistics(profiles: Floats) -> dict[str, float]:
    """Return the compared figures of a set of daily profiles."""
    energy = profiles.mean(axis=1) * 24
    peak_1, peak_15 = profiles.max(axis=1), _quarter_hours(profiles).max(axis=1)
    shape = profiles.mean(axis=0)
    result = {"daily energy, mean [kWh]": float(energy.mean())}
    for percent in (10, 50, 90):
        result[f"daily energy, {percent} % [kWh]"] = float(np.percentile(energy, percent))
    for label, peak in (("1 min", peak_1), ("15 min", peak_15)):
        for percent in (10, 50, 90):
            result[f"home's peak {label}, {percent} % [kW]"] = float(np.percentile(peak, percent))
        result[f"home's load factor {label}, median [-]"] = float(np.median(energy / 24 / peak))
    for hours in ((0, 6), (6, 10), (10, 16), (16, 20), (20, 24)):
        part = shape[hours[0] * 60 : hours[1] * 60].mean()
        result[f"mean load {hours[0]:02d}-{hours[1]:02d} h [kW]"] = float(part)
    return result


def compare(reference: Floats, synthetic: Floats) -> list[tuple[str, float, float]]:
    """Return (figure, reference, synthetic) rows."""
    left, right = statistics(reference), statistics(synthetic)
    rows = [(name, left[name], right[name]) for name in left]
    left_c, right_c = coincidence(reference), coincidence(synthetic)
    for size in GROUP_SIZES:
        for column, label in enumerate(("1 min", "15 min")):
            name = f"peak per home of {size} homes, {label} [kW]"
            rows.append((name, float(left_c[size][column]), float(right_c[size][column])))
    return rows


def difference(rows: list[tuple[str, float, float]]) -> float:
    """Return the one honest number: the mean of |ln(synthetic / reference)| over all rows [-]."""
    return float(np.mean([abs(np.log(synthetic / reference)) for _, reference, synthetic in rows]))


def markdown(rows: list[tuple[str, float, float]]) -> str:
    """Return the comparison as a Markdown table."""
    lines = ["| figure | reference | synthetic | ratio |", "|---|---|---|---|"]
    lines += [f"| {name} | {a:.3g} | {b:.3g} | {b / a:.2f} |" for name, a, b in rows]
    lines.append(f"| **mean absolute log ratio** | | | **{difference(rows):.3f}** |")
    return "\n".join(lines)


def _quarter_hours(profiles: Floats) -> Floats:
    """Average minutes to quarter-hours."""
    means = profiles.reshape(*profiles.shape[:-1], -1, QUARTER_HOUR_MIN).mean(axis=-1)
    return np.asarray(means, dtype=np.float64)


def main(arguments: list[str]) -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=Path, required=True)
    parser.add_argument("--households", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--day", type=date.fromisoformat, default=date(2025, 3, 18))
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args(arguments)
    reference = read_profiles(options.profiles)
    synthetic = synthetic_profiles(
        days=[options.day], n_households=options.households, seed=options.seed
    )
    sys.stdout.write(markdown(compare(reference, synthetic)) + "\n")
    if options.figure is not None:
        from scenarios.benchmarks.base_load_figure import draw  # noqa: PLC0415 - slow

        draw(
            reference,
            synthetic,
            reference_peaks=coincidence(reference),
            synthetic_peaks=coincidence(synthetic),
            file=options.figure,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
