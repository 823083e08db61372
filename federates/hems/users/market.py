"""What is on sale and on bills: cars, batteries, tanks and tariffs personas are drawn from.

Round figures as makers and suppliers publish them; shares are judgement, meant to be plausible and
varied, not a survey.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CARS: Final = (
    ("Nissan Leaf 40", 39.0),
    ("Nissan Leaf 62", 59.0),
    ("Renault Zoe", 52.0),
    ("VW ID.3", 58.0),
    ("VW ID.4", 77.0),
    ("Tesla Model 3", 58.0),
    ("Tesla Model Y", 75.0),
    ("Hyundai Kona", 64.0),
    ("Hyundai Ioniq 5", 74.0),
    ("Kia Niro", 64.0),
    ("MG4", 62.0),
    ("MG ZS", 68.0),
    ("Mini Electric", 29.0),
    ("Fiat 500e", 37.0),
    ("Polestar 2", 75.0),
    ("BYD Dolphin", 60.0),
    ("Mitsubishi Outlander PHEV", 13.8),
    ("Golf GTE", 13.0),
)
"""Make and model, battery [kWh]."""
CARS_US: Final = (
    ("Tesla Model 3", 58.0),
    ("Tesla Model Y", 75.0),
    ("Chevy Bolt", 65.0),
    ("Ford F-150 Lightning", 98.0),
    ("Ford Mustang Mach-E", 72.0),
    ("Hyundai Ioniq 5", 74.0),
    ("Rivian R1T", 135.0),
    ("Toyota RAV4 Prime", 18.1),
)
BATTERIES: Final = (
    (5.0, 2.5),
    (5.2, 2.6),
    (8.2, 3.6),
    (9.5, 3.6),
    (10.0, 5.0),
    (10.2, 5.0),
    (13.5, 5.0),
    (13.5, 11.5),
    (15.0, 6.0),
    (20.4, 8.0),
)
"""Capacity [kWh] and power [kW] of home batteries sold together."""
PANELS_W: Final = (330, 380, 400, 410, 415, 435)
CHARGERS_KW: Final = {
    "en-GB": ((7.4, 0.75), (7.0, 0.1), (2.3, 0.12), (11.0, 0.03)),
    "en-IE": ((7.4, 0.65), (7.0, 0.1), (2.3, 0.1), (11.0, 0.15)),
    "en-US": ((7.7, 0.4), (9.6, 0.25), (11.5, 0.2), (1.4, 0.15)),
}
"""Home chargers [kW] and shares; 240 V with 32, 40 and 48 A in the US, a socket at the end."""
FUSES_KW: Final = {"en-GB": (13.8, 18.4, 23.0), "en-IE": (12.0, 16.0), "en-US": (24.0, 36.0)}
"""Import limits [kW]: main fuses at 230 V, Irish MIC, US services at 240 V."""
EXPORTS_KW: Final = {"en-GB": (3.68, 5.0), "en-IE": (6.0, 5.0), "en-US": (5.0, 7.6, 10.0)}
TANKS_L: Final = {
    "en-GB": (120.0, 150.0, 180.0, 200.0, 210.0, 250.0, 300.0),
    "en-IE": (150.0, 200.0, 250.0, 300.0),
    "en-US": (151.0, 189.0, 303.0),
}
"""US tanks are 40, 50 and 80 gallons."""


@dataclass(frozen=True)
class Tariffs:
    """Prices of one currency, per kWh: least and greatest; and hours of the dear rate."""

    flat: tuple[float, float]
    peak: tuple[float, float]
    off_peak: tuple[float, float]
    export: tuple[float, float]
    peak_hours: tuple[tuple[str, str], ...]


TARIFFS: Final = {
    "GBP": Tariffs(
        flat=(0.22, 0.32),
        peak=(0.27, 0.42),
        off_peak=(0.07, 0.17),
        export=(0.04, 0.16),
        peak_hours=(("16:00", "19:00"), ("05:30", "00:30"), ("05:30", "23:30"), ("07:00", "00:00")),
    ),
    "EUR": Tariffs(
        flat=(0.26, 0.40),
        peak=(0.34, 0.46),
        off_peak=(0.09, 0.24),
        export=(0.14, 0.25),
        peak_hours=(("17:00", "19:00"), ("08:00", "23:00"), ("17:00", "21:00")),
    ),
    "USD": Tariffs(
        flat=(0.11, 0.31),
        peak=(0.28, 0.56),
        off_peak=(0.08, 0.22),
        export=(0.03, 0.12),
        peak_hours=(("16:00", "21:00"), ("15:00", "20:00"), ("14:00", "19:00")),
    ),
}
