"""What an agent observes: the fixed list of local features, in physical units.

A policy normalises them itself; nothing here is shared between agents. `v_pu` is the agent's own
connection voltage at the end of the previous step, known to its smart meter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FEATURES: Final = (
    "hour",
    "price_import_per_kwh",
    "price_export_per_kwh",
    "temp_out_c",
    "base_load_kw",
    "pv_kw",
    "v_pu",
    "state",
    "plugged_in",
    "departure_h",
    "day_of_week",
)
N_FEATURES: Final = len(FEATURES)
INDEX: Final = {name: position for position, name in enumerate(FEATURES)}
UNITS: Final[Mapping[str, str]] = {
    "hour": "h",
    "price_import_per_kwh": "cur/kWh",
    "price_export_per_kwh": "cur/kWh",
    "temp_out_c": "degC",
    "base_load_kw": "kW",
    "pv_kw": "kW",
    "v_pu": "pu",
    "state": "-, degC or kW, see the device",
    "plugged_in": "-",
    "departure_h": "h",
    "day_of_week": "-",
}
"""With `cur` for the scenario's currency."""
