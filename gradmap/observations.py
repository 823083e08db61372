"""What an agent observes: the fixed list of local features, in physical units.

A policy normalises them itself; nothing here is shared between agents. `v_pu` is the agent's own
connection voltage at the end of the previous step, known to its smart meter.
"""

from __future__ import annotations

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
