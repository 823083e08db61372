"""The parameters of a home: what to ask, what was found, and whether it fits together.

One list of slots (`SLOTS`) says what can be known about a home, who is asked, in which words, and
between which bounds. A slot's value is kept in stored form by its dotted key: fractions, "HH:MM",
kW, kWh, degC. `checked` accepts or refuses one value, `conflicts` compares those known so far,
`completed` makes the whole home of them, and `write` and `read` keep it as YAML.

    from federates.hems.parameters import Provenance, Source, completed, conflicts, write

    values = {"household.devices": ["ev"], "evs.1.daily_distance_km": 300, "evs.1.charger_kw": 2.3}
    said = Source(provenance=Provenance.STATED, words="300 km a day, from a socket", turn=4)
    home = completed(values, {key: said for key in values})
    home.parameters.evs[0].capacity_kwh     # 60.0, and home.sources says that it is a default
    for conflict in conflicts(home.values):
        print(conflict.question)            # 300 km a day takes about 52 kWh, but the car ...
    write(home, path=Path("home.yaml"))

Units stand in the names, powers follow the load convention, times are local wall clock. Numbers
come from docs/hems/parameters.md.
"""

from federates.hems.parameters.completion import completed, left_out
from federates.hems.parameters.conflict import Conflict
from federates.hems.parameters.feasibility import conflicts
from federates.hems.parameters.home_file import HomeFile, from_yaml, read, to_yaml, validated, write
from federates.hems.parameters.models import HomeParameters, values_of
from federates.hems.parameters.slot import Need, Slot, SlotKind, Span, Tolerance, Value, Values, Who
from federates.hems.parameters.slots import (
    SLOTS,
    applicable,
    applicable_slots,
    ruled_out,
    slot,
    slots_of,
)
from federates.hems.parameters.sources import Provenance, Source
from federates.hems.parameters.stored import checked, checked_all, expectation

__all__ = [
    "SLOTS",
    "Conflict",
    "HomeFile",
    "HomeParameters",
    "Need",
    "Provenance",
    "Slot",
    "SlotKind",
    "Source",
    "Span",
    "Tolerance",
    "Value",
    "Values",
    "Who",
    "applicable",
    "applicable_slots",
    "checked",
    "checked_all",
    "completed",
    "conflicts",
    "expectation",
    "from_yaml",
    "left_out",
    "read",
    "ruled_out",
    "slot",
    "slots_of",
    "to_yaml",
    "validated",
    "values_of",
    "write",
]
